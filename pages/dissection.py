"""Dissection: which concept each unit of a layer answers to, if any."""

from __future__ import annotations

import streamlit as st

from pages.parts import concept_list, dissection_report, dissection_unit, place
from pages.parts.waiting import result_of


def page() -> None:
    """The report of a layer, then the unit that the address names."""
    st.title("Dissection")
    choice = place.choice()
    view = dissection_report.controls(choice)
    found, described = result_of(view.task), result_of(view.describing)
    dissection_report.report(view, found)
    dissection_unit.unit(view, found, described)
    concept_list.concepts(described)
    place.copy_link(**view.address())


page()
