"""Which of a section's networks is opened up, where it has several."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import streamlit as st

from core.runs import Choice
from pages.kit import links

__all__ = ["one_network"]


def one_network(titles: Mapping[str, str], choice: Choice) -> Choice:
    """The choice if its model is one of the section's, else with their first; a way to the others.

    titles: of the models, by name. What is picked is the address's model, for other pages too.
    """
    mine = choice.model if choice.model in titles else next(iter(titles))
    key = f"network of {next(iter(titles))}"
    if st.session_state.get(key) != mine:
        st.session_state[key] = mine
    st.segmented_control(
        "Network",
        list(titles),
        key=key,
        on_change=_picked,
        args=(key,),
        format_func=titles.__getitem__,
    )
    return replace(choice, model=mine)


def _picked(key: str) -> None:
    """Write the network to the address."""
    picked = st.session_state[key]
    if picked is not None:
        links.put(model=picked)
