"""The labels of all units of a trained model, and what adding a part to a digit does to each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.activations import all_peaks
from core.analyses.counterfactuals import Differences, Pairs, differences, pairs_of
from core.analyses.described import DescribedDigitsTask
from core.analyses.labelling import Labels, Library, label_units
from core.data.strokes import OPTIONAL
from core.runs import Run
from core.runtime.lab import Lab
from core.runtime.task import Report, Task
from core.training.task import ModelTask

__all__ = ["UnitLabels", "UnitLabelsTask"]

_EXAMPLES = 9  # pairs of each kind, kept to be looked at


@dataclass(frozen=True)
class UnitLabels:
    """The labels of every unit, and what adding a part to a digit does to it.

    labels: by layer. differences: by layer, then by the name of the pairs, such as "hook".
    pairs: by name, how they were made and a few of them.
    """

    labels: dict[str, Labels]
    differences: dict[str, dict[str, Differences]]
    pairs: dict[str, Pairs]


@dataclass(frozen=True)
class UnitLabelsTask(Task[UnitLabels]):
    """Labels of all units of a trained model, and the effect of each optional part."""

    run: Run

    @property
    def title(self) -> str:
        """What is done."""
        return f"Labelling the units of {self.run.architecture}"

    def compute(self, lab: Lab, report: Report) -> UnitLabels:
        """Labels chosen on the discovery half, scored on the confirmation half; differences."""
        model, described, report = lab.given(
            report, ModelTask(self.run), DescribedDigitsTask(self.run.data)
        )
        halves = [described.half(split) for split in ("discovery", "confirmation")]
        libraries = [Library.of(half.measured) for half in halves]
        answers = [all_peaks(model, half.digits.images) for half in halves]
        pairs: dict[str, Pairs] = {}
        for part in OPTIONAL:
            pairs |= pairs_of(halves[1].digits, halves[1].measured, part)
        labels, changes = {}, {}
        for at, layer in enumerate(model.layers):
            report(at / len(model.layers), f"Labelling the units of {layer}")
            samples = [(of[layer], library) for of, library in zip(answers, libraries, strict=True)]
            labels[layer] = label_units(samples[0], samples[1], seed=self.run.seed)
            changes[layer] = {name: differences(model, of, layer) for name, of in pairs.items()}
        return UnitLabels(labels, changes, {name: _few(of) for name, of in pairs.items()})


def _few(pairs: Pairs) -> Pairs:
    """A few of the pairs, evenly spread."""
    chosen = np.linspace(0, len(pairs) - 1, min(_EXAMPLES, len(pairs))).astype(int)
    return Pairs(pairs.part, pairs.made, pairs.present[chosen], pairs.absent[chosen])
