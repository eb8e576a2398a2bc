"""Training: the movie of every unit, anomalies, and how specialization emerges."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from core.analyses.profiles.task import Measuring
from pages.kit import links, place
from pages.kit.waiting import result_of
from pages.parts.training import (
    anomalies as anomaly_view,
)
from pages.parts.training import (
    dropout as dropout_view,
)
from pages.parts.training import (
    emergence as emergence_view,
)
from pages.parts.training import (
    movie,
)
from pages.parts.training import (
    seeds as seeds_view,
)
from pages.parts.training import (
    transfer as transfer_view,
)

VIEWS = {
    "movie": "Movie",
    "anomalies": "Anomalies",
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
            movie.film(study)
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
