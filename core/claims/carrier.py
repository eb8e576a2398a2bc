"""What carries a concept in a layer: one of its units, a direction of it, or neither.

The best unit, the best axis of many random rotations of the layer, and a fitted direction are all
chosen on one half of the digits and judged on the other, and the same is done in networks that were
never trained. A unit that is devoted to the concept beats what a random basis of the same layer
has, and what an untrained network has, both on the same digits; else the layer may still carry the
concept as a direction.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from core.analyses.directions.linear import Direction, fit_direction
from core.analyses.directions.rotations import Axis, best_axis, rotated_axes
from core.arguments import seeded, whole
from core.claims.findings import A_DIRECTION, A_UNIT, NEITHER
from core.statistics.limits import ALPHA, FEWEST
from core.statistics.ranking import Answers, comparable, within_classes

__all__ = [
    "ROTATIONS",
    "UNTRAINED",
    "Carrier",
    "Found",
    "Reading",
    "carrier_of",
    "find",
    "reached",
]

Numbers = NDArray[np.float64]
Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]
Whole = NDArray[np.int64]

ROTATIONS = 200
UNTRAINED = 19  # networks, at least
DRAWS = 1000  # of the bootstrap over digits


@dataclass(frozen=True)
class Reading:
    """A layer on one half of the digits.

    values: float32 (n, units), before the ReLU. present: bool (n,). labels: int64 (n,), classes.
    """

    values: Floats
    present: Flags
    labels: Whole

    def judged(self) -> Reading:
        """Those digits among which the concept is told from its class.

        Digits of classes of which some have the concept and some don't, each unit's values less its
        mean on the class, so that the class tells nothing. Where there are no such classes, all
        digits, as if they were of one.
        """
        rows = comparable(self.labels, self.present)
        if not rows.any():
            return Reading(self.values, self.present, np.zeros_like(self.labels))
        values, labels = self.values[rows], self.labels[rows]
        if len(np.unique(labels)) > 1:
            means = np.stack([values[labels == each].mean(0) for each in np.unique(labels)])
            values = values - means[np.searchsorted(np.unique(labels), labels)]
        return Reading(values, self.present[rows], labels)


@dataclass(frozen=True)
class Found:
    """What one network has of a concept; all AUC are of digits on which nothing was chosen.

    unit: the best unit. axes: (rotations,), the best axis of each. direction: the fitted one;
    direction_auc: what it reaches. unit_read, direction_read: (n + absent,), what both give on the
    judged digits, within their class where there are several. n, absent: these with and without
    the concept.
    """

    unit: Axis
    axes: Numbers
    direction: Direction
    direction_auc: float
    unit_read: Floats = field(repr=False)
    direction_read: Floats = field(repr=False)
    n: int
    absent: int

    @property
    def limit(self) -> float:
        """What the best axis of 95 % of rotations stays below."""
        return float(np.quantile(self.axes, 1 - ALPHA, method="higher"))


@dataclass(frozen=True)
class Carrier:
    """The verdict on a layer and a concept.

    unit_over, direction_over: 95 % intervals of the AUC of the best unit and of the direction less
    that of the rotated axis at `trained.limit`, digits drawn anew (paired). untrained: what
    networks before training have. unit_learned, direction_learned: such intervals of the AUC less
    that of the same in the untrained network that 95 % of them stay below.
    """

    trained: Found
    unit_over: tuple[float, float]
    direction_over: tuple[float, float]
    unit_learned: tuple[float, float]
    direction_learned: tuple[float, float]
    untrained: tuple[Found, ...]

    @property
    def unit_stands_out(self) -> bool:
        """Whether the unit is better than the best axis of 95 % of rotations."""
        return self.trained.unit.judged > self.trained.limit and self.unit_over[0] > 0

    @property
    def direction_stands_out(self) -> bool:
        """Whether the direction is better than the best axis of 95 % of rotations."""
        return self.trained.direction_auc > self.trained.limit and self.direction_over[0] > 0

    @property
    def verdict(self) -> str:
        """One of `findings.CARRIERS`; "neither" also where there are too few digits to tell."""
        if min(self.trained.n, self.trained.absent) < FEWEST:
            return NEITHER
        if self.unit_stands_out and self.unit_learned[0] > 0:
            return A_UNIT
        if self.direction_stands_out and self.direction_learned[0] > 0:
            return A_DIRECTION
        return NEITHER


def carrier_of(
    known: Reading,
    judged: Reading,
    untrained: Sequence[Found],
    *,
    rotations: int = ROTATIONS,
    seed: int = 0,
    on_progress: Callable[[float], object] | None = None,
) -> Carrier:
    """The verdict on a layer, read as for `find`, beside what `find` gives of untrained networks.

    Raises `ValueError` as `find`, and for too few untrained networks to beat 95 % of them.
    """
    if len(untrained) < UNTRAINED:
        raise ValueError(
            f"there are {len(untrained)} untrained networks: give at least {UNTRAINED}, of which "
            "5 % is one."
        )
    found, high, present = _found(known, judged, rotations, seed, on_progress)
    best = (
        _at_limit(untrained, [of.unit.judged for of in untrained]).unit_read,
        _at_limit(untrained, [of.direction_auc for of in untrained]).direction_read,
    )
    own = (found.unit_read, found.direction_read)
    over = [
        _paired(mine, other, present, seeded(seed))
        for mine, other in zip((*own, *own), (high, high, *best), strict=True)
    ]
    return Carrier(found, over[0], over[1], over[2], over[3], tuple(untrained))


def _at_limit(untrained: Sequence[Found], areas: Sequence[float]) -> Found:
    """The network that 95 % of the untrained ones stay below."""
    limit = np.quantile(areas, 1 - ALPHA, method="higher")
    return untrained[int(np.argmin(np.abs(np.array(areas) - limit)))]


def find(known: Reading, judged: Reading, *, rotations: int = ROTATIONS, seed: int = 0) -> Found:
    """The best unit, the best axes of rotations and the direction of a layer for a concept.

    known: the half on which they are chosen. judged: the other.

    Raises `ValueError` for a half that has fewer than two digits with the concept or without it.
    """
    return _found(known, judged, rotations, seed, None)[0]


def _found(
    known: Reading,
    judged: Reading,
    rotations: int,
    seed: int,
    on_progress: Callable[[float], object] | None,
) -> tuple[Found, Floats, Flags]:
    """What `find` gives; the values of the axis at the limit; and which digits have the concept."""
    rotations, seed = whole(rotations, "rotations", 1), seeded(seed)
    for half in (known, judged):
        _check(half)
    first, other = known.judged(), judged.judged()
    ranked = _ranked(other.values, other.labels)
    unit = best_axis(first.values, first.present, ranked, other.present)
    own = _within(unit.sign * other.values[:, unit.index], other.labels)
    axes, high = _rotated(first, other, rotations, seed, on_progress)
    direction = fit_direction(first.values, first.present, seed=seed)
    read = _read(direction, other)
    n = int(other.present.sum())
    area = _auc(read, other.present)
    found = Found(unit, axes, direction, area, own, read, n, len(other.present) - n)
    return found, high, other.present


def reached(direction: Direction, judged: Reading) -> float:
    """The AUC of a direction on `judged` digits, which are those of `Reading.judged`."""
    return _auc(_read(direction, judged), judged.present)


def _read(direction: Direction, judged: Reading) -> Floats:
    """(n,): what a direction gives on judged digits."""
    return _within(direction.values(judged.values).astype(np.float32), judged.labels)


def _rotated(
    first: Reading,
    other: Reading,
    rotations: int,
    seed: int,
    on_progress: Callable[[float], object] | None,
) -> tuple[Numbers, Floats]:
    """The AUC of the best axis of each rotation, and the values of the one at the limit."""
    areas, drawn = [], []
    draws = rotated_axes(
        first.values, first.present, other.values, other.present, draws=rotations, seed=seed
    )
    for at, (_, values) in enumerate(draws):
        drawn.append(_within(values, other.labels))
        areas.append(_auc(drawn[-1], other.present))
        if on_progress is not None:
            on_progress((at + 1) / rotations)
    axes = np.array(areas)
    limit = np.quantile(axes, 1 - ALPHA, method="higher")
    return axes, drawn[int(np.argmin(np.abs(axes - limit)))]


def _check(half: Reading) -> None:
    """Raise `ValueError` for a half with too few digits of either kind, or without numbers."""
    present = int(half.present.sum())
    if min(present, len(half.present) - present) < 2:
        raise ValueError(
            f"{present} of {len(half.present)} digits have the concept: give at least two with it "
            "and two without it in each half."
        )
    if not np.isfinite(half.values).all():
        raise ValueError("the layer's activations are not finite: choose another layer or network.")


def _ranked(values: Floats, labels: Whole) -> Floats:
    """(n, units): each unit's values as ranks within the classes, where there are several."""
    if len(np.unique(labels)) == 1:
        return values
    return np.stack([_within(of, labels) for of in values.T], axis=1)


def _within(values: Floats, labels: Whole) -> Floats:
    """(n,): values as ranks within their class, where there are several classes."""
    return within_classes(values, labels) if len(np.unique(labels)) > 1 else values


def _auc(values: Floats, present: Flags) -> float:
    """The area under the ROC curve."""
    return float(Answers.of(values[:, None]).auc(present[:, None])[0, 0])


def _paired(one: Floats, other: Floats, present: Flags, seed: int) -> tuple[float, float]:
    """95 % bootstrap interval of the difference of two AUC on the same digits."""
    generator = np.random.default_rng(seed)
    there, absent = np.flatnonzero(present), np.flatnonzero(~present)
    wins = [_above(values[there], values[absent]) for values in (one, other)]
    rows, columns = (_drawn(len(of), generator) for of in (there, absent))
    found = ((rows @ (wins[0] - wins[1])) * columns).sum(1) / (len(there) * len(absent))
    low, high = np.quantile(found, [0.025, 0.975])
    return float(low), float(high)


def _drawn(n: int, generator: np.random.Generator) -> NDArray[np.float32]:
    """(draws, n): how often each of n digits is drawn in each resample."""
    return generator.multinomial(n, np.full(n, 1 / n), DRAWS).astype(np.float32)


def _above(there: Floats, absent: Floats) -> NDArray[np.float32]:
    """(present, absent): 1 where the digit with the concept is higher, ½ where both are equal."""
    higher = there[:, None] > absent[None]
    equal = there[:, None] == absent[None]
    found: NDArray[np.float32] = (higher + 0.5 * equal).astype(np.float32)
    return found
