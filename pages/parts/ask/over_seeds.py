"""Whether the claim holds in other trainings, and in every way in which it could be tested."""

from __future__ import annotations

import streamlit as st

from core.analyses.profiles.task import Study
from core.charts.specifications import specification_curve
from core.claims.over_seeds.specifications import COUNTS, OPERATORS, THRESHOLDS, OverSeeds
from core.claims.over_seeds.task import SEEDS, OverSeedsTask
from core.data.concepts import CONCEPTS
from pages.kit import links, place
from pages.kit.charts import finished_chart
from pages.kit.controls import toggle
from pages.kit.glossary import DEFINITIONS
from pages.kit.recorded import recorded
from pages.kit.tables import download
from pages.kit.waiting import result_of
from pages.parts.ask.claim import Asked

__all__ = ["other_trainings"]

WANTED = links.switch("trainings")


def other_trainings(study: Study, asked: Asked) -> None:
    """The claim in ten trainings, when that is wanted."""
    st.subheader("Does it hold in other trainings?", anchor=False)
    if study.run.seed + SEEDS - 1 > place.LAST_SEED:
        last = place.LAST_SEED - SEEDS + 1
        st.caption(f"{SEEDS} seeds from here on are needed: choose a seed of at most {last}.")
        return
    if not toggle(WANTED, f"Ask {SEEDS} trainings", help=DEFINITIONS["over_seeds"]):
        st.caption(
            f"The best units for “{CONCEPTS[asked.concept].text}” in {asked.layer} of seeds "
            f"{study.run.seed} to {study.run.seed + SEEDS - 1} are removed. Networks that are "
            "missing are trained first; what is done is kept, and can go on later."
        )
        return
    found = result_of(OverSeedsTask(study.run, asked.layer, asked.concept))
    _shown(found)
    download(found.table, "trainings")


@recorded
def _shown(found: OverSeeds) -> None:
    """In how many trainings, how much is lost, and the curve."""
    yes, of, (low, high) = found.supported()
    st.markdown(
        f"The best unit is necessary in **{yes} of {of} trainings** (95 % interval {low:.0%} to "
        f"{high:.0%}); {found.share():.0%} of all ways of testing support it."
    )
    chart = finished_chart(specification_curve, found.table())
    st.vega_lite_chart(chart, key="specifications")
    loss = found.loss()
    between = (
        ""
        if loss is None
        else f"Removing the best unit costs {loss.mean:.1%} of these digits in the mean, 95 % "
        f"interval {loss.low:.1%} to {loss.high:.1%} over trainings and digits at once. "
    )
    st.caption(
        f"{between}Each point: one training, {len(OPERATORS)} replacement values, the best "
        f"{', '.join(map(str, COUNTS))} units, either half as the judge, and a loss of more than "
        f"{', '.join(f'{of:.0%}' for of in THRESHOLDS)} asked for."
    )
