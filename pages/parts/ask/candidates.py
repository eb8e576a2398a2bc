"""Candidates for a claim: every unit of the layer scored on the half on which nothing is judged."""

from __future__ import annotations

import streamlit as st

from core.analyses.profiles.task import Study
from core.claims.candidates import Candidates
from core.claims.task import CandidatesTask
from core.units import UnitId
from pages.kit import links
from pages.kit.controls import ticks
from pages.kit.glossary import DEFINITIONS, NAMES
from pages.kit.tables import download
from pages.kit.waiting import result_of
from pages.parts.ask.claim import Asked, name_units, write_units

__all__ = ["candidates"]

_SIZES = (1, 10, 30)


def candidates(study: Study, asked: Asked) -> None:
    """The table of all units, and ways to ask about the best of them."""
    st.subheader("Candidates", anchor=False)
    found = result_of(CandidatesTask(study.run, asked.layer, asked.concept))
    _said(study, asked.layer, found)
    order = found.order.tolist()
    with st.container(horizontal=True):
        for size in (size for size in _SIZES if size < len(order)):
            best = tuple(sorted(order[:size]))
            st.button(
                "Ask about the best unit" if size == 1 else f"the best {size}",
                key=f"ask best {size}",
                type="primary" if size == 1 else "secondary",
                on_click=_ask,
                args=(study, asked.layer, best),
            )
    table = found.table().reset_index()
    units = [UnitId(study.run.architecture, asked.layer, int(unit)) for unit in table["unit"]]
    names = [str(unit) for unit in units]
    ticked = ticks(
        links.several("ticked", names, most=len(names) - 1),
        table,
        names,
        key=f"candidates of {asked.layer} for {asked.concept}",
        height=320,
        columns={
            name: st.column_config.NumberColumn(
                NAMES[name], help=DEFINITIONS[name], format="%.4f" if "_" in name else "%.3f"
            )
            for name in table.columns[1:]
        },
    )
    st.caption(
        f"All units of {asked.layer} on the discovery half, {found.n:,} digits of which have the "
        "concept. Tick rows to ask about several units together. The scores only help to choose "
        "what to test; the test itself uses the other half."
    )
    if ticked:
        chosen = tuple(sorted(UnitId.parse(name).index for name in ticked))
        st.button(
            f"Ask about {write_units(chosen)}",
            on_click=_ask,
            args=(study, asked.layer, chosen),
            key="ask picked",
        )
    download(table, "candidates")


def _said(study: Study, layer: str, found: Candidates) -> None:
    """Whether the best unit is better than the best of shuffles, in a sentence."""
    best = int(found.order[0])
    name = UnitId(study.run.architecture, layer, best)
    where = "within the class" if found.inside else "among all digits"
    beyond = found.score[best] > found.chance
    st.markdown(
        f"The best unit is **{name}**, AUC {found.score[best]:.2f} {where}. The 95th percentile "
        f"of the best of the {len(found.score)} units under shuffling of the concept is "
        f"{found.chance:.2f} (p = {found.best_p[best]:.3f}): "
        + ("the unit carries information about the concept." if beyond else "no unit stands out."),
        help=DEFINITIONS["best_p"],
    )


def _ask(study: Study, layer: str, units: tuple[int, ...]) -> None:
    """Put the units into the claim."""
    links.put(units=name_units(study.run.architecture, layer, units), ticked=None)
