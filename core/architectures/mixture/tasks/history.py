"""A gate through training, at each step of which the weights were kept."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from core.architectures.mixture.history import GateHistory, grow
from core.architectures.mixture.report import gated
from core.data.task import DataTask
from core.runs import Run
from core.runtime.lab import Lab
from core.runtime.task import Report, Task
from core.training.task import ModelTask

__all__ = ["DIGITS", "GateHistoryTask"]

DIGITS = 2500  # of the discovery half, read at each step


@dataclass(frozen=True)
class GateHistoryTask(Task[GateHistory]):
    """One gate of a network through its training."""

    run: Run
    gate: str

    @property
    def title(self) -> str:
        """What is done."""
        return f"Examining {self.run.title}: gates during training"

    def compute(self, lab: Lab, report: Report) -> GateHistory:
        """The gate at every step that was kept, on digits moved as in training."""
        trained, report = lab.given(report, ModelTask(self.run))
        model = gated(trained)
        digits = lab.result(DataTask(self.run.data, "discovery"), report).take(slice(DIGITS))
        chance = torch.Generator().manual_seed(self.run.seed)
        digits = replace(digits, images=model.seen(digits.images, chance))
        report(0.0, "Running the gate at each saved step of training")
        return grow(model, model.history.weights, digits, self.gate, self.run.seed)
