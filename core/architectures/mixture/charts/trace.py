"""Charts of one digit in its gate: weights, each expert's answer, and what adds up to the logit."""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from core.charts.bars import highlighted
from core.charts.base import every
from core.charts.heatmap import Words, frames, heat_map, sequential
from core.colours import CONTROL, MARK, MODEL

__all__ = ["answers", "contributions", "ways", "weights"]

_PLAIN = alt.Axis(labelAngle=0, labelOverlap=False)


def weights(values: ArrayLike, untrained: ArrayLike | None = None) -> alt.LayerChart | alt.Chart:
    """A bar for each expert's weight, the highest orange; a grey tick: before training.

    values, untrained: (experts,), in 0..1.
    """
    given = np.asarray(values, dtype=np.float64)
    x = alt.X("expert:O", title="expert", axis=_PLAIN)
    y = alt.Y("weight:Q", title="weight", scale=alt.Scale(domain=[0, 1]))
    experts = range(len(given))
    bars = highlighted(experts, given, int(given.argmax()), x=x, y=y, form=".4f", height=170)
    if untrained is None:
        return bars
    before = pd.DataFrame({"expert": experts, "weight": np.asarray(untrained, dtype=np.float64)})
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
    x = alt.X("class:O", title="class", axis=_PLAIN)
    y = alt.Y("who:N", title=None, sort=names, axis=every())
    tips: list[Any] = ["who", "class", alt.Tooltip("probability:Q", format=".2%")]
    shades, words = sequential(1.0, MARK), [Words("text:N")]
    drawn = heat_map(frame, "probability", shades, x=x, y=y, tooltip=tips, words=words)
    own = alt.Chart(frame[frame["class"] == label]).encode(x=x, y=y, tooltip=tips)
    return drawn + frames(own, MODEL)


def contributions(values: ArrayLike, answer: int) -> alt.LayerChart:
    """A bar for what each expert adds to the answer's logit, and last their sum, orange.

    values: (experts,).
    """
    given = np.asarray(values, dtype=np.float64)
    names = [*(str(at) for at in range(len(given))), "sum"]
    bars = highlighted(
        names,
        [*given, given.sum()],
        len(given),
        x=alt.X("expert:N", title="expert", sort=names, axis=_PLAIN),
        y=alt.Y("adds:Q", title=f"contribution to the logit of {answer}"),
        form="+.4f",
        height=200,
    )
    zero = alt.Chart(pd.DataFrame({"adds": [0.0]})).mark_rule(color=CONTROL)
    return zero.encode(y="adds:Q") + bars


def ways(frame: pd.DataFrame) -> alt.LayerChart:
    """The answer of each way through two layers; colour: the share of the gates' choice.

    frame: columns first, second (experts), answer, probability (of that answer) and weight (the
    product of both gates' weights).
    """
    most = max(float(frame["weight"].max()), 1e-9)
    tips = [
        "first",
        "second",
        "answer",
        alt.Tooltip("probability:Q", format=".1%"),
        alt.Tooltip("weight:Q", format=".3f"),
    ]
    return heat_map(
        frame.assign(text=frame["answer"].astype(str)),
        "weight",
        sequential(most, MARK),
        x=alt.X("second:O", title="expert of layer 2", axis=_PLAIN),
        y=alt.Y("first:O", title="expert of layer 1", axis=_PLAIN),
        tooltip=tips,
        words=[Words("text:N", 15)],
    )
