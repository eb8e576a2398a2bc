"""Multi-task networks: one digit followed to every head, then what the shared units are for."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

from core import pictures
from core.architectures.multitask import charts as figures
from core.architectures.multitask.answers import Answer, Answers, answers
from core.architectures.multitask.results import heads_of
from core.architectures.multitask.sharing import opened_up
from core.data import DataSet
from core.models.multitask import ManyHeads, MultitaskSettings, PairsSettings
from core.runs import Run
from core.runtime import cache
from core.runtime.drawings import DRAWINGS
from core.training.task import ModelTask
from core.units import UnitId
from pages.kit import digit, links, place
from pages.kit.charts import finished_chart
from pages.kit.controls import pick
from pages.kit.network import one_network
from pages.kit.recorded import recorded
from pages.kit.tables import download, file_name
from pages.kit.waiting import result_of
from pages.parts.multitask import units

__all__ = ["section"]

NETWORKS = {
    "Digit, slant, thickness": MultitaskSettings(),
    "Two digits, left and right": PairsSettings(),
}
UNITS = 6  # shown for each task
_TERMS = 3  # of a sum, written out


def section(run: Run) -> None:
    """The chosen network opened up, on the digit that is followed."""
    mine = one_network(NETWORKS, run)
    st.markdown(
        "One network, several tasks: all tasks share the hidden layers, and each has its own "
        "**head**. A head belongs to its task by construction. Whether a *shared* unit serves one "
        "task or several can only be seen by silencing it."
    )
    model = opened_up(result_of(ModelTask(mine)))
    one = digit.followed(mine)
    found = _answered(mine, model, one)
    _follow(mine, found)
    units.shared(mine)


def _answered(run: Run, model: ManyHeads, one: digit.Followed) -> Answers:
    """Every head's answer, for two digits in both places."""
    digits = cache.digits(run.data, "confirmation")
    if run.architecture == "multitask":
        alone = [one.number]
        found = DRAWINGS.get(answers, model, digits.images[alone], digits.labels[alone])[0]
        _heads(found)
        return found
    two = [one.number, _partner(digits)]
    both, turned = DRAWINGS.get(answers, model, digits.images[two], digits.labels[two])
    _heads(both)
    said = " and ".join(head.spoken(head.said) for head in turned.heads)
    st.caption(
        f"With the two digits swapped, the network answers {said} (left and right). Each digit is "
        "squeezed to half its width by averaging pairs of columns. On the other pages a single "
        "digit is shown on the left, and the right head has an eleventh answer, “nothing”."
    )
    return both


def _partner(digits: DataSet) -> int:
    """The digit on the right, picked from a row."""
    option = digit.digit_option("partner", digits, 1)
    number = option.value()
    label = int(digits.labels[number])
    st.markdown(f"**On the right**: {digits.ids[number]}, a {label}. Choose another:")
    # others than those offered for the left
    offered = digit.first_of_each(digits, 3, 2)
    digit.choose_digit(
        option, digits, offered, key="grid of partners", label="Digits for the right side"
    )
    return number


@recorded
def _heads(found: Answers) -> None:
    """The image as it is shown, and every head's answer with the correct one."""
    columns = st.columns([1, *[2] * len(found.heads)], vertical_alignment="top")
    with columns[0]:
        tile = pictures.enlarged(pictures.ink(found.seen[None]), 5)[0]
        st.image(tile, width=140, caption="what the network sees")
    for column, head in zip(columns[1:], found.heads, strict=True):
        with column:
            right = head.spoken(head.right)
            st.metric(head.task, head.spoken(head.said), f"correct: {right}", delta_color="off",
                      delta_arrow="off", help=_ABOUT[head.task])  # fmt: skip
            if head.names:
                bars = finished_chart(figures.shares, head.names, head.shares, int(head.right))
                st.vega_lite_chart(bars, key=f"answers of {head.task}")
            else:
                lines = finished_chart(figures.needle, head.said, head.right)
                st.vega_lite_chart(lines, width="content", key=f"answer of {head.task}")
    st.caption(
        "Bars: probability of each answer, the correct one in orange. Lines: the slant, the "
        "network's in blue, the image's in orange. The correct slant and thickness are measured "
        "on the image itself."
        if len(found.heads) > 2
        else "Bars: probability of each answer, the correct one in orange."
    )


_ABOUT = {
    "digit": "Classification into 10 digits.",
    "slant": (
        "Regression, in radians: arctan(−μ₁₁/μ₀₂) of the image's second moments, positive to the "
        "right."
    ),
    "thickness": (
        "Classification: twice the ink over its outline, in pixels; below 2.13 is thin, above "
        "2.64 thick, the limits that divide MNIST's training digits into thirds."
    ),
    "left": "Which digit is on the left.",
    "right": "Which digit is on the right, or nothing.",
}


def _follow(run: Run, found: Answers) -> None:
    """The units that each answer hangs on, and one answer as the sum that it is."""
    _rises(found)
    _sum(run, found)


@recorded
def _rises(found: Answers) -> None:
    """The units that each answer hangs on."""
    st.markdown(
        "**The shared units that this digit's answers depend on**",
        help="Each unit of shared_1 is silenced alone; the chart shows those whose "
        "silencing raises the loss of this image most.",
    )
    columns = st.columns(len(found.heads))
    for column, head in zip(columns, found.heads, strict=True):
        top = np.argsort(-head.rises)[:UNITS]
        frame = pd.DataFrame(
            {"unit": [str(at) for at in top], "rise": head.rises[top], "passed": found.passed[top]}
        )
        with column:
            st.markdown(head.task)
            unit = "nats" if head.names else "rad²"
            st.vega_lite_chart(
                finished_chart(figures.rises, frame, unit), key=f"rises of {head.task}"
            )


def _sum(run: Run, found: Answers) -> None:
    """One head's answer with its numbers."""
    names = tuple(head.task for head in heads_of(run.settings) if head.task != "parity")
    option = links.one_of(f"{run.architecture}_sum", names, names[min(1, len(names) - 1)])
    head = found.heads[names.index(pick(option, "Show the sum for"))]
    st.latex(_formula(head, found))
    silent = int((found.passed == 0).sum())
    what = f"the logit of “{head.spoken(head.said)}”" if head.names else "the slant in radians"
    st.caption(
        f"It is {what}: bias, then weight · activation of each unit of shared_1 after the ReLU, "
        f"largest first; {silent} of {len(found.passed)} units are 0 here."
    )
    with st.container(horizontal=True):
        download(partial(_units, found), f"answers-{file_name(run)}")
        best = UnitId(run.architecture, "shared_1", int(head.rises.argmax()))
        place.link("units", f"Unit {best}", unit=best)


def _units(found: Answers) -> pd.DataFrame:
    """Every unit's activation, and what it does for each answer."""
    frame = pd.DataFrame({"unit": np.arange(len(found.passed)), "activation": found.passed})
    for each in found.heads:
        frame[f"weight of {each.task}"] = each.weights
        frame[f"{each.task} loss rises"] = each.rises
    return frame


def _formula(head: Answer, found: Answers) -> str:
    """The sum in LaTeX: its largest terms, and the rest together."""
    terms = head.weights * found.passed
    order = np.argsort(-np.abs(terms))
    first, *more = (
        rf"{head.weights[at]:+.2f}\cdot {found.passed[at]:.2f}" for at in order[:_TERMS]
    )
    rest = terms[order[_TERMS:]].sum()
    active = int((found.passed[order[_TERMS:]] > 0).sum())
    return (
        rf"\begin{{aligned}} b + \sum_u w_u h_u &= {head.bias:+.2f} {first}\\ "
        rf"&\quad {' '.join(more)}\\ "
        rf"&\quad \underbrace{{{rest:+.2f}}}_{{{active}\text{{ more units}}}} = {head.sum_:+.3f}"
        r"\end{aligned}"
    )
