"""How units change over training, differ between networks, and share the work under dropout.

Activations are (n, units): one row for each digit, the same digits in the same order for two
networks. Profiles are (units, classes): each unit's class means.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linear_sum_assignment

__all__ = [
    "Matching",
    "area_under_curve",
    "correlations",
    "emergence_step",
    "label_survival",
    "linear_cka",
    "match",
    "match_null",
    "mean_absolute_correlation",
    "participation_ratio",
    "tuning_autocorrelation",
    "tuning_drift",
]

Array = NDArray[np.float64]
Whole = NDArray[np.int64]

EMERGED = 0.05  # AUC above one half that a unit must end with before its rise has a time


@dataclass(frozen=True)
class Matching:
    """Which unit of another network each unit corresponds to.

    partner: (units,), indices into the other network's units, each at most once. correlation:
    (units,), with the partner, signed, -1..1.
    """

    partner: Whole
    correlation: Array


def linear_cka(x: ArrayLike, y: ArrayLike) -> float:
    """Linear centred kernel alignment of two layers, 0 (nothing shared) to 1.

    x: (n, units). y: (n, other units). ‖yᵀx‖² / (‖xᵀx‖ ‖yᵀy‖) of centred activations, Frobenius
    norms; the same under rotation and scaling of a layer (Kornblith et al. 2019,
    arXiv:1905.00414). 0 where all units of one are constant. Raises `ValueError` unless both are
    finite, of as many digits, two or more.
    """
    a, b = _layers(x, y)
    norms = np.linalg.norm(a.T @ a) * np.linalg.norm(b.T @ b)
    return float(np.linalg.norm(b.T @ a) ** 2 / norms) if norms > 0 else 0.0


def correlations(x: ArrayLike, y: ArrayLike) -> Array:
    """Pearson's correlation of each unit of one network with each of another, (units, units).

    x: (n, units), the rows found. y: (n, other units), the columns. 0 for a constant unit. Raises
    as `linear_cka`.
    """
    a, b = _layers(x, y)
    found: Array = (_normed(a).T @ _normed(b)).clip(-1, 1)
    return found


def match(x: ArrayLike, y: ArrayLike) -> Matching:
    """One-to-one partners of the units of x among those of y, of the largest total |correlation|.

    x: (n, units). y: (n, as many units or more). Hungarian assignment (Li et al. 2015,
    arXiv:1511.07543). The sign is free, since the next layer can turn it. The partner of a
    constant unit means nothing; its correlation is 0. Raises `ValueError` where y has fewer units,
    and as `linear_cka`.
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
    draw, and as `linear_cka`.
    """
    if draws < 1:
        raise ValueError(f"{draws} draws: give 1 or more.")
    # constant units are left out: their zeros would lower the bar for all others
    a, b = (_normed(layer[:, layer.any(0)]) for layer in _layers(x, y))
    if not a.shape[1] or not b.shape[1]:
        return 0.0
    random = np.random.default_rng(seed)
    reached = [_matched(np.abs(a.T @ random.permutation(b))) for _ in range(draws)]
    return float(np.quantile(np.concatenate(reached), 0.95).clip(0, 1))


def tuning_drift(before: ArrayLike, after: ArrayLike) -> Array:
    """1 − correlation of each unit's class means before and after, (units,), 0 (same) to 2.

    before, after: (units, classes). Blind to a change of scale or offset. A constant profile has
    drift 0 if the other equals it, 1 otherwise. Raises `ValueError` unless both have the same
    shape, with two classes or more.
    """
    a, b = np.asarray(before, dtype=np.float64), np.asarray(after, dtype=np.float64)
    if a.shape != b.shape or a.ndim != 2 or a.shape[1] < 2:
        raise ValueError(
            f"Profiles are {a.shape} and {b.shape}: give both as (units, classes), two classes up."
        )
    correlation = (_normed(_centred(a.T)) * _normed(_centred(b.T))).sum(0)
    found: Array = np.where((a == b).all(1), 0.0, (1 - correlation).clip(0, 2))
    return found


def tuning_autocorrelation(profiles: ArrayLike) -> Array:
    """Correlation of each moment's class means with the last moment's, (moments, units), -1..1.

    profiles: (moments, units, classes). A constant profile gives 1 if the last equals it, 0
    otherwise. Raises `ValueError` for another number of axes or no moments, and as `tuning_drift`.
    """
    series = np.asarray(profiles, dtype=np.float64)
    if series.ndim != 3 or not len(series):
        raise ValueError(f"Profiles are {series.shape}: give (moments, units, classes).")
    return np.stack([1 - tuning_drift(moment, series[-1]) for moment in series])


def label_survival(before: Sequence[str], after: Sequence[str]) -> float:
    """Share of the units labelled before that have the same label after, 0 to 1.

    before, after: a label for each unit, "" for none. A label that is lost counts as changed; nan
    if no unit had one. Raises `ValueError` for different numbers of units.
    """
    if len(before) != len(after):
        raise ValueError(
            f"{len(before)} labels before, {len(after)} after: give one for each unit."
        )
    kept = [old == new for old, new in zip(before, after, strict=True) if old]
    return sum(kept) / len(kept) if kept else float("nan")


def emergence_step(steps: ArrayLike, auc: ArrayLike) -> Array:
    """First step at which AUC − ½ is half of its final value or more, (units[, concepts]): t₅₀.

    steps: (moments,), rising. auc: (moments, units[, concepts]), 0..1, as from `auc_by_class` or
    `Answers.auc`. nan where the final AUC is 0.55 or less: nothing emerged. Raises `ValueError`
    unless each moment has its step and steps rise.
    """
    at, area = np.asarray(steps, dtype=np.float64), np.asarray(auc, dtype=np.float64)
    if not at.size or at.shape != area.shape[:1]:
        raise ValueError(f"Steps are {at.shape}, AUC {area.shape}: give one step for each moment.")
    if (np.diff(at) <= 0).any():
        raise ValueError(f"Steps are {at.tolist()}: give them in rising order, each once.")
    first = (area >= (area[-1] + 0.5) / 2).argmax(0)
    found: Array = np.where(area[-1] > 0.5 + EMERGED, at[first], np.nan)
    return found


def mean_absolute_correlation(x: ArrayLike) -> float:
    """Mean |correlation| of two different units of a layer, 0 (each its own) to 1 (copies).

    x: (n, units). Constant units are left out; nan if fewer than two vary. Raises `ValueError`
    unless x is finite, with two digits or more.
    """
    layer = _layer(x)
    normed = _normed(layer[:, layer.any(0)])
    units = normed.shape[1]
    if units < 2:
        return float("nan")
    above = np.abs(normed.T @ normed)[np.triu_indices(units, 1)]
    return float(above.mean().clip(0, 1))


def participation_ratio(x: ArrayLike) -> float:
    """Effective number of dimensions of a layer, 1 to its units: (Σλ)² / Σλ².

    x: (n, units). λ: eigenvalues of the units' covariance (Gao et al. 2017, doi:10.1101/214262).
    0 where all units are constant. Raises as `mean_absolute_correlation`.
    """
    layer = _layer(x)
    covariance = layer.T @ layer  # a common factor cancels
    power = np.square(covariance).sum()  # the squared Frobenius norm is Σλ², the trace Σλ
    return float(np.trace(covariance) ** 2 / power) if power > 0 else 0.0


def area_under_curve(removed_share: ArrayLike, accuracy: ArrayLike) -> float:
    """Mean accuracy while more and more units are ablated, 0 to 1; high for a robust network.

    removed_share: (points,), rising within 0..1. accuracy: (points,). Trapezoids over the range of
    removed_share, divided by it (Morcos et al. 2018, arXiv:1803.06959). Raises `ValueError` unless
    there are two points or more, each with both values, in rising order within 0..1.
    """
    share, right = (np.asarray(of, dtype=np.float64) for of in (removed_share, accuracy))
    if share.shape != right.shape or share.ndim != 1 or len(share) < 2:
        raise ValueError(
            f"Shares are {share.shape}, accuracies {right.shape}: give both (points,), two or more."
        )
    if (np.diff(share) <= 0).any() or share[0] < 0 or share[-1] > 1:
        raise ValueError(f"Removed shares are {share.tolist()}: give them rising, within 0..1.")
    return float(np.trapezoid(right, share) / (share[-1] - share[0]))


def _layers(x: ArrayLike, y: ArrayLike) -> tuple[Array, Array]:
    """Both layers' centred activations of the same digits."""
    a, b = _layer(x), _layer(y)
    if len(a) != len(b):
        raise ValueError(f"{len(a)} and {len(b)} digits: give both networks the same digits.")
    return a, b


def _layer(x: ArrayLike) -> Array:
    """Centred activations of one layer, (n, units)."""
    values = np.asarray(x, dtype=np.float64)
    if values.ndim != 2 or len(values) < 2 or not values.size:
        raise ValueError(
            f"Activations are {values.shape}: give (n, units), two digits and one unit or more."
        )
    if not np.isfinite(values).all():
        units = np.flatnonzero(~np.isfinite(values).all(0)).tolist()
        raise ValueError(f"Units {units} have nan or infinite activations: give finite ones.")
    return _centred(values)


def _centred(columns: Array) -> Array:
    """Columns less their mean."""
    moved = columns - columns[:1]  # first, so that a constant column is exactly 0
    centred: Array = moved - moved.mean(0)
    return centred


def _normed(centred: Array) -> Array:
    """Columns of length 1; those of zeros stay."""
    length = np.linalg.norm(centred, axis=0)
    normed: Array = np.divide(centred, length, out=np.zeros_like(centred), where=length > 0)
    return normed


def _matched(strength: Array) -> Array:
    """Entries of the one-to-one assignment of the largest sum."""
    chosen: Array = strength[linear_sum_assignment(strength, maximize=True)]
    return chosen
