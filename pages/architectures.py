"""Architectures: seven kinds of specialized neuron, each trained on digits and opened up."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.runs import Choice
from pages.kit import links, place
from pages.kit.digit import digit_number
from pages.parts.attention import section as attention
from pages.parts.capsules import section as capsules
from pages.parts.multitask import section as multitask
from pages.parts.rbf import section as rbf
from pages.parts.recurrent import section as recurrent
from pages.parts.som import section as som

SECTIONS: dict[str, tuple[str, Callable[[Choice], None]]] = {
    "recurrent": ("LSTM and GRU", recurrent.section),
    "attention": ("Self-attention", attention.section),
    "rbf": ("RBF", rbf.section),
    "capsules": ("Capsules", capsules.section),
    "som": ("Self-organizing map", som.section),
    "multitask": ("Multi-task", multitask.section),
}
MODELS = {
    "recurrent": ("lstm", "gru", "gru_before"),
    "attention": ("attention",),
    "rbf": ("rbf",),
    "capsules": ("capsules",),
    "som": ("som",),
    "multitask": ("multitask", "pairs"),
}


def page() -> None:
    """The chosen section, or that of the chosen model; nothing is computed for the others."""
    st.title("Architectures")
    choice = place.choice()
    mine = [name for name, models in MODELS.items() if choice.model in models]
    section = links.one_of("section", tuple(SECTIONS), mine[0] if mine else None)
    section.shown()
    st.segmented_control(
        "Architecture",
        list(SECTIONS),
        key=section.key,
        on_change=_changed,
        args=(section,),
        format_func=lambda name: SECTIONS[name][0],
        label_visibility="collapsed",
    )
    chosen = {key: text for key, text in st.query_params.items() if key not in place.address()}
    place.copy_link(**{**chosen, "section": section.value(), "digit": digit_number().value()})
    SECTIONS[section.value()][1](choice)


def _changed(section: links.Option[str]) -> None:
    """Another section, whose model the other pages open too; choices of the last are forgotten."""
    kept = {"section", "digit", *place.address()}
    others: dict[str, object] = dict.fromkeys(key for key in st.query_params if key not in kept)
    picked = st.session_state[section.key] or section.default
    section.changed(**{**others, "model": MODELS[picked][0]})


page()
