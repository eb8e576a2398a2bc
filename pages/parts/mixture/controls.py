"""Which mixture of experts: its settings are its name, which is the model of the address."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from core.architectures.mixture.assignment import GateAssignment
from core.architectures.mixture.tasks.assignment import GateAssignmentTask
from core.models.gated import Routing
from core.models.registry import title
from core.models.retired import CHOSEN, EXPERTS, NOISES, WEIGHTS, gates_of, name_of, routing_of
from core.runs import Run
from pages.kit import links, place
from pages.kit.controls import pick, steps
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

    run: Run
    gate: str

    @property
    def gates(self) -> tuple[str, ...]:
        """The layers of all gates of the mixture, input to output."""
        return gates_of(self.run.model)

    @property
    def jittered(self) -> bool:
        """Whether the mixture learned from moved digits."""
        return self.run.model == "mixture_jittered"

    @property
    def routing(self) -> Routing:
        """The settings of the mixture: experts, k, balance, noise."""
        return routing_of(self.run.model) or Routing()

    @property
    def suffix(self) -> str:
        """What the names of this gate's layers end in: "" of one layer, "_1" or "_2" of two."""
        return self.gate.removeprefix("gate")

    @property
    def layer(self) -> str:
        """Of which layer the experts are, for sentences: empty where there is only one."""
        return f" of layer {self.suffix[1:]}" if self.suffix else ""

    def taken(self) -> GateAssignment:
        """The gate's assignment of digits to experts; until it is known, a view of the work."""
        found: GateAssignment = result_of(GateAssignmentTask(self.run, self.gate))
        return found


def controls(run: Run) -> View:
    """The choice of network, of its settings, and of the gate where it has two."""
    routing = routing_of(run.model)
    if routing is None:
        st.caption(f"{title(run.model)} has no gate, so a mixture of experts is shown here.")
        run, routing = replace(run, model="mixture"), Routing()
    kind = run.model if run.model in KINDS else "mixture"
    pick(links.Part("kind", kind, tuple(KINDS), _open), "Network", names=KINDS.__getitem__)
    gates = gates_of(run.model)
    gate = links.one_of("gate", gates).value()
    if len(gates) > 1:
        pick(
            links.Part("gate", gate, gates, _other_gate),
            "Gate",
            names=lambda name: f"layer {name.removeprefix('gate_')}",
            help="The first gate sees the image, the second the output of the first layer.",
        )
    elif kind == "mixture":
        _settings(routing)
    return View(run, gate)


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
    _open(name_of(replace((routing_of(place.asked().model) or Routing()), **settings)))


def _with_experts(experts: int) -> None:
    """Write the mixture with so many experts; k stays, unless that is all of them."""
    before = routing_of(place.asked().model) or Routing()
    if 1 in (experts, before.experts):  # one has no settings that another number could keep
        _open(name_of(Routing(experts)))
        return
    _with(experts=experts, chosen=None if before.dense or before.k >= experts else before.k)


def _with_k(chosen: str) -> None:
    """Write the mixture that runs so many experts for a digit."""
    _with(chosen=None if chosen == ALL else int(chosen))


def _other_gate(gate: str) -> None:
    """Another gate; the network may have been changed in the same moment, to one without it."""
    if gate in gates_of(place.asked().model):
        links.put(gate=gate)


def _open(model: str) -> None:
    """Write the kind of network to the address; settings of the last kind are forgotten."""
    links.put(model=model, gate=None)
