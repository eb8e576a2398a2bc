"""Which units of two layers are alike, by what they do on the same digits.

Activations are (n, units): one row for each digit, the same digits in the same order for both.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linear_sum_assignment

__all__ = [
    "Matching",
    "both_layers",
    "centred",
    "centred_layer",
    "correlations",
    "match",
    "match_null",
    "normed",
]

Array = NDArray[np.float64]
Whole = NDArray[np.int64]


@dataclass(frozen=True)
class Matching:
    """Which unit of another network each unit corresponds to.

    partner: (units,), indices into the other network's units, each at most once. correlation:
    (units,), with the partner, signed, -1..1.
    """

    partner: Whole
    correlation: Array


def correlations(x: ArrayLike, y: ArrayLike) -> Array:
    """Pearson's correlation of each unit of one network with each of another, (units, units).

    x: (n, units), the rows found. y: (n, other units), the columns. 0 for a constant unit. Raises
    as `both_layers`.
    """
    a, b = both_layers(x, y)
    found: Array = (normed(a).T @ normed(b)).clip(-1, 1)
    return found


def match(x: ArrayLike, y: ArrayLike) -> Matching:
    """One-to-one partners of the units of x among those of y, of the largest total |correlation|.

    x: (n, units). y: (n, as many units or more). Hungarian assignment (Li et al. 2015,
    arXiv:1511.07543). The sign is free, since the next layer can turn it. The partner of a
    constant unit means nothing; its correlation is 0. Raises `ValueError` where y has fewer units,
    and as `both_layers`.
    """
    found = correlations(x, y)
    units, others = found.shape
    if others < units:
        raise ValueError(f"{units} units among {others}: give the layer with fewer units first.")
    mine, partner = linear_sum_assignment(np.abs(found), maximize=True)
    return Matching(partner.astype(np.int64), found[mine, partner])


def match_null(x: ArrayLike, y: ArrayLike, draws: int = 20, seed: int = 0) -> float:
    """|Correlation| with a partner that 95 % of units don't reach where y's digits are shuffled.

    The quantile over draws and pairs of units that vary. Well above 0: matching takes the largest
    of many chance correlations. Above it, units share something about the digits, which may be no
    more than their classes. 0 where no unit of one varies. Raises `ValueError` for fewer than one
    draw, and as `both_layers`.
    """
    if draws < 1:
        raise ValueError(f"{draws} draws: give 1 or more.")
    # constant units are left out: their zeros would lower the bar for all others
    a, b = (normed(layer[:, layer.any(0)]) for layer in both_layers(x, y))
    if not a.shape[1] or not b.shape[1]:
        return 0.0
    random = np.random.default_rng(seed)
    reached = [_matched(np.abs(a.T @ random.permutation(b))) for _ in range(draws)]
    return float(np.quantile(np.concatenate(reached), 0.95).clip(0, 1))


def both_layers(x: ArrayLike, y: ArrayLike) -> tuple[Array, Array]:
    """Both layers' centred activations of the same digits.

    x: (n, units). y: (n, other units). Raises `ValueError` unless both are of as many digits, and
    as `centred_layer`.
    """
    a, b = centred_layer(x), centred_layer(y)
    if len(a) != len(b):
        raise ValueError(f"{len(a)} and {len(b)} digits: give both networks the same digits.")
    return a, b


def centred_layer(x: ArrayLike) -> Array:
    """Centred activations of one layer, (n, units).

    Raises `ValueError` for another number of axes, fewer than two digits, no unit, and activations
    that aren't finite.
    """
    values = np.asarray(x, dtype=np.float64)
    if values.ndim != 2 or len(values) < 2 or not values.size:
        raise ValueError(
            f"Activations are {values.shape}: give (n, units), two digits and one unit or more."
        )
    if not np.isfinite(values).all():
        units = np.flatnonzero(~np.isfinite(values).all(0)).tolist()
        raise ValueError(f"Units {units} have nan or infinite activations: give finite ones.")
    return centred(values)


def centred(columns: Array) -> Array:
    """Columns less their mean."""
    moved = columns - columns[:1]  # first, so that a constant column is exactly 0
    without_mean: Array = moved - moved.mean(0)
    return without_mean


def normed(columns: Array) -> Array:
    """Columns of length 1; those of zeros stay."""
    length = np.linalg.norm(columns, axis=0)
    found: Array = np.divide(columns, length, out=np.zeros_like(columns), where=length > 0)
    return found


def _matched(strength: Array) -> Array:
    """Entries of the one-to-one assignment of the largest sum."""
    chosen: Array = strength[linear_sum_assignment(strength, maximize=True)]
    return chosen
