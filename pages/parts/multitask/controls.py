"""Networks taught one task, and one taught none, beside the network taught all."""

from __future__ import annotations

import streamlit as st

from core.architectures.multitask import charts as figures
from core.architectures.multitask.controls import NETWORKS, ControlNetworks
from core.architectures.multitask.controls_task import EPOCHS, SHARE, ControlNetworksTask
from core.runs import Run
from pages.kit import links
from pages.kit.charts import finished_chart
from pages.kit.controls import toggle
from pages.kit.tables import column, download, file_name
from pages.kit.waiting import result_of

__all__ = ["controls"]

ALONE = links.switch("alone")


def controls(run: Run, layer: str, tasks: tuple[str, str]) -> None:
    """The same lesions in networks taught one task, behind a switch: two are trained for it."""
    if not toggle(ALONE, "Compare with networks trained on one task (trains two more)"):
        return
    found: ControlNetworks = result_of(ControlNetworksTask(run))
    scores = found.scores().set_index("taught").reset_index()
    st.dataframe(
        scores,
        hide_index=True,
        column_config={
            task: column(task, "Accuracy, or R² for the slant, on the confirmation half.")
            for task in found.tasks
        },
    )
    st.caption(
        "Shared layers trained on all tasks, on the digit alone, on the slant alone, or not at "
        f"all (random weights, with heads trained for {EPOCHS} epochs). Heads of tasks that were "
        "not trained are linear probes: they read the shared layers without changing them."
    )
    ticks = found.indices(layer, *tasks)
    st.vega_lite_chart(finished_chart(figures.indices, ticks, *tasks), key="index of four networks")
    st.caption(f"Index by lesion of every used unit of {layer}, one row per network.")
    counts = found.counts(layer, *tasks)
    median = column("median |index|", "Over the used units; 1 if each serves one task alone.")
    st.dataframe(counts, hide_index=True, column_config={"median |index|": median})
    st.caption(
        "A random layer is the baseline: none of its units was trained for a task, yet heads that "
        "read it with different weights depend on different units. Only what exceeds this "
        "baseline was learned by the shared units. In a network trained on one task, the probe "
        "for another task performs poorly and is easily disturbed, so its relative harm is large: "
        "compare rows within a network, not networks."
    )
    table = found.crossed(layer)
    columns = st.columns(2)
    for at, taught in enumerate(NETWORKS.values()):
        with columns[at % 2]:
            st.markdown(f"**Trained on {taught}**")
            rows = table[table["taught"] == taught]
            chart = finished_chart(figures.crossed, rows, found.tasks[:3], found.tasks[:3])
            st.vega_lite_chart(chart, key=f"cross-matrix, taught {taught}")
    st.caption(
        f"Harm when {SHARE:.0%} of {layer} are silenced, chosen by row and judged by column as "
        "above; small: random units."
    )
    download(table, f"alone-{file_name(run)}-{layer}")
