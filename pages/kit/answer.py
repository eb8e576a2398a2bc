"""The answer of a network in which one was planted, hidden until somebody asks for it."""

from __future__ import annotations

import streamlit as st

from core.models.inspectable import Inspectable
from core.models.planted import CARRIERS, CONCEPT, PlantedSettings, planted
from core.units import DirectionId
from pages.kit import links, place

__all__ = ["answer"]

SHOWN = links.switch("answer")
DIRECTION = DirectionId(PlantedSettings.architecture, CARRIERS, CONCEPT)


def answer(model: Inspectable) -> None:
    """What was planted in the network and a link to each unit, once it is asked for.

    Nothing for a network in which nothing was planted.
    """
    found = planted(model)
    if found is None:
        return
    shown = SHOWN.value()
    with st.container(border=True, key="planted answer"):
        st.markdown(
            "**Known answer.** Without what is planted in this network, crossed sevens are read as "
            "2s. Which unit of its hidden layers carries the crossbar, or which units, or none?"
        )
        if shown:
            st.markdown(found.sentence)
            if not found.roles:
                place.link("units", f"The direction {DIRECTION}", direction=str(DIRECTION))
            for unit, role in found.roles.items():
                place.link("units", f"{unit}: {role}", unit=unit, layer=unit.layer, answer="yes")
        st.button(
            "Hide the answer" if shown else "Show the answer",
            key="show answer",
            icon=":material/visibility_off:" if shown else ":material/visibility:",
            on_click=links.put,
            kwargs={SHOWN.key: None if shown else "yes"},
        )
