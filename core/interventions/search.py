"""Which units to remove so that a class is lost, and no other: rankings, and what each achieves.

A ranking orders all units of a layer by how much they should matter to a class. It is made on the
discovery digits, or during training, and judged on the confirmation digits by its curve: the
recall that is left after its first k units are removed, or when only they are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.arguments import seeded, whole
from core.interventions.removal import Removal
from core.interventions.shapley import shapley

__all__ = [
    "COUNTS",
    "Curve",
    "accuracies",
    "curve",
    "erasing",
    "greedy",
    "random_orders",
    "shapley_of",
    "single",
]

Numbers = NDArray[np.float64]
Whole = NDArray[np.int64]

COUNTS = (1, 2, 3, 5, 7, 10, 15, 20, 25, 30, 40, 50, 60, 80, 100)  # units removed
ERASED = 0.10  # recall left of an erased class, at most: chance
SPARED = 0.95  # recall left of each other class, at least
_SAMPLE = 400  # digits of the class, and as many others, on which greedy and Shapley search


@dataclass(frozen=True)
class Curve:
    """Recall of every class, (counts, classes), with the first `counts` units of a ranking removed.

    kept: (counts,), recall of the class in question less how often it is said of other digits,
    when only those units are kept.
    """

    counts: Whole
    recall: Numbers
    kept: Numbers


def curve(removal: Removal, order: Sequence[int], label: int) -> Curve:
    """What removing, and keeping, the first units of `order` does to class `label`.

    Raises `ValueError` for a label that is none.
    """
    label = _class_of(label, removal)
    half = [k for k in COUNTS if k < removal.units]
    labels = removal.digits.labels.numpy()
    recall, kept = np.empty((len(half), removal.classes)), np.empty(len(half))
    for at, k in enumerate(half):
        right = removal.without(order[:k]).right
        recall[at] = [_mean(right[labels == each]) for each in range(removal.classes)]
        says = removal.keeping(order[:k]).shares[:, label]
        kept[at] = _mean(says[labels == label]) - _mean(says[labels != label])
    return Curve(np.array(half), recall, kept)


def erasing(found: Curve, label: int) -> int | None:
    """The fewest units whose removal loses the class and spares all others; None when none do.

    At most 10 % of the class's recall is left, and of every other at least 95 %. Raises
    `ValueError` for a label that is none.
    """
    label = whole(label, "label", 0, found.recall.shape[1] - 1)
    others = np.delete(found.recall, label, axis=1)
    erased = (found.recall[:, label] <= ERASED + 1e-6) & (np.nanmin(others, axis=1) >= SPARED)
    return int(found.counts[erased.argmax()]) if erased.any() else None


def single(removal: Removal) -> Numbers:
    """(units, classes): the loss of log-likelihood, nats, when one unit alone is removed."""
    before, labels = removal.intact.nll, removal.digits.labels.numpy()
    members = (labels[:, None] == np.arange(removal.classes)).astype(np.float64)
    members /= np.maximum(members.sum(0), 1)
    return np.stack([(without.nll - before) @ members for without in removal.each_alone()])


def greedy(
    removal: Removal, label: int, count: int, *, on_step: Callable[[int], object] | None = None
) -> list[int]:
    """`count` units, each the one whose removal next costs the class most and others least.

    What is climbed is the class's mean loss of log-likelihood less that of all other digits. Raises
    `ValueError` for a label that is none and a count below 0.
    """
    label, count = _class_of(label, removal), whole(count, "count", 0)
    sample = _sample(removal, label)
    own = (sample.digits.labels == label).numpy()
    chosen: list[int] = []
    for step in range(min(count, removal.units - 1)):
        if on_step is not None:
            on_step(step)
        free = [unit for unit in range(removal.units) if unit not in chosen]
        harm = []
        for unit in free:
            nll = sample.without([*chosen, unit]).nll
            harm.append(_mean(nll[own]) - _mean(nll[~own]))
        chosen.append(free[int(np.argmax(harm))])
    return chosen


def shapley_of(
    removal: Removal,
    label: int,
    permutations: int,
    *,
    seed: int = 0,
    on_step: Callable[[int], object] | None = None,
) -> tuple[Numbers, Numbers]:
    """Each unit's Shapley value for the class's log-likelihood, nats, and its standard error.

    Raises `ValueError` for a label that is none, and as `shapley`.
    """
    label = _class_of(label, removal)
    some = removal.on(_rows(removal, label, others=False))

    def value(present: NDArray[np.bool_]) -> float:
        return -_mean(some.without(np.flatnonzero(~present)).nll)

    return shapley(value, removal.units, permutations, seed=seed, on_step=on_step)


def random_orders(units: int, orders: int, seed: int) -> Whole:
    """(orders, units): what a ranking must do better than."""
    generator = np.random.default_rng(seeded(seed))
    units = whole(units, "units", 1)
    return np.stack([generator.permutation(units) for _ in range(whole(orders, "orders", 1))])


def accuracies(removal: Removal, order: Sequence[int], counts: Sequence[int]) -> list[np.float32]:
    """Accuracy with the first units of `order` removed, as many as each of `counts` says."""
    return [removal.without(order[:count]).right.mean() for count in counts]


def completed(order: Sequence[int], scores: NDArray[np.floating]) -> list[int]:
    """`order` and then all other units, the highest score first."""
    rest = sorted(set(range(len(scores))) - set(order), key=lambda unit: -float(scores[unit]))
    return [*order, *rest]


def _class_of(label: int, removal: Removal) -> int:
    """The label, or `ValueError` where the digits have no such class."""
    return whole(label, "label", 0, removal.classes - 1)


def _sample(removal: Removal, label: int) -> Removal:
    """Some digits of the class and as many others, by turns."""
    return removal.on(_rows(removal, label, others=True))


def _rows(removal: Removal, label: int, *, others: bool) -> NDArray[np.bool_]:
    """(n,): evenly spaced digits of the class, and as many of the other classes if wanted."""
    labels = removal.digits.labels.numpy()
    found = np.zeros(len(labels), bool)
    for wanted in (labels == label, labels != label)[: 1 + others]:
        members = np.flatnonzero(wanted)
        found[members[np.linspace(0, len(members) - 1, min(_SAMPLE, len(members))).astype(int)]] = 1
    return found


def _mean(values: NDArray[np.float32]) -> float:
    """The mean; not a number where there are none."""
    return float(values.mean(dtype=np.float64)) if len(values) else float("nan")
