"""Claims put to the test: candidates, evidence, and the search for units that erase a class."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

import pandas as pd

from core.analyses.counterfactuals import Pairs, differences, pairs_of
from core.analyses.described import DescribedDigitsTask
from core.analyses.dissection import Sample
from core.analyses.subpopulations import Subpopulations, subpopulations
from core.claims import ask, halves
from core.claims.candidates import Candidates, candidates
from core.claims.evidence import Evidence
from core.claims.nulls.task import NullScoresTask
from core.claims.operators import OperatorFindings, operators_for, under_each
from core.claims.unit_search import GREEDY, ORDERS, UnitSearch, rankings, searched
from core.data.concepts import CONCEPTS
from core.data.task import DataTask
from core.interventions.paired import Paired, paired_effects
from core.interventions.removal import Removal
from core.models.inspectable import Inspectable
from core.runs import Run
from core.runtime.lab import Lab
from core.runtime.task import Derived, Report, Task, part_of
from core.training.task import ModelTask

__all__ = [
    "CandidatesTask",
    "EvidenceTask",
    "OperatorsTask",
    "PairEffectsTask",
    "SubpopulationsTask",
    "UnitSearchTask",
]

_GRADIENT_DIGITS = 10_000  # training digits that gradients are looked at on
MOST_UNITS = 6  # whose own change is shown


@dataclass(frozen=True)
class EvidenceTask(Task[Evidence]):
    """One claim: units of a layer, a concept, and how they are removed. units: sorted."""

    run: Run
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
        nulls = NullScoresTask(self.run, self.layer, self.concept, len(self.units), self.kind)
        model, described, untrained, report = lab.given(
            report, ModelTask(self.run), DescribedDigitsTask(self.run.data), nulls
        )
        evidence = ask(
            model,
            described.digits,
            [(self.layer, unit) for unit in self.units],
            self.concept,
            seed=self.seed,
            operator=self.kind,
            measured=described.measured,
            baselines=False,  # directions are the same for all claims on it, see `CarrierTask`
            untrained=untrained,
            on_progress=report,
        )
        return replace(evidence, training=self.run.facts())


@dataclass(frozen=True)
class OperatorsTask(Derived[OperatorFindings]):
    """One claim under every operator that can take its concept away. units: sorted."""

    run: Run
    layer: str
    units: tuple[int, ...]
    concept: str
    seed: int = 0

    @property
    def title(self) -> str:
        """What is done."""
        return f"Removing {len(self.units)} unit{'s' * (len(self.units) > 1)} by every operator"

    def compute(self, lab: Lab, report: Report) -> OperatorFindings:
        """What follows under each, from the evidence that is kept of each."""
        kinds = operators_for(self.concept)
        claim = (self.run, self.layer, self.units, self.concept)
        found = lab.all([EvidenceTask(*claim, kind, self.seed) for kind in kinds], report)
        return under_each(dict(zip(kinds, found, strict=True)))


@dataclass(frozen=True)
class CandidatesTask(Task[Candidates]):
    """The units of a layer that might carry a concept, found on the discovery half."""

    run: Run
    layer: str
    concept: str

    @property
    def title(self) -> str:
        """What is done."""
        return f"Looking for candidates in {self.layer}"

    def compute(self, lab: Lab, report: Report) -> Candidates:
        """The candidates."""
        model, described, report = lab.given(
            report, ModelTask(self.run), DescribedDigitsTask(self.run.data)
        )
        report(0.0, self.title)
        discovery, _ = halves(described.digits, self.concept, described.measured)
        return candidates(model, discovery, self.layer)


@dataclass(frozen=True)
class PairEffectsTask(Task[pd.DataFrame]):
    """What adding a concept's part to a digit does to the answer and to the units, by digit.

    concept: one that has a part and a class.
    """

    run: Run
    layer: str
    units: tuple[int, ...]
    concept: str
    kind: str

    @property
    def title(self) -> str:
        """What is done."""
        return f"Adding and erasing the {CONCEPTS[self.concept].part}"

    def compute(self, lab: Lab, report: Report) -> pd.DataFrame:
        """A row for each kind of pairs and each effect; see `paired_effects`."""
        model, described, report = lab.given(
            report, ModelTask(self.run), DescribedDigitsTask(self.run.data)
        )
        report(0.0, self.title)
        half, part = described.half("confirmation"), str(CONCEPTS[self.concept].part)
        known = described.half("discovery")
        rows = [
            {"pairs": name, "made": of.made, "effect": effect, **asdict(paired)}
            for name, of in pairs_of(half.digits, half.measured, part).items()
            for effect, paired in self._effects(model, of, known).items()
        ]
        return pd.DataFrame(rows)

    def _effects(self, model: Inspectable, of: Pairs, known: Sample) -> dict[str, Paired]:
        """On the answer, and on the units themselves. known: what replacements are fitted on."""
        said = paired_effects(
            model,
            of.present,
            of.absent,
            CONCEPTS[self.concept].label or 0,
            self.layer,
            self.units,
            self.kind,
            reference=known.digits,
            having=known.measured.only([self.concept]).present()[:, 0],
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
class UnitSearchTask(Task[UnitSearch]):
    """The search for units of a layer without which a class is lost."""

    run: Run
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
        model, report = lab.given(report, ModelTask(self.run))
        known, judged = (
            Removal(model, lab.result(DataTask(self.run.data, half), report), self.layer)
            for half in ("discovery", "confirmation")
        )
        found = rankings(
            model,
            known,
            self.label,
            removed=self.removed,
            orders=self.orders,
            seed=self.run.seed,
            report=part_of(report, 0, 0.8),
        )
        return searched(found, judged, self.label, self.run.seed, part_of(report, 0.8, 1))


@dataclass(frozen=True)
class SubpopulationsTask(Task[Subpopulations]):
    """Whom each unit of a layer fires for within the class that training wants it on."""

    run: Run
    layer: str

    @property
    def title(self) -> str:
        """What is done."""
        return f"Comparing gradients and activations of {self.layer}"

    def compute(self, lab: Lab, report: Report) -> Subpopulations:
        """The comparison."""
        model, described, report = lab.given(
            report, ModelTask(self.run), DescribedDigitsTask(self.run.data)
        )
        report(0.0, self.title)
        halves = [described.half(split) for split in ("discovery", "confirmation")]
        fit = lab.result(DataTask(self.run.data, "fit"), report)
        return subpopulations(
            model,
            self.layer,
            model.history.intent[self.layer],
            [(half.digits, half.measured) for half in halves],
            fit.take(slice(_GRADIENT_DIGITS)),
        )
