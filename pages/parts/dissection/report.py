"""The report of a layer's dissection: how many units are detectors, of what, against controls."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from core import charts
from core.analyses.described import DescribedDigitsTask
from core.analyses.dissection import LEVEL, Dissection
from core.analyses.dissection.detectors import as_many, networks, units_table
from core.analyses.dissection.task import DissectionTask
from core.data.concepts import CONCEPTS
from core.models.inspectable import Layer
from core.models.registry import describe
from core.runs import Run
from core.runtime.drawings import DRAWINGS
from pages.kit import halves, links, place
from pages.kit.charts import finished_chart
from pages.kit.controls import choose, steps
from pages.kit.glossary import DEFINITIONS, NAMES
from pages.kit.recorded import recorded
from pages.kit.tables import download, download_file
from pages.kit.unit import layer_option, unit_option

__all__ = ["View", "controls", "report"]

LEVELS = ("0.001", "0.002", "0.005", "0.01", "0.02", "0.05", "0.1", "0.2")
KINDS = ("pixels", "images")
_KIND_NAMES = {"pixels": "Pixels: where", "images": "Images: which"}
_IMAGE_LEVEL = "0.1"  # of the images: as many as a class has
_NETWORKS = {
    "trained": "this network",
    "untrained": "untrained",
    "rotated": "random mixtures of units",
}


@dataclass(frozen=True)
class View:
    """The choices in the address: data, model, layer, kind of comparison and level."""

    run: Run
    layer: str
    level: str
    kind: str

    @property
    def task(self) -> DissectionTask:
        """The task that dissects the layer."""
        return DissectionTask(self.run, self.layer, float(self.level))

    @property
    def describing(self) -> DescribedDigitsTask:
        """The task that measures the concepts of the digits."""
        return DescribedDigitsTask(self.run.data)

    @property
    def unit(self) -> links.Option[int]:
        """The unit shown in detail."""
        units = _described(self.run.architecture, self.layer).units
        return unit_option(self.run.architecture, self.layer, units)


def controls(run: Run) -> View:
    """The choice of layer, level and kind of comparison."""
    layer = layer_option(place.layers())
    columns = st.columns([2, 2, 3])
    # another layer has other units, and may have no pixels
    resets = ("unit", "kind", "level", "concept")
    choose(layer, "Layer", where=columns[0], resets=resets)
    mapped = _described(run.architecture, layer.value()).map is not None
    kinds = KINDS if mapped else ("images",)
    kind = links.one_of("kind", kinds)
    choose(
        kind,
        "Compare",
        where=columns[1],
        names=_KIND_NAMES.__getitem__,
        help=DEFINITIONS["kind"],
        resets=("level", "concept"),  # pixels and images have other usual levels
    )
    usual = f"{LEVEL:g}" if kind.value() == "pixels" else _IMAGE_LEVEL
    level = links.one_of("level", LEVELS, usual)
    steps(
        level,
        "Level",
        where=columns[2],
        names=lambda text: f"{float(text):.1%}",
        help=DEFINITIONS["level"],
    )
    return View(run, layer.value(), level.value(), kind.value())


def _other_row(key: str, names: pd.Series) -> None:
    """Another row of the table of units; the row stays marked, so it counts only when clicked."""
    rows = st.session_state[key]["selection"]["rows"]
    if rows:
        links.put(unit=names.iloc[rows[0]], concept=None)


def _described(model: str, layer: str) -> Layer:
    """The description of the layer by its architecture."""
    return next(of for of in describe(model) if of.name == layer)


def report(view: View, found: Dissection) -> None:
    """The answer, its controls, and every unit."""
    _answer(view, found)
    _units(view, getattr(found, view.kind))


@recorded
def _answer(view: View, found: Dissection) -> None:
    """How many units are detectors, beside the controls, and of what."""
    rows = getattr(found, view.kind)
    mine = networks(found, view.kind)
    units = int(rows["index"].nunique())
    _headline(view, mine, units)
    left, right = st.columns([2, 3])
    with left:
        _controls_beside(mine, units)
    with right:
        _bars(rows)


def _headline(view: View, mine: pd.DataFrame, units: int) -> None:
    """How many units are detectors, of how many concepts, in a sentence."""
    own = mine.loc["trained"]
    name = f"{view.run.architecture}/{view.layer}"
    if own["detectors"]:
        st.markdown(
            f"**{own['detectors']:.0f} of {units} units** of {name} are detectors, of "
            f"**{own['unique']:.0f} different concepts**, at a level of {float(view.level):.1%}."
        )
    else:
        st.markdown(
            f"**None of the {units} units** of {name} is a detector of any concept, at a level of "
            f"{float(view.level):.1%}. This is a result too: these units match no concept of the "
            "list better than chance and position explain."
        )
    halves.chosen_and_judged("Level and concept of each unit were chosen", DEFINITIONS["detector"])


def _controls_beside(mine: pd.DataFrame, units: int) -> None:
    """The same procedure on networks that have learned nothing."""
    st.markdown("**Comparison with controls**", help=DEFINITIONS["controls"])
    table = pd.DataFrame(
        {
            "network": [_NETWORKS[name] for name in mine.index],
            "detectors": [f"{n:.0f} of {units}" for n in mine["detectors"]],
            "concepts": mine["unique"].astype(int).to_numpy(),
            "highest IoU": mine["iou"].to_numpy(),
        }
    )
    st.dataframe(
        table,
        hide_index=True,
        column_config={"highest IoU": st.column_config.NumberColumn(format="%.3f")},
    )
    for network in as_many(mine):
        sentence = _AS_MANY[network].format(mine.loc[network, "detectors"])
        st.warning(sentence, icon=":material/balance:")


_AS_MANY = {
    "untrained": (
        "The untrained network has {:.0f} detectors: the number of detectors in this layer is no "
        "evidence of learning. Compare the highest IoU instead."
    ),
    "rotated": (
        "Random mixtures of these units make {:.0f} detectors: the layer represents the concepts, "
        "but its single units do so no better than random directions."
    ),
}


def _bars(rows: pd.DataFrame) -> None:
    """How many units detect what."""
    st.markdown("**Concepts detected**")
    detectors = rows[rows["detector"]]
    if detectors.empty:
        st.info(
            "No unit is a detector, so there is nothing to show.",
            icon=":material/do_not_disturb_on:",
        )
        return
    names = [CONCEPTS[name].text for name in detectors["concept"]]
    st.vega_lite_chart(finished_chart(charts.concept_counts, names), key="concepts detected")


def _units(view: View, rows: pd.DataFrame) -> None:
    """Every unit, to sort, to open and to download."""
    st.subheader("Every unit")
    table = DRAWINGS.get(units_table, view.run.architecture, view.layer, view.kind, rows)
    columns = {
        name: st.column_config.NumberColumn(
            NAMES.get(name, name), format="%.3f", help=DEFINITIONS.get(name)
        )
        for name in table.columns[table.dtypes == np.float64]
    }
    key = f"units of {view.layer} {view.kind} {view.level}"
    st.dataframe(
        table,
        hide_index=True,
        column_config=columns,
        height=min(420, 38 + 35 * len(table)),
        on_select=lambda: _other_row(key, table["unit"]),
        selection_mode="single-row",
        key=key,
    )
    st.caption("Click the left edge of a row to show its unit below; click a column name to sort.")
    name = f"dissection-{view.run.architecture}-{view.layer}-{view.kind}-{view.level}"
    with st.container(horizontal=True):
        download(rows, name, "Every unit and concept as CSV")
        download_file(
            "As JSON", f"{name}.json", "application/json", lambda: rows.to_json(orient="records")
        )
