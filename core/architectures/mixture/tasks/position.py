"""What the experts tell of digits that are moved about, and told before training."""

from __future__ import annotations

from dataclasses import dataclass

from core.architectures.mixture.position import PositionReport, place_report
from core.architectures.mixture.tasks.assignment import gated
from core.data.task import DataTask
from core.runs import Run
from core.runtime.lab import Lab
from core.runtime.task import Report, Task
from core.statistics import wilson_interval
from core.training.task import ModelTask

__all__ = ["PositionSensitivity", "PositionSensitivityTask"]


@dataclass(frozen=True)
class PositionSensitivity:
    """A network on the confirmation half moved about, trained and before training."""

    trained: PositionReport
    untrained: PositionReport

    def accuracies(self) -> dict[str, tuple[float, float, float]]:
        """Accuracy with Wilson's 95 % interval, of digits moved and of digits not moved."""
        of, n = self.trained, self.trained.digits
        counted = {"moved": of.moved, "not moved": of.still}
        return {name: (hits / n, *wilson_interval(hits, n)) for name, hits in counted.items()}


@dataclass(frozen=True)
class PositionSensitivityTask(Task[PositionSensitivity]):
    """The digits of the confirmation half moved about, and who takes them where."""

    choice: Run

    @property
    def title(self) -> str:
        """What is done."""
        return f"Moving digits for {self.choice.title}"

    def compute(self, lab: Lab, report: Report) -> PositionSensitivity:
        """Both networks on the same moves."""
        trained, report = lab.given(report, ModelTask(self.choice))
        digits = lab.result(DataTask(self.choice.data, "confirmation"), report)
        found = []
        for at, model in enumerate((gated(trained), self.choice.untrained())):
            report(at / 2, self.title)
            found.append(place_report(model, digits))
        return PositionSensitivity(*found)
