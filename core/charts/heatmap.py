"""Heat maps: a cell's colour is its value, and what is written in it can be read on that colour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from core.charts.base import ROW, layered
from core.colours import ABOVE, BELOW, EDGE, INK, MODEL, PAPER, legible, rgb

__all__ = [
    "Shades",
    "Words",
    "cells",
    "diverging",
    "frames",
    "heat_map",
    "sequential",
    "touched",
    "written",
]

_INK = "ink"  # the column with the colour of what is written in a cell


@dataclass(frozen=True)
class Shades:
    """Colours at values, and straight between them in sRGB; the last beyond the ends."""

    stops: tuple[float, ...]
    colours: tuple[str, ...]

    def at(self, values: ArrayLike) -> NDArray[np.float64]:
        """The colours (n, 3) in 0..255 that the chart gives to values (n,)."""
        given = np.asarray(values, dtype=np.float64)
        ends = np.stack([rgb(colour) for colour in self.colours], axis=1)
        return np.stack([np.interp(given, self.stops, channel) for channel in ends], axis=1)

    def of(self, column: str, legend: alt.Legend | None = None) -> alt.Color:
        """The same as an encoding of a column."""
        scale = alt.Scale(
            domain=list(self.stops), range=list(self.colours), interpolate="rgb", clamp=True
        )
        return alt.Color(f"{column}:Q", scale=scale, legend=legend)


def sequential(most: float = 1.0, colour: str = MODEL, *, least: float = 0.0) -> Shades:
    """From paper at `least` to the colour at `most`."""
    return Shades((least, max(most, least + 1e-9)), (PAPER, colour))


def diverging(values: ArrayLike, least: float = 1e-9) -> Shades:
    """Blue below 0, paper at it and red above, as far as the largest of the values.

    least: what is full colour where all values are smaller.
    """
    most = max(float(np.abs(np.asarray(values, dtype=np.float64)).max(initial=0)), least)
    return Shades((-most, 0.0, most), (BELOW, PAPER, ABOVE))


@dataclass(frozen=True)
class Words:
    """What is written in each cell: a column with its type, and how."""

    column: str
    size: int = 11
    form: str | None = None  # d3's, of a number
    dy: int = 0  # pixels below the middle
    bold: bool = False


def heat_map(
    frame: pd.DataFrame,
    value: str,
    shades: Shades,
    *,
    x: alt.X,
    y: alt.Y,
    tooltip: Sequence[Any],
    words: Sequence[Words] = (),
    legend: alt.Legend | None = None,
    edges: bool = True,
    **size: Any,
) -> alt.LayerChart:
    """A cell for each row of the frame, coloured by the column `value`, with words if there are.

    edges: a line around each cell. size: height and width, otherwise rows of `ROW` pixels.
    """
    data = frame.assign(**{_INK: legible(shades.at(frame[value]))}) if words else frame
    base = alt.Chart(data, **{"height": alt.Step(ROW), **size}).encode(
        x=x, y=y, tooltip=list(tooltip)
    )
    drawn = cells(base, shades.of(value, legend), edges=edges)
    return layered(drawn, *(written(base, each) for each in words))


def cells(base: alt.Chart, colour: alt.Color, *, edges: bool = False) -> alt.Chart:
    """The cells alone; base: where they are."""
    mark = base.mark_rect(stroke=EDGE) if edges else base.mark_rect()
    return mark.encode(color=colour)


def written(base: alt.Chart, words: Words) -> alt.Chart:
    """What is written in cells, in the colours of the column "ink"."""
    form = alt.Undefined if words.form is None else words.form
    mark = base.mark_text(
        fontSize=words.size, fontWeight="bold" if words.bold else "normal", dy=words.dy
    )
    # A condition and no scale: a layer without one breaks that of the cells.
    light = alt.datum[_INK] == PAPER
    ink = alt.when(light).then(alt.value(PAPER)).otherwise(alt.value(INK))
    return mark.encode(text=alt.Text(words.column, format=form), color=ink)


def frames(base: alt.Chart, colour: Any, *, width: float = 2) -> alt.Chart:
    """Frames around cells; base: which, and where they are. colour: one, or an encoding."""
    if isinstance(colour, str):
        return base.mark_rect(filled=False, strokeWidth=width, stroke=colour)
    return base.mark_rect(filled=False, strokeWidth=width).encode(stroke=colour)


def touched(base: alt.Chart) -> alt.Chart:
    """Cells that can't be seen, over a picture, for their tooltips and for clicks."""
    return base.mark_rect(opacity=0.001, color=PAPER)
