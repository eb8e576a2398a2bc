"""Where the modes of one unit's values are, once a test has said that there are several.

Peaks of the density at its usual bandwidth, where they stand. One bandwidth can't show all modes,
though, when one is far narrower than another: beside a spike a broad mode is a low ripple, and a
single value far off leaves no points of the grid to the rest. Then the scale decides, as in scale
space (Silverman 1981; Minnotte & Scott 1993): the more a density is smoothed the fewer modes it
has, and k modes are looked for halfway between the bandwidths at which there begin to be k and
more than k, among the values in reach of the middle 98 %.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from core.statistics.modes.density import (
    PROMINENCE,
    Density,
    Peaks,
    binned,
    density,
    peaks_of,
    smoothed,
)
from core.statistics.modes.sample import Sample
from core.statistics.modes.silverman import critical_bandwidths, critical_p_values

__all__ = ["RATE", "STABLE", "Mode", "count_modes", "locate"]

Numbers = NDArray[np.float64]

RATE = 0.05  # of false claims
STABLE = 0.9  # of resamples in which a mode must be there
_RESAMPLES = 40
_MOST = 6  # modes
_WIDTHS = (0.8, 1.0, 1.25)  # times the bandwidth, at which a mode must be there too
_STILL = 0.025  # of the highest peak: prominence by which a mode is known again in a resample
_MIDDLE = (0.01, 0.99)  # quantiles; half their distance on either side is in reach


@dataclass(frozen=True)
class Mode:
    """A peak of the density and what belongs to it.

    at: its place. height: of the density there. prominence: how far it rises above the saddle to
    higher ground, as a share of the highest peak. low, high: the valleys that bound it. share: of
    all values that lie between. stability: share of resamples, at three bandwidths, that have it.
    """

    at: float
    height: float
    prominence: float
    low: float
    high: float
    share: float
    stability: float


def count_modes(few: Numbers, random: np.random.Generator) -> int:
    """The fewest modes, from two on, that Silverman's test doesn't reject, of values (n,)."""
    for modes in range(2, _MOST):
        found = critical_bandwidths(few[:, None], random, modes=modes)
        if critical_p_values(found.shares, len(few))[0] >= RATE:
            return modes
    return _MOST


def locate(
    sample: Sample, width: float | None, count: int, random: np.random.Generator
) -> tuple[Density, tuple[Mode, ...]]:
    """The density, and its modes from left to right: `count` at the most.

    width: its bandwidth; where None the usual one, or another that shows more modes, or one where
    the usual one shows none. Fewer than two of several come out only if no bandwidth shows any.
    """
    usual = density(sample.smooth, width)
    modes = _modes(sample, sample.smooth, usual, random, count)
    if width is not None or count == 1:
        return usual, modes
    for fewer in range(count, max(len(modes), 2) - 1, -1):
        of, values = _at_scale(sample, fewer, random)
        standing = _modes(sample, values, of, random, fewer)
        if len(standing) > len(modes) or (len(standing) == len(modes) and _miss(modes, standing)):
            return of, standing
    if len(modes) < 2:
        of, values = _at_scale(sample, 2, random)
        return of, _modes(sample, values, of, random, 2, stable=0)
    return usual, modes


def _miss(modes: tuple[Mode, ...], others: tuple[Mode, ...]) -> bool:
    """Whether none of the modes lies where one of the others is."""
    return any(all(not of.low <= mode.at <= of.high for mode in modes) for of in others)


def _at_scale(sample: Sample, count: int, random: np.random.Generator) -> tuple[Density, Numbers]:
    """The density between where `count` modes begin and end to be all, and the values it is of."""
    low, high = np.quantile(sample.few, _MIDDLE)
    reach = (high - low or np.ptp(sample.few)) / 2
    values = sample.smooth[(sample.smooth >= low - reach) & (sample.smooth <= high + reach)]
    few = sample.few[:, None]
    ends = [critical_bandwidths(few, random, modes=of, draws=1) for of in (count - 1, count)]
    width = float(np.sqrt(ends[0].bandwidths[0] * ends[1].bandwidths[0]))
    of = density(values, width)
    return Density(of.grid, of.heights * len(values) / len(sample.smooth), width), values


def _modes(
    sample: Sample,
    values: Numbers,
    of: Density,
    random: np.random.Generator,
    count: int,
    stable: float = STABLE,
) -> tuple[Mode, ...]:
    """The peaks that resampling and other bandwidths leave, `count` at the most.

    values: those that the density is of. stable: share of resamples that leave them; 0 also takes
    ripples, where nothing else is left to take.
    """
    peaks = peaks_of(of.heights, PROMINENCE if stable else 0)
    stability = _stability(values, of, peaks, random) if count > 1 else np.ones(len(peaks.at))
    standing = np.where(stability >= stable, peaks.prominences, 0)
    keep = (standing > 0) & (standing >= np.sort(standing)[::-1][:count][-1])
    if not keep.any():
        keep[of.heights[peaks.at].argmax()] = True
    at = peaks.at[keep]
    valleys = [a + int(of.heights[a : b + 1].argmin()) for a, b in pairwise(at)]
    borders = [-np.inf, *of.grid[valleys].tolist(), np.inf]
    parts = np.searchsorted(np.sort(sample.smooth), borders)
    shares = np.diff(parts) / sample.n
    return tuple(
        Mode(
            at=float(of.grid[place]),
            height=float(of.heights[place]),
            prominence=float(peaks.prominences[keep][i] / of.heights.max()),
            low=borders[i],
            high=borders[i + 1],
            share=float(shares[i]),
            stability=float(stability[keep][i]),
        )
        for i, place in enumerate(at)
    )


def _stability(values: Numbers, of: Density, peaks: Peaks, random: np.random.Generator) -> Numbers:
    """(peaks,): the share of resamples, at several bandwidths, with a peak between its valleys."""
    if len(peaks.at) == 1:
        return np.ones(1)
    grid, step = of.grid, of.grid[1] - of.grid[0]
    low, steps = np.array([grid[0]]), np.array([step])
    counts = binned(values[:, None], low, steps, len(grid))[0]
    n = len(values)
    drawn = random.multinomial(n, counts / counts.sum(), _RESAMPLES).astype(np.float64)
    borders = [0, *peaks.valleys.tolist(), len(grid)]
    seen = np.zeros(len(peaks.at))
    for times in _WIDTHS:
        for heights in smoothed(drawn, np.full(_RESAMPLES, times * of.bandwidth / step)):
            again = peaks_of(heights, _STILL).at
            seen += np.histogram(again, borders)[0] > 0
    return np.asarray(seen / (len(_WIDTHS) * _RESAMPLES))
