"""One run in numbers, and two runs against each other on the same digits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from core.architectures.mixture.report import GateReport
from core.interventions.answers import accuracy_row
from core.interventions.effects import PairedChange

__all__ = [
    "MEASURES",
    "RunSummary",
    "Versus",
    "measured",
    "versus",
]

# of a gate; what a network without one lacks
MEASURES = (
    "active",
    "balance",
    "load variation",
    "importance variation",
    "entropy",
    "bits",
    "normalized",
    "limit",
)

ALPHA = 0.05  # of the test of two networks


@dataclass(frozen=True)
class Versus:
    """Two networks on the same n digits.

    won, lost: digits that only the first tells right, and only the other. difference, low, high: of
    the accuracies, first − other, with the 95 % interval of paired shares (Bonett & Price 2012). p:
    of as uneven a split of the digits that only one tells right (McNemar's exact test).
    """

    won: int
    lost: int
    difference: float
    low: float
    high: float
    p: float

    @property
    def verdict(self) -> str:
        """The first is "better" or "worse" than the other, or "alike" where p is 5 % or more."""
        if self.p >= ALPHA:
            return "alike"
        return "better" if self.won > self.lost else "worse"


@dataclass(frozen=True)
class RunSummary:
    """One run on n test digits.

    right: bool (n,), which digits it tells right. parameters, multiplications: see
    `core.architectures.mixture.size`. gate: by the names of `MEASURES`, empty for a network without
    a gate. load, importance: (experts,), empty without a gate.
    """

    right: NDArray[np.bool_]
    parameters: int
    multiplications: int
    gate: Mapping[str, float]
    load: NDArray[np.float64]
    importance: NDArray[np.float64]

    @property
    def accuracy(self) -> float:
        """Share of the digits told right."""
        return float(self.right.mean())

    def row(self) -> dict[str, float]:
        """All numbers by name, NaN for what the network lacks; low, high: Wilson's interval."""
        return {
            **accuracy_row(int(self.right.sum()), len(self.right)),
            **{name: self.gate.get(name, np.nan) for name in MEASURES},
            "parameters": self.parameters,
            "multiplications": self.multiplications,
        }

    def experts(self) -> pd.DataFrame:
        """A row for each expert: load and importance."""
        columns = {"load": self.load, "importance": self.importance}
        return pd.DataFrame({"expert": range(len(self.load)), **columns})


def measured(report: GateReport) -> dict[str, float]:
    """The numbers of a gate, by the names of `MEASURES`.

    entropy: mean over digits, as a share of log₂ N; 0 for a single expert. limit: what 95 % of
    shuffled experts tell of the class, in bits.
    """
    told, most = report.class_information, float(np.log2(report.experts))
    values = (
        report.active,
        report.balance,
        report.load_variation,
        report.importance_variation,
        report.mean_entropy / most if most else 0.0,
        told.bits,
        told.normalized,
        told.limit,
    )
    return {name: float(value) for name, value in zip(MEASURES, values, strict=True)}


def versus(first: ArrayLike, other: ArrayLike) -> Versus:
    """Two networks against each other, by which digits each tells right, bool (n,).

    Raises `ValueError` for no digits, and for different numbers of them.
    """
    ours, theirs = np.asarray(first, dtype=bool), np.asarray(other, dtype=bool)
    if ours.shape != theirs.shape or ours.ndim != 1 or not len(ours):
        raise ValueError(
            f"the networks answered {ours.shape} and {theirs.shape}: give the same digits to both."
        )
    changed = PairedChange.between(theirs, ours)
    difference, low, high = (float(of) for of in (changed.change, *changed.interval))
    won, lost = int(changed.won), int(changed.lost)
    return Versus(won, lost, difference, low, high, changed.p_value)
