"""What is done to the image before the model sees it, so that no single pixel can be relied on."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import pad

from core.arguments import whole

__all__ = ["Jitter"]


@dataclass(frozen=True)
class Jitter:
    """A shift by up to `pixels` in each direction, blank where the image leaves a gap.

    More than two pixels make another digit of a 28 x 28 image, or cut one off.
    """

    pixels: int

    def __post_init__(self) -> None:
        """Raises `ValueError` for pixels that aren't a whole number from 0 on."""
        object.__setattr__(self, "pixels", whole(self.pixels, "pixels", 0))

    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """The images (batch, 1, height, width), all shifted alike."""
        if not self.pixels:
            return images
        top, left = torch.randint(2 * self.pixels + 1, (2,), generator=generator).tolist()
        height, width = images.shape[2:]
        padded = pad(images, (self.pixels,) * 4)
        return padded[:, :, top : top + height, left : left + width]
