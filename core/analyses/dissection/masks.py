"""From a unit's activation map to the pixels that it marks.

The map is interpolated between the centres of its neurons' receptive fields, where they lie in the
image (Bau et al. 2017, arXiv:1704.05796): a map stretched over the whole image instead would be
shifted by pixels, and halve the overlap with what the unit sees.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.data.concepts.anatomy import SIZE
from core.models.inspectable import Layer, ReceptiveField

__all__ = ["Upsampling", "marked", "pack"]


class Upsampling:
    """Bilinear interpolation of a layer's maps to the image's pixels."""

    def __init__(self, layer: Layer, height: int, width: int) -> None:
        """height, width: of the maps. A layer without a field has its maps spread evenly."""
        self.rows, rows_seen = _weights(height, layer.field)
        self.columns, columns_seen = _weights(width, layer.field)
        self.seen = rows_seen[:, None] & columns_seen[None]  # (28, 28): pixels with a neuron near

    def __call__(self, maps: Tensor) -> Tensor:
        """(…, 28, 28) of maps (…, height, width); pixels that no neuron is near are -inf."""
        across = (maps @ self.columns.T).transpose(-1, -2)  # two plain matrix products
        return (across @ self.rows.T).transpose(-1, -2).masked_fill(~self.seen, -torch.inf)


def marked(maps: Tensor, levels: NDArray[np.float32], upsampling: Upsampling) -> NDArray[np.bool_]:
    """Where each unit's map (batch, units, height, width) is above its level (units,).

    Gives bool (batch, units, 28, 28).
    """
    above = upsampling(maps) > torch.from_numpy(levels)[:, None, None]
    found: NDArray[np.bool_] = above.numpy()
    return found


def pack(masks: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """(…, 13): the bits of masks (…, 28, 28), 64 pixels to a word."""
    bits = np.packbits(masks.reshape(*masks.shape[:-2], SIZE * SIZE), axis=-1)
    return as_words(bits)


def as_words(packed: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Packed bits (…, 98) as words (…, 13)."""
    room = -packed.shape[-1] % 8
    wide = np.pad(packed, [(0, 0)] * (packed.ndim - 1) + [(0, room)])
    return np.ascontiguousarray(wide).view(np.uint64)


def _weights(size: int, field: ReceptiveField | None) -> tuple[Tensor, Tensor]:
    """(28, size): weights of the neurons in each pixel, and (28,): whether one is near.

    Near is within half a stride of the outermost neurons' centres.
    """
    stride = field.stride if field else SIZE / size
    offset = field.offset if field else (stride - 1) / 2
    at = (torch.arange(SIZE, dtype=torch.float64) - offset) / stride  # in neurons
    near = (at >= -0.5) & (at <= size - 0.5)
    at = at.clamp(0, size - 1)
    weights = (1 - (at[:, None] - torch.arange(size)).abs()).clamp(min=0)
    return weights.float(), near
