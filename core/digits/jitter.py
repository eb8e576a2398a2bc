"""Digits moved about: each by an offset of its own, so that where and what are independent.

After the jittered MNIST of Eigen, Ranzato & Sutskever (2014, arXiv:1312.4314), who move digits
about in a larger image. Here the image keeps its 28 x 28 pixels, and ink moved over its border is
lost; a margin of 4 pixels around MNIST's digits leaves little to lose at moves of up to 4.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad

__all__ = ["drawn_offsets", "moved"]


def drawn_offsets(
    n: int, most: int, generator: torch.Generator | None = None
) -> tuple[Tensor, Tensor]:
    """How far n digits go down and right, int64 (n,) each, evenly from -most to most pixels."""
    offsets = torch.randint(-most, most + 1, (2, n), generator=generator)
    return offsets[0], offsets[1]


def moved(images: Tensor, down: Tensor, right: Tensor) -> Tensor:
    """Images (n, 1, height, width), image i moved by down[i] and right[i] pixels; 0 comes in.

    down, right: int64 (n,), negative for up and left.
    """
    n, _, height, width = images.shape
    reach = max(int(down.abs().max()), int(right.abs().max())) if n else 0
    wide = pad(images[:, 0], (reach, reach, reach, reach))
    rows = torch.arange(height) + reach - down[:, None]
    columns = torch.arange(width) + reach - right[:, None]
    shifted: Tensor = wide[torch.arange(n)[:, None, None], rows[:, :, None], columns[:, None, :]]
    return shifted[:, None]
