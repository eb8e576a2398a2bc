"""Where in a digit the contribution of some units comes from, and how much of it a map misses.

The contribution is a function of the image: by how much the margin falls when the units are
removed. Gradient times input (Shrikumar et al. 2016, arXiv:1605.01713) multiplies each pixel with
its slope; occlusion (Zeiler & Fergus 2014) makes each square of the image paper in turn. Both would
add up to the contribution less that on blank paper if it were linear in the pixels, so what is
missing from their sum is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import interpolate

from core.activations import logits_with
from core.interventions.answers import margins
from core.surroundings import undisturbed

__all__ = ["SQUARE", "RelevanceMaps", "relevance_maps"]

Numbers = NDArray[np.float32]
SQUARE = 4  # pixels a side of what is covered at once


@dataclass(frozen=True)
class RelevanceMaps:
    """Where in one digit some units' contribution to its margin comes from.

    gradient, occlusion: (height, width), added up over channels; a square's occlusion is spread
    evenly over its pixels. necessity: the contribution to be explained. blank: the same on paper.
    """

    gradient: Numbers
    occlusion: Numbers
    necessity: float
    blank: float

    def gap(self, name: str) -> float:
        """What the map "gradient" or "occlusion" misses: the change from paper less its sum."""
        return self.necessity - self.blank - float(getattr(self, name).sum(dtype=np.float64))


@undisturbed()
def relevance_maps(
    model: nn.Module, image: Tensor, label: int, held: Mapping[tuple[str, int], float | Tensor]
) -> RelevanceMaps:
    """The maps of a digit. image: (channels, height, width) in 0..1. label: its class.

    held: by layer and index, what stands for each removed unit's activation, see `logits_with`.
    """
    intact, without = logits_with(model, {}), logits_with(model, held)

    def contribution(images: Tensor) -> Tensor:
        labels = torch.full((len(images),), label)
        return margins(intact(images), labels) - margins(without(images), labels)

    with torch.no_grad():
        ends = contribution(torch.stack([image, torch.zeros_like(image)]))
    return RelevanceMaps(
        gradient=_gradient_times_input(contribution, image).sum(0).numpy(),
        occlusion=_occlusion(contribution, image, ends[0]).numpy(),
        necessity=float(ends[0]),
        blank=float(ends[1]),
    )


def _gradient_times_input(contribution: Callable[[Tensor], Tensor], image: Tensor) -> Tensor:
    """(channels, height, width): each pixel times the slope of the contribution along it."""
    given = image.clone()[None].requires_grad_()
    found = contribution(given)
    if not found.requires_grad:  # nothing of the image reaches the units
        return torch.zeros_like(image)
    slope = torch.autograd.grad(found.sum(), given)[0][0]
    return slope * image


def _occlusion(contribution: Callable[[Tensor], Tensor], image: Tensor, whole: Tensor) -> Tensor:
    """(height, width): what the contribution loses without the ink of each square."""
    height, width = image.shape[1:]
    down, across = -(-height // SQUARE), -(-width // SQUARE)
    squares = torch.eye(down * across).view(-1, 1, down, across)
    covered = interpolate(squares, scale_factor=SQUARE, mode="nearest")[..., :height, :width]
    with torch.no_grad():
        lost = whole - contribution(image * (1 - covered))  # (squares,)
    pixels = covered.flatten(1).sum(1)
    return torch.einsum("s,sijk->jk", lost / pixels, covered)
