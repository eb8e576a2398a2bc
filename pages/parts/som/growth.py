"""How a self-organizing map grew, how well it keeps neighbours, and what the wrong form does."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from core import pictures
from core.architectures.som import charts as figures
from core.architectures.som.results import SOMMeasures
from core.architectures.som.task import SHUFFLES
from core.runs import Run
from core.runtime.drawings import drawn_once
from pages.kit import controls, files, links
from pages.kit.charts import finished_chart
from pages.kit.recorded import recorded
from pages.kit.tables import column, download, file_name

__all__ = ["DEFINITIONS", "compared", "defects", "growth", "sheet"]

DEFINITIONS = {
    "quantization": "Quantization error: mean distance of a confirmation digit to its best cell.",
    "error4": (
        "Topographic error: share of digits whose best and second-best cell don't share a side (4 "
        "neighbours; Kiviluoto 1996)."
    ),
    "error8": (
        "Topographic error: share of digits whose best and second-best cell share neither a side "
        "nor a corner (8 neighbours; Kiviluoto 1996)."
    ),
    "accuracy": (
        "Share of confirmation digits that have the label of their best cell. A cell's label is "
        "the majority class of its training digits; labels of the untrained map are random."
    ),
}
TITLES = {
    "quantization": "quantization error",
    "error8": "topographic error (8)",
    "error4": "topographic error (4)",
    "accuracy": "accuracy",
}


def compared(run: Run, opened: SOMMeasures) -> None:
    """The map beside its own cells at random places and the untrained map, and as a table."""
    _compared(opened)
    download(partial(_topology, opened), f"topology-{file_name(run)}")


def _topology(opened: SOMMeasures) -> pd.DataFrame:
    """The measures of the three maps."""
    return opened.compared()[["map", *TITLES]]


@recorded
def _compared(opened: SOMMeasures) -> None:
    """The map beside its own cells at random places and the untrained map."""
    frame = opened.compared().set_index("map")
    trained, mixed = frame.loc["trained"], frame.loc["cells shuffled"]
    st.markdown(
        f"For **{trained['error8']:.1%}** of digits the two best cells aren't neighbours. With "
        f"the same cells at random positions: **{mixed['error8']:.1%}**, with the same "
        f"quantization error, {mixed['quantization']:.2f} and {trained['quantization']:.2f}, and "
        "the same accuracy. The quantization error does not depend on topology.",
        help=DEFINITIONS["error8"],
    )
    shuffles, (own, _, before) = opened.shuffles["error8"].to_numpy(), frame["error8"].tolist()
    chart = finished_chart(figures.errors, own, shuffles, before)
    st.vega_lite_chart(chart, key="topographic errors")
    st.caption(
        f"Blue: the trained map; grey: {SHUFFLES} random placements of its cells, and the map "
        "before training. Confirmation half."
    )
    helps = {name: column(title, DEFINITIONS[name]) for name, title in TITLES.items()}
    st.dataframe(_topology(opened), hide_index=True, column_config=helps)


def growth(run: Run, opened: SOMMeasures) -> None:
    """The map after a chosen epoch, and its measures over epochs."""
    steps = [str(step) for step in opened.steps]
    option = links.one_of("epoch", steps, steps[-1])
    at = steps.index(controls.steps(option, "After epoch"))
    _after(opened, at, files.address(sheet(opened, at)))
    download(opened.grown, f"growth-{file_name(run)}")


@drawn_once
def sheet(opened: SOMMeasures, at: int) -> bytes:
    """The digits of the cells at a checkpoint as a PNG without gaps."""
    return pictures.png(pictures.sheet(pictures.ink(opened.maps[at]), opened.shape[1]))


@recorded
def _after(opened: SOMMeasures, at: int, address: str) -> None:
    """The map at a checkpoint, and its measures over epochs. address: of its cells' digits."""
    epoch = int(opened.steps[at])
    cells = opened.cells(at)
    left, right = st.columns(2)
    with left:
        chart = finished_chart(figures.digits, address, cells, clickable=False)
        st.vega_lite_chart(chart, key="map at an epoch", width="content")
    with right:
        chart = finished_chart(figures.labels, cells, clickable=False)
        st.vega_lite_chart(chart, key="labels at an epoch", width="content")
    now = opened.grown.iloc[at]
    st.caption(
        f"After {epoch} of {opened.steps[-1]} epochs: quantization error "
        f"{now['quantization']:.2f}, topographic error {now['error8']:.1%} (8 neighbours), "
        f"accuracy {now['accuracy']:.1%}. Neighbourhoods shrink from half of the map to half of a "
        "cell. The untrained map is noise with random labels; learning starts from digits at "
        "random positions."
    )
    columns = st.columns(3)
    for side, name in zip(columns, ("quantization", "error8", "accuracy"), strict=True):
        side.markdown(f"**{TITLES[name].capitalize()}**", help=DEFINITIONS[name])
        chart = finished_chart(figures.grown, opened.grown, name, epoch)
        side.vega_lite_chart(chart, key=f"growth of {name}")


@recorded
def defects(opened: SOMMeasures) -> None:
    """What the common mistake's map did, measured on this map."""
    agreed = opened.wrong_rows
    trained = opened.grown.iloc[-1]
    with st.expander("Common mistakes, and what to do instead"):
        rows = [
            (
                "best cell",
                "taken as the smallest column number, not the smallest distance: its row is "
                f"correct for {agreed:.1%} of digits, chance is {1 / opened.shape[0]:.1%}",
                "the cell with the smallest distance; its row and column follow",
            ),
            (
                "learning",
                "none: no rule updates the weights, and no gradient passes through an argmin",
                f"the batch rule: quantization error {opened.grown['quantization'].iloc[0]:.2f} "
                f"before, {trained['quantization']:.2f} after",
            ),
            (
                "topology",
                "claimed, but without learning cells are at random positions",
                f"topographic error {trained['error8']:.1%}, shuffled "
                f"{opened.shuffles['error8'].mean():.1%}",
            ),
            (
                "distance",
                "with a square root, whose gradient at 0 is not a number",
                "squared; the root is only taken for display",
            ),
        ]
        table = pd.DataFrame(rows, columns=["", "common mistake", "here"])
        st.table(table.set_index(""))
        st.caption("Measured with the trained cells on the confirmation half.")
