"""How many modes the units of a layer have, and which digits live in those of one unit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from core.activations import collect, layer_of
from core.analyses.described import DescribedDigitsTask
from core.analyses.modality.unit_modes import ModesOfLayer, UnitModes, unit_modes
from core.data.task import DataTask
from core.models.inspectable import Inspectable, Layer
from core.runs import Run
from core.runtime.lab import Lab
from core.runtime.task import Derived, Report, Task, part_of
from core.statistics.modes import find_layer
from core.training.task import ModelTask

__all__ = ["TAPS", "LayerModesTask", "UnitModesTask", "taps"]

Floats = NDArray[np.float32]

TAPS = ("before", "after")  # the ReLU


def taps(layer: Layer) -> tuple[str, ...]:
    """Where a layer can be read: before its ReLU and after it, or in one place only."""
    return TAPS if layer.rectified else TAPS[:1]


@dataclass(frozen=True)
class LayerModesTask(Task[ModesOfLayer]):
    """The modes of every unit of a layer. tap: one of `TAPS`; of a map the maximum is read."""

    run: Run
    layer: str
    tap: str

    @property
    def title(self) -> str:
        """What is done."""
        return f"Looking for modes in {self.run.architecture}/{self.layer}"

    def compute(self, lab: Lab, report: Report) -> ModesOfLayer:
        """The modes of both halves, and of the untrained network on the first."""
        model, report = lab.given(report, ModelTask(self.run))
        images = {
            half: lab.result(DataTask(self.run.data, half), report).images
            for half in ("discovery", "confirmation")
        }
        values = {half: self._read(model, shown) for half, shown in images.items()}
        untrained = self._read(self.run.untrained(), images["discovery"])
        modes = {}
        for at, (name, of) in enumerate({**values, "untrained": untrained}.items()):
            part = part_of(report, at / 3, (at + 1) / 3)

            def on_progress(done: float, part: Report = part, name: str = name) -> None:
                part(done, f"{self.title}: {name}, {done:.0%}")

            modes[name] = find_layer(of, seed=self.run.seed, on_progress=on_progress)
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
            report, self.layer, DescribedDigitsTask(self.layer.run.data)
        )
        half = described.half("confirmation")
        values = {name: of[:, self.unit] for name, of in layer.values.items()}
        seed = self.layer.run.seed + self.unit
        return unit_modes(values, half.digits.labels.numpy(), half.measured, seed)
