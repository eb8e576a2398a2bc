"""Bars: a value for each of several things, and how many values lie between which borders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from core.charts.base import HEIGHT
from core.colours import MARK, MODEL

__all__ = ["highlighted", "histogram_bars"]


def highlighted(
    names: Sequence[Any],
    values: ArrayLike,
    chosen: int,
    *,
    x: alt.X,
    y: alt.Y,
    form: str,
    height: float = HEIGHT,
) -> alt.Chart:
    """A blue bar for each value, that of number `chosen` orange.

    names, values: the columns of `x` and `y`, in their order. form: d3's, of the tooltip.
    """
    name, value = (str(of.shorthand).partition(":")[0] for of in (x, y))
    shades = np.where(np.arange(len(names)) == chosen, MARK, MODEL)
    frame = pd.DataFrame(
        {name: list(names), value: np.asarray(values, dtype=np.float64), "shade": shades}
    )
    return (
        alt.Chart(frame, height=height)
        .mark_bar()
        .encode(
            x=x,
            y=y,
            color=alt.Color("shade:N", scale=None),
            tooltip=[name, alt.Tooltip(f"{value}:Q", format=form)],
        )
    )


def histogram_bars(
    edges: ArrayLike,
    heights: ArrayLike,
    *,
    x: str,
    y: alt.Y,
    form: str,
    tooltip: Any,
    colour: str = MODEL,
) -> alt.Chart:
    """A bar between each two edges (bins + 1,), as high as `heights` (bins,) says.

    x: what is counted. y: its column's axis. form: d3's, of the edges. tooltip: of the heights.
    """
    borders = np.asarray(edges, dtype=np.float64)
    column = str(y.shorthand).partition(":")[0]
    frame = pd.DataFrame({"from": borders[:-1], "to": borders[1:], column: np.asarray(heights)})
    ends = [alt.Tooltip(f"{of}:Q", format=form) for of in ("from", "to")]
    return (
        alt.Chart(frame, height=HEIGHT)
        .mark_bar(color=colour, opacity=0.85)
        .encode(
            x=alt.X("from:Q", title=x, bin="binned", axis=alt.Axis(tickCount=6)),
            x2="to:Q",
            y=y,
            tooltip=[*ends, tooltip],
        )
    )
