"""Who takes what: tables of experts as heat maps, load and importance, how decided a gate is."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from core.charts.bars import histogram_bars
from core.charts.base import HEIGHT, LEVEL, LINE, every, legend
from core.charts.heatmap import Words, diverging, heat_map, sequential
from core.colours import CONTROL, MARK, MODEL

__all__ = ["beyond", "decided", "loads", "shares"]


def shares(frame: pd.DataFrame, groups: str) -> alt.LayerChart:
    """The share of each group's digits that each expert takes, in percent; groups across.

    frame: columns group, expert, share, low, high, load, within, taken, n. groups: what they are.
    """
    marked = frame.assign(text=[f"{100 * share:.0f}" for share in frame["share"]])
    percents = [alt.Tooltip(f"{of}:Q", format=".1%") for of in _PERCENTS]
    return heat_map(
        marked,
        "share",
        sequential(),
        x=alt.X("group:O", title=groups, axis=alt.Axis(labelAngle=0, orient="top")),
        y=alt.Y("expert:O", title="expert", axis=every()),
        tooltip=["expert", alt.Tooltip("group:O", title=groups), *percents, "taken", "n"],
        words=[Words("text:N")],
    )


_PERCENTS = ("share", "low", "high", "load", "within")


def beyond(frame: pd.DataFrame, concepts: Sequence[str]) -> alt.LayerChart:
    """Share − what the class explains, in points; concepts down. Red is more, blue is less.

    frame: columns group (a concept), expert, more, share, expected, low, high, n, p, q, before,
    confirmed: only those cells have a number. concepts: in the order of the rows.
    """
    points = frame.assign(
        text=[
            f"{100 * more:+.0f}" if confirmed else ""
            for more, confirmed in zip(frame["more"], frame["confirmed"], strict=True)
        ]
    )
    tips = [alt.Tooltip(f"{of}:Q", format="+.1%") for of in ("more", "before")]
    tips += [alt.Tooltip(f"{of}:Q", format=".1%") for of in ("share", "expected", "low", "high")]
    return heat_map(
        points,
        "more",
        diverging(frame["more"]),
        x=alt.X("expert:O", title="expert", axis=alt.Axis(labelAngle=0, orient="top")),
        y=alt.Y("group:N", title=None, sort=list(concepts), axis=every(150)),
        tooltip=["group", "expert", *tips, "n", alt.Tooltip("q:Q", format=".4f")],
        words=[Words("text:N")],
    )


def loads(load: ArrayLike, importance: ArrayLike, dead: float) -> alt.LayerChart:
    """Load and importance of each expert; grey: an even share; dashed: below it an expert is dead.

    load, importance: (experts,).
    """
    given = {"load": np.asarray(load), "importance": np.asarray(importance)}
    experts = len(given["load"])
    frame = pd.concat(
        pd.DataFrame({"expert": range(experts), "measure": name, "share": of})
        for name, of in given.items()
    )
    scale = alt.Scale(domain=list(given), range=[MODEL, MARK])
    bars = (
        alt.Chart(frame, height=HEIGHT)
        .mark_bar(opacity=0.85)
        .encode(
            x=alt.X("expert:O", title="expert", axis=LEVEL),
            xOffset=alt.XOffset("measure:N", sort=list(given)),
            y=alt.Y("share:Q", title="share", axis=alt.Axis(format="%", tickCount=5)),
            color=alt.Color("measure:N", scale=scale, legend=legend("")),
            tooltip=["expert", "measure", alt.Tooltip("share:Q", format=".2%")],
        )
    )
    lines = pd.DataFrame({"share": [1 / experts, dead], "what": ["even", "dead below"]})
    dashes = alt.Scale(domain=["even", "dead below"], range=[[1, 0], [5, 4]])
    rules = (
        alt.Chart(lines)
        .mark_rule(color=CONTROL, strokeWidth=LINE)
        .encode(
            y="share:Q",
            strokeDash=alt.StrokeDash("what:N", scale=dashes, legend=None),
            tooltip=["what", alt.Tooltip("share:Q", format=".2%")],
        )
    )
    return bars + rules


def decided(bits: ArrayLike, untrained: float, most: float) -> alt.LayerChart:
    """How many digits have which entropy of their weights; grey: the untrained gate's mean.

    bits: (n,), of each digit. most: bits of an undecided gate.
    """
    edges = np.linspace(0, max(most, 1e-9), 41)
    given = np.clip(np.asarray(bits, dtype=np.float64), 0, edges[-1])
    counts = np.histogram(given, edges)[0] / len(given)
    bars = histogram_bars(
        edges,
        counts,
        x="entropy of a digit's weights, bits",
        y=alt.Y("share:Q", title="digits", axis=alt.Axis(format="%", tickCount=5)),
        form=".2f",
        tooltip=alt.Tooltip("share:Q", format=".1%"),
    )
    mean = pd.DataFrame({"from": [min(untrained, float(edges[-1]))]})
    told = alt.Tooltip("from:Q", title="mean, untrained", format=".3f")
    rule = alt.Chart(mean).mark_rule(color=CONTROL, strokeWidth=2 * LINE)
    return bars + rule.encode(x="from:Q", tooltip=[told])
