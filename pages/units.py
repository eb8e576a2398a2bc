"""Units: every unit of the model to filter and sort, and each unit's own page."""

from __future__ import annotations

import streamlit as st

from core.analyses.profiles.task import StudyTask
from core.text import literal
from core.units import DirectionId, UnitId
from pages.kit import place
from pages.kit.answer import answer
from pages.kit.unit import layer_option, unit_option
from pages.kit.waiting import result_of
from pages.parts.units import browse
from pages.parts.units import unit as unit_view
from pages.parts.units.direction import direction, direction_option


def page() -> None:
    """All units, or the unit or direction that the address names."""
    study = result_of(StudyTask(place.run()))
    named = direction_option(study).value()
    if named:
        direction(study, DirectionId.parse(named))
        return
    layer = layer_option(("all", *study.model.layers)).value()
    if "unit" not in st.query_params:
        answer(study.model)
        browse.units(study)
        return
    if layer == "all":
        known = UnitId(study.run.architecture, study.model.layers[0], 0)
        st.warning(
            f"{literal('unit=' + st.query_params['unit'])} names no unit of {known.model}: write "
            f"model/layer/index, such as {known}, or click a unit."
        )
        browse.units(study)
        return
    option = unit_option(study.run.architecture, layer, len(study.profiles[layer]))
    answer(study.model)
    unit_view.unit(study, layer, option.value())


page()
