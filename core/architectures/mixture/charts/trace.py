"""Charts of one digit in its gate: weights, each expert's answer, and what adds up to the logit."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from core.charts.base import CONTROL, MARK, MODEL

__all__ = ["answers", "contributions", "ways", "weights"]

_EVERY = alt.Axis(labelOverlap=False, labelFlush=False, labelBound=False)
_PLAIN = alt.Axis(labelAngle=0, labelOverlap=False)
_STROKE = "#cbd5e1"
_ROW = 26  # pixels of a heat map's row


def weights(values: ArrayLike, untrained: ArrayLike | None = None) -> alt.LayerChart | alt.Chart:
    """A bar for each expert's weight, the highest orange; a grey tick: before training.

    values, untrained: (experts,), in 0..1.
    """
    given = np.asarray(values, dtype=np.float64)
    frame = pd.DataFrame({"expert": np.arange(len(given)), "weight": given})
    x = alt.X("expert:O", title="expert", axis=_PLAIN)
    y = alt.Y("weight:Q", title="weight", scale=alt.Scale(domain=[0, 1]))
    most = alt.datum.expert == int(given.argmax())
    bars = (
        alt.Chart(frame, height=170)
        .mark_bar()
        .encode(
            x=x,
            y=y,
            color=alt.when(most).then(alt.value(MARK)).otherwise(alt.value(MODEL)),
            tooltip=["expert", alt.Tooltip("weight:Q", format=".4f")],
        )
    )
    if untrained is None:
        return bars
    before = frame.assign(weight=np.asarray(untrained, dtype=np.float64))
    told = alt.Tooltip("weight:Q", title="before training", format=".4f")
    ticks = alt.Chart(before).mark_tick(color=CONTROL, thickness=4).encode(x=x, y=y)
    return bars + ticks.encode(tooltip=["expert", told])


def answers(probabilities: ArrayLike, weighed: ArrayLike, label: int) -> alt.LayerChart:
    """Probability of each class by each expert alone, and by the network in the last row.

    probabilities: (experts + 1, 10). weighed: (experts,), the gate's weights. label: the digit's
    class, whose column is framed.
    """
    given, share = (np.asarray(of, dtype=np.float64) for of in (probabilities, weighed))
    names = [f"expert {at} · {of:.0%}" for at, of in enumerate(share)] + ["network"]
    row, column = np.indices(given.shape)
    frame = pd.DataFrame(
        {
            "who": np.asarray(names)[row.ravel()],
            "class": column.ravel(),
            "probability": given.ravel(),
        }
    )
    frame["text"] = [f"{100 * value:.0f}" if value >= 0.005 else "" for value in given.ravel()]
    base = alt.Chart(frame, height=_ROW * len(names) + 40).encode(
        x=alt.X("class:O", title="class", axis=_PLAIN),
        y=alt.Y("who:N", title=None, sort=names, axis=_EVERY),
    )
    tips = ["who", "class", alt.Tooltip("probability:Q", format=".2%")]
    cells = base.mark_rect(stroke=_STROKE).encode(color=_orange("probability"), tooltip=tips)
    own = alt.Chart(frame[frame["class"] == label]).mark_rect(
        stroke=MODEL, strokeWidth=2, fillOpacity=0
    )
    frame_of_class = own.encode(
        x=alt.X("class:O"), y=alt.Y("who:N", sort=names, axis=_EVERY), tooltip=tips
    )
    return cells + frame_of_class + _words(base)


def contributions(values: ArrayLike, answer: int) -> alt.LayerChart:
    """A bar for what each expert adds to the answer's logit, and last their sum, orange.

    values: (experts,).
    """
    given = np.asarray(values, dtype=np.float64)
    names = [*(str(at) for at in range(len(given))), "sum"]
    frame = pd.DataFrame({"expert": names, "adds": [*given, given.sum()]})
    bars = (
        alt.Chart(frame, height=200)
        .mark_bar()
        .encode(
            x=alt.X("expert:N", title="expert", sort=names, axis=_PLAIN),
            y=alt.Y("adds:Q", title=f"contribution to the logit of {answer}"),
            color=alt.when(alt.datum.expert == "sum")
            .then(alt.value(MARK))
            .otherwise(alt.value(MODEL)),
            tooltip=["expert", alt.Tooltip("adds:Q", format="+.4f")],
        )
    )
    zero = alt.Chart(pd.DataFrame({"adds": [0.0]})).mark_rule(color=CONTROL)
    return zero.encode(y="adds:Q") + bars


def ways(frame: pd.DataFrame) -> alt.LayerChart:
    """The answer of each way through two layers; colour: the share of the gates' choice.

    frame: columns first, second (experts), answer, probability (of that answer) and weight (the
    product of both gates' weights).
    """
    most = max(float(frame["weight"].max()), 1e-9)
    base = alt.Chart(frame.assign(text=frame["answer"].astype(str)), height=230).encode(
        x=alt.X("second:O", title="expert of layer 2", axis=_PLAIN),
        y=alt.Y("first:O", title="expert of layer 1", axis=_PLAIN),
    )
    tips = [
        "first",
        "second",
        "answer",
        alt.Tooltip("probability:Q", format=".1%"),
        alt.Tooltip("weight:Q", format=".3f"),
    ]
    cells = base.mark_rect(stroke=_STROKE).encode(color=_orange("weight", most), tooltip=tips)
    return cells + _words(base, size=15)


def _orange(column: str, most: float = 1.0) -> alt.Color:
    """White at 0 to orange."""
    scale = alt.Scale(range=["#ffffff", MARK], domain=[0, most], interpolate="rgb")
    return alt.Color(f"{column}:Q", scale=scale, legend=None)


def _words(base: alt.Chart, size: int = 11) -> alt.Chart:
    """The numbers of a heat map: dark, which stands out from white and from orange."""
    words: alt.Chart = base.mark_text(fontSize=size, color="#111827").encode(text="text:N")
    return words
