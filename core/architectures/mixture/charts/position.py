"""Where and what: shares over offsets and over classes, and what each layer tells."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from core.charts.base import LINE, legend
from core.charts.heatmap import heat_map, sequential
from core.colours import CONTROL, MARK, MODEL, SERIES

__all__ = ["expert", "told"]

_TILE, _BARS, _TOLD = 153, 56, 210  # pixels; a map's are a multiple of its 9 cells
_LEVEL = alt.Axis(labelAngle=0, labelPadding=3, ticks=False, domain=False, grid=False)

_EDGE = alt.ViewBackground(stroke=CONTROL, strokeWidth=1)  # a share of 0 is white, as paper may be


def expert(
    offsets: ArrayLike, classes: ArrayLike, load: float, most: float, title: str
) -> alt.VConcatChart:
    """One expert: its share of the digits at each offset as a map, below its share of each class.

    offsets: (down, right), as many below 0 as above. classes: (classes,). load: its share of all
    digits, dashed. most: the share that is full orange, and the top of the bars.
    """
    shares = np.asarray(offsets, dtype=np.float64)
    top = alt.TitleParams(title, fontSize=13, anchor="middle", offset=4)
    upper = _map(shares, most).properties(title=top)
    lower = _bars(np.asarray(classes, dtype=np.float64), load, most)
    return alt.vconcat(upper, lower, spacing=6).configure_view(strokeWidth=0)


def _map(shares: np.ndarray, most: float) -> alt.LayerChart:
    """The share at each offset, up left at the top left."""
    reach = len(shares) // 2
    down, right = np.indices(shares.shape).reshape(2, -1) - reach
    frame = pd.DataFrame({"down": down, "right": right, "share": shares.ravel()})
    ends = _LEVEL.copy()
    ends.values = [-reach, 0, reach]
    return heat_map(
        frame,
        "share",
        sequential(most, MARK),
        x=alt.X("right:O", title=None, axis=ends, scale=alt.Scale(padding=0)),
        y=alt.Y("down:O", title=None, axis=ends, scale=alt.Scale(padding=0)),
        tooltip=["down", "right", alt.Tooltip("share:Q", format=".1%")],
        edges=False,
        width=_TILE,
        height=_TILE,
    ).properties(view=_EDGE)


def _bars(shares: np.ndarray, load: float, most: float) -> alt.LayerChart:
    """The share of each class."""
    frame = pd.DataFrame({"class": np.arange(len(shares)), "share": shares, "load": load})
    base = alt.Chart(frame, width=_TILE, height=_BARS)
    scale = alt.Scale(domain=[0, most])
    bars = base.mark_bar(color=MODEL).encode(
        x=alt.X("class:O", title=None, axis=_LEVEL),
        y=alt.Y("share:Q", title=None, scale=scale, axis=None),
        tooltip=["class", alt.Tooltip("share:Q", format=".1%"), alt.Tooltip("load", format=".1%")],
    )
    even = alt.Chart(frame.head(1)).mark_rule(strokeDash=[4, 3], color=CONTROL, strokeWidth=LINE)
    return bars + even.encode(y=alt.Y("load:Q", scale=scale, axis=None))


def told(frame: pd.DataFrame, networks: dict[str, str], most: float) -> alt.LayerChart:
    """What one gate tells of each factor, a bar for each network; orange: the limit of shuffles.

    frame: a row for each factor with its name, `shuffled`, and a column for each of networks,
    column -> name, the network itself first. most: the top of the scale.
    """
    long = frame.melt(["factor", "shuffled"], list(networks), "network", "value")
    long["network"] = long["network"].map(networks)
    names, factors = list(networks.values()), list(frame["factor"])
    colours = alt.Scale(domain=names, range=[MODEL, CONTROL, SERIES[2]][: len(names)])
    scale = alt.Scale(domain=[0, most], nice=True)
    x = alt.X("factor:N", title=None, sort=factors, axis=alt.Axis(labelAngle=0, labelLimit=90))
    bars = (
        alt.Chart(long, height=_TOLD)
        .mark_bar()
        .encode(
            x=x,
            xOffset=alt.XOffset("network:N", sort=names),
            y=alt.Y("value:Q", title="normalized information", scale=scale),
            color=alt.Color("network:N", scale=colours, legend=legend(""), sort=names),
            tooltip=["factor", "network", alt.Tooltip("value:Q", title="normalized", format=".3f")],
        )
    )
    limit = (
        alt.Chart(frame)
        .mark_tick(color=MARK, thickness=2.5, size=52)
        .encode(
            x=x,
            y=alt.Y("shuffled:Q", title="normalized information", scale=scale),
            tooltip=[
                "factor",
                alt.Tooltip("shuffled:Q", title="95th percentile, shuffled", format=".3f"),
            ],
        )
    )
    return bars + limit
