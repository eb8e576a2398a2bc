"""Trained networks, as the lab hands them out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from core.data.task import DataTask
from core.models import saved  # noqa: F401  networks are packed by its rule
from core.models.inspectable import Inspectable, SelfOrganizing
from core.runs import Run
from core.runtime.lab import Lab
from core.runtime.task import Report, Task
from core.training import Step, train

__all__ = ["ModelTask", "describe_step"]


@dataclass(frozen=True)
class ModelTask(Task[Inspectable]):
    """A model trained on the fit split, with its history on digits held back."""

    is_network: ClassVar[bool] = True
    run: Run

    @property
    def title(self) -> str:
        """What is done."""
        return f"Training {self.run.title}"

    def compute(self, lab: Lab, report: Report) -> Inspectable:
        """The trained model."""
        data = self.run.data
        fit = lab.result(DataTask(data, "fit"), report)
        watch = lab.result(DataTask(data, "selection"), report)
        return train(
            self.run.architecture,
            fit,
            seed=self.run.seed,
            settings=self.run.settings,
            watch=watch,
            on_step=lambda step: describe_step(report, self.title, step),
        )


def describe_step(report: Report, title: str, step: Step) -> None:
    """Report a step of training: how far it is, what was reached, and the model's portrait."""
    passed, measure = "batch", "loss"
    if isinstance(step.model, SelfOrganizing):
        passed, measure = "epoch", step.model.measure
    text = f"{title}: {passed} {step.number:,} of {step.total:,}"
    values = {measure: step.loss, **_emerging(step)}
    report(step.number / step.total, text, picture=_portrait(step), **values)


def _portrait(step: Step) -> NDArray[np.uint8] | None:
    """What can be seen of the model, a sheet in grey: at recorded steps, and after each epoch."""
    shown = step.moment is not None or isinstance(step.model, SelfOrganizing)
    tiles = step.model.portrait() if shown else None
    if tiles is None:
        return None
    rows, columns, height, width = tiles.shape
    sheet = tiles.transpose(1, 2).reshape(rows * height, columns * width)
    return np.asarray(255 - 255 * sheet.cpu().numpy()).round().astype(np.uint8)


def _emerging(step: Step) -> dict[str, float]:
    """What a recorded step adds to the live curves."""
    if step.moment is None:
        return {}
    medians = {
        f"selectivity {layer}": median for layer, median in step.moment.median_selectivity().items()
    }
    return {"moment": step.number, "accuracy": step.moment.accuracy, **medians}
