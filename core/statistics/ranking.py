"""How well one number a unit gives for an image tells the images that have a concept.

For dense layers, and for concepts that belong to an image as a whole. Area under the ROC curve
with ties counted half, average precision beside its chance value, the share of present images, and
intersection over union of the images above the unit's level with those that have the concept.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln
from scipy.stats import norm

from core.statistics import middle_ranks

__all__ = [
    "Answers",
    "auc_interval",
    "average_precision",
    "chance",
    "comparable",
    "within_classes",
]

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]
Whole = NDArray[np.int64]

_DRAWS = 200  # of the bootstrap at once; 2,000 of 5,000 images would take some 200 MB


@dataclass(frozen=True)
class Answers:
    """What units say of images, to be compared with concepts.

    activations: (n, units), as the ReLU passes them on. ranks: of them, ties at their middle.
    ties: (units,), the factor by which ties narrow the spread of the ranks' sum.
    """

    activations: NDArray[np.float32]
    ranks: Numbers
    ties: Numbers

    @classmethod
    def of(cls, activations: NDArray[np.float32]) -> Answers:
        """Ranked once for all concepts. activations: (n, units), of any kind of number."""
        activations = np.asarray(activations)
        if activations.dtype.kind != "f":  # whole ones can't be turned round, unsigned or flags
            activations = activations.astype(np.float32)
        ranks = middle_ranks(activations)
        n = len(activations)
        spread = ((ranks - (n + 1) / 2) ** 2).sum(0)  # n (n² - 1) / 12 without ties
        return cls(activations, ranks, spread / max(n * (n**2 - 1) / 12, 1))

    def auc(self, present: Flags) -> Numbers:
        """(units, concepts): the chance that an image with the concept gives more than one without.

        present: (n, concepts). 0.5 where all or no images have it.
        """
        inside = present.sum(0)
        outside = len(present) - inside
        sums = self.ranks.T @ present.astype(np.float64) - inside * (inside + 1) / 2
        pairs = inside * outside
        found: Numbers = np.divide(sums, pairs, out=np.full(sums.shape, 0.5), where=pairs > 0)
        return found

    def p_values(self, auc: Numbers, present: Flags) -> Numbers:
        """(units, concepts): two-sided p of Mann & Whitney's (1947) test, corrected for ties."""
        n, inside = len(present), present.sum(0)
        pairs = (inside * (n - inside)).astype(np.float64)
        spread = np.sqrt((n + 1) / (12 * np.maximum(pairs, 1)) * self.ties[:, None])
        z = np.divide(auc - 0.5, spread, out=np.zeros_like(auc), where=(spread > 0) & (pairs > 0))
        p: Numbers = 2 * norm.sf(np.abs(z))
        return p

    def only(self, unit: int) -> Answers:
        """The answers of one unit."""
        one = slice(unit, unit + 1)
        return Answers(self.activations[:, one], self.ranks[:, one], self.ties[one])

    def within(self, members: Flags) -> Answers:
        """The answers to the images `members` (n,) alone."""
        return Answers.of(self.activations[members])

    def above(self, levels: NDArray[np.float32]) -> Flags:
        """(n, units): images on which a unit is above its level."""
        found: Flags = self.activations > levels
        return found

    def average_precision(self, present: Flags) -> Numbers:
        """(units, concepts), each against the share of images that have the concept."""
        return np.stack([average_precision(column, present) for column in self.activations.T])


def average_precision(values: NDArray[np.float32], present: Flags) -> Numbers:
    """Mean of the precision at each step of recall, (concepts,); equal values are one step.

    values: (n,). present: (n, concepts). 0 for a concept that no image has.
    """
    present = np.asarray(present, dtype=bool)
    order = np.argsort(-values, kind="stable")
    hits = present[order].cumsum(0, dtype=np.float64)
    steps = np.flatnonzero(np.append(np.diff(values[order]) != 0, True))  # last of equal values
    hits = hits[steps]
    gained = np.diff(hits, axis=0, prepend=0)
    total = hits[-1]
    summed = (gained * hits / (steps + 1)[:, None]).sum(0)
    found: Numbers = np.divide(summed, total, out=np.zeros_like(summed), where=total > 0)
    return found


def auc_interval(
    values: NDArray[np.float32], present: Flags, drawn: NDArray[np.float32]
) -> tuple[float, float]:
    """95 % bounds of one unit's AUC for one concept, by bootstrap over images.

    values, present: (n,). drawn: (draws, n), how often each image is drawn. (nan, nan) where all
    or no images have the concept.
    """
    present = np.asarray(present, dtype=bool)  # so that ~ means the others
    if present.all() or not present.any():
        return float("nan"), float("nan")
    order = np.argsort(values, kind="stable")
    starts = np.flatnonzero(np.append(True, np.diff(values[order]) != 0))
    found = [
        _drawn_auc(drawn[at : at + _DRAWS, order], present[order], starts)
        for at in range(0, len(drawn), _DRAWS)
    ]
    bounds = np.quantile(np.concatenate(found), [0.025, 0.975])
    return float(bounds[0]), float(bounds[1])


def _drawn_auc(weights: NDArray[np.float32], present: Flags, starts: Whole) -> Numbers:
    """(draws,): the AUC of each draw. weights: (draws, n), images in the order of their values.

    starts: where each group of equal values begins.
    """
    inside = np.add.reduceat(weights * present, starts, axis=1)
    outside = np.add.reduceat(weights * ~present, starts, axis=1)
    below = outside.cumsum(1) - outside / 2
    pairs = np.maximum(inside.sum(1) * outside.sum(1), 1)
    found: Numbers = (inside * below).sum(1) / pairs
    return found


def chance(both: Whole, unit: Whole, concept: Whole, n: int) -> tuple[Numbers, Numbers]:
    """One-sided p-values of the common images, were they chosen at random, and their 99 % quantile.

    both: (units, concepts). unit: (units, 1). concept: (1, concepts). Exact: hypergeometric.
    """
    p_values, most = np.empty(both.shape), np.empty(both.shape)
    sizes = np.broadcast_arrays(unit, concept)
    for drawn, inside in {*zip(*(of.ravel().tolist() for of in sizes), strict=True)}:
        mine = (sizes[0] == drawn) & (sizes[1] == inside)
        above = _tail(n, drawn, inside)
        p_values[mine] = above[both[mine]]
        most[mine] = int((above > 0.01).sum()) - 1
    return p_values, most


def _tail(n: int, drawn: int, inside: int) -> Numbers:
    """P(at least k of `inside` images are among `drawn` of n), for k from 0 to the smaller one."""
    k = np.arange(min(drawn, inside) + 1)
    possible = k >= drawn + inside - n
    logs = (
        _log_choose(inside, k)
        + _log_choose(n - inside, np.where(possible, drawn - k, 0))
        - _log_choose(n, np.array(drawn))
    )
    chances = np.where(possible, np.exp(logs), 0.0)
    tail: Numbers = chances[::-1].cumsum()[::-1].clip(0, 1)
    return tail


def _log_choose(n: int, k: Whole) -> Numbers:
    """Logarithm of the number of ways to choose k of n."""
    found: Numbers = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    return found


def comparable(labels: Whole, present: Flags) -> Flags:
    """(n,): the digits of classes of which some have the concept and some don't."""
    mixed = [c for c in np.unique(labels) if 0 < present[labels == c].mean() < 1]
    found: Flags = np.isin(labels, mixed)
    return found


def within_classes(score: NDArray[np.floating], labels: Whole) -> NDArray[np.float32]:
    """(n,): each digit's rank among those of its class, 0..1, so that the class says nothing."""
    found = np.zeros(len(score), np.float32)
    for label in np.unique(labels):
        rows = labels == label
        found[rows] = middle_ranks(score[rows]) / rows.sum()
    return found
