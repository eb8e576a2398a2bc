"""The modes of a layer's units, and which digits are in those of one unit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.analyses.modality.makeup import (
    class_information,
    class_shares,
    concept_shares,
    members,
    verdict,
    within_classes,
)
from core.data.concepts import Measured
from core.statistics.modes import LayerModes, Modality, find_modes
from core.statistics.modes.density import densities
from core.statistics.modes.describing import bic_gain

__all__ = ["ModesOfLayer", "UnitModes", "unit_modes"]

Floats = NDArray[np.float32]
Numbers = NDArray[np.float64]


_POINTS = 200  # of the density of a class


@dataclass(frozen=True)
class ModesOfLayer:
    """The modes of all units of a layer.

    discovery, confirmation: on the two halves of the test digits. untrained: of the same network
    before training, on discovery. values: float32 (digits, units) of either half, by its name.
    """

    discovery: LayerModes
    confirmation: LayerModes
    untrained: LayerModes
    values: dict[str, Floats]


@dataclass(frozen=True)
class UnitModes:
    """The modes of one unit and what lives in them.

    found: on discovery, where modes and their borders are chosen. judged: on confirmation, as all
    that follows. values: (digits,), where: the mode of each. classes, concepts, within: tables, see
    `core.analyses.modality.makeup`. information: bits the mode tells of the class, and shuffled
    labels. ridges: (classes, points) densities of the classes, each of its own area 1, over `grid`.
    bic: a description of the confirmation half. verdict: see
    `core.analyses.modality.makeup.verdict`.
    """

    found: Modality
    judged: Modality
    values: Floats
    where: NDArray[np.int64]
    labels: NDArray[np.int64]
    classes: pd.DataFrame
    concepts: pd.DataFrame
    within: pd.DataFrame
    information: tuple[float, float]
    grid: Numbers
    ridges: Numbers
    bic: float
    verdict: str


def _ridges(values: Floats, labels: NDArray[np.int64], of: Modality) -> tuple[Numbers, Numbers]:
    """The density of each class alone, over the grid and with the bandwidth of all digits."""
    if of.density is None:
        return np.zeros(0), np.zeros((0, 0))
    grid = np.linspace(of.density.grid[0], of.density.grid[-1], _POINTS)
    ridges = np.zeros((int(labels.max()) + 1, _POINTS))
    for label in range(len(ridges)):
        own = values[(labels == label) & ~(of.apart & (values == 0))]
        if len(own):
            places, heights = densities(own[:, None], [of.density.bandwidth])
            ridges[label] = np.interp(grid, places[0], heights[0], left=0, right=0)
    return grid, ridges


def unit_modes(
    values: dict[str, Floats], labels: NDArray[np.int64], measured: Measured, seed: int
) -> UnitModes:
    """Modes of one unit chosen on discovery, and everything about them measured on confirmation.

    values: (digits,) by half. labels, measured: of the confirmation half.
    """
    found = find_modes(values["discovery"], seed=seed)
    judged = find_modes(values["confirmation"], seed=seed)
    where = members(values["confirmation"], found.modes, found.apart)
    information = class_information(where, labels)
    within = within_classes(values["confirmation"], labels)
    grid, ridges = _ridges(values["confirmation"], labels, judged)
    return UnitModes(
        found=found,
        judged=judged,
        values=values["confirmation"],
        where=where,
        labels=labels,
        classes=class_shares(where, labels),
        concepts=concept_shares(where, labels, measured.present(), measured.names),
        within=within,
        information=information,
        grid=grid,
        ridges=ridges,
        bic=bic_gain(judged.few) if judged.state == "tested" else float("nan"),
        verdict=verdict(judged, within, information),
    )
