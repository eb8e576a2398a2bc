"""What is drawn once: when two calls are one, what goes when, and that nobody spoils it."""

from __future__ import annotations

import gc
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import pytest
import torch

from core.runs import Run
from core.runtime.drawings import Drawings, drawn_once
from pages.kit.charts import finished_chart

CALLS: list[tuple[Any, ...]] = []


class Result:
    """Something that can't be compared by value."""


@dataclass(frozen=True)
class Table:
    """A result as tasks give them: frozen, with arrays."""

    values: np.ndarray[Any, Any]


@pytest.fixture(autouse=True)
def no_calls() -> None:
    CALLS.clear()


def draw(*args: Any, **options: Any) -> str:
    CALLS.append((len(args), *options))
    return "a drawing"


def made_of(*pairs: tuple[Any, Any]) -> int:
    """How many drawings the two arguments of each pair make together."""
    drawings = Drawings()
    for first, second in pairs:
        drawings.get(draw, first)
        drawings.get(draw, second)
    return len(CALLS)


def test_a_result_is_known_by_identity() -> None:
    drawings, one, other = Drawings(), Result(), Result()
    for result in (one, one, other, one):
        drawings.get(draw, result, "linear_0")
    assert len(CALLS) == 2


def test_a_frozen_result_with_arrays_is_known_by_identity() -> None:
    values = np.zeros(3)
    assert made_of((Table(values), Table(values))) == 2


@pytest.mark.parametrize(
    "make",
    [
        lambda: Run("strokes", "mlp", seed=0),
        lambda: np.arange(6).reshape(2, 3),
        lambda: np.array(["a", None], dtype=object),
        lambda: torch.arange(6.0),
        lambda: pd.DataFrame({"unit": ["a", "b"], "value": [1.0, 2.0]}),
        lambda: [1, "b", (2.5, None)],
        lambda: {"layer": "linear_0", "units": [1, 2]},
    ],
)
def test_an_option_is_known_by_its_value(make: Any) -> None:
    assert made_of((make(), make())) == 1


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (1, True),
        (1, 1.0),
        (Run("strokes", "mlp", seed=0), Run("strokes", "mlp", seed=1)),
        (np.zeros((2, 3)), np.zeros((3, 2))),
        (np.zeros(2, dtype=np.int64), np.zeros(2)),
        (np.arange(6).reshape(2, 3), np.arange(6).reshape(2, 3).T),
        (pd.DataFrame({"a": [1]}), pd.DataFrame({"a": [2]})),
        (pd.DataFrame({"a": [1]}), pd.DataFrame({"b": [1]})),
        (pd.DataFrame({"a": [1]}), pd.DataFrame({"a": [1]}, index=[7])),
        ([1, 2], (1, 2)),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
    ],
)
def test_another_option_is_another_drawing(first: Any, second: Any) -> None:
    assert made_of((first, second)) == 2


def test_a_named_option_and_the_function_count_too() -> None:
    drawings = Drawings()
    drawings.get(draw, 1, width=2)
    drawings.get(draw, 1, width=3)
    drawings.get(draw, 1)
    drawings.get(_other, 1)
    assert len(CALLS) == 4


def _other(*args: Any) -> str:
    return draw(*args)


def test_a_changed_array_is_drawn_anew() -> None:
    drawings, values = Drawings(), np.zeros(4)
    drawings.get(draw, values)
    values[2] = 1
    drawings.get(draw, values)
    assert len(CALLS) == 2


def test_a_drawing_goes_with_its_result() -> None:
    drawings, result, other = Drawings(), Result(), Result()
    drawings.get(draw, result)
    drawings.get(draw, [other, result])
    drawings.get(draw, other)
    assert len(drawings) == 3
    del result
    gc.collect()
    assert len(drawings) == 1


def _large(number: int) -> bytes:
    CALLS.append((number,))
    return bytes(100_000)


def test_those_used_longest_ago_make_room() -> None:
    drawings = Drawings(limit=350_000)
    for number in (0, 1, 2, 0, 3):  # the fourth use keeps 0, so that 3 takes the place of 1
        drawings.get(_large, number)
    assert len(drawings) == 3
    CALLS.clear()
    for number in (0, 2, 3, 1):
        drawings.get(_large, number)
    assert CALLS == [(1,)]


def _slow(started: Result) -> int:
    CALLS.append(())
    threading.Event().wait(0.2)
    return 7


def test_many_threads_draw_once() -> None:
    drawings, result = Drawings(), Result()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: drawings.get(_slow, result), range(8)))
    assert found == [7] * 8
    assert len(CALLS) == 1


def _fails(number: int) -> None:
    CALLS.append(())
    raise ValueError(f"{number} can't be drawn.")


def test_an_error_is_told_and_not_kept() -> None:
    drawings = Drawings()
    for _ in range(2):
        with pytest.raises(ValueError, match="3 can't be drawn"):
            drawings.get(_fails, 3)
    assert len(CALLS) == 2
    assert len(drawings) == 0


def test_a_function_made_anew_at_each_call_is_refused() -> None:
    with pytest.raises(TypeError, match="made anew at each call"):
        Drawings().get(lambda: 1)


@drawn_once
def _table(rows: int) -> tuple[pd.DataFrame, dict[str, Any], np.ndarray[Any, Any]]:
    CALLS.append(())
    return pd.DataFrame({"row": range(rows)}), {"names": ["a"]}, np.zeros(rows)


def test_nobody_changes_what_others_are_given() -> None:
    frame, names, array = _table(3)
    frame["more"] = 1
    frame.loc[0, "row"] = 9
    names["names"].append("b")
    with pytest.raises(ValueError, match="read-only"):
        array[0] = 1
    frame, names, _ = _table(3)
    assert frame.to_dict("list") == {"row": [0, 1, 2]}
    assert names == {"names": ["a"]}
    assert len(CALLS) == 1


def bars(frame: pd.DataFrame, title: str) -> alt.Chart:
    CALLS.append(())
    return alt.Chart(frame).mark_bar().encode(x="name", y=alt.Y("value", title=title))


def test_a_chart_is_built_once_and_says_the_same() -> None:
    frame = pd.DataFrame({"name": ["a", "b"], "value": [1.0, 2.0]})
    first = finished_chart(bars, frame, "accuracy")
    first["encoding"]["y"]["title"] = "spoilt"
    second = finished_chart(bars, frame.copy(), "accuracy")
    assert len(CALLS) == 1
    assert second["encoding"] == bars(frame, "accuracy").to_dict()["encoding"]
    assert [*second["datasets"]] == [second["data"]["name"]]
    assert second["datasets"] == first["datasets"]
    assert "config" not in second  # Streamlit's theme, light or dark, has the say
