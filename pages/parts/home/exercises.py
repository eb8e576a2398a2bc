"""Four guided exercises: a question, the view that answers it, and what to look for there."""

from __future__ import annotations

from dataclasses import dataclass, field

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.analyses.profiles.task import Study
from core.claims.carrier_task import CarrierTask
from core.runtime import cache
from pages.kit import links, place
from pages.kit.carried import ABOUT, sentence
from pages.kit.waiting import result_of

__all__ = ["answer", "exercises"]

WANTED = links.switch("answer")
CONCEPT = "crossed-7"  # of the question that this app was built for


@dataclass(frozen=True)
class Exercise:
    """One question and the page and choices with which it opens."""

    question: str
    look: str
    page: str
    values: dict[str, str] = field(default_factory=dict)


EXERCISES = (
    Exercise(
        "Is there a unit for the crossed seven?",
        "Ask about the units that respond to it most: which verdicts do they get? Does any of them "
        "tell a crossed seven from a plain one better than a random direction of the layer does?",
        "ask",
        {"concept": CONCEPT},
    ),
    Exercise(
        "Which units do nothing?",
        "Look for dead, dormant and always-on units. What share of the layer is it? With another "
        "seed (in the sidebar), are there as many?",
        "units",
        {"sort": "fraction_active", "order": "lowest"},
    ),
    Exercise(
        "Can you trust a maximized image?",
        "Maximize the units of a layer in pixels, then in waves, then along the covariance of "
        "digits. All reach high activations. Which of the images look like the digits that really "
        "activate the unit?",
        "feature_visualization",
        {"parameterization": "pixel"},
    ),
    Exercise(
        "What was learned, and what was there before training?",
        "Dissect the first layer: how many of its units are detectors, and how many detectors "
        "does the untrained network have? In which layer does training make the difference?",
        "dissection",
        {"layer": "conv_0"},
    ),
)


def exercises() -> DeltaGenerator:
    """Four cards, two a row; gives the place of the first question's answer."""
    places = [_card(*of) for of in zip(EXERCISES, [*st.columns(2), *st.columns(2)], strict=True)]
    return places[0]


def _card(exercise: Exercise, column: DeltaGenerator) -> DeltaGenerator:
    """One card, and the place of an answer in it."""
    with column.container(border=True, height="stretch"):
        st.markdown(f"**{exercise.question}**")
        answered = st.container()
        st.markdown(exercise.look)
        values = dict(exercise.values)
        if "layer" in values:
            values["layer"] = place.layers()[0]
        place.link(exercise.page, "Begin", **values)
    return answered


def answer(study: Study) -> None:
    """What carries the crossed seven in the widest layer, in a sentence, once it was asked for."""
    task = CarrierTask(study.run, study.widest, CONCEPT)
    found = cache.find(task)
    if found is None and not WANTED.value():
        st.button(
            "Find out",
            icon=":material/balance:",
            on_click=links.put,
            kwargs={"answer": "yes"},
        )
        return
    st.markdown(sentence(found or result_of(task), task), help=ABOUT)
