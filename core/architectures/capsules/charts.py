"""Charts and pictures of capsules: numbers in, nothing of models or the dashboard."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from core import pictures
from core.charts.base import CONTROL, HEIGHT, LINE, MARK, MODEL, legend
from core.pictures import Bytes

__all__ = ["accuracies", "decisions", "effects", "lengths", "shares_on"]

_VEIL = 0.7  # of the colour over the digit
_STEPS = ("#bfdbfe", "#60a5fa", MODEL)  # iterations, the last as dark as the model
_DARK = "#111827"


def shares_on(image: ArrayLike, shown: ArrayLike, even: float, most: float) -> Bytes:
    """Coefficients over a digit, (n, height, width, 3): red above `even`, blue below, white at it.

    image: (28, 28) in 0..1. shown: (n, height, width), of a multiple of its size, nan where there
    are none. Full colour is `most` away from `even`.
    """
    values = np.asarray(shown, dtype=np.float64)
    digit = np.asarray(image, dtype=np.float64)
    times = values.shape[1] // len(digit)
    ink = pictures.enlarged(pictures.ink(digit[None]), times).astype(np.float64)
    colour = pictures.signed(values - even, most)
    veil = np.where(np.isnan(values), 0.0, _VEIL)[..., None]
    mixed: Bytes = ((1 - veil) * ink + veil * colour).round().astype(np.uint8)
    return mixed


def lengths(frame: pd.DataFrame, label: int) -> alt.LayerChart:
    """Length of each class's capsule after each iteration, the digit's own class marked.

    frame: columns class, iteration (from 1) and length.
    """
    order = sorted(frame["iteration"].unique())
    scale = alt.Scale(domain=order, range=list(_STEPS[-len(order) :]))
    bars = (
        alt.Chart(frame, height=HEIGHT)
        .mark_bar()
        .encode(
            x=alt.X("class:O", title="class", axis=alt.Axis(labelAngle=0)),
            xOffset=alt.XOffset("iteration:O", sort=order),
            y=alt.Y("length:Q", scale=alt.Scale(domain=[0, 1])),
            color=alt.Color("iteration:O", scale=scale, legend=legend("iteration")),
            tooltip=["class", "iteration", alt.Tooltip("length:Q", format=".3f")],
        )
    )
    mine = frame[(frame["class"] == label) & (frame["iteration"] == order[-1])]
    told = alt.Tooltip("class:O", title="the digit's class")
    mark = (
        alt.Chart(mine)
        .mark_point(shape="triangle-down", size=90, filled=True, color=MARK, yOffset=-10)
        .encode(x="class:O", y="length:Q", tooltip=[told])
    )
    return bars + mark


def effects(frame: pd.DataFrame) -> alt.LayerChart | alt.FacetChart:
    """By class and property, what the dimension that draws it most does, in standard deviations.

    frame: columns class, property, dimension, effect, monotony, null, random axis.
    """
    most = max(float(frame["effect"].abs().max()), 1e-9)
    base = alt.Chart(height=30 * frame["class"].nunique()).encode(
        x=alt.X("property:N", sort=None, title=None, axis=alt.Axis(labelAngle=0, orient="top")),
        y=alt.Y("class:O", title="class"),
    )
    tips = [alt.Tooltip(name, format="+.2f") for name in ("effect", "monotony")]
    limits = [alt.Tooltip(name, format=".2f") for name in ("null", "random axis")]
    cells = base.mark_rect(stroke="#cbd5e1").encode(
        color=alt.Color(
            "effect:Q",
            scale=alt.Scale(scheme="redblue", reverse=True, domain=[-most, most]),
            legend=None,
        ),
        tooltip=["class", "property", "dimension", *tips, *limits],
    )
    strong = abs(alt.datum.effect) > 0.6 * most
    words = base.mark_text(fontSize=11).encode(
        text="words:N",
        color=alt.when(strong).then(alt.value("#ffffff")).otherwise(alt.value(_DARK)),
    )
    named = "d" + frame["dimension"].astype(str) + " " + frame["effect"].map("{:+.1f}".format)
    return alt.layer(cells, words, data=frame.assign(words=named))


def decisions(
    frame: pd.DataFrame, measures: dict[str, str], bound: float | None
) -> alt.LayerChart | alt.FacetChart:
    """Measures over iterations, of the trained network and, dashed, of the untrained one.

    frame: columns network, iteration and the keys of `measures`, which says what they are called.
    bound: a dashed line, what it is when nothing is decided.
    """
    named = frame.rename(columns=measures)
    names = list(measures.values())
    long = named.melt(["network", "iteration"], names, "measure", "value")
    colours = alt.Scale(domain=names, range=[MODEL, MARK][: len(names)])
    lines = (
        alt.Chart(long, height=HEIGHT + 30)
        .mark_line(strokeWidth=LINE, point=alt.OverlayMarkDef(size=40))
        .encode(
            x=alt.X("iteration:O", axis=alt.Axis(labelAngle=0)),
            y=alt.Y("value:Q", title=None, scale=alt.Scale(zero=False)),
            color=alt.Color(
                "measure:N", scale=colours, sort=names, legend=alt.Legend(title=None, orient="top")
            ),
            strokeDash=alt.StrokeDash("network:N", sort=["trained", "untrained"], legend=None),
            tooltip=["network", "measure", "iteration", alt.Tooltip("value:Q", format=".3f")],
        )
    )
    if bound is None:
        return alt.layer(lines)
    told = alt.Tooltip("value:Q", title="equal shares", format=".2f")
    line = alt.Chart(pd.DataFrame({"value": [bound]})).mark_rule(strokeDash=[5, 4], color=CONTROL)
    return lines + line.encode(y="value:Q", tooltip=[told])


def accuracies(frame: pd.DataFrame, by: str) -> alt.LayerChart:
    """Accuracy with its 95 % interval, a row for each value of the column `by`; controls in grey.

    frame: columns `by`, accuracy, low, high, and control (bool) if there are any.
    """
    shown = frame if "control" in frame else frame.assign(control=False)
    names = list(dict.fromkeys(shown[by]))
    colours = alt.Scale(domain=[False, True], range=[MODEL, CONTROL])
    base = alt.Chart(shown, height=34 * len(names) + 70).encode(
        y=alt.Y(f"{by}:N", title=None, sort=names, axis=alt.Axis(labelLimit=190)),
        color=alt.Color("control:N", scale=colours, legend=None),
    )
    axis = alt.Axis(format=".0%" if shown["accuracy"].min() < 0.9 else ".1%", tickCount=5)
    x = alt.X("accuracy:Q", title="accuracy", scale=alt.Scale(zero=False), axis=axis)
    tips = [alt.Tooltip(f"{key}:Q", format=".2%") for key in ("accuracy", "low", "high")]
    dots = base.mark_point(filled=True, size=70, opacity=1).encode(x=x, tooltip=[by, *tips])
    rules = base.mark_rule(strokeWidth=LINE).encode(x=alt.X("low:Q", title="accuracy"), x2="high:Q")
    return rules + dots
