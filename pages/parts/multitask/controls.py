"""Networks taught one task, and one taught none, beside the network taught all."""

from __future__ import annotations

import streamlit as st

from core.architectures.multitask import charts as figures
from core.architectures.multitask.controls_task import EPOCHS, NETWORKS, SHARE, Alone, Controls
from core.runtime.task import Choice
from pages.kit import links
from pages.kit.charts import finished_chart
from pages.kit.tables import column, download, file_name
from pages.kit.waiting import result_of

__all__ = ["controls"]


def controls(choice: Choice, layer: str, tasks: tuple[str, str]) -> None:
    """The same lesions in networks taught one task, behind a switch: two are trained for it."""
    shown = links.one_of("alone", ("no", "yes"))
    on = st.toggle(
        "Compare with networks taught one task (trains two more)",
        value=shown.value() == "yes",
        key="taught alone",
    )
    if on != (shown.value() == "yes"):
        links.put(alone="yes" if on else None)
    if not on:
        return
    found: Controls = result_of(Alone(choice))
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
        "Shared layers taught all tasks, the digit alone, the slant alone, or nothing: layers as "
        f"they were drawn, with heads trained for {EPOCHS} epochs. Heads of tasks that weren't "
        "taught are linear probes: they read the shared layers without changing them."
    )
    ticks = found.indices(layer, *tasks)
    st.vega_lite_chart(finished_chart(figures.indices, ticks, *tasks), key="index of four networks")
    st.caption(f"Index by lesion of every used unit of {layer}, a row for each network.")
    counts = found.counts(layer, *tasks)
    median = column("median |index|", "Of the used units; 1 where each serves one task alone.")
    st.dataframe(counts, hide_index=True, column_config={"median |index|": median})
    st.caption(
        "A random layer is the floor: no unit of it was made for a task, yet heads that read it "
        "with different weights depend on different units. Only what goes beyond that floor was "
        "learned by the shared units. In a network taught one task, the probe of another knows "
        "little and is easily upset, so that its harm, in shares of that little, is large: compare "
        "rows of one network, not networks."
    )
    table = found.crossed(layer)
    columns = st.columns(2)
    for at, taught in enumerate(NETWORKS.values()):
        with columns[at % 2]:
            st.markdown(f"**Taught {taught}**")
            rows = table[table["taught"] == taught]
            chart = finished_chart(figures.crossed, rows, found.tasks[:3], found.tasks[:3])
            st.vega_lite_chart(chart, key=f"cross-matrix, taught {taught}")
    st.caption(
        f"Harm when {SHARE:.0%} of {layer} are silent, chosen by row and judged by column as "
        "above; small: random units."
    )
    download(table, f"alone-{file_name(choice)}-{layer}")
