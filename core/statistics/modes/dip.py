"""The dip: how far a sample is from every unimodal law, and how often chance goes as far.

The statistic is written from its description in Hartigan & Hartigan (1985, Annals of Statistics
13:70). A unimodal distribution function is convex up to its mode and concave behind it, so its best
fit hugs the sample's steps from below on the left and from above on the right. The two sides are a
greatest convex minorant and a least concave majorant, and each of these is an isotonic regression
of slopes.
"""

from __future__ import annotations

import json
from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import isotonic_regression

from core.arguments import whole

__all__ = ["SIZES", "TAILS", "dip", "dip_p_value", "uniform_dips"]

Numbers = NDArray[np.float64]
Places = NDArray[np.int64]

SIZES = (50, 100, 200, 400, 700, 1000, 1400, 2000)  # of the samples in the table
TAILS = tuple(np.geomspace(1e-4, 1, 49).round(7).tolist())  # shares of uniform samples beyond
_RARE, _COMMON = 0.002, 0.05  # shares between which the table is drawn out from
_GRAIN = 2.0**-30  # of the range: values closer than that count as tied


def dip(values: ArrayLike) -> float:
    """The largest distance of the sample's distribution function from the nearest unimodal one.

    values: finite, at least one, in any order. Tied values are an atom, which a unimodal law may
    have at its mode alone. 0 for a constant sample, else from 1/(2n) to 1/4. Neither shift nor
    scale changes it.
    """
    given = np.asarray(values, dtype=np.float64).ravel()
    if given.min() == given.max():
        return 0.0
    at, step = _positions(given), 1 / len(given)
    first, last, apart = 0, len(at) - 1, 0.0
    while last > first:
        here = at[first : last + 1]
        height: Numbers = np.arange(len(here)) * np.float64(
            step
        )  # of the lower corners; the upper are a step above
        convex, below = _fit(here, height, increasing=True)
        concave, above = _fit(here, height, increasing=False)
        gap, start, end = _modal_interval(concave - convex, below, above)
        if gap + step <= apart:
            break
        left = height[: start + 1] - convex[: start + 1]
        right = concave[end:] - height[end:]
        apart = max(apart, float(left.max()) + step, float(right.max()) + step)
        if (start, end) == (0, len(here) - 1):
            break
        first, last = first + start, first + end
    return apart / 2


def _modal_interval(gaps: Numbers, below: Places, above: Places) -> tuple[float, int, int]:
    """How far the two fits are apart at most, and between which places the mode then lies.

    gaps: majorant minus minorant, at each value. below, above: where the minorant and the majorant
    touch the sample. The interval goes from the place of the widest gap, where one of them touches,
    to the nearest place in the other direction where the other one does.
    """
    from_below, from_above = below[gaps[below].argmax()], above[gaps[above].argmax()]
    if gaps[from_below] > gaps[from_above]:
        start, end = from_below, above[np.searchsorted(above, from_below)]
    else:
        start, end = below[np.searchsorted(below, from_above, side="right") - 1], from_above
    return float(max(gaps[from_below], gaps[from_above])), int(start), int(end)


def _positions(values: Numbers) -> Numbers:
    """The values in order, scaled to 0..1, ties spread over less than a grain.

    So spread, an atom is a steep rise, whose fit costs nothing at the mode, as it should.
    """
    low, high = values.min() / 2, values.max() / 2  # halves, lest the range overflows
    whole = np.sort(np.rint((values / 2 - low) / (high - low) / _GRAIN))
    rank = np.arange(len(whole))
    tied = rank - np.maximum.accumulate(np.where(np.diff(whole, prepend=-1) > 0, rank, 0))
    spread: Numbers = (whole + tied / (2 * len(whole))) * _GRAIN
    return spread


def _fit(at: Numbers, heights: Numbers, *, increasing: bool) -> tuple[Numbers, Places]:
    """The convex minorant of points, or the concave majorant, and at which of them it touches.

    Its slopes are those of the points, made to rise, or to fall, by isotonic regression.
    """
    widths = at[1:] - at[:-1]
    slopes = (heights[1:] - heights[:-1]) / widths
    found = isotonic_regression(slopes, weights=widths, increasing=increasing)
    rise = np.concatenate([[0.0], np.cumsum(found.x * widths)])
    return heights[0] + rise, found.blocks


def dip_p_value(statistic: float, n: int) -> float:
    """The share of uniform samples of `n` values whose dip is as large, at least 0.0001.

    The uniform law is the unimodal one that is hardest to tell from two modes, so for all others
    the share is smaller. Read from a table by interpolation in √n · dip, between its sizes too;
    beyond 2,000 values √n · dip hardly depends on n. Raises `ValueError` for n below 50.
    """
    n = whole(n, "n")
    if n < SIZES[0]:
        raise ValueError(f"n is {n}: give at least {SIZES[0]} values, for which the table holds.")
    sizes, table = _table()
    root = float(np.sqrt(n)) * statistic
    place = np.log(min(n, SIZES[-1]))
    quantiles = np.array([np.interp(place, np.log(sizes), column) for column in table.T])
    # the table's quantiles fall as the tail grows; interpolation needs them rising
    tail = np.interp(root, quantiles[::-1], np.log(TAILS[::-1]))
    return float(np.exp(tail))


@cache
def _table() -> tuple[Numbers, Numbers]:
    """Sizes, and for each the √n · dip that each of `TAILS` of uniform samples exceeds."""
    text = (
        resources.files("core.statistics.modes")
        .joinpath("uniform.json")
        .read_text(encoding="utf-8")
    )
    kept = json.loads(text)
    quantiles = [_drawn_out(np.array(of)) for of in kept["quantiles"]]
    return np.array(kept["sizes"], float), np.array(quantiles)


def _drawn_out(quantiles: Numbers) -> Numbers:
    """The quantiles, those of the rarest samples from a line through commoner ones.

    Beyond them lie a few of the samples drawn. The share beyond t falls as exp(−c t²) does.
    """
    tails = np.array(TAILS)
    common = (tails >= _RARE) & (tails <= _COMMON)
    slope, start = np.polyfit(np.log(tails[common]), np.square(quantiles[common]), 1)
    line = np.sqrt(start + slope * np.log(tails))
    shift = quantiles[common][0] - line[common][0]
    return np.where(tails < _RARE, line + shift, quantiles)


def uniform_dips(n: int, draws: int, seed: int = 0) -> Numbers:
    """√n · dip of `draws` uniform samples of `n` values, from small to large."""
    random = np.random.default_rng([seed, n])
    return np.sort([np.sqrt(n) * dip(random.random(n)) for _ in range(draws)])
