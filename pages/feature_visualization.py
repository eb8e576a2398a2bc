"""Feature visualization: every unit of a layer maximized at once, beside real digits."""

from __future__ import annotations

import streamlit as st

from core.analyses.maximize.task import MaximizedTask
from core.analyses.profiles.task import StudyTask
from pages.kit import place
from pages.kit.waiting import result_of
from pages.parts.feature_visualization import maximized_view


def page() -> None:
    """The filters and maximized inputs of the chosen layer."""
    st.title("Feature visualization")
    study = result_of(StudyTask(place.run()))
    layer, settings = maximized_view.controls(study)
    filters = st.container()
    maximized_view.filters(filters, study, layer)
    found = result_of(MaximizedTask(study.run, layer, settings))
    maximized_view.layer_grid(study, layer, settings, found)


page()
