"""Self-attention: one digit followed through its heads, then what all heads look at and are for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import streamlit as st

from core import pictures
from core.architectures.attention import charts as figures
from core.architectures.attention.measure import BLOCKS, Followed, follow, order_gap
from core.models.attention import HEADS, PATCH, SIDE, TOKENS, Attention, patches_of
from core.runtime.drawings import DRAWINGS
from core.runtime.task import Choice
from core.training.task import Training
from pages.kit import digit, links
from pages.kit.charts import finished_chart
from pages.kit.gallery import gallery
from pages.kit.grid import image_grid
from pages.kit.opening import unit_grid
from pages.kit.tables import download, file_name
from pages.kit.waiting import result_of
from pages.parts.attention import heads as attention_heads

__all__ = ["section"]

PATCHES = SIDE * SIDE
TOKEN = links.integer("token", 0, TOKENS - 1, 6)
HEAD = links.integer("head", 0, HEADS - 1, 0)


def section(choice: Choice) -> None:
    """The attention network, opened up."""
    choice = replace(choice, model="attention")
    st.markdown(
        "A **head** lets every patch of the digit look at other patches and take over what it "
        "finds there: its specialization is *where it looks*, which depends on the digit. A class "
        "token collects what is needed for the answer."
    )
    model = result_of(Training(choice))
    if not isinstance(model, Attention):
        raise TypeError(f"{type(model).__name__} has no heads: train the model attention.")
    one = digit.followed(choice)
    seen = DRAWINGS.get(follow, model, one.image)
    token, head = _asked(one)
    _looks(one, seen, token)
    _numbers(choice, seen, token, head)
    _answer(one, seen, head)
    st.caption(
        "Attention is not an explanation: other weights can give the same answer (Jain & Wallace "
        "2019; but see Wiegreffe & Pinter 2019). What a head is needed for is tested below, by "
        "silencing it."
    )
    _defects(one)
    attention_heads.heads(choice)


def token_name(token: int) -> str:
    """A token in words."""
    return attention_heads.query_name(token)


def _asked(one: digit.Followed) -> tuple[int, int]:
    """The token that asks and the head, by a click on a patch or from the lists."""
    left, right = st.columns([1, 2], vertical_alignment="center")
    with left, st.container(width=200):
        tiles = pictures.ink(patches_of(one.image)[0].unflatten(1, (PATCH, PATCH)).numpy())
        picked = image_grid(
            gallery(pictures.enlarged(tiles, 5), [token_name(at) for at in range(PATCHES)]),
            key="grid of patches",
            label="Patches of the digit, to choose the one that asks",
            selected=TOKEN.value() if TOKEN.value() < PATCHES else None,
            scale=1,
        )
    if picked is not None and picked != TOKEN.value():
        links.put(token=picked)
        st.rerun()
    with right:
        TOKEN.shown()
        st.selectbox(
            "Token that asks",
            range(TOKENS),
            key=TOKEN.key,
            on_change=TOKEN.changed,
            format_func=token_name,
            help="A patch (row, column, from 0) or the class token. Or click on a patch.",
        )
        HEAD.shown()
        st.segmented_control(
            "Head", range(HEADS), key=HEAD.key, on_change=HEAD.changed, format_func="head {}".format
        )
    return TOKEN.value(), HEAD.value()


def _looks(one: digit.Followed, seen: Followed, token: int) -> None:
    """The weights of each head over the digit, and the rollout of both blocks."""
    image = one.image[0, 0].numpy()
    rolled = seen.rolled[None, :PATCHES]
    left, right = st.columns(2)
    with left:
        st.markdown(f"**Block 0: where {token_name(token)} looks**")
        _grid(image, seen.weights[0][:, token], 0, token)
    with right:
        st.markdown("**Block 1: where the class token looks**")
        _grid(image, seen.weights[1][:, 0], 1, 0)
    with st.container(horizontal=True, vertical_alignment="center"):
        tile = figures.attended(image, rolled, float(rolled.max()))[0]
        st.image(tile, width=84)
        top = token_name(int(rolled.argmax()))
        st.markdown(
            f"**Rollout, from the class token**: most from {top}, {rolled.max():.1%}.",
            width="stretch",
            help="R ← ½ (A + I) R over both blocks, A the mean of the heads (Abnar & Zuidema "
            "2020): how much of each patch reaches the class token if values and MLPs are "
            f"ignored. {seen.rolled[-1]:.0%} stays with the class token itself. Full orange is "
            "the largest share.",
        )


def _grid(image: np.ndarray, weights: np.ndarray, block: int, token: int) -> None:
    """A tile for each head, that opens its unit."""
    query = token if block == 0 and token < PATCHES else None
    most = float(weights.max())
    queries = TOKENS if block == 0 else 1
    unit_grid(
        gallery(
            figures.attended(image, weights, most, query=query),
            [f"{BLOCKS[block]}/{head * queries + token}, head {head}" for head in range(HEADS)],
            [f"head {head}: {weights[head].max():.2f}" for head in range(HEADS)],
        ),
        [(BLOCKS[block], head * queries + token) for head in range(HEADS)],
        model="attention",
        key=f"grid of attention, block {block}",
        label=f"Attention of the heads of block {block}",
        scale=1,
    )
    st.caption(
        f"Full orange: weight {most:.2f}, the largest here; the number is each head's largest. "
        + ("Framed: the patch that asks. " if query is not None else "")
        + "A click opens the unit."
    )


def _numbers(choice: Choice, seen: Followed, token: int, head: int) -> None:
    """Q·K, softmax and the weighted values of one query."""
    scores, weights, added = (of[0][head, token] for of in (seen.scores, seen.weights, seen.added))
    length = float(np.linalg.norm(seen.summed[0][head, token]))
    width = seen.summed[0].shape[-1]
    st.markdown(f"**Block 0, head {head}, {token_name(token)}: how it comes about**")
    st.latex(rf"A = \mathrm{{softmax}}\!\left(QK^\top / \sqrt{{{width}}}\right), \qquad z = A\,V")
    columns = st.columns(3)
    for at, (title, values, form, signed, about) in enumerate(
        (
            ("Score q·k / √d", scores, ".1f", True, "How well the query fits each patch's key."),
            (
                "Weight A",
                weights,
                ".2f",
                False,
                "e to the score, over the sum of all: they sum to 1.",
            ),
            (
                "Adds to |z|",
                added,
                ".2f",
                True,
                "A v·z / |z|: the part of the weighted value that "
                "points along the sum z. Over all patches it sums to |z|.",
            ),
        )
    ):
        with columns[at]:
            st.markdown(title, help=about)
            st.vega_lite_chart(
                finished_chart(figures.numbers, values, form=form, signed=signed),
                key=f"numbers of {title}",
            )
    best = int(weights.argmax())
    st.caption(
        f"Each cell is a patch that is asked. {token_name(best).capitalize()}: score "
        f"{scores[best]:.2f}, weight e^{scores[best]:.2f} / {np.exp(scores).sum():.1f} = "
        f"{weights[best]:.3f}. The {PATCHES} weights sum to {weights.sum():.3f}; what the patches "
        f"add sums to |z| = {added.sum():.3f} (measured: {length:.3f})."
    )
    row, column = np.divmod(np.arange(PATCHES), SIDE)
    named = {"score": scores, "weight": weights, "adds to |z|": added}
    table = pd.DataFrame({"row": row, "column": column, **named})
    download(table, f"attention-{file_name(choice)}-head{head}-token{token}")


def _answer(one: digit.Followed, seen: Followed, head: int) -> None:
    """What the class token takes in block 1, and its answer."""
    st.markdown("**Block 1: the class token looks, and answers**")
    left, right = st.columns(2)
    with left:
        st.markdown(f"Weight A, head {head}", help="Of the class token on each patch.")
        grid = finished_chart(figures.numbers, seen.weights[1][head, 0], form=".2f", signed=False)
        st.vega_lite_chart(grid, key="numbers of the class token")
    with right:
        st.markdown("Probability", help="softmax of the logits, W · class token + b.")
        chart = finished_chart(figures.answers, seen.probabilities, one.label)
        st.vega_lite_chart(chart, key="answers of attention")
    top = int(seen.probabilities.argmax())
    st.caption(
        f"Answer {top} (logit {seen.logits[top]:.2f}, probability "
        f"{seen.probabilities[top]:.1%}); the digit is a {one.label}, in orange."
    )


def _defects(one: digit.Followed) -> None:
    """What the course module's attention lacked."""
    with st.expander("What the course module did, and what is right"):
        gap = order_gap(one.image, range(PATCHES)[::-1])
        st.markdown(
            "- **No positions, one head.** The module attends without position embeddings: shuffle "
            "the patches, and its outputs are shuffled alike, nothing else. Measured on this digit "
            f"with its patches in reverse order, the largest difference is {gap:.0e}, rounding. "
            "Right: add a position to each patch, and let several heads attend side by side. What "
            "that is worth is under *Without positions*.\n"
            "- **√d as a loose tensor.** It was neither a parameter nor a buffer, so it stayed on "
            "the CPU when the model moved, and was missing from the saved weights. Right: a plain "
            "number, `math.sqrt(d)`."
        )
