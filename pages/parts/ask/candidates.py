"""Candidates for a claim: every unit of the layer scored on the half on which nothing is judged."""

from __future__ import annotations

import streamlit as st

from core.claims.candidates import Candidates
from core.claims.task import Suggesting
from core.csv_text import csv_text
from core.training.task import Study
from pages.kit import links
from pages.kit.glossary import DEFINITIONS, NAMES
from pages.kit.waiting import result_of
from pages.parts.ask.claim import Asked, write_units

__all__ = ["candidates"]

_SIZES = (1, 10, 30)


def candidates(study: Study, asked: Asked) -> None:
    """The table of all units, and ways to ask about the best of them."""
    st.subheader("Candidates", anchor=False)
    found = result_of(Suggesting(study.choice, asked.layer, asked.concept))
    _said(found)
    order = found.order.tolist()
    with st.container(horizontal=True):
        for size in (size for size in _SIZES if size < len(order)):
            best = tuple(sorted(order[:size]))
            st.button(
                "Ask about the best unit" if size == 1 else f"the best {size}",
                key=f"ask best {size}",
                type="primary" if size == 1 else "secondary",
                on_click=_ask,
                args=(best,),
            )
    table = found.table().reset_index()
    picked = st.dataframe(
        table,
        hide_index=True,
        height=320,
        key=f"candidates of {asked.layer} for {asked.concept}",
        on_select="rerun",
        selection_mode="multi-row",
        column_config={
            name: st.column_config.NumberColumn(
                NAMES[name], help=DEFINITIONS[name], format="%.4f" if "_" in name else "%.3f"
            )
            for name in table.columns[1:]
        },
    )
    rows = picked["selection"]["rows"]
    st.caption(
        f"All units of {asked.layer} on the discovery half, {found.n:,} digits of which have the "
        "concept. Tick rows to ask about several units together. Scores choose what to ask; "
        "the answer comes from the other half."
    )
    if rows:
        units = tuple(sorted(int(table["unit"].iloc[row]) for row in rows))
        st.button(f"Ask about {write_units(units)}", on_click=_ask, args=(units,), key="ask picked")
    st.download_button(
        "Download as CSV", lambda: csv_text(table), "candidates.csv", "text/csv",
        icon=":material/download:", key="download candidates",
    )  # fmt: skip


def _said(found: Candidates) -> None:
    """Whether the best unit is better than the best of shuffles, in a sentence."""
    best = int(found.order[0])
    where = "within the class" if found.inside else "among all digits"
    beyond = found.score[best] > found.chance
    st.markdown(
        f"The best unit is **{best}**, AUC {found.score[best]:.2f} {where}. When the concept is "
        f"shuffled, the best of the {len(found.score)} units stays below {found.chance:.2f} in "
        f"95 % of shuffles (p = {found.best_p[best]:.3f}): "
        + ("it knows something of it." if beyond else "none of them stands out."),
        help=DEFINITIONS["best_p"],
    )


def _ask(units: tuple[int, ...]) -> None:
    """Put the units into the claim."""
    links.put(units=write_units(units))
