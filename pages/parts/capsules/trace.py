"""One digit followed through the capsules: channels, votes, routing, lengths, and drawn again."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

from core import pictures
from core.architectures.capsules import charts as figures
from core.architectures.capsules.trace import Followed, Vote, on_image
from core.models.capsules import OUTPUTS, SIDE, SIZE, TYPES, CapsulesSettings
from core.runs import Run
from core.runtime.drawings import DRAWINGS, drawn_once
from core.units import UnitId
from pages.kit import digit, links, place
from pages.kit.charts import finished_chart
from pages.kit.controls import number, pick
from pages.kit.gallery import gallery
from pages.kit.grid import Grid, image_grid
from pages.kit.opening import unit_grid
from pages.kit.recorded import recorded
from pages.kit.tables import download, file_name

__all__ = ["routed"]

VOTE = links.integer("vote", 1, TYPES * SIDE * SIDE, 1)
_EVEN = 1 / OUTPUTS  # c when nothing is decided


def routed(run: Run, one: digit.Followed, seen: Followed) -> None:
    """From the first channels to the drawn digit."""
    _features(seen)
    label, iteration = _asked(seen)
    _shares(one, seen, label, iteration)
    _vote(seen, label, iteration)
    _answer(run, one, seen)


def _features(seen: Followed) -> None:
    """The first layer's maps and the lengths of the primary capsules."""
    left, right = st.columns([3, 2])
    channels = [UnitId("capsules", "conv", at) for at in range(len(seen.conv))]
    with left:
        st.markdown("**1 · Channels of conv**, 9 x 9 pixels each, after the ReLU")
        most = float(seen.conv.max())
        unit_grid(
            _channels(seen, most, channels),
            channels,
            key="grid of capsules' conv",
            label="Channels of conv",
            scale=1,
        )
        st.caption(f"32 channels of 20 x 20; black: {most:.2f}, the largest. Click one to open it.")
    with right:
        st.markdown("**2 · Primary capsules**, 8 numbers at each place, squashed")
        top = float(seen.lengths.max())
        unit_grid(
            _primary(seen, top),
            [UnitId("capsules", "primary", at * SIZE) for at in range(TYPES)],
            key="grid of primary capsules",
            label="Lengths of the primary capsules by type",
            scale=1,
        )
        st.caption(
            f"‖u‖ of 8 types at 6 x 6 places, together {TYPES * SIDE * SIDE} capsules; black: "
            f"{top:.2f}. Click a type to open the first of its {SIZE} dimensions."
        )


@drawn_once
def _channels(seen: Followed, most: float, channels: list[UnitId]) -> Grid:
    """The maps of the first layer. most: what is drawn black."""
    names = [
        f"{unit}, largest {maps.max():.2f}" for unit, maps in zip(channels, seen.conv, strict=True)
    ]
    return gallery(pictures.enlarged(pictures.ink(seen.conv / most), 2), names)


@drawn_once
def _primary(seen: Followed, top: float) -> Grid:
    """The lengths of the primary capsules. top: what is drawn black."""
    return gallery(
        pictures.enlarged(pictures.ink(seen.lengths / top), 10),
        [f"type {at}, longest {maps.max():.2f}" for at, maps in enumerate(seen.lengths)],
        [f"type {at}" for at in range(TYPES)],
    )


def _asked(seen: Followed) -> tuple[int, int]:
    """The class and the iteration, from 0."""
    st.markdown("**3 · Every primary capsule votes for the pose of every class**")
    left, right = st.columns([3, 2])
    with left:
        label = pick(
            links.integer("class", 0, OUTPUTS - 1, seen.answer),
            "Class voted for",
            help="By default the class that the network predicts.",
        )
    with right:
        last = len(seen.coefficients)
        iteration = pick(links.integer("iteration", 1, last, last), "Iteration of routing")
    return label, iteration - 1


def _shares(one: digit.Followed, seen: Followed, label: int, iteration: int) -> None:
    """Coefficients over the digit: by iteration, then by type."""
    field, image = CapsulesSettings().describe()[1].field, one.image[0, 0].numpy()
    if field is None:
        raise ValueError("the layer primary has no receptive field: describe it in the model.")
    pooled, every = seen.pooled(label), seen.coefficients[:, :, label]
    most = max(float(np.abs(every - _EVEN).max()), 1e-3)
    left, right = st.columns([3, 5])
    with left:
        st.markdown(
            f"c for class {label}, all types",
            help="Mean over the eight types at each position, weighted by the length of their "
            "votes.",
        )
        tiles = DRAWINGS.get(figures.shares_on, image, on_image(pooled, field), _EVEN, most)
        names = [f"iteration {at + 1}: {maps.mean():.3f}" for at, maps in enumerate(pooled)]
        _tiles(tiles, names, "all types", iteration)
    with right:
        maps = seen.maps(iteration, label)
        st.markdown(f"c for class {label} by type, iteration {iteration + 1}")
        tiles = DRAWINGS.get(figures.shares_on, image, on_image(maps, field), _EVEN, most)
        _tiles(tiles, [f"type {at}: {of.mean():.3f}" for at, of in enumerate(maps)], "types", None)
    st.caption(
        "The coefficient c of a primary capsule is the share of its vote that goes to the class; "
        f"its ten coefficients sum to 1. White: {_EVEN:g}, an equal share; full red: "
        f"{_EVEN + most:.3f}, full blue: {_EVEN - most:.3f}, the largest deviation of this class. "
        "Each square lies at the centre of the 17 × 17 pixels that the capsule sees; the number "
        "is the mean over the 36 positions."
    )


def _tiles(tiles: pictures.Bytes, names: list[str], what: str, selected: int | None) -> None:
    """Coefficients over the digit, each with its mean; of iterations, a click chooses one."""
    grid = gallery(tiles, names, names)
    key, label = f"grid of coefficients, {what}", f"Coefficients over the digit, {what}"
    if selected is None:
        units = [UnitId("capsules", "primary", at * SIZE) for at in range(len(names))]
        unit_grid(grid, units, key=key, label=label, scale=1)
        return
    picked = image_grid(grid, key=key, label=label, selected=selected, scale=1)
    if picked is not None and picked != selected:
        links.put(iteration=picked + 1)
        st.rerun()


def _vote(seen: Followed, label: int, iteration: int) -> None:
    """The formulas, and the numbers of one pair."""
    rank = number(
        VOTE,
        "Vote, ranked by its final contribution",
        help="c û · v after the last iteration: vote 1 contributes most to the class's capsule.",
        width=360,
    )
    vote = seen.vote(int(seen.ranked(label)[rank - 1]), label, iteration)
    left, right = st.columns(2)
    with left:
        st.latex(
            r"""\begin{aligned}
            \hat u_{j|i} &= W_{ij}\,u_i \\
            c_{ij} &= \frac{e^{b_{ij}}}{\sum_k e^{b_{ik}}} \\
            s_j &= \sum_i c_{ij}\,\hat u_{j|i} \\
            v_j &= \frac{\lVert s_j\rVert^2}{1+\lVert s_j\rVert^2}\,
            \frac{s_j}{\lVert s_j\rVert} \\
            b_{ij} &\leftarrow b_{ij} + \hat u_{j|i}\cdot v_j
            \end{aligned}"""
        )
    with right:
        st.latex(_numbers(vote, seen, label, iteration))
    st.caption(
        f"i: the capsule of type {vote.kind} in row {vote.row}, column {vote.column} of 6 x 6, j: "
        f"class {label}, iteration {iteration + 1} of {len(seen.poses)}. Each pair has its own "
        "matrix W, so a part can be evidence for a class at one position and not at another. b "
        "starts at 0. A vote that agrees with the sum of all votes gets more weight in the next "
        "iteration."
    )


def _numbers(vote: Vote, seen: Followed, label: int, iteration: int) -> str:
    """The formulas with the numbers of one pair."""
    scores, total = seen.scores[iteration], seen.scores[iteration, label]
    summed = np.sqrt(total / max(1 - total, 1e-9))  # ‖s‖ of ‖v‖ = ‖s‖² / (1 + ‖s‖²)
    own = np.exp(vote.logit)
    return rf"""\begin{{aligned}}
        \lVert u_i\rVert &= {vote.input_length:.3f},\quad
        \lVert \hat u_{{j|i}}\rVert = {np.linalg.norm(vote.prediction):.3f} \\
        c_{{ij}} &= \frac{{e^{{{vote.logit:.3f}}}}}{{{own / vote.share:.3f}}} = {vote.share:.3f} \\
        \lVert s_j\rVert &= {summed:.3f} \\
        \lVert v_j\rVert &= \frac{{{summed**2:.3f}}}{{1+{summed**2:.3f}}} = {scores[label]:.3f} \\
        b_{{ij}} &\leftarrow {vote.logit:.3f} + ({vote.agreement:.3f})
        = {vote.logit + vote.agreement:.3f}
        \end{{aligned}}"""


def _answer(run: Run, one: digit.Followed, seen: Followed) -> None:
    """Lengths after each iteration, and the digit drawn again."""
    st.markdown("**4 · The longest capsule is the answer, and the decoder draws it**")
    left, right = st.columns([3, 2])
    with left:
        _lengths(seen, one.label)
        name = f"capsule-lengths-{file_name(run)}-{one.file_name}"
        download(partial(_by_iteration, seen), name)
    with right:
        _drawn(one, seen)
        place.link("units", "All lengths, on the page Units", model="capsules", layer="lengths")


def _by_iteration(seen: Followed) -> pd.DataFrame:
    """The length of each class's capsule after each iteration."""
    return pd.DataFrame(
        [
            {"iteration": at + 1, "class": label, "length": length}
            for at, row in enumerate(seen.scores)
            for label, length in enumerate(row)
        ]
    )


@recorded
def _lengths(seen: Followed, label: int) -> None:
    """The lengths after each iteration. label: the digit's class."""
    table, second = _by_iteration(seen), np.sort(seen.scores[-1])[-2]
    st.vega_lite_chart(finished_chart(figures.lengths, table, label), key="capsule lengths")
    st.caption(
        f"Answer {seen.answer}: length {seen.scores[-1].max():.3f}, the second longest "
        f"{second:.3f}. ▼ marks the digit's class, {label}. After one iteration, with all "
        f"c equal, the longest was {int(seen.scores[0].argmax())}, {seen.scores[0].max():.3f}."
    )


@recorded
def _drawn(one: digit.Followed, seen: Followed) -> None:
    """The digit, and what the decoder draws."""
    pair = np.stack([one.image[0, 0].numpy(), seen.drawn])
    picture = pictures.sheet(pictures.enlarged(pictures.ink(pair), 5), 2)
    st.image(picture, width=280)
    st.caption(
        f"Left: the digit; right: drawn from the 16 numbers of capsule {seen.answer} alone. "
        f"Summed squared error {seen.missed:.1f}.",
        help="The sum over 784 pixels of the squared difference of grey levels in 0..1. In "
        "training it is added to the margin loss with weight 0.0005.",
    )
