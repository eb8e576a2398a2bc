"""Lines over steps or places: their axis, bands around them, and what is marked on them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd

from core.charts.base import LINE, STEP, log_axis
from core.colours import CONTROL, MARK

__all__ = ["at_place", "banded", "dotted", "level", "over_training"]


def over_training(title: str = "batches seen") -> alt.X:
    """The column step from 0, on a logarithmic scale."""
    return alt.X("step:Q", title=title, scale=STEP, axis=log_axis())


def dotted(
    base: alt.Chart, size: int = 16, width: float = LINE, colour: str | None = None
) -> alt.Chart:
    """A line with a dot at each of its points, both in `colour` unless it is encoded."""
    shade = alt.Undefined if colour is None else colour
    point = alt.OverlayMarkDef(size=size, color=shade)
    return base.mark_line(strokeWidth=width, point=point, color=shade)


def banded(
    base: alt.Chart, line: alt.Chart, y: alt.Y, *, tooltip: Sequence[Any], opacity: float
) -> alt.LayerChart:
    """The line in a band from the column low to high, in its own colour."""
    band = base.mark_area(opacity=opacity).encode(y="low:Q", y2="high:Q")
    return band + line.encode(y=y, tooltip=list(tooltip))


def at_place(place: alt.X, value: float, **mark: Any) -> alt.Chart:
    """An upright line at one value of the axis `place`: what was chosen."""
    column = str(place.shorthand).partition(":")[0]
    base = alt.Chart(pd.DataFrame({column: [value]}))
    return base.mark_rule(**{"color": MARK, "strokeWidth": LINE, **mark}).encode(x=place)


def level(
    column: str, value: float, title: str, *, form: str = ".3f", colour: str = CONTROL
) -> alt.Chart:
    """A dashed level line at one value of the column on y, with what it is as its tooltip."""
    base = alt.Chart(pd.DataFrame({column: [value]})).mark_rule(strokeDash=[5, 4], color=colour)
    told = alt.Tooltip(f"{column}:Q", title=title, format=form)
    return base.encode(y=f"{column}:Q", tooltip=[told])
