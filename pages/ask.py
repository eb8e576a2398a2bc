"""Ask: a claim about units, the test, the verdict, and the evidence to take away."""

from __future__ import annotations

import streamlit as st

from core.analyses.task import Describing
from core.claims.task import Asking
from core.training.task import Measuring
from pages.kit import place
from pages.kit.waiting import result_of
from pages.parts.ask import (
    candidates as candidate_view,
)
from pages.parts.ask import (
    card,
    claim,
    ledger,
)
from pages.parts.ask import (
    search as search_view,
)
from pages.parts.ask import (
    verdict as verdict_view,
)


def page() -> None:
    """The whole page."""
    st.title("Ask")
    st.markdown(
        "Name units and what they are said to carry. They are removed, on digits that they were "
        "not chosen on, beside random units of like strength, and the verdict follows."
    )
    study = result_of(Measuring(place.choice()))
    described = result_of(Describing(study.choice.data))
    asked = claim.controls(study, described)
    if not asked.units:
        candidate_view.candidates(study, asked)
        card.load()
    else:
        evidence = result_of(Asking(study.choice, *asked.key()))
        ledger.remember(evidence, place.address(**asked.address()))
        verdict_view.verdict(evidence)
        card.downloads(evidence)
        card.compared(evidence)
        verdict_view.effects(evidence)
        verdict_view.controls(evidence)
    slow = st.container()  # what may have to be computed comes last, in its place
    ledger.ledger()
    if asked.units:
        with slow:
            verdict_view.pairs(study, asked)
            search_view.search(study, asked)


page()
