"""Position and class: digits moved about, and which layer's experts depend on which."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.architectures.mixture.charts import position as figures
from core.architectures.mixture.networks import MOVED
from core.architectures.mixture.position import REACH, GatePlaces, PositionSensitivity
from core.architectures.mixture.position_information import divided, factor_table
from core.architectures.mixture.tasks.position import PositionSensitivityTask
from pages.kit import links, place
from pages.kit.charts import finished_chart
from pages.kit.controls import toggle
from pages.kit.tables import column, download, file_name
from pages.kit.waiting import result_of
from pages.parts.mixture.controls import View
from pages.parts.mixture.position_digit import one_digit
from pages.parts.mixture.position_experts import experts, name_of

__all__ = ["view"]

CONTROL = links.switch("never_moved")
NAMES = {
    "class": "class",
    "place": "place",
    "down": "vertical",
    "right": "horizontal",
}
DEFINITIONS = {
    "bits": (
        "Mutual information in bits of the expert with the highest weight and the factor (plug-in "
        "estimate). At most 3.32 for classes, 3.17 for places (log₂ 9) and for either offset."
    ),
    "limit": (
        "95th percentile of this information under 200 shuffles of the experts over the digits, "
        "in bits."
    ),
    "p": "Share of shuffles with at least as much information, (1 + count) / 201.",
    "normalized": "2 bits / (entropy of the experts + entropy of the factor), 0 to 1.",
    "untrained": (
        "Normalized information of the same network before training, on the same moved digits. 0 "
        "if one expert gets them all."
    ),
    "control": (
        "Normalized information of the same architecture trained on digits that were not moved, "
        "for the same moved digits."
    ),
    "factor": (
        "class: 0 to 9. place: the cell of a 3 × 3 grid in which the offset lies; each cell spans "
        "three offsets in either direction. vertical, horizontal: the offset itself, -4 to 4 "
        "pixels. Offsets are random and independent of the class."
    ),
}


def view(view: View) -> None:
    """The answer, each gate's information, each expert's map, and one digit moved."""
    st.markdown(
        f"Each digit is moved by up to {REACH} pixels up, down, left and right, at random. **Do "
        "the experts of the first layer specialize in positions, and those of the second in "
        "classes?** Eigen, Ranzato & Sutskever (2014) observed this."
    )
    if not view.jittered:
        _never_moved(view)
    found: PositionSensitivity = result_of(PositionSensitivityTask(view.run))
    _answer(view, found)
    _information(view, found)
    experts(found)
    one_digit(view)


def _never_moved(view: View) -> None:
    """This network hasn't learned moved digits; the one that has is a click away."""
    st.info(
        f"{view.run.title} was not trained on moved digits. The experiment needs "
        "the network with two layers that was.",
        icon=":material/open_with:",
    )
    st.button(
        "Open the network trained on moved digits",
        icon=":material/arrow_forward:",
        on_click=lambda: links.put(**place.network(MOVED), view="places", gate=None),
    )


def _answer(view: View, found: PositionSensitivity) -> None:
    """Whether the layers divide place and class, in sentences with their numbers."""
    sentences = [_sentence(gate, before) for gate, before in _pairs(found)]
    division = divided(found.trained, found.untrained)
    if division is None:
        st.markdown(f"**One layer.** {sentences[0]} With one gate there are no layers to compare.")
    else:
        st.markdown(f"**{_verdict(division.where, division.what)}**\n\n- " + "\n- ".join(sentences))
    supported = (
        "“More”: the layer's normalized information about one factor exceeds that about the other "
        "(the whole 95 % interval of 200 bootstraps), that before training, and the 95th "
        "percentile under shuffling. "
    )
    shares = [
        f"{share:.1%} of moved digits classified correctly ({low:.1%} to {high:.1%})"
        if name == "moved"
        else f"{share:.1%} of digits that are not moved ({low:.1%} to {high:.1%})"
        for name, (share, low, high) in found.accuracies().items()
    ]
    st.caption(
        f"{', '.join(shares)}; {found.trained.digits:,} digits of the confirmation half, 95 % "
        f"Wilson intervals. Moving pushed {found.trained.lost:.1%} of the ink out of the image. "
        f"{supported if division else ''}One network, seed {view.run.seed}: another seed may "
        "give another division."
    )


def _verdict(where: bool, what: bool) -> str:
    """Supported, partly or not, with both halves of the claim, in a sentence."""
    first = (
        f"the experts of layer 1 {'carry' if where else 'do not carry'} more information about "
        "the place than about the class"
    )
    second = (
        f"those of layer 2 {'carry' if what else 'do not carry'} more about the class than about "
        "the place"
    )
    held = ("Not supported", "Partly supported", "Supported")[where + what]
    return f"{held}: {first}; {second}."


def _pairs(found: PositionSensitivity) -> list[tuple[GatePlaces, GatePlaces]]:
    """Each gate, trained and untrained."""
    return list(zip(found.trained.gates, found.untrained.gates, strict=True))


def _sentence(gate: GatePlaces, before: GatePlaces) -> str:
    """A gate's information about place and class, with its controls, in a sentence."""
    parts = [
        f"{gate.told[name].bits:.2f} bits about the {name} (95th percentile under shuffling: "
        f"{gate.told[name].limit:.3f}; untrained: {before.told[name].bits:.2f})"
        for name in ("place", "class")
    ]
    down, right = (gate.told[name].bits for name in ("down", "right"))
    ways = sorted([(down, "vertical"), (right, "horizontal")], reverse=True)
    more = " and ".join(f"{bits:.2f} about the {way} one" for bits, way in ways)
    return f"{name_of(gate.gate)} carries {parts[0]} and {parts[1]}. Of the two offsets: {more}."


def _information(view: View, found: PositionSensitivity) -> None:
    """A chart of each gate's information, and the table."""
    st.markdown("**Information of the expert** about each factor", help=DEFINITIONS["factor"])
    others = {"untrained": found.untrained}
    if view.jittered and _control_asked():
        control: PositionSensitivity = result_of(
            PositionSensitivityTask(view.run.with_settings(jitter=0))
        )
        others["control"] = control.trained
    table = factor_table(found.trained, **others).assign(factor=_factor)
    names = {"normalized": "trained", "untrained": "untrained", "control": "digits not moved"}
    networks = {key: name for key, name in names.items() if key in table}
    most = float(table[["shuffled", *networks]].to_numpy().max())
    columns = st.columns(2)
    for at, gate in enumerate(found.trained.gates):
        with columns[at % 2]:
            st.markdown(name_of(gate.gate))
            mine = table[table["gate"] == gate.gate]
            st.vega_lite_chart(
                finished_chart(figures.told, mine, networks, most),
                key=f"information of {gate.gate}",
            )
    st.caption(
        "Normalized mutual information of expert and factor, each digit moved once. Orange: 95th "
        "percentile under shuffling. “Digits not moved”: the same architecture, seed and "
        "training, on digits that were not moved."
        if "control" in table
        else "Normalized mutual information of expert and factor, each digit moved once. Orange: "
        "95th percentile under shuffling."
    )
    _table(view, table)


def _control_asked() -> bool:
    """Whether the network that never saw moved digits is to be compared with."""
    return toggle(
        CONTROL,
        "Compare with the same network trained on digits that are not moved (takes half a minute)",
    )


def _factor(table: pd.DataFrame) -> pd.Series[str]:
    """The column of factors with their names on the screen."""
    return table["factor"].map(NAMES)


def _table(view: View, table: pd.DataFrame) -> None:
    """All numbers, with their definitions."""
    shown = table.assign(gate=[name_of(gate) for gate in table["gate"]])
    order = ["gate", "factor", "bits", "limit", "p", "normalized", "untrained", "control"]
    titles = {"limit": "95th percentile, shuffled", "control": "digits not moved"}
    helps = {
        name: column(titles.get(name, name), about)
        for name, about in DEFINITIONS.items()
        if name in table and name != "factor"
    }
    shown = shown[[name for name in order if name in shown]]
    st.dataframe(shown, hide_index=True, column_config=helps)
    download(table, f"gating-places-{file_name(view.run)}")
