"""Charts of a self-organizing map: one square a cell, each where it is on the map."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from core.charts.base import CONTROL, HEIGHT, LINE, MARK, MODEL, PHONE

__all__ = ["CELL", "digits", "errors", "grown", "labels", "values"]

SIDE = PHONE  # pixels of a map on the screen
_LEGEND = 86  # pixels that a legend takes below it
CELL = "cell"  # the name of the selection, and of its field
# One colour a class, told apart by the figure in the cell where eyes can't.
CLASS_COLOURS = (
    "#2563eb", "#ea580c", "#0d9488", "#dc2626", "#9333ea",
    "#92400e", "#db2777", "#64748b", "#ca8a04", "#16a34a",
)  # fmt: skip


def digits(
    sheet: str, cells: pd.DataFrame, marked: Sequence[int] = (), *, clickable: bool = True
) -> alt.LayerChart:
    """A sheet of the cells' digits in their places, each to be clicked.

    sheet: the address of a picture of all of them without gaps. cells: columns cell, row, column
    and what tooltips show. marked: cells with a frame, the first in orange.
    """
    rows, columns = cells["row"].max() + 1, cells["column"].max() + 1
    whole = pd.DataFrame({"x": [0], "x2": [columns], "y": [0], "y2": [rows], "url": [sheet]})
    picture = (
        alt.Chart(whole)
        .mark_image(aspect=False)
        .encode(x=_x("x", columns), x2="x2:Q", y=_y("y", rows), y2="y2:Q", url="url:N")
    )
    squares = _squares(cells).mark_rect(opacity=0.001, color="white")
    return _whole(_framed([picture, _clicked(squares, clickable)], cells, marked))


def labels(
    cells: pd.DataFrame, marked: Sequence[int] = (), *, clickable: bool = True
) -> alt.LayerChart:
    """The label of each cell as a colour and a figure; columns cell, row, column, label."""
    scale = alt.Scale(domain=list(range(10)), range=list(CLASS_COLOURS))
    rects = _squares(cells).mark_rect()
    coloured = rects.encode(color=alt.Color("label:N", scale=scale, legend=None))
    middle = cells.assign(across=cells["column"] + 0.5, down=cells["row"] + 0.5)
    rows, columns = cells["row"].max() + 1, cells["column"].max() + 1
    text = (
        alt.Chart(middle)
        .mark_text(color="white", fontSize=11, fontWeight="bold")
        .encode(x=_x("across", columns), y=_y("down", rows), text="label:N")
    )
    return _whole(_framed([_clicked(coloured, clickable), text], cells, marked))


def values(
    cells: pd.DataFrame,
    value: str,
    *,
    title: str,
    marked: Sequence[int] = (),
    clickable: bool = True,
) -> alt.LayerChart:
    """A number of each cell as a shade; columns cell, row, column and `value`."""
    shade = alt.Color(
        f"{value}:Q",
        scale=alt.Scale(scheme="blues"),
        legend=alt.Legend(orient="bottom", title=title, gradientLength=SIDE - 60),
    )
    rects = _squares(cells).mark_rect().encode(color=shade)
    return _whole(_framed([_clicked(rects, clickable)], cells, marked), SIDE + _LEGEND)


def grown(frame: pd.DataFrame, measure: str, epoch: int) -> alt.LayerChart:
    """A measure over epochs, the chosen one marked; columns epoch and `measure`."""
    form = ".2f" if measure == "quantization" else ".1%"
    axis = alt.Undefined if measure == "quantization" else alt.Axis(format="%")
    x = alt.X(
        "epoch:Q",
        title="epochs",
        scale=alt.Scale(type="symlog", constant=1),
        axis=alt.Axis(values=sorted(frame["epoch"]), grid=False),
    )
    line = (
        alt.Chart(frame, height=HEIGHT - 20)
        .mark_line(color=MODEL, strokeWidth=LINE, point=alt.OverlayMarkDef(size=30, color=MODEL))
        .encode(
            x=x,
            y=alt.Y(f"{measure}:Q", title=None, axis=axis, scale=alt.Scale(domainMin=0)),
            tooltip=["epoch", alt.Tooltip(f"{measure}:Q", format=form)],
        )
    )
    rule = alt.Chart(pd.DataFrame({"epoch": [epoch]})).mark_rule(color=MARK, strokeWidth=LINE)
    return rule.encode(x=x) + line


def errors(trained: float, shuffles: ArrayLike, untrained: float) -> alt.Chart:
    """The topographic error of the map beside that of its shuffles and of the untrained map."""
    rows = [("trained", trained), ("untrained", untrained)]
    rows += [("cells shuffled", float(each)) for each in np.asarray(shuffles)]
    frame = pd.DataFrame(rows, columns=["map", "error"])
    order = ["trained", "cells shuffled", "untrained"]
    colours = alt.Scale(domain=order, range=[MODEL, CONTROL, CONTROL])
    return (
        alt.Chart(frame, height=170)
        .mark_tick(thickness=3, height=20)
        .encode(
            x=alt.X(
                "error:Q",
                title="topographic error, 8 neighbours",
                scale=alt.Scale(domain=[0, 1]),
                axis=alt.Axis(format="%", tickCount=5),
            ),
            y=alt.Y("map:N", sort=order, title=None),
            color=alt.Color("map:N", scale=colours, legend=None),
            tooltip=["map", alt.Tooltip("error:Q", format=".1%")],
        )
    )


def _clicked(squares: alt.Chart, clickable: bool) -> alt.Chart:
    """The squares, which tell which of them was clicked, if any may be."""
    if not clickable:
        return squares
    return squares.add_params(
        alt.selection_point(name=CELL, fields=["cell"], on="click", clear=False)
    )


def _squares(cells: pd.DataFrame) -> alt.Chart:
    """A square for each cell, with all that is known of it as its tooltip."""
    rows, columns = cells["row"].max() + 1, cells["column"].max() + 1
    edges = cells.assign(right=cells["column"] + 1, below=cells["row"] + 1)
    tips = [
        alt.Tooltip(f"{name}:Q", format=".3~g") if cells[name].dtype.kind == "f" else f"{name}:Q"
        for name in cells.columns
    ]
    return alt.Chart(edges).encode(
        x=_x("column", columns), x2="right:Q", y=_y("row", rows), y2="below:Q", tooltip=tips
    )


def _framed(
    parts: Sequence[alt.Chart], cells: pd.DataFrame, marked: Sequence[int]
) -> alt.LayerChart:
    """The parts on one another with a frame around each marked cell, the first in orange."""
    if not marked:
        return alt.LayerChart(layer=list(parts))
    own = cells.set_index("cell", drop=False).loc[list(marked)]
    rows, columns = cells["row"].max() + 1, cells["column"].max() + 1
    edges = own.assign(
        right=own["column"] + 1,
        below=own["row"] + 1,
        shade=[MARK, *[MODEL] * (len(own) - 1)],
    )
    frames = (
        alt.Chart(edges)
        .mark_rect(filled=False, strokeWidth=3)
        .encode(
            x=_x("column", columns),
            x2="right:Q",
            y=_y("row", rows),
            y2="below:Q",
            stroke=alt.Stroke("shade:N", scale=None),
        )
    )
    return alt.LayerChart(layer=[*parts, frames])


def _x(field: str, columns: int) -> alt.X:
    """A place along a row."""
    return alt.X(f"{field}:Q", scale=alt.Scale(domain=[0, int(columns)], nice=False), axis=None)


def _y(field: str, rows: int) -> alt.Y:
    """A place along a column, the first row on top."""
    scale = alt.Scale(domain=[0, int(rows)], nice=False, reverse=True)
    return alt.Y(f"{field}:Q", scale=scale, axis=None)


def _whole(chart: alt.LayerChart, height: int = SIDE) -> alt.LayerChart:
    """The map, a square; each layer has shades of its own. height: with a legend below."""
    squared = chart.properties(width=SIDE, height=height)
    return squared.resolve_scale(color="independent").configure_view(strokeWidth=0)
