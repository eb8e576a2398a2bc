"""Radial basis functions: centres that answer to what is near, and one digit's way through them."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

from core import pictures
from core.architectures.rbf import charts as figures
from core.architectures.rbf.measure import Answer
from core.architectures.rbf.results import FACTORS, OWN_WIDTH, RBFMeasures
from core.architectures.rbf.task import RBFTask
from core.data.bitmaps import BITMAPS
from core.runs import Run
from core.runtime.drawings import DRAWINGS, drawn_once
from core.units import UnitId
from pages.kit import links, place
from pages.kit.charts import finished_chart
from pages.kit.controls import steps
from pages.kit.digit import Followed, followed
from pages.kit.gallery import gallery
from pages.kit.grid import Grid, image_grid
from pages.kit.opening import unit_grid
from pages.kit.recorded import recorded
from pages.kit.tables import column, download, file_name
from pages.kit.waiting import result_of
from pages.parts.rbf import centres as rbf_centres
from pages.parts.rbf import width as rbf_width

__all__ = ["section"]

NAME = "rbf"
_SHOWN = 24  # nearest centres
_TABLE = 12  # of them in the table
RESPONSE = (
    "φ = exp(−distance² / 2σ²): 1 for a digit identical to the centre, .607 at distance σ, close "
    "to 0 far away."
)
_PUSH = "Contribution of the centre to the score of the predicted class: response × weight."
_OUTPUT = (
    "yᵢ = Σⱼ (xⱼ − wᵢⱼ)² over the 84 pixels: the squared distance of the code to the bitmap of "
    "class i. 0 if they are identical; the smallest gives the answer (LeCun et al. 1998)."
)
WIDTH = links.one_of("width", tuple(f"{factor:g}" for factor in FACTORS), "1")


def section(run: Run) -> None:
    """The network of the data and seed on the screen, opened up."""
    mine = run.of_architecture(NAME)
    st.markdown(
        "A radial unit is specialized in a **location** in input space, its centre, which is "
        "itself an image: the closer a digit is to the centre, the more strongly the unit "
        "responds. k-means places the centres where digits are, without using labels; a linear "
        "layer then computes the class from the responses."
    )
    opened: RBFMeasures = result_of(RBFTask(mine))
    digit = followed(mine)
    at = _chosen_width(opened)
    answer = DRAWINGS.get(RBFMeasures.answer, opened, digit.image, at, fitted=False)
    _responses(mine, opened, digit, answer, at)
    st.subheader("The centres")
    rbf_centres.centres(mine, opened)
    st.subheader("Effect of the width")
    rbf_width.widths(mine, opened, FACTORS[at])
    st.subheader("The output of LeNet-5: distances to bitmaps")
    _bitmaps(mine, opened, digit, answer)
    rbf_width.defects(opened)


def _chosen_width(opened: RBFMeasures) -> int:
    """The number of the factor on the width that is chosen."""
    width = steps(
        WIDTH,
        "Width σ, relative to the network's own",
        help=f"The network's own σ is {opened.width:.2f}, the mean distance of a training digit to "
        "its nearest centre. At another width, the read-out stays as learned here; below, it "
        "is also refitted.",
    )
    return WIDTH.values.index(width)


def _responses(run: Run, opened: RBFMeasures, digit: Followed, answer: Answer, at: int) -> None:
    """The formula with this digit's numbers, its nearest centres, and the way to the answer."""
    said, best = int(answer.scores.argmax()), int(answer.order[0])
    sigma, far = opened.width * FACTORS[at], answer.distances[best]
    left, right = st.columns([3, 2], vertical_alignment="center")
    left.latex(r"\varphi_k(x) = e^{-\lVert x - c_k \rVert^2 / 2\sigma^2}\qquad y = W\varphi + b")
    right.markdown(
        f"Nearest: centre **{best}** at distance {far:.2f}, σ = {sigma:.2f}, so φ = "
        f"exp(−{far:.2f}² / (2 · {sigma:.2f}²)) = **{answer.responses[best]:.3f}**. The digit, a "
        f"{digit.label}, is classified as **{said}**."
    )
    shown = answer.order[:_SHOWN]
    label = f"Nearest centres of {digit.name}"
    unit_grid(
        _nearest(opened, answer),
        [UnitId(NAME, "centres", at) for at in shown],
        key="grid of nearest centres",
        label=label,
    )
    st.caption(
        f"The {_SHOWN} centres nearest to the digit, in order, with their response φ. Click one "
        "to open the unit.",
        help=RESPONSE,
    )
    _scores(answer, said)
    _table(run, opened, digit, answer)


@drawn_once
def _nearest(opened: RBFMeasures, answer: Answer) -> Grid:
    """The nearest centres, with their response."""
    shown = answer.order[:_SHOWN]
    return gallery(
        pictures.ink(opened.centres[shown]),
        [_named(opened, answer, index) for index in shown],
        [f"{answer.responses[index]:.2f}" for index in shown],
    )


@recorded
def _scores(answer: Answer, said: int) -> None:
    """All responses, and the scores that come of them. said: the class with the highest."""
    one, other = st.columns(2)
    one.markdown("**All responses**", help=RESPONSE)
    one.vega_lite_chart(finished_chart(figures.by_rank, answer.responses), key="responses by rank")
    one.caption(
        f"The {len(answer.responses)} responses, highest first; "
        f"{(answer.responses == 0).mean():.0%} are exactly 0. Orange: the response at distance σ."
    )
    other.markdown(
        "**Scores**", help="y = Wφ + b, fitted to be 1 for the digit's class and 0 for the others."
    )
    other.vega_lite_chart(
        finished_chart(figures.by_class, answer.scores, said, title="score"), key="scores of rbf"
    )
    other.caption(f"Orange: the answer, {said}. Scores sum to {answer.scores.sum():.2f}.")


def _named(opened: RBFMeasures, answer: Answer, index: int) -> str:
    """A centre in words."""
    return (
        f"centre {index}, nearest to digits that are mostly {opened.own.labels[index]}: distance "
        f"{answer.distances[index]:.2f}, response {answer.responses[index]:.3f}"
    )


def _table(run: Run, opened: RBFMeasures, digit: Followed, answer: Answer) -> None:
    """The nearest centres as numbers, to look at and to download."""
    best = int(answer.order[0])
    with st.expander("The nearest centres as numbers"):
        _numbers(opened, answer)
        name = f"responses-{file_name(run)}-{digit.file_name}-width{WIDTH.value()}"
        download(partial(_by_distance, opened, answer), name)
        place.link("units", f"Open centre {best}", unit=UnitId(NAME, "centres", best))


def _by_distance(opened: RBFMeasures, answer: Answer) -> pd.DataFrame:
    """All centres, the nearest first."""
    said, order = int(answer.scores.argmax()), answer.order
    return pd.DataFrame(
        {
            "centre": order,
            "label": opened.own.labels[order],
            "distance": answer.distances[order],
            "response": answer.responses[order],
            "push": answer.pushes[order, said],
        }
    )


@recorded
def _numbers(opened: RBFMeasures, answer: Answer) -> None:
    """The table of the nearest."""
    helps = {
        "label": st.column_config.NumberColumn(help=rbf_centres.LABEL),
        "distance": column("distance", "‖x − c‖, of pixels in 0..1."),
        "response": column("response φ", RESPONSE),
        "push": column(f"contribution to {int(answer.scores.argmax())}", _PUSH),
    }
    frame = _by_distance(opened, answer)
    st.dataframe(frame.head(_TABLE), hide_index=True, column_config=helps)


def _bitmaps(run: Run, opened: RBFMeasures, digit: Followed, answer: Answer) -> None:
    """Ten bitmaps, the code that the scores make of them, and its distance to each."""
    st.markdown(
        "The original LeNet-5 (LeCun et al. 1998) ended in ten radial units without the "
        "exponential: each class had a bitmap of 7 × 12 pixels, which the layer before, F6, had "
        "to reproduce. Here the scores mix the bitmaps into such a code. The bitmaps were drawn "
        "for this app."
    )
    left, right = st.columns([3, 2])
    left.latex(r"y_i = \sum_{j=1}^{84} (x_j - w_{ij})^2")
    said = int(answer.outputs.argmin())
    right.markdown(
        f"For this digit, a {digit.label}, the code is nearest to the bitmap of **{said}**, y = "
        f"{answer.outputs[said]:.1f}."
    )
    tiles = np.concatenate([answer.code[None], BITMAPS])
    captions = ["code", *(f"{output:.0f}" for output in answer.outputs)]
    alts = [f"code of {digit.name}"]
    alts += [f"bitmap of {of}: y = {output:.1f}" for of, output in enumerate(answer.outputs)]
    image_grid(
        gallery(pictures.enlarged(pictures.ink((tiles + 1) / 2), 4), alts, captions),
        key="grid of bitmaps",
        label="The code of the digit and the ten bitmaps",
        selected=said + 1,
        scale=1,
    )
    st.caption(
        "The code of the digit, then the ten bitmaps with the output y of each; ringed: the "
        f"answer. Choosing the nearest bitmap classifies {opened.coded:.1%} of the confirmation "
        "digits correctly at the network's own width, choosing the largest score "
        f"{_own_accuracy(opened):.1%}.",
        help=_OUTPUT,
    )
    with st.expander("Distances between the bitmaps"):
        _between_bitmaps()
        download(_between, f"bitmaps-{run.data}")


@recorded
def _between_bitmaps() -> None:
    """The heat map of the distances."""
    st.vega_lite_chart(
        finished_chart(figures.between_codes, rbf_width.code_distances()),
        key="between bitmaps",
        width="content",
    )
    st.caption(
        "The outputs y for an activation that equals a bitmap: 0 for its own class; for "
        "another class, 4 for each pixel in which the bitmaps differ.",
        help=_OUTPUT,
    )


def _between() -> pd.DataFrame:
    """The distances as a table."""
    distances = rbf_width.code_distances()
    return pd.DataFrame(distances, columns=[f"bitmap of {of}" for of in range(10)])


def _own_accuracy(opened: RBFMeasures) -> float:
    """Accuracy at the network's own width."""
    return float(opened.widths["accuracy"].iloc[OWN_WIDTH])
