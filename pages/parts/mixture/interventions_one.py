"""One expert removed, or left alone: the confusion matrix, and the digits newly misclassified."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from core import pictures
from core.architectures.mixture.charts import interventions as figures
from core.architectures.mixture.interventions import WAYS, GateInterventions
from core.data import DataSet
from core.runtime.drawings import DRAWINGS
from pages.kit import links
from pages.kit.charts import finished_chart
from pages.kit.controls import pick
from pages.kit.gallery import gallery
from pages.kit.grid import image_grid
from pages.kit.recorded import recorded
from pages.kit.tables import download, file_name
from pages.parts.mixture.controls import View

__all__ = ["show"]

WAY = links.one_of("way", WAYS)
SHOWN = 24  # digits that changed from right to wrong
_SAID = {"removed": "is removed", "alone": "answers alone"}


def show(view: View, found: GateInterventions, digits: DataSet) -> None:
    """The choice of an expert and of what is done to it, confusions, and digits lost.

    digits: of the confirmation half.
    """
    expert, way = _asked(found)
    _confused(found, expert, way)
    download(
        partial(found.confusion, expert, way),
        f"confusion-{view.gate.replace('_', '-')}-{file_name(view.run)}-{way}{expert}",
    )
    _lost(
        DRAWINGS.get(GateInterventions.lost, found, expert, way),
        digits,
        f"expert {expert} {_SAID[way]}",
    )


@recorded
def _confused(found: GateInterventions, expert: int, way: str) -> None:
    """The confusion matrix, and how it differs from that of the gate as trained."""
    table = found.confusion(expert, way)
    left, right = st.columns(2)
    with left:
        st.markdown(
            f"**Confusion matrix** when expert {expert} {_SAID[way]}",
            help="Digits of the confirmation half by true class and predicted class. Colour: share "
            "of the class.",
        )
        st.vega_lite_chart(finished_chart(figures.confusion, table), key="confusion")
    with right:
        st.markdown(
            "**Difference** to the gate as trained",
            help="More (red) or fewer (blue) digits than with the gate as trained.",
        )
        st.vega_lite_chart(finished_chart(figures.differences, table), key="confusion less intact")
    hits = found.right(way)[expert]
    st.caption(
        f"Confirmation half; rows are true classes. Correct: {int(hits.sum()):,} of "
        f"{found.digits:,} ({hits.mean():.1%}); with the gate as trained "
        f"{found.right('intact').mean():.1%}."
    )


def _asked(found: GateInterventions) -> tuple[int, str]:
    """The expert, and whether it is removed or left alone."""
    st.markdown("**One expert in detail**")
    left, right = st.columns([3, 2])
    expert = pick(
        links.integer("expert", 0, found.experts - 1, found.costliest()),
        "Expert",
        where=left,
        help="By default the expert whose removal costs most on the discovery half.",
    )
    way = pick(
        WAY,
        "Intervention",
        where=right,
        help="Removed: its digits go to the next best expert. Alone: every digit goes to this "
        "expert.",
    )
    return expert, way


def _lost(lost: pd.DataFrame, digits: DataSet, what: str) -> None:
    """The digits that are misclassified only then; a click follows one."""
    st.markdown(f"**Newly misclassified** when {what}: {len(lost):,} digits")
    if lost.empty:
        st.caption("Every digit that was classified correctly still is.")
        return
    first = lost.head(SHOWN)
    rows = [(digits.ids[at], *of) for at, *of in first.itertuples(index=False, name=None)]
    picked = image_grid(
        gallery(
            pictures.enlarged(pictures.ink(digits.images[first["digit"].tolist(), 0].numpy()), 2),
            [f"{name}, a {label}, classified as {answer}" for name, label, answer in rows],
            [f"{label} → {answer}" for _, label, answer in rows],
        ),
        key="grid of lost digits",
        label=f"Digits newly misclassified when {what}",
        scale=1,
    )
    st.caption(
        f"The first {len(first)} of the test file, not selected. Below each: class → prediction. "
        "Click a digit to follow it through the gate."
    )
    if picked is not None:
        links.put(digit=rows[picked][0], view="digit")
        st.rerun()
