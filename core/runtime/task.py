"""What a task is: something to compute out of what a lab hands out, and how far it is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from core.runtime.lab import Lab

__all__ = ["Derived", "NotThere", "Report", "Task", "part_of", "silent"]

Result = TypeVar("Result", covariant=True)


class Report(Protocol):
    """How a task says how far it is; an exception from it ends the task."""

    def __call__(
        self,
        fraction: float,
        text: str | None = None,
        *,
        picture: NDArray[np.uint8] | None = None,
        **values: float,
    ) -> None:
        """Done so far in 0..1, what is being done, a picture of it, and numbers to be drawn."""


class NotThere(LookupError):
    """An input isn't there, and nothing may be computed for it now."""


@dataclass(frozen=True)
class Task(Generic[Result]):
    """Something to compute: a frozen dataclass, so that equal tasks are one and have one result.

    Its fields are all that the result depends on, besides the code. `compute` loads nothing: data,
    models and other results come from the lab. stored: whether the result is kept on disk.
    is_network: whether it is a network, which is kept as safetensors.
    """

    stored: ClassVar[bool] = True
    is_network: ClassVar[bool] = False

    @property
    def title(self) -> str:
        """What is done, for the person who waits."""
        return type(self).__name__

    @classmethod
    def kept_as(cls) -> str:
        """The first part of the name of its files, such as "unit-labels" of `UnitLabelsTask`."""
        name = cls.__name__.removesuffix("Task")
        return re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", name).lower()

    def compute(self, lab: Lab, report: Report) -> Result:
        """The result, never None, computed of this task's fields and of what the lab hands out."""
        raise NotImplementedError

    def at_once(self, lab: Lab) -> Result | None:
        """The result of a task that isn't stored, where it takes no work; else None."""
        return None


@dataclass(frozen=True)
class Derived(Task[Result]):
    """A result made in a moment of others that are kept, and so kept in memory alone."""

    stored: ClassVar[bool] = False

    def at_once(self, lab: Lab) -> Result | None:
        """The result where all that it is made of is there."""
        try:
            return self.compute(lab.only_found(), silent)
        except NotThere:
            return None


def silent(
    fraction: float,
    text: str | None = None,
    *,
    picture: NDArray[np.uint8] | None = None,
    **values: float,
) -> None:
    """A report to nobody."""


def part_of(report: Report, first: float, last: float) -> Report:
    """A report for the part of the work that takes it from `first` to `last`."""

    def within(
        fraction: float,
        text: str | None = None,
        *,
        picture: NDArray[np.uint8] | None = None,
        **values: float,
    ) -> None:
        # only where there is one: who listens need not know of pictures
        shown: dict[str, Any] = values if picture is None else {"picture": picture, **values}
        report(first + (last - first) * fraction, text, **shown)

    return within
