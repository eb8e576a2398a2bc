"""Charts of a self-organizing map: one square a cell, each where it is on the map."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from core.charts.base import HEIGHT, PHONE, layered
from core.charts.heatmap import Words, frames, sequential, touched, written
from core.charts.heatmap import cells as drawn_cells
from core.charts.lines import at_place, dotted
from core.colours import CLASSES, CONTROL, MARK, MODEL, PAPER, legible, rgb

__all__ = ["CELL", "digits", "errors", "grown", "labels", "values"]

SIDE = PHONE  # pixels of a map on the screen
_LEGEND = 86  # pixels that a legend takes below it
CELL = "cell"  # the name of the selection, and of its field


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
    squares = _clicked(touched(_squares(cells)), clickable)
    return _whole(_framed([picture, squares], cells, marked), cells)


def labels(
    cells: pd.DataFrame, marked: Sequence[int] = (), *, clickable: bool = True
) -> alt.LayerChart:
    """The label of each cell as a colour and a figure; columns cell, row, column, label."""
    scale = alt.Scale(domain=list(range(len(CLASSES))), range=list(CLASSES))
    colour = alt.Color("label:N", scale=scale, legend=None)
    squares = _clicked(drawn_cells(_squares(cells), colour), clickable)
    middle = cells.assign(
        across=cells["column"] + 0.5,
        down=cells["row"] + 0.5,
        ink=legible([rgb(CLASSES[label]) for label in cells["label"]]),
    )
    rows, columns = cells["row"].max() + 1, cells["column"].max() + 1
    places = alt.Chart(middle).encode(x=_x("across", columns), y=_y("down", rows))
    text = written(places, Words("label:N", bold=True))
    return _whole(_framed([squares, text], cells, marked), cells)


def values(
    cells: pd.DataFrame,
    value: str,
    *,
    title: str,
    marked: Sequence[int] = (),
    clickable: bool = True,
) -> alt.LayerChart:
    """A number of each cell as a shade; columns cell, row, column and `value`."""
    known = cells[value].to_numpy(dtype=np.float64)
    shades = sequential(float(np.nanmax(known)), least=float(np.nanmin(known)))
    legend = alt.Legend(orient="bottom", title=title, gradientLength=SIDE - 60)
    squares = drawn_cells(_squares(cells), shades.of(value, legend))
    return _whole(_framed([_clicked(squares, clickable)], cells, marked), cells, _LEGEND)


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
    line = dotted(alt.Chart(frame, height=HEIGHT - 20), 30, colour=MODEL).encode(
        x=x,
        y=alt.Y(f"{measure}:Q", title=None, axis=axis, scale=alt.Scale(domainMin=0)),
        tooltip=["epoch", alt.Tooltip(f"{measure}:Q", format=form)],
    )
    return layered(at_place(x, epoch), line)


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
    places = alt.Chart(edges).encode(
        x=_x("column", columns), x2="right:Q", y=_y("row", rows), y2="below:Q"
    )
    shade = alt.Stroke("shade:N", scale=None)
    around = [frames(places, PAPER, width=5), frames(places, shade, width=3)]
    return alt.LayerChart(layer=[*parts, *around])


def _x(field: str, columns: int) -> alt.X:
    """A place along a row."""
    return alt.X(f"{field}:Q", scale=alt.Scale(domain=[0, int(columns)], nice=False), axis=None)


def _y(field: str, rows: int) -> alt.Y:
    """A place along a column, the first row on top."""
    scale = alt.Scale(domain=[0, int(rows)], nice=False, reverse=True)
    return alt.Y(f"{field}:Q", scale=scale, axis=None)


def _whole(chart: alt.LayerChart, cells: pd.DataFrame, below: int = 0) -> alt.LayerChart:
    """The map, its cells square; each layer has shades of its own. below: pixels of a legend."""
    rows, columns = int(cells["row"].max()) + 1, int(cells["column"].max()) + 1
    cell = SIDE / max(rows, columns)
    sized = chart.properties(width=round(cell * columns), height=round(cell * rows) + below)
    return sized.resolve_scale(color="independent").configure_view(strokeWidth=0)
