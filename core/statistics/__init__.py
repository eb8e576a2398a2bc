"""Closed-form statistics on arrays, by class and for many units at once.

Values are (n, units): one row for each digit. Labels are (n,), whole numbers from 0.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import false_discovery_control, norm, rankdata

__all__ = [
    "adjusted",
    "auc_by_class",
    "class_moments",
    "d_prime_by_class",
    "effective_number",
    "entropy",
    "frequency_bins",
    "lifetime_sparseness",
    "mantel_haenszel",
    "mean_interval",
    "middle_ranks",
    "mutual_information",
    "paired_interval",
    "rate_bound",
    "selectivity_index",
    "wilson_interval",
]

Array = NDArray[np.float64]
Whole = NDArray[np.int64]

BINS = 8  # equal-frequency bins above zero, for mutual information


def selectivity_index(class_means: ArrayLike, preferred: ArrayLike | None = None) -> Array:
    """(μ_preferred − mean of the other classes) / (their sum), over the last axis, in -1..1.

    preferred: the class that counts, one for each unit; the largest mean's when None. 0 where all
    means are 0. Raises `ValueError` for negative means, for which the index has no meaning
    (Morcos et al. 2018, arXiv:1803.06959).
    """
    means = np.asarray(class_means, dtype=np.float64)
    if (means < 0).any():
        raise ValueError(f"a class mean is {means.min():.3g}: give means after a ReLU, from 0 up.")
    chosen = means.argmax(-1) if preferred is None else np.asarray(preferred)
    top = np.take_along_axis(means, chosen[..., None], -1)[..., 0]
    others = (means.sum(-1) - top) / (means.shape[-1] - 1)
    return _ratio(top - others, top + others)


def class_moments(values: ArrayLike, labels: ArrayLike, classes: int) -> tuple[Array, Array, Array]:
    """Means (units, classes), variances with ddof 1 (units, classes) and counts (classes,).

    The mean of a class without digits is 0, the variance of one with fewer than two as well.
    """
    x, members = np.asarray(values, dtype=np.float64), _members(labels, classes)
    count = members.sum(0)
    middle = x.mean(0)  # taken off first, so that a constant unit has a variance of exactly 0
    centred = x - middle
    mean = _ratio(centred.T @ members, count)
    squares = np.square(centred).T @ members
    variance = _ratio(squares - count * mean**2, np.maximum(count - 1, 0)).clip(0)
    means = np.where(count > 0, mean + middle[:, None], 0.0)
    # taking the middle off and adding it again must not make a silent unit's mean negative
    return np.clip(means, x.min(0)[:, None].clip(max=0), None), variance, count


def mean_interval(mean: ArrayLike, variance: ArrayLike, count: ArrayLike) -> tuple[Array, Array]:
    """Lower and upper end of the 95 % interval of a mean, mean ± 1.96 standard errors."""
    error = norm.ppf(0.975) * np.sqrt(_ratio(variance, count))
    return np.asarray(mean) - error, np.asarray(mean) + error


def middle_ranks(values: ArrayLike, axis: int = 0) -> Array:
    """Ranks from 1 on along an axis, ties at their middle, float64 whatever the values are.

    From SciPy 1.18 on the ranks of single numbers are single too, and sums over them inexact.
    """
    ranks: Array = rankdata(np.asarray(values, dtype=np.float64), axis=axis)
    return ranks


def auc_by_class(values: ArrayLike, labels: ArrayLike, classes: int) -> Array:
    """Area under the ROC curve of each class against all others, (units, classes).

    U / (n₁ n₀) with mid-ranks, so a tie counts half; 0.5 for a class that is empty or everything.
    """
    return auc_from_ranks(middle_ranks(values), labels, classes)


def auc_from_ranks(ranks: Array, labels: ArrayLike, classes: int) -> Array:
    """`auc_by_class` of values that are ranked already."""
    members = _members(labels, classes)
    inside = members.sum(0)
    outside = len(members) - inside
    u = ranks.T @ members - inside * (inside + 1) / 2
    pairs = inside * outside
    return np.where(pairs > 0, _ratio(u, pairs), 0.5)


def d_prime_by_class(values: ArrayLike, labels: ArrayLike, classes: int) -> Array:
    """(μ₁ − μ₀) / √((σ₁² + σ₀²) / 2) of each class against all others, (units, classes).

    Without any spread it is 0 where the means are equal and infinite where they aren't.
    """
    x, members = np.asarray(values, dtype=np.float64), _members(labels, classes)
    x = x - x.mean(0)
    inside = members.sum(0)
    outside = len(members) - inside
    sums, squares = x.T @ members, np.square(x).T @ members
    mean1, mean0 = _ratio(sums, inside), _ratio(x.sum(0)[:, None] - sums, outside)
    rest = np.square(x).sum(0)[:, None] - squares
    var1 = _ratio(squares - inside * mean1**2, np.maximum(inside - 1, 0)).clip(0)
    var0 = _ratio(rest - outside * mean0**2, np.maximum(outside - 1, 0)).clip(0)
    spread, apart = np.sqrt((var1 + var0) / 2), mean1 - mean0
    apart = np.where(np.abs(apart) > 1e-12 * (1 + np.abs(mean1)), apart, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(apart == 0, 0.0, apart / spread)


def frequency_bins(values: ArrayLike, bins: int = BINS) -> Whole:
    """Each value's bin, (n, units): 0 for what is not above zero, then 1..bins, equally frequent.

    Equal values share a bin, so the atom that a ReLU makes at zero is a bin of its own.
    """
    x = np.asarray(values, dtype=np.float64)
    above = x > 0
    ranks = middle_ranks(np.where(above, x, -np.inf))
    zeros = (~above).sum(0)
    among = (ranks - zeros - 0.5) / np.maximum(above.sum(0), 1)  # 0..1 within what is above zero
    return np.where(above, 1 + np.floor(among * bins).clip(0, bins - 1), 0).astype(np.int64)


def mutual_information(binned: Whole, labels: ArrayLike, classes: int) -> Array:
    """Mutual information of bin and class in bits, (units,), Miller–Madow corrected, at least 0.

    binned: (n, units), from `frequency_bins`. A perfect detector of one of ten equally frequent
    classes has 0.469 bit.
    """
    units = binned.shape[1]
    cells = int(binned.max()) + 1
    place = (np.arange(units) * cells + binned) * classes + np.asarray(labels)[:, None]
    joint = np.bincount(place.ravel(), minlength=units * cells * classes)
    joint = joint.reshape(units, cells, classes)
    bits = _entropy(joint.sum(2)) + _entropy(joint.sum(1)) - _entropy(joint.reshape(units, -1))
    return np.maximum(bits, 0.0)


def lifetime_sparseness(values: ArrayLike) -> Array:
    """0 for a unit that answers all alike to 1 for one answer only, (units,); 0 for a silent unit.

    (1 − (Σr/n)² / (Σr²/n)) / (1 − 1/n) (Rolls & Tovee 1995; Vinje & Gallant 2000).
    """
    r = np.asarray(values, dtype=np.float64)
    power = np.square(r).mean(0)
    return np.where(
        power > 0, (1 - _ratio(np.square(r.mean(0)), power)) / (1 - 1 / max(len(r), 2)), 0.0
    )


def effective_number(weights: ArrayLike) -> Array:
    """exp of the entropy of the weights as shares, over the last axis; 0 where all are 0."""
    w = np.asarray(weights, dtype=np.float64)
    total = w.sum(-1, keepdims=True)
    share = _ratio(w, total)
    logs = np.log(share, out=np.zeros_like(share), where=share > 0)
    return np.where(total[..., 0] > 0, np.exp(-(share * logs).sum(-1)), 0.0)


def entropy(shares: ArrayLike) -> Array:
    """Entropy in bits over the last axis of shares that sum to 1; 0 log 0 is 0."""
    p = np.asarray(shares, dtype=np.float64)
    logs = np.log2(p, out=np.zeros_like(p), where=p > 0)
    bits: Array = np.maximum(-(p * logs).sum(-1), 0.0)
    return bits


def wilson_interval(hits: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Wilson's interval of a proportion. Raises `ValueError` unless 0 <= hits <= n and n >= 1."""
    if not 0 <= hits <= n or n < 1:
        raise ValueError(f"{hits} of {n} is no proportion: give 0 <= hits <= n, n at least 1.")
    z = float(norm.ppf((1 + level) / 2))
    share = hits / n
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return float(middle - half), float(middle + half)


def paired_interval(lost: ArrayLike, won: ArrayLike, n: ArrayLike) -> tuple[Array, Array]:
    """Lower and upper end of the 95 % interval of (won − lost) / n, the change of a proportion.

    lost, won: of n cases, those right before and not after, and the reverse. One is added to each,
    so that nothing seen isn't nothing possible (Bonett & Price 2012).
    """
    total = np.asarray(n, dtype=np.float64) + 2
    down, up = ((np.asarray(side) + 1) / total for side in (lost, won))
    return mean_interval(up - down, down + up - (up - down) ** 2, total)


def mantel_haenszel(
    groups: ArrayLike, strata: ArrayLike, flags: ArrayLike, count: int
) -> tuple[Array, Array, Array]:
    """Flagged cases in each group beside what the strata explain, each (groups, flags).

    groups: (n,), whole numbers below `count`. strata: (n,). flags: bool (n, flags). Gives how many
    are flagged; how many would be, had each stratum's cases been dealt to groups at random; and z,
    the difference over its standard deviation, 0 where the strata leave no choice (Mantel &
    Haenszel 1959).
    """
    belongs = np.asarray(strata)[:, None] == np.unique(np.asarray(strata))
    inside, has = _members(groups, count), np.asarray(flags, dtype=np.float64)
    members = belongs.astype(np.float64)
    size = members.sum(0)  # (strata,)
    rate = (members.T @ has) / size[:, None]  # (strata, flags)
    here = inside.T @ members  # (groups, strata)
    spare = here * (size - here) / np.maximum(size - 1, 1)
    flagged, expected = inside.T @ has, here @ rate
    spread = np.sqrt(spare @ (rate * (1 - rate)))
    return flagged, expected, np.where(spread > 1e-9, _ratio(flagged - expected, spread), 0.0)


def rate_bound(n: int) -> float:
    """Upper 95 % bound of a rate of which none was seen in n; about 3 / n."""
    return float(1 - 0.05 ** (1 / n))


def adjusted(p_values: ArrayLike) -> Array:
    """Benjamini & Hochberg's (1995) adjusted p-values, of the same shape.

    The lowest false discovery rate at which each hypothesis is rejected.
    """
    found: Array = false_discovery_control(np.asarray(p_values, dtype=np.float64), axis=None)
    return found


def _members(labels: ArrayLike, classes: int) -> Array:
    """(n, classes): 1 where the digit is of the class."""
    members: Array = (np.asarray(labels)[:, None] == np.arange(classes)).astype(np.float64)
    return members


def _ratio(above: ArrayLike, below: ArrayLike) -> Array:
    """above / below, 0 where below is 0."""
    top, bottom = np.broadcast_arrays(
        np.asarray(above, dtype=np.float64), np.asarray(below, dtype=np.float64)
    )
    ratio: Array = np.divide(top, bottom, out=np.zeros(top.shape), where=bottom != 0)
    return ratio


def _entropy(counts: NDArray[np.int64]) -> Array:
    """Entropy in bits over the last axis, Miller–Madow: plus (cells seen − 1) / 2n nats."""
    n = counts.sum(-1, keepdims=True)
    share = _ratio(counts, n)
    logs = np.log2(share, out=np.zeros_like(share), where=share > 0)
    seen = (counts > 0).sum(-1)
    bias: Array = (seen - 1) / (2 * np.maximum(n[..., 0], 1) * np.log(2))
    bits: Array = bias - (share * logs).sum(-1)
    return bits
