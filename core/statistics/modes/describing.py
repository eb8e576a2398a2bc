"""Two numbers that are often taken for tests of bimodality, and are descriptions only.

On laws with a single mode the coefficient exceeds its threshold for every skewed law, and two
Gaussians describe any law better that isn't one: see `python -m bench.modality`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["THRESHOLD", "bic_gain", "bimodality_coefficient"]

Numbers = NDArray[np.float64]

THRESHOLD = 5 / 9  # the coefficient of a uniform law
_ROUNDS = 200  # of expectation and maximization
_LITTLE = 1e-5  # of log likelihood a value: what gains less has converged
_SMALLEST = 1e-3  # of the sample's variance: a component on a few values would win otherwise
_STARTS = (0.15, 0.5, 0.85)  # quantiles at which the sample is first cut in two


def bimodality_coefficient(values: ArrayLike) -> float:
    """(g² + 1) / (k + 3(n−1)² / ((n−2)(n−3))), g and k skewness and excess kurtosis, unbiased.

    1/3 for a Gaussian law, 5/9 for a uniform and also for an exponential one (Pfister et al. 2013).
    Raises `ValueError` for fewer than four values, or values without spread.
    """
    x = np.asarray(values, dtype=np.float64).ravel()
    n = len(x)
    if n < 4 or x.min() == x.max():
        raise ValueError(f"{n} values, or all the same: give at least four that differ.")
    z = (x - x.mean()) / x.std()
    g1, g2 = float((z**3).mean()), float((z**4).mean()) - 3
    skewness = g1 * np.sqrt(n * (n - 1)) / (n - 2)
    kurtosis = (n - 1) / ((n - 2) * (n - 3)) * ((n + 1) * g2 + 6)
    return float((skewness**2 + 1) / (kurtosis + 3 * (n - 1) ** 2 / ((n - 2) * (n - 3))))


def bic_gain(values: ArrayLike) -> float:
    """BIC of one Gaussian minus that of two; above 10 is usually called strong evidence for two.

    The two have means, variances and weights of their own, fitted by expectation and maximization
    from three starts (Schwarz 1978). Raises `ValueError` for values without spread.
    """
    x = np.asarray(values, dtype=np.float64).ravel()
    if not len(x) or x.min() == x.max():
        raise ValueError("all values are the same: a Gaussian needs some spread.")
    z = (x - x.mean()) / x.std()
    one = -0.5 * len(z) * (1 + np.log(2 * np.pi))
    two = max(_fitted(z, z > np.quantile(z, cut)) for cut in _STARTS)
    return float(2 * (two - one) - 3 * np.log(len(z)))


def _fitted(z: Numbers, upper: NDArray[np.bool_]) -> float:
    """The log likelihood of two Gaussians, fitted from a first division of the values."""
    belongs = np.stack([~upper, upper]) * 0.9 + 0.05
    before = -np.inf
    for _ in range(_ROUNDS):
        mass = belongs.sum(1)
        mean = belongs @ z / mass
        variance = np.maximum((belongs * np.square(z - mean[:, None])).sum(1) / mass, _SMALLEST)
        each = np.log(mass / len(z)) - 0.5 * np.log(2 * np.pi * variance)
        joint = each[:, None] - 0.5 * np.square(z - mean[:, None]) / variance[:, None]
        total = np.logaddexp(joint[0], joint[1])
        now = float(total.sum())
        belongs = np.exp(joint - total)
        if now - before < _LITTLE * len(z):
            break
        before = now
    return now
