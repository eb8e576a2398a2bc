"""Claims put to the test: candidates, evidence, and the search for units that erase a class."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.analyses.counterfactuals import Pairs, differences
from core.analyses.gradients import gradient_times_activation
from core.analyses.subpopulations import Subpopulations, subpopulations
from core.analyses.task import Described, pairs_of, ready
from core.claims import ask, halves
from core.claims.candidates import Candidates, candidates
from core.claims.evidence import Evidence
from core.data import CLASSES, cut, load_digits
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
from core.runtime.store import Store, StoredArrays
from core.runtime.task import Choice, Report, part_of, under
from core.statistics import selectivity_index
from core.training.task import Training

__all__ = ["MISINDEXED", "Asking", "Explaining", "Found", "Pairing", "Searching", "Suggesting"]

_READY = 0.5  # of the time until a claim about a new model is answered
RANDOM = 20  # orders that rankings are compared with
GREEDY = 40  # units that the greedy search removes
ORDERS = 40  # of the Shapley value
MISINDEXED = "2016 indexing"
_GRADIENT_DIGITS = 10_000  # training digits that gradients are looked at on
MOST_UNITS = 6  # whose own change is shown


@dataclass(frozen=True)
class Asking:
    """One claim: units of a layer, a concept, and how they are removed. units: sorted."""

    choice: Choice
    layer: str
    units: tuple[int, ...]
    concept: str
    kind: str
    seed: int = 0

    @property
    def title(self) -> str:
        """What it does."""
        return f"Testing {len(self.units)} unit{'s' * (len(self.units) > 1)} of {self.layer}"

    def kept(self, store: Store) -> Evidence | None:
        """The evidence, where the store has it."""
        found = store.load_arrays("evidence", self._key())
        return None if found is None else Evidence.from_json(found.about["card"])

    def compute(self, store: Store, report: Report) -> Evidence:
        """The evidence, for which model and concepts are made if need be."""
        model, described = ready(self.choice, store, part_of(report, 0, _READY))
        found = store.computed_arrays(
            "evidence",
            self._key(),
            lambda: self._asked(model, described, part_of(report, _READY, 1)),
            on_wait=lambda: report(_READY, "Another server is testing this claim"),
        )
        return Evidence.from_json(found.about["card"])

    def _asked(self, model: Inspectable, described: Described, report: Report) -> StoredArrays:
        """The claim, tested now."""
        evidence = ask(
            model,
            described.digits,
            [(self.layer, unit) for unit in self.units],
            self.concept,
            seed=self.seed,
            kind=self.kind,
            measured=described.measured,
            on_progress=report,
        )
        trained = replace(evidence, training=asdict(self.choice))
        return StoredArrays({}, {"card": trained.to_json()})

    def _key(self) -> dict[str, str | int | float | bool | None]:
        """All that the evidence depends on."""
        units = ",".join(map(str, self.units))
        of = {"layer": self.layer, "units": units, "concept": self.concept, "kind": self.kind}
        return {**asdict(self.choice), **of, "asked": self.seed}


@dataclass(frozen=True)
class Suggesting:
    """The units of a layer that might carry a concept, found on the discovery half."""

    choice: Choice
    layer: str
    concept: str

    @property
    def title(self) -> str:
        """What it does."""
        return f"Looking for candidates in {self.layer}"

    def kept(self, store: Store) -> Candidates | None:
        """The candidates, where the store has them."""
        found = store.load_arrays("candidates", self._key())
        return None if found is None else Candidates.from_arrays(found.arrays)

    def compute(self, store: Store, report: Report) -> Candidates:
        """The candidates, for which model and concepts are made if need be."""
        model, described = ready(self.choice, store, part_of(report, 0, _READY))

        def found() -> StoredArrays:
            report(_READY, self.title)
            discovery, _ = halves(described.digits, self.concept, described.measured)
            return StoredArrays(candidates(model, discovery, self.layer).to_arrays())

        return Candidates.from_arrays(
            store.computed_arrays("candidates", self._key(), found, on_wait=None).arrays
        )

    def _key(self) -> dict[str, str | int | float | bool | None]:
        """All that the candidates depend on."""
        return {**asdict(self.choice), "layer": self.layer, "concept": self.concept}


@dataclass(frozen=True)
class Pairing:
    """What adding a part to a digit does to the answer and to the units, digit by digit."""

    choice: Choice
    layer: str
    units: tuple[int, ...]
    part: str
    label: int
    kind: str

    @property
    def title(self) -> str:
        """What it does."""
        return f"Adding and erasing the {self.part}"

    def kept(self, store: Store) -> pd.DataFrame | None:
        """The effects, where the store has them."""
        found = store.load_arrays("pairing", self._key())
        return None if found is None else pd.DataFrame(found.about["rows"])

    def compute(self, store: Store, report: Report) -> pd.DataFrame:
        """A row for each kind of pairs and each effect; see `paired_effects`."""
        model, described = ready(self.choice, store, part_of(report, 0, _READY))

        def found() -> StoredArrays:
            report(_READY, self.title)
            rows = [
                {"pairs": name, "made": of.made, "effect": effect, **asdict(paired)}
                for name, of in pairs_of(described.half("confirmation"), self.part).items()
                for effect, paired in self._effects(model, of).items()
            ]
            return StoredArrays({}, {"rows": rows})

        stored = store.computed_arrays("pairing", self._key(), found)
        return pd.DataFrame(stored.about["rows"])

    def _effects(self, model: Inspectable, of: Pairs) -> dict[str, Paired]:
        """On the answer, and on the units themselves."""
        said = paired_effects(
            model, of.present, of.absent, self.label, self.layer, self.units, self.kind
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

    def _key(self) -> dict[str, str | int | float | bool | None]:
        """All that the effects depend on."""
        of = {"layer": self.layer, "units": ",".join(map(str, self.units)), "kind": self.kind}
        return {**asdict(self.choice), **of, "part": self.part, "label": self.label}


@dataclass(frozen=True)
class Found:
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
class Searching:
    """The search for units of a layer without which a class is lost."""

    choice: Choice
    layer: str
    label: int

    @property
    def title(self) -> str:
        """What it does."""
        return f"Searching {self.layer} for the units that class {self.label} needs"

    def kept(self, store: Store) -> Found | None:
        """The curves, where the store has them."""
        found = store.load_arrays("search", self._key())
        return None if found is None else _found(found)

    def compute(self, store: Store, report: Report) -> Found:
        """The curves, for which the model is trained if need be."""
        training = Training(self.choice)
        first = part_of(report, 0, _READY)
        model = training.kept(store) or training.compute(store, first)
        return _found(
            store.computed_arrays(
                "search",
                self._key(),
                lambda: self._searched(model, part_of(report, _READY, 1)),
                on_wait=lambda: report(_READY, "Another server is searching these units"),
            )
        )

    def _searched(self, model: Inspectable, report: Report) -> StoredArrays:
        """The rankings, made on discovery digits, and their curves on confirmation digits."""
        test = load_digits(self.choice.data, "test")
        known = Removal(model, cut(test, "discovery"), self.layer)
        judged = Removal(model, cut(test, "confirmation"), self.layer)
        orders, values, errors = self._rankings(model, known, part_of(report, 0, 0.8))
        arrays: dict[str, NDArray[np.generic]] = {"shapley": values, "errors": errors}
        for at, (name, order) in enumerate(orders.items()):
            report(0.8 + 0.1 * at / len(orders), f"Removing units by {name}")
            found = curve(judged, order, self.label)
            arrays |= {f"orders/{name}": np.array(order), f"recall/{name}": found.recall}
            arrays |= {f"kept/{name}": found.kept, "counts": found.counts}
        report(0.9, "Removing units at random")
        drawn = [
            curve(judged, order.tolist(), self.label)
            for order in random_orders(judged.units, RANDOM, seed=self.choice.seed)
        ]
        arrays["random"] = np.stack([of.recall[:, self.label] for of in drawn])
        arrays["random_kept"] = np.stack([of.kept for of in drawn])
        return StoredArrays(arrays)

    def _rankings(
        self, model: Inspectable, known: Removal, report: Report
    ) -> tuple[dict[str, list[int]], NDArray[np.float64], NDArray[np.float64]]:
        """The order of units by each method, and the Shapley values with their errors."""
        digits, label = known.digits, self.label
        report(0.0, "Removing each unit alone")
        alone = single(known)[:, label]
        gradient = gradient_times_activation(model, digits.images, digits.labels, self.layer)
        told = part_of(report, 0.2, 0.6)
        chosen = greedy(
            known, label, GREEDY, on_step=lambda at: told(at / GREEDY, f"Greedy: unit {at + 1}")
        )
        told_values = part_of(report, 0.6, 1.0)
        values, errors = shapley_of(
            known,
            label,
            ORDERS,
            seed=self.choice.seed,
            on_step=lambda at: told_values(at / ORDERS, f"Shapley: order {at} of {ORDERS}"),
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

    def _key(self) -> dict[str, str | int | float | bool | None]:
        """All that the search depends on."""
        return {**asdict(self.choice), "layer": self.layer, "label": self.label}


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


def _found(stored: StoredArrays) -> Found:
    """What the store kept."""
    arrays = stored.arrays
    orders = under("orders/", arrays)
    curves = {
        name: Curve(arrays["counts"], arrays[f"recall/{name}"], arrays[f"kept/{name}"])
        for name in orders
    }
    return Found(
        orders, curves, *(arrays[name] for name in ("random", "random_kept", "shapley", "errors"))
    )


@dataclass(frozen=True)
class Explaining:
    """Whom each unit of a layer fires for within the class that training wants it on."""

    choice: Choice
    layer: str

    @property
    def title(self) -> str:
        """What it does."""
        return f"Comparing gradients and activations of {self.layer}"

    def kept(self, store: Store) -> Subpopulations | None:
        """The comparison, where the store has it."""
        found = store.load_arrays("explained", self._key())
        return None if found is None else Subpopulations.from_arrays(found.arrays)

    def compute(self, store: Store, report: Report) -> Subpopulations:
        """The comparison, for which model and concepts are made if need be."""
        model, described = ready(self.choice, store, part_of(report, 0, _READY))

        def found() -> StoredArrays:
            report(_READY, self.title)
            halves = [described.half(split) for split in ("discovery", "confirmation")]
            trained_on = load_digits(self.choice.data, "fit").take(slice(_GRADIENT_DIGITS))
            return StoredArrays(
                subpopulations(
                    model,
                    self.layer,
                    model.history.intent[self.layer],
                    [(half.digits, half.measured) for half in halves],
                    trained_on,
                ).to_arrays()
            )

        stored = store.computed_arrays("explained", self._key(), found)
        return Subpopulations.from_arrays(stored.arrays)

    def _key(self) -> dict[str, str | int | float | bool | None]:
        """All that the comparison depends on."""
        return {**asdict(self.choice), "layer": self.layer}
