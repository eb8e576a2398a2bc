"""The time of one function over another's: run in turns, so that a busy machine slows both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from time import perf_counter

__all__ = ["Row", "ratio"]


@dataclass(frozen=True)
class Row:
    """One line of the table: what was compared, the measured ratio, and what was promised.

    promise: text such as "at most 1.10". kept: whether `value` keeps it.
    """

    what: str
    value: float
    promise: str
    kept: bool


def ratio(ours: Callable[[], object], other: Callable[[], object], rounds: int) -> float:
    """The median over `rounds` of our time over the other's, each pair measured back to back."""
    pairs = [(_seconds(ours), _seconds(other)) for _ in range(rounds)]
    return median(mine / theirs for mine, theirs in pairs)


def _seconds(work: Callable[[], object]) -> float:
    """How long `work` takes."""
    start = perf_counter()
    work()
    return perf_counter() - start
