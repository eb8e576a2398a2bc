"""The wiring of a trained network, as the lab hands it out."""

from __future__ import annotations

from dataclasses import dataclass

from core.analyses.wiring import Wiring, measured
from core.data.task import DataTask
from core.runs import Run
from core.runtime.lab import Lab
from core.runtime.task import Report, Task
from core.training.task import ModelTask
from core.wires import trace

__all__ = ["WiringTask"]

DIGITS = 500  # of each half: their mean lies within a twentieth of a contribution's spread


@dataclass(frozen=True)
class WiringTask(Task[Wiring]):
    """What each unit of a trained network gets from the units below, on average over digits."""

    run: Run

    @property
    def title(self) -> str:
        """What is done."""
        return f"Tracing the weights of {self.run.title}"

    def compute(self, lab: Lab, report: Report) -> Wiring:
        """The wiring: strongest inputs are to be chosen on discovery, and read on confirmation."""
        model, report = lab.given(report, ModelTask(self.run))
        discovery, confirmation = (
            lab.result(DataTask(self.run.data, split), report).images[:DIGITS]
            for split in ("discovery", "confirmation")
        )
        report(0.1, self.title)
        channels, height, width = confirmation.shape[1:]
        wires = trace(model, (channels, height, width))
        report(0.4, self.title)
        return measured(model, self.run.untrained(), wires, discovery, confirmation)
