"""How many units carry a class: rankings of a layer's units, and what removing the first ones does.

Rankings are made on discovery digits, or in training; curves are measured on confirmation digits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.analyses.gradients import gradient_times_activation
from core.claims.evidence import NOT_SUPPORTED, SUPPORTED, Finding
from core.data import CLASSES
from core.interventions.removal import Removal
from core.interventions.search import (
    ERASED,
    SPARED,
    Curve,
    completed,
    curve,
    erasing,
    greedy,
    random_orders,
    shapley_of,
    single,
)
from core.models.inspectable import Inspectable
from core.runtime.task import Report, part_of
from core.statistics import selectivity_index

__all__ = ["GREEDY", "MISINDEXED", "ORDERS", "Rankings", "UnitSearch", "rankings", "searched"]


RANDOM = 20  # orders that rankings are compared with


GREEDY = 40  # units that the greedy search removes


ORDERS = 40  # of the Shapley value


MISINDEXED = "2016 indexing"


@dataclass(frozen=True)
class UnitSearch:
    """What removing more and more units does to a class, by ranking.

    orders: by ranking, the units in order. curves: by ranking, on the confirmation digits; the one
    named `MISINDEXED` has the numbers of units of the next layer. random: (orders, counts), the
    class's recall as units are removed at random; random_kept: what random units alone keep.
    errors: standard errors of the Shapley values, in the order of units; shapley: they.
    """

    orders: dict[str, NDArray[np.int64]]
    curves: dict[str, Curve]
    random: NDArray[np.float64]
    random_kept: NDArray[np.float64]
    shapley: NDArray[np.float64]
    errors: NDArray[np.float64]

    def erasable(self, label: int) -> Finding:
        """Whether few units erase class `label` and no other, by any of the rankings."""
        units = len(self.shapley)
        best = {
            name: k
            for name, of in self.curves.items()
            if name != MISINDEXED and (k := erasing(of, label)) is not None and 4 * k <= units
        }
        if not best:
            reason = (
                "With none of the rankings does removing a quarter of the layer or less leave at "
                f"most {ERASED:.0%} of class {label} and at least {SPARED:.0%} of every other "
                "class."
            )
            return Finding(NOT_SUPPORTED, reason, None, None, None, 0)
        name = min(best, key=lambda each: best[each])
        at = self.curves[name].counts.tolist().index(best[name])
        recall = self.curves[name].recall[at]
        left, others = recall[label], np.delete(recall, label).min()
        random = float(np.median(self.random[:, at]))
        reason = (
            f"{best[name]} of {units} units, chosen by {name}, are enough: removing them leaves "
            f"{left:.1%} of class {label} and at least {others:.1%} of every other class; removing "
            f"as many random units leaves {random:.1%}."
        )
        return Finding(SUPPORTED, reason, float(left), None, None, 0)

    def misindexed(self, label: int, most: int = 20) -> tuple[int, float] | None:
        """At most `most` removals with the numbers of the next layer, and the recall they leave.

        How many removals, and the recall of class `label`; None where no hidden layer follows.
        """
        of = self.curves.get(MISINDEXED)
        if of is None:
            return None
        at = int(np.flatnonzero(of.counts <= most)[-1])
        return int(of.counts[at]), float(of.recall[at, label])

    def table(self, label: int) -> pd.DataFrame:
        """A row for each point of each curve: how much is left of the class and of the others.

        Columns: ranking, units (how many are removed), left (recall of class `label`), lowest other
        class, others removed (what the units alone keep), which (the units, in order of number).
        """
        rows = [
            {
                "ranking": name,
                "units": int(k),
                "left": of.recall[at, label],
                "lowest other class": np.delete(of.recall[at], label).min(),
                "others removed": of.kept[at],
                "which": tuple(sorted(self.orders[name][:k].tolist())),
            }
            for name, of in self.curves.items()
            for at, k in enumerate(of.counts)
        ]
        return pd.DataFrame(rows)

    def contributors(self, most: int) -> NDArray[np.int64]:
        """The units with the largest Shapley values, at most `most`, the largest first."""
        return np.argsort(-self.shapley)[:most]


def _descending(scores: NDArray[np.floating]) -> list[int]:
    """The units, the highest score first."""
    found: list[int] = np.argsort(-np.asarray(scores), kind="stable").tolist()
    return found


def _selectivity(known: Removal, label: int) -> NDArray[np.float64]:
    """Selectivity of each unit for the class, of its rectified spatial mean."""
    passed = known.values.relu()
    means = (passed.mean((2, 3)) if passed.ndim == 4 else passed).numpy()
    labels = known.digits.labels.numpy()
    by_class = np.stack([means[labels == each].mean(0) for each in range(CLASSES)], axis=1)
    return selectivity_index(by_class, np.full(len(by_class), label))


def _misindexed(model: Inspectable, layer: str, label: int) -> list[int]:
    """The order that the ablations of 2016 used: units of the next layer, removed in this one.

    Numbers that this layer hasn't are left out, and its other units come last.
    """
    later = model.layers[model.layers.index(layer) + 1 :]
    units = len(model.history.intent[layer])
    if len(later) < 2:  # of the logits no unit was ever removed
        return []
    wrong = [unit for unit in _descending(model.history.intent[later[0]][:, label]) if unit < units]
    return completed(wrong, np.zeros(units))


@dataclass(frozen=True)
class Rankings:
    """Units in order, by ranking; the Shapley values of the units, and their standard errors."""

    orders: dict[str, list[int]]
    shapley: NDArray[np.float64]
    errors: NDArray[np.float64]


def rankings(
    model: Inspectable,
    known: Removal,
    label: int,
    *,
    removed: int,
    orders: int,
    seed: int,
    report: Report,
) -> Rankings:
    """The order of the units of a layer for a class by each method, on discovery digits.

    removed: units that the greedy search removes. orders: of the Shapley value.
    """
    digits = known.digits
    report(0.0, "Removing each unit alone")
    alone = single(known)[:, label]
    gradient = gradient_times_activation(model, digits.images, digits.labels, known.layer)
    first, second = part_of(report, 0.2, 0.6), part_of(report, 0.6, 1.0)
    chosen = greedy(
        known,
        label,
        removed,
        on_step=lambda at: first(at / removed, f"Greedy: unit {at + 1}"),
    )
    values, errors = shapley_of(
        known,
        label,
        orders,
        seed=seed,
        on_step=lambda at: second(at / orders, f"Shapley: order {at} of {orders}"),
    )
    found = {
        "gradient EMA": _descending(model.history.intent[known.layer][:, label]),
        "gradient × activation": _descending(gradient[:, label]),
        "selectivity": _descending(_selectivity(known, label)),
        "single removal": _descending(alone),
        "greedy": completed(chosen, gradient[:, label]),
        "Shapley": _descending(values),
    }
    wrong = _misindexed(model, known.layer, label)
    return Rankings({**found, **({MISINDEXED: wrong} if wrong else {})}, values, errors)


def searched(found: Rankings, judged: Removal, label: int, seed: int, report: Report) -> UnitSearch:
    """The curve of each ranking on confirmation digits, and of random orders."""
    curves = {}
    for at, (name, order) in enumerate(found.orders.items()):
        report(0.5 * at / len(found.orders), f"Removing units by {name}")
        curves[name] = curve(judged, order, label)
    report(0.5, "Removing units at random")
    drawn = [
        curve(judged, order.tolist(), label)
        for order in random_orders(judged.units, RANDOM, seed=seed)
    ]
    return UnitSearch(
        {name: np.array(order) for name, order in found.orders.items()},
        curves,
        np.stack([of.recall[:, label] for of in drawn]),
        np.stack([of.kept for of in drawn]),
        found.shapley,
        found.errors,
    )
