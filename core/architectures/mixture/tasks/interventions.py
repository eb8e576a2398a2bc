"""What a network answers without an expert, by one alone, and with mixed up gates; both halves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.architectures.mixture.interventions import GateInterventions, rerouted
from core.architectures.mixture.report import gated
from core.data.task import DataTask
from core.runs import Run
from core.runtime.lab import Lab
from core.runtime.task import Report, Task
from core.training.task import ModelTask

__all__ = ["GateInterventionsTask"]

Numbers = NDArray[np.float64]
Labels = NDArray[np.int8]

_HALVES = ("discovery", "confirmation")


@dataclass(frozen=True)
class GateInterventionsTask(Task[GateInterventions]):
    """A gate of a network made to decide otherwise."""

    run: Run
    gate: str

    @property
    def title(self) -> str:
        """What is done."""
        return "Replacing the gate's weights"

    def compute(self, lab: Lab, report: Report) -> GateInterventions:
        """Answers on both halves."""
        trained, report = lab.given(report, ModelTask(self.run))
        model = gated(trained)
        answers, labels = {}, {}
        for at, half in enumerate(_HALVES):
            digits = lab.result(DataTask(self.run.data, half), report)
            report(at / len(_HALVES), f"Removing the experts of {self.gate}, {half} half")
            answers[half] = rerouted(model, digits, self.gate, self.run.seed)
            labels[half] = digits.labels.numpy().astype(np.int8)
        return GateInterventions(answers, labels)
