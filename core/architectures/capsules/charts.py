"""Charts and pictures of capsules: numbers in, nothing of models or the dashboard."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from core import pictures
from core.charts.base import HEIGHT, LEVEL, every, legend
from core.charts.heatmap import Words, diverging, heat_map
from core.charts.intervals import interval_plot
from core.charts.lines import dotted, level
from core.colours import CONTROL, MARK, MODEL, paler
from core.pictures import Bytes

__all__ = ["accuracies", "decisions", "effects", "lengths", "shares_on"]

_VEIL = 0.7  # of the colour over the digit
_STEPS = (*paler(MODEL, (0.3, 0.65)), MODEL)  # iterations, the last as dark as the model


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
            x=alt.X("class:O", title="class", axis=LEVEL),
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


def effects(frame: pd.DataFrame) -> alt.LayerChart:
    """By class and property, what the dimension that draws it most does, in standard deviations.

    frame: columns class, property, dimension, effect, monotony, null, random axis.
    """
    tips = [alt.Tooltip(name, format="+.2f") for name in ("effect", "monotony")]
    limits = [alt.Tooltip(name, format=".2f") for name in ("null", "random axis")]
    named = "d" + frame["dimension"].astype(str) + " " + frame["effect"].map("{:+.1f}".format)
    return heat_map(
        frame.assign(words=named),
        "effect",
        diverging(frame["effect"]),
        x=alt.X("property:N", sort=None, title=None, axis=alt.Axis(labelAngle=0, orient="top")),
        y=alt.Y("class:O", title="class"),
        tooltip=["class", "property", "dimension", *tips, *limits],
        words=[Words("words:N")],
    )


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
    lines = dotted(alt.Chart(long, height=HEIGHT + 30), 40).encode(
        x=alt.X("iteration:O", axis=LEVEL),
        y=alt.Y("value:Q", title=None, scale=alt.Scale(zero=False)),
        color=alt.Color(
            "measure:N", scale=colours, sort=names, legend=alt.Legend(title=None, orient="top")
        ),
        strokeDash=alt.StrokeDash("network:N", sort=["trained", "untrained"], legend=None),
        tooltip=["network", "measure", "iteration", alt.Tooltip("value:Q", format=".3f")],
    )
    if bound is None:
        return alt.layer(lines)
    return lines + level("value", bound, "equal shares", form=".2f")


def accuracies(frame: pd.DataFrame, by: str) -> alt.LayerChart:
    """Accuracy with its 95 % interval, a row for each value of the column `by`; controls in grey.

    frame: columns `by`, accuracy, low, high, and control (bool) if there are any.
    """
    shown = frame if "control" in frame else frame.assign(control=False)
    names = list(dict.fromkeys(shown[by]))
    colours = alt.Scale(domain=[False, True], range=[MODEL, CONTROL])
    axis = alt.Axis(format="%", tickCount=5)
    x = alt.X("accuracy:Q", title="accuracy", scale=alt.Scale(zero=False), axis=axis)
    tips = [alt.Tooltip(f"{key}:Q", format=".2%") for key in ("accuracy", "low", "high")]
    return interval_plot(
        shown,
        alt.Y(f"{by}:N", title=None, sort=names, axis=every(190)),
        x,
        tooltip=[by, *tips],
        colour=alt.Color("control:N", scale=colours, legend=None),
    )
