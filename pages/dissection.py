"""Dissection: which concept each unit of a layer responds to, if any."""

from __future__ import annotations

import streamlit as st

from pages.kit import place
from pages.kit.waiting import result_of
from pages.parts.dissection import (
    concept_list,
)
from pages.parts.dissection import (
    report as dissection_report,
)
from pages.parts.dissection import (
    unit as dissection_unit,
)


def page() -> None:
    """The report of a layer, then the unit that the address names."""
    st.title("Dissection")
    run = place.run()
    view = dissection_report.controls(run)
    found, described = result_of(view.task), result_of(view.describing)
    dissection_report.report(view, found)
    dissection_unit.unit(view, found, described)
    concept_list.concepts(described)


page()
