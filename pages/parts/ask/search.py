"""How many units carry a class: six rankings, each beside random units, and 2016's mistake."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from core import charts
from core.analyses.profiles.task import Study
from core.claims.evidence import NOT_SUPPORTED, SUPPORTED, Finding
from core.claims.task import UnitSearchTask
from core.claims.unit_search import MISINDEXED, UnitSearch
from core.interventions.search import ERASED, SPARED, erasing
from pages.kit import controls, links
from pages.kit.charts import finished_chart
from pages.kit.glossary import DEFINITIONS
from pages.kit.tables import download
from pages.kit.waiting import result_of
from pages.parts.ask.claim import Asked, write_units
from pages.parts.ask.verdict import finding

__all__ = ["search"]

INDEXING = links.one_of("indexing", ("right", "2016"))
_SHOWN = 20  # units whose Shapley values are drawn


def search(study: Study, asked: Asked) -> None:
    """The group search for the concept's class."""
    if asked.label is None:
        return
    st.subheader(f"How many units does class {asked.label} need?", anchor=False)
    found = result_of(UnitSearchTask(study.choice, asked.layer, asked.label))
    finding("erasable", erasable(found, asked.label, len(found.shapley)))
    controls.pick(
        INDEXING,
        "Indexing",
        names={"right": "Correct indexing", "2016": "2016 indexing"}.__getitem__,
        help=DEFINITIONS["indexing"],
    )
    _curves(found, asked)
    if INDEXING.value() == "2016":
        _explained(found, asked)
    _table(found, asked)
    _shapley(found, asked)


def erasable(found: UnitSearch, label: int, units: int) -> Finding:
    """Whether few units erase the class and no other, by any ranking."""
    best = {
        name: k
        for name, of in found.curves.items()
        if name != MISINDEXED and (k := erasing(of, label)) is not None and 4 * k <= units
    }
    if not best:
        reason = (
            "With none of the rankings does removing a quarter of the layer or less leave at "
            f"most {ERASED:.0%} of class {label} and at least {SPARED:.0%} of every other class."
        )
        return Finding(NOT_SUPPORTED, reason, None, None, None, 0)
    name = min(best, key=lambda each: best[each])
    at = found.curves[name].counts.tolist().index(best[name])
    recall = found.curves[name].recall[at]
    left, others = recall[label], np.delete(recall, label).min()
    random = float(np.median(found.random[:, at]))
    reason = (
        f"{best[name]} of {units} units, chosen by {name}, are enough: removing them leaves "
        f"{left:.1%} of class {label} and at least {others:.1%} of every other class; removing as "
        f"many random units leaves {random:.1%}."
    )
    return Finding(SUPPORTED, reason, float(left), None, None, 0)


def _curves(found: UnitSearch, asked: Asked) -> None:
    """Recall left as units are removed, and what is kept when only they stay."""
    wrong = INDEXING.value() == "2016"
    names = [name for name in found.curves if wrong or name != MISINDEXED]
    counts = next(iter(found.curves.values())).counts
    left, right = st.columns(2)
    recall = {name: found.curves[name].recall[:, asked.label] for name in names}
    left.markdown(f"**Removed**: remaining recall of class {asked.label}")
    left.vega_lite_chart(
        finished_chart(charts.removal_curves, counts, recall, found.random, "recall left"),
        key="removal curves",
    )
    kept = {name: found.curves[name].kept for name in names}
    right.markdown(
        f"**All others removed**: separating class {asked.label} from the others",
        help=DEFINITIONS["j"],
    )
    right.vega_lite_chart(
        finished_chart(charts.removal_curves, counts, kept, found.random_kept, "discrimination"),
        key="keep curves",
    )
    st.caption(
        "Rankings come from the discovery half (gradient EMA: from training), curves from the "
        f"confirmation half. Grey: median and range of {len(found.random)} random orders.",
        help=DEFINITIONS["rankings"],
    )


def _explained(found: UnitSearch, asked: Asked) -> None:
    """The effect of the 2016 indexing error, in numbers of this network."""
    curve = found.curves.get(MISINDEXED)
    if curve is None:
        st.info("No hidden layer follows this one, so there is no wrong list of units to use.")
        return
    at = int(np.flatnonzero(curve.counts <= 20)[-1])
    st.info(
        "The ablation script published in 2016 ranked the units of one layer and removed the "
        "units with the same numbers from the layer before it. If this is done here, "
        f"{curve.counts[at]} removals leave {curve.recall[at, asked.label]:.1%} of class "
        f"{asked.label}: the curve stays flat, however good the ranking is. This is enough to "
        "explain why erasing whole classes seemed to fail. It is not known whether the "
        "experiments described in the 2016 note used that version of the script: the code was "
        "committed on 21 June 2016, and the note gives no numbers.",
        icon=":material/history:",
    )


def _table(found: UnitSearch, asked: Asked) -> None:
    """Every point of every curve."""
    own = [asked.label] if asked.label is not None else []
    rows = [
        {
            "ranking": name,
            "units": int(k),
            f"class {asked.label} left": of.recall[at, asked.label],
            "lowest other class": np.delete(of.recall[at], own).min(),
            "others removed": of.kept[at],
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
        download(frame, "curves")


def _shapley(found: UnitSearch, asked: Asked) -> None:
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
            f"The {len(order)} largest of {len(found.shapley)} values; bars: ± two standard "
            "errors.",
            help=DEFINITIONS["shapley"],
        )
