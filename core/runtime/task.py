"""What a task is: something to compute, how far it is, and where it is found again."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from core.runtime.store import Store

__all__ = ["Choice", "Report", "Task", "part_of", "under"]

Result = TypeVar("Result", covariant=True)


class Report(Protocol):
    """How a task tells how far it is; an exception from it ends the task."""

    def __call__(
        self,
        fraction: float,
        text: str | None = None,
        *,
        picture: NDArray[np.uint8] | None = None,
        **values: float,
    ) -> None:
        """Done so far in 0..1, what is being done, a picture of it, and numbers to be drawn."""


class Task(Hashable, Protocol[Result]):
    """Something to compute, and to find again; a frozen dataclass, so that equal ones are one."""

    @property
    def title(self) -> str:
        """What it does, for the person who waits."""

    def kept(self, store: Store) -> Result | None:
        """The result if it is there already."""

    def compute(self, store: Store, report: Report) -> Result:
        """The result, kept in the store."""


@dataclass(frozen=True)
class Choice:
    """Which trained model a view speaks of: the data it was trained on, its name and its seed."""

    data: str
    model: str
    seed: int

    def __str__(self) -> str:
        return f"{self.model} on {self.data}, seed {self.seed}"


def part_of(report: Report, first: float, last: float) -> Report:
    """A report for the part of the work that takes it from `first` to `last`."""

    def told(
        fraction: float,
        text: str | None = None,
        *,
        picture: NDArray[np.uint8] | None = None,
        **values: float,
    ) -> None:
        # only where there is one: who is told need not know of pictures
        shown = {} if picture is None else {"picture": picture}
        report(first + (last - first) * fraction, text, **shown, **values)  # type: ignore[arg-type]

    return told


def under(prefix: str, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """The arrays whose names begin with `prefix`, without it."""
    return {key[len(prefix) :]: array for key, array in arrays.items() if key.startswith(prefix)}
