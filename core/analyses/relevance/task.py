"""For which digits some units of a trained network matter, as it is kept for pages."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from core.activations import dense_reading
from core.analyses.relevance import (
    ClassNecessity,
    Relevance,
    class_necessity,
    matter_most,
    overlap,
    passed_on,
    rank_correlation,
    relevance,
    rounding,
)
from core.analyses.relevance.maps import RelevanceMaps, relevance_maps
from core.analyses.relevance.shares import LayerShares, layer_shares
from core.data import DataSet
from core.data.task import DataTask
from core.interventions.removal import Removal
from core.interventions.single import each_alone
from core.models.inspectable import Inspectable
from core.runs import Run
from core.runtime.lab import Lab
from core.runtime.task import Derived, Report, Task, part_of
from core.training.task import ModelTask

__all__ = [
    "LayerOverlap",
    "LayerOverlapTask",
    "RelevanceMapsTask",
    "RelevanceTask",
    "UnitRelevance",
]

Numbers = NDArray[np.float32]
Whole = NDArray[np.int64]
_HALVES = ("discovery", "confirmation")


@dataclass(frozen=True)
class UnitRelevance:
    """For which digits some units matter, on the confirmation half.

    shares: linear ones, of the trained network. classes: how much they matter for each, of which
    one is chosen on the discovery half. replacement: (units,[ height, width]), what stands for the
    activations of the removed units on the first digit, and without resampling on all.
    """

    trained: Relevance
    shares: LayerShares
    untrained: Relevance
    classes: ClassNecessity
    replacement: Numbers


@dataclass(frozen=True)
class RelevanceTask(Task[UnitRelevance]):
    """For which digits some units of a layer, removed together, matter.

    units: sorted. kind: what replaces their activations, see `Removal`.
    """

    run: Run
    layer: str
    units: tuple[int, ...]
    kind: str = "zero"

    @property
    def title(self) -> str:
        """What is done."""
        several = len(self.units) > 1
        which = f"{len(self.units)} units" if several else f"unit {self.units[0]}"
        return (
            f"Looking for digits for which {which} of {self.layer} matter{'' if several else 's'}"
        )

    def compute(self, lab: Lab, report: Report) -> UnitRelevance:
        """The relevance, of the trained and of the untrained network."""
        model, discovery, confirmation, report = _given(lab, report, self.run)
        report(0.0, self.title)
        known = Removal(model, discovery, self.layer, self.kind)
        values = passed_on(known)
        scale = values.mean(0), values.std(0)
        chosen = relevance(known, self.units, scale=scale)
        report(0.4, self.title)
        judged = Removal(model, confirmation, self.layer, self.kind, reference=discovery)
        found = relevance(judged, self.units, scale=scale)
        report(0.7, self.title)
        before = Removal(
            self.run.untrained(), confirmation, self.layer, self.kind, reference=discovery
        )
        untrained = relevance(before, self.units)
        labels = discovery.labels.numpy(), confirmation.labels.numpy()
        return UnitRelevance(
            found,
            layer_shares(judged, self.units),
            untrained,
            class_necessity((chosen, labels[0]), (found, labels[1]), untrained),
            judged.instead[0, list(self.units)].numpy().copy(),
        )


@dataclass(frozen=True)
class RelevanceMapsTask(Derived[RelevanceMaps]):
    """Where in one digit of the confirmation half the units' contribution comes from."""

    relevance: RelevanceTask
    number: int

    @property
    def title(self) -> str:
        """What is done."""
        return f"Looking where in a digit {self.relevance.layer} matters"

    def compute(self, lab: Lab, report: Report) -> RelevanceMaps:
        """The maps."""
        of = self.relevance
        model, found, digits, _ = lab.given(
            report, ModelTask(of.run), of, DataTask(of.run.data, "confirmation")
        )
        replacement = torch.from_numpy(found.replacement.copy())
        held = {(of.layer, unit): value for unit, value in zip(of.units, replacement, strict=True)}
        label = int(digits.labels[self.number])
        return relevance_maps(model, digits.images[self.number], label, held)


@dataclass(frozen=True)
class LayerOverlap:
    """How far the digits that each unit matters for are those that activate it, (units,) each.

    listed: how many digits it matters for, at most nine; shared: how many of them are among as many
    most activating ones. correlation: of activation and necessity over all digits, or NaN.
    """

    listed: Whole
    shared: Whole
    correlation: Numbers

    @property
    def median(self) -> float:
        """Digits shared, the median over units that matter for nine; NaN where none does."""
        whole = self.shared[self.complete]
        return float(np.median(whole)) if len(whole) else float("nan")

    @property
    def complete(self) -> NDArray[np.bool_]:
        """(units,): which matter for as many digits as are listed at most."""
        full: NDArray[np.bool_] = self.listed == self.listed.max(initial=1)
        return full


@dataclass(frozen=True)
class LayerOverlapTask(Task[tuple[LayerOverlap, LayerOverlap]]):
    """The overlap of a layer's units, in the trained and the untrained network.

    Of a layer that a dense one reads, where removing each unit alone is cheap; see `fits`.
    """

    run: Run
    layer: str
    kind: str = "zero"

    @property
    def title(self) -> str:
        """What is done."""
        return f"Removing each unit of {self.layer}"

    @staticmethod
    def fits(model: Inspectable, layer: str) -> bool:
        """Whether it is cheap for this layer."""
        return dense_reading(model, layer) is not None

    def compute(self, lab: Lab, report: Report) -> tuple[LayerOverlap, LayerOverlap]:
        """Trained, then untrained, on the confirmation half."""
        model, discovery, confirmation, report = _given(lab, report, self.run)
        first, second = (
            _overlaps(
                Removal(of, confirmation, self.layer, self.kind, reference=discovery),
                part_of(report, at / 2, (at + 1) / 2),
                self.title,
            )
            for at, of in enumerate((model, self.run.untrained()))
        )
        return first, second


def _overlaps(removal: Removal, report: Report, title: str) -> LayerOverlap:
    """The overlap of each unit of the removal's layer."""
    after = each_alone(removal, on_progress=lambda done: report(done, title)).numpy()
    necessity, activation = removal.intact.margin - after, passed_on(removal)
    least = rounding(removal.intact.logits.numpy())
    pairs = list(zip(activation.T, necessity, strict=True))
    return LayerOverlap(
        listed=np.array([len(matter_most(lost, least)) for lost in necessity]),
        shared=np.array([overlap(active, lost, least) for active, lost in pairs]),
        correlation=np.array([rank_correlation(*pair) for pair in pairs], dtype=np.float32),
    )


def _given(lab: Lab, report: Report, run: Run) -> tuple[Inspectable, DataSet, DataSet, Report]:
    """The trained network and both halves of the test digits."""
    model, report = lab.given(report, ModelTask(run))
    discovery, confirmation = (lab.result(DataTask(run.data, half), report) for half in _HALVES)
    return model, discovery, confirmation, report
