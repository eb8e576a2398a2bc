"""Charts of gates that decide otherwise: accuracy, what experts are needed for, confusions."""

from __future__ import annotations

import altair as alt
import pandas as pd
from altair.expr.core import OperatorMixin

from core.charts.base import CONTROL, LINE, MARK, MODEL

__all__ = ["accuracies", "confusion", "differences", "effects"]

_EVERY = alt.Axis(labelOverlap=False, labelFlush=False, labelBound=False, labelLimit=260)
_PLAIN = alt.Axis(labelAngle=0, labelOverlap=False)
_STROKE = "#cbd5e1"
_CHANGES = ("discovery", "change", "low", "high", "control low", "control high")


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
    base = alt.Chart(rows, height=23 * len(rows) + 20).encode(
        y=alt.Y("decision:N", title=None, sort=None, axis=_EVERY), color=colour
    )
    percent = alt.Axis(format="%", tickCount=5)
    x = alt.X("accuracy:Q", title="accuracy", scale=alt.Scale(domain=[0, 1]), axis=percent)
    tips = [alt.Tooltip(f"{key}:Q", format=".2%") for key in ("accuracy", "low", "high")]
    change = alt.Tooltip("change:Q", format="+.2%")
    dots = base.mark_point(filled=True, size=60).encode(x=x, tooltip=["decision", *tips, change])
    return base.mark_rule(strokeWidth=LINE).encode(x=alt.X("low:Q"), x2="high:Q") + dots


def effects(frame: pd.DataFrame) -> alt.LayerChart:
    """Change in accuracy by expert and class, in points; blue where digits are lost.

    frame: columns name (of the expert), class, digits, and shares: discovery, change, low, high,
    control low, control high.
    """
    points = frame.assign(**{key: 100 * frame[key] for key in _CHANGES})
    points["text"] = [f"{round(value):+d}" if round(value) else "0" for value in points["change"]]
    most = max(float(points["change"].abs().max()), 1e-9)
    tips = ["name", "class", "digits", *(alt.Tooltip(key, format="+.1f") for key in _CHANGES)]
    base = alt.Chart(points, height=30 * frame["name"].nunique() + 40).encode(
        x=alt.X("class:O", title="class", axis=_PLAIN),
        y=alt.Y("name:N", title=None, sort=None, axis=_EVERY),
    )
    cells = base.mark_rect(stroke=_STROKE).encode(color=_signed("change", most), tooltip=tips)
    return cells + _words(base, abs(alt.datum.change) > 0.6 * most)


def confusion(frame: pd.DataFrame) -> alt.LayerChart:
    """Counts by class and answer, the share of the class in orange; empty cells have no number.

    frame: columns class, answer, count, intact, difference and share.
    """
    base = _crossed(frame)
    scale = alt.Scale(range=["#ffffff", MARK], domain=[0, 1], interpolate="rgb")
    cells = base.mark_rect(stroke=_STROKE).encode(
        color=alt.Color("share:Q", scale=scale, legend=None), tooltip=_COUNTS
    )
    return cells + _words(base, None)


def differences(frame: pd.DataFrame) -> alt.LayerChart:
    """Counts by class and answer less those with the gate as trained: red more, blue fewer.

    frame: as `confusion`'s.
    """
    changed = [f"{value:+d}" if value else "" for value in frame["difference"]]
    base = _crossed(frame.assign(text=changed))
    most = max(float(frame["difference"].abs().max()), 1.0)
    cells = base.mark_rect(stroke=_STROKE).encode(
        color=_signed("difference", most), tooltip=_COUNTS
    )
    return cells + _words(base, abs(alt.datum.difference) > 0.6 * most)


_COUNTS = ["class", "answer", "count", "intact", "difference", alt.Tooltip("share", format=".1%")]


def _crossed(frame: pd.DataFrame) -> alt.Chart:
    """Classes down, answers across."""
    words = frame if "text" in frame else frame.assign(text=_numbers(frame["count"]))
    return alt.Chart(words, height=330).encode(
        x=alt.X("answer:O", title="answer", axis=_PLAIN),
        y=alt.Y("class:O", title="class", axis=_PLAIN),
    )


def _numbers(counts: pd.Series[int]) -> list[str]:
    """The counts in words, nothing for 0."""
    return [str(count) if count else "" for count in counts]


def _signed(column: str, most: float) -> alt.Color:
    """Blue below 0 and red above, as far as `most`."""
    scale = alt.Scale(scheme="redblue", reverse=True, domain=[-most, most])
    return alt.Color(f"{column}:Q", scale=scale, legend=None)


def _words(base: alt.Chart, dark: OperatorMixin | None) -> alt.Chart:
    """The numbers of a heat map, white on cells that are dark; orange is none."""
    black, white = alt.value("#111827"), alt.value("#ffffff")
    colour = black if dark is None else alt.when(dark).then(white).otherwise(black)
    words: alt.Chart = base.mark_text(fontSize=11).encode(text="text:N", color=colour)
    return words
