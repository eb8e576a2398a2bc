"""What the experts tell of digits that are moved about, and told before training."""

from __future__ import annotations

from dataclasses import dataclass

from core.architectures.mixture.position import PositionSensitivity, place_report
from core.architectures.mixture.report import gated
from core.data.task import DataTask
from core.runs import Run
from core.runtime.lab import Lab
from core.runtime.task import Report, Task
from core.training.task import ModelTask

__all__ = ["PositionSensitivityTask"]


@dataclass(frozen=True)
class PositionSensitivityTask(Task[PositionSensitivity]):
    """The digits of the confirmation half moved about, and who takes them where."""

    run: Run

    @property
    def title(self) -> str:
        """What is done."""
        return f"Moving digits for {self.run.title}"

    def compute(self, lab: Lab, report: Report) -> PositionSensitivity:
        """Both networks on the same moves."""
        trained, report = lab.given(report, ModelTask(self.run))
        digits = lab.result(DataTask(self.run.data, "confirmation"), report)
        found = []
        for at, model in enumerate((gated(trained), self.run.untrained())):
            report(at / 2, self.title)
            found.append(place_report(model, digits))
        return PositionSensitivity(*found)
