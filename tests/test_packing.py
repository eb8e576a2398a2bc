"""A result comes back from its parts as it was, and nothing else comes out of a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from core.analyses.counterfactuals import Pairs
from core.interventions.search import Curve
from core.runs import Run
from core.runtime.packing import Packed, frozen, pack, size, unpack
from core.runtime.store import StoredArrays


def back(value: Any) -> Any:
    return unpack(pack(value))


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        7,
        0.1,
        "text",
        b"\x00bytes",
        [],
        (),
        [1, (2, "three"), None],
        {},
        {"a": 1, "b": {"c": (1,)}},
        {1: "one", ("a", "b"): "two"},
        Run("strokes", "lenet5", seed=3),
        (Run("strokes", "lenet5", seed=3),),
    ],
)
def test_plain_values_come_back_equal_and_of_their_types(value: Any) -> None:
    found = back(value)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6, dtype=np.int8).reshape(2, 3),
        np.zeros((0, 4), np.float32),
        np.array(True),
        np.array(["a", "bcd"]),
        np.float32(0.1),
        np.int64(3),
    ],
)
def test_arrays_and_numbers_come_back_to_the_bit(array: Any) -> None:
    found = back({"of": array})["of"]
    assert found.dtype == array.dtype
    assert found.shape == array.shape
    assert type(found) is type(array)
    np.testing.assert_array_equal(found, array)


def test_tensors_and_nested_results_come_back() -> None:
    pairs = Pairs("hook", "drawn", torch.rand(3, 1, 28, 28), torch.zeros(3, 1, 28, 28))
    found = back({"pairs": [pairs], "curve": Curve(np.arange(3), np.ones((3, 10)), np.ones(3))})
    assert isinstance(found["pairs"][0], Pairs)
    assert torch.equal(found["pairs"][0].present, pairs.present)
    assert found["curve"].counts.tolist() == [0, 1, 2]


def test_tables_keep_columns_types_and_gaps() -> None:
    table = pd.DataFrame(
        {"name": ["a", "b"], "x": [1, 2], "y": [0.5, np.nan], "on": [True, False], 3: [None, "z"]}
    )
    pd.testing.assert_frame_equal(back(table), table)
    assert back(table.iloc[:0]).columns.tolist() == table.columns.tolist()
    float32 = pd.DataFrame({"x": np.zeros(2, np.float32)})
    assert back(float32)["x"].dtype == np.float32


def test_arrays_are_named_by_their_places() -> None:
    packed = pack({"layers": {"linear_0": {"auc": np.zeros(2)}}, ("a", "b"): [np.ones(1)]})
    assert set(packed.leaves) == {"layers/linear_0/auc", "a,b/0"}


def test_places_that_read_alike_stay_apart() -> None:
    keys = ("a/b", ("a", "b"), "a,b")
    found = back({"a": {"b": np.zeros(1)}, **{key: np.full(1, at) for at, key in enumerate(keys)}})
    assert [float(found[key][0]) for key in keys] == [0, 1, 2]
    assert found["a"]["b"].dtype == np.float64


@dataclass(frozen=True)
class Foreign:
    """Not of the package."""

    x: int


class Plain:
    """Not a dataclass."""


@pytest.mark.parametrize("value", [Foreign(1), Plain(), object(), {"a": {Plain()}}, print])
def test_what_a_result_may_not_be_made_of_is_named(value: object) -> None:
    with pytest.raises(TypeError, match="give"):
        pack(value)


@pytest.mark.parametrize(
    "name",
    [
        "os:system",
        "core.runtime.store:Store",
        "core.runtime.store:default_store",
        "core.runs:registry",
        "core.absent:Run",
        "core.runs:Run.__init__",
        "core.runs:dataclass",
        "subprocess:Popen",
        "core.runtime.packing:pd.DataFrame",
        "",
        None,
    ],
)
def test_a_file_can_name_no_class_but_of_results(name: Any) -> None:
    with pytest.raises(ValueError, match="is no class of results"):
        unpack(Packed({}, {"of": name, "parts": []}))


def test_a_file_imports_nothing() -> None:
    import sys

    name = "core.statistics.modes.calibration"
    sys.modules.pop(name, None)
    with pytest.raises(ValueError, match="no class"):
        unpack(Packed({}, {"of": f"{name}:Table", "parts": []}))
    assert name not in sys.modules


def test_a_missing_array_is_an_error() -> None:
    packed = pack({"x": np.zeros(3)})
    packed.leaves.clear()
    with pytest.raises(KeyError, match="x"):
        unpack(packed)


def test_sizes_are_those_of_the_arrays() -> None:
    table = pd.DataFrame({"x": np.zeros(100)})
    value = {"a": np.zeros((10, 10), np.float32), "b": [torch.zeros(5)], "c": "four", "d": table}
    assert size(value) == 400 + 20 + 4 + table.memory_usage(deep=True).sum()
    assert size(StoredArrays({"x": np.zeros(4)})) == 32


def test_what_is_frozen_can_not_be_written_to() -> None:
    value = frozen({"a": [np.zeros(3)], "b": Curve(np.zeros(1), np.zeros((1, 1)), np.zeros(1))})
    for array in (value["a"][0], value["b"].counts):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
