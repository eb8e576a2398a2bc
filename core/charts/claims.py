"""Charts of claims about units: what a removal changes, beside controls, and how much it takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from core.charts.bars import histogram_bars
from core.charts.base import HEIGHT, LINE, every, layered
from core.charts.intervals import interval_plot, zero
from core.colours import CONTROL, MARK, MODEL, SERIES

__all__ = ["beside_controls", "changes", "contributions", "losses_by_operator", "removal_curves"]


def changes(frame: pd.DataFrame, title: str, *, percent: bool) -> alt.LayerChart:
    """Changes with 95 % intervals, a row for each group of digits.

    Columns group, kind ("concept" or "other"), before, after, change, low, high, n.
    """
    fine = ".1%" if percent else ".3f"
    y = alt.Y("group:N", sort=list(frame["group"]), title=None, axis=every(210))
    colour = alt.Color(
        "kind:N",
        scale=alt.Scale(domain=["concept", "other"], range=[MARK, MODEL]),
        legend=None,
    )
    axis = alt.Axis(format="%" if percent else "~f", tickCount=6)
    tips = [
        "group",
        alt.Tooltip("n:Q", title="digits"),
        *(alt.Tooltip(f"{c}:Q", format=fine) for c in ("before", "after", "change", "low", "high")),
    ]
    x = alt.X("change:Q", title=title, axis=axis)
    return layered(zero(), interval_plot(frame, y, x, tooltip=tips, colour=colour))


def losses_by_operator(frame: pd.DataFrame, limit: float) -> alt.LayerChart:
    """Losses of accuracy with 95 % intervals, a row for each operator, and the limit as a line.

    Columns operator, loss, from, to, necessary (the verdict), p.
    """
    rows = frame.rename(columns={"from": "low", "to": "high"})
    y = alt.Y("operator:N", sort=list(frame["operator"]), title=None, axis=every(260))
    x = alt.X("loss:Q", title="loss of accuracy", axis=alt.Axis(format="%", tickCount=6))
    colour = alt.Color(
        "necessary:N",
        scale=alt.Scale(
            domain=["supported", "inconclusive", "not supported"], range=[SERIES[4], MARK, MODEL]
        ),
        legend=alt.Legend(title=None, orient="top", direction="vertical", columns=1),
    )
    tips = [
        "operator",
        *(alt.Tooltip(f"{name}:Q", format=".1%") for name in ("loss", "low", "high")),
        alt.Tooltip("necessary:N"),
        alt.Tooltip("p:Q", format=".4f"),
    ]
    line = alt.Chart(pd.DataFrame({"limit": [limit]})).mark_rule(color=CONTROL, strokeDash=[4, 4])
    plot = interval_plot(rows, y, x, tooltip=tips, colour=colour)
    return layered(zero(), line.encode(x="limit:Q"), plot)


def beside_controls(own: float, effects: ArrayLike, title: str) -> alt.LayerChart:
    """The effect of the claim's units among those of control sets, as a histogram and a rule."""
    values = np.asarray(effects, dtype=np.float64)
    ends = min(values.min(initial=own), own), max(values.max(initial=own), own)
    counts, edges = np.histogram(values, bins=30, range=(ends[0], ends[1] + 1e-9))
    y = alt.Y("sets:Q", title="control sets", axis=alt.Axis(tickMinStep=1))
    bars = histogram_bars(edges, counts, x=title, y=y, form=".3f", tooltip="sets", colour=CONTROL)
    mark = alt.Chart(pd.DataFrame({"own": [own]})).mark_rule(color=MARK, strokeWidth=3)
    return bars + mark.encode(
        x="own:Q", tooltip=[alt.Tooltip("own:Q", title="these units", format=".3f")]
    )


def removal_curves(
    counts: ArrayLike, curves: Mapping[str, ArrayLike], random: ArrayLike, title: str
) -> alt.LayerChart:
    """What is left as more units are removed, or kept: a line a ranking, a band for random units.

    counts: (k,). curves: by name, (k,). random: (orders, k); the band holds all of them.
    """
    k, drawn = np.asarray(counts), np.asarray(random, dtype=np.float64)
    names = list(curves)
    rows = [
        {"ranking": name, "units": int(at), "left": float(left)}
        for name, values in curves.items()
        for at, left in zip(k, np.asarray(values), strict=True)
    ]
    band = pd.DataFrame(
        {"units": k, "low": drawn.min(0), "high": drawn.max(0), "middle": np.median(drawn, 0)}
    )
    x = alt.X("units:Q", title="units", axis=alt.Axis(tickCount=8))
    y = alt.Y("left:Q", title=title, scale=alt.Scale(domainMax=1))
    area = (
        alt.Chart(band, height=HEIGHT + 80)
        .mark_area(color=CONTROL, opacity=0.3)
        .encode(x=x, y=alt.Y("low:Q", title=title), y2="high:Q")
    )
    middle = (
        alt.Chart(band)
        .mark_line(color=CONTROL, strokeDash=[5, 3])
        .encode(x=x, y="middle:Q", tooltip=["units", alt.Tooltip("middle:Q", format=".1%")])
    )
    colour = alt.Color(
        "ranking:N",
        sort=names,
        scale=alt.Scale(domain=names, range=list(SERIES[: len(names)])),
        legend=alt.Legend(title=None, orient="top", columns=2, labelLimit=160),
    )
    lines = (
        alt.Chart(pd.DataFrame(rows))
        .mark_line(strokeWidth=LINE, point=alt.OverlayMarkDef(size=22))
        .encode(
            x=x,
            y=y,
            color=colour,
            tooltip=["ranking", "units", alt.Tooltip("left:Q", format=".1%")],
        )
    )
    return area + middle + lines


def contributions(
    units: Sequence[str], values: ArrayLike, errors: ArrayLike, title: str
) -> alt.LayerChart:
    """Values with two standard errors either side, a row for each unit."""
    middle, spread = np.asarray(values, dtype=np.float64), 2 * np.asarray(errors, dtype=np.float64)
    frame = pd.DataFrame(
        {"unit": list(units), "value": middle, "low": middle - spread, "high": middle + spread}
    )
    numbers = [alt.Tooltip(f"{name}:Q", format=".3f") for name in ("value", "low", "high")]
    return interval_plot(
        frame,
        alt.Y("unit:N", sort=list(units), title="unit", axis=every()),
        alt.X("value:Q", title=title),
        tooltip=["unit", *numbers],
    )
