"""The neighbours of a network's units, in it and in another one, as the lab hands them out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from core.activations import all_peaks, peaks
from core.analyses.neighbours import (
    Nearest,
    Neighbours,
    Partners,
    by_activation,
    by_weights,
    partners,
)
from core.analyses.neighbours.incoming import weight_rows
from core.data.task import DataTask
from core.runs import Run
from core.runtime.lab import Lab
from core.runtime.task import Report, Task
from core.training.task import ModelTask
from core.wires import LayerWires, trace

__all__ = ["NeighboursTask", "PartnersTask"]

Floats = NDArray[np.float32]

DIGITS = 2000  # of each half


@dataclass(frozen=True)
class NeighboursTask(Task[Neighbours]):
    """The units nearest to each, in every layer of a trained network."""

    run: Run

    @property
    def title(self) -> str:
        """What is done."""
        return f"Comparing the units of {self.run.title}"

    def compute(self, lab: Lab, report: Report) -> Neighbours:
        """The neighbours, beside those in the untrained network."""
        model, report = lab.given(report, ModelTask(self.run))
        halves, untrained = _halves(lab, self.run, report), self.run.untrained()
        layers = tuple(layer.name for layer in model.described if layer.units > 1)
        trained, before = (
            [all_peaks(of, half, layers) for half in halves] for of in (model, untrained)
        )
        report(0.6, self.title)
        channels, height, width = halves[0].shape[1:]
        wires = trace(model, (channels, height, width))
        activations = {
            name: by_activation([of[name] for of in trained], [of[name] for of in before])
            for name in layers
        }
        weights = {name: _alike(model, untrained, wires[name]) for name in layers}
        return Neighbours(activations, weights, len(halves[1]))


@dataclass(frozen=True)
class PartnersTask(Task[Partners]):
    """The units of a layer matched with those of a network that differs in seed alone."""

    run: Run
    layer: str
    seed: int

    @property
    def other(self) -> Run:
        """The other network."""
        return replace(self.run, seed=self.seed)

    @property
    def title(self) -> str:
        """What is done."""
        return f"Matching {self.layer} with seed {self.seed}"

    def compute(self, lab: Lab, report: Report) -> Partners:
        """The partners, chosen on discovery and judged on confirmation."""
        own, other, report = lab.given(report, ModelTask(self.run), ModelTask(self.other))
        halves = _halves(lab, self.run, report)
        report(0.3, self.title)
        models = (own, other, self.run.untrained(), self.other.untrained())
        read = [[peaks(model, half, self.layer) for half in halves] for model in models]
        return partners(read[0], read[1], read[2:])


def _halves(lab: Lab, run: Run, report: Report) -> Sequence[Tensor]:
    """Images of discovery and confirmation."""
    return [
        lab.result(DataTask(run.data, split), report).images[:DIGITS]
        for split in ("discovery", "confirmation")
    ]


def _alike(model: nn.Module, untrained: nn.Module, wires: LayerWires) -> Nearest | None:
    """The nearest by weights, where the layer has some."""
    rows = [weight_rows(of, wires) for of in (model, untrained)]
    return None if rows[0] is None or rows[1] is None else by_weights(rows[0], rows[1])
