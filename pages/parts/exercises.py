"""Four guided exercises: a question, the view that answers it, and what to look for there."""

from __future__ import annotations

from dataclasses import dataclass, field

import streamlit as st

from pages.parts import place

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
        "Is there a unit for the seven?",
        "Open the most selective unit whose top class is 7. Which sevens does it miss? Compare its "
        "lowest examples with its top ones, then its AUC with the untrained unit's.",
        "units",
        {"top": "7", "sort": "selectivity"},
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
        "Sort the first layer by selectivity. Its untrained filters are nearly as selective. In "
        "which layer does training make the difference?",
        "units",
        {"layer": "conv_0", "sort": "selectivity"},
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
