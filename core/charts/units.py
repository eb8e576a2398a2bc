"""Charts of units: what they answer to, how they emerge, what a part does to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from core.charts.bars import histogram_bars
from core.charts.base import HEIGHT, LEVEL, LINE, ROW, every, finite, layered, legend
from core.charts.heatmap import heat_map, sequential
from core.charts.intervals import bars_with_intervals, baseline, interval_plot, zero
from core.charts.lines import dotted, over_training
from core.colours import CONTROL, MODEL, SERIES

__all__ = [
    "beside_baselines",
    "class_profile",
    "climb",
    "comparison",
    "concept_counts",
    "differences",
    "emergence",
    "exact_zeros",
    "histogram",
    "learning",
]


def learning(
    steps: ArrayLike,
    losses: ArrayLike,
    *,
    passed: str = "batches seen",
    measure: str = "loss, nats",
) -> alt.Chart:
    """Training loss over steps, or what a network that learns by its own rule makes small."""
    frame = pd.DataFrame({"step": np.asarray(steps), "loss": np.asarray(losses)})
    return (
        alt.Chart(frame, height=HEIGHT)
        .mark_line(color=MODEL, strokeWidth=1.2, clip=True)
        .encode(
            x=over_training(passed),
            y=alt.Y("loss:Q", title=measure, scale=alt.Scale(domainMin=0)),
            tooltip=["step:Q", alt.Tooltip("loss:Q", format=".3f")],
        )
    )


def emergence(selectivity: pd.DataFrame, *, passed: str = "batches seen") -> alt.Chart:
    """Selectivity over steps, a line for each layer; columns step, layer and median."""
    layers = list(dict.fromkeys(selectivity["layer"]))
    colour = alt.Color(
        "layer:N", sort=layers, scale=alt.Scale(range=list(SERIES)), legend=legend("layer")
    )
    return dotted(alt.Chart(selectivity, height=HEIGHT + 46)).encode(
        x=over_training(passed),
        y=alt.Y("median:Q", title="median selectivity", scale=alt.Scale(domain=[0, 1])),
        color=colour,
        tooltip=["layer", "step", alt.Tooltip("median:Q", format=".2f")],
    )


def class_profile(
    means: ArrayLike,
    low: ArrayLike,
    high: ArrayLike,
    control: ArrayLike | None = None,
    *,
    measure: str = "mean activation",
) -> alt.LayerChart:
    """A unit's mean activation, or another measure, on each class, with 95 % intervals.

    means, low, high: (classes,). control: the untrained unit's means, as grey ticks.
    """
    columns = {"class": np.arange(len(np.asarray(means))), "mean": means, "low": low, "high": high}
    frame = pd.DataFrame({name: np.asarray(values) for name, values in columns.items()})
    x, y = alt.X("class:O", title="class", axis=LEVEL), alt.Y("mean:Q", title=measure)
    tips = [
        "class:O",
        *(alt.Tooltip(f"{name}:Q", format=".3f") for name in ("mean", "low", "high")),
    ]
    chart = bars_with_intervals(frame, x, y, tooltip=tips, height=HEIGHT)
    if control is None:
        return chart
    ticks = pd.DataFrame({"class": frame["class"], "untrained": np.asarray(control)})
    told = ["class:O", alt.Tooltip("untrained:Q", format=".3f")]
    return chart + baseline(ticks, x, alt.Y("untrained:Q"), width=16, tooltip=told)


def histogram(edges: ArrayLike, counts: ArrayLike) -> alt.Chart:
    """A unit's activations above zero. edges: (bins + 1,). counts: (bins,)."""
    y = alt.Y("digits:Q", title="digits")
    return histogram_bars(edges, counts, x="activation above 0", y=y, form=".2f", tooltip="digits")


def exact_zeros(zeros: int, total: int) -> alt.Chart:
    """The digits of `total` on which a unit is exactly 0, as a bar on a scale of its own."""
    share = zeros / max(total, 1)
    atom = pd.DataFrame({"value": ["0"], "digits": [zeros], "share": [share]})
    return (
        alt.Chart(atom, height=HEIGHT)
        .mark_bar(color=CONTROL, size=26)
        .encode(
            x=alt.X("value:N", title="= 0", axis=alt.Axis(labels=False, ticks=False)),
            y=alt.Y("digits:Q", title="digits", scale=alt.Scale(domain=[0, max(total, 1)])),
            tooltip=["digits", alt.Tooltip("share:Q", format=".1%")],
        )
    )


def beside_baselines(
    value: float, controls: Mapping[str, ArrayLike], *, title: str, domain: Sequence[float]
) -> alt.LayerChart:
    """One number of a unit beside the distributions that it must be read against.

    controls: by name, the values of other units or of permuted labels, as ticks in a row each.
    """
    rows = [
        {"row": name, "value": float(v)}
        for name, values in controls.items()
        for v in finite(values)
    ]
    order = list(controls)
    frame = pd.DataFrame(rows, columns=["row", "value"])
    x = alt.X("value:Q", title=title, scale=alt.Scale(domain=list(domain), clamp=True))
    ticks = (
        alt.Chart(frame)
        .mark_tick(color=CONTROL, opacity=0.55, thickness=1.4, height=14)
        .encode(
            x=x,
            y=alt.Y("row:N", sort=order, title=None),
            tooltip=["row", alt.Tooltip("value:Q", format=".2f")],
        )
    )
    mark = alt.Chart(pd.DataFrame({"value": [value]})).mark_rule(color=MODEL, strokeWidth=3)
    rule = mark.encode(x=x, tooltip=[alt.Tooltip("value:Q", title="this unit", format=".2f")])
    return (ticks + rule).properties(height=26 * len(order) + 78)


def climb(steps: ArrayLike, values: ArrayLike) -> alt.Chart:
    """The activation over the steps of a maximization."""
    frame = pd.DataFrame({"step": np.asarray(steps), "activation": np.asarray(values)})
    return (
        alt.Chart(frame, height=HEIGHT)
        .mark_line(color=MODEL, strokeWidth=LINE, point=True)
        .encode(
            x=alt.X("step:Q", title="step"),
            y=alt.Y("activation:Q", title="activation (image not shifted)"),
            tooltip=["step", alt.Tooltip("activation:Q", format=".2f")],
        )
    )


def comparison(units: Sequence[str], means: ArrayLike) -> alt.LayerChart:
    """Class profiles of several units, each as a share of its own largest mean.

    means: (units, classes), not negative.
    """
    values = np.asarray(means, dtype=np.float64)
    most = values.max(axis=1, keepdims=True)
    shares = np.divide(values, most, out=np.zeros_like(values), where=most > 0)
    rows = [
        {"unit": unit, "class": digit, "share": share, "mean": mean}
        for unit, of_unit, of_mean in zip(units, shares, values, strict=True)
        for digit, (share, mean) in enumerate(zip(of_unit, of_mean, strict=True))
    ]
    return heat_map(
        pd.DataFrame(rows),
        "share",
        sequential(),
        x=alt.X("class:O", title="class", axis=LEVEL),
        y=alt.Y("unit:N", sort=list(units), title=None, axis=every()),
        tooltip=[
            "unit",
            "class",
            alt.Tooltip("mean:Q", format=".3f"),
            alt.Tooltip("share:Q", format=".0%"),
        ],
        legend=alt.Legend(
            title="mean activation / largest class mean",
            orient="top",
            format="%",
            gradientLength=120,
        ),
    )


def concept_counts(concepts: Sequence[str]) -> alt.Chart:
    """How many units are detectors of each concept, the most frequent first.

    concepts: that of each detector.
    """
    names, counts = np.unique(np.asarray(concepts, dtype=str), return_counts=True)
    frame = pd.DataFrame({"concept": names, "units": counts})
    return (
        alt.Chart(frame, height=alt.Step(ROW))
        .mark_bar(color=MODEL, opacity=0.85)
        .encode(
            x=alt.X("units:Q", title="units", axis=alt.Axis(tickMinStep=1)),
            y=alt.Y(
                "concept:N",
                sort="-x",
                title=None,
                axis=alt.Axis(labelLimit=220, labelOverlap=False),
            ),
            tooltip=["concept", "units"],
        )
    )


def differences(
    frame: pd.DataFrame, title: str = "activation with the part − without it"
) -> alt.LayerChart:
    """Paired differences with 95 % intervals, a row each; columns name, mean, low, high, n.

    p, where the frame has it, is shown in the tip.
    """
    y = alt.Y("name:N", sort=list(frame["name"]), title=None, axis=every(260))
    x = alt.X("mean:Q", title=title, axis=alt.Axis(tickCount=6))
    tips = [
        "name",
        *(alt.Tooltip(f"{name}:Q", format=".3f") for name in ("mean", "low", "high")),
        alt.Tooltip("n:Q", title="pairs"),
        *([alt.Tooltip("p:Q", format=".4f")] if "p" in frame else []),
    ]
    return layered(zero(), interval_plot(frame, y, x, tooltip=tips))
