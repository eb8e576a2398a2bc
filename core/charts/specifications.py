"""The specification curve: a loss for every training and way of testing, the smallest first."""

from __future__ import annotations

import altair as alt
import pandas as pd

from core.charts.base import HEIGHT, layered, legend
from core.colours import CONTROL, MODEL

__all__ = ["specification_curve"]

_NAMES = {True: "supported", False: "not supported"}


def specification_curve(table: pd.DataFrame) -> alt.LayerChart:
    """The losses in their order with their intervals, blue where the claim is supported.

    table: columns loss, low, high, supported, and those that say which way it was tested.
    """
    frame = table.reset_index(names="place").assign(
        verdict=[_NAMES[bool(of)] for of in table["supported"]]
    )
    x = alt.X(
        "place:Q", title="trainings and ways of testing, by loss", axis=alt.Axis(labels=False)
    )
    colour = alt.Color(
        "verdict:N",
        scale=alt.Scale(domain=list(_NAMES.values()), range=[MODEL, CONTROL]),
        legend=legend(""),
    )
    base = alt.Chart(frame).encode(x=x, color=colour)
    axis = alt.Axis(format="%")
    lines = base.mark_rule(opacity=0.25).encode(
        y=alt.Y("low:Q", title="loss of accuracy", axis=axis), y2="high:Q"
    )
    tips = ["seed", "operator", "units", "half", "threshold"]
    numbers = [alt.Tooltip(f"{name}:Q", format=".1%") for name in ("loss", "low", "high")]
    points = base.mark_point(filled=True, size=18, opacity=1).encode(
        y="loss:Q", tooltip=[*tips, *numbers, alt.Tooltip("p:Q", format=".3f")]
    )
    return layered(lines, points).properties(height=HEIGHT)
