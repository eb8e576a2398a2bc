"""Home: the model as it learns, what its most specialized units are, and where to go from there."""

from __future__ import annotations

import streamlit as st

from core.analyses.profiles.task import StudyTask
from pages.kit import place
from pages.kit.waiting import result_of
from pages.parts.home import overview
from pages.parts.home.exercises import answer, exercises


def page() -> None:
    """The title, the model's numbers, its most specialized units, exercises, and how it learned."""
    st.title("What does each unit do?")
    st.markdown(
        "Train a small network on digits, open any of its units, and see what it responds to, "
        "compared with chance and with an untrained network."
    )
    run = place.run()
    st.caption(f"{run.title} · {place.SOURCE_NAMES[run.data]} · seed {run.seed}")
    study = result_of(StudyTask(run))
    overview.facts(study)
    st.subheader("The most specialized units")
    overview.specialized(study)
    st.subheader("Four questions to begin with")
    answered = exercises()
    st.subheader("How it learned")
    overview.learning(study)
    # what may have to be computed comes last, in its place
    with answered:
        answer(study)


page()
