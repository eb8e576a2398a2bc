"""Charts of what a gate does with each expert against what the expert's removal costs."""

from __future__ import annotations

import altair as alt
import pandas as pd

from core.charts.base import HEIGHT, layered, legend
from core.colours import CONTROL, SERIES

__all__ = ["against_cost"]

_TALL = HEIGHT + 100


def against_cost(frame: pd.DataFrame, statistic: str, title: str) -> alt.LayerChart:
    """Each expert as a point: a routing statistic across, the cost of its removal up, by seed.

    frame: columns name, seed, expert, cost, low, high and the statistic; shares, drawn in points.
    """
    points = frame.assign(
        seed=frame["seed"].astype(str), **{key: 100 * frame[key] for key in ("cost", "low", "high")}
    ).dropna(subset=[statistic])
    seeds = list(dict.fromkeys(points["seed"]))
    base = alt.Chart(points, height=_TALL).encode(
        x=alt.X(f"{statistic}:Q", title=title, scale=alt.Scale(zero=False, padding=14, nice=False)),
        color=alt.Color(
            "seed:N",
            sort=seeds,
            scale=alt.Scale(domain=seeds, range=list(SERIES[: len(seeds)])),
            legend=legend("seed"),
        ),
    )
    tips = [
        "name:N",
        "seed:N",
        alt.Tooltip(f"{statistic}:Q", format=".3f"),
        *(alt.Tooltip(f"{key}:Q", format=".2f") for key in ("cost", "low", "high")),
    ]
    shape = alt.Shape("seed:N", sort=seeds, legend=legend("seed"))
    y = alt.Y("cost:Q", title="accuracy lost, points", axis=alt.Axis(tickCount=6))
    dots = base.mark_point(filled=True, size=70, opacity=0.9).encode(y=y, shape=shape, tooltip=tips)
    bars = base.mark_rule(opacity=0.9, strokeWidth=1).encode(y=alt.Y("low:Q"), y2="high:Q")
    nothing = alt.Chart(pd.DataFrame({"zero": [0.0]})).mark_rule(color=CONTROL).encode(y="zero:Q")
    return layered(nothing, bars, dots)
