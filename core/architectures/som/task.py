"""A self-organizing map, opened: as it grew, as it is, and with its cells at random places."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from core.architectures.som.measure import (
    by_columns,
    distance_map,
    shuffled,
    telling_pixels,
)
from core.architectures.som.results import SOMMeasures, measured, rows_of
from core.data.task import DataTask
from core.models.settings import Settings
from core.models.som import SOMSettings
from core.runs import Run
from core.runtime.lab import Lab
from core.runtime.task import Report, Task
from core.training.task import ModelTask

__all__ = ["SHUFFLES", "SOMTask"]

SHUFFLES = 10  # of the cells' places
PIXELS = 8  # whose component planes are offered


def som_of(settings: Settings) -> SOMSettings:
    """The settings of a map; raises `TypeError` for those of another network."""
    if not isinstance(settings, SOMSettings):
        raise TypeError(f"{settings.architecture} is no self-organizing map: choose som.")
    return settings


@dataclass(frozen=True)
class SOMTask(Task[SOMMeasures]):
    """The map of one network."""

    run: Run

    @property
    def title(self) -> str:
        """What is done."""
        return f"Examining {self.run.title}"

    def compute(self, lab: Lab, report: Report) -> SOMMeasures:
        """The map at each step kept, and its shuffles."""
        model, report = lab.given(report, ModelTask(self.run))
        kept = model.history.weights
        columns = som_of(self.run.settings).columns
        digits = lab.result(DataTask(self.run.data, "confirmation"), report)
        steps = sorted(kept)
        maps = [kept[step]["map.prototypes"] for step in steps]
        labels = [kept[step]["logits.labels"] for step in steps]
        found = []
        for at, (weights, of) in enumerate(zip(maps, labels, strict=True)):
            report(0.8 * at / len(steps), f"{self.title}: after epoch {steps[at]}")
            found.append(measured(weights, of, digits, columns))
        report(0.8, f"{self.title}: cells at random places")
        shuffles = [
            measured(*shuffled(maps[-1], labels[-1], seed), digits, columns)
            for seed in range(SHUFFLES)
        ]
        return SOMMeasures(
            steps=np.array(steps),
            maps=torch.stack(maps).view(len(steps), -1, *digits.images.shape[2:]).numpy(),
            labels=torch.stack(labels).numpy(),
            grown=rows_of(found).assign(epoch=steps),
            hits=found[-1].hits,
            distances=distance_map(maps[-1], columns),
            pixels=telling_pixels(maps[-1], PIXELS),
            shuffles=rows_of(shuffles),
            wrong_rows=float(by_columns(maps[-1], digits.images, columns)),
        )
