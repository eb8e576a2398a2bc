"""Two digits in one image: each at half its width, the first on the left."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["side_by_side"]


def side_by_side(left: Tensor, right: Tensor | None = None) -> Tensor:
    """(batch, 1, 28, 28): `left` in columns 0 to 13, `right` in columns 14 to 27.

    left, right: (batch, 1, 28, 28) in 0..1; a column of the pair is the mean of two of theirs.
    No `right` leaves that half blank. Raises `ValueError` for images that don't fit each other.
    """
    if right is not None and right.shape != left.shape:
        raise ValueError(
            f"left is {tuple(left.shape)} and right {tuple(right.shape)}: give as many of each."
        )
    first = _halved(left)
    return torch.cat([first, torch.zeros_like(first) if right is None else _halved(right)], 3)


def _halved(images: Tensor) -> Tensor:
    """(batch, 1, height, width / 2): the mean of each two neighbouring columns."""
    return (images[..., 0::2] + images[..., 1::2]) / 2
