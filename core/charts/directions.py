"""Charts of a direction of a layer: what it gives on digits, and how many digits it takes."""

from __future__ import annotations

from collections.abc import Mapping

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from core.charts.base import HEIGHT, LINE, layered, legend
from core.charts.lines import dotted
from core.colours import CONTROL, MARK, MODEL

__all__ = ["densities", "fewer_digits"]

_BINS = 40


def densities(groups: Mapping[str, ArrayLike], title: str) -> alt.Chart:
    """The share of each group's digits that lies in each bin of values: a line a group.

    groups: by name, at most three, (n,) each; the one that matters first.
    """
    values = {name: np.asarray(of, dtype=np.float64) for name, of in groups.items()}
    every = np.concatenate(list(values.values()))
    edges = np.linspace(every.min(), every.max() + 1e-9, _BINS + 1)
    middles = (edges[1:] + edges[:-1]) / 2
    frame = pd.concat(
        pd.DataFrame({"value": middles, "share": _shares(of, edges), "digits": name})
        for name, of in values.items()
    )
    scale = alt.Scale(domain=list(values), range=[MARK, MODEL, CONTROL][: len(values)])
    return (
        alt.Chart(frame)
        .mark_line(interpolate="step", strokeWidth=LINE)
        .encode(
            x=alt.X("value:Q", title=title),
            y=alt.Y("share:Q", title="share of these digits", axis=alt.Axis(format="%")),
            color=alt.Color("digits:N", scale=scale, legend=legend("")),
            tooltip=[
                "digits:N",
                alt.Tooltip("value:Q", format=".2f"),
                alt.Tooltip("share:Q", format=".1%"),
            ],
        )
        .properties(height=HEIGHT)
    )


def fewer_digits(curve: pd.DataFrame, untrained: pd.DataFrame) -> alt.LayerChart:
    """AUC over the number of digits that a direction was fitted on, beside untrained networks.

    curve: columns digits, auc. untrained: digits, auc (the median), low, high.
    """
    x = alt.X("digits:Q", title="digits with the concept", scale=alt.Scale(type="log"))
    scale = alt.Scale(domain=[0.5, 1], clamp=True)
    y = alt.Y("auc:Q", title="AUC", scale=scale)
    tips = [alt.Tooltip("digits:Q", format=","), alt.Tooltip("auc:Q", format=".3f")]
    ends = [alt.Tooltip(f"{end}:Q", format=".3f") for end in ("low", "high")]
    before = alt.Chart(untrained).encode(x=x)
    low = alt.Y("low:Q", scale=scale, title="AUC")
    band = before.mark_area(opacity=0.25, color=CONTROL).encode(y=low, y2="high:Q")
    grey = dotted(before, colour=CONTROL).encode(y=y, tooltip=[*tips, *ends])
    own = dotted(alt.Chart(curve).encode(x=x), colour=MODEL).encode(y=y, tooltip=tips)
    return layered(band, grey, own).properties(height=HEIGHT)


def _shares(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """(bins,): the share of the values in each."""
    counts, _ = np.histogram(values, bins=edges)
    found: np.ndarray = counts / max(1, len(values))
    return found
