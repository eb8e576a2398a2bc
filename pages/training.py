"""Training: the movie of every unit, anomalies, and how specialization emerges."""

from __future__ import annotations

import streamlit as st

from core.analyses.profiles.task import StudyTask
from pages.kit import controls, links, place
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
    run = place.run()
    view = controls.pick(
        VIEW, "View", names=VIEWS.__getitem__, resets=("layer", "concept", "pins"), bare=True
    )
    study = result_of(StudyTask(run))
    match view:
        case "movie":
            movie.film(study)
        case "anomalies":
            anomaly_view.anomalies(study)
        case "emergence":
            emergence_view.emergence(run)
        case "seeds":
            seeds_view.seeds(run)
        case "dropout":
            dropout_view.dropout(run)
        case _:
            transfer_view.transfer(run)


page()
