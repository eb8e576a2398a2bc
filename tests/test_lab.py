"""The lab: each result once, whoever asks; kept within its bound; and never a wrong one found."""

from __future__ import annotations

import importlib
import pkgutil
import threading
import time
from dataclasses import dataclass, field, fields, make_dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

import core
from core.data import DataSet
from core.data.task import DataTask
from core.runs import Run
from core.runtime.lab import Lab, key_of
from core.runtime.store import Store
from core.runtime.task import Derived, NotThere, Report, Task, part_of, silent
from tests.labs import SmallLab

for module in pkgutil.walk_packages(core.__path__, "core."):
    if module.name.split(".")[-1] in ("task", "tasks") or "task" in module.name.split(".")[-1]:
        importlib.import_module(module.name)
CALLS: list[str] = []


@dataclass(frozen=True)
class Squares(Task[dict[str, Any]]):
    """Squares of whole numbers."""

    n: int

    def compute(self, lab: Lab, report: Report) -> dict[str, Any]:
        CALLS.append(f"squares {self.n}")
        report(0.5, "squaring")
        return {"squares": np.arange(self.n) ** 2}


@dataclass(frozen=True)
class Total(Derived[float]):
    """Their sum."""

    n: int

    def compute(self, lab: Lab, report: Report) -> float:
        found, _ = lab.given(report, Squares(self.n))
        CALLS.append(f"total {self.n}")
        return float(found["squares"].sum())


@dataclass(frozen=True)
class Slow(Task[int]):
    """One that takes until it is let go."""

    stored: ClassVar[bool] = False
    name: str

    def compute(self, lab: Lab, report: Report) -> int:
        CALLS.append(self.name)
        GATE.wait(10)
        report(1.0)
        return 1


GATE = threading.Event()


@pytest.fixture(autouse=True)
def fresh() -> None:
    CALLS.clear()
    GATE.clear()


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(Store(tmp_path))


def test_a_result_is_computed_once_and_then_found(lab: Lab) -> None:
    assert lab.find(Squares(4)) is None
    first = lab.result(Squares(4))
    assert lab.result(Squares(4)) is first is lab.find(Squares(4))
    assert first["squares"].tolist() == [0, 1, 4, 9]
    other = Lab(lab.store)
    assert other.result(Squares(4))["squares"].tolist() == [0, 1, 4, 9]
    assert CALLS == ["squares 4"]


def test_what_is_handed_out_can_not_be_written_to(lab: Lab) -> None:
    for found in (lab.result(Squares(3)), Lab(lab.store).result(Squares(3))):
        with pytest.raises(ValueError, match="read-only"):
            found["squares"][0] = 5
    lab.give(Squares(9), {"squares": np.zeros(9)})
    with pytest.raises(ValueError, match="read-only"):
        lab.result(Squares(9))["squares"][0] = 5


def test_a_derived_result_is_made_of_what_is_there_and_not_stored(lab: Lab) -> None:
    assert lab.find(Total(4)) is None
    assert CALLS == []
    lab.result(Squares(4))
    assert lab.find(Total(4)) == 14
    assert lab.result(Total(4)) == 14
    assert CALLS == ["squares 4", "total 4"]
    assert not list(lab.store.folder.glob("total-*"))
    assert lab.result(Total(3)) == 5
    with pytest.raises(NotThere):
        lab.only_found().result(Squares(8))


def test_many_threads_that_ask_get_one_result(lab: Lab) -> None:
    found: list[Any] = []
    ask = [threading.Thread(target=lambda: found.append(lab.result(Slow("one")))) for _ in range(8)]
    for thread in ask:
        thread.start()
    time.sleep(0.1)
    GATE.set()
    for thread in ask:
        thread.join(10)
    assert found == [1] * 8
    assert CALLS == ["one"]


def test_finding_does_not_wait_for_a_computation(lab: Lab) -> None:
    thread = threading.Thread(target=lambda: lab.result(Slow("long")))
    thread.start()
    while not CALLS:
        time.sleep(0.01)
    began = time.monotonic()
    assert lab.find(Slow("long")) is None
    assert time.monotonic() - began < 5, "the other takes ten"
    GATE.set()
    thread.join(10)
    assert lab.find(Slow("long")) == 1


def test_who_waits_can_leave_and_who_is_left_goes_on(lab: Lab) -> None:
    class Left(Exception):
        pass

    def leave(fraction: float, text: str | None = None, **values: object) -> None:
        if text and "somebody else" in text:
            raise Left

    thread = threading.Thread(target=lambda: lab.result(Slow("mine")))
    thread.start()
    while not CALLS:
        time.sleep(0.01)
    with pytest.raises(Left):
        lab.result(Slow("mine"), leave)  # type: ignore[arg-type]
    GATE.set()
    thread.join(10)
    assert CALLS == ["mine"]


def test_when_one_is_cancelled_the_next_computes(lab: Lab) -> None:
    class Stopped(Exception):
        pass

    def stop(*args: object, **values: object) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        lab.result(Squares(5), stop)
    assert lab.find(Squares(5)) is None
    assert lab.result(Squares(5))["squares"][-1] == 16
    assert CALLS == ["squares 5"] * 2


def test_memory_is_bounded_in_bytes_and_lets_go_of_what_was_used_longest_ago(
    tmp_path: Path,
) -> None:
    lab = Lab(Store(tmp_path), memory=3 * 800)
    for n in (100, 101, 102):
        lab.result(Squares(n))
    assert [task.n for task in lab._memory] == [101, 102]  # type: ignore[attr-defined]
    lab.find(Squares(101))
    lab.result(Squares(103))
    assert [task.n for task in lab._memory] == [101, 103]  # type: ignore[attr-defined]
    lab.result(Squares(5000))
    assert [task.n for task in lab._memory] == [5000], "the last one always is"  # type: ignore[attr-defined]
    lab.give(Squares(1), {"squares": np.zeros(1)})
    lab.result(Squares(6000))
    assert lab.find(Squares(1))["squares"].tolist() == [0], "what is given stays"  # type: ignore[index]


def test_progress_is_shared_among_what_is_missing(lab: Lab) -> None:
    lab.result(Squares(2))
    said: list[float] = []

    def report(fraction: float, *args: object, **values: object) -> None:
        said.append(round(fraction, 3))

    one, two, rest = lab.given(report, Squares(2), Squares(3))  # type: ignore[arg-type]
    rest(0.5)
    assert (len(one["squares"]), len(two["squares"])) == (2, 3)
    assert said == [0.25, 0.75]
    assert lab.all([Squares(2), Squares(3)], silent) == (one, two)


def test_a_part_of_a_report_hands_on_pictures_and_numbers() -> None:
    said: list[tuple[float, dict[str, Any]]] = []
    part = part_of(lambda f, t=None, **values: said.append((f, values)), 0.5, 1.0)  # type: ignore[arg-type,misc]
    part(0.5, "text", loss=2.0)
    part(1.0, picture=np.zeros((2, 2), np.uint8))
    assert said[0] == (0.75, {"loss": 2.0})
    assert said[1][0] == 1.0
    assert list(said[1][1]) == ["picture"]


def subclasses(of: type) -> list[type]:
    """All tasks of the package."""
    found = []
    for each in of.__subclasses__():
        found += [each, *subclasses(each)]
    return [each for each in found if each.__module__.startswith("core.")]


TASKS = [each for each in subclasses(Task) if each is not Derived]


def example(kind: Any) -> Any:
    """A field's value by its annotation."""
    text = str(kind)
    if "Run" in text:
        return Run("strokes", "mlp", seed=0)
    if "ShortModelTask" in text:
        return next(each for each in TASKS if each.__name__ == "ShortModelTask")(
            Run("strokes", "mlp", seed=0), 1, 10
        )
    if "LayerModesTask" in text:
        return next(each for each in TASKS if each.__name__ == "LayerModesTask")(
            Run("strokes", "mlp", seed=0), "linear_0", "before"
        )
    if "Settings" in text:
        from core.analyses.maximize import Settings

        return Settings()
    if "tuple" in text:
        return ()
    return {"int": 1, "float": 0.5, "bool": True}.get(text, "text")


def made(kind: type) -> Any:
    """A task of its kind, of examples for fields without a default."""
    return kind(*(example(of.type) for of in fields(kind)))


@pytest.mark.parametrize("kind", TASKS, ids=lambda kind: kind.__name__)
def test_a_field_more_is_another_key(kind: type) -> None:
    plain = made(kind)
    wider = make_dataclass("Wider", [("more", int, field(default=0))], bases=(kind,), frozen=True)
    values = {of.name: getattr(plain, of.name) for of in fields(kind)}
    keys = [key_of(plain), *(key_of(wider(**values, more=more)) for more in (0, 1))]
    assert len({str(key) for key in keys}) == 3


@pytest.mark.parametrize("kind", TASKS, ids=lambda kind: kind.__name__)
def test_every_field_is_in_the_key(kind: type) -> None:
    plain = made(kind)
    values = {of.name: getattr(plain, of.name) for of in fields(kind)}
    for name, value in values.items():
        if isinstance(value, int | float):
            other = not value if isinstance(value, bool) else value + 1
            assert key_of(kind(**{**values, name: other})) != key_of(plain)


def test_every_task_has_a_name_of_its_own_that_the_store_takes(lab: Lab) -> None:
    names = [kind.kept_as() for kind in TASKS]
    assert len(names) == len(set(names)) > 25
    for name in names:
        assert lab.store.load_arrays(name, {}) is None  # raises for a name that it refuses


def test_other_libraries_are_another_key(monkeypatch: pytest.MonkeyPatch) -> None:
    before = key_of(Squares(3))
    monkeypatch.setattr(np, "__version__", "0.1")
    assert key_of(Squares(3)) != before


def test_values_that_differ_have_keys_that_differ() -> None:
    @dataclass(frozen=True)
    class Any_(Task[int]):
        of: Any

    values = ["1", 1, 1.5, True, None, (1,), ("1",), ((1,),), b"1", Run("1", "mlp", seed=1)]
    assert len({str(key_of(Any_(value))) for value in values}) == len(values)
    with pytest.raises(TypeError, match="give plain values"):
        key_of(Any_([1]))


def test_digits_are_loaded_once_and_cut(tmp_path: Path, strokes: DataSet) -> None:
    class Loading(Lab):
        loaded = 0

        def compute(self, task: Task[Any], report: Report) -> Any:
            if isinstance(task, DataTask) and task.split == "test":
                self.loaded += 1
                return strokes
            return super().compute(task, report)

    lab = Loading(Store(tmp_path))
    assert lab.find(DataTask("strokes", "discovery")) is None
    halves = [lab.result(DataTask("strokes", half)) for half in ("discovery", "confirmation")]
    assert sum(map(len, halves)) == len(strokes)
    assert lab.result(DataTask("strokes", "discovery")) is halves[0]
    assert lab.loaded == 1
    assert SmallLab(tmp_path, strokes).result(DataTask("strokes", "fit")).name == "strokes"
