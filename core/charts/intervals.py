"""Interval plots: values with what they may as well be, beside controls and baselines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd

from core.charts.base import LINE, ROW, layered
from core.colours import CONTROL, MARK, MODEL

__all__ = ["bars_with_intervals", "baseline", "control_range", "interval_plot", "zero"]

Place = alt.X | alt.Y
_SIZE = 60  # square pixels of a point


def interval_plot(
    frame: pd.DataFrame,
    place: Place,
    value: Place,
    *,
    tooltip: Sequence[Any],
    colour: alt.Color | str = MODEL,
    offset: alt.YOffset | None = None,
    **size: Any,
) -> alt.LayerChart:
    """A point at each value, in a line from the column low to high.

    place: whose value it is, a row each where it is y, of `ROW` pixels unless `size` says height.
    offset: of several series in a row.
    """
    tall = {"height": alt.Step(ROW)} if isinstance(place, alt.Y) else {}
    base = _placed(alt.Chart(frame, **{**tall, **size}), place, offset).encode(color=_shade(colour))
    lines = base.mark_rule(strokeWidth=LINE)
    dots = base.mark_point(filled=True, size=_SIZE, opacity=1).encode(tooltip=list(tooltip))
    return layered(_spanned(lines, value), _valued(dots, value))


def bars_with_intervals(
    frame: pd.DataFrame,
    place: Place,
    value: Place,
    *,
    tooltip: Sequence[Any],
    colour: alt.Color | str = MODEL,
    **size: Any,
) -> alt.LayerChart:
    """A bar as long as each value, with an orange line from the column low to high."""
    base = _placed(alt.Chart(frame, **size), place)
    bars = base.mark_bar(opacity=0.85).encode(color=_shade(colour), tooltip=list(tooltip))
    lines = base.mark_rule(color=MARK, strokeWidth=LINE)
    return layered(_valued(bars, value), _spanned(lines, value))


def control_range(
    frame: pd.DataFrame, place: Place, low: Place, high: str, **size: Any
) -> alt.Chart:
    """A grey bar at each place, from the value `low` to the column `high`: what controls reach."""
    base = alt.Chart(frame, **size).mark_bar(color=CONTROL, opacity=0.45)
    return _between(_placed(base, place), low, high)


def baseline(
    frame: pd.DataFrame, place: Place, value: Place, *, width: int, tooltip: Sequence[Any] = ()
) -> alt.Chart:
    """A grey tick at each place, `width` pixels wide, at what is expected of anything."""
    ticks = alt.Chart(frame).mark_tick(color=CONTROL, thickness=3, width=width)
    return _valued(_placed(ticks, place), value).encode(
        tooltip=list(tooltip) if tooltip else alt.Undefined
    )


def zero() -> alt.Chart:
    """A grey line where nothing changes, across the rows of an interval plot."""
    return alt.Chart(pd.DataFrame({"zero": [0.0]})).mark_rule(color=CONTROL).encode(x="zero:Q")


def _shade(colour: alt.Color | str) -> Any:
    """The encoding of a colour that all points share, or of theirs."""
    return alt.value(colour) if isinstance(colour, str) else colour


def _placed(base: alt.Chart, place: Place, offset: alt.YOffset | None = None) -> alt.Chart:
    """The chart with its places along x or y."""
    placed = base.encode(x=place) if isinstance(place, alt.X) else base.encode(y=place)
    return placed if offset is None else placed.encode(yOffset=offset)


def _valued(base: alt.Chart, value: Place) -> alt.Chart:
    """The chart with its values along x or y."""
    return base.encode(x=value) if isinstance(value, alt.X) else base.encode(y=value)


def _spanned(base: alt.Chart, value: Place) -> alt.Chart:
    """The chart from low to high, on the axis of the value."""
    low = value.copy()
    low["shorthand"] = "low:Q"
    return _between(base, low, "high")


def _between(base: alt.Chart, low: Place, high: str) -> alt.Chart:
    """The chart from `low` to the column `high`."""
    if isinstance(low, alt.X):
        return base.encode(x=low, x2=alt.X2(f"{high}:Q"))
    return base.encode(y=low, y2=alt.Y2(f"{high}:Q"))
