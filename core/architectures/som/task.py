"""A self-organizing map, opened: as it grew, as it is, and with its cells at random places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.architectures.som.measure import (
    Measures,
    by_columns,
    distance_map,
    measures,
    shuffled,
    telling_pixels,
)
from core.data import DataSet
from core.data.task import DataTask
from core.models.som import ROWS
from core.runs import Run
from core.runtime.lab import Lab
from core.runtime.task import Report, Task
from core.training.task import ModelTask

__all__ = ["SHUFFLES", "SOMMeasures", "SOMTask"]

SHUFFLES = 10  # of the cells' places
PIXELS = 8  # whose component planes are offered
_COLUMNS = ["quantization", "error4", "error8", "accuracy"]


@dataclass(frozen=True)
class SOMMeasures:
    """What was measured, on the confirmation half.

    steps: (k,), epochs at which the map was kept, the untrained one first. maps: float32
    (k, cells, 28, 28); labels: (k, cells); grown: a row for each step, `Measures` without hits.
    hits: (cells,), of the last. distances: (20, 20), the U-matrix. pixels: those that tell most.
    shuffles: `Measures` of the last map with its cells at random places, a row for each shuffle.
    wrong_rows: how often the smallest column number, taken for a row, is the best cell's, 0..1.
    """

    steps: NDArray[np.int64]
    maps: NDArray[np.float32]
    labels: NDArray[np.int64]
    grown: pd.DataFrame
    hits: NDArray[np.int64]
    distances: NDArray[np.float64]
    pixels: NDArray[np.int64]
    shuffles: pd.DataFrame
    wrong_rows: float

    def plane(self, pixel: int) -> NDArray[np.float32]:
        """(20, 20): the weight of every cell for one pixel, 0 to 783."""
        plane: NDArray[np.float32] = self.maps[-1].reshape(-1, 784)[:, pixel]
        return plane.reshape(ROWS, ROWS)

    def compared(self) -> pd.DataFrame:
        """The trained map, the mean of its shuffles, and the untrained map, a row each."""
        trained, untrained = self.grown[_COLUMNS].iloc[-1], self.grown[_COLUMNS].iloc[0]
        rows = pd.DataFrame([trained, self.shuffles[_COLUMNS].mean(), untrained])
        return rows.assign(map=["trained", "cells shuffled", "untrained"]).reset_index(drop=True)


@dataclass(frozen=True)
class SOMTask(Task[SOMMeasures]):
    """The map of one network."""

    choice: Run

    @property
    def title(self) -> str:
        """What is done."""
        return f"Examining {self.choice.title}"

    def compute(self, lab: Lab, report: Report) -> SOMMeasures:
        """The map at each step kept, and its shuffles."""
        model, report = lab.given(report, ModelTask(self.choice))
        kept = model.history.weights
        digits = lab.result(DataTask(self.choice.data, "confirmation"), report)
        steps = sorted(kept)
        maps = [kept[step]["map.prototypes"] for step in steps]
        labels = [kept[step]["logits.labels"] for step in steps]
        found = []
        for at, (weights, of) in enumerate(zip(maps, labels, strict=True)):
            report(0.8 * at / len(steps), f"{self.title}: after epoch {steps[at]}")
            found.append(_measured(weights, of, digits))
        report(0.8, f"{self.title}: cells at random places")
        shuffles = [
            _measured(*shuffled(maps[-1], labels[-1], seed), digits) for seed in range(SHUFFLES)
        ]
        return SOMMeasures(
            steps=np.array(steps),
            maps=torch.stack(maps).view(len(steps), -1, 28, 28).numpy(),
            labels=torch.stack(labels).numpy(),
            grown=_rows(found).assign(epoch=steps),
            hits=found[-1].hits,
            distances=distance_map(maps[-1]),
            pixels=telling_pixels(maps[-1], PIXELS),
            shuffles=_rows(shuffles),
            wrong_rows=float(by_columns(maps[-1], digits.images)),
        )


def _rows(found: Sequence[Measures]) -> pd.DataFrame:
    """A row for each map: its measures without the hits."""
    return pd.DataFrame([of.numbers() for of in found], columns=_COLUMNS)


def _measured(weights: Tensor, labels: Tensor, digits: DataSet) -> Measures:
    """A map on digits."""
    return measures(weights, labels, digits.images, digits.labels)
