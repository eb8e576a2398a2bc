"""For which digits the units of a layer matter: what the answer loses without them.

The necessity of some units for a digit is how much its margin, the logit of its class less the
largest other, falls when they are removed: exact, one digit at a time. Their linear share is what
a small step of the same removal would take: (x − x₀) Σ_k W_k ∂margin/∂z_k, with what the next
layer reads of them, x, and reads after the removal, x₀. Sorting digits by either instead of by
activation is relevance maximization (Achtibat et al. 2023, Nature Machine Intelligence 5:1006).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.activations import layer_of
from core.interventions.removal import Removal
from core.statistics import class_moments, mean_interval, middle_ranks
from core.surroundings import undisturbed

__all__ = [
    "SHOWN",
    "ClassNecessity",
    "Relevance",
    "class_necessity",
    "matter_most",
    "overlap",
    "passed_on",
    "rank_correlation",
    "relevance",
    "rounding",
]

Numbers = NDArray[np.float32]
Whole = NDArray[np.int64]

SHOWN = 9  # digits at most, as many as of the most activating ones
_ROUNDING = 64  # last places of the largest logit: sums of some hundred terms differ by so much


@dataclass(frozen=True)
class Relevance:
    """What removing some units of a layer together does to n digits.

    margin: (n,), of the intact network: the logit of the true class less the largest other.
    necessity: (n,), by how much it falls without the units. activation: (n,), as a ReLU passes it
    on where one follows, of a map the maximum; of several units the mean of standard scores.
    rounding: what a necessity must exceed to be more than rounding.
    """

    margin: Numbers
    necessity: Numbers
    activation: Numbers
    rounding: float

    @property
    def digits(self) -> Whole:
        """The digits that the units matter for most, most first: at most `SHOWN`, or none."""
        return matter_most(self.necessity, self.rounding)

    @property
    def most_active(self) -> Whole:
        """The digits that activate the units most, as many as `digits`, most first."""
        return np.argsort(-self.activation, kind="stable")[: len(self.digits)]

    @property
    def shared(self) -> int:
        """How many of `digits` are among as many most activating ones."""
        return overlap(self.activation, self.necessity, self.rounding)

    @property
    def correlation(self) -> float:
        """Spearman's rank correlation of activation and necessity over all digits, or NaN."""
        return rank_correlation(self.activation, self.necessity)


@undisturbed()
def relevance(
    removal: Removal, units: Sequence[int], *, scale: tuple[Numbers, Numbers] | None = None
) -> Relevance:
    """For which of the removal's digits its units matter.

    scale: mean and standard deviation of each unit's activation, (units,) each, by which those of
    several are made comparable; of these digits when None.

    Raises `ValueError` for a unit that the layer hasn't, and for none.
    """
    chosen = list(units)
    if not chosen:
        raise ValueError("there are no units: give at least one of the layer.")
    intact, without = removal.intact, removal.without(chosen)
    return Relevance(
        margin=intact.margin,
        necessity=intact.margin - without.margin,
        activation=_activation(removal, chosen, scale),
        rounding=rounding(intact.logits.numpy()),
    )


def passed_on(removal: Removal) -> Numbers:
    """(n, units): one number a digit, as a ReLU passes it on where one follows; a map's maximum."""
    values = removal.values
    peaks = values.amax((2, 3)) if values.ndim == 4 else values
    rectified = layer_of(removal.model, removal.layer).rectified
    found: Numbers = (peaks.relu() if rectified else peaks).numpy()
    return found


def _activation(
    removal: Removal, units: list[int], scale: tuple[Numbers, Numbers] | None
) -> Numbers:
    """(n,): the unit's activation, or the mean of the standard scores of several."""
    values = passed_on(removal)
    if len(units) == 1:
        return values[:, units[0]].copy()
    mean, spread = (values.mean(0), values.std(0)) if scale is None else scale
    scores = (values[:, units] - mean[units]) / np.where(spread[units] > 0, spread[units], 1)
    found: Numbers = scores.mean(1).astype(np.float32)
    return found


def rounding(logits: Numbers) -> float:
    """A change of a margin that is no more than rounding. logits: (n, classes)."""
    return float(_ROUNDING * np.finfo(np.float32).eps * np.abs(logits).max(initial=0))


def matter_most(necessity: Numbers, least: float) -> Whole:
    """The digits of the largest necessity, most first: at most `SHOWN`, each above `least`."""
    order = np.argsort(-necessity, kind="stable")[:SHOWN]
    return order[necessity[order] > least]


def overlap(activation: Numbers, necessity: Numbers, least: float) -> int:
    """How many of the digits that matter most are among as many that activate most."""
    needed = matter_most(necessity, least)
    active = np.argsort(-activation, kind="stable")[: len(needed)]
    return len(np.intersect1d(needed, active))


def rank_correlation(first: Numbers, second: Numbers) -> float:
    """Spearman's, ties at their middle rank; NaN where either is the same for all digits."""
    one, other = (middle_ranks(of) - (len(of) + 1) / 2 for of in (first, second))
    norm = np.sqrt((one @ one) * (other @ other))
    return float(one @ other / norm) if norm > 0 else float("nan")


@dataclass(frozen=True)
class ClassNecessity:
    """How much some units matter for the digits of each class.

    label: the class that they matter most for, chosen on other digits; None where they matter for
    none. means, low, high: (classes,), the mean necessity with its 95 % interval. untrained: means
    of the untrained network, (classes,).
    """

    label: int | None
    means: Numbers
    low: Numbers
    high: Numbers
    untrained: Numbers


def class_necessity(
    chosen_on: tuple[Relevance, Whole], judged_on: tuple[Relevance, Whole], untrained: Relevance
) -> ClassNecessity:
    """The class that the units matter most for, and how much for each, on digits of two halves.

    chosen_on, judged_on: the units' relevance and the labels (n,) of the digits. untrained: that of
    the untrained network on those that it is judged on.
    """
    of_discovery, labels = chosen_on
    found, judged_labels = judged_on
    classes = int(max(labels.max(), judged_labels.max())) + 1
    first = class_moments(of_discovery.necessity[:, None], labels, classes)[0][0]
    means, variance, count = class_moments(found.necessity[:, None], judged_labels, classes)
    low, high = mean_interval(means, variance, count)
    best = int(first.argmax())
    return ClassNecessity(
        label=best if first[best] > of_discovery.rounding else None,
        **{
            name: np.asarray(of[0], dtype=np.float32)
            for name, of in (("means", means), ("low", low), ("high", high))
        },
        untrained=np.asarray(
            class_moments(untrained.necessity[:, None], judged_labels, classes)[0][0],
            dtype=np.float32,
        ),
    )
