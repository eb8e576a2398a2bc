"""Pictures of gates: heat-maps beside the digit's rows, saturation, memory, early reading."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from core.charts.base import HEIGHT, LINE, layered, legend
from core.charts.heatmap import frames, sequential
from core.charts.heatmap import heat_map as grid
from core.charts.lines import at_place, banded, dotted
from core.colours import CLASSES, CONTROL, MARK, MODEL, SERIES, rgb
from core.pictures import PAPER, Bytes, enlarged, ink
from core.pictures import signed as in_colours

__all__ = [
    "CELL",
    "HEAT_FROM",
    "answers",
    "by_class",
    "effects",
    "heat_map",
    "memory",
    "reading",
    "saturation",
    "unit_tiles",
]

CELL = 10  # picture pixels of one unit at one row, and of one pixel of the digit
_GAP = 10  # between the digit and the units
HEAT_FROM = 28 * CELL + _GAP  # the first column of the units
_FRAME = rgb(MARK)
_WIDE = 3  # picture pixels, of a frame's line
READERS = ("head", "probe", "untrained", "shuffled head", "shuffled probe")


def heat_map(
    image: ArrayLike,
    values: ArrayLike,
    order: NDArray[np.int64],
    *,
    signed: bool,
    limit: float = 1.0,
    chosen: tuple[int, int] | None = None,
) -> Bytes:
    """The digit, and beside each of its rows the units at that row: (height, width, 3).

    image: (28, 28) in 0..1. values: (units, rows), a column for each unit in the `order` given.
    signed: blue at -limit over white at 0 to red at limit; otherwise white at 0 to black at limit.
    chosen: a unit and a row to be framed.

    Raises `ValueError` when the rows aren't those of the digit.
    """
    digit, units = np.asarray(image, dtype=np.float64), np.asarray(values, dtype=np.float64)
    if units.shape != (len(order), len(digit)):
        raise ValueError(
            f"values are {units.shape}: give (units, rows), {(len(order), len(digit))}."
        )
    shown = units[order].T[None]
    tile = in_colours(shown, limit) if signed else ink(shown / limit)
    left, right = enlarged(ink(digit[None]), CELL)[0], enlarged(tile, CELL)[0].copy()
    if chosen is not None:
        place = int(np.flatnonzero(order == chosen[0])[0])
        for edge in (place * CELL, (place + 1) * CELL - _WIDE):
            right[:, edge : edge + _WIDE] = _FRAME
        for picture in (left, right):
            for edge in (chosen[1] * CELL, (chosen[1] + 1) * CELL - _WIDE):
                picture[edge : edge + _WIDE] = _FRAME
    gap = np.full((len(left), _GAP, 3), PAPER, dtype=np.uint8)
    return np.concatenate([left, gap, right], axis=1)


def unit_tiles(means: ArrayLike, limit: float) -> Bytes:
    """A tile for each unit: classes across, rows down, (units, height, width, 3).

    means: (units, rows, classes), from blue at -limit to red at limit.
    """
    return enlarged(in_colours(means, limit).repeat(2, axis=2), 2)


def saturation(frame: pd.DataFrame) -> alt.LayerChart:
    """A dot for each unit of a gate: how often it is shut, and how often open.

    frame: columns unit, shut, open, network ("trained" or "untrained") and chosen (bool).
    """
    share, percent = alt.Scale(domain=[0, 1], nice=False), alt.Axis(format="%", tickCount=5)
    base = alt.Chart(frame).encode(
        x=alt.X("open:Q", title="right-saturated, above 0.9", scale=share, axis=percent),
        y=alt.Y("shut:Q", title="left-saturated, below 0.1", scale=share, axis=percent),
        tooltip=[
            "network",
            "unit",
            alt.Tooltip("shut:Q", format=".1%"),
            alt.Tooltip("open:Q", format=".1%"),
        ],
    )
    dots = base.mark_circle(size=46, opacity=0.65).encode(color=_networks())
    ring = base.mark_point(color=MARK, size=110, strokeWidth=2.4).transform_filter(_CHOSEN)
    return (dots + ring).properties(height=HEIGHT + 46)


def memory(frame: pd.DataFrame) -> alt.LayerChart:
    """Units by how long they remember, slowest at the right, on a logarithmic scale of rows.

    frame: columns place, unit, tau, network ("trained" or "untrained") and chosen (bool).
    """
    x = alt.X("place:Q", title="units, from the fastest to the slowest", axis=alt.Axis(tickCount=8))
    y = alt.Y("tau:Q", title="time constant, rows", scale=alt.Scale(type="log", nice=False))
    tips = ["network", "unit", alt.Tooltip("tau:Q", title="rows", format=".2f")]
    base = alt.Chart(frame)
    dots = base.mark_circle(size=40, opacity=0.8).encode(x=x, y=y, color=_networks(), tooltip=tips)
    ring = base.mark_point(color=MARK, size=110, strokeWidth=2.4).encode(x=x, y=y, tooltip=tips)
    return (dots + ring.transform_filter(_CHOSEN)).properties(height=HEIGHT + 46)


def by_class(frame: pd.DataFrame, digit: pd.DataFrame, row: int, title: str) -> alt.LayerChart:
    """A unit's mean state on each class over rows with 95 % intervals, and one digit's, dashed.

    frame: columns row, class, mean, low, high and digits. digit: columns row and value.
    """
    x = alt.X("row:Q", title="row read", scale=alt.Scale(domain=[0, 27]), axis=_rows())
    classes = [str(digit) for digit in range(10)]
    scale = alt.Scale(domain=classes, range=list(CLASSES))
    key = _solid("class", 5)
    colour = alt.Color("class:N", scale=scale, legend=key)
    base = alt.Chart(frame).encode(x=x, color=colour)
    tips = ["class", "row", *(alt.Tooltip(f"{name}:Q", format=".2f") for name in _INTERVAL)]
    y = alt.Y("mean:Q", title=title)
    lines = base.mark_line(strokeWidth=LINE)
    means = banded(base, lines, y, tooltip=[*tips, "digits"], opacity=0.22)
    own = alt.Chart(digit).mark_line(color=CONTROL, strokeWidth=3, strokeDash=[6, 4])
    own = own.encode(x=x, y="value:Q", tooltip=["row", alt.Tooltip("value:Q", format=".2f")])
    mark = at_place(x, row, strokeWidth=1.4)
    return layered(mark, means, own).properties(height=HEIGHT + 100)


def answers(shares: ArrayLike, row: int) -> alt.LayerChart:
    """Probabilities of the classes behind each row, (rows, classes); a row is framed."""
    values = np.asarray(shares, dtype=np.float64)
    rows, classes = np.indices(values.shape)
    columns = {"row": rows.ravel(), "class": classes.ravel(), "probability": values.ravel()}
    frame = pd.DataFrame(columns)
    y = alt.Y("row:O", title="row read", axis=alt.Axis(values=[0, 7, 14, 21, 27]))
    x = alt.X("class:O", title="class", axis=alt.Axis(labelAngle=0, orient="top"))
    tips = ["row", "class", alt.Tooltip("probability:Q", format=".1%")]
    cells = grid(
        frame, "probability", sequential(), x=x, y=y, tooltip=tips, edges=False, height=280
    )
    return cells + frames(alt.Chart(frame[frame["row"] == row]).encode(x=x, y=y), MARK, width=1)


def effects(frame: pd.DataFrame, title: str) -> alt.LayerChart:
    """The probability of the answer with each unit's gate held, a tick for each unit.

    frame: columns hold, unit, probability, now (without any hold) and chosen (bool).
    """
    share = alt.Scale(domain=[0, 1])
    x = alt.X("probability:Q", title=title, scale=share, axis=alt.Axis(format="%"))
    y = alt.Y("hold:N", title=None, sort=None)
    base = alt.Chart(frame).encode(x=x, y=y)
    tips = ["unit", "hold", alt.Tooltip("probability:Q", format=".2%")]
    ticks = base.mark_tick(color=MODEL, thickness=1.6, size=28, opacity=0.5).encode(tooltip=tips)
    own = base.mark_tick(color=MARK, thickness=3.5, size=38).encode(tooltip=tips)
    now = alt.Chart(frame.head(1)).mark_rule(color=CONTROL, strokeDash=[4, 4], strokeWidth=LINE)
    now = now.encode(x="now:Q", tooltip=[alt.Tooltip("now:Q", title="not clamped", format=".2%")])
    return (now + ticks + own.transform_filter("datum.chosen")).properties(height=130)


def reading(frame: pd.DataFrame, row: int) -> alt.LayerChart:
    """Accuracy by the number of rows read, a line with its interval for each reader.

    frame: columns row, reader (one of `READERS`), accuracy, low and high.
    """
    shown = [name for name in READERS if name in set(frame["reader"])]
    shades = dict(zip(READERS, (MODEL, SERIES[1], CONTROL, SERIES[2], SERIES[3]), strict=True))
    scale = alt.Scale(domain=shown, range=[shades[name] for name in shown])
    x = alt.X("row:Q", title="row read", scale=alt.Scale(domain=[0, 27]), axis=_rows())
    colour = alt.Color("reader:N", sort=shown, scale=scale, legend=_solid("read by"))
    y = alt.Y("accuracy:Q", title="accuracy", scale=alt.Scale(domain=[0, 1]))
    y = y.axis(alt.Axis(format="%"))
    tips = ["reader", "row", *(alt.Tooltip(f"{n}:Q", format=".1%") for n in _SHARES)]
    base = alt.Chart(frame).encode(x=x, color=colour)
    lines = banded(base, dotted(base, 18), y, tooltip=tips, opacity=0.18)
    marked = layered(at_place(x, row, strokeWidth=1.4), lines)
    return marked.properties(height=HEIGHT + 100)


_INTERVAL, _SHARES = ("mean", "low", "high"), ("accuracy", "low", "high")

_CHOSEN = "datum.chosen && datum.network == 'trained'"


def _networks() -> alt.Color:
    """The trained network's colour, and grey for itself before training."""
    scale = alt.Scale(domain=["trained", "untrained"], range=[MODEL, CONTROL])
    return alt.Color("network:N", scale=scale, legend=legend("network"))


def _solid(title: str, columns: int = 3) -> alt.Legend:
    """A legend in full colour, also where the first layer is a pale band."""
    return alt.Legend(title=title, orient="top", columns=columns, symbolOpacity=1)


def _rows() -> alt.Axis:
    """Rows of a digit, from 0 at its top."""
    return alt.Axis(values=[0, 7, 14, 21, 27], grid=False)
