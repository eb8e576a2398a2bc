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
from core.statistics.modes import RATE, LayerModes, Modality, find_modes
from core.statistics.modes.density import Density, densities, density
from core.statistics.modes.describing import bic_gain

__all__ = ["ModesOfLayer", "UnitModes", "modes_table", "unit_modes"]

Floats = NDArray[np.float32]
Numbers = NDArray[np.float64]


FEWEST = 30  # digits of a mode, below which its shares say little
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

    @property
    def confirmed(self) -> int:
        """Units claimed to be multimodal on discovery, whose dip on confirmation agrees."""
        return int((self.confirmation.p[self.discovery.claimed] < RATE).sum())

    def counts(self) -> pd.DataFrame:
        """A row for each network and half: units claimed, suspected and tested.

        Rows: the trained network on discovery and on confirmation, the untrained on discovery.
        """
        rows = (self.discovery, self.confirmation, self.untrained)
        return pd.DataFrame(
            {
                "claimed": [int(of.claimed.sum()) for of in rows],
                "suspected": [int(of.suspected.sum()) for of in rows],
                "tested": [int(of.tested.sum()) for of in rows],
            }
        )


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

    @property
    def agree(self) -> bool:
        """Whether both halves have as many stable modes."""
        return self.found.n_modes == self.judged.n_modes

    @property
    def several(self) -> list[int]:
        """The classes that alone have more than one mode, at a false discovery rate of 5 %."""
        return [int(label) for label in self.within.loc[self.within["q"] < RATE, "class"]]

    @property
    def suspected(self) -> list[int]:
        """The classes that the critical bandwidth lists as candidates, at the same rate."""
        return [int(label) for label in self.within.loc[self.within["sensitive_q"] < RATE, "class"]]

    @property
    def small(self) -> list[int]:
        """The modes with fewer than 30 digits."""
        return sorted({int(mode) for mode in self.classes.loc[self.classes["n"] < FEWEST, "mode"]})

    def digits_of(self, mode: int, most: int, seed: int) -> NDArray[np.int64]:
        """At most `most` random digits of a mode, the lowest value first."""
        inside = np.flatnonzero(self.where == mode)
        few = np.random.default_rng(seed).permutation(inside)[:most]
        return few[np.argsort(self.values[few], kind="stable")]

    def beyond_classes(self, most: int) -> pd.DataFrame:
        """The rows of `concepts` that differ from what the mode's classes explain, q below .05.

        Of each mode at most `most`, those that differ most first.
        """
        table = self.concepts[self.concepts["q"] < RATE]
        table = table.assign(size=table["more"].abs()).sort_values("size", ascending=False)
        table = table.groupby("mode", sort=True).head(most)
        return table.sort_values(["mode", "size"], ascending=[True, False])

    def smoothed(self, percent: float) -> Density:
        """The density of the values, at a share of the bandwidth of the discovery half.

        Exact zeros that are set apart are left out.
        """
        usual = self.found.density.bandwidth if self.found.density else 1.0
        values = self.values[self.values != 0] if self.found.apart else self.values
        return density(values, usual * percent / 100)


def modes_table(of: Modality) -> pd.DataFrame:
    """A row for each mode: place, share, prominence, stability, and the valleys around it."""
    return pd.DataFrame(
        {
            "name": [f"mode {at + 1}" for at in range(of.n_modes)],
            "at": [mode.at for mode in of.modes],
            "share": [mode.share for mode in of.modes],
            "prominence": [mode.prominence for mode in of.modes],
            "stability": [mode.stability for mode in of.modes],
            "from": [mode.low for mode in of.modes],
            "to": [mode.high for mode in of.modes],
        }
    )


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
