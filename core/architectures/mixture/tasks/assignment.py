"""Which expert takes which digits, class, and concept, on both halves of the test digits."""

from __future__ import annotations

from dataclasses import dataclass

from core.activations import collect
from core.analyses.described import DescribedDigitsTask
from core.architectures.mixture.assignment import (
    GateAssignment,
    GateReadings,
    concepts_of,
    with_before,
)
from core.architectures.mixture.report import gated, read_gates, report_of
from core.interventions.answers import correct
from core.runs import Run
from core.runtime.lab import Lab
from core.runtime.task import Derived, Report, Task
from core.training.task import ModelTask

__all__ = ["GateAssignmentTask"]

_HALVES = ("discovery", "confirmation")


@dataclass(frozen=True)
class GateReadingsTask(Task[GateReadings]):
    """The weights of one gate of a network on both halves of the test digits."""

    run: Run
    gate: str

    @property
    def title(self) -> str:
        """What is done."""
        return f"Running the gate of {self.run.title}"

    def compute(self, lab: Lab, report: Report) -> GateReadings:
        """Weights on both halves, before training, and what experts tell of concepts."""
        trained, described, report = lab.given(
            report, ModelTask(self.run), DescribedDigitsTask(self.run.data)
        )
        report(0.0, self.title)
        model = gated(trained)
        halves = {name: described.half(name).digits for name in _HALVES}
        weights = {name: read_gates(model, of, self.gate) for name, of in halves.items()}
        judged = halves["confirmation"]
        weights["untrained"] = read_gates(self.run.untrained(), judged, self.gate)
        measured = described.half("confirmation").measured
        of = report_of(weights["confirmation"], judged.labels.numpy(), measured, self.run.seed)
        suffix = self.gate.removeprefix("gate")
        scores = collect(model, judged.images, f"scores{suffix}").numpy()
        right = correct(model, judged)
        return GateReadings(weights, of.concept_information, scores, right)


@dataclass(frozen=True)
class GateAssignmentTask(Derived[GateAssignment]):
    """Who takes what at one gate of a network."""

    run: Run
    gate: str

    @property
    def title(self) -> str:
        """What is done."""
        return GateReadingsTask(self.run, self.gate).title

    def compute(self, lab: Lab, report: Report) -> GateAssignment:
        """What was read of the gate, with its digits and their concepts."""
        read, described, _ = lab.given(
            report, GateReadingsTask(self.run, self.gate), DescribedDigitsTask(self.run.data)
        )
        seed = self.run.seed
        halves = {name: described.half(name) for name in _HALVES}
        labels = {name: half.digits.labels.numpy() for name, half in halves.items()}
        reports = {name: report_of(read.weights[name], labels[name], seed=seed) for name in _HALVES}
        untrained = report_of(read.weights["untrained"], labels["confirmation"], seed=seed)
        tables = [concepts_of(reports[name], halves[name].measured) for name in _HALVES]
        return GateAssignment(
            reports["discovery"],
            reports["confirmation"],
            untrained,
            halves["confirmation"].digits,
            with_before(tables[1], tables[0]),
            read.told,
            read.scores,
            read.right,
        )
