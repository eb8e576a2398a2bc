"""Each expert's share of digits, as a map over places and as bars over classes."""

from __future__ import annotations

import streamlit as st

from core.architectures.mixture.charts import position as figures
from core.architectures.mixture.position import REACH, ROUNDS, GatePlaces, PositionSensitivity
from pages.kit.charts import finished_chart
from pages.kit.recorded import recorded

__all__ = ["experts", "name_of"]


def name_of(gate: str) -> str:
    """The name of a gate on the screen."""
    return f"Layer {gate.removeprefix('gate_')}" if "_" in gate else "The gate"


@recorded
def experts(found: PositionSensitivity) -> None:
    """All experts of all gates, on one scale."""
    st.subheader("Each expert, by place and by class")
    most = max(float(max(of.offsets.max(), of.of_classes.max())) for of in found.trained.gates)
    for gate in found.trained.gates:
        _experts(gate, most)
    _maps_caption(found, most)


def _experts(gate: GatePlaces, most: float) -> None:
    """A map over places and bars over classes for each expert of a gate."""
    st.markdown(f"**{name_of(gate.gate)}**")
    with st.container(horizontal=True):
        for expert in range(gate.experts):
            load = float(gate.load[expert])
            chart = finished_chart(
                figures.expert,
                gate.offsets[expert],
                gate.of_classes[expert],
                load,
                most,
                f"expert {expert}, {load:.0%}",
            )
            st.vega_lite_chart(chart, width="content", key=f"places of {gate.gate} {expert}")


def _maps_caption(found: PositionSensitivity, most: float) -> None:
    """How to read the maps."""
    fewest = int(found.trained.gates[0].counts.sum(0).min())
    st.caption(
        "Maps: the share of the digits at each offset that the expert receives, from top left to "
        f"bottom right, -{REACH} to {REACH} pixels; white 0, full orange {most:.0%}, on all maps. "
        f"Bars: the share of each class's digits that it receives, 0 to {most:.0%}; dashed: its "
        "share of all digits. An expert for positions has a patch in its map and equal bars; one "
        f"for classes has a uniform map and unequal bars. Each digit is moved {ROUNDS} times, "
        f"with at least {fewest} per offset."
    )
