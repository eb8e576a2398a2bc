"""What networks of prototypes share: distances to them, and units that answer to what is near."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["Gaussians", "means", "nearest", "random_digits", "squared_distances"]

PIXELS = 784
LEAST_LOG_WIDTH = -20.0  # below, 1 / σ² would leave the range of 32 bits
_AT_ONCE = 5000  # vectors whose distances are held together


def squared_distances(vectors: Tensor, prototypes: Tensor) -> Tensor:
    """(batch, units): ‖x‖² + ‖c‖² − 2 x·c, at least 0, without a tensor (batch, units, size).

    vectors: (batch, size). prototypes: (units, size). It has no root, so the gradient is finite
    also where a vector is a prototype.
    """
    lengths = vectors.square().sum(1, keepdim=True) + prototypes.square().sum(1)
    return (lengths - 2 * vectors @ prototypes.T).clamp(min=0)


def nearest(vectors: Tensor, prototypes: Tensor) -> tuple[Tensor, Tensor]:
    """Each vector's distance to its nearest prototype, and which that is: (n,) and int64 (n,)."""
    found = [squared_distances(some, prototypes).min(1) for some in vectors.split(_AT_ONCE)]
    distances = torch.cat([of.values for of in found]).sqrt()
    return distances, torch.cat([of.indices for of in found])


def means(vectors: Tensor, owners: Tensor, units: int) -> tuple[Tensor, Tensor]:
    """The sum of the vectors of each prototype, (units, size), and how many they are, (units,).

    owners: int64 (n,), whose each vector is.
    """
    sums = vectors.new_zeros(units, vectors.shape[1]).index_add(0, owners, vectors)
    return sums, torch.bincount(owners, minlength=units).to(vectors.dtype)


def random_digits(vectors: Tensor, units: int, generator: torch.Generator) -> Tensor:
    """(units, size): as many of the vectors, drawn at random, each once where there are enough."""
    times = -(-units // len(vectors))
    orders = [torch.randperm(len(vectors), generator=generator) for _ in range(times)]
    return vectors[torch.cat(orders)[:units]].clone()


class Gaussians(nn.Module):
    """φ = exp(−‖x − c‖² / 2σ²) for each prototype c: 1 at the prototype, e^(−1/2) at distance σ.

    All share the width σ = exp(log σ), which is positive whatever log σ is.
    """

    def __init__(self, units: int, pixels: int = PIXELS) -> None:
        """Prototypes of noise, uniform in 0..1 as pixels are, and a width at which they answer."""
        super().__init__()
        self.prototypes = nn.Parameter(torch.rand(units, pixels))
        self.log_width = nn.Parameter(torch.tensor(pixels / 6).sqrt().log())  # of two such images

    @property
    def width(self) -> Tensor:
        """σ, in the units of a distance between images."""
        return self.log_width.clamp(min=LEAST_LOG_WIDTH).exp()

    def settle(self, prototypes: Tensor, width: Tensor) -> None:
        """Take these values; no gradient is recorded."""
        with torch.no_grad():
            self.prototypes.copy_(prototypes)
            self.log_width.copy_(width.log().clamp(min=LEAST_LOG_WIDTH))

    def forward(self, images: Tensor) -> Tensor:
        """(batch, units), in 0..1, of images (batch, channels, height, width)."""
        squares = squared_distances(images.flatten(1), self.prototypes)
        return (-squares / (2 * self.width.square())).exp()
