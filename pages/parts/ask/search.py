"""How many units carry a class: six rankings, each beside random units, and 2016's mistake."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from core import charts
from core.analyses.profiles.task import Study
from core.claims.task import UnitSearchTask
from core.claims.unit_search import MISINDEXED, UnitSearch
from pages.kit import controls, links
from pages.kit.charts import finished_chart
from pages.kit.glossary import DEFINITIONS
from pages.kit.recorded import recorded
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
    found = result_of(UnitSearchTask(study.run, asked.layer, asked.label))
    finding("erasable", found.erasable(asked.label))
    controls.pick(
        INDEXING,
        "Indexing",
        names={"right": "Correct indexing", "2016": "2016 indexing"}.__getitem__,
        help=DEFINITIONS["indexing"],
    )
    wrong = INDEXING.value() == "2016"
    _curves(found, asked.label, wrong)
    if wrong:
        _explained(found, asked.label)
    with st.expander("As a table", icon=":material/table:"):
        _table(found, asked.label)
        download(partial(_points, found, asked.label), "curves")
    _shapley(found, asked.label)


@recorded
def _curves(found: UnitSearch, label: int, wrong: bool) -> None:
    """Recall left as units are removed, and what is kept when only they stay.

    wrong: whether those that the 2016 indexing removes are shown too.
    """
    names = [name for name in found.curves if wrong or name != MISINDEXED]
    counts = next(iter(found.curves.values())).counts
    left, right = st.columns(2)
    recall = {name: found.curves[name].recall[:, label] for name in names}
    left.markdown(f"**Removed**: remaining recall of class {label}")
    left.vega_lite_chart(
        finished_chart(charts.removal_curves, counts, recall, found.random, "recall left"),
        key="removal curves",
    )
    kept = {name: found.curves[name].kept for name in names}
    right.markdown(
        f"**All others removed**: separating class {label} from the others",
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


def _explained(found: UnitSearch, label: int) -> None:
    """The effect of the 2016 indexing error, in numbers of this network."""
    wrong = found.misindexed(label)
    if wrong is None:
        st.info("No hidden layer follows this one, so there is no wrong list of units to use.")
        return
    removals, left = wrong
    st.info(
        "The ablation script published in 2016 ranked the units of one layer and removed the "
        "units with the same numbers from the layer before it. If this is done here, "
        f"{removals} removals leave {left:.1%} of class "
        f"{label}: the curve stays flat, however good the ranking is. This is enough to "
        "explain why erasing whole classes seemed to fail. It is not known whether the "
        "experiments described in the 2016 note used that version of the script: the code was "
        "committed on 21 June 2016, and the note gives no numbers.",
        icon=":material/history:",
    )


def _points(found: UnitSearch, label: int) -> pd.DataFrame:
    """Every point of every curve."""
    table = found.table(label).rename(columns={"left": f"class {label} left"})
    return table.assign(which=table["which"].map(write_units))


@recorded
def _table(found: UnitSearch, label: int) -> None:
    """The points as a table."""
    frame = _points(found, label)
    st.dataframe(
        frame,
        hide_index=True,
        column_config={
            name: st.column_config.NumberColumn(format="percent") for name in frame.columns[2:5]
        },
    )


@recorded
def _shapley(found: UnitSearch, label: int) -> None:
    """The units that contribute most, with their errors."""
    with st.expander("Shapley values with their errors", icon=":material/bar_chart:"):
        order = found.contributors(_SHOWN)
        st.vega_lite_chart(
            finished_chart(
                charts.contributions,
                [str(unit) for unit in order],
                found.shapley[order],
                found.errors[order],
                f"log-likelihood of class {label}, nats",
            ),
            key="shapley values",
        )
        st.caption(
            f"The {len(order)} largest of {len(found.shapley)} values; bars: ± two standard "
            "errors.",
            help=DEFINITIONS["shapley"],
        )
