"""MoE gating: which expert takes which digit, how evenly, how decisively, and what if not."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from pages.kit import links, place
from pages.kit.controls import pick
from pages.parts.mixture import assignment, gate_map, history, interventions, position, runs, trace
from pages.parts.mixture.controls import View, controls

VIEWS: dict[str, tuple[str, Callable[[View], None]]] = {
    "takes": ("Who takes what", assignment.view),
    "digit": ("One digit", trace.view),
    "without": ("Without an expert", interventions.view),
    "map": ("Map of gates", gate_map.view),
    "growth": ("Through training", history.view),
    "runs": ("Runs compared", runs.view),
    "places": ("Where and what", position.view),
}
VIEW = links.one_of("view", tuple(VIEWS))


def page() -> None:
    """The network and its settings, then the chosen view; nothing is computed for the others."""
    st.title("MoE gating")
    st.markdown(
        "A **mixture of experts** is several small networks and a *gate* that decides, digit by "
        "digit, whose answer counts. **Does each expert get digits of its own, and would it "
        "matter if it were gone?**"
    )
    view = controls(place.choice())
    name = pick(
        VIEW,
        "View",
        names=lambda name: VIEWS[name][0],
        also=lambda _: links.all_but("view", "digit", "gate", *place.address()),
        bare=True,
    )
    VIEWS[name][1](view)


page()
