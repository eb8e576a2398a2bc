"""Charts of a gate through training: who takes how much at each step, and what that tells."""

from __future__ import annotations

from typing import Literal

import altair as alt
import numpy as np
import pandas as pd

from core.charts.base import CONTROL, HEIGHT, LINE, MARK, MODEL, STEP, legend, log_axis

__all__ = ["area", "classes", "line"]

_EVERY = alt.Axis(labelOverlap=False, labelFlush=False, labelBound=False)  # a label for each row
_ROW = 26  # pixels a row of the table
_MANY = 10  # experts for which one scheme of colours is enough


def area(frame: pd.DataFrame, measure: str, step: int) -> alt.LayerChart:
    """Each expert's share over steps, one on the other; the step that is shown as a line.

    frame: columns step, expert, load, importance and dead.
    """
    experts = sorted(frame["expert"].unique().tolist())
    areas = (
        alt.Chart(frame, height=HEIGHT + 150)
        .mark_area(opacity=0.9, line={"color": "#ffffff", "strokeWidth": 0.6})
        .encode(
            x=_steps(),
            y=alt.Y(
                f"{measure}:Q",
                stack="zero",
                title=f"{measure} of the experts",
                axis=alt.Axis(format="%", tickCount=5),
                scale=alt.Scale(domain=[0, 1]),
            ),
            color=alt.Color(
                "expert:N",
                scale=alt.Scale(domain=experts, scheme=_scheme(len(experts))),
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
    base = alt.Chart(frame, height=tall).encode(x=_steps(), color=colour)
    tips = ["network", "step:Q", alt.Tooltip(f"{measure}:Q", format=".3~f")]
    drawn = base.mark_line(strokeWidth=LINE, point=alt.OverlayMarkDef(size=18)).encode(
        y=y, tooltip=tips
    )
    layers = [drawn]
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
    base = alt.Chart(marked, height=_ROW * frame["expert"].nunique() + 50).encode(
        x=alt.X("class:O", title="class", axis=alt.Axis(labelAngle=0, orient="top")),
        y=alt.Y("expert:O", title="expert", axis=_EVERY),
    )
    scale = alt.Scale(domain=[0, 1], range=["#ffffff", MODEL], interpolate="rgb")
    cells = base.mark_rect(stroke="#cbd5e1").encode(
        color=alt.Color("share:Q", scale=scale, legend=None),
        tooltip=["expert", "class", alt.Tooltip("share:Q", format=".1%")],
    )
    readable = (
        alt.when(alt.datum.share > 0.55).then(alt.value("#ffffff")).otherwise(alt.value("#111827"))
    )
    return cells + base.mark_text(fontSize=11).encode(text="text:N", color=readable)


def _scheme(experts: int) -> Literal["tableau10", "tableau20"]:
    """The colours of so many experts."""
    return "tableau10" if experts <= _MANY else "tableau20"


def _steps() -> alt.X:
    """Steps, log-spaced from 0."""
    return alt.X("step:Q", title="batches seen", scale=STEP, axis=log_axis())


def _at(step: int) -> alt.Chart:
    """The step that is shown."""
    marked = alt.Chart(pd.DataFrame({"step": [step]}))
    told = alt.Tooltip("step:Q", title="step shown below")
    rule = marked.mark_rule(color=CONTROL, strokeWidth=LINE, strokeDash=[2, 2])
    return rule.encode(x="step:Q", tooltip=[told])
