"""The steps of a mixture of one layer on one digit, each with its formula and live numbers."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core import pictures
from core.architectures.mixture.charts import trace as figures
from core.architectures.mixture.trace import Followed
from core.runtime.drawings import drawn_once
from core.units import UnitId
from pages.kit import digit
from pages.kit.charts import finished_chart
from pages.kit.gallery import gallery
from pages.kit.grid import Grid
from pages.kit.opening import unit_grid
from pages.kit.recorded import recorded
from pages.kit.tables import column, download, file_name
from pages.parts.mixture.controls import View

__all__ = ["show"]

_TIMES = 3  # screen pixels a pixel of the digit


def show(view: View, one: digit.Followed, seen: Followed) -> None:
    """The four steps from the gate's weights to the answer."""
    right = "correct" if seen.answer == one.label else f"incorrect: it is a {one.label}"
    others = f"{int((seen.own.argmax(1) == seen.answer).sum())} of {len(seen.own)}"
    st.markdown(
        f"**Expert {seen.taker} has the highest weight, {seen.weights.max():.0%}.** The network "
        f"answers **{seen.answer}** with probability {seen.probabilities[-1].max():.1%}, {right}. "
        f"Alone, {others} experts would predict this class: the fewer, the more the gate's "
        "decision matters for this digit."
    )
    _scores(view, seen)
    _weights(view, seen)
    _answers(one, seen)
    _sum(view, one, seen)


def _scores(view: View, seen: Followed) -> None:
    """Step 1: weight pictures, the digit, and their products, which sum to the scores."""
    e = seen.taker
    pixels = seen.products.sum((1, 2))
    left, right = st.columns([2, 3], vertical_alignment="center")
    with left:
        st.markdown("**1 · Scores: the gate's weights for each expert, multiplied by the digit**")
    with right:
        st.latex(r"z_e = \sum_p W_{ep}\,x_p + b_e")
        st.latex(rf"z_{{{e}}} = {pixels[e]:.3f} {seen.bias[e]:+.3f} = {seen.scores[e]:.3f}")
    limit = float(np.abs(seen.asked).max())
    st.caption(
        f"W for each expert: red is evidence for it, blue against it; full colour: ±{limit:.2f}."
    )
    _tiles(view, seen, _weight_tiles(seen, limit), "W")
    most = max(float(np.abs(seen.products).max()), 1e-9)
    st.caption(
        f"W ⊙ x: the evidence of the digit's pixels for each expert; full colour: ±{most:.2f}. "
        "The first tile is the digit x. The sum over pixels plus the bias b is the score z below "
        "each."
    )
    _tiles(view, seen, _product_tiles(seen, most), "W ⊙ x")


@drawn_once
def _weight_tiles(seen: Followed, limit: float) -> Grid:
    """The gate's weights for each expert. limit: what has full colour."""
    names = _experts(seen)
    tiles = pictures.enlarged(pictures.signed(seen.asked, limit), _TIMES)
    return gallery(tiles, [f"W, {name}" for name in names], names)


@drawn_once
def _product_tiles(seen: Followed, most: float) -> Grid:
    """The digit, then its evidence for each expert. most: what has full colour."""
    products = pictures.signed(seen.products, most)
    drawn = np.concatenate([pictures.ink(seen.image[None]), products])
    return gallery(
        pictures.enlarged(drawn, _TIMES),
        [f"W ⊙ x, {name}" for name in ("the digit", *_experts(seen))],
        ["digit", *(f"{at}: z = {z:.2f}" for at, z in enumerate(seen.scores))],
    )


def _experts(seen: Followed) -> list[str]:
    """The experts by number."""
    return [f"expert {at}" for at in range(len(seen.scores))]


def _tiles(view: View, seen: Followed, grid: Grid, what: str) -> None:
    """A picture for each expert, the digit before them where it is there; a click opens a unit."""
    with_digit = grid.count > len(seen.scores)
    unit_grid(
        grid,
        [
            *([None] * with_digit),
            *(UnitId(view.run.architecture, "scores", at) for at in range(len(seen.scores))),
        ],
        key=f"grid of {what}",
        label=f"{what} of each expert",
        selected=seen.taker + with_digit,
        scale=1,
    )


@recorded
def _weights(view: View, seen: Followed) -> None:
    """Step 2: the softmax that makes weights of scores."""
    e, k = seen.taker, view.routing.k
    left, right = st.columns([2, 3], vertical_alignment="center")
    largest = [at for at in np.argsort(-seen.scores, kind="stable")[:k] if seen.weights[at] > 0]
    below = "+".join(rf"e^{{{seen.scores[at]:.2f}}}" for at in largest[:2])
    below += r"+\dots" * (len(largest) > 2)
    with left:
        st.markdown("**2 · Weights: a softmax of the scores**")
        over = "j" if view.routing.dense else rf"j \in \mathrm{{top}}_{{{k}}}"
        st.latex(rf"g_e = \frac{{e^{{z_e}}}}{{\sum_{{{over}}} e^{{z_j}}}}")
        st.latex(
            rf"g_{{{e}}} = \frac{{e^{{{seen.scores[e]:.2f}}}}}{{{below}}} = {seen.weights[e]:.3f}"
        )
        kept = (
            ""
            if view.routing.dense
            else f" Only the {k} highest scores count; the other weights are 0."
        )
        st.caption(f"During training, noise is added to the scores first; here it is not.{kept}")
    with right:
        st.vega_lite_chart(finished_chart(figures.weights, seen.weights), key="weights of the gate")


@recorded
def _answers(one: digit.Followed, seen: Followed) -> None:
    """Step 3: each expert's own prediction."""
    st.markdown(
        "**3 · Each expert's own prediction**, including experts not selected by the gate, in "
        "percent",
        help="Softmax of the expert's own logits y, as if it had all the weight.",
    )
    st.latex(r"y_e = V_e \max(0, W'_e x + b'_e) + c_e")
    chart = finished_chart(figures.answers, seen.probabilities, seen.weights, one.label)
    st.vega_lite_chart(chart, key="answers of the experts")
    second = seen.second
    runner_up = (
        f" The expert with the second highest weight, expert {second}, would alone predict "
        f"{seen.own[second].argmax()}."
        if second is not None
        else ""
    )
    st.caption(
        f"Next to each expert: its weight; blue frame: the digit's class, {one.label}; last "
        f"row: the network.{runner_up} If all experts are run, they are never trained to "
        "classify alone, so a wrong prediction by an expert with little weight is not an "
        "error of the network."
    )


def _sum(view: View, one: digit.Followed, seen: Followed) -> None:
    """Step 4: the contributions to the answer's logit, and every number."""
    _contributions(seen)
    with st.expander("Table"):
        _numbers(seen)
        download(seen.table, f"gate-{file_name(view.run)}-{one.file_name}")


@recorded
def _contributions(seen: Followed) -> None:
    """The contributions to the answer's logit."""
    a = seen.answer
    left, right = st.columns([2, 3], vertical_alignment="center")
    with left:
        st.markdown("**4 · The weighted logits add up**")
        st.latex(r"\ell_c = \sum_e g_e\, y_{ec}")
        st.latex(rf"\ell_{{{a}}} = {_terms(seen)} = {seen.logits[a]:.3f}")
        runner = int(np.argsort(-seen.logits)[1])
        st.caption(f"The next highest logit is that of {runner}, {seen.logits[runner]:.3f}.")
    with right:
        st.vega_lite_chart(
            finished_chart(figures.contributions, seen.contributions, a), key="contributions"
        )


@recorded
def _numbers(seen: Followed) -> None:
    """The numbers of every expert."""
    helps = {
        "pixels": column("Σ W ⊙ x", "Sum over the digit's pixels."),
        "bias": column("b", "Bias of the gate for the expert."),
        "score": column("z", "Sum over pixels plus bias."),
        "weight": column("g", "Weight given by the gate, without noise."),
        "answers": st.column_config.NumberColumn(
            "answers", help="Class with the expert's highest logit."
        ),
        "own logit": column("y", "The expert's own logit for the network's prediction."),
        "adds": column("g y", "Contribution to the network's logit."),
    }
    st.dataframe(seen.table(), hide_index=True, column_config=helps)


def _terms(seen: Followed) -> str:
    """The two largest contributions and the rest, as a sum."""
    order = np.argsort(-np.abs(seen.contributions))
    parts = [f"{seen.contributions[at]:+.3f}" for at in order[:2]]
    if len(order) > 2:
        parts.append(f"{seen.contributions[order[2:]].sum():+.3f}")
    return " ".join(parts).removeprefix("+")
