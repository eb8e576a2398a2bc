"""Maximized inputs of a whole layer, and the covariance of digits that they vary along."""

from __future__ import annotations

from dataclasses import dataclass

from core.activations import layer_of
from core.analyses.maximize import Covariance, Maximized, Settings, maximize
from core.data.task import DataTask
from core.runs import Run
from core.runtime.lab import Lab
from core.runtime.task import Report, Task
from core.training.task import ModelTask

__all__ = ["CovarianceTask", "MaximizedTask"]


@dataclass(frozen=True)
class CovarianceTask(Task[Covariance]):
    """How the fit digits of a source vary, kept because it takes longer than the climb."""

    data: str

    @property
    def title(self) -> str:
        """What is done."""
        return "Measuring how digits vary"

    def compute(self, lab: Lab, report: Report) -> Covariance:
        """Mean and root of the covariance."""
        fit = lab.result(DataTask(self.data, "fit"), report)
        report(0.0, self.title)
        return Covariance.of(fit.images)


@dataclass(frozen=True)
class MaximizedTask(Task[Maximized]):
    """Maximized inputs of all units of a layer of a trained model."""

    run: Run
    layer: str
    settings: Settings

    @property
    def title(self) -> str:
        """What is done."""
        return f"Maximizing {self.run.architecture}/{self.layer}"

    def compute(self, lab: Lab, report: Report) -> Maximized:
        """The images, all units at once."""
        model, natural, report = lab.given(
            report, ModelTask(self.run), CovarianceTask(self.run.data)
        )
        units = [(self.layer, index) for index in range(layer_of(model, self.layer).units)]

        def on_step(done: int, steps: int) -> None:
            report(done / steps, f"{self.title}: step {done} of {steps}")

        return maximize(model, units, settings=self.settings, natural=natural, on_step=on_step)
