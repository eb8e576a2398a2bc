"""Which mixture of experts: its settings are its name, which is the model of the address."""

from __future__ import annotations

from dataclasses import dataclass, replace

import streamlit as st

from core.architectures.mixture.tasks import Taken, Taking
from core.models.gated import Gated, Routing
from core.models.mixture import CHOSEN, EXPERTS, NOISES, WEIGHTS, Mixture, name_of
from core.models.registry import MODELS
from core.runs import Choice
from pages.kit import links, place
from pages.kit.waiting import result_of

__all__ = ["ALL", "View", "controls", "routing_of"]

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
    def mixture(self) -> type[Gated]:
        """The class of the mixture, with its settings."""
        return mixture_of(self.choice.model)

    @property
    def routing(self) -> Routing:
        """The settings of the mixture: experts, k, balance, noise."""
        return self.mixture.routing

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


def mixture_of(model: str) -> type[Gated]:
    """The architecture of a model that has gates; of the default mixture for any other."""
    architecture = MODELS[model].architecture
    return architecture if issubclass(architecture, Gated) else Mixture


def routing_of(model: str) -> Routing:
    """The settings of a mixture."""
    return mixture_of(model).routing


def controls(choice: Choice) -> View:
    """The choice of network, of its settings, and of the gate where it has two."""
    mixture = mixture_of(choice.model)
    if mixture.name != choice.model:
        st.caption(
            f"{MODELS[choice.model].title} has no gate, so a mixture of experts is shown here."
        )
    choice = replace(choice, model=mixture.name)
    kind = choice.model if choice.model in KINDS else "mixture"
    _show("kind", kind)
    st.segmented_control(
        "Network", list(KINDS), key="kind", on_change=_other_kind, format_func=KINDS.__getitem__
    )
    gate = links.one_of("gate", mixture.gates)
    if len(mixture.gates) > 1:
        gate.shown()
        st.segmented_control(
            "Gate",
            mixture.gates,
            key=gate.key,
            on_change=_other_gate,
            format_func=lambda name: f"layer {name.removeprefix('gate_')}",
            help="The first gate sees the image, the second the output of the first layer.",
        )
    elif kind == "mixture":
        _settings(mixture.routing)
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
    state, before = st.session_state, routing_of(place.asked().model)
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
    if picked in mixture_of(place.asked().model).gates:
        links.put(gate=picked)


def _other_kind() -> None:
    """Write the kind of network to the address; settings of the last kind are forgotten."""
    picked = st.session_state["kind"]
    if picked is not None:
        links.put(model=picked, gate=None)
