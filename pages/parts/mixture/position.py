"""Where and what: digits moved about, and which layer tells places and which classes."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import streamlit as st

from core.architectures.mixture.charts import position as figures
from core.architectures.mixture.position import REACH, GatePlaces
from core.architectures.mixture.position_information import divided, factor_table
from core.architectures.mixture.tasks.position import Moved, Moving
from core.models.registry import MODELS
from pages.kit import links
from pages.kit.charts import finished_chart
from pages.kit.tables import column, download, file_name
from pages.kit.waiting import result_of
from pages.parts.mixture.controls import View
from pages.parts.mixture.position_digit import one_digit
from pages.parts.mixture.position_experts import experts, name_of

__all__ = ["view"]

MOVED, STILL = "mixture_jittered", "mixture_deep"
CONTROL = links.one_of("never_moved", ("no", "yes"))
NAMES = {
    "class": "class",
    "place": "place",
    "down": "vertical",
    "right": "horizontal",
}
DEFINITIONS = {
    "bits": (
        "Mutual information in bits of the expert with the highest weight and the factor, plug-in. "
        "At most 3.32 for classes, 3.17 for places (log₂ 9) and for either offset."
    ),
    "limit": "95 % of 200 shuffles of the experts over the digits share at most so many bits.",
    "p": "How many shuffles share as much, (1 + count) / 201.",
    "normalized": "2 bits / (entropy of the experts + entropy of the factor), 0 to 1.",
    "untrained": (
        "Normalized, of the same network before training, on the same moved digits. 0 where one "
        "expert takes them all."
    ),
    "control": (
        "Normalized, of the same architecture that learned from digits as they are, on the same "
        "moved digits."
    ),
    "factor": (
        "class: 0 to 9. place: the cell of 3 × 3 in which the offset lies, of three offsets each "
        "way. vertical, horizontal: the offset itself, -4 to 4 pixels. Offsets are drawn without "
        "regard to the class."
    ),
}


def view(view: View) -> None:
    """The answer, what each gate tells, each expert's map, and one digit moved."""
    st.markdown(
        f"Each digit is moved by up to {REACH} pixels up, down, left and right, at random. **Does "
        "the first layer of experts divide the places, and the second the classes?** Eigen, "
        "Ranzato & Sutskever (2014) saw that."
    )
    if view.choice.model != MOVED:
        _never_moved(view)
    found: Moved = result_of(Moving(view.choice))
    _answer(view, found)
    _told(view, found)
    experts(found)
    one_digit(view)


def _never_moved(view: View) -> None:
    """This network hasn't learned moved digits; the one that has is a click away."""
    st.info(
        f"{MODELS[view.choice.model].title} never saw a moved digit in training: it is asked about "
        "digits that it has not learned. The experiment is made with two layers that learned from "
        "moved digits.",
        icon=":material/open_with:",
    )
    st.button(
        "Open the network that learned from moved digits",
        icon=":material/arrow_forward:",
        on_click=lambda: links.put(model=MOVED, view="places", gate=None),
    )


def _answer(view: View, found: Moved) -> None:
    """What the numbers say, in sentences."""
    told = [_sentence(gate, before) for gate, before in _pairs(found)]
    division = divided(found.trained, found.untrained)
    if division is None:
        st.markdown(f"**One layer.** {told[0]} With one gate there is nothing to divide.")
    else:
        st.markdown(f"**{_verdict(division.where, division.what)}**\n\n- " + "\n- ".join(told))
    supported = (
        "“Tells more”: the layer's normalized information with the one factor is above that with "
        "the other (by all of the 95 % interval of 200 bootstraps), above that before training, "
        "and above 95 % of shuffles. "
    )
    shares = [
        f"{share:.1%} of moved digits told right ({low:.1%} to {high:.1%})"
        if name == "moved"
        else f"{share:.1%} of digits as they are ({low:.1%} to {high:.1%})"
        for name, (share, low, high) in found.accuracies().items()
    ]
    st.caption(
        f"{', '.join(shares)}; {found.trained.digits:,} digits of the confirmation half, Wilson's "
        f"95 % intervals. Moving pushed {found.trained.lost:.1%} of the ink out of the image. "
        f"{supported if division else ''}One network, seed {view.choice.seed}: another seed may "
        "divide otherwise."
    )


def _verdict(where: bool, what: bool) -> str:
    """Which half of it holds."""
    first = f"layer 1 {'tells' if where else 'does not tell'} more of the place than of the class"
    second = f"layer 2 {'tells' if what else 'does not tell'} more of the class than of the place"
    held = ("Not supported", "Half supported", "Supported")[where + what]
    return f"{held}: {first}; {second}."


def _pairs(found: Moved) -> list[tuple[GatePlaces, GatePlaces]]:
    """Each gate, trained and untrained."""
    return list(zip(found.trained.gates, found.untrained.gates, strict=True))


def _sentence(gate: GatePlaces, before: GatePlaces) -> str:
    """What a gate tells, beside shuffles and the network before training."""
    parts = [
        f"{gate.told[name].bits:.2f} bit of the {name} (95 % of shuffles at most "
        f"{gate.told[name].limit:.3f}, untrained {before.told[name].bits:.2f})"
        for name in ("place", "class")
    ]
    down, right = (gate.told[name].bits for name in ("down", "right"))
    ways = sorted([(down, "vertical"), (right, "horizontal")], reverse=True)
    more = " and ".join(f"{bits:.2f} of the {way}" for bits, way in ways)
    return f"{name_of(gate.gate)} tells {parts[0]} and {parts[1]}; of the offsets, {more}."


def _told(view: View, found: Moved) -> None:
    """A chart for each gate, and the table."""
    st.markdown("**What the expert tells** of each factor", help=DEFINITIONS["factor"])
    others = {"untrained": found.untrained}
    if view.choice.model == MOVED and _control_asked():
        control: Moved = result_of(Moving(replace(view.choice, model=STILL)))
        others["control"] = control.trained
    table = factor_table(found.trained, **others).assign(factor=_factor)
    names = {"normalized": "trained", "untrained": "untrained", "control": "never saw moves"}
    networks = {key: name for key, name in names.items() if key in table}
    most = float(table[["shuffled", *networks]].to_numpy().max())
    columns = st.columns(2)
    for at, gate in enumerate(found.trained.gates):
        with columns[at % 2]:
            st.markdown(name_of(gate.gate))
            mine = table[table["gate"] == gate.gate]
            st.vega_lite_chart(
                finished_chart(figures.told, mine, networks, most), key=f"told by {gate.gate}"
            )
    st.caption(
        "Normalized mutual information of expert and factor, on one move of each digit. Orange: "
        "95 % of shuffles are below. “Never saw moves”: the same architecture, seed and training, "
        "digits as they are."
        if "control" in table
        else "Normalized mutual information of expert and factor, on one move of each digit. "
        "Orange: 95 % of shuffles are below."
    )
    _table(view, table)


def _control_asked() -> bool:
    """Whether the network that never saw moved digits is to be compared with."""
    CONTROL.shown()
    st.segmented_control(
        "Compare with the same network, digits never moved in training (half a minute)",
        ["no", "yes"],
        key=CONTROL.key,
        on_change=CONTROL.changed,
    )
    return CONTROL.value() == "yes"


def _factor(table: pd.DataFrame) -> pd.Series[str]:
    """The factors in words."""
    return table["factor"].map(NAMES)


def _table(view: View, table: pd.DataFrame) -> None:
    """All numbers, with their definitions."""
    shown = table.assign(gate=[name_of(gate) for gate in table["gate"]])
    order = ["gate", "factor", "bits", "limit", "p", "normalized", "untrained", "control"]
    titles = {"limit": "95 % of shuffles", "control": "never saw moves"}
    helps = {
        name: column(titles.get(name, name), about)
        for name, about in DEFINITIONS.items()
        if name in table and name != "factor"
    }
    shown = shown[[name for name in order if name in shown]]
    st.dataframe(shown, hide_index=True, column_config=helps)
    download(table, f"gating-places-{file_name(view.choice)}")
