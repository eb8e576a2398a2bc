"""Four guided exercises: a question, the view that answers it, and what to look for there."""

from __future__ import annotations

from dataclasses import dataclass, field

import streamlit as st

from pages.kit import place

__all__ = ["exercises"]


@dataclass(frozen=True)
class Exercise:
    """One question and the page and choices with which it opens."""

    question: str
    look: str
    page: str
    values: dict[str, str] = field(default_factory=dict)


EXERCISES = (
    Exercise(
        "Is there a unit for the seven with a stroke?",
        "These units answer to the 7. Open one: what does a bar added to the same seven do to it? "
        "Then search for those that answer to a crossed 7. Perhaps there is none.",
        "units",
        {"answers": "class-7", "sort": "selectivity"},
    ),
    Exercise(
        "Which units do nothing?",
        "Look for dead, dormant and always-on units. What share of the layer is it? Does another "
        "seed, in the sidebar, have as many?",
        "units",
        {"sort": "fraction_active", "order": "lowest"},
    ),
    Exercise(
        "Can a picture be believed?",
        "Maximize a layer in pixels, then in waves, then along the covariance of digits. All reach "
        "high activations. Which of them look like what the unit really answers to?",
        "feature_visualization",
        {"parameterization": "pixel"},
    ),
    Exercise(
        "What was learned, and what was there before?",
        "Dissect the first layer: how many of its units are detectors, and how many has the "
        "untrained network? In which layer does training make the difference?",
        "dissection",
        {"layer": "conv_0"},
    ),
)


def exercises() -> None:
    """Four cards, two a row."""
    for pair in (EXERCISES[:2], EXERCISES[2:]):
        for column, exercise in zip(st.columns(2), pair, strict=True):
            with column.container(border=True, height="stretch"):
                st.markdown(f"**{exercise.question}**")
                st.markdown(exercise.look)
                values = dict(exercise.values)
                if "layer" in values:
                    values["layer"] = place.layers()[0]
                place.link(exercise.page, "Begin", **values)
