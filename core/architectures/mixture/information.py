"""How much the expert that takes a digit tells about it, in bits, beside shuffled experts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.arguments import seeded
from core.statistics import entropy

__all__ = ["SharedInformation", "entropy", "information", "shared"]

Numbers = NDArray[np.float64]
SHUFFLES = 200


@dataclass(frozen=True)
class SharedInformation:
    """What expert and factor share.

    bits: mutual information, plug-in. normalized: 2 bits / (entropy of experts + of the factor), 0
    where neither varies. chance, limit: mean and 95th percentile of bits when the experts are
    shuffled over the digits; plug-in estimates are above 0 by chance. p: how many shuffles share as
    much, (1 + count) / (1 + shuffles).
    """

    bits: float
    normalized: float
    chance: float
    limit: float
    p: float


def information(counts: ArrayLike) -> tuple[float, float]:
    """Mutual information in bits of a table of counts, and the same normalized by both entropies.

    counts: (rows, columns). I = H(row) + H(column) − H(both), plug-in; normalized by their
    arithmetic mean. Raises `ValueError` for a table that counts nothing.
    """
    table = np.asarray(counts, dtype=np.float64)
    if not table.sum() > 0:
        raise ValueError("nothing was counted, so nothing is shared: give at least one digit.")
    joint = table / table.sum()
    rows, columns = (float(entropy(joint.sum(axis))) for axis in (1, 0))
    bits = max(0.0, rows + columns - float(entropy(joint.ravel())))
    return bits, 2 * bits / (rows + columns) if rows + columns > 0 else 0.0


def shared(experts: ArrayLike, factor: ArrayLike, seed: int = 0) -> SharedInformation:
    """What experts (n,) and a factor (n,), both whole numbers, share beside `SHUFFLES` shuffles."""
    first, second = _numbered(experts), _numbered(factor)
    wide = int(second.max()) + 1
    cells = (int(first.max()) + 1) * wide
    random = np.random.default_rng(seeded(seed))

    def of(left: NDArray[np.int64]) -> tuple[float, float]:
        """Bits, and normalized, of the experts in this order."""
        counts = np.bincount(left * wide + second, minlength=cells)
        return information(counts.reshape(-1, wide))

    bits, normalized = of(first)
    null = np.array([of(random.permutation(first))[0] for _ in range(SHUFFLES)])
    p = (1 + int((null >= bits - 1e-12).sum())) / (1 + SHUFFLES)
    return SharedInformation(
        bits, normalized, float(null.mean()), float(np.quantile(null, 0.95)), p
    )


def _numbered(values: ArrayLike) -> NDArray[np.int64]:
    """The values as 0, 1, …, in their order. Raises `ValueError` for none."""
    given = np.asarray(values)
    if not given.size:
        raise ValueError("there are no digits, so nothing is shared: give at least one.")
    return np.unique(given, return_inverse=True)[1].ravel().astype(np.int64)
