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
    """How far n digits go down and right, int64 (n,) each, evenly from -most to most pixels.

    Raises `ValueError` for fewer than 0 pixels.
    """
    if most < 0:
        raise ValueError(f"most is {most} pixels: digits move by at most 0 pixels or more.")
    offsets = torch.randint(-most, most + 1, (2, n), generator=generator)
    return offsets[0], offsets[1]


def moved(images: Tensor, down: Tensor, right: Tensor) -> Tensor:
    """Images (n, 1, height, width), image i moved by down[i] and right[i] pixels; 0 comes in.

    down, right: int64 (n,), negative for up and left. Gradients reach the pixels that stay inside.

    Raises `ValueError` for offsets that aren't one whole number for each image.
    """
    n, _, height, width = images.shape
    for name, offsets in (("down", down), ("right", right)):
        if offsets.shape != (n,) or offsets.is_floating_point():
            raise ValueError(
                f"{name} is {offsets.dtype} {tuple(offsets.shape)} for {n} images: give one whole "
                "number of pixels for each."
            )
    reach = max(int(down.abs().max()), int(right.abs().max())) if n else 0
    wide = pad(images[:, 0], (reach, reach, reach, reach))
    here = images.device
    rows = torch.arange(height, device=here) + reach - down.to(here)[:, None]
    columns = torch.arange(width, device=here) + reach - right.to(here)[:, None]
    each = torch.arange(n, device=here)[:, None, None]
    shifted: Tensor = wide[each, rows[:, :, None], columns[:, None, :]]
    return shifted[:, None]
