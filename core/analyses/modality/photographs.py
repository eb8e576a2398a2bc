"""Modes of a pretrained network's layer over pictures that a visitor gives."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from core.activations import batches_of, collect
from core.models.pretrained import NETWORKS, as_tensor, load
from core.runtime.lab import Lab
from core.runtime.task import Report, Task, part_of
from core.statistics.modes import LayerModes, find_layer

__all__ = ["PhotographModes", "PhotographModesTask"]

_BATCH = 10
_READ = 0.6  # of the time


@dataclass(frozen=True)
class PhotographModes:
    """modes: of every channel, whose value is its mean over positions. values: (pictures, units)"""

    modes: LayerModes
    values: NDArray[np.float32]


@dataclass(frozen=True)
class PhotographModesTask(Task[PhotographModes]):
    """A layer of a network of `core.models.pretrained.NETWORKS`, over shrunk pictures.

    The pictures belong to a visitor, so nothing is written to the store. trained: whether the
    network has its weights, else it is as it was before training.
    """

    stored: ClassVar[bool] = False
    network: str
    layer: str
    trained: bool
    files: tuple[bytes, ...] = field(repr=False)

    @property
    def title(self) -> str:
        """What is done."""
        return f"Running {NETWORKS[self.network].title} on {len(self.files)} pictures"

    def compute(self, lab: Lab, report: Report) -> PhotographModes:
        """The modes. Raises `core.models.pretrained.Unavailable` without weights."""
        report(0.0, "MnistFilesTask the weights" if self.trained else self.title)
        model = load(self.network, trained=self.trained)
        parts = []
        for at, some in enumerate(batches_of(as_tensor(self.files), _BATCH)):
            report(_READ * at * _BATCH / len(self.files), self.title)
            parts.append(collect(model, some, self.layer, reduce=lambda of: of.mean((2, 3))))
        values: NDArray[np.float32] = torch.cat(parts).numpy()
        rest = part_of(report, _READ, 1)
        modes = find_layer(values, on_progress=lambda done: rest(done, "Looking for modes"))
        return PhotographModes(modes, values)
