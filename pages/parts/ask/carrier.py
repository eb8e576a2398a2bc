"""Whether the layer has a unit for the concept, a direction, or neither."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from core import charts
from core.analyses.profiles.task import Study
from core.claims.carrier import Carrier
from core.claims.carrier_task import CarrierTask
from core.claims.evidence import Evidence
from core.runtime import cache
from core.units import DirectionId
from pages.kit import place
from pages.kit.carried import ABOUT, best_unit, sentence
from pages.kit.charts import finished_chart
from pages.kit.recorded import recorded
from pages.kit.waiting import result_of
from pages.parts.ask.claim import Asked

__all__ = ["carrier", "with_carrier"]


def with_carrier(evidence: Evidence, study: Study, asked: Asked) -> Evidence:
    """The evidence with what carries the concept in the layer, once that has been found."""
    found = cache.find(CarrierTask(study.run, asked.layer, asked.concept))
    return evidence if found is None else replace(evidence, carrier=found.verdict)


def carrier(study: Study, asked: Asked) -> None:
    """The answer in a sentence with its numbers, and where unit and direction lie."""
    st.subheader("A unit, a direction, or neither?", anchor=False)
    task = CarrierTask(study.run, asked.layer, asked.concept)
    _answer(result_of(task), task)
    name = DirectionId(study.run.architecture, asked.layer, asked.concept)
    place.link("units", f"Open the direction {name}", direction=name)


@recorded
def _answer(found: Carrier, task: CarrierTask) -> None:
    """The answer, and its distributions."""
    st.markdown(sentence(found, task), help=ABOUT)
    for column, show in zip(st.columns(2), (_unit, _direction), strict=True):
        with column:
            show(found, task)
    st.caption(
        f"Judged on {found.trained.n:,} digits of the confirmation half with the concept and "
        f"{found.trained.absent:,} without it. Grey: the best axis of each random rotation of the "
        f"layer, and {len(found.untrained)} networks before training. With many units and few "
        "digits a direction is easy to fit, also in an untrained network: compare it with those."
    )


def _unit(found: Carrier, task: CarrierTask) -> None:
    """The best unit among the axes of rotations and untrained networks' best units."""
    st.markdown(f"**Best unit, {best_unit(found, task)}**")
    before = [of.unit.judged for of in found.untrained]
    _beside(found, found.trained.unit.judged, before, "untrained units")


def _direction(found: Carrier, task: CarrierTask) -> None:
    """The direction among the same, and untrained networks' directions."""
    st.markdown("**Direction**")
    before = [of.direction_auc for of in found.untrained]
    _beside(found, found.trained.direction_auc, before, "untrained directions")


def _beside(found: Carrier, value: float, before: list[float], what: str) -> None:
    """An AUC beside its baselines."""
    controls = {"rotated axes": found.trained.axes, what: before}
    chart = finished_chart(charts.beside_baselines, value, controls, title="AUC", domain=(0.5, 1.0))
    st.vega_lite_chart(chart, key=f"carrier {what}")
