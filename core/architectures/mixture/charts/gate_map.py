"""The map of a gate: a corner for each expert, and digits between them, coloured by class."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd

from core.charts.base import PHONE
from core.colours import CLASSES, CONTROL, MARK, PAPER, WORDS

__all__ = ["gates"]

SIDE = PHONE  # pixels
_ROOM = 1.55  # from the middle to the border: corners are at 1, their names outside
_LEGEND = 108  # pixels that the legend takes of the height given


def gates(
    digits: pd.DataFrame,
    corners: pd.DataFrame,
    followed: pd.DataFrame,
    shown: list[int],
    file: str,
) -> alt.LayerChart:
    """Digits on the map of a gate, with the corners named and the followed digit in orange.

    digits, followed: columns x, y, class, place (in the file) and, of the two experts with the
    highest weights, "expert 0", "weight 0" (in hundredths), "expert 1", "weight 1"; the words of
    the tooltips are made of them in the browser, so that 2,500 need not be sent. corners: expert,
    x, y, load, in the order around the map. shown: classes in colour; the others are left out.
    """
    low, high = _ends(corners)
    x = alt.X("x:Q", axis=None, scale=alt.Scale(domain=[-_ROOM, _ROOM]))
    y = alt.Y("y:Q", axis=None, scale=alt.Scale(domain=[low, high]))
    height = round(SIDE * (high - low) / (2 * _ROOM))  # as far up as across
    base = alt.Chart(width=SIDE, height=height + _LEGEND)
    colours = alt.Scale(domain=list(range(len(CLASSES))), range=list(CLASSES))
    key = alt.Legend(title="class", orient="bottom", columns=5, symbolOpacity=1, symbolSize=70)
    tips = ["digit:N", "class", "weights:N"]
    points = _told(base.properties(data=_short(digits[digits["class"].isin(shown)])), file)
    layers = [
        _frame(corners).encode(x=x, y=y, order="at:Q"),
        points.mark_circle(size=16, opacity=0.75).encode(
            x=x, y=y, color=alt.Color("class:N", scale=colours, legend=key), tooltip=tips
        ),
        *_names(corners, x, y),
        *_ring(_told(base.properties(data=followed), file), x, y, tips),
    ]
    return alt.layer(*layers).configure_view(strokeWidth=0)


def _short(digits: pd.DataFrame) -> pd.DataFrame:
    """The same digits, a hundred-thousandth of a pixel off."""
    return digits.astype({"x": np.float32, "y": np.float32})


def _told(chart: alt.Chart, file: str) -> alt.Chart:
    """The chart of digits, which makes the words of its tooltips itself."""
    two = (f"'expert ' + datum['expert {at}'] + ' ' + {_share(at)}" for at in range(2))
    return chart.transform_calculate(
        digit=f"'{file}/' + datum.place", weights=" + ', ' + ".join(two)
    )


def _share(at: int) -> str:
    """The weight of one of the two experts as a text, in the browser's terms."""
    return f"format(datum['weight {at}'] / 100, '.2f')"


def _ends(corners: pd.DataFrame) -> tuple[float, float]:
    """The lowest and the highest y of the chart, with room for the names of the corners."""
    if float(np.ptp(corners["y"])) == 0:
        return -0.65, 0.3
    above = _ROOM - 1
    return float(corners["y"].min()) - above, float(corners["y"].max()) + above


def _frame(corners: pd.DataFrame) -> alt.Chart:
    """The outline from corner to corner."""
    closed = pd.concat([corners, corners.head(1)]).assign(at=range(len(corners) + 1))
    return alt.Chart(closed).mark_line(color=CONTROL, strokeWidth=1, opacity=0.7)


def _ring(base: alt.Chart, x: alt.X, y: alt.Y, tips: list[str]) -> list[alt.Chart]:
    """The followed digit: an orange ring on a white one, so that it shows on any colour."""
    strokes = ((7, PAPER), (3.5, MARK))
    return [
        base.mark_point(size=190, strokeWidth=wide, color=colour, filled=False, opacity=1).encode(
            x=x, y=y, tooltip=tips
        )
        for wide, colour in strokes
    ]


def _names(corners: pd.DataFrame, x: alt.X, y: alt.Y) -> list[alt.Chart]:
    """Expert and load outside each corner."""
    if float(np.ptp(corners["y"])) == 0:
        outside = corners.assign(y=-0.35)
    else:
        outside = corners.assign(x=1.32 * corners["x"], y=1.24 * corners["y"])
    named = outside.assign(
        name=[f"expert {expert}" for expert in corners["expert"]],
        share=[f"{load:.0%}" for load in corners["load"]],
    )
    if len(corners) > 8:  # the words don't fit
        named["name"] = [str(expert) for expert in corners["expert"]]
    text = alt.Chart(named).mark_text
    return [
        text(fontSize=12, fontWeight="bold", dy=-6, color=WORDS).encode(x=x, y=y, text="name:N"),
        text(fontSize=11, dy=8, color=WORDS).encode(x=x, y=y, text="share:N"),
    ]
