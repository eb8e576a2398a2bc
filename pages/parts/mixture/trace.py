"""One digit and its gate, step by step: scores, weights, answers, and what they add up to."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from core.architectures.mixture.charts import trace as figures
from core.architectures.mixture.paths import take_way
from core.architectures.mixture.report import gated
from core.architectures.mixture.trace import Decided, Nudged, beside, follow, nudged
from core.models.gated import Gated
from core.models.inspectable import Inspectable
from core.models.mixture import Mixture
from core.runtime.drawings import DRAWINGS
from core.training.task import ModelTask
from pages.kit import digit
from pages.kit.charts import finished_chart
from pages.kit.recorded import recorded
from pages.kit.tables import column, download, file_name
from pages.kit.waiting import result_of
from pages.parts.mixture import trace_steps
from pages.parts.mixture.controls import View

__all__ = ["view"]


def view(view: View) -> None:
    """The digit of the address on its way through the network."""
    model: Inspectable = result_of(ModelTask(view.run))
    one = digit.followed(view.run)
    decided: Decided
    if isinstance(model, Mixture):
        decided = seen = DRAWINGS.get(follow, model, one.image)
        trace_steps.show(view, one, seen)
    else:
        decided = _way(view, gated(model), one)
    step = 5 if view.suffix == "" else 4
    _moved(DRAWINGS.get(nudged, model, one.image, view.gate), step)
    _beside(view, one, decided, step + 1)


def _way(view: View, model: Gated, one: digit.Followed) -> Decided:
    """Both gates of a network of two layers and all pairs of experts; gives the chosen gate's."""
    way = DRAWINGS.get(take_way, model, one.image)
    first, second = way.decided
    right = "correct" if way.answer == one.label else f"incorrect: it is a {one.label}"
    st.markdown(
        f"**Expert {first.taker} of layer 1, then expert {second.taker} of layer 2** have the "
        f"highest weights, {first.weights.max():.0%} and {second.weights.max():.0%}. The network "
        f"answers **{way.answer}**, {right}."
    )
    st.latex(r"z = B\max(0, Ax + a) + b \qquad g_e = \frac{e^{z_e}}{\sum_j e^{z_j}}")
    st.latex(r"u = \sum_e g_e \max(0, W_e x + b_e)")
    sides = st.columns(2)
    for at, (side, of) in enumerate(zip(sides, way.decided, strict=True), 1):
        with side:
            st.markdown(f"**{at} · Weights of gate {at}**")
            st.vega_lite_chart(
                finished_chart(figures.weights, of.weights), key=f"weights of gate {at}"
            )
            scores = ", ".join(f"{score:.2f}" for score in of.scores)
            st.caption(f"Scores z: {scores}. Entropy {of.entropy:.2f} bits; 2 bits: undecided.")
    st.caption(
        "Gate 1 sees the image x, gate 2 the output u of the first layer. Each gate is a network "
        "with its own hidden layer, so its scores aren't a sum over pixels. Noise is added to "
        "scores in training only."
    )
    table = way.table()
    st.markdown("**3 · The prediction for each pair of experts**")
    st.vega_lite_chart(finished_chart(figures.ways, table), key="ways through")
    same = int((way.answers == way.answer).sum())
    st.caption(
        "Each cell shows the prediction if both gates gave all their weight to one expert; "
        f"darker: larger product of the two weights. {same} of {way.answers.size} pairs give the "
        "network's prediction: the fewer, the more the gates' decisions matter for this digit."
    )
    download(table, f"ways-{file_name(view.run)}-{one.file_name}")
    return way.decided[int(view.suffix[1:]) - 1]


def _moved(found: Nudged, step: int) -> None:
    """How often expert and answer stay the same when the digit is moved by one pixel."""
    takers, answers = found.kept()
    others = sorted({int(of) for of in found.takers.ravel()} - {int(found.takers[1, 1])})
    went = f" Elsewhere expert {', '.join(map(str, others))} has the highest weight." * bool(others)
    st.markdown(
        f"**{step} · Moved by one pixel** in each of the eight directions: the same expert has "
        f"the highest weight in **{takers} of 8**, and the answer is the same in **{answers} of "
        f"8**.{went}"
    )


def _beside(view: View, one: digit.Followed, decided: Decided, step: int) -> None:
    """The entropy of this digit's weights compared with its class, and the untrained weights."""
    if view.routing.experts == 1:
        st.caption("With a single expert, the gate has no choice.")
        return
    taken = view.taken()
    of = DRAWINGS.get(beside, taken.confirmation, taken.untrained, one.number)
    st.markdown(
        f"**{step} · How decided?** The entropy of the weights is **{of.entropy:.2f} bits**; the "
        f"median {one.label} has {of.median:.2f}. The gate is more decided on "
        f"**{of.percentile:.0%}** of the {of.others} other {one.label}s of the confirmation half.",
        help="Entropy −Σ g log₂ g of the gate's weights: 0 bits where one expert has all the "
        "weight, log₂ N where all have the same. Ties count half.",
    )
    chart = finished_chart(figures.weights, decided.weights, of.untrained)
    st.vega_lite_chart(chart, key="weights before training")
    st.caption(
        f"Bars: weights of {view.gate} for this digit; grey ticks: before training, when expert "
        f"{of.untrained.argmax()} had the highest weight, {of.untrained.max():.0%}."
    )
    table = DRAWINGS.get(_both, decided.weights, of.untrained)
    with st.expander("Table"):
        _table(table)
        name = f"weights-{view.gate.replace('_', '-')}-{file_name(view.run)}"
        download(table, f"{name}-{one.file_name}")


def _both(trained: NDArray[np.float32], untrained: NDArray[np.float32]) -> pd.DataFrame:
    """The weights of the gate, after training and before."""
    table = pd.DataFrame({"expert": range(len(untrained)), "trained": trained})
    return table.assign(untrained=untrained)


@recorded
def _table(table: pd.DataFrame) -> None:
    """These weights as a table."""
    helps = {
        "trained": column("trained", "Weight given by the gate, without noise."),
        "untrained": column("untrained", "Weight given by the gate before training."),
    }
    st.dataframe(table, hide_index=True, column_config=helps)
