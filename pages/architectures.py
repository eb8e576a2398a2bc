"""Architectures: seven kinds of specialized neuron, each trained on digits and opened up."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.runs import Run
from pages.kit import controls, links, place
from pages.parts.attention import section as attention
from pages.parts.capsules import section as capsules
from pages.parts.multitask import section as multitask
from pages.parts.rbf import section as rbf
from pages.parts.recurrent import section as recurrent
from pages.parts.som import section as som

SECTIONS: dict[str, tuple[str, Callable[[Run], None]]] = {
    "recurrent": ("LSTM and GRU", recurrent.section),
    "attention": ("Self-attention", attention.section),
    "rbf": ("RBF", rbf.section),
    "capsules": ("Capsules", capsules.section),
    "som": ("Self-organizing map", som.section),
    "multitask": ("Multi-task", multitask.section),
}
MODELS = {
    "recurrent": ("lstm", "gru"),
    "attention": ("attention",),
    "rbf": ("rbf",),
    "capsules": ("capsules",),
    "som": ("som",),
    "multitask": ("multitask", "pairs"),
}


def page() -> None:
    """The chosen section, or that of the chosen model; nothing is computed for the others."""
    st.title("Architectures")
    run = place.run()
    mine = [name for name, models in MODELS.items() if run.architecture in models]
    section = links.one_of("section", tuple(SECTIONS), mine[0] if mine else None)
    name = controls.pick(
        section,
        "Architecture",
        names=lambda name: SECTIONS[name][0],
        also=_opened,
        bare=True,
    )
    SECTIONS[name][1](run)


def _opened(section: str) -> dict[str, object]:
    """Another section's model, for the other pages too; what the last one chose is forgotten."""
    return {
        **links.all_but("section", "digit", *place.address()),
        "model": MODELS[section][0],
        "settings": None,
    }


page()
