"""Which mixture of experts: its settings are its name, which is the model of the address."""

from __future__ import annotations

from dataclasses import dataclass, replace

import streamlit as st

from core.architectures.mixture.tasks import Taken, Taking
from core.models.gated import Routing
from core.models.registry import title
from core.models.retired import CHOSEN, EXPERTS, NOISES, WEIGHTS, gates_of, name_of, routing_of
from core.runs import Choice
from pages.kit import links, place
from pages.kit.waiting import result_of

__all__ = ["ALL", "View", "controls"]

KINDS = {
    "mixture": "One layer",
    "mixture_jittered": "Two layers, digits moved",
    "mixture_deep": "Two layers",
}
ALL = "all"
DEFINITIONS = {
    "experts": (
        "N: the number of parallel networks 784 → 32 → 10. With one, the gate has no choice."
    ),
    "chosen": (
        "k: how many experts are run for a digit, those with the highest scores. All: a dense "
        "gate, which saves no computation."
    ),
    "weight": (
        "α: how strongly training keeps all experts active, loss = cross-entropy + α "
        "(CV²(importance) + CV²(load)) (Shazeer et al. 2017). At 0 nothing does."
    ),
    "noise": (
        "Standard deviation of the noise on the gate's scores in training, so that unused experts "
        "are tried again. No noise is added when the network is used."
    ),
}


@dataclass(frozen=True)
class View:
    """One gate of a mixture. choice: with that mixture as its model. gate: the layer's name."""

    choice: Choice
    gate: str

    @property
    def gates(self) -> tuple[str, ...]:
        """The layers of all gates of the mixture, input to output."""
        return gates_of(self.choice.model)

    @property
    def jittered(self) -> bool:
        """Whether the mixture learned from moved digits."""
        return self.choice.model == "mixture_jittered"

    @property
    def routing(self) -> Routing:
        """The settings of the mixture: experts, k, balance, noise."""
        return routing_of(self.choice.model) or Routing()

    @property
    def suffix(self) -> str:
        """What the names of this gate's layers end in: "" of one layer, "_1" or "_2" of two."""
        return self.gate.removeprefix("gate")

    @property
    def layer(self) -> str:
        """Of which layer the experts are, for sentences: empty where there is only one."""
        return f" of layer {self.suffix[1:]}" if self.suffix else ""

    def taken(self) -> Taken:
        """The gate's assignment of digits to experts; until it is known, a view of the work."""
        found: Taken = result_of(Taking(self.choice, self.gate))
        return found

    def address(self) -> dict[str, object]:
        """The model and the gate, as they stand in a link."""
        return {"model": self.choice.model, "gate": self.gate}


def controls(choice: Choice) -> View:
    """The choice of network, of its settings, and of the gate where it has two."""
    routing = routing_of(choice.model)
    if routing is None:
        st.caption(f"{title(choice.model)} has no gate, so a mixture of experts is shown here.")
        choice, routing = replace(choice, model="mixture"), Routing()
    kind = choice.model if choice.model in KINDS else "mixture"
    _show("kind", kind)
    st.segmented_control(
        "Network", list(KINDS), key="kind", on_change=_other_kind, format_func=KINDS.__getitem__
    )
    gates = gates_of(choice.model)
    gate = links.one_of("gate", gates)
    if len(gates) > 1:
        gate.shown()
        st.segmented_control(
            "Gate",
            gates,
            key=gate.key,
            on_change=_other_gate,
            format_func=lambda name: f"layer {name.removeprefix('gate_')}",
            help="The first gate sees the image, the second the output of the first layer.",
        )
    elif kind == "mixture":
        _settings(routing)
    return View(choice, gate.value())


def _settings(routing: Routing) -> None:
    """Sliders for the mixture's settings; another setting is another model of the address."""
    first, second, third, fourth = st.columns(4)
    _show("experts", routing.experts)
    _show("chosen", ALL if routing.dense else str(routing.k))
    _show("weight", routing.weight)
    _show("noise", routing.noise)
    first.select_slider(
        "Experts", EXPERTS, key="experts", on_change=_set, help=DEFINITIONS["experts"]
    )
    alone = routing.experts == 1
    chosen = [str(k) for k in CHOSEN if k is not None and k < routing.experts]
    second.segmented_control(
        "Experts run per digit",
        [*chosen, ALL],
        key="chosen",
        on_change=_set,
        help=DEFINITIONS["chosen"],
    )
    third.select_slider(
        "Balance, α",
        WEIGHTS,
        key="weight",
        on_change=_set,
        help=DEFINITIONS["weight"],
        format_func="{:g}".format,
        disabled=alone,
    )
    fourth.segmented_control(
        "Noise",
        NOISES,
        key="noise",
        on_change=_set,
        help=DEFINITIONS["noise"],
        format_func="{:g}".format,
        disabled=alone,
    )


def _show(key: str, value: object) -> None:
    """Make the widget of this key show the value."""
    if st.session_state.get(key) != value:
        st.session_state[key] = value


def _set() -> None:
    """Write the model with the settings shown to the address."""
    state, before = st.session_state, routing_of(place.asked().model) or Routing()
    if before.experts == 1:  # it has no settings that another number could keep
        links.put(model=name_of(Routing(int(state["experts"]))), gate=None)
        return
    experts, weight = int(state["experts"]), float(state["weight"])
    chosen, noise = state["chosen"] or ALL, state["noise"]
    k = None if chosen == ALL or int(chosen) >= experts else int(chosen)
    # a button pressed again is let go: then noise is as before
    noise = before.noise if noise is None else noise
    settings = {"chosen": k, "weight": weight, "noise": noise} if experts > 1 else {}
    links.put(model=name_of(Routing(experts, **settings)), gate=None)  # type: ignore[arg-type]


def _other_gate() -> None:
    """Another gate; the network may have been changed in the same moment, to one without it."""
    picked = st.session_state["gate"]
    if picked in gates_of(place.asked().model):
        links.put(gate=picked)


def _other_kind() -> None:
    """Write the kind of network to the address; settings of the last kind are forgotten."""
    picked = st.session_state["kind"]
    if picked is not None:
        links.put(model=picked, gate=None)
