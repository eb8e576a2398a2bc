"""The dissection of a layer of a trained model."""

from __future__ import annotations

from dataclasses import dataclass

from core.analyses.described import DescribedDigitsTask
from core.analyses.dissection import Dissection, dissect_layer
from core.runs import Run
from core.runtime.lab import Lab
from core.runtime.task import Report, Task
from core.training.task import ModelTask

__all__ = ["DissectionTask"]


@dataclass(frozen=True)
class DissectionTask(Task[Dissection]):
    """A layer of a trained model against all concepts. level: share of its activations."""

    run: Run
    layer: str
    level: float

    @property
    def title(self) -> str:
        """What is done."""
        return f"Dissecting {self.run.architecture}/{self.layer}"

    def compute(self, lab: Lab, report: Report) -> Dissection:
        """The dissection: chosen on the discovery half, judged on the confirmation half."""
        model, described, report = lab.given(
            report, ModelTask(self.run), DescribedDigitsTask(self.run.data)
        )
        return dissect_layer(
            model,
            self.run.untrained(),
            described.half("discovery"),
            described.half("confirmation"),
            self.layer,
            level=self.level,
            on_progress=report,
        )
