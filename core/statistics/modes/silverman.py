"""The critical bandwidth: how much a sample must be smoothed until one mode is left.

Silverman (1981, Journal of the Royal Statistical Society B 43:97) asks whether samples of the
density that is just smooth enough would need as much smoothing. Modes are counted between the 1 %
and the 99 % quantile, as Hall & York (2001, Statistica Sinica 11:515) found necessary: in a tail
every value is a bump of its own.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.arguments import whole
from core.statistics.modes.density import binned, smoothed

__all__ = [
    "DRAWS",
    "SHARES",
    "SIZES",
    "Critical",
    "critical_bandwidths",
    "critical_p_values",
    "modes_inside",
]

Numbers = NDArray[np.float64]

DRAWS = 199  # samples of the smoothed density
SIZES = (50, 100, 200, 500, 1000, 2000)  # of the samples in the table of chance
SHARES = (0.0, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1.0)
_POINTS = 256  # of the grid; its middle half is the interval in which modes count
_INSIDE = slice(_POINTS // 4, 3 * _POINTS // 4 + 1)
_WIDTHS = np.geomspace(_POINTS / 2, 1.5, 28)  # tried from the widest, in grid steps
_HALVINGS = 8
_FLAT = 1e-9  # of the highest point: smaller steps are rounding


@dataclass(frozen=True)
class Critical:
    """(units,) each: the critical bandwidth, and the share of smoothed samples with more modes."""

    bandwidths: Numbers
    shares: Numbers


def critical_bandwidths(
    values: ArrayLike, random: np.random.Generator, *, modes: int = 1, draws: int = DRAWS
) -> Critical:
    """Critical bandwidths for `modes` modes, of values (n, units) that each have some spread."""
    x = np.asarray(values, dtype=np.float64)
    modes, draws = whole(modes, "modes", 1), whole(draws, "draws", 1)
    low, high = np.quantile(x, [0.01, 0.99], axis=0)
    wide = np.where(high > low, high - low, np.ptp(x, axis=0))
    step = 2 * wide / (_POINTS - 1)
    counts = _counts(x, low - wide / 2, step)
    critical = _critical(counts, modes)
    inflated = np.sqrt(1 + np.square(critical * step / x.std(0)))
    centre = (x.mean(0) - low + wide / 2) / step
    shares = [
        (_sampled(of, width, (scale, middle), (draws, len(x)), random) > modes).mean()
        for of, width, scale, middle in zip(counts, critical, inflated, centre, strict=True)
    ]
    return Critical(critical * step, np.array(shares))


def critical_p_values(shares: ArrayLike, n: int) -> Numbers:
    """How often a law with a single peak gives shares as low, by Monte Carlo for samples of `n`.

    Of the Gaussian, exponential, t₃ and lognormal laws the one that does so most often counts. A
    law that is flat instead of peaked, the uniform one, does it more often still.
    Raises `ValueError` for n below 50.
    """
    n = whole(n, "n")
    if n < SIZES[0]:
        raise ValueError(f"n is {n}: give at least {SIZES[0]} values, for which the table holds.")
    sizes, chances = _table()
    place = np.log(min(n, SIZES[-1]))
    here = [np.interp(place, np.log(sizes), column) for column in chances.T]
    return np.asarray(np.interp(np.asarray(shares, dtype=np.float64), SHARES, here))


@cache
def _table() -> tuple[Numbers, Numbers]:
    """Sizes, and for each how often chance has at most each of `SHARES`; never quite 0."""
    text = (
        resources.files("core.statistics.modes").joinpath("smooth.json").read_text(encoding="utf-8")
    )
    kept = json.loads(text)
    least = 1 / (kept["draws"] + 1)
    return np.array(kept["sizes"], float), np.clip(np.array(kept["chances"], float), least, 1)


def _counts(x: Numbers, low: Numbers, step: Numbers) -> Numbers:
    """(units, points): values on the grid; those that lie beyond it are left out."""
    counts = binned(x, low - step, step, _POINTS + 2)
    return counts[:, 1:-1]


def _critical(counts: Numbers, modes: int) -> Numbers:
    """(units,): the least width, in grid steps, from which on there are no more modes."""
    many = modes_inside(smoothed(counts, _WIDTHS[:, None])) > modes
    first = np.where(many.any(0), many.argmax(0), len(_WIDTHS) - 1).clip(1)
    low, high = _WIDTHS[first], _WIDTHS[first - 1]
    for _ in range(_HALVINGS):
        middle = np.sqrt(low * high)
        more = modes_inside(smoothed(counts, middle)) > modes
        low, high = np.where(more, middle, low), np.where(more, high, middle)
    return np.asarray(high)


def modes_inside(heights: Numbers, inside: slice = _INSIDE) -> NDArray[np.int64]:
    """How many peaks each density (..., points) has strictly inside the interval."""
    steps = np.diff(heights[..., inside], axis=-1)
    signs = np.sign(np.where(np.abs(steps) > _FLAT * heights.max(-1)[..., None], steps, 0))
    # on a plateau the last step that wasn't flat counts
    last = np.maximum.accumulate(np.where(signs != 0, np.arange(signs.shape[-1]), 0), axis=-1)
    signs = np.take_along_axis(signs, last, -1)
    return np.asarray(((signs[..., :-1] > 0) & (signs[..., 1:] < 0)).sum(-1))


def _sampled(
    counts: Numbers,
    width: float,
    scaling: tuple[float, float],
    size: tuple[int, int],
    random: np.random.Generator,
) -> NDArray[np.int64]:
    """(draws,): how many modes samples of the density, smoothed by `width`, have at that width.

    size: how many samples, and of how many values. Such samples have a larger variance than the
    values, which is taken back (Silverman 1981): width and interval grow by the scale around the
    centre instead.
    """
    (scale, centre), (draws, n) = scaling, size
    chances = smoothed(counts, np.array(width)) / n
    beyond = max(0.0, 1 - float(chances.sum()))
    drawn = random.multinomial(n, np.append(chances, beyond) / (chances.sum() + beyond), draws)
    heights = smoothed(drawn[:, :-1].astype(np.float64), np.full(draws, width * scale))
    ends = [round(centre + (end - centre) * scale) for end in (_INSIDE.start, _INSIDE.stop)]
    return modes_inside(heights, slice(max(ends[0], 0), min(ends[1], _POINTS)))
