"""One expert removed, or left alone: which digits are then taken for which, and which are lost."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core import pictures
from core.architectures.mixture.charts import interventions as figures
from core.architectures.mixture.tasks.interventions import WAYS, Otherwise
from core.data import Digits
from pages.kit import links
from pages.kit.charts import finished_chart
from pages.kit.gallery import gallery
from pages.kit.grid import image_grid
from pages.kit.tables import download, file_name
from pages.parts.mixture.controls import View

__all__ = ["show"]

EXPERT = links.integer("expert", -1, 15, -1)  # -1: the one whose removal costs most
WAY = links.one_of("way", WAYS)
SHOWN = 24  # digits that changed from right to wrong
_SAID = {"removed": "is removed", "alone": "answers alone"}


def show(view: View, found: Otherwise, digits: Digits) -> None:
    """The choice of an expert and of what is done to it, confusions, and digits lost.

    digits: of the confirmation half.
    """
    expert, way = _asked(found)
    table = found.confusion(expert, way)
    left, right = st.columns(2)
    with left:
        st.markdown(
            f"**Taken for what** when expert {expert} {_SAID[way]}",
            help="Digits of the confirmation half by class and answer. Colour: share of the class.",
        )
        st.vega_lite_chart(finished_chart(figures.confusion, table), key="confusion")
    with right:
        st.markdown(
            "**Difference** to the gate as trained",
            help="Digits more (red) or fewer (blue) than with the gate as trained.",
        )
        st.vega_lite_chart(finished_chart(figures.differences, table), key="confusion less intact")
    hits = found.right(way)[expert]
    st.caption(
        f"Confirmation half, rows are true classes. Right: {int(hits.sum()):,} of "
        f"{found.digits:,} ({hits.mean():.1%}); with the gate as trained "
        f"{found.right('intact').mean():.1%}."
    )
    download(
        table, f"confusion-{view.gate.replace('_', '-')}-{file_name(view.choice)}-{way}{expert}"
    )
    _lost(found.lost(expert, way), digits, f"expert {expert} {_SAID[way]}")


def _asked(found: Otherwise) -> tuple[int, str]:
    """The expert, and whether it is removed or left alone."""
    st.markdown("**One expert in full**")
    chosen = EXPERT.value()
    expert = chosen if 0 <= chosen < found.experts else found.costliest()
    if st.session_state.get(EXPERT.key) != expert:
        st.session_state[EXPERT.key] = expert
    left, right = st.columns([3, 2])
    left.segmented_control(
        "Expert",
        range(found.experts),
        key=EXPERT.key,
        on_change=EXPERT.changed,
        help="Unless you choose another, the one whose removal costs most on the discovery half.",
    )
    WAY.shown()
    right.segmented_control(
        "What is done",
        WAYS,
        key=WAY.key,
        on_change=WAY.changed,
        help="Removed: its digits go to the next best. Alone: every digit goes to it.",
    )
    return expert, WAY.value()


def _lost(lost: pd.DataFrame, digits: Digits, what: str) -> None:
    """Digits that are then told wrong and were told right; a click follows one."""
    st.markdown(f"**No longer told right** when {what}: {len(lost):,} digits")
    if lost.empty:
        st.caption("Every digit that was told right still is.")
        return
    first = lost.head(SHOWN)
    rows = list(first.itertuples(index=False, name=None))
    picked = image_grid(
        gallery(
            pictures.enlarged(pictures.ink(digits.images[first["digit"].tolist(), 0].numpy()), 2),
            [f"test digit {at}, a {label}, taken for a {told}" for at, label, told in rows],
            [f"{at}: {label} → {told}" for at, label, told in rows],
        ),
        key="grid of lost digits",
        label=f"Digits no longer told right when {what}",
        scale=1,
    )
    st.caption(
        f"The first {len(first)} by number, not picked. Under each: number, class → answer. A "
        "click follows the digit through the gate."
    )
    if picked is not None:
        links.put(digit=rows[picked][0], view="digit")
        st.rerun()
