"""Charts of networks with several heads: answers, what each shared unit is for, and conflict."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from core.charts.bars import highlighted
from core.charts.base import HEIGHT, LEVEL, ROW, legend
from core.charts.heatmap import Words, heat_map, sequential
from core.charts.lines import dotted, over_training
from core.colours import CONTROL, MARK, MODEL, NEITHER, SERIES

__all__ = ["by_variance", "conflict", "crossed", "indices", "needle", "plane", "rises", "shares"]

_INDEX = alt.Scale(domain=[-1, 0, 1], range=[MARK, NEITHER, MODEL])
_HARM = alt.Scale(type="symlog", constant=0.001)
_TWO_LINES = 54  # pixels of a row of cells with two lines of words
_TICKS = [-0.1, -0.01, -0.001, 0, 0.001, 0.01, 0.1, 1]


def shares(names: Sequence[str], values: ArrayLike, right: int) -> alt.Chart:
    """The probability of each answer; the right one in orange."""
    return highlighted(
        names,
        values,
        right,
        x=alt.X("answer:N", title=None, sort=list(names), axis=LEVEL),
        y=alt.Y("probability:Q", title=None, scale=alt.Scale(domain=[0, 1])),
        form=".2%",
        height=130,
    )


def needle(said: float, right: float) -> alt.Chart:
    """Two lines from one foot at their slants in radians: said blue, right dashed orange."""
    rows = [
        {"of": of, "x": up * np.sin(slant), "y": up * np.cos(slant), "slant": slant}
        for of, slant in (("network", said), ("image", right))
        for up in (0, 1)
    ]
    frame, order = pd.DataFrame(rows), ["network", "image"]
    return (
        alt.Chart(frame, width=230, height=115)
        .mark_line(strokeWidth=3)
        .encode(
            x=alt.X("x:Q", scale=alt.Scale(domain=[-1, 1]), axis=None),
            y=alt.Y("y:Q", scale=alt.Scale(domain=[0, 1]), axis=None),
            color=alt.Color(
                "of:N", scale=alt.Scale(domain=order, range=[MODEL, MARK]), legend=None
            ),
            strokeDash=alt.StrokeDash(
                "of:N", scale=alt.Scale(domain=order, range=[[1, 0], [6, 5]]), legend=None
            ),
            tooltip=["of", alt.Tooltip("slant:Q", format="+.3f")],
        )
    )


def rises(frame: pd.DataFrame, unit: str) -> alt.Chart:
    """A bar for each unit: by how much one loss rises without it. Columns unit (text) and rise."""
    return (
        alt.Chart(frame, height=alt.Step(ROW))
        .mark_bar(color=MODEL)
        .encode(
            x=alt.X("rise:Q", title=f"rise of the loss, {unit}", axis=alt.Axis(tickCount=3)),
            y=alt.Y("unit:N", title=None, sort=None, axis=alt.Axis(labelOverlap=False)),
            tooltip=["unit", *(alt.Tooltip(f"{c}:Q", format=".3g") for c in ("rise", "passed"))],
        )
    )


def plane(frame: pd.DataFrame, first: str, second: str) -> alt.LayerChart:
    """Every unit by the harm that its silence does to two tasks; unused units grey.

    frame: columns unit, harm first, harm second, used and index.
    """
    axis = alt.Axis(values=_TICKS, format=".2~p")
    x = alt.X("harm first:Q", title=f"harm to {first}", scale=_HARM, axis=axis)
    y = alt.Y("harm second:Q", title=f"harm to {second}", scale=_HARM, axis=axis)
    tips = [alt.Tooltip(f"{name} {at}:Q", format=".2%") for at in _SIDES for name in ("harm",)]
    base = alt.Chart(frame, height=HEIGHT + 90).encode(x=x, y=y)
    dots = base.mark_point(filled=True, size=42, opacity=0.85)
    told = ["unit", *tips, alt.Tooltip("index:Q", format="+.2f")]
    colour = alt.Color("index:Q", scale=_INDEX, legend=None)
    idle = dots.transform_filter("!datum.used").encode(
        color=alt.value(CONTROL), opacity=alt.value(0.35), tooltip=["unit", *tips]
    )
    return idle + dots.transform_filter("datum.used").encode(color=colour, tooltip=told)


_SIDES = ("first", "second")


def by_variance(frame: pd.DataFrame, first: str, second: str) -> alt.Chart:
    """The index by lesion over the index by variance, a dot for each unit used."""
    scale = alt.Scale(domain=[-1, 1])
    return (
        alt.Chart(frame[frame["used"]].dropna(), height=HEIGHT + 90)
        .mark_point(filled=True, size=42, opacity=0.8)
        .encode(
            x=alt.X("by variance:Q", title=f"by variance: {second} −1, {first} +1", scale=scale),
            y=alt.Y("index:Q", title=f"by lesion: {second} −1, {first} +1", scale=scale),
            color=alt.Color("index:Q", scale=_INDEX, legend=None),
            tooltip=["unit", *(alt.Tooltip(f"{c}:Q", format="+.2f") for c in _INDICES)],
        )
    )


_INDICES = ("index", "again", "by variance")


def crossed(frame: pd.DataFrame, tasks: Sequence[str], silent: Sequence[str]) -> alt.LayerChart:
    """Harm by silenced units and judged task, the range of random units below each number.

    frame: columns silent, task, harm, harm low, harm high, score.
    """
    told = [
        f"{100 * low:.0f} to {100 * high:.0f}"
        for low, high in zip(frame["harm low"], frame["harm high"], strict=True)
    ]
    frame = frame.assign(random=told)
    numbers = [c for c in ("harm", "harm low", "harm high", "score") if c in frame]
    return heat_map(
        frame,
        "harm",
        sequential(1.0, MARK),
        x=alt.X("task:N", title="harm to", sort=list(tasks), axis=LEVEL),
        y=alt.Y("silent:N", title="silenced units of", sort=list(silent)),
        tooltip=["silent", "task", *(alt.Tooltip(f"{c}:Q", format=".3f") for c in numbers)],
        words=[Words("harm:Q", 15, ".0%", dy=-8, bold=True), Words("random:N", dy=11)],
        height=alt.Step(_TWO_LINES),
    )


def indices(frame: pd.DataFrame, first: str, second: str) -> alt.Chart:
    """A tick for each used unit at its index, a row for each network. Columns taught and index."""
    rows = list(dict.fromkeys(frame["taught"]))
    colours = alt.Scale(domain=rows, range=[MODEL, *[CONTROL] * (len(rows) - 1)])
    return (
        alt.Chart(frame.dropna(), height=30 + 40 * len(rows))
        .mark_tick(thickness=1.5, height=22, opacity=0.6)
        .encode(
            x=alt.X("index:Q", title=f"{second} −1, {first} +1", scale=alt.Scale(domain=[-1, 1])),
            y=alt.Y("taught:N", title=None, sort=rows),
            color=alt.Color("taught:N", scale=colours, legend=None),
            tooltip=["taught", "unit", alt.Tooltip("index:Q", format="+.2f")],
        )
    )


def conflict(frame: pd.DataFrame) -> alt.LayerChart:
    """Cosines over training, a line for each two tasks; grey dashed: a task with itself.

    frame: columns step, tasks, cosine and kind, "between" or "alike".
    """
    names = list(dict.fromkeys(frame.loc[frame["kind"] == "between", "tasks"]))
    base = alt.Chart(frame, height=HEIGHT + 30).encode(
        x=over_training(),
        y=alt.Y("cosine:Q", title="cosine of gradients"),
        tooltip=["tasks", "step", alt.Tooltip("cosine:Q", format="+.3f")],
    )
    same = base.transform_filter("datum.kind == 'alike'").mark_line(
        color=CONTROL, strokeDash=[5, 4], strokeWidth=1.4
    )
    colour = alt.Color(
        "tasks:N",
        scale=alt.Scale(domain=names, range=list(SERIES[: len(names)])),
        legend=legend("tasks"),
    )
    lines = dotted(base.transform_filter("datum.kind == 'between'"), 20)
    zero = alt.Chart(pd.DataFrame({"cosine": [0]})).mark_rule(color=CONTROL).encode(y="cosine:Q")
    return zero + same.encode(detail="tasks:N") + lines.encode(color=colour)
