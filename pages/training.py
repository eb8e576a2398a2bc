"""Training: the movie of every unit, what doesn't fit, and how specialization emerges."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from core.tasks import Measuring
from pages.parts import (
    anomaly_view,
    dropout_view,
    emergence_view,
    film_view,
    links,
    place,
    seeds_view,
    transfer_view,
)
from pages.parts.waiting import result_of

VIEWS = {
    "movie": "Movie",
    "anomalies": "What doesn't fit",
    "emergence": "Emergence",
    "seeds": "Seeds",
    "dropout": "Dropout",
    "transfer": "Transfer",
}
VIEW = links.one_of("view", tuple(VIEWS))


def page() -> None:
    """The chosen view; nothing is computed for the others."""
    st.title("Training")
    choice = place.choice()
    VIEW.shown()
    st.segmented_control(
        "View",
        list(VIEWS),
        key=VIEW.key,
        on_change=_changed,
        format_func=VIEWS.__getitem__,
        label_visibility="collapsed",
    )
    study = result_of(Measuring(choice))
    match VIEW.value():
        case "movie":
            film_view.film(study)
        case "anomalies":
            anomaly_view.anomalies(study)
        case "emergence":
            _linked(emergence_view.address())
            emergence_view.emergence(choice)
        case "seeds":
            _linked(emergence_view.address())
            seeds_view.seeds(choice)
        case "dropout":
            _linked(dropout_view.address())
            dropout_view.dropout(choice)
        case _:
            _linked({})
            transfer_view.transfer(choice)


def _changed() -> None:
    """Another view has other layers and concepts."""
    VIEW.changed(layer=None, concept=None, pins=None)


def _linked(values: Mapping[str, object]) -> None:
    """The link to this view, above it, because its results may be long in coming."""
    place.copy_link(view=VIEW.value(), **values)


page()
