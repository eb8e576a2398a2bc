"""Attention drawn over a digit and over patches, and what heads are needed for."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from core import pictures
from core.charts.bars import highlighted
from core.charts.base import HEIGHT, LEVEL, every, layered, legend
from core.charts.heatmap import Words, diverging, heat_map, sequential
from core.charts.intervals import control_range, interval_plot
from core.charts.lines import level
from core.colours import CONTROL, MARK, MODEL, SERIES, rgb
from core.pictures import Bytes

__all__ = ["answers", "attended", "kept", "needs", "numbers", "spread"]

_TINT = rgb(MARK)
_TIMES = 3  # screen pixels a pixel of the digit
_OFFSET = 16  # pixels of one of several intervals in a row
_PLACES = 190  # height of a chart of patches


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
    frame = np.ones((size, size), dtype=bool)
    frame[3:-3, 3:-3] = False
    tiles[:, top : top + size, left : left + size][:, frame] = rgb(MODEL)
    return tiles


def numbers(values: ArrayLike, *, form: str, signed: bool) -> alt.LayerChart:
    """A number for each patch, where the patch is: blue below 0 and red above, or orange from 0.

    values: (patches,), row by row of a square. form: d3's format.
    """
    flat = np.asarray(values, dtype=np.float64)
    side = round(len(flat) ** 0.5)
    row, column = np.divmod(np.arange(len(flat)), side)
    frame = pd.DataFrame({"row": row, "column": column, "value": flat})
    return heat_map(
        frame,
        "value",
        diverging(flat) if signed else sequential(float(flat.max()), MARK),
        x=alt.X("column:O", title=None, axis=LEVEL),
        y=alt.Y("row:O", title=None),
        tooltip=["row", "column", alt.Tooltip("value:Q", format=".4f")],
        words=[Words("value:Q", 12, form)],
        height=_PLACES,
    )


def answers(probabilities: ArrayLike, label: int) -> alt.Chart:
    """The probability of each class; the digit's own class in orange."""
    values = np.asarray(probabilities, dtype=np.float64)
    return highlighted(
        range(len(values)),
        values,
        label,
        x=alt.X("class:O", title="answer", axis=LEVEL),
        y=alt.Y("probability:Q", title="probability", scale=alt.Scale(domain=[0, 1])),
        form=".3%",
        height=_PLACES,
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
            x=alt.X("head:N", title=None, axis=LEVEL),
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
    return dots + level(measure, uniform, "equal weight on all patches", colour=MARK)


_POINTS = ("change", "low", "high")


def needs(frame: pd.DataFrame) -> alt.LayerChart:
    """One head's change in accuracy by class with 95 % intervals, the controls as a grey band.

    frame: columns class, change, low, high, control low and control high, as shares.
    """
    x = alt.X("class:O", title="class", axis=LEVEL)
    y = alt.Y("change:Q", title="change in accuracy", axis=alt.Axis(format="+%"))
    low = alt.Y("control low:Q", title="change in accuracy")
    tips = [alt.Tooltip(f"{key}:Q", format="+.1%") for key in (*_POINTS, *_CONTROLS)]
    band = control_range(frame, x, low, "control high", height=HEIGHT)
    return layered(band, interval_plot(frame, x, y, tooltip=["class", *tips]))


_CONTROLS = ("control low", "control high")


def kept(frame: pd.DataFrame) -> alt.LayerChart:
    """Accuracy with weights replaced, with 95 % intervals.

    frame: columns weights (what they are replaced by), edited (which blocks), accuracy, low, high.
    """
    rows = list(dict.fromkeys(frame["weights"]))
    blocks = list(dict.fromkeys(frame["edited"]))
    colours = alt.Scale(domain=blocks, range=list(SERIES[: len(blocks)]))
    axis = alt.Axis(format="%", tickCount=5)
    x = alt.X("accuracy:Q", title="accuracy", scale=alt.Scale(domain=[0, 1]), axis=axis)
    tips = [alt.Tooltip(f"{key}:Q", format=".2%") for key in ("accuracy", "low", "high")]
    return interval_plot(
        frame,
        alt.Y("weights:N", title=None, sort=rows, axis=every()),
        x,
        tooltip=["weights", "edited", *tips],
        colour=alt.Color("edited:N", scale=colours, legend=legend("edited"), sort=blocks),
        offset=alt.YOffset("edited:N", sort=blocks),
        height=alt.Step(_OFFSET),
    )
