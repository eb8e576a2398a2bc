"""LSTM and GRU: one digit followed row by row through the gates, to the answer."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray
from PIL import Image

from core import pictures
from core.architectures.recurrent import charts as figures
from core.architectures.recurrent import clamping
from core.architectures.recurrent import gates as recurrent
from core.architectures.recurrent.gate_measures import GateMeasures
from core.architectures.recurrent.task import GatesTask
from core.models.gru import GRUSettings
from core.models.lstm import LSTMSettings
from core.runs import Run
from core.runtime.drawings import DRAWINGS
from core.training.task import ModelTask
from core.units import UnitId
from pages.kit import controls, halves, links, place
from pages.kit.charts import finished_chart
from pages.kit.digit import followed
from pages.kit.network import one_network
from pages.kit.recorded import recorded
from pages.kit.tables import download, file_name
from pages.kit.waiting import result_of
from pages.parts.recurrent import memory
from pages.parts.recurrent.state import View

__all__ = ["section"]

CELLS = {
    "LSTM": LSTMSettings(),
    "GRU, reset after the product (PyTorch)": GRUSettings(),
    "GRU, reset before the product (Cho et al. 2014)": GRUSettings(reset="before"),
}
_WIDEST = 1460  # pixels
ORDERS = {"row": "row of most change", "memory": "time constant", "number": "number"}
_CARRIED = (
    "An LSTM's **cell** is a memory controlled by gates: the input gate determines what is "
    "written, the forget gate what is kept, the output gate what is read out. A unit specializes "
    "in *time*: at which rows its gates open, and for how long it remembers."
)
_MIXED = (
    "A GRU's **hidden state** is a mixture of old and new: the update gate z is the share of the "
    "old state that is **kept**, and the reset gate r determines how much of it the candidate "
    "sees. A unit specializes in *time*: at which rows it writes, and for how long it remembers."
)
FORMULAS = {
    "lstm": r"""\begin{aligned}
        c_t &= f_t\, c_{t-1} + i_t\, g_t \\ h_t &= o_t \tanh c_t \end{aligned}""",
    "gru": r"""\begin{aligned}
        n_t &= \tanh\big(W_n x_t + b_n + r_t \odot (U_n h_{t-1} + b_{hn})\big) \\
        h_t &= (1 - z_t)\, n_t + z_t\, h_{t-1} \end{aligned}""",
    "gru, before": r"""\begin{aligned}
        n_t &= \tanh\big(W_n x_t + b_n + U_n (r_t \odot h_{t-1})\big) \\
        h_t &= (1 - z_t)\, n_t + z_t\, h_{t-1} \end{aligned}""",
}


def section(run: Run) -> None:
    """The chosen network opened up, on the digit that is followed."""
    mine = one_network(CELLS, run)
    st.markdown(_CARRIED if mine.architecture == "lstm" else _MIXED)
    digit = followed(mine)
    halves.chosen_and_judged("Probes were fitted, and units were ordered,")
    opened: GateMeasures = result_of(GatesTask(mine))
    model = result_of(ModelTask(mine))
    unit, row = _where(model.described[0].units)
    values = DRAWINGS.get(recurrent.follow, model, digit.image)
    view = View(mine, model, opened, digit, values, unit, row)
    _worked(view)
    _heat_maps(view)
    _held(view)
    st.subheader("Gates: closed, open, or in between")
    memory.saturated(view)
    st.subheader("How long a unit remembers")
    memory.remembered(view)
    st.subheader("The state of a unit for each class")
    memory.held_by_class(view)
    st.subheader("When the digit can be recognized")
    early = st.container()
    memory.course(view)
    with early:
        memory.read_early(view)


def _where(units: int) -> tuple[int, int]:
    """The unit and the row of the sliders."""
    unit = links.integer("cell_unit", 0, units - 1, 0)
    row = links.integer("cell_row", 0, 27, 14)
    left, right = st.columns(2)
    return controls.slide(unit, "Unit", where=left), controls.slide(row, "Row", where=right)


@recorded
def _worked(view: View) -> None:
    """The formula, and the same with this digit's numbers at the chosen unit and row."""
    now = recurrent.at_row(view.values, view.unit, view.row, view.carried)
    left, right = st.columns(2)
    with left:
        before = getattr(view.run.settings, "reset", "after") == "before"
        st.latex(FORMULAS[f"{view.run.architecture}{', before' * before}"])
    with right:
        st.latex(_numbers(view.run.architecture, now))
    st.caption(
        f"Right: unit {view.unit} at row {view.row} of this digit. The state before row 0 is 0. "
        + _convention(view.run.architecture)
    )


def _convention(name: str) -> str:
    """The convention for z, in a sentence."""
    if name == "lstm":
        return "i, f and o are the input, forget and output gate, g the candidate."
    return (
        "Here z is the share of the **old** state, as in PyTorch and in Cho et al. (2014); in "
        "Chung et al. (2014) and much other code it is the share of the new candidate."
    )


def _numbers(name: str, now: Mapping[str, float]) -> str:
    """The formula with numbers in it."""
    if name == "lstm":
        return (
            rf"\begin{{aligned}} c_t &= {now['forget']:.2f} \cdot ({now['before']:.2f}) + "
            rf"{now['input']:.2f} \cdot ({now['candidate']:.2f}) = {now['cell']:.2f} \\ "
            rf"h_t &= {now['output']:.2f} \cdot \tanh({now['cell']:.2f}) = {now['hidden']:.2f} "
            r"\end{aligned}"
        )
    return (
        rf"\begin{{aligned}} r_t &= {now['reset']:.2f}, \quad n_t = {now['candidate']:.2f} \\ "
        rf"h_t &= (1 - {now['update']:.2f}) \cdot ({now['candidate']:.2f}) + {now['update']:.2f} "
        rf"\cdot ({now['before']:.2f}) = {now['hidden']:.2f} \end{{aligned}}"
    )


def _heat_maps(view: View) -> None:
    """Each layer as a heat-map whose rows are the rows of the digit."""
    order = links.one_of("cell_order", tuple(ORDERS))
    controls.pick(
        order,
        "Order of units",
        names=ORDERS.__getitem__,
        help="Row of most change: the row at which the state changes most from the previous row, "
        "mean over the discovery half; units that write early are on the left. Time constant: "
        "units that forget fastest are on the left.",
    )
    units, image = view.opened.order(order.value()), view.digit.image[0, 0].numpy()
    columns = [column for _ in view.described[::2] for column in st.columns(2)]
    for at, layer in enumerate(view.described):
        values = view.values[layer.name]
        gate, limit = layer.name in view.gates, recurrent.largest(values)
        value = f"{values[view.unit, view.row]:.2f}".replace("-", "−")
        chosen = (view.unit, view.row)
        drawn = DRAWINGS.get(_heat_map, image, values, units, not gate, limit, chosen)
        scale = "white 0, black 1" if gate else f"blue −{limit:.1f}, white 0, red {limit:.1f}"
        columns[at].image(
            drawn,
            f"{layer.name} ({layer.read}): {value} at unit {view.unit}, row {view.row}; {scale}",
            width="stretch",
            output_format="PNG",
        )
    st.caption(
        f"On the left of each picture: {view.digit.name}. Beside each of its rows, "
        f"the {len(units)} units at that row, ordered by {ORDERS[order.value()]}, the same order "
        "in all pictures. Orange: the chosen unit and row."
    )
    with st.container(horizontal=True):
        for layer in view.described:
            unit = UnitId(view.run.architecture, layer.name, view.unit)
            place.link("units", str(unit), unit=unit)


def _heat_map(
    image: NDArray[np.float32],
    values: NDArray[np.float32],
    units: NDArray[np.int64],
    signed: bool,
    limit: float,
    chosen: tuple[int, int],
) -> bytes:
    """One layer's heat-map as a PNG, no wider than Streamlit sends a picture.

    A wider one it would make narrower itself, at each run.
    """
    drawn = figures.heat_map(image, values, units, signed=signed, limit=limit, chosen=chosen)
    height, width = drawn.shape[:2]
    if width <= _WIDEST:
        return pictures.png(drawn)
    narrower = Image.fromarray(drawn).resize(
        (_WIDEST, _WIDEST * height // width), Image.Resampling.BILINEAR
    )
    return pictures.png(np.asarray(narrower))


def _held(view: View) -> None:
    """What the answer becomes when one unit's gate is held, for each unit."""
    gates = view.gates
    gate = links.one_of("cell_gate", gates, recurrent.keeping(view.model.described))
    if st.query_params.get(gate.key, gate.default) not in gates:  # of the network shown before
        links.put(cell_gate=None)
    st.markdown("**Clamp a gate and see how the answer for this digit changes**")
    controls.pick(gate, "Gate")
    _clamped(view, gate.value())
    name = f"held-{file_name(view.run)}-{gate.value()}-{view.digit.file_name}"
    download(partial(_effects, view, gate.value()), name)
    st.markdown("**Clamp a whole gate and see what accuracy remains**")
    _whole(view.opened)
    download(view.opened.held, f"held-gates-{file_name(view.run)}")


def _effects(view: View, gate: str) -> pd.DataFrame:
    """What the answer becomes with the gate of each unit clamped; the chosen unit is marked."""
    table = DRAWINGS.get(clamping.effects, view.model, view.digit.image, gate)
    table["chosen"] = table["unit"] == view.unit
    return table


@recorded
def _clamped(view: View, gate: str) -> None:
    """The chart of these effects, and in words."""
    table = _effects(view, gate)
    title = "probability of the class that the network answers"
    st.vega_lite_chart(finished_chart(figures.effects, table, title), key="held gates of the digit")
    each = [_said(part, str(hold)) for hold, part in table.groupby("hold")]
    st.caption(
        f"Each tick is one unit of {view.run.architecture}/{gate}, clamped alone at 0 or at 1 "
        f"at all rows while the network reads {view.digit.name}; the dashed line is "
        f"the answer with no gate clamped, {table['now'].iloc[0]:.1%}. Orange: unit {view.unit}. "
        f"{' '.join(each)} The other units are the control. This is the effect on a single digit."
    )


@recorded
def _whole(opened: GateMeasures) -> None:
    """What accuracy remains with all units of a gate clamped."""
    whole = opened.held
    st.dataframe(whole, hide_index=True, column_config=memory.percents(whole))
    st.caption(
        f"Accuracy with all units of a gate clamped, on {memory.HELD:,} digits of the "
        f"confirmation half; {opened.accuracy:.1%} with no gate clamped. Guessing gives "
        "about 10 %. “Mean” is each unit's mean over these digits, row by row: the gate still "
        "depends on the row, but no longer on the digit."
    )


def _said(part: pd.DataFrame, hold: str) -> str:
    """The effect of clamping the chosen unit's gate, compared with the other units, in words."""
    own, others = part[part["chosen"]].iloc[0], part[~part["chosen"]]["probability"]
    answer = "" if len(set(part["answer"])) == 1 else f" (the answer becomes {own['answer']})"
    return (
        f"{hold.capitalize()}, the probability is {own['probability']:.1%}{answer}; for the other "
        f"units the median is {others.median():.1%} and the lowest {others.min():.1%}."
    )
