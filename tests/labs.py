"""A lab for tests: few digits, and so short trainings, and everything else as it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from core.analyses.comparing import ShortModelTask
from core.claims.task import UnitSearchTask
from core.data import DataSet, cut
from core.data.task import DataTask
from core.runtime.lab import Lab
from core.runtime.packing import pack, unpack
from core.runtime.store import Store
from core.runtime.task import Report, Task
from tests.digits import drawn_digits

Result = TypeVar("Result")
HALVES = ("discovery", "confirmation")


class SmallLab(Lab):
    """A lab whose every data set is some digits and their halves.

    instead: by task, what is called instead of computing it.
    """

    def __init__(self, folder: Path, digits: DataSet | None = None) -> None:
        super().__init__(Store(folder))
        self.instead: dict[Task[Any], Callable[[Report], Any]] = {}
        self.digits = drawn_digits().take(slice(1200)) if digits is None else digits

    def known(self, task: Task[Result]) -> Result:
        """A result that is there."""
        found = self.find(task)
        assert found is not None
        return found

    def compute(self, task: Task[Any], report: Report) -> Any:
        """The result, from few digits, or what is done instead of a task."""
        if task in self.instead:
            return self.instead[task](report)
        if isinstance(task, DataTask):
            given = replace(self.digits, name=task.name)
            return cut(given, task.split) if task.split in HALVES else given
        if isinstance(task, ShortModelTask):
            return replace(task, epochs=1).compute(self, report)
        if isinstance(task, UnitSearchTask):
            return replace(task, orders=2, removed=2).compute(self, report)
        return super().compute(task, report)


def again(result: Any) -> Any:
    """The result, packed and unpacked as the store does."""
    return unpack(pack(result))


def assert_same(one: Any, other: Any, *, apart_from: Iterable[str] = ()) -> None:
    """Fail where two results differ in a number or a word."""
    (first, shape), (second, other_shape) = pack(one), pack(other)
    assert shape == other_shape
    assert first.keys() == second.keys()
    for name, leaf in first.items():
        if name not in apart_from:
            np.testing.assert_array_equal(np.asarray(leaf), np.asarray(second[name]), err_msg=name)
