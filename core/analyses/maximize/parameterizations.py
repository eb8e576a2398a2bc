"""What is varied: latent numbers z, and the linear map from them to an image.

All three reach every image (covariance: every image that varies as digits do); they differ in
which directions are cheap. Pixels: all alike. Fourier: slow waves are cheaper, as 1/f (Olah et al.
2017). Covariance: the directions in which natural digits vary, x = mean + C^(1/2) z, so that |z|
counts standard deviations of digits.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import torch
from torch import Tensor

from core.arguments import real
from core.surroundings import undisturbed

__all__ = ["PARAMETERIZATIONS", "SIZE", "Covariance", "Fourier", "Parameterization", "Pixel"]

SIZE = 28  # pixels
PARAMETERIZATIONS = ("pixel", "fourier", "covariance")
_RIDGE = 1e-9  # eigenvalues below this share of the largest are rounding errors


class Parameterization(Protocol):
    """A linear map from latents to images."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one image's latents."""

    @property
    def gain(self) -> float:
        """What makes white latents of deviation 1 into pixels of deviation 1."""

    @property
    def natural(self) -> bool:
        """Whether latents 0 are the mean digit, and not a blank image."""

    def images(self, latents: Tensor) -> Tensor:
        """(batch, 1, 28, 28) from (batch, *shape)."""


@dataclass(frozen=True)
class Pixel:
    """Each pixel for itself."""

    shape: tuple[int, ...] = (1, SIZE, SIZE)
    gain: float = 1.0
    natural: bool = False

    def images(self, latents: Tensor) -> Tensor:
        """The latents are the image."""
        return latents


@dataclass(frozen=True)
class Fourier:
    """Real and imaginary amplitudes of the waves in an image, scaled by frequency^-decay.

    The basis is orthonormal, so with decay 0 the ball of latents is the ball of images. The
    largest scale is 1, so an image never has a larger norm than its latents.
    """

    decay: float = 1.0
    shape: tuple[int, ...] = (2, SIZE, SIZE // 2 + 1)
    natural: bool = False

    def __post_init__(self) -> None:
        """Raises `ValueError` for a decay that isn't a finite number."""
        object.__setattr__(self, "decay", real(self.decay, "decay"))

    @cached_property
    def scale(self) -> Tensor:
        """(28, 15): how far a latent of each wave moves the image."""
        rows, columns = torch.fft.fftfreq(SIZE), torch.fft.rfftfreq(SIZE)
        frequency = (rows[:, None] ** 2 + columns**2).sqrt().clamp(min=1 / SIZE)
        falling = frequency**-self.decay
        scale: Tensor = falling / falling.max()
        return scale

    @cached_property
    def _basis(self) -> Tensor:
        """(28, 15): the scale, and 1/sqrt 2 for the columns that stand for two waves each."""
        twice = torch.full((SIZE // 2 + 1,), 0.5**0.5)
        twice[0] = twice[-1] = 1.0
        return self.scale * twice

    @cached_property
    def gain(self) -> float:
        """One over the root mean square of the scale, every wave counted."""
        whole = torch.cat([self.scale, self.scale[:, 1:-1]], 1)
        return float(whole.square().mean().rsqrt())

    def images(self, latents: Tensor) -> Tensor:
        """The sum of the waves."""
        amplitudes = torch.complex(latents[:, 0], latents[:, 1]) * self._basis
        images: Tensor = torch.fft.irfft2(amplitudes, s=(SIZE, SIZE), norm="ortho")
        return images[:, None]


@dataclass(frozen=True, eq=False)
class Covariance:
    """Deviations from the mean digit along the ways in which digits vary.

    mean: (784,). root: (784, 784), the symmetric square root of the covariance.
    """

    mean: Tensor
    root: Tensor
    natural: bool = True
    gain: float = 1.0
    shape: tuple[int, ...] = (SIZE * SIZE,)

    @classmethod
    @undisturbed()
    def of(cls, images: Tensor) -> Covariance:
        """The covariance of images (n, 1, 28, 28). Raises `ValueError` for fewer than two."""
        if len(images) < 2:
            raise ValueError(f"there are {len(images)} images: a covariance needs at least 2.")
        flat = images.flatten(1).double()
        values, vectors = torch.linalg.eigh(flat.T.cov())
        values = torch.where(values > _RIDGE * values.max(), values, 0.0)
        root = (vectors * values.sqrt()) @ vectors.T
        return cls(flat.mean(0).float(), root.float())

    def images(self, latents: Tensor) -> Tensor:
        """The mean digit and its deviation."""
        return (self.mean + latents @ self.root).view(-1, 1, SIZE, SIZE)
