"""One step of training: each expert's share of each class, and its mean digit."""

from __future__ import annotations

import streamlit as st

from core import pictures
from core.architectures.mixture.charts import history as figures
from core.architectures.mixture.history import GateHistory
from core.architectures.mixture.tasks.history import DIGITS
from core.units import UnitId
from pages.kit.charts import finished_chart
from pages.kit.gallery import gallery
from pages.kit.opening import unit_grid
from pages.kit.tables import download, file_name
from pages.parts.mixture.controls import View

__all__ = ["at_step"]


def at_step(view: View, of: GateHistory, step: int) -> None:
    """Each expert's share of each class at the step, and its mean digit."""
    left, right = st.columns(2)
    with left:
        _classes(view, of, step)
    with right:
        _means(view, of, step)


def _classes(view: View, of: GateHistory, step: int) -> None:
    """The heat map of the share of each class that each expert receives."""
    at, name = of.at(step), f"{file_name(view.run)}-{view.gate}"
    st.markdown(f"**After {step:,} batches: share of each class's digits**, %")
    table = of.by_class(step)
    st.vega_lite_chart(finished_chart(figures.classes, table), key="classes at the step")
    st.caption(
        "Columns sum to 100 %. If the gate ignored the class, each expert would receive the same "
        "share of every class as of all digits: "
        f"{', '.join(f'{load:.0%}' for load in of.load[at])}."
    )
    download(table, f"classes-at-step-{step}-{name}")


def _means(view: View, of: GateHistory, step: int) -> None:
    """The mean digit of each expert; a click opens the expert's weight as a unit."""
    at = of.at(step)
    st.markdown(f"**After {step:,} batches: the mean digit of each expert**")
    empty = of.load[at] == 0
    tiles = pictures.hatched(pictures.ink(of.means[at]), empty)
    shares = [f"{load:.1%} of the digits" for load in of.load[at]]
    unit_grid(
        gallery(
            tiles,
            [f"expert {expert}: {share}" for expert, share in enumerate(shares)],
            [f"{expert}: {load:.0%}" for expert, load in enumerate(of.load[at])],
        ),
        [UnitId(view.run.architecture, view.gate, expert) for expert in range(len(tiles))],
        key="mean digits at the step",
        label=f"Mean digit of each expert after {step} batches",
        scale=3,
    )
    st.caption(
        f"Below: expert: load. Striped: it receives no digits. Means are over the {DIGITS:,} "
        f"digits, each counted at its expert{_moved(view)}. Click one to open its weight as a "
        f"unit of {view.gate}."
    )


def _moved(view: View) -> str:
    """The clause on digits moved at random, for a network that learned from moved digits."""
    return ", each moved at random as in training" if view.jittered else ""
