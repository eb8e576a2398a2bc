"""A self-organizing map seen by its borders, its hits, and one pixel of all its cells."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from core import pictures
from core.architectures.som import charts as figures
from core.architectures.som.results import SOMMeasures
from core.runs import Run
from core.runtime.drawings import drawn_once
from pages.kit import links
from pages.kit.charts import finished_chart
from pages.kit.controls import number
from pages.kit.gallery import gallery
from pages.kit.grid import Grid, image_grid
from pages.kit.recorded import recorded
from pages.kit.tables import download, file_name

__all__ = ["HITS", "planes"]

HITS = "Number of confirmation digits for which the cell is the best match."
DISTANCES = (
    "U-matrix (Ultsch & Siemon 1990): mean distance of a cell's weights to those of the cells that "
    "share a side with it. Ridges are borders between kinds of digits."
)
PLANE = "Component plane: the weight of every cell for one pixel, from 0 (paper) to 1 (ink)."
_TIMES = 3  # screen pixels of a cell of a small plane
_SIDE = 28  # pixels


def planes(run: Run, opened: SOMMeasures, cells: pd.DataFrame) -> None:
    """The U-matrix, the hits, and component planes."""
    _borders(opened, cells)
    pixel = _pixel(opened)
    _plane(opened, cells, pixel)
    download(partial(_weights, opened, cells, pixel), f"cells-{file_name(run)}-pixel{pixel}")


@recorded
def _borders(opened: SOMMeasures, cells: pd.DataFrame) -> None:
    """The U-matrix and the hits."""
    known = cells.assign(distance=opened.distances.ravel())
    left, right = st.columns(2)
    with left:
        st.markdown("**Borders**", help=DISTANCES)
        chart = finished_chart(
            figures.values, known, "distance", title="mean distance to neighbours", clickable=False
        )
        st.vega_lite_chart(chart, key="U-matrix", width="content")
    with right:
        st.markdown("**Hits**", help=HITS)
        chart = finished_chart(figures.values, known, "hits", title="digits", clickable=False)
        st.vega_lite_chart(chart, key="hits", width="content")
    st.caption(
        "Left: the U-matrix, dark where neighbours differ. Right: the number of confirmation "
        "digits for which each cell is the best match."
    )


def _weights(opened: SOMMeasures, cells: pd.DataFrame, pixel: int) -> pd.DataFrame:
    """The cells with their distance to their neighbours and their weight for a pixel."""
    return cells.assign(distance=opened.distances.ravel(), weight=opened.plane(pixel).ravel())


@recorded
def _plane(opened: SOMMeasures, cells: pd.DataFrame, pixel: int) -> None:
    """The weight of every cell for a pixel, and where the pixel is."""
    row, across = divmod(pixel, _SIDE)
    left, right = st.columns(2)
    with left:
        st.markdown(f"**Pixel in row {row}, column {across}**", help=PLANE)
        plane = _weights(opened, cells, pixel)
        chart = finished_chart(figures.values, plane, "weight", title="weight", clickable=False)
        st.vega_lite_chart(chart, key="component plane", width="content")
    with right:
        st.markdown("**Where the pixel is**")
        mean = pictures.ink(opened.maps[-1].mean(0)[None])
        st.image(pictures.outlined(mean, [[row, across, row, across]], 8)[0], width=224)
        st.caption("The mean of all cells; orange: the pixel.")
    st.caption(
        "Planes are smooth because of the neighbourhood: neighbouring cells have similar weights "
        "for each pixel."
    )


@drawn_once
def _planes(opened: SOMMeasures) -> Grid:
    """The small planes of the most informative pixels."""
    offered = opened.pixels.tolist()
    tiles = pictures.enlarged(pictures.ink([opened.plane(pixel) for pixel in offered]), _TIMES)
    names = [f"row {pixel // _SIDE}, column {pixel % _SIDE}" for pixel in offered]
    return gallery(tiles, names, names)


def _pixel(opened: SOMMeasures) -> int:
    """The pixel that is chosen, by a small plane or by number."""
    option = links.integer("pixel", 0, _SIDE**2 - 1, int(opened.pixels[0]))
    chosen = option.value()
    offered = opened.pixels.tolist()
    picked = image_grid(
        _planes(opened),
        key="grid of planes",
        label="Component planes of the most informative pixels",
        selected=offered.index(chosen) if chosen in offered else None,
        scale=1,
    )
    if picked is not None and offered[picked] != chosen:
        links.put(pixel=offered[picked])
        st.rerun()
    st.caption(
        f"Component planes of {len(offered)} pixels: each varies most over the map, given the "
        "ones before it. Choose one here, or any pixel by number.",
        help=PLANE,
    )
    return number(option, "Pixel", help="28 · row + column, both counted from 0.")
