"""Which image's activations stand for those of each, so that they say nothing of the image itself.

A donor is another image, of all (`derangement`) or of the same group (`within_groups`), and each is
taken once: the activations stay those that the network knows, and only their owners change.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from core.arguments import seeded

__all__ = ["derangement", "shuffled", "within_groups"]

Whole = NDArray[np.int64]


def within_groups(groups: ArrayLike, seed: int = 0) -> Whole:
    """For each of n images a random other one of its group, each taken once, int64 (n,).

    groups: (n,), such as labels. One that is alone in its group keeps its own place.
    """
    given, random = np.asarray(groups), np.random.default_rng(seeded(seed))
    donors = np.arange(len(given))
    for group in np.unique(given):
        _close_ring(donors, random.permutation(np.flatnonzero(given == group)))
    return donors


def derangement(n: int, seed: int = 0) -> Tensor:
    """For each of n images a random other one, each taken once, int64 (n,)."""
    donors = np.arange(n)
    _close_ring(donors, shuffled(n, torch.Generator().manual_seed(seeded(seed))).numpy())
    return torch.from_numpy(donors)


def shuffled(n: int, generator: torch.Generator) -> Tensor:
    """The n images in a random order, int64 (n,): one in n, on average, keeps its own place."""
    return torch.randperm(n, generator=generator)


def _close_ring(donors: Whole, ring: Whole) -> None:
    """Give each image of `ring` the one before it, the first the last."""
    donors[ring] = np.roll(ring, 1)
