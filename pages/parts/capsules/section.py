"""Capsules: one digit followed through votes and routing; what dimensions draw; what routing is."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from core.architectures.capsules.trace import follow
from core.models.capsules import Capsules
from core.runtime.drawings import DRAWINGS
from core.runtime.task import Choice
from core.training.task import Training
from pages.kit import digit, links
from pages.kit.waiting import result_of
from pages.parts.capsules import poses, routing, trace

__all__ = ["section"]

VIEWS = {
    "routing": "One digit, routed",
    "dimensions": "What a dimension draws",
    "worth": "What routing is worth",
}
VIEW = links.one_of("capsule_view", tuple(VIEWS))


def section(choice: Choice) -> None:
    """The capsule network, opened up."""
    choice = replace(choice, model="capsules")
    st.markdown(
        "A **capsule** is a small group of units read as one vector: its length says *whether* "
        "something is there, its direction *how* it looks. The specialization to look for is "
        "twofold: which parts of the digit vote for which class, and what each dimension of a "
        "class's capsule stands for."
    )
    model = result_of(Training(choice))
    if not isinstance(model, Capsules):
        raise TypeError(f"{type(model).__name__} has no capsules: train the model capsules.")
    one = digit.followed(choice)
    VIEW.shown()
    st.segmented_control(
        "View",
        list(VIEWS),
        key=VIEW.key,
        on_change=VIEW.changed,
        format_func=VIEWS.__getitem__,
        label_visibility="collapsed",
    )
    seen = DRAWINGS.get(follow, model, one.image)
    if VIEW.value() == "routing":
        trace.routed(choice, one, seen)
    elif VIEW.value() == "dimensions":
        poses.dimensions(choice, model, one, seen)
    else:
        routing.worth(choice)
