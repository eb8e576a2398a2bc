"""Capsules: one digit followed through votes and routing; what dimensions draw; what routing is."""

from __future__ import annotations

import streamlit as st

from core.architectures.capsules.trace import follow
from core.models.capsules import Capsules
from core.runs import Run
from core.runtime.drawings import DRAWINGS
from core.training.task import ModelTask
from pages.kit import digit, links
from pages.kit.controls import pick
from pages.kit.waiting import result_of
from pages.parts.capsules import poses, routing, trace

__all__ = ["section"]

VIEWS = {
    "routing": "One digit, routed",
    "dimensions": "What a dimension represents",
    "worth": "What routing contributes",
}
VIEW = links.one_of("capsule_view", tuple(VIEWS))


def section(run: Run) -> None:
    """The capsule network, opened up."""
    run = run.of_architecture("capsules")
    st.markdown(
        "A **capsule** is a small group of units read as one vector: its length says *whether* "
        "something is there, its direction *how* it looks. There are two kinds of specialization "
        "to look for: which parts of the digit vote for which class, and what each dimension of a "
        "class's capsule represents."
    )
    model = result_of(ModelTask(run))
    if not isinstance(model, Capsules):
        raise TypeError(f"{type(model).__name__} has no capsules: train the model capsules.")
    one = digit.followed(run)
    view = pick(VIEW, "View", names=VIEWS.__getitem__, bare=True)
    seen = DRAWINGS.get(follow, model, one.image)
    if view == "routing":
        trace.routed(run, one, seen)
    elif view == "dimensions":
        poses.dimensions(run, model, one, seen)
    else:
        routing.worth(run)
