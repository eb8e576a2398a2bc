"""Architectures: seven kinds of specialized neuron, each trained on digits and opened up."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.tasks import Choice
from pages.parts import links, place
from pages.parts.architectures import attention, capsules, multitask, rbf, recurrent, som
from pages.parts.architectures.digit import digit_number

SECTIONS: dict[str, tuple[str, Callable[[Choice], None]]] = {
    "recurrent": ("LSTM and GRU", recurrent.section),
    "attention": ("Self-attention", attention.section),
    "capsules": ("Capsules", capsules.section),
    "multitask": ("Multi-task", multitask.section),
    "rbf": ("RBF", rbf.section),
    "som": ("Self-organizing map", som.section),
}
SECTION = links.one_of("section", tuple(SECTIONS))


def page() -> None:
    """The chosen section; nothing is computed for the others."""
    st.title("Architectures")
    choice = place.choice()
    SECTION.shown()
    st.segmented_control(
        "Architecture",
        list(SECTIONS),
        key=SECTION.key,
        on_change=SECTION.changed,
        format_func=lambda name: SECTIONS[name][0],
        label_visibility="collapsed",
    )
    chosen = {key: text for key, text in st.query_params.items() if key not in place.address()}
    place.copy_link(**{**chosen, "section": SECTION.value(), "digit": digit_number().value()})
    SECTIONS[SECTION.value()][1](choice)


page()
