"""One digit moved by hand: what the gates weigh and what the network answers at each place."""

from __future__ import annotations

import streamlit as st

from core import pictures
from core.architectures.attention.charts import answers
from core.architectures.mixture.charts import trace as figures
from core.architectures.mixture.position import REACH
from core.architectures.mixture.position_digit import AtPlaces, at_places
from core.architectures.mixture.report import gated
from core.runtime.drawings import DRAWINGS, drawn_once
from core.training.task import ModelTask
from pages.kit import links
from pages.kit.charts import finished_chart
from pages.kit.controls import slide
from pages.kit.digit import Followed, followed
from pages.kit.gallery import gallery
from pages.kit.grid import Grid, image_grid
from pages.kit.recorded import recorded
from pages.kit.waiting import result_of
from pages.parts.mixture.controls import View

__all__ = ["one_digit"]

DOWN = links.integer("moved_down", -REACH, REACH, 0)
RIGHT = links.integer("moved_right", -REACH, REACH, 0)
_ENDS = (-REACH, 0, REACH)
NINE = [(down, right) for down in _ENDS for right in _ENDS]
_TIMES = 3  # screen pixels a pixel of the digit
_ROW = 3 * (28 * _TIMES + 22)  # pixels: three pictures a row, as they lie


def one_digit(view: View) -> None:
    """The followed digit, moved."""
    st.subheader("Move a digit")
    one = followed(view.run)
    seen = DRAWINGS.get(at_places, gated(result_of(ModelTask(view.run))), one.image)
    left, right = st.columns([2, 3])
    with left:
        _nine(one, seen)
    with right:
        _here(one, seen)


def _nine(one: Followed, seen: AtPlaces) -> None:
    """The digit at nine places with the expert that each gate weighs most; a click moves it."""
    now = DOWN.value(), RIGHT.value()
    with st.container(width=_ROW):
        picked = image_grid(
            _places(seen),
            key="grid of nine places",
            label=f"{one.name} at nine places",
            selected=NINE.index(now) if now in NINE else None,
            scale=1,
        )
    layers = "" if len(seen.weights) == 1 else ", layer 1 · layer 2"
    st.caption(
        f"By {REACH} pixels up, not, or down, and left, not, or right. Below: the expert with the "
        f"highest weight{layers}. Click one to move the digit there."
    )
    if picked is not None and NINE[picked] != now:
        links.put(moved_down=NINE[picked][0], moved_right=NINE[picked][1])
        st.rerun()


@drawn_once
def _places(seen: AtPlaces) -> Grid:
    """The digit at nine places, each with its experts."""
    numbers = [seen.number(*at) for at in NINE]
    firsts = [of.argmax(1) for of in seen.weights.values()]
    experts = [" · ".join(f"{of[number]}" for of in firsts) for number in numbers]
    return gallery(
        pictures.enlarged(pictures.ink(seen.images[numbers]), _TIMES),
        [
            f"{down} down, {right} right: expert {expert}"
            for (down, right), expert in zip(NINE, experts, strict=True)
        ],
        [f"expert {expert}" for expert in experts],
    )


def _here(one: Followed, seen: AtPlaces) -> None:
    """The sliders, the picture, the gates' weights and the answer."""
    at = seen.number(DOWN.value(), RIGHT.value())
    first, second = st.columns([1, 2], vertical_alignment="center")
    with first:
        st.image(pictures.enlarged(pictures.ink(seen.images[[at]]), 5)[0], width=140)
    for option, title in ((DOWN, "Pixels down"), (RIGHT, "Pixels right")):
        slide(option, title, where=second)
    _weighed(seen, at, one.label)
    probabilities = seen.probabilities[at]
    answer = int(probabilities.argmax())
    st.caption(
        f"{one.name}, a {one.label}, moved {DOWN.value()} down and "
        f"{RIGHT.value()} right: classified as {answer} with probability "
        f"{probabilities[answer]:.0%}. Orange: the expert with the highest weight; the "
        "digit's own class."
    )


@recorded
def _weighed(seen: AtPlaces, at: int, label: int) -> None:
    """The gates' weights and the answer at one of the places. label: the digit's class."""
    probabilities = seen.probabilities[at]
    charts = [
        (f"Gate of layer {name.removeprefix('gate_')}" if "_" in name else "Gate", of[at])
        for name, of in seen.weights.items()
    ]
    columns = st.columns(len(charts) + 1)
    for side, (title, values) in zip(columns, charts, strict=False):
        with side:
            st.markdown(f"**{title}**")
            st.vega_lite_chart(finished_chart(figures.weights, values), key=f"weights, {title}")
    with columns[-1]:
        st.markdown("**Answer**")
        st.vega_lite_chart(
            finished_chart(answers, probabilities, label), key="answer where the digit is"
        )
