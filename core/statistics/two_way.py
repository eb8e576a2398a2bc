"""The mean of numbers that have two reasons to vary: which network was trained, and which image.

Networks and images are drawn anew independently, the same images for all networks (the Multi-
Bootstrap, Sellam et al. 2022, arXiv:2106.16163; Owen 2007 on both ways at once). Of few networks
the bootstrap's variance is too small by (n − 1) / n and its tails are too light, so the interval
is mean ± t · standard error, with that factor taken back and Satterthwaite's degrees of freedom.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import t as student

from core.arguments import seeded, whole

__all__ = ["TwoWay", "two_way_mean"]

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class TwoWay:
    """A mean over networks and images with its 95 % interval.

    error: standard error. of_networks, of_images: the part of it that each way alone has.
    """

    mean: float
    low: float
    high: float
    error: float
    of_networks: float
    of_images: float


def two_way_mean(values: ArrayLike, *, draws: int = 2000, seed: int = 0) -> TwoWay:
    """The mean of values (networks, images), both drawn anew.

    Raises `ValueError` for fewer than two networks or images, and for numbers that aren't finite.
    """
    given = np.asarray(values, dtype=np.float64)
    if given.ndim != 2 or min(given.shape) < 2 or not np.isfinite(given).all():
        raise ValueError(
            f"values are {given.shape}: give finite numbers of at least two networks and two "
            "images."
        )
    draws, generator = whole(draws, "draws", 2), np.random.default_rng(seeded(seed))
    networks, images = given.shape
    of_networks = _means(generator, draws, given.mean(1)).var() * networks / (networks - 1)
    of_images = _means(generator, draws, given.mean(0)).var() * images / (images - 1)
    rest = given - given.mean(1, keepdims=True) - given.mean(0) + given.mean()
    noise = rest.var() / ((networks - 1) * (images - 1))
    # both ways hold the noise once: it would be counted twice
    variance = max(of_networks + of_images - noise, of_networks, of_images)
    degrees = variance**2 / (of_networks**2 / (networks - 1) + of_images**2 / (images - 1) + 1e-300)
    mean, error = float(given.mean()), float(np.sqrt(variance))
    reach = float(student.ppf(0.975, max(degrees, 1))) * error
    parts = float(np.sqrt(of_networks)), float(np.sqrt(of_images))
    return TwoWay(mean, mean - reach, mean + reach, error, *parts)


def _means(generator: np.random.Generator, draws: int, values: Numbers) -> Numbers:
    """(draws,): means of the values (n,) drawn anew."""
    n = len(values)
    counts = generator.multinomial(n, np.full(n, 1 / n), draws)
    found: Numbers = counts @ values / n
    return found
