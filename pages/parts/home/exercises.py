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
        "Is there a unit for the crossed seven?",
        "These units respond to the 7. Open one: how does it change when a bar is added to the "
        "same seven? Then search for units that respond to a crossed 7. There may be none.",
        "units",
        {"answers": "class-7", "sort": "selectivity"},
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
