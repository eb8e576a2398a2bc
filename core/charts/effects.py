"""What is lost without a part of a network, class by class."""

from __future__ import annotations

import altair as alt
import pandas as pd

from core.charts.base import LEVEL, every
from core.charts.heatmap import Words, diverging, heat_map

__all__ = ["lost_by_class"]

_SHARES = ("discovery", "change", "low", "high", "control low", "control high")


def lost_by_class(frame: pd.DataFrame) -> alt.LayerChart:
    """Change in accuracy by part and class, in points; blue where digits are lost.

    frame: columns name (of the part), class, change, and, for tooltips, digits and other shares:
    discovery, low, high, control low, control high.
    """
    shares = [key for key in _SHARES if key in frame]
    points = frame.assign(**{key: 100 * frame[key] for key in shares})
    points["text"] = [f"{round(value):+d}" if round(value) else "0" for value in points["change"]]
    digits = ["digits"] if "digits" in frame else []
    return heat_map(
        points,
        "change",
        diverging(points["change"]),
        x=alt.X("class:O", title="class", axis=LEVEL),
        y=alt.Y("name:N", title=None, sort=None, axis=every(260)),
        tooltip=["name", "class", *digits, *(alt.Tooltip(key, format="+.1f") for key in shares)],
        words=[Words("text:N")],
    )
