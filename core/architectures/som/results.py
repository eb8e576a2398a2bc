"""A self-organizing map, opened: as it grew, as it is, and with its cells at random places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from torch import Tensor

from core.architectures.som.measure import Measures, measures
from core.data import DataSet

__all__ = ["SOMMeasures", "measured", "rows_of"]


_COLUMNS = ["quantization", "error4", "error8", "accuracy"]


@dataclass(frozen=True)
class SOMMeasures:
    """What was measured, on the confirmation half.

    steps: (k,), epochs at which the map was kept, the untrained one first. maps: float32
    (k, cells, 28, 28); labels: (k, cells); grown: a row for each step, `Measures` without hits.
    hits: (cells,), of the last. distances: (rows, columns), the U-matrix. pixels: those that tell
    most. shuffles: `Measures` of the last map, its cells at random places, a row for each shuffle.
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

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the map."""
        rows, columns = self.distances.shape
        return rows, columns

    def cells(self, at: int = -1) -> pd.DataFrame:
        """A row for each cell of the map of a step: cell, row, column and label."""
        number = np.arange(len(self.hits))
        rows, columns = np.divmod(number, self.shape[1])
        parts = {"cell": number, "row": rows, "column": columns, "label": self.labels[at]}
        return pd.DataFrame(parts)

    def plane(self, pixel: int) -> NDArray[np.float32]:
        """(rows, columns): the weight of every cell for one pixel, counted row by row."""
        plane: NDArray[np.float32] = self.maps[-1].reshape(len(self.hits), -1)[:, pixel]
        return plane.reshape(self.shape)

    def compared(self) -> pd.DataFrame:
        """The trained map, the mean of its shuffles, and the untrained map, a row each."""
        trained, untrained = self.grown[_COLUMNS].iloc[-1], self.grown[_COLUMNS].iloc[0]
        rows = pd.DataFrame([trained, self.shuffles[_COLUMNS].mean(), untrained])
        return rows.assign(map=["trained", "cells shuffled", "untrained"]).reset_index(drop=True)


def rows_of(found: Sequence[Measures]) -> pd.DataFrame:
    """A row for each map: its measures without the hits."""
    return pd.DataFrame([of.numbers() for of in found], columns=_COLUMNS)


def measured(weights: Tensor, labels: Tensor, digits: DataSet, columns: int) -> Measures:
    """A map of so many columns on digits."""
    return measures(weights, labels, digits.images, digits.labels, columns)
