"""Charts of radial basis functions: responses, widths, purity, and distances between codes."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from core.charts.bars import highlighted
from core.charts.base import HEIGHT, INSIDE, LEVEL, LINE, every, layered, legend
from core.charts.heatmap import Shades, Words, heat_map
from core.charts.lines import at_place, dotted, level
from core.colours import CONTROL, MARK, MODEL, PAPER

__all__ = ["between_codes", "by_class", "by_rank", "over_widths", "purities"]

READ_OUTS = {"fitted": "read-out refitted", "kept": "read-out kept"}


def by_class(values: ArrayLike, answer: int, *, title: str, form: str = ".2f") -> alt.Chart:
    """A bar for each class, (classes,), that of the answer in orange."""
    numbers = np.asarray(values, dtype=np.float64)
    return highlighted(
        range(len(numbers)),
        numbers,
        answer,
        x=alt.X("class:O", title="class", axis=LEVEL),
        y=alt.Y("value:Q", title=title),
        form=form,
        height=HEIGHT - 40,
    )


def by_rank(responses: ArrayLike) -> alt.LayerChart:
    """All responses (centres,), the highest first, and the level of a centre one width away."""
    falling = np.sort(np.asarray(responses, dtype=np.float64))[::-1]
    frame = pd.DataFrame({"rank": np.arange(1, len(falling) + 1), "response": falling})
    area = (
        alt.Chart(frame, height=HEIGHT - 40)
        .mark_area(color=MODEL, opacity=0.3, line={"color": MODEL, "strokeWidth": LINE})
        .encode(
            x=alt.X("rank:Q", title="centres, nearest first", axis=alt.Axis(grid=False)),
            y=alt.Y("response:Q", title="response φ", scale=alt.Scale(domain=[0, 1])),
            tooltip=["rank", alt.Tooltip("response:Q", format=".3g")],
        )
    )
    return area + level("response", float(np.exp(-0.5)), "φ at distance σ", colour=MARK)


def over_widths(
    frame: pd.DataFrame, measure: str, factor: float, *, title: str, percent: bool = True
) -> alt.LayerChart:
    """A measure over factors on the width, a line for each read-out where there are two.

    frame: columns factor, `measure` and read_out ("fitted" or "kept"). factor: the one chosen.
    """
    named = frame.assign(read_out=frame["read_out"].map(READ_OUTS))
    two = named["read_out"].nunique() > 1
    names = list(READ_OUTS.values())
    scale = alt.Scale(domain=names, range=[MODEL, CONTROL])
    colour = alt.Color("read_out:N", scale=scale, legend=legend("") if two else None)
    x = alt.X(
        "factor:Q",
        title="width, relative to the network's own",
        scale=alt.Scale(type="log"),
        axis=alt.Axis(values=sorted(named["factor"].unique()), format="~g", grid=False),
    )
    axis = alt.Axis(format="%") if percent else alt.Undefined
    form = ".1%" if percent else ".1f"
    lines = dotted(alt.Chart(named, height=HEIGHT + 20 * two), 30).encode(
        x=x,
        y=alt.Y(f"{measure}:Q", title=title, axis=axis, scale=alt.Scale(domainMin=0)),
        color=colour,
        tooltip=["read_out", "factor", alt.Tooltip(f"{measure}:Q", format=form)],
    )
    return layered(at_place(x, factor), lines)


def purities(frame: pd.DataFrame) -> alt.Chart:
    """How many centres have which purity; columns purity (0..1) and centres (a name)."""
    names = list(dict.fromkeys(frame["centres"]))
    tenth = (frame["purity"] * 10).astype(int).clip(0, 9)
    words = [f"{10 * low}–{10 * low + 10}" for low in range(10)]
    return (
        alt.Chart(frame.assign(purity=tenth.map(dict(enumerate(words)))), height=HEIGHT)
        .mark_bar(opacity=0.9)
        .encode(
            x=alt.X(
                "purity:O",
                sort=words,
                title="purity, %",
                axis=LEVEL,
                scale=alt.Scale(domain=words),
            ),
            xOffset=alt.XOffset("centres:N", sort=names),
            y=alt.Y("count()", title="centres"),
            color=alt.Color(
                "centres:N",
                sort=names,
                scale=alt.Scale(domain=names, range=[MODEL, CONTROL]),
                legend=legend(""),
            ),
            tooltip=["centres", alt.Tooltip("count()", title="number of centres")],
        )
    )


def between_codes(distances: ArrayLike) -> alt.LayerChart:
    """Squared distances between the codes of two classes, (classes, classes)."""
    values = np.asarray(distances, dtype=np.float64)
    rows, columns = np.indices(values.shape)
    parts = {"of": rows.ravel(), "to": columns.ravel(), "distance": values.ravel()}
    return heat_map(
        pd.DataFrame(parts),
        "distance",
        Shades((0.0, max(float(values.max()), 1e-9)), (MODEL, PAPER)),
        x=alt.X("to:O", title="bitmap of class", axis=LEVEL),
        y=alt.Y("of:O", title="activation: bitmap of class", axis=every()),
        tooltip=["of", "to", "distance"],
        words=[Words("distance:Q", 10)],
        edges=False,
        width=INSIDE,
        height=INSIDE,
    )
