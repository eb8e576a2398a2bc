"""Charts of runs with other settings: one measure against α, or against the number of experts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt
import pandas as pd

from core.charts.base import HEIGHT, LEVEL, LINE, legend
from core.charts.intervals import interval_plot
from core.colours import CONTROL, MARK, SERIES

__all__ = ["against"]

_TALL = HEIGHT + 130  # with a legend above
_APART = 13  # pixels between the open places of two lines
_KS = dict(zip(("1", "2", "all"), SERIES, strict=False))  # a k has its colour in every chart


def against(
    frame: pd.DataFrame, x: str, measure: str, *, title: str, rules: Mapping[str, float]
) -> alt.LayerChart | alt.FacetChart:
    """A measure against the setting `x`, a line for each k; open places were never trained.

    frame: columns `x` (text, in order), k (text), kept, current, `measure`, and for the accuracy
    low and high. rules: what to hold it against, dashed, by name.
    """
    names = [k for k in _KS if k in set(frame["k"])]
    colour = alt.Color(
        "k:N",
        sort=names,
        scale=alt.Scale(domain=names, range=[_KS[name] for name in names]),
        legend=legend("experts run, k"),
    )
    order = list(dict.fromkeys(frame[x]))
    axis = alt.X(f"{x}:O", sort=order, title=title, axis=LEVEL)
    form = ".2%" if measure == "accuracy" else ".3~f"
    y = alt.Y(
        f"{measure}:Q",
        title=measure,
        scale=alt.Scale(zero=False, padding=14),
        axis=alt.Axis(format=".1%" if measure == "accuracy" else "~g", tickCount=5),
    )
    kept = frame[frame["kept"]]
    base = alt.Chart(kept).encode(x=axis, color=colour)
    layers: list[Any] = [base.mark_line(strokeWidth=LINE).encode(y=y)]
    tips = ["k", f"{x}:N", alt.Tooltip(f"{measure}:Q", format=form)]
    if measure == "accuracy":
        layers.append(interval_plot(kept, axis, y, tooltip=tips, colour=colour))
    else:
        layers.append(base.mark_point(filled=True, size=60, opacity=1).encode(y=y, tooltip=tips))
    now = alt.Chart(kept[kept["current"]]).encode(x=axis, y=y)
    layers.append(now.mark_point(size=230, color=MARK, strokeWidth=2.5))
    layers += _open(frame[~frame["kept"]], axis, colour, names, x)
    layers += _rules(rules, y, form)
    return alt.layer(*layers).properties(height=_TALL)


def _open(
    missing: pd.DataFrame, axis: alt.X, colour: alt.Color, names: list[str], x: str
) -> list[alt.Chart]:
    """Open rings at the foot of the chart, one above the other, for runs that aren't kept."""
    charts = []
    for at, name in enumerate(names):
        of = missing[missing["k"] == name]
        if len(of):
            ring = alt.Chart(of).mark_point(size=36, strokeWidth=1.4, opacity=0.7)
            foot = alt.value(alt.expr(f"height - {8 + _APART * at}"))
            charts.append(ring.encode(x=axis, y=foot, color=colour, tooltip=["k", f"{x}:N"]))
    return charts


def _rules(rules: Mapping[str, float], y: alt.Y, form: str) -> list[alt.Chart]:
    """Dashed lines, each with its name."""
    if not rules:
        return []
    measure = str(y.shorthand).removesuffix(":Q")
    frame = pd.DataFrame({"what": list(rules), measure: list(rules.values())})
    base = alt.Chart(frame).encode(y=y)
    tips = ["what", alt.Tooltip(f"{measure}:Q", format=form)]
    line = base.mark_rule(color=CONTROL, strokeDash=[5, 4], strokeWidth=LINE).encode(tooltip=tips)
    words = base.mark_text(align="left", dx=4, dy=-6, fontSize=11, color=CONTROL)
    return [line, words.encode(x=alt.value(0), text="what:N")]
