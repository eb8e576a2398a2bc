"""A self-organizing map: digits in their places, and one digit's way to its cell and label."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import streamlit as st

from core import pictures
from core.architectures.rbf.charts import by_class
from core.architectures.som import charts as figures
from core.architectures.som.measure import Path, path
from core.architectures.som.results import SOMMeasures
from core.architectures.som.task import SOMTask
from core.models.inspectable import Inspectable
from core.models.som import cell_name
from core.runs import Run
from core.runtime.drawings import DRAWINGS, drawn_once
from core.training.task import ModelTask
from core.units import UnitId
from pages.kit import files, place
from pages.kit.charts import finished_chart
from pages.kit.digit import Followed, followed
from pages.kit.gallery import gallery
from pages.kit.opening import unit_grid
from pages.kit.recorded import recorded
from pages.kit.tables import column, download, file_name
from pages.kit.waiting import result_of
from pages.parts.som import growth as som_growth
from pages.parts.som import planes as som_planes

__all__ = ["section"]

NAME = "som"
RESPONSE = (
    "exp(−distance² / 2q²), q the map's quantization error on the training digits: 1 for a digit "
    "identical to the cell's weights, .607 at distance q."
)
SCORE = (
    "The largest response of any cell with this label; the label with the highest one is the "
    "answer. The network's logits are its logarithm, measured from 10⁻³⁰, so that 0 means that no "
    "cell responds."
)
LABEL = "The most frequent class among the training digits for which this cell is the best match."


class View(NamedTuple):
    """What the parts of the section show: the run, the map, the digit and its path."""

    run: Run
    opened: SOMMeasures
    digit: Followed
    path: Path
    cells: pd.DataFrame  # cell, row, column, label, hits

    def name(self, cell: int) -> str:
        """Where a cell is."""
        return cell_name(cell, self.opened.shape[1])


def section(run: Run) -> None:
    """The map of the data and seed on the screen, opened up."""
    mine = run.of_architecture(NAME)
    st.markdown(
        "A cell of a self-organizing map is specialized in a **shape**, and cells for similar "
        "shapes are neighbours: when a cell learns a digit, its neighbours learn it a little too. "
        "The map is given neither the classes nor which digits are similar."
    )
    opened: SOMMeasures = result_of(SOMTask(mine))
    model: Inspectable = result_of(ModelTask(mine))
    digit = followed(mine)
    view = View(mine, opened, digit, DRAWINGS.get(path, model, digit.image), _cells(opened))
    _formula(view)
    _maps(view)
    _way(view)
    st.subheader("Does the map place similar digits together?")
    som_growth.compared(mine, opened)
    st.subheader("How the map developed")
    som_growth.growth(mine, opened)
    st.subheader("Borders, hits, and single pixels")
    som_planes.planes(mine, opened, view.cells)
    som_growth.defects(opened)


@drawn_once
def _cells(opened: SOMMeasures) -> pd.DataFrame:
    """A row for each cell of the last map."""
    return opened.cells().assign(hits=opened.hits)


@recorded
def _formula(view: View) -> None:
    """The rule of the map with this digit's numbers."""
    left, right = st.columns([3, 2], vertical_alignment="center")
    left.latex(
        r"""\begin{aligned} b(x) &= \arg\min_k \lVert x - w_k \rVert \\
        w_k &\leftarrow \frac{\sum_x h_{k\,b(x)}\, x}{\sum_x h_{k\,b(x)}}, \quad
        h_{kj} = e^{-\lVert r_k - r_j \rVert^2 / 2\sigma^2} \end{aligned}"""
    )
    first, second = view.path.first, view.path.second
    labels = view.opened.labels[-1]
    right.markdown(
        f"Best cell: **{view.name(first)}** at distance {view.path.distances[first]:.2f}, label "
        f"{labels[first]}. Second: {view.name(second)} at {view.path.distances[second]:.2f}, "
        f"label {labels[second]}. The {view.digit.label} is classified as **{view.path.answer}**."
    )


def _maps(view: View) -> None:
    """The cells' digits and their labels, side by side; both are clicked."""
    best = [view.path.first, view.path.second]
    left, right = st.columns(2)
    with left:
        st.markdown("**What each cell represents**")
        sheet = files.address(som_growth.sheet(view.opened, -1))
        clicked(finished_chart(figures.digits, sheet, view.cells, best), "map of digits")
    with right:
        st.markdown("**Labels**", help=LABEL)
        clicked(finished_chart(figures.labels, view.cells, best), "map of labels")
    rows, columns = view.opened.shape
    st.caption(
        f"The {rows} × {columns} cells. Orange frame: the best cell for "
        f"{view.digit.name}; blue frame: the second best. A click opens the unit."
    )


def clicked(chart: Any, key: str) -> None:
    """The chart of a map; a click on a cell opens its unit."""
    event: Any = st.vega_lite_chart(chart, key=key, on_select="rerun", width="content")
    found = event.selection.get(figures.CELL)
    if found:
        place.go("units", unit=UnitId(NAME, "map", int(found[0]["cell"])))


def _way(view: View) -> None:
    """The responses over the map, and the scores that come of them."""
    found, digit = view.path, view.digit
    cells = _responding(view)
    left, right = st.columns(2)
    with left:
        st.markdown("**Responses to the digit**", help=RESPONSE)
        landscape = finished_chart(
            figures.values, cells, "response", title="response", marked=[found.first, found.second]
        )
        clicked(landscape, "map of responses")
    with right:
        st.markdown("**The best cell of each label**", help=SCORE)
        chart = finished_chart(by_class, found.strongest, found.answer, title="response")
        st.vega_lite_chart(chart, key="scores of som")
        _best_cells(view)
    st.caption(
        f"{digit.name}, a {digit.label}: each cell's response, and for each class "
        "its best cell. The answer is the label of the best cell overall."
    )
    with st.expander("The responses as numbers"):
        _nearest(cells)
        download(cells, f"map-{file_name(view.run)}-{digit.file_name}")
        place.link("units", f"Open {view.name(found.first)}", unit=UnitId(NAME, "map", found.first))


@drawn_once
def _responding(view: View) -> pd.DataFrame:
    """The cells with their response to the digit and their distance to it."""
    return view.cells.assign(response=view.path.responses, distance=view.path.distances)


@recorded
def _nearest(cells: pd.DataFrame) -> None:
    """The cells nearest to the digit, as numbers."""
    st.dataframe(
        cells.sort_values("distance").head(12),
        hide_index=True,
        column_config={
            "response": column("response", RESPONSE),
            "distance": column("distance", "‖x − w‖, of pixels in 0..1."),
            "hits": st.column_config.NumberColumn(help=som_planes.HITS),
            "label": st.column_config.NumberColumn(help=LABEL),
        },
    )


def _best_cells(view: View) -> None:
    """The best cell of each label, the answer's first, to be clicked."""
    order = [label for label in np.argsort(-view.path.scores) if view.path.best[label] >= 0]
    cells = [int(view.path.best[label]) for label in order]
    names = [
        f"{view.name(cell)}, label {label}: response {view.path.responses[cell]:.3f}"
        for cell, label in zip(cells, order, strict=True)
    ]
    unit_grid(
        gallery(pictures.ink(view.opened.maps[-1][cells]), names, [str(label) for label in order]),
        [UnitId(NAME, "map", cell) for cell in cells],
        key="grid of best cells",
        label="Best cell of each class",
        scale=1,
    )
