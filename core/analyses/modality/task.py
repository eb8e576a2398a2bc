"""How many modes the units of a layer have, and which digits live in those of one unit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from core.activations import collect, layer_of
from core.analyses.described import DescribedDigits, DescribedDigitsTask
from core.analyses.modality.makeup import (
    class_information,
    class_shares,
    concept_shares,
    members,
    verdict,
    within_classes,
)
from core.data.task import DataTask
from core.models import registry
from core.models.inspectable import Inspectable
from core.runs import Run
from core.runtime.lab import Lab
from core.runtime.task import Derived, Report, Task, part_of
from core.statistics.modes import LayerModes, Modality, find_layer, find_modes
from core.statistics.modes.density import densities
from core.statistics.modes.describing import bic_gain
from core.training.task import ModelTask

__all__ = ["TAPS", "LayerModesTask", "ModesOfLayer", "UnitModes", "UnitModesTask", "taps"]

Floats = NDArray[np.float32]
Numbers = NDArray[np.float64]

TAPS = ("before", "after")  # the ReLU
_POINTS = 200  # of the density of a class


def taps(model: str, layer: str) -> tuple[str, ...]:
    """Where a layer can be read: before its ReLU and after it, or in one place only."""
    described = registry.describe(model)
    rectified = next(of.rectified for of in described if of.name == layer)
    return TAPS if rectified else TAPS[:1]


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
class LayerModesTask(Task[ModesOfLayer]):
    """The modes of every unit of a layer. tap: one of `TAPS`; of a map the maximum is read."""

    choice: Run
    layer: str
    tap: str

    @property
    def title(self) -> str:
        """What is done."""
        return f"Looking for modes in {self.choice.model}/{self.layer}"

    def compute(self, lab: Lab, report: Report) -> ModesOfLayer:
        """The modes of both halves, and of the untrained network on the first."""
        model, report = lab.given(report, ModelTask(self.choice))
        images = {
            half: lab.result(DataTask(self.choice.data, half), report).images
            for half in ("discovery", "confirmation")
        }
        values = {half: self._read(model, shown) for half, shown in images.items()}
        untrained = self._read(self.choice.untrained(), images["discovery"])
        modes = {}
        for at, (name, of) in enumerate({**values, "untrained": untrained}.items()):
            part = part_of(report, at / 3, (at + 1) / 3)

            def on_progress(done: float, part: Report = part, name: str = name) -> None:
                part(done, f"{self.title}: {name}, {done:.0%}")

            modes[name] = find_layer(of, seed=self.choice.seed, on_progress=on_progress)
        return ModesOfLayer(**modes, values=values)

    def _read(self, model: Inspectable, images: torch.Tensor) -> Floats:
        """(digits, units): what is read of each digit."""
        of = collect(model, images, self.layer, reduce=_one_number)
        after = self.tap == "after" and layer_of(model, self.layer).rectified
        read: Floats = (of.relu() if after else of).numpy()
        return read


def _one_number(values: torch.Tensor) -> torch.Tensor:
    """(batch, units): a map's maximum."""
    return values.amax((2, 3)) if values.ndim == 4 else values


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


@dataclass(frozen=True)
class UnitModesTask(Derived[UnitModes]):
    """One unit of `LayerModesTask`, opened; fast enough to be made anew from what that one kept."""

    layer: LayerModesTask
    unit: int

    @property
    def title(self) -> str:
        """What is done."""
        return f"{self.layer.title}: unit {self.unit}"

    def compute(self, lab: Lab, report: Report) -> UnitModes:
        """The unit's modes, and who lives in them."""
        layer, described, _ = lab.given(
            report, self.layer, DescribedDigitsTask(self.layer.choice.data)
        )
        return self._opened(layer, described)

    def _opened(self, layer: ModesOfLayer, described: DescribedDigits) -> UnitModes:
        """Modes chosen on discovery, and everything about them measured on confirmation."""
        seed = self.layer.choice.seed + self.unit
        found = find_modes(layer.values["discovery"][:, self.unit], seed=seed)
        values = layer.values["confirmation"][:, self.unit]
        judged = find_modes(values, seed=seed)
        half = described.half("confirmation")
        labels, measured = half.digits.labels.numpy(), half.measured
        where = members(values, found.modes, found.apart)
        information = class_information(where, labels)
        within = within_classes(values, labels)
        tested = judged.state == "tested"
        grid, ridges = _ridges(values, labels, judged)
        return UnitModes(
            found=found,
            judged=judged,
            values=values,
            where=where,
            labels=labels,
            classes=class_shares(where, labels),
            concepts=concept_shares(where, labels, measured.present(), measured.names),
            within=within,
            information=information,
            grid=grid,
            ridges=ridges,
            bic=bic_gain(judged.few) if tested else float("nan"),
            verdict=verdict(judged, within, information),
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
