"""Multimodality: which units have more than one mode, and which digits are in each."""

from __future__ import annotations

import streamlit as st

from core.analyses.modality.task import UnitModesTask
from pages.kit import halves, place
from pages.kit.waiting import result_of
from pages.parts.multimodality import (
    images,
)
from pages.parts.multimodality import (
    layer as modality_layer,
)
from pages.parts.multimodality import (
    makeup as modality_makeup,
)
from pages.parts.multimodality import (
    unit as modality_unit,
)


def page() -> None:
    """The layer at a glance, then the unit that the address names."""
    st.title("Multimodality")
    st.markdown(
        "If the activations of a unit form two clusters, the unit sorts the digits into two "
        "kinds. **Are there really two clusters, and which digits are in each?** Such a cluster "
        "is a *mode*: a peak of the density."
    )
    halves.chosen_and_judged("Units and their modes were chosen")
    run = place.run()
    view = modality_layer.controls(run)
    layer = result_of(view.task)
    modality_layer.report(view, layer)
    unit = modality_unit.chosen(view, layer)
    found = result_of(UnitModesTask(view.task, unit.value()))
    modality_unit.unit(view, layer, unit, found)
    modality_makeup.makeup(view, unit.value(), found)
    images.exercise()


page()
