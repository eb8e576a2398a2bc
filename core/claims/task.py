"""Claims put to the test: candidates, evidence, and the search for units that erase a class."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.analyses.counterfactuals import Pairs, differences, pairs_of
from core.analyses.described import DescribedDigitsTask
from core.analyses.gradients import gradient_times_activation
from core.analyses.subpopulations import Subpopulations, subpopulations
from core.claims import ask, halves
from core.claims.candidates import Candidates, candidates
from core.claims.evidence import Evidence
from core.data import CLASSES
from core.data.task import DataTask
from core.interventions.paired import Paired, paired_effects
from core.interventions.removal import Removal
from core.interventions.search import (
    Curve,
    completed,
    curve,
    greedy,
    random_orders,
    shapley_of,
    single,
)
from core.models.inspectable import Inspectable
from core.runs import Run
from core.runtime.lab import Lab
from core.runtime.task import Report, Task, part_of
from core.statistics import selectivity_index
from core.training.task import ModelTask

__all__ = [
    "MISINDEXED",
    "CandidatesTask",
    "EvidenceTask",
    "PairEffectsTask",
    "SubpopulationsTask",
    "UnitSearch",
    "UnitSearchTask",
]

RANDOM = 20  # orders that rankings are compared with
GREEDY = 40  # units that the greedy search removes
ORDERS = 40  # of the Shapley value
MISINDEXED = "2016 indexing"
_GRADIENT_DIGITS = 10_000  # training digits that gradients are looked at on
MOST_UNITS = 6  # whose own change is shown


@dataclass(frozen=True)
class EvidenceTask(Task[Evidence]):
    """One claim: units of a layer, a concept, and how they are removed. units: sorted."""

    choice: Run
    layer: str
    units: tuple[int, ...]
    concept: str
    kind: str
    seed: int = 0

    @property
    def title(self) -> str:
        """What is done."""
        return f"Testing {len(self.units)} unit{'s' * (len(self.units) > 1)} of {self.layer}"

    def compute(self, lab: Lab, report: Report) -> Evidence:
        """The evidence on the claim."""
        model, described, report = lab.given(
            report, ModelTask(self.choice), DescribedDigitsTask(self.choice.data)
        )
        evidence = ask(
            model,
            described.digits,
            [(self.layer, unit) for unit in self.units],
            self.concept,
            seed=self.seed,
            operator=self.kind,
            measured=described.measured,
            on_progress=report,
        )
        return replace(evidence, training=asdict(self.choice))


@dataclass(frozen=True)
class CandidatesTask(Task[Candidates]):
    """The units of a layer that might carry a concept, found on the discovery half."""

    choice: Run
    layer: str
    concept: str

    @property
    def title(self) -> str:
        """What is done."""
        return f"Looking for candidates in {self.layer}"

    def compute(self, lab: Lab, report: Report) -> Candidates:
        """The candidates."""
        model, described, report = lab.given(
            report, ModelTask(self.choice), DescribedDigitsTask(self.choice.data)
        )
        report(0.0, self.title)
        discovery, _ = halves(described.digits, self.concept, described.measured)
        return candidates(model, discovery, self.layer)


@dataclass(frozen=True)
class PairEffectsTask(Task[pd.DataFrame]):
    """What adding a part to a digit does to the answer and to the units, digit by digit."""

    choice: Run
    layer: str
    units: tuple[int, ...]
    part: str
    label: int
    kind: str

    @property
    def title(self) -> str:
        """What is done."""
        return f"Adding and erasing the {self.part}"

    def compute(self, lab: Lab, report: Report) -> pd.DataFrame:
        """A row for each kind of pairs and each effect; see `paired_effects`."""
        model, described, report = lab.given(
            report, ModelTask(self.choice), DescribedDigitsTask(self.choice.data)
        )
        report(0.0, self.title)
        half = described.half("confirmation")
        rows = [
            {"pairs": name, "made": of.made, "effect": effect, **asdict(paired)}
            for name, of in pairs_of(half.digits, half.measured, self.part).items()
            for effect, paired in self._effects(model, of).items()
        ]
        return pd.DataFrame(rows)

    def _effects(self, model: Inspectable, of: Pairs) -> dict[str, Paired]:
        """On the answer, and on the units themselves."""
        said = paired_effects(
            model,
            of.present,
            of.absent,
            self.label,
            self.layer,
            self.units,
            self.kind,
        )
        changed = differences(model, of, self.layer)
        mine = {
            f"unit {unit}": Paired(
                float(changed.mean[unit]),
                float(changed.low[unit]),
                float(changed.high[unit]),
                len(of),
            )
            for unit in self.units[:MOST_UNITS]
        }
        return {**said, **mine}


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


@dataclass(frozen=True)
class UnitSearchTask(Task[UnitSearch]):
    """The search for units of a layer without which a class is lost."""

    choice: Run
    layer: str
    label: int
    removed: int = GREEDY
    orders: int = ORDERS

    @property
    def title(self) -> str:
        """What is done."""
        return f"Searching {self.layer} for the units that class {self.label} needs"

    def compute(self, lab: Lab, report: Report) -> UnitSearch:
        """The rankings, made on discovery digits, and their curves on confirmation digits."""
        model, report = lab.given(report, ModelTask(self.choice))
        known, judged = (
            Removal(model, lab.result(DataTask(self.choice.data, half), report), self.layer)
            for half in ("discovery", "confirmation")
        )
        orders, values, errors = self._rankings(model, known, part_of(report, 0, 0.8))
        curves = {}
        for at, (name, order) in enumerate(orders.items()):
            report(0.8 + 0.1 * at / len(orders), f"Removing units by {name}")
            curves[name] = curve(judged, order, self.label)
        report(0.9, "Removing units at random")
        drawn = [
            curve(judged, order.tolist(), self.label)
            for order in random_orders(judged.units, RANDOM, seed=self.choice.seed)
        ]
        return UnitSearch(
            {name: np.array(order) for name, order in orders.items()},
            curves,
            np.stack([of.recall[:, self.label] for of in drawn]),
            np.stack([of.kept for of in drawn]),
            values,
            errors,
        )

    def _rankings(
        self, model: Inspectable, known: Removal, report: Report
    ) -> tuple[dict[str, list[int]], NDArray[np.float64], NDArray[np.float64]]:
        """The order of units by each method, and the Shapley values with their errors."""
        digits, label = known.digits, self.label
        report(0.0, "Removing each unit alone")
        alone = single(known)[:, label]
        gradient = gradient_times_activation(model, digits.images, digits.labels, self.layer)
        first, second = part_of(report, 0.2, 0.6), part_of(report, 0.6, 1.0)
        chosen = greedy(
            known,
            label,
            self.removed,
            on_step=lambda at: first(at / self.removed, f"Greedy: unit {at + 1}"),
        )
        values, errors = shapley_of(
            known,
            label,
            self.orders,
            seed=self.choice.seed,
            on_step=lambda at: second(at / self.orders, f"Shapley: order {at} of {self.orders}"),
        )
        orders = {
            "gradient EMA": _descending(model.history.intent[self.layer][:, label]),
            "gradient × activation": _descending(gradient[:, label]),
            "selectivity": _descending(_selectivity(known, label)),
            "single removal": _descending(alone),
            "greedy": completed(chosen, gradient[:, label]),
            "Shapley": _descending(values),
        }
        wrong = _misindexed(model, self.layer, label)
        return {**orders, **({MISINDEXED: wrong} if wrong else {})}, values, errors


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
class SubpopulationsTask(Task[Subpopulations]):
    """Whom each unit of a layer fires for within the class that training wants it on."""

    choice: Run
    layer: str

    @property
    def title(self) -> str:
        """What is done."""
        return f"Comparing gradients and activations of {self.layer}"

    def compute(self, lab: Lab, report: Report) -> Subpopulations:
        """The comparison."""
        model, described, report = lab.given(
            report, ModelTask(self.choice), DescribedDigitsTask(self.choice.data)
        )
        report(0.0, self.title)
        halves = [described.half(split) for split in ("discovery", "confirmation")]
        fit = lab.result(DataTask(self.choice.data, "fit"), report)
        return subpopulations(
            model,
            self.layer,
            model.history.intent[self.layer],
            [(half.digits, half.measured) for half in halves],
            fit.take(slice(_GRADIENT_DIGITS)),
        )
