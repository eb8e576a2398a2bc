"""Charts of densities and their modes: a unit's in full, and a whole layer's as small pictures."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from core.charts.base import HEIGHT, LEVEL, LINE, PHONE
from core.charts.intervals import bars_with_intervals, baseline
from core.colours import CONTROL, EDGE, LINE_AT_ZERO, MARK, MODEL, SERIES, rgb

__all__ = ["by_class", "class_makeup", "density_tiles", "mode_names", "unit_density"]

Bytes = NDArray[np.uint8]

_TALL, _WIDE = 56, 96  # pixels of a small density
_MARGIN = 4
_ROW, _FILLED = 32, 0.92  # pixels of a class's row, and the share that the highest density fills
_AXIS = 68  # pixels beside the bars of a mode: the axis, its title and the paddings
_CLAIMED, _OTHER, _LINE, _STRIPE = (rgb(of) for of in (MODEL, CONTROL, LINE_AT_ZERO, EDGE))
_ATOM = "exactly 0"
_MODES = tuple(colour for colour in SERIES if colour != MARK)  # orange is the followed digit


def mode_names(modes: int, apart: bool) -> tuple[list[str], list[str]]:
    """What the atom and the modes are called, and their colours."""
    names = [f"mode {at + 1}" for at in range(modes)]
    colours = [_MODES[at % len(_MODES)] for at in range(modes)]
    return ([_ATOM, *names], [CONTROL, *colours]) if apart else (names, colours)


def density_tiles(
    heights: ArrayLike, first: ArrayLike, step: ArrayLike, claimed: ArrayLike
) -> Bytes:
    """Small densities (units, 56, 96, 3): blue where `claimed`, else grey; a thin line at 0.

    heights: (units, points), each drawn to its own highest point; without any, stripes. first,
    step: (units,), where the points lie.
    """
    y = np.asarray(heights, dtype=np.float64)
    starts, steps = np.asarray(first, dtype=np.float64), np.asarray(step, dtype=np.float64)
    columns = np.linspace(0, y.shape[1] - 1, _WIDE)
    tiles = np.full((len(y), _TALL, _WIDE, 3), 255, dtype=np.uint8)
    rows = np.arange(_TALL)[::-1][:, None]
    for unit, tile in enumerate(tiles):
        most = y[unit].max()
        if not most > 0:
            tile[(rows + np.arange(_WIDE)) % 8 < 2] = _STRIPE
            continue
        drawn = np.interp(columns, np.arange(y.shape[1]), y[unit]) / most
        colour = _CLAIMED if np.asarray(claimed)[unit] else _OTHER
        tile[rows < drawn * (_TALL - _MARGIN)] = colour
        zero = -starts[unit] / (steps[unit] * (y.shape[1] - 1)) * (_WIDE - 1)
        if 0 <= zero <= _WIDE - 1:
            tile[:, round(zero)] = _LINE
    return tiles


def unit_density(
    frame: pd.DataFrame,
    modes: pd.DataFrame,
    *,
    title: str,
    colours: Sequence[str],
    digit: float | None = None,
) -> alt.LayerChart:
    """A density, each mode's part in its colour, peaks as dots, one digit as an orange line.

    frame: value, density, mode (a name). modes: name, at, height, share. colours: of the modes.
    """
    names = list(modes["name"])
    scale = alt.Scale(domain=names, range=list(colours))
    colour = alt.Color("mode:N", scale=scale, legend=None)
    x = alt.X("value:Q", title=title, scale=alt.Scale(nice=False), axis=alt.Axis(tickCount=8))
    y = alt.Y("density:Q", title="density")
    base = alt.Chart(_joined(frame), height=HEIGHT + 60)
    area = base.mark_area(opacity=0.3).encode(x=x, y=alt.Y("density:Q", stack=None), color=colour)
    tips = [alt.Tooltip("value:Q", format=".2f"), alt.Tooltip("density:Q", format=".3f"), "mode"]
    line = base.mark_line(strokeWidth=LINE).encode(x=x, y=y, color=colour, tooltip=tips)
    peaks = alt.Chart(modes.rename(columns={"at": "value", "height": "density", "name": "mode"}))
    told = [
        "mode",
        alt.Tooltip("value:Q", format=".2f"),
        alt.Tooltip("share:Q", format=".1%"),
        alt.Tooltip("stability:Q", format=".0%"),
    ]
    dots = peaks.mark_point(filled=True, size=80, opacity=1).encode(
        x=x, y=y, color=colour, tooltip=told
    )
    words = peaks.mark_text(dy=-12, fontWeight="bold").encode(x=x, y=y, text="mode", color=colour)
    chart = area + line + dots + words
    if digit is None:
        return chart
    mark = alt.Chart(pd.DataFrame({"value": [digit]})).mark_rule(color=MARK, strokeWidth=3)
    tip = alt.Tooltip("value:Q", title="the followed digit", format=".3f")
    return chart + mark.encode(x=x, tooltip=[tip])


def _joined(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with each mode's last point given to the next mode too, so that no gap is left."""
    last = frame["mode"].ne(frame["mode"].shift(-1)) & (frame.index != frame.index[-1])
    after = frame["mode"].shift(-1)[last]
    return pd.concat([frame, frame[last].assign(mode=after)]).sort_values("value")


def by_class(grid: ArrayLike, heights: ArrayLike, marked: Sequence[int], title: str) -> alt.Chart:
    """The density of each class in a row of its own, orange for those that are `marked`.

    grid: (points,). heights: (classes, points), each class of area 1. The rows are parts of one
    chart and not charts of their own, which couldn't be as wide as the page is.
    """
    places, y = np.asarray(grid, dtype=np.float64), np.asarray(heights, dtype=np.float64)
    rows = -np.arange(len(y), dtype=np.float64)  # where each begins, the first on top
    tops = rows[:, None] + _FILLED * y / max(float(y.max()), 1e-300)
    frame = pd.DataFrame(
        {
            "class": np.repeat(np.arange(len(y)), len(places)),
            "value": np.tile(places, len(y)),
            "density": y.ravel(),
            "foot": np.repeat(rows, len(places)),
            "top": tops.ravel(),
            "several": np.repeat(np.isin(np.arange(len(y)), marked), len(places)),
        }
    )
    colours = alt.Scale(domain=[False, True], range=[MODEL, MARK])
    feet = alt.Axis(values=rows.tolist(), labelExpr="abs(datum.value)", ticks=False, domain=False)
    span = alt.Scale(domain=[float(rows.min()), 1], nice=False)
    tips = [alt.Tooltip("value:Q", format=".2f"), alt.Tooltip("density:Q", format=".3f")]
    return (
        alt.Chart(frame, height=_ROW * len(y))
        .mark_area(opacity=0.75)
        .encode(
            x=alt.X("value:Q", title=title, scale=alt.Scale(nice=False)),
            y=alt.Y("foot:Q", title="class", axis=feet, scale=span, stack=None),
            y2="top:Q",
            color=alt.Color("several:N", scale=colours, legend=None),
            detail="class:N",
            tooltip=["class", *tips],
        )
    )


def class_makeup(
    frame: pd.DataFrame, names: Sequence[str], colours: Sequence[str]
) -> alt.FacetChart:
    """Each mode's classes as bars with 95 % intervals, grey ticks where their base rates are.

    frame: name (of the mode), class, share, low, high, base, count, n.
    """
    numbers = [alt.Tooltip(f"{of}:Q", format=".1%") for of in ("share", "low", "high", "base")]
    x = alt.X("class:O", title="class", axis=LEVEL)
    y = alt.Y("share:Q", title="share of the mode", axis=alt.Axis(format="%", tickCount=3))
    tips = ["name", "class", "count", "n", *numbers]
    colour = alt.Color(
        "name:N", scale=alt.Scale(domain=list(names), range=list(colours)), legend=None
    )
    bars = bars_with_intervals(frame, x, y, tooltip=tips, colour=colour)
    step = (PHONE - _AXIS) // max(frame["class"].nunique(), 1)
    ticks = baseline(frame, x, alt.Y("base:Q"), width=2 * step // 3)
    both = (bars + ticks).properties(height=96, width=alt.Step(step))
    header = alt.Header(labelAngle=0, labelAlign="left", labelFontWeight="bold", labelOrient="top")
    found: alt.FacetChart = both.facet(
        row=alt.Row("name:N", sort=list(names), title=None, header=header), spacing=14
    )
    return found
