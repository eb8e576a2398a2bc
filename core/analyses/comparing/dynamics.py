"""How units change over training, differ between networks, and share the work under dropout.

Activations are (n, units): one row for each digit, the same digits in the same order for two
networks. Profiles are (units, classes): each unit's class means.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.statistics.matching import both_layers, centred, centred_layer, normed

__all__ = [
    "area_under_curve",
    "emergence_step",
    "label_survival",
    "linear_cka",
    "mean_absolute_correlation",
    "participation_ratio",
    "tuning_autocorrelation",
    "tuning_drift",
]

Array = NDArray[np.float64]

EMERGED = 0.05  # AUC above one half that a unit must end with before its rise has a time


def linear_cka(x: ArrayLike, y: ArrayLike) -> float:
    """Linear centred kernel alignment of two layers, 0 (nothing shared) to 1.

    x: (n, units). y: (n, other units). ‖yᵀx‖² / (‖xᵀx‖ ‖yᵀy‖) of centred activations, Frobenius
    norms; the same under rotation and scaling of a layer (Kornblith et al. 2019,
    arXiv:1905.00414). 0 where all units of one are constant. Raises `ValueError` unless both are
    finite, of as many digits, two or more.
    """
    a, b = both_layers(x, y)
    norms = np.linalg.norm(a.T @ a) * np.linalg.norm(b.T @ b)
    return float(np.linalg.norm(b.T @ a) ** 2 / norms) if norms > 0 else 0.0


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
    correlation = (normed(centred(a.T)) * normed(centred(b.T))).sum(0)
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
    layer = centred_layer(x)
    varying = normed(layer[:, layer.any(0)])
    units = varying.shape[1]
    if units < 2:
        return float("nan")
    above = np.abs(varying.T @ varying)[np.triu_indices(units, 1)]
    return float(above.mean().clip(0, 1))


def participation_ratio(x: ArrayLike) -> float:
    """Effective number of dimensions of a layer, 1 to its units: (Σλ)² / Σλ².

    x: (n, units). λ: eigenvalues of the units' covariance (Gao et al. 2017, doi:10.1101/214262).
    0 where all units are constant. Raises as `mean_absolute_correlation`.
    """
    layer = centred_layer(x)
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
