"""How many units carry a class: six rankings, each beside random units, and 2016's mistake."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from core import charts
from core.claims.evidence import NOT_SUPPORTED, SUPPORTED, Finding
from core.claims.task import MISINDEXED, Found, Searching
from core.csv_text import csv_text
from core.interventions.search import ERASED, SPARED, erasing
from core.training.task import Study
from pages.kit import links
from pages.kit.charts import finished_chart
from pages.kit.glossary import DEFINITIONS
from pages.kit.waiting import result_of
from pages.parts.ask.claim import Asked, write_units
from pages.parts.ask.verdict import finding

__all__ = ["address", "search"]

INDEXING = links.one_of("indexing", ("right", "2016"))
_SHOWN = 20  # units whose Shapley values are drawn


def address() -> dict[str, str]:
    """What a link to this view must keep."""
    return {INDEXING.key: INDEXING.value()}


def search(study: Study, asked: Asked) -> None:
    """The group search for the concept's class."""
    if asked.label is None:
        return
    st.subheader(f"How many units carry the {asked.label}?", anchor=False)
    found = result_of(Searching(study.choice, asked.layer, asked.label))
    finding("erasable", erasable(found, asked.label, len(found.shapley)))
    INDEXING.shown()
    st.segmented_control(
        "Indexing",
        ("right", "2016"),
        key=INDEXING.key,
        on_change=INDEXING.changed,
        format_func={"right": "Right indexing", "2016": "2016 indexing"}.__getitem__,
        help=DEFINITIONS["indexing"],
    )
    _curves(found, asked)
    if INDEXING.value() == "2016":
        _explained(found, asked)
    _table(found, asked)
    _shapley(found, asked)


def erasable(found: Found, label: int, units: int) -> Finding:
    """Whether few units erase the class and no other, by any ranking."""
    best = {
        name: k
        for name, of in found.curves.items()
        if name != MISINDEXED and (k := erasing(of, label)) is not None and 4 * k <= units
    }
    if not best:
        reason = (
            f"No ranking finds a quarter of the layer or less whose removal leaves at most "
            f"{ERASED:.0%} of class {label} and at least {SPARED:.0%} of every other class."
        )
        return Finding(NOT_SUPPORTED, reason, None, None, None, 0)
    name = min(best, key=lambda each: best[each])
    at = found.curves[name].counts.tolist().index(best[name])
    recall = found.curves[name].recall[at]
    left, others = recall[label], np.delete(recall, label).min()
    random = float(np.median(found.random[:, at]))
    reason = (
        f"{best[name]} of {units} units, ranked by {name}, leave {left:.1%} of class {label} and "
        f"at least {others:.1%} of every other class; as many random units leave {random:.1%}."
    )
    return Finding(SUPPORTED, reason, float(left), None, None, 0)


def _curves(found: Found, asked: Asked) -> None:
    """Recall left as units are removed, and what is kept when only they stay."""
    wrong = INDEXING.value() == "2016"
    names = [name for name in found.curves if wrong or name != MISINDEXED]
    counts = next(iter(found.curves.values())).counts
    left, right = st.columns(2)
    recall = {name: found.curves[name].recall[:, asked.label] for name in names}
    left.markdown(f"**Removed**: recall of class {asked.label} that is left")
    left.vega_lite_chart(
        finished_chart(charts.removal_curves, counts, recall, found.random, "recall left"),
        key="removal curves",
    )
    kept = {name: found.curves[name].kept for name in names}
    right.markdown(
        f"**Kept alone**: telling class {asked.label} from others", help=DEFINITIONS["j"]
    )
    right.vega_lite_chart(
        finished_chart(charts.removal_curves, counts, kept, found.random_kept, "discrimination"),
        key="keep curves",
    )
    st.caption(
        "Rankings are made on the discovery half (gradient EMA: during training), curves on the "
        f"confirmation half. Grey: the median and the range of {len(found.random)} random orders.",
        help=DEFINITIONS["rankings"],
    )


def _explained(found: Found, asked: Asked) -> None:
    """What went wrong in 2016, as far as it can be known."""
    curve = found.curves.get(MISINDEXED)
    if curve is None:
        st.info("Behind this layer no hidden layer comes, so there is no wrong list to take.")
        return
    at = int(np.flatnonzero(curve.counts <= 20)[-1])
    st.info(
        f"The ablation script published in 2016 ranked the units of one layer and removed units "
        f"with the same numbers from the layer before it. Done here, {curve.counts[at]} removals "
        f"leave {curve.recall[at, asked.label]:.1%} of class {asked.label}: the curve is flat, "
        "whatever the ranking was worth. That is enough to explain why ablating whole classes "
        "seemed to fail. It is not known whether that version of the script made the runs of the "
        "note: the code was committed on 21 June 2016, the note keeps no numbers.",
        icon=":material/history:",
    )


def _table(found: Found, asked: Asked) -> None:
    """Every point of every curve."""
    own = [asked.label] if asked.label is not None else []
    rows = [
        {
            "ranking": name,
            "units": int(k),
            f"class {asked.label} left": of.recall[at, asked.label],
            "lowest other class": np.delete(of.recall[at], own).min(),
            "kept alone": of.kept[at],
            "which": write_units(tuple(sorted(found.orders[name][:k].tolist()))),
        }
        for name, of in found.curves.items()
        for at, k in enumerate(of.counts)
    ]
    with st.expander("As a table", icon=":material/table:"):
        frame = pd.DataFrame(rows)
        st.dataframe(
            frame,
            hide_index=True,
            column_config={
                name: st.column_config.NumberColumn(format="percent") for name in frame.columns[2:5]
            },
        )
        st.download_button(
            "Download as CSV", lambda: csv_text(frame), "curves.csv", "text/csv",
            icon=":material/download:", key="download curves",
        )  # fmt: skip


def _shapley(found: Found, asked: Asked) -> None:
    """The units that contribute most, with their errors."""
    with st.expander("Shapley values with their errors", icon=":material/bar_chart:"):
        order = np.argsort(-found.shapley)[:_SHOWN]
        st.vega_lite_chart(
            finished_chart(
                charts.contributions,
                [str(unit) for unit in order],
                found.shapley[order],
                found.errors[order],
                f"log-likelihood of class {asked.label}, nats",
            ),
            key="shapley values",
        )
        st.caption(
            f"The {len(order)} largest of {len(found.shapley)}, with two standard errors.",
            help=DEFINITIONS["shapley"],
        )
