"""Ask: a claim about units, the test, the verdict, and the evidence to take away."""

from __future__ import annotations

import streamlit as st

from core.analyses.described import DescribedDigitsTask
from core.analyses.profiles.task import StudyTask
from core.claims.task import EvidenceTask
from pages.kit import halves, place
from pages.kit.answer import answer
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
    carrier as carrier_view,
)
from pages.parts.ask import (
    nulls as null_view,
)
from pages.parts.ask import (
    operators as operator_view,
)
from pages.parts.ask import (
    over_seeds as seeds_view,
)
from pages.parts.ask import (
    search as search_view,
)
from pages.parts.ask import (
    verdict as verdict_view,
)


def page() -> None:
    """The claim, its verdict or candidates, the evidence, and all claims of the session."""
    st.title("Ask")
    st.markdown(
        "Claim that some units represent a concept, and test the claim: the units are removed, "
        "and what the network loses is compared with removing random units of similar strength."
    )
    halves.chosen_and_judged("Candidates and control sets are chosen")
    study = result_of(StudyTask(place.run()))
    answer(study.model)
    described = result_of(DescribedDigitsTask(study.run.data))
    asked = claim.controls(study, described)
    if not asked.units:
        candidate_view.candidates(study, asked)
        card.load()
    else:
        evidence = result_of(EvidenceTask(study.run, *asked.key()))
        evidence = carrier_view.with_carrier(evidence, study, asked)
        by_operator = operator_view.found(study, asked)
        ledger.remember(evidence, place.address(**asked.address(study.run.architecture)))
        verdict_view.verdict(evidence)
        written = card.with_operators(evidence, by_operator)
        card.downloads(written)
        card.compared(written)
        verdict_view.effects(evidence)
        verdict_view.controls(evidence)
    slow = st.container()  # what may have to be computed comes last, in its place
    ledger.ledger()
    with slow:
        carrier_view.carrier(study, asked)
        seeds_view.other_trainings(study, asked)
        if asked.units:
            null_view.nulls(study, asked, evidence)
            operator_view.comparison(study, asked)
            verdict_view.matter(study, asked)
            verdict_view.pairs(study, asked)
            search_view.search(study, asked)


page()
