"""Charts of a gate through training: who takes how much at each step, and what that tells."""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from core.charts.base import HEIGHT, every, legend
from core.charts.heatmap import Words, heat_map, sequential
from core.charts.lines import at_place, dotted, over_training
from core.colours import CONTROL, MARK, MODEL, PAPER, many

__all__ = ["area", "classes", "line"]


def area(frame: pd.DataFrame, measure: str, step: int) -> alt.LayerChart:
    """Each expert's share over steps, one on the other; the step that is shown as a line.

    frame: columns step, expert, load, importance and dead.
    """
    experts = sorted(frame["expert"].unique().tolist())
    areas = (
        alt.Chart(frame, height=HEIGHT + 150)
        .mark_area(opacity=0.9, line={"color": PAPER, "strokeWidth": 0.6})
        .encode(
            x=over_training(),
            y=alt.Y(
                f"{measure}:Q",
                stack="zero",
                title=f"{measure} of the experts",
                axis=alt.Axis(format="%", tickCount=5),
                scale=alt.Scale(domain=[0, 1]),
            ),
            color=alt.Color(
                "expert:N",
                scale=alt.Scale(domain=experts, range=many(len(experts))),
                legend=alt.Legend(title="expert", orient="top", columns=8, symbolType="square"),
            ),
            order="expert:Q",
            tooltip=["expert", "step", alt.Tooltip(f"{measure}:Q", format=".2%"), "dead"],
        )
    )
    return areas + _at(step)


def line(
    frame: pd.DataFrame,
    measure: str,
    *,
    title: str,
    chance: str | None = None,
    step: int | None = None,
) -> alt.LayerChart | alt.FacetChart:
    """A measure over steps, a line for each network.

    frame: columns step, network and `measure`. chance: the column of what chance gives, dashed.
    step: the one that is shown, as a line.
    """
    names = list(dict.fromkeys(frame["network"]))
    colour = alt.Color(
        "network:N",
        scale=alt.Scale(domain=names, range=[MODEL, MARK]),
        legend=legend("") if len(names) > 1 else None,
        sort=names,
    )
    y = alt.Y(f"{measure}:Q", title=title, scale=alt.Scale(domainMin=0))
    tall = HEIGHT + 46 * (len(names) > 1)  # with a legend above
    base = alt.Chart(frame, height=tall).encode(x=over_training(), color=colour)
    tips: list[Any] = ["network", "step:Q", alt.Tooltip(f"{measure}:Q", format=".3~f")]
    layers = [dotted(base, 18).encode(y=y, tooltip=tips)]
    if chance is not None:
        told = alt.Tooltip(f"{chance}:Q", title="by chance", format=".3f")
        dashed = base.mark_line(strokeDash=[5, 4], strokeWidth=1.4)
        layers.append(dashed.encode(y=alt.Y(f"{chance}:Q", title=title), tooltip=[told]))
    if step is not None:
        layers.append(_at(step))
    return alt.layer(*layers)


def classes(frame: pd.DataFrame) -> alt.LayerChart:
    """The share of each class's digits that each expert takes, in percent; classes across.

    frame: columns expert, class and share.
    """
    marked = frame.assign(
        text=["" if np.isnan(share) else f"{100 * share:.0f}" for share in frame["share"]]
    )
    return heat_map(
        marked,
        "share",
        sequential(),
        x=alt.X("class:O", title="class", axis=alt.Axis(labelAngle=0, orient="top")),
        y=alt.Y("expert:O", title="expert", axis=every()),
        tooltip=["expert", "class", alt.Tooltip("share:Q", format=".1%")],
        words=[Words("text:N")],
    )


def _at(step: int) -> alt.Chart:
    """The step that is shown."""
    told = alt.Tooltip("step:Q", title="step shown below")
    rule = at_place(over_training(), step, color=CONTROL, strokeDash=[2, 2])
    shown: alt.Chart = rule.encode(tooltip=told)
    return shown
