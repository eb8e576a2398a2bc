"""One digit moved to every place: what the gates weigh and what the network answers there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.activations import collect_layers
from core.architectures.mixture.position import REACH, SIDE
from core.arguments import whole
from core.data.jitter import moved
from core.models.gated import Gated
from core.surroundings import undisturbed

__all__ = ["AtPlaces", "at_places"]

_ANSWER = "logits"
_ONE_WAY = torch.arange(-REACH, REACH + 1)


@dataclass(frozen=True)
class AtPlaces:
    """One digit at all 81 places, row by row from up left to down right.

    down, right: int64 (81,). images: float32 (81, 28, 28). weights: of each gate by name, (81,
    experts). probabilities: of the answers, (81, classes).
    """

    down: NDArray[np.int64]
    right: NDArray[np.int64]
    images: NDArray[np.float32]
    weights: Mapping[str, NDArray[np.float32]]
    probabilities: NDArray[np.float32]

    def number(self, down: int, right: int) -> int:
        """Which of the places it is. Raises `ValueError` for one that a digit isn't moved to."""
        down, right = whole(down, "down"), whole(right, "right")
        if max(abs(down), abs(right)) > REACH:
            raise ValueError(f"{down} down, {right} right: choose -{REACH} to {REACH} pixels each.")
        return SIDE * (down + REACH) + right + REACH


@undisturbed()
def at_places(model: Gated, image: Tensor) -> AtPlaces:
    """What the model makes of an image (1, 1, 28, 28) at each offset."""
    down, right = (of.flatten() for of in torch.meshgrid(*2 * [_ONE_WAY], indexing="ij"))
    images = moved(image.expand(len(down), -1, -1, -1), down, right)
    read = collect_layers(model, images, (*model.gates, _ANSWER))
    return AtPlaces(
        down.numpy(),
        right.numpy(),
        images[:, 0].numpy(),
        {gate: read[gate].numpy() for gate in model.gates},
        read[_ANSWER].softmax(1).numpy(),
    )
