"""MoE gating: which expert gets which digit, how balanced, how decided, and whether it matters."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from pages.kit import links, place
from pages.kit.controls import pick
from pages.parts.mixture import (
    assignment,
    gate_map,
    history,
    importance,
    interventions,
    position,
    runs,
    trace,
)
from pages.parts.mixture.controls import View, controls

VIEWS: dict[str, tuple[str, Callable[[View], None]]] = {
    "takes": ("Expert assignment", assignment.view),
    "digit": ("One digit", trace.view),
    "without": ("Without an expert", interventions.view),
    "load": ("Load and removal", importance.view),
    "map": ("Gate map", gate_map.view),
    "growth": ("During training", history.view),
    "runs": ("Runs compared", runs.view),
    "places": ("Position and class", position.view),
}
VIEW = links.one_of("view", tuple(VIEWS))


def page() -> None:
    """The network and its settings, then the chosen view; nothing is computed for the others."""
    st.title("MoE gating")
    st.markdown(
        "A **mixture of experts** consists of several small networks, the experts, and a *gate* "
        "that decides for each digit how much each expert's output counts. **Does each expert "
        "specialize in certain digits, and would it matter if it were removed?**"
    )
    view = controls(place.run())
    name = pick(
        VIEW,
        "View",
        names=lambda name: VIEWS[name][0],
        also=lambda _: links.all_but("view", "digit", "gate", *place.address()),
        bare=True,
    )
    VIEWS[name][1](view)


page()
