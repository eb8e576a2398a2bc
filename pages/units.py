"""Units: every unit of the model to filter and sort, and each unit's own page."""

from __future__ import annotations

import streamlit as st

from core.analyses.profiles.task import StudyTask
from pages.kit import links, place
from pages.kit.waiting import result_of
from pages.parts.units import browse
from pages.parts.units import unit as unit_view


def page() -> None:
    """All units, or the one that the address names."""
    study = result_of(StudyTask(place.choice()))
    layer = links.one_of("layer", ("all", *study.model.layers)).value()
    if "unit" not in st.query_params:
        browse.units(study)
        return
    if layer == "all":
        st.warning("A unit needs its layer: choose one below, or click a unit.")
        browse.units(study)
        return
    last = len(study.profiles[layer]) - 1
    unit_view.unit(study, layer, links.integer("unit", 0, last, 0).value())


page()
