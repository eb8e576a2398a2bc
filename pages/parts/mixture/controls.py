"""Which mixture of experts: its settings are its name, which is the model of the address."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from core.architectures.mixture.tasks import Taken, Taking
from core.models.gated import Gated, Routing
from core.models.mixture import CHOSEN, EXPERTS, NOISES, WEIGHTS, Mixture, name_of
from core.models.registry import MODELS
from core.runs import Choice
from pages.kit import links, place
from pages.kit.controls import pick, steps
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
    pick(links.Part("kind", kind, tuple(KINDS), _open), "Network", names=KINDS.__getitem__)
    gate = links.one_of("gate", mixture.gates).value()
    if len(mixture.gates) > 1:
        pick(
            links.Part("gate", gate, mixture.gates, _other_gate),
            "Gate",
            names=lambda name: f"layer {name.removeprefix('gate_')}",
            help="The first gate sees the image, the second the output of the first layer.",
        )
    elif kind == "mixture":
        _settings(mixture.routing)
    return View(choice, gate)


def _settings(routing: Routing) -> None:
    """Sliders for the mixture's settings; another setting is another model of the address."""
    first, second, third, fourth = st.columns(4)
    alone = routing.experts == 1
    chosen = [str(k) for k in CHOSEN if k is not None and k < routing.experts]
    steps(
        links.Part("experts", routing.experts, EXPERTS, _with_experts),
        "Experts",
        where=first,
        help=DEFINITIONS["experts"],
    )
    pick(
        links.Part("chosen", ALL if routing.dense else str(routing.k), (*chosen, ALL), _with_k),
        "Experts run per digit",
        where=second,
        help=DEFINITIONS["chosen"],
    )
    steps(
        links.Part("weight", routing.weight, WEIGHTS, lambda weight: _with(weight=weight)),
        "Balance, α",
        where=third,
        names="{:g}".format,
        help=DEFINITIONS["weight"],
        disabled=alone,
    )
    pick(
        links.Part("noise", routing.noise, NOISES, lambda noise: _with(noise=noise)),
        "Noise",
        where=fourth,
        names="{:g}".format,
        help=DEFINITIONS["noise"],
        disabled=alone,
    )


def _with(**settings: Any) -> None:
    """Write the mixture with other settings to the address."""
    _open(name_of(replace(routing_of(place.asked().model), **settings)))


def _with_experts(experts: int) -> None:
    """Write the mixture with so many experts; k stays, unless that is all of them."""
    before = routing_of(place.asked().model)
    if 1 in (experts, before.experts):  # one has no settings that another number could keep
        _open(name_of(Routing(experts)))
        return
    _with(experts=experts, chosen=None if before.dense or before.k >= experts else before.k)


def _with_k(chosen: str) -> None:
    """Write the mixture that runs so many experts for a digit."""
    _with(chosen=None if chosen == ALL else int(chosen))


def _other_gate(gate: str) -> None:
    """Another gate; the network may have been changed in the same moment, to one without it."""
    if gate in mixture_of(place.asked().model).gates:
        links.put(gate=gate)


def _open(model: str) -> None:
    """Write the kind of network to the address; settings of the last kind are forgotten."""
    links.put(model=model, gate=None)
