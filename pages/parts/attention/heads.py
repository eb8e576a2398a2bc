"""What all heads look at, what they are needed for, and what positions are worth."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

from core import pictures
from core.architectures.attention import charts as figures
from core.architectures.attention.heads import DRAWS, UNIFORM, Heads, medians
from core.architectures.attention.task import HeadsTask, PositionValueTask
from core.charts.effects import lost_by_class
from core.models.attention import SIDE, TOKENS
from core.runs import Run
from core.runtime.drawings import drawn_once
from core.units import UnitId
from pages.kit import glossary, halves, links
from pages.kit.charts import finished_chart
from pages.kit.controls import pick
from pages.kit.gallery import gallery
from pages.kit.grid import Grid
from pages.kit.opening import unit_grid
from pages.kit.recorded import recorded
from pages.kit.tables import column, download, file_name
from pages.kit.waiting import result_of

__all__ = ["head_option", "heads", "query_name"]

PATCHES = SIDE * SIDE
VIEWS = ("looks", "needed", "positions")
VIEW = links.one_of("heads", VIEWS)
_TITLES = {
    "looks": "What heads attend to",
    "needed": "Which classes need a head",
    "positions": "Without positions",
}
DEFINITIONS = {
    "entropy": (
        "Entropy of a query's 16 weights, H(A) / ln 16, mean over digits: 0 if all weight is on "
        "one patch, 1 if all patches have the same weight."
    ),
    "distance": (
        "Mean distance from a patch to the patches it attends to, Σ weight × distance between "
        "centres, in pixels of the 28 × 28 image (Dosovitskiy et al. 2021). The class token has "
        "no position."
    ),
    "change": (
        "Accuracy on the class without the head minus accuracy with it, on the confirmation half."
    ),
    "control": (
        f"Block 0: the range of {DRAWS} draws of {TOKENS} random units of the other heads, "
        "silenced instead. Block 1, where a head is a single unit: the range of the other heads."
    ),
}


def query_name(query: int) -> str:
    """A token in words; rows and columns are counted from 0."""
    return "the class token" if query == PATCHES else f"patch {query // SIDE},{query % SIDE}"


def head_option(heads: int) -> links.Option[int]:
    """The head that is looked at, of either block."""
    return links.integer("head", 0, heads - 1, 0)


def heads(run: Run) -> None:
    """The chosen view of all heads; nothing is computed for the others."""
    st.subheader("All heads")
    view = pick(VIEW, "Heads", names=_TITLES.__getitem__, bare=True)
    if view == "positions":
        _positions(run)
        return
    found: Heads = result_of(HeadsTask(run))
    (_look if view == "looks" else _need)(run, found)


def _look(run: Run, found: Heads) -> None:
    """Mean weights of each query of each head, entropies and distances."""
    most, grids = _mean_weights(found)
    for head, grid in enumerate(grids):
        st.markdown(f"**Block 0, head {head}**")
        unit_grid(
            grid,
            _units_of(head),
            key=f"grid of head {head}",
            label=f"Mean attention of the queries of head {head}",
            scale=1,
        )
    st.caption(
        "One tile per query token, patches row by row and the class token last: the mean weight "
        f"on each of the 16 patches over the confirmation half; black: {most:.2f} or more. If the "
        "tiles are alike, the head attends to the same place whatever the query. Click a tile to "
        "open its unit."
    )
    _spread(found)
    download(partial(_in_words, found), f"attention-{file_name(run)}-spread")


def _units_of(head: int) -> list[UnitId]:
    """The units of a head of block 0, one for each query."""
    return [UnitId("attention", "heads_0", head * TOKENS + at) for at in _QUERIES]


@drawn_once
def _mean_weights(found: Heads) -> tuple[float, list[Grid]]:
    """The weight that is drawn black, and the mean weights of each head of block 0."""
    maps = found.weights["trained"][0]
    most = float(np.quantile(maps, 0.97))
    grids = []
    for head in range(len(maps)):
        tiles = pictures.enlarged(pictures.ink(maps[head].reshape(-1, SIDE, SIDE) / most), 10)
        named = [f"{unit}, {query_name(at)}" for at, unit in enumerate(_units_of(head))]
        grids.append(gallery(tiles, named))
    return most, grids


def _in_words(found: Heads) -> pd.DataFrame:
    """Entropy and distance of each query, with heads and queries in words."""
    table = found.spread()
    return table.assign(
        head=[f"{block}.{head}" for block, head in zip(table["block"], table["head"], strict=True)],
        query=[
            query_name(query if block == 0 else PATCHES)
            for block, query in zip(table["block"], table["query"], strict=True)
        ],
    )


@recorded
def _spread(found: Heads) -> None:
    """Entropies and distances of all queries."""
    named, middle = _in_words(found), medians(found.spread())
    left, right = st.columns(2)
    with left:
        st.markdown("**Entropy**", help=DEFINITIONS["entropy"])
        st.vega_lite_chart(
            finished_chart(figures.spread, named, "entropy", "entropy", 1.0), key="head entropies"
        )
    with right:
        st.markdown("**Distance**", help=DEFINITIONS["distance"])
        chart = finished_chart(figures.spread, named, "distance", "pixels", UNIFORM)
        st.vega_lite_chart(chart, key="head distances")
    st.caption(
        "A dot for each query of each head (block.head). Dashed: equal weight on all patches, "
        f"entropy 1 and {UNIFORM:.1f} pixels. Median entropy of trained queries "
        f"{middle['trained', 'entropy']:.2f}, untrained "
        f"{middle['untrained', 'entropy']:.2f}; median distance "
        f"{middle['trained', 'distance']:.1f} and "
        f"{middle['untrained', 'distance']:.1f} pixels. This is one network: head numbers "
        "have no meaning in another network."
    )


_QUERIES = range(TOKENS)


def _need(run: Run, found: Heads) -> None:
    """What is lost without each head, and without looking at all."""
    halves.chosen_and_judged("Each head's class was chosen")
    _needed(found)
    head = head_option(found.heads).value()
    _one_head(found, head)
    download(partial(_effects, found), f"attention-{file_name(run)}-heads")
    _replaced(found)
    download(found.accuracies, f"attention-{file_name(run)}-replaced")


def _effects(found: Heads) -> pd.DataFrame:
    """What each class loses without each head."""
    return _named(found.effects())


@recorded
def _needed(found: Heads) -> None:
    """What each class loses without each head, and which heads are needed."""
    table = _effects(found)
    st.markdown("**Accuracy by class without a head**, in points", help=DEFINITIONS["change"])
    st.vega_lite_chart(finished_chart(lost_by_class, table), key="effects of heads")
    chosen = _named(found.specialties())
    sure = int(chosen["needed"].sum())
    st.markdown(
        f"**{sure} of {len(chosen)} heads** are needed for the class chosen for them: without the "
        "head the class loses more accuracy than with any of the controls."
    )
    helps = {
        "name": st.column_config.TextColumn("head"),
        "discovery": column("discovery", glossary.DEFINITIONS["change_discovery"]),
        "change": column("change", DEFINITIONS["change"]),
        **{key: column(key, glossary.DEFINITIONS["change_interval"]) for key in ("low", "high")},
        **{key: column(key, DEFINITIONS["control"]) for key in ("control low", "control high")},
    }
    shown = chosen[["name", "class", "digits", *list(helps)[1:], "needed"]]
    st.dataframe(shown, hide_index=True, column_config=helps)


def _named(table: pd.DataFrame) -> pd.DataFrame:
    """The rows with the head in words."""
    pairs = zip(table["block"], table["head"], strict=True)
    return table.assign(name=[f"block {block}, head {head}" for block, head in pairs])


@recorded
def _one_head(found: Heads, head: int) -> None:
    """The chosen head of both blocks beside its controls."""
    table = _effects(found)
    for block, side in zip((0, 1), st.columns(2), strict=True):
        mine = table[(table["head"] == head) & (table["block"] == block)]
        with side:
            st.markdown(f"**Block {block}, head {head}**", help=DEFINITIONS["control"])
            st.vega_lite_chart(finished_chart(figures.needs, mine), key=f"needs of block {block}")
    st.caption(
        "Blue: the head selected above is silenced, with 95 % intervals; grey: the range of the "
        f"controls. All 10 classes of {2 * found.heads} heads are shown, so a few intervals "
        "exclude 0 by chance: the classes in the table were chosen on other digits."
    )


@recorded
def _replaced(found: Heads) -> None:
    """Accuracy with all weights of a block replaced."""
    st.markdown("**Does it matter where heads attend?** Accuracy with replaced attention weights")
    table = found.accuracies()
    st.vega_lite_chart(finished_chart(figures.kept, table), key="weights replaced")
    st.caption(
        "Confirmation half, 95 % Wilson intervals. uniform: 1/16 on each patch, as with W_q = b_q "
        "= 0; mean: each query's mean over all digits, so that the weights no longer depend on "
        "the digit; another digit: the weights for another, random digit; silenced: 0."
    )


def _positions(run: Run) -> None:
    """The network without positions, trained when this view is opened."""
    found = result_of(PositionValueTask(run))
    table = found.table
    placed, bag = (table.iloc[at] for at in (0, 1))
    st.markdown(
        f"Without position embeddings the network classifies **{bag['accuracy']:.1%}** of the "
        f"confirmation half correctly, with them **{placed['accuracy']:.1%}**. With the patches "
        f"of every digit shuffled, it gives the same answer for **{bag['same answer']:.1%}** "
        f"(largest change of a logit {bag['logits moved']:.1e}), with position embeddings for "
        f"{placed['same answer']:.1%}: attention alone sees an unordered set of patches."
    )
    helps = {
        "accuracy": column(
            "accuracy", "Share of the confirmation half that is classified correctly."
        ),
        "accuracy shuffled": column(
            "accuracy, shuffled", "The same, with the patches of all digits in one random order."
        ),
        "same answer": column(
            "same answer", "Share of digits whose answer stays the same under the shuffle."
        ),
        "logits moved": st.column_config.NumberColumn(
            format="%.1e", help="Largest change that the shuffle makes to any logit of any digit."
        ),
    }
    st.dataframe(table, hide_index=True, column_config=helps)
    download(table, f"attention-{file_name(run)}-positions")
