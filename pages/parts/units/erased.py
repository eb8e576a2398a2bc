"""What the network loses when a direction is erased from what its next layer reads."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core import charts
from core.analyses.profiles.task import Study
from core.claims.card import group_name
from core.claims.direction_task import ErasedDirectionTask
from core.claims.erasure import ErasedDirection, erasable
from core.runtime.drawings import drawn_once
from core.units import DirectionId
from pages.kit import links
from pages.kit.charts import finished_chart
from pages.kit.controls import toggle
from pages.kit.glossary import DEFINITIONS
from pages.kit.recorded import recorded
from pages.kit.tables import column, download
from pages.kit.waiting import result_of
from pages.parts.ask.verdict import finding

__all__ = ["erased"]

WANTED = links.switch("erase")


def erased(study: Study, name: DirectionId) -> None:
    """The test of necessity, when it is wanted."""
    st.subheader("Is it necessary? Erase it and see", anchor=False)
    reason = erasable(study.model, name.layer)
    if reason:
        st.caption(reason)
        return
    if not toggle(WANTED, "Erase the direction", help=DEFINITIONS["erasing"]):
        return
    found = result_of(ErasedDirectionTask(study.run, name.layer, name.concept))
    _shown(found)
    download(_table(found), "erased-direction")


@recorded
def _shown(found: ErasedDirection) -> None:
    """The verdict, its controls, and what each way of erasing changes."""
    left, right = st.columns(2)
    with left:
        finding("necessary", found.finding)
    with right:
        own, effects = found.controls.own, found.controls.effects
        title = found.controls.measure
        chart = finished_chart(charts.beside_controls, own, effects, title=title)
        st.vega_lite_chart(chart, key="erased controls")
        st.caption(
            f"Orange: the concept erased by least squares, {own:.3f}. Grey: {len(effects)} times "
            "the same with the concept shuffled among the digits of its classes."
        )
    st.dataframe(
        _table(found),
        hide_index=True,
        column_config={
            "way": "Erased by",
            "digits": "Digits",
            "n": "n",
            "before": st.column_config.NumberColumn("Accuracy with it", format="percent"),
            "after": st.column_config.NumberColumn("Accuracy", format="percent"),
            "low": st.column_config.NumberColumn("Change from", format="percent"),
            "high": st.column_config.NumberColumn("to", format="percent"),
            "probe": column("AUC of a new direction", DEFINITIONS["probe_after"]),
        },
    )
    st.caption(
        f"Everything was fitted on the discovery half. Before erasing, a direction tells the "
        f"concept with an AUC of {found.before:.3f}. {found.inside:.0%} of the direction's squared "
        f"length lies in the row space of {found.layer}'s weights: the rest can't change anything "
        "by itself, but a projection removes along with it what the rest says. Where the plain "
        "projection costs more than the one in the row space, its effect came by such a dormant "
        "path, and says nothing of what the network uses (Makelov et al. 2024)."
    )


@drawn_once
def _table(found: ErasedDirection) -> pd.DataFrame:
    """A row for each way and group of digits."""
    rows = [
        {
            "way": name,
            "digits": group_name(of.group),
            "after": of.after,
            "low": of.low,
            "high": of.high,
            "probe": way.probe,
            "before": of.before,
            "n": of.n,
        }
        for name, way in found.ways.items()
        for of in way.changes
        if of.measure == "accuracy"
    ]
    return pd.DataFrame(rows)
