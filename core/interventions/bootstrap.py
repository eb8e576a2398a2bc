"""What a removal changes, by group of digits, with its sign and a paired bootstrap interval."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.arguments import seeded, whole
from core.interventions.effects import PairedChange
from core.interventions.removal import Outcome
from core.statistics import rate_bound, wilson_interval

__all__ = ["MEASURES", "Change", "Resamples", "changes", "never_certain"]

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]

MEASURES = ("accuracy", "margin", "nll")


@dataclass(frozen=True)
class Change:
    """After the removal less before it, in one group of n digits, with a 95 % interval.

    measure: "accuracy" (0..1), "margin" (of logits) or "nll" (nats). before, after: its means.
    lost, gained: digits that were right and no longer are, and the reverse.
    """

    group: str
    measure: str
    n: int
    before: float
    after: float
    change: float
    low: float
    high: float
    lost: int
    gained: int

    def share_intervals(self) -> dict[str, float]:
        """Wilson's 95 % intervals of an accuracy before and after, as columns of a table."""
        found: dict[str, float] = {}
        for name, share in (("before", self.before), ("after", self.after)):
            low, high = wilson_interval(round(share * self.n), self.n)
            found |= {f"{name}, from": float(low), f"{name}, to": float(high)}
        return found


class Resamples:
    """Bootstrap draws of digits within strata, the same ones for all that is asked of them.

    Before and after belong to the same digit, so digits are drawn and not answers (paired), and
    each stratum keeps its size (stratified).
    """

    def __init__(self, strata: NDArray[np.int64], draws: int, seed: int) -> None:
        """strata: (n,), whole numbers: the digits that are drawn among one another."""
        draws = whole(draws, "draws", 1)
        generator = np.random.default_rng(seeded(seed))
        self.n, self.draws = len(strata), draws
        self._members = [np.flatnonzero(strata == each) for each in np.unique(strata)]
        self._drawn = [
            generator.integers(0, len(rows), (draws, len(rows)), dtype=np.int32)
            for rows in self._members
        ]

    def counts(self, rows: Flags) -> NDArray[np.float32]:
        """(draws, digits in rows): how often each is drawn."""
        found = np.zeros((self.draws, self.n), np.float32)
        for members, drawn in zip(self._members, self._drawn, strict=True):
            if rows[members].any():
                flat = drawn + np.arange(self.draws)[:, None] * len(members)
                counts = np.bincount(flat.ravel(), minlength=self.draws * len(members))
                found[:, members] = counts.reshape(self.draws, -1)
        return found[:, rows]

    def means(self, values: Numbers, rows: Flags) -> Numbers:
        """(draws, measures): means of values (n, measures) over the drawn digits of `rows`."""
        counts = self.counts(rows)
        drawn = (counts @ values[rows].astype(np.float32)).astype(np.float64)
        # sums of answers are whole: divided in double, a tenth is a tenth and not a little more
        means: Numbers = drawn / np.maximum(counts.sum(1, keepdims=True), 1)
        return means


def changes(
    before: Outcome, after: Outcome, groups: Mapping[str, Flags], resamples: Resamples
) -> list[Change]:
    """Each measure's change in each group of digits, groups without digits left out.

    groups: by name, bool (n,). Of a network whose logits aren't finite, numbers aren't either.
    """
    with np.errstate(invalid="ignore"):
        return _changes(before, after, groups, resamples)


def _changes(
    before: Outcome, after: Outcome, groups: Mapping[str, Flags], resamples: Resamples
) -> list[Change]:
    """`changes`, for which infinite less infinite is no reason to warn."""
    first, second = (np.stack([of.right, of.margin, of.nll], axis=1) for of in (before, after))
    difference = second.astype(np.float64) - first
    found = []
    for group, rows in groups.items():
        if not rows.any():
            continue
        bounds = np.quantile(resamples.means(difference, rows), [0.025, 0.975], axis=0)
        bounds[:, 0] = never_certain(bounds[:, 0], difference[rows, 0])
        answered = PairedChange.between(first[rows, 0], second[rows, 0])
        for at, measure in enumerate(MEASURES):
            found.append(
                Change(
                    group=group,
                    measure=measure,
                    n=int(rows.sum()),
                    before=float(first[rows, at].mean()),
                    after=float(second[rows, at].mean()),
                    change=float(difference[rows, at].mean()),
                    low=float(bounds[0, at]),
                    high=float(bounds[1, at]),
                    lost=int(answered.lost),
                    gained=int(answered.won),
                )
            )
    return found


def never_certain(bounds: Numbers, change: Numbers) -> Numbers:
    """The bounds of a change of accuracy, wider where no digit was lost, or none gained.

    Resampling can't draw what was never seen: of n digits none lost, up to 3 in n may be.
    """
    most = rate_bound(len(change))
    unseen = np.array([-most * (not (change < 0).any()), most * (not (change > 0).any())])
    wider: Numbers = bounds + unseen
    return wider
