"""Charts of gates that decide otherwise: accuracy, what experts are needed for, confusions."""

from __future__ import annotations

import altair as alt
import pandas as pd

from core.charts.base import every
from core.charts.heatmap import Shades, Words, diverging, heat_map, sequential
from core.charts.intervals import interval_plot
from core.colours import CONTROL, MARK, MODEL

__all__ = ["accuracies", "confusion", "differences"]

_PLAIN = alt.Axis(labelAngle=0, labelOverlap=False)


def accuracies(frame: pd.DataFrame) -> alt.LayerChart:
    """Accuracy by decision with 95 % intervals: as trained orange, other weights blue, one grey.

    frame: columns decision, kind, accuracy, low, high and change.
    """
    rows = frame.assign(
        shown=["as trained" if at == 0 else kind for at, kind in enumerate(frame["kind"])]
    )
    colour = alt.Color(
        "shown:N",
        scale=alt.Scale(
            domain=["as trained", "the gate", "one expert"], range=[MARK, MODEL, CONTROL]
        ),
        legend=None,
    )
    percent = alt.Axis(format="%", tickCount=5)
    x = alt.X("accuracy:Q", title="accuracy", scale=alt.Scale(domain=[0, 1]), axis=percent)
    tips = [alt.Tooltip(f"{key}:Q", format=".2%") for key in ("accuracy", "low", "high")]
    change = alt.Tooltip("change:Q", format="+.2%")
    y = alt.Y("decision:N", title=None, sort=None, axis=every(260))
    return interval_plot(rows, y, x, tooltip=["decision", *tips, change], colour=colour)


def confusion(frame: pd.DataFrame) -> alt.LayerChart:
    """Counts by class and answer, the share of the class in orange; empty cells have no number.

    frame: columns class, answer, count, intact, difference and share.
    """
    counts = [str(count) if count else "" for count in frame["count"]]
    return _crossed(frame.assign(text=counts), "share", sequential(1.0, MARK))


def differences(frame: pd.DataFrame) -> alt.LayerChart:
    """Counts by class and answer less those with the gate as trained: red more, blue fewer.

    frame: as `confusion`'s.
    """
    changed = [f"{value:+d}" if value else "" for value in frame["difference"]]
    shades = diverging(frame["difference"], 1.0)
    return _crossed(frame.assign(text=changed), "difference", shades)


_COUNTS = ["class", "answer", "count", "intact", "difference", alt.Tooltip("share", format=".1%")]


def _crossed(frame: pd.DataFrame, value: str, shades: Shades) -> alt.LayerChart:
    """Classes down, answers across."""
    return heat_map(
        frame,
        value,
        shades,
        x=alt.X("answer:O", title="answer", axis=_PLAIN),
        y=alt.Y("class:O", title="class", axis=_PLAIN),
        tooltip=_COUNTS,
        words=[Words("text:N")],
    )
