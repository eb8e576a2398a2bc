"""Smooth densities of many units at once, their bandwidths, and their modes.

A kernel density on a grid is a convolution, so it is made by fast Fourier transform of counts in
bins (Silverman 1982, Applied Statistics 31:93), in time that hardly depends on how many values
there are. The grid reaches three bandwidths beyond the values: a mode at their edge is one too.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.fft import dct, irfft, rfft
from scipy.signal import find_peaks, peak_prominences

__all__ = [
    "POINTS",
    "PROMINENCE",
    "Density",
    "Peaks",
    "bandwidth",
    "binned",
    "densities",
    "density",
    "peaks_of",
    "smoothed",
]

Numbers = NDArray[np.float64]
Places = NDArray[np.int64]

POINTS = 1000  # of a grid
PADDING = 3.0  # bandwidths beyond the lowest and the highest value
PROMINENCE = 0.05  # of the highest peak: what is lower is a ripple
_FINE = 512  # bins in which a bandwidth is chosen
_STAGES = 7  # of the improved Sheather–Jones rule
_TIMES = (1e-9, 0.1)  # between which its equation is solved, in squared ranges
_TRIED, _ZOOMS = 16, 3  # times tried at once, and how often between two of them


@dataclass(frozen=True)
class Density:
    """Heights (points,) over an even grid (points,), of values smoothed by `bandwidth`."""

    grid: Numbers
    heights: Numbers
    bandwidth: float


@dataclass(frozen=True)
class Peaks:
    """Peaks of a density from left to right, (peaks,) each.

    at: their places in the grid. prominences: how far each rises above the higher of the two
    saddles that part it from higher ground. valleys: (peaks - 1,), the lowest places between.
    """

    at: Places
    prominences: Numbers
    valleys: Places


def density(values: ArrayLike, width: float | None = None, *, points: int = POINTS) -> Density:
    """The Gaussian kernel density of finite values (n,); width: its bandwidth, chosen when None."""
    x = np.asarray(values, dtype=np.float64).ravel()
    chosen = bandwidth(x) if width is None else width
    grids, heights = densities(x[:, None], np.array([chosen]), points=points)
    return Density(grids[0], heights[0], float(chosen))


def densities(
    values: ArrayLike, widths: ArrayLike, *, points: int = POINTS
) -> tuple[Numbers, Numbers]:
    """Grids and heights, (units, points) each, of values (n, units) with a bandwidth for each unit.

    Raises `ValueError` unless every bandwidth is above 0.
    """
    x, h = np.asarray(values, dtype=np.float64), np.asarray(widths, dtype=np.float64)
    if not (h > 0).all():
        raise ValueError(f"a bandwidth is {h.min():g}: give widths above 0, as `bandwidth` does.")
    low, high = x.min(0) - PADDING * h, x.max(0) + PADDING * h
    step = (high - low) / (points - 1)
    counts = binned(x, low, step, points)
    heights = smoothed(counts, h / step) / (len(x) * step[:, None])
    return low[:, None] + step[:, None] * np.arange(points), heights


def binned(values: Numbers, low: Numbers, step: Numbers, points: int) -> Numbers:
    """(units, points): how much of the values (n, units) falls on each point of the units' grids.

    A value between two points is shared by both, the nearer one having more (linear binning).
    """
    units = values.shape[1]
    place = np.clip((values - low) / step, 0, points - 1.000001)
    left = place.astype(np.int32)
    share = place - left
    left += np.arange(units, dtype=np.int32) * points
    size = units * points
    flat, right = left.ravel(), share.ravel()
    whole = np.bincount(flat, minlength=size).astype(np.float64)
    after = np.bincount(flat, right, size)
    whole -= after
    whole[1:] += after[:-1]
    return whole.reshape(units, points)


def smoothed(counts: Numbers, widths: ArrayLike) -> Numbers:
    """Counts (..., points) convolved with Gaussians of `widths` in grid steps; none wraps."""
    points = counts.shape[-1]
    size = 2 * points
    frequency = np.arange(size // 2 + 1) * (2 * np.pi / size)
    kernel = np.exp(-0.5 * np.square(np.asarray(widths)[..., None] * frequency))
    wide = irfft(rfft(counts, size, axis=-1) * kernel, size, axis=-1)
    heights: Numbers = np.clip(wide[..., :points], 0, None)
    return heights


def peaks_of(heights: ArrayLike, least: float = PROMINENCE) -> Peaks:
    """The peaks whose prominence is at least `least` of the highest point.

    A plateau is one peak, in its middle; a peak on the first or last point counts too.
    """
    y = np.asarray(heights, dtype=np.float64)
    padded = np.concatenate([[-np.inf], y, [-np.inf]])
    found, _ = find_peaks(padded)
    rises = peak_prominences(np.concatenate([[0.0], y, [0.0]]), found)[0] if len(found) else found
    keep = rises >= least * y.max()
    at = found[keep] - 1
    valleys = [int(a + y[a : b + 1].argmin()) for a, b in pairwise(at)]
    return Peaks(at, np.asarray(rises)[keep].astype(float), np.array(valleys, dtype=np.int64))


def bandwidth(values: ArrayLike) -> float:
    """The width that the improved Sheather–Jones rule gives (Botev et al. 2010, arXiv:1011.2602).

    It assumes no shape, so it doesn't smooth two modes into one, as Scott's rule does. Where its
    equation has no solution, and for tiny samples, Silverman's rule of thumb is taken. Raises
    `ValueError` for values without spread.
    """
    x = np.asarray(values, dtype=np.float64).ravel()
    spread = float(x.std())
    if not spread > 0:
        raise ValueError("all values are the same: a density needs some spread.")
    low, high = float(x.min()), float(x.max())
    margin = (high - low) / 10
    low, width = low - margin, (high - low) + 2 * margin
    counts = binned(x[:, None], np.array([low]), np.array([width / (_FINE - 1)]), _FINE)[0]
    time = _diffusion_time(dct(counts / len(x), type=2), len(np.unique(x)))
    if time is None:
        quartiles = np.subtract(*np.percentile(x, [75, 25])) / 1.34
        return float(0.9 * (min(spread, quartiles) or spread) * len(x) ** -0.2)
    return float(np.sqrt(time) * width)


def _diffusion_time(cosines: Numbers, n: int) -> float | None:
    """The squared bandwidth, in squared ranges, that solves the rule's equation, if one does."""
    squares = np.arange(1, len(cosines)) ** 2.0
    powers = np.square(cosines[1:] / 2)

    def roughness(order: int, times: Numbers) -> Numbers:
        """‖f⁽ᵒ⁾‖² of the density diffused for each of the times."""
        weights = np.exp(order * np.log(squares) - squares * np.pi**2 * times[:, None])
        found: Numbers = 2 * np.pi ** (2 * order) * (weights @ powers)
        return found

    def wanted(times: Numbers) -> Numbers:
        """Each time minus the best time for the roughness that it itself implies."""
        found = roughness(_STAGES, times)
        for order in range(_STAGES - 1, 1, -1):
            odd = float(np.prod(np.arange(1, 2 * order, 2))) / np.sqrt(2 * np.pi)
            factor = (1 + 0.5 ** (order + 0.5)) / 3
            found = roughness(order, (2 * factor * odd / (n * found)) ** (2 / (3 + 2 * order)))
        return np.asarray(times - (2 * n * np.sqrt(np.pi) * found) ** -0.4)

    low, high = _TIMES
    with np.errstate(all="ignore"):
        for _ in range(_ZOOMS):
            times = np.geomspace(low, high, _TRIED)
            above = wanted(times) >= 0
            crossing = np.flatnonzero(~above[:-1] & above[1:])
            if not len(crossing):
                return None
            low, high = times[crossing[0]], times[crossing[0] + 1]
    return float(np.sqrt(low * high))
