"""Self-attention: one digit followed through its heads, then what all heads look at and are for."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

from core import pictures
from core.architectures.attention import charts as figures
from core.architectures.attention.measure import BLOCKS, Followed, follow, heads_of, order_gap
from core.models.attention import PATCH, SIDE, TOKENS, Attention, patches_of
from core.runs import Run
from core.runtime.drawings import DRAWINGS
from core.training.task import ModelTask
from core.units import UnitId
from pages.kit import digit, links
from pages.kit.charts import finished_chart
from pages.kit.controls import choose, pick
from pages.kit.gallery import gallery
from pages.kit.grid import image_grid
from pages.kit.opening import unit_grid
from pages.kit.recorded import recorded
from pages.kit.tables import download, file_name
from pages.kit.waiting import result_of
from pages.parts.attention import heads as attention_heads

__all__ = ["section"]

PATCHES = SIDE * SIDE
TOKEN = links.integer("token", 0, TOKENS - 1, 6)


def section(run: Run) -> None:
    """The attention network, opened up."""
    run = run.of_architecture("attention")
    st.markdown(
        "A **head** lets each patch of the digit attend to other patches and copy information "
        "from them. Its specialization is *where it attends*, which depends on the digit. A class "
        "token collects the information for the answer."
    )
    model = result_of(ModelTask(run))
    if not isinstance(model, Attention):
        raise TypeError(f"{type(model).__name__} has no heads: train the model attention.")
    one = digit.followed(run)
    seen = DRAWINGS.get(follow, model, one.image)
    token, head = _asked(one, heads_of(model))
    _looks(one, seen, token)
    _numbers(run, seen, token, head)
    _answer(one, seen, head)
    st.caption(
        "Attention is not an explanation: other weights can give the same answer (Jain & Wallace "
        "2019; but see Wiegreffe & Pinter 2019). Which classes need a head is tested below, by "
        "silencing it."
    )
    _defects(one)
    attention_heads.heads(run)


def token_name(token: int) -> str:
    """The name of a token in sentences."""
    return attention_heads.query_name(token)


def _asked(one: digit.Followed, heads: int) -> tuple[int, int]:
    """The query token and the head, by a click on a patch or from the lists."""
    left, right = st.columns([1, 2], vertical_alignment="center")
    with left, st.container(width=200):
        tiles = pictures.ink(patches_of(one.image)[0].unflatten(1, (PATCH, PATCH)).numpy())
        picked = image_grid(
            gallery(pictures.enlarged(tiles, 5), [token_name(at) for at in range(PATCHES)]),
            key="grid of patches",
            label="Patches of the digit, to choose the query",
            selected=TOKEN.value() if TOKEN.value() < PATCHES else None,
            scale=1,
        )
    if picked is not None and picked != TOKEN.value():
        links.put(token=picked)
        st.rerun()
    with right:
        token = choose(
            TOKEN,
            "Query token",
            names=token_name,
            help="A patch (row, column, both from 0) or the class token. You can also click on a "
            "patch.",
        )
        head = pick(attention_heads.head_option(heads), "Head", names="head {}".format)
    return token, head


def _looks(one: digit.Followed, seen: Followed, token: int) -> None:
    """The weights of each head over the digit, and the rollout of both blocks."""
    image = one.image[0, 0].numpy()
    rolled = seen.rolled[None, :PATCHES]
    left, right = st.columns(2)
    with left:
        st.markdown(f"**Block 0: where {token_name(token)} attends**")
        _grid(image, seen.weights[0][:, token], 0, token)
    with right:
        st.markdown("**Block 1: where the class token attends**")
        _grid(image, seen.weights[1][:, 0], 1, 0)
    with st.container(horizontal=True, vertical_alignment="center"):
        tile = figures.attended(image, rolled, float(rolled.max()))[0]
        st.image(tile, width=84)
        top = token_name(int(rolled.argmax()))
        st.markdown(
            f"**Attention rollout to the class token**: largest share from {top}, "
            f"{rolled.max():.1%}.",
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
    units = [UnitId("attention", BLOCKS[block], at * queries + token) for at in range(len(weights))]
    unit_grid(
        gallery(
            figures.attended(image, weights, most, query=query),
            [f"{unit}, head {head}" for head, unit in enumerate(units)],
            [f"head {head}: {weights[head].max():.2f}" for head in range(len(weights))],
        ),
        units,
        key=f"grid of attention, block {block}",
        label=f"Attention of the heads of block {block}",
        scale=1,
    )
    st.caption(
        f"Full orange: weight {most:.2f}, the largest here; the number is each head's largest. "
        + ("Framed: the query patch. " if query is not None else "")
        + "A click opens the unit."
    )


def _numbers(run: Run, seen: Followed, token: int, head: int) -> None:
    """Q·K, softmax and the weighted values of one query, to look at and to download."""
    _computed(seen, token, head)
    table = partial(_weighted, seen, token, head)
    download(table, f"attention-{file_name(run)}-head{head}-token{token}")


def _weighted(seen: Followed, token: int, head: int) -> pd.DataFrame:
    """The numbers of one query, a row for each patch."""
    scores, weights, added = (of[0][head, token] for of in (seen.scores, seen.weights, seen.added))
    row, column = np.divmod(np.arange(PATCHES), SIDE)
    named = {"score": scores, "weight": weights, "adds to |z|": added}
    return pd.DataFrame({"row": row, "column": column, **named})


@recorded
def _computed(seen: Followed, token: int, head: int) -> None:
    """Q·K, softmax and the weighted values of one query."""
    scores, weights, added = (of[0][head, token] for of in (seen.scores, seen.weights, seen.added))
    length = float(np.linalg.norm(seen.summed[0][head, token]))
    width = seen.summed[0].shape[-1]
    st.markdown(f"**Block 0, head {head}, {token_name(token)}: how the weights are computed**")
    st.latex(rf"A = \mathrm{{softmax}}\!\left(QK^\top / \sqrt{{{width}}}\right), \qquad z = A\,V")
    columns = st.columns(3)
    for at, (title, values, form, signed, about) in enumerate(
        (
            ("Score q·k / √d", scores, ".1f", True, "How well the query matches each patch's key."),
            (
                "Weight A",
                weights,
                ".2f",
                False,
                "exp(score) divided by the sum over all patches: the weights sum to 1.",
            ),
            (
                "Adds to |z|",
                added,
                ".2f",
                True,
                "A v·z / |z|: the component of the weighted value along the sum z. Over all "
                "patches these add up to |z|.",
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
        f"Each cell is a patch that is attended to. {token_name(best).capitalize()}: score "
        f"{scores[best]:.2f}, weight e^{scores[best]:.2f} / {np.exp(scores).sum():.1f} = "
        f"{weights[best]:.3f}. The {PATCHES} weights sum to {weights.sum():.3f}; the patches' "
        f"contributions sum to |z| = {added.sum():.3f} (measured: {length:.3f})."
    )


@recorded
def _answer(one: digit.Followed, seen: Followed, head: int) -> None:
    """What the class token attends to in block 1, and the network's answer."""
    st.markdown("**Block 1: the class token attends, and the network answers**")
    left, right = st.columns(2)
    with left:
        st.markdown(f"Weight A, head {head}", help="The class token's attention to each patch.")
        grid = finished_chart(figures.numbers, seen.weights[1][head, 0], form=".2f", signed=False)
        st.vega_lite_chart(grid, key="numbers of the class token")
    with right:
        st.markdown("Probability", help="softmax of the logits, W · class token + b.")
        chart = finished_chart(figures.answers, seen.probabilities, one.label)
        st.vega_lite_chart(chart, key="answers of attention")
    top = int(seen.probabilities.argmax())
    st.caption(
        f"Answer {top} (logit {seen.logits[top]:.2f}, probability {seen.probabilities[top]:.1%}); "
        f"the digit is a {one.label} (orange)."
    )


@recorded
def _defects(one: digit.Followed) -> None:
    """Common mistakes in attention, with what this digit shows."""
    with st.expander("Common mistakes, and what to do instead"):
        gap = order_gap(one.image, range(PATCHES)[::-1])
        st.markdown(
            "- **No positions, one head.** Introductory code often attends without position "
            "embeddings. If the patches are shuffled, the outputs are then merely shuffled in "
            "the same way. On this digit, with its patches in reverse order, the largest "
            f"difference is {gap:.0e}, which is rounding. Instead, add a position embedding to "
            "each patch and use several heads in parallel. What positions contribute is shown "
            "under *Without positions*.\n- **√d as a plain tensor attribute.** It is then "
            "neither a parameter nor a buffer: it stays on the CPU when the model is moved, and "
            "is missing from the saved weights. Instead, use a plain number, `math.sqrt(d)`."
        )
