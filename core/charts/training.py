"""Charts of networks in training and beside one another: lines of single networks, never means."""

from __future__ import annotations

import altair as alt
import pandas as pd

from core.charts.base import HEIGHT, LEVEL, LINE, legend
from core.charts.lines import banded, dotted, over_training
from core.colours import CONTROL, MARK, MODEL, SERIES

__all__ = ["correspondence", "dots", "over_layers", "over_shares", "over_steps", "ribbon"]

_TALL = HEIGHT + 46  # with a legend above
_PAIR = 52  # pixels of a row of two networks


def ribbon(frame: pd.DataFrame, title: str) -> alt.LayerChart:
    """The median over steps within its outer tenths, and its first value as a grey line.

    frame: columns step, low, median and high, the untrained network's first.
    """
    y = alt.Y("median:Q", title=title)
    base = alt.Chart(frame, height=HEIGHT).encode(x=over_training(), color=alt.value(MODEL))
    tips = ["step:Q", *(alt.Tooltip(f"{name}:Q", format=".2f") for name in _QUANTILES)]
    start = alt.Chart(frame.head(1)).mark_rule(color=CONTROL, strokeWidth=LINE)
    untrained = alt.Tooltip("median:Q", title="untrained", format=".2f")
    line = banded(base, dotted(base), y, tooltip=tips, opacity=0.18)
    return start.encode(y=y, tooltip=[untrained]) + line


def over_steps(
    frame: pd.DataFrame,
    y: str,
    by: str,
    *,
    title: str,
    chance: pd.DataFrame | None = None,
) -> alt.Chart | alt.LayerChart:
    """A line for each value of the column `by` over the column step.

    chance: what shuffles reach, a column named `y` and, if it differs, `by`: dashed lines, in grey
    or in the colour of their line.
    """
    height, colour = alt.Y(f"{y}:Q", title=title, scale=alt.Scale(zero=False)), _colour(frame, by)
    lines = dotted(alt.Chart(frame, height=_TALL)).encode(
        x=over_training(),
        y=height,
        color=colour,
        tooltip=[by, "step:Q", alt.Tooltip(f"{y}:Q", format=".3~f")],
    )
    if chance is None:
        return lines
    rules = alt.Chart(chance).mark_rule(strokeDash=[5, 4], strokeWidth=1.4)
    shade = colour if by in chance else alt.value(CONTROL)
    told = alt.Tooltip(f"{y}:Q", title="95th percentile, shuffled", format=".3f")
    return rules.encode(y=height, color=shade, tooltip=[told]) + lines


def correspondence(frame: pd.DataFrame) -> alt.LayerChart:
    """|Correlation| of every unit with its partner, a row for each pair of networks.

    frame: columns pair, network ("trained" or "untrained"), unit, partner, correlation and null,
    which the orange tick shows.
    """
    x = alt.X("correlation:Q", title="|correlation| with the partner", scale=_share())
    y = alt.Y("pair:N", sort=None, title=None, axis=alt.Axis(labelOverlap=False))
    order = ["trained", "untrained"]
    colours = alt.Scale(domain=order, range=[MODEL, CONTROL])
    tips = ["pair", "network", "unit", "partner", alt.Tooltip("correlation", format=".2f")]
    ticks = (
        alt.Chart(frame, height=_PAIR * frame["pair"].nunique() + 110)
        .mark_tick(thickness=1.4, height=16, opacity=0.55)
        .encode(
            x=x,
            y=y,
            yOffset=alt.YOffset("network:N", sort=order),
            color=alt.Color("network:N", scale=colours, sort=order, legend=legend("")),
            tooltip=tips,
        )
    )
    nulls = frame.groupby("pair", sort=False, as_index=False)["null"].max()
    told = alt.Tooltip("null:Q", title="95th percentile, shuffled", format=".2f")
    marks = alt.Chart(nulls).mark_tick(color=MARK, thickness=LINE, height=_PAIR - 14)
    return ticks + marks.encode(x="null:Q", y=y, tooltip=[told])


def dots(frame: pd.DataFrame, measure: str) -> alt.Chart:
    """A dot for each network, by dropout; columns dropout (text), seed, trained and `measure`."""
    colours = alt.Scale(domain=[True, False], range=[MODEL, CONTROL])
    return (
        alt.Chart(frame, height=HEIGHT - 40)
        .mark_point(filled=True, size=60, opacity=0.75)
        .encode(
            x=alt.X("dropout:N", sort=None, title="dropout", axis=LEVEL),
            y=alt.Y(f"{measure}:Q", title=None, scale=alt.Scale(zero=False)),
            color=alt.Color("trained:N", scale=colours, legend=None),
            tooltip=["dropout", "seed", alt.Tooltip(f"{measure}:Q", format=".3f")],
        )
    )


def over_shares(frame: pd.DataFrame) -> alt.Chart:
    """Accuracy while units are silenced, a line for each network.

    frame: columns silenced (0..1), accuracy, dropout (text; "untrained" is grey) and seed.
    """
    return (
        alt.Chart(frame, height=_TALL)
        .mark_line(strokeWidth=1.6)
        .encode(
            x=alt.X(
                "silenced:Q", title="share of the layer's units silenced", axis=alt.Axis(format="%")
            ),
            y=alt.Y("accuracy:Q", title="accuracy", scale=_share()),
            color=_colour(frame, "dropout"),
            detail="seed:N",
            tooltip=["dropout", "seed", "silenced", alt.Tooltip("accuracy:Q", format=".1%")],
        )
    )


def over_layers(
    frame: pd.DataFrame, x: str, y: str, *, title: str, name: str, percent: bool = False
) -> alt.Chart:
    """A line for each network over layers or their number.

    frame: columns `x`, `y`, kind (whose "untrained" and "random" are grey) and seed.
    """
    form = ".2%" if percent else ".3f"
    axis = alt.Axis(format="%") if percent else alt.Undefined
    return dotted(alt.Chart(frame, height=_TALL), 26, 1.6).encode(
        x=alt.X(f"{x}:O", title=name, sort=None, axis=LEVEL),
        y=alt.Y(f"{y}:Q", title=title, axis=axis, scale=alt.Scale(zero=False)),
        color=_colour(frame, "kind", "network"),
        detail="seed:N",
        tooltip=["kind", x, "seed", alt.Tooltip(f"{y}:Q", format=form)],
    )


_QUANTILES = ("low", "median", "high")
_CONTROLS = ("untrained", "random")  # series that are grey


def _share() -> alt.Scale:
    """From nothing to all."""
    return alt.Scale(domain=[0, 1])


def _colour(frame: pd.DataFrame, by: str, title: str | None = None) -> alt.Color:
    """A colour for each value of the column `by`, in their order; grey for controls."""
    names = list(dict.fromkeys(frame[by]))
    colours = iter(SERIES * (1 + len(names) // len(SERIES)))
    shades = [CONTROL if name in _CONTROLS else next(colours) for name in names]
    scale = alt.Scale(domain=names, range=shades)
    return alt.Color(f"{by}:N", sort=names, scale=scale, legend=legend(title or by))
