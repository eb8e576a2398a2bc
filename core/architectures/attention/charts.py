"""Attention drawn over a digit and over patches, and what heads are needed for."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from core import pictures
from core.charts.base import CONTROL, HEIGHT, LINE, MARK, MODEL, legend
from core.pictures import Bytes

__all__ = ["answers", "attended", "effects", "kept", "needs", "numbers", "spread"]

_TINT = np.array([234, 88, 12])
_TIMES = 3  # screen pixels a pixel of the digit
_PLACES = 190  # height of a chart of patches
_EVERY = alt.Axis(labelOverlap=False, labelFlush=False, labelBound=False)  # a label for each row


def attended(
    image: ArrayLike, weights: ArrayLike, most: float, *, query: int | None = None
) -> Bytes:
    """A digit as ink under orange that grows with the weight, (n, 84, 84, 3).

    image: (28, 28) in 0..1. weights: (n, patches), row by row of a square. most: the weight that is
    full orange. query: the patch that asks, framed; None for the class token.
    """
    values = np.asarray(weights, dtype=np.float64)
    side = round(values.shape[1] ** 0.5)
    pixels = 28 // side
    share = np.clip(values / most, 0, 1).reshape(-1, side, side)
    share = share.repeat(pixels, 1).repeat(pixels, 2)[..., None] * 0.75
    drawn = np.broadcast_to(pictures.ink(np.asarray(image)[None]), (len(values), 28, 28, 3))
    tinted = (drawn + share * (_TINT - drawn.astype(np.float64))).round().astype(np.uint8)
    if query is None:
        return pictures.enlarged(tinted, _TIMES)
    top, left = (pixels * at for at in divmod(query, side))
    return _framed(pictures.enlarged(tinted, _TIMES), _TIMES * top, _TIMES * left, _TIMES * pixels)


def _framed(tiles: Bytes, top: int, left: int, size: int) -> Bytes:
    """The tiles with a blue frame, 3 pixels thick."""
    blue = np.array([37, 99, 235], dtype=np.uint8)
    frame = np.ones((size, size), dtype=bool)
    frame[3:-3, 3:-3] = False
    tiles[:, top : top + size, left : left + size][:, frame] = blue
    return tiles


def numbers(values: ArrayLike, *, form: str, signed: bool) -> alt.LayerChart:
    """A number for each patch, where the patch is: blue below 0 and red above, or orange from 0.

    values: (patches,), row by row of a square. form: d3's format.
    """
    flat = np.asarray(values, dtype=np.float64)
    side = round(len(flat) ** 0.5)
    row, column = np.divmod(np.arange(len(flat)), side)
    frame = pd.DataFrame({"row": row, "column": column, "value": flat})
    most = max(float(np.abs(flat).max()), 1e-9)
    scale = (
        alt.Scale(scheme="redblue", reverse=True, domain=[-most, most])
        if signed
        else alt.Scale(range=["#ffffff", MARK], domain=[0, most], interpolate="rgb")
    )
    base = alt.Chart(frame, height=_PLACES).encode(
        x=alt.X("column:O", title=None, axis=alt.Axis(labelAngle=0)), y=alt.Y("row:O", title=None)
    )
    cells = base.mark_rect(stroke="#cbd5e1").encode(
        color=alt.Color("value:Q", scale=scale, legend=None),
        tooltip=["row", "column", alt.Tooltip("value:Q", format=".4f")],
    )
    dark = abs(alt.datum.value) > 0.6 * most
    words = base.mark_text(fontSize=12).encode(
        text=alt.Text("value:Q", format=form),
        color=alt.when(dark).then(alt.value("#ffffff")).otherwise(alt.value("#111827")),
    )
    return cells + words


def answers(probabilities: ArrayLike, label: int) -> alt.Chart:
    """The probability of each class; the digit's own class in orange."""
    values = np.asarray(probabilities, dtype=np.float64)
    frame = pd.DataFrame({"class": np.arange(len(values)), "probability": values})
    own = alt.datum["class"] == label
    return (
        alt.Chart(frame, height=_PLACES)
        .mark_bar()
        .encode(
            x=alt.X("class:O", title="answer", axis=alt.Axis(labelAngle=0)),
            y=alt.Y("probability:Q", title="probability", scale=alt.Scale(domain=[0, 1])),
            color=alt.when(own).then(alt.value(MARK)).otherwise(alt.value(MODEL)),
            tooltip=["class", alt.Tooltip("probability:Q", format=".3%")],
        )
    )


def spread(frame: pd.DataFrame, measure: str, title: str, uniform: float) -> alt.LayerChart:
    """A dot for each query of each head, trained blue and untrained grey; dashed: all alike.

    frame: columns network, head (text), query (text) and `measure`.
    """
    order = ["trained", "untrained"]
    dots = (
        alt.Chart(frame.dropna(subset=[measure]), height=HEIGHT)
        .mark_point(filled=True, size=34, opacity=0.65)
        .encode(
            x=alt.X("head:N", title=None, axis=alt.Axis(labelAngle=0)),
            xOffset=alt.XOffset("network:N", sort=order),
            y=alt.Y(f"{measure}:Q", title=title, scale=alt.Scale(zero=False)),
            color=alt.Color(
                "network:N",
                scale=alt.Scale(domain=order, range=[MODEL, CONTROL]),
                legend=legend("network"),
            ),
            tooltip=["network", "head", "query", alt.Tooltip(f"{measure}:Q", format=".3f")],
        )
    )
    line = pd.DataFrame({measure: [uniform]})
    rule = alt.Chart(line).mark_rule(strokeDash=[5, 4], color=MARK)
    told = alt.Tooltip(f"{measure}:Q", title="equal weight on all patches", format=".3f")
    return dots + rule.encode(y=f"{measure}:Q", tooltip=[told])


def effects(frame: pd.DataFrame) -> alt.LayerChart:
    """Change in accuracy by head and class, in points; blue where digits are lost.

    frame: columns name (of the head), class, and change, low and high as shares.
    """
    points = frame.assign(**{key: 100 * frame[key] for key in _POINTS})
    points["text"] = [f"{round(value):+d}" if round(value) else "0" for value in points["change"]]
    most = max(float(points["change"].abs().max()), 1e-9)
    base = alt.Chart(points, height=34 * frame["name"].nunique()).encode(
        x=alt.X("class:O", title="class", axis=alt.Axis(labelAngle=0)),
        y=alt.Y("name:N", title=None, sort=None, axis=_EVERY),
    )
    cells = base.mark_rect(stroke="#cbd5e1").encode(
        color=alt.Color(
            "change:Q",
            scale=alt.Scale(scheme="redblue", reverse=True, domain=[-most, most]),
            legend=None,
        ),
        tooltip=["name", "class", *(alt.Tooltip(key, format="+.1f") for key in _POINTS)],
    )
    dark = abs(alt.datum.change) > 0.6 * most
    words = base.mark_text(fontSize=11).encode(
        text="text:N",
        color=alt.when(dark).then(alt.value("#ffffff")).otherwise(alt.value("#111827")),
    )
    return cells + words


_POINTS = ("change", "low", "high")


def needs(frame: pd.DataFrame) -> alt.LayerChart:
    """One head's change in accuracy by class with 95 % intervals, the controls as a grey band.

    frame: columns class, change, low, high, control low and control high, as shares.
    """
    x = alt.X("class:O", title="class", axis=alt.Axis(labelAngle=0))
    base = alt.Chart(frame, height=HEIGHT).encode(x=x)
    y = alt.Y("change:Q", title="change in accuracy", axis=alt.Axis(format="+.0%"))
    band = base.mark_bar(color=CONTROL, opacity=0.45).encode(
        y=alt.Y("control low:Q", title="change in accuracy"), y2=alt.Y2("control high:Q")
    )
    rule = base.mark_rule(color=MODEL, strokeWidth=LINE).encode(y="low:Q", y2="high:Q")
    tips = [alt.Tooltip(f"{key}:Q", format="+.1%") for key in (*_POINTS, *_CONTROLS)]
    dots = base.mark_point(filled=True, size=60, color=MODEL).encode(y=y, tooltip=["class", *tips])
    return band + rule + dots


_CONTROLS = ("control low", "control high")


def kept(frame: pd.DataFrame) -> alt.LayerChart:
    """Accuracy with weights replaced, with 95 % intervals.

    frame: columns weights (what they are replaced by), edited (which blocks), accuracy, low, high.
    """
    rows = list(dict.fromkeys(frame["weights"]))
    blocks = list(dict.fromkeys(frame["edited"]))
    colours = alt.Scale(domain=blocks, range=[MODEL, "#0d9488", MARK])
    base = alt.Chart(frame, height=60 + 48 * len(rows)).encode(
        y=alt.Y("weights:N", title=None, sort=rows, axis=_EVERY),
        yOffset=alt.YOffset("edited:N", sort=blocks),
        color=alt.Color("edited:N", scale=colours, legend=legend("edited"), sort=blocks),
    )
    axis = alt.Axis(format="%", tickCount=5)
    x = alt.X("accuracy:Q", title="accuracy", scale=alt.Scale(domain=[0, 1]), axis=axis)
    tips = [alt.Tooltip(f"{key}:Q", format=".2%") for key in ("accuracy", "low", "high")]
    dots = base.mark_point(filled=True, size=60).encode(x=x, tooltip=["weights", "edited", *tips])
    low = alt.X("low:Q", title="accuracy")
    return base.mark_rule(strokeWidth=LINE).encode(x=low, x2="high:Q") + dots
