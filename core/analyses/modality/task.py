"""How many modes the units of a layer have, and which digits live in those of one unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from core.activations import collect, layer_of
from core.analyses.modality.makeup import (
    class_information,
    class_shares,
    concept_shares,
    members,
    verdict,
    within_classes,
)
from core.analyses.task import Described, Describing, ready
from core.data import load_digits
from core.models import registry
from core.models.inspectable import Inspectable
from core.runtime.store import Store, StoredArrays
from core.runtime.task import Choice, Report, part_of, under
from core.statistics.modes import LayerModes, Modality, find_layer, find_modes
from core.statistics.modes.density import densities
from core.statistics.modes.describing import bic_gain

__all__ = ["TAPS", "FindingModes", "LayerFound", "OpeningModes", "UnitFound", "taps"]

Floats = NDArray[np.float32]
Numbers = NDArray[np.float64]

TAPS = ("before", "after")  # the ReLU
_READY = 0.8  # of the time, by which model and concepts are there
_POINTS = 200  # of the density of a class


def taps(model: str, layer: str) -> tuple[str, ...]:
    """Where a layer can be read: before its ReLU and after it, or in one place only."""
    described = registry.describe(model)
    rectified = next(of.rectified for of in described if of.name == layer)
    return TAPS if rectified else TAPS[:1]


@dataclass(frozen=True)
class LayerFound:
    """The modes of all units of a layer.

    discovery, confirmation: on the two halves of the test digits. untrained: of the same network
    before training, on discovery. values: float32 (digits, units) of either half, by its name.
    """

    discovery: LayerModes
    confirmation: LayerModes
    untrained: LayerModes
    values: dict[str, Floats]


@dataclass(frozen=True)
class FindingModes:
    """The modes of every unit of a layer. tap: one of `TAPS`; of a map the maximum is read."""

    choice: Choice
    layer: str
    tap: str

    @property
    def title(self) -> str:
        """What it does."""
        return f"Looking for modes in {self.choice.model}/{self.layer}"

    def kept(self, store: Store) -> LayerFound | None:
        """The modes, where the store has them."""
        found = store.load_arrays("modes", self._key())
        return None if found is None else _layer_found(found.arrays)

    def compute(self, store: Store, report: Report) -> LayerFound:
        """The modes, for which model and concepts are made if need be."""
        model, _ = ready(self.choice, store, part_of(report, 0, _READY))
        found = store.computed_arrays(
            "modes",
            self._key(),
            lambda: self._found(model, part_of(report, _READY, 1)),
            on_wait=lambda: report(_READY, "Another server is looking for these modes"),
        )
        return _layer_found(found.arrays)

    def _found(self, model: Inspectable, report: Report) -> StoredArrays:
        """The modes, found now."""
        untrained = registry.build(self.choice.model, self.choice.seed).eval()
        readings = {
            "discovery": self._read(model, "discovery"),
            "confirmation": self._read(model, "confirmation"),
            "untrained": self._read(untrained, "discovery"),
        }
        arrays: dict[str, NDArray[Any]] = {}
        for at, (name, values) in enumerate(readings.items()):
            told = part_of(report, at / len(readings), (at + 1) / len(readings))

            def progress(done: float, told: Report = told, name: str = name) -> None:
                told(done, f"{self.title}: {name}, {done:.0%}")

            of = find_layer(values, seed=self.choice.seed, on_progress=progress)
            arrays |= {f"{name}/{key}": array for key, array in asdict(of).items()}
        kept = {f"values/{name}": readings[name] for name in ("discovery", "confirmation")}
        return StoredArrays(arrays | kept)

    def _read(self, model: Inspectable, split: str) -> Floats:
        """(digits, units): what is read of each digit."""
        images = load_digits(self.choice.data, split).images
        of = collect(model, images, self.layer, reduce=_one_number)
        after = self.tap == "after" and layer_of(model, self.layer).rectified
        read: Floats = (of.relu() if after else of).numpy()
        return read

    def _key(self) -> dict[str, str | int | float | bool | None]:
        """All that the modes depend on."""
        return {**asdict(self.choice), "layer": self.layer, "tap": self.tap}


def _one_number(values: torch.Tensor) -> torch.Tensor:
    """(batch, units): a map's maximum."""
    return values.amax((2, 3)) if values.ndim == 4 else values


def _layer_found(arrays: Mapping[str, NDArray[Any]]) -> LayerFound:
    """What the store kept."""

    def one(name: str) -> LayerModes:
        of = under(f"{name}/", arrays)
        return LayerModes(**{each.name: of[each.name] for each in fields(LayerModes)})

    values = under("values/", arrays)
    return LayerFound(one("discovery"), one("confirmation"), one("untrained"), values)


@dataclass(frozen=True)
class UnitFound:
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
class OpeningModes:
    """One unit of `FindingModes`, opened; fast enough to be made anew from what that one kept."""

    layer: FindingModes
    unit: int

    @property
    def title(self) -> str:
        """What it does."""
        return f"{self.layer.title}: unit {self.unit}"

    def kept(self, store: Store) -> UnitFound | None:
        """The unit, where its layer's modes and the digits' concepts are known."""
        layer, described = self.layer.kept(store), Describing(self.layer.choice.data).kept(store)
        return None if layer is None or described is None else self._opened(layer, described)

    def compute(self, store: Store, report: Report) -> UnitFound:
        """The unit, for which whatever is missing is made."""
        layer = self.layer.kept(store) or self.layer.compute(store, part_of(report, 0, 0.9))
        describing = Describing(self.layer.choice.data)
        described = describing.kept(store) or describing.compute(store, part_of(report, 0.9, 1))
        return self._opened(layer, described)

    def _opened(self, layer: LayerFound, described: Described) -> UnitFound:
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
        return UnitFound(
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
