"""Which mixture of experts: its settings, which are those of the address."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import streamlit as st

from core.architectures.mixture.assignment import GateAssignment
from core.architectures.mixture.networks import CHOSEN, EXPERTS, MOVED, NOISES, STILL, WEIGHTS
from core.architectures.mixture.tasks.assignment import GateAssignmentTask
from core.models.gated import Routing
from core.models.mixture import MixtureSettings
from core.runs import Run
from pages.kit import links, place
from pages.kit.controls import pick, steps
from pages.kit.waiting import result_of

__all__ = ["View", "controls"]

KINDS = {
    "One layer": MixtureSettings(),
    "Two layers, digits moved": MOVED,
    "Two layers": STILL,
}
ALL = "all"
Number = TypeVar("Number", int, float)
DEFINITIONS = {
    "experts": ("N: the number of small networks side by side. With one, the gate has no choice."),
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
    """One gate of a mixture. run: of that mixture. gate: the layer's name."""

    run: Run
    gate: str

    @property
    def gates(self) -> tuple[str, ...]:
        """The layers of all gates of the mixture, input to output."""
        return self.settings.gates

    @property
    def jittered(self) -> bool:
        """Whether the mixture learned from moved digits."""
        return bool(self.settings.jitter)

    @property
    def settings(self) -> MixtureSettings:
        """The settings of the mixture: experts, k, balance, noise."""
        return mixture_of(self.run)

    @property
    def routing(self) -> Routing:
        """How experts are chosen, and kept at work in training."""
        return self.settings.routing

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


def mixture_of(run: Run) -> MixtureSettings:
    """The settings of a run of a mixture; the default ones of other networks."""
    return run.settings if isinstance(run.settings, MixtureSettings) else MixtureSettings()


def controls(run: Run) -> View:
    """The choice of network, of its settings, and of the gate where it has two."""
    settings = mixture_of(run)
    if run.settings != settings:
        st.caption(f"{run.title} has no gate, so a mixture of experts is shown here.")
        run = run.with_network(settings)
    pick(links.Part("kind", _kind(settings), tuple(KINDS), _open_kind), "Network")
    gate = links.one_of("gate", settings.gates).value()
    if settings.layers > 1:
        pick(
            links.Part("gate", gate, settings.gates, _other_gate),
            "Gate",
            names=lambda name: f"layer {name.removeprefix('gate_')}",
            help="The first gate sees the image, the second the output of the first layer.",
        )
    else:
        _settings(settings)
    return View(run, gate)


def _kind(settings: MixtureSettings) -> str:
    """Which of the kinds it is of."""
    one, moved, still = KINDS
    if settings.layers == 1:
        return one
    return moved if settings.jitter else still


def _settings(settings: MixtureSettings) -> None:
    """The mixture's settings; others are another network in the address."""
    columns = st.columns(4)
    alone, k = settings.experts == 1, settings.chosen
    few = [of for of in CHOSEN if 0 < of < settings.experts]
    steps(
        links.Part("experts", settings.experts, _among(EXPERTS, settings.experts), _with_experts),
        "Experts",
        where=columns[0],
        help=DEFINITIONS["experts"],
    )
    pick(
        links.Part(
            "chosen", k, (*_among(few, *filter(None, [k])), 0), lambda chosen: _with(chosen=chosen)
        ),
        "Experts run per digit",
        where=columns[1],
        names=lambda k: str(k) if k else ALL,
        help=DEFINITIONS["chosen"],
    )
    steps(
        links.Part(
            "weight",
            settings.balance,
            _among(WEIGHTS, settings.balance),
            lambda weight: _with(balance=weight),
        ),
        "Balance, α",
        where=columns[2],
        names="{:g}".format,
        help=DEFINITIONS["weight"],
        disabled=alone,
    )
    pick(
        links.Part(
            "noise",
            settings.noise,
            _among(NOISES, settings.noise),
            lambda noise: _with(noise=noise),
        ),
        "Noise",
        where=columns[3],
        names="{:g}".format,
        help=DEFINITIONS["noise"],
        disabled=alone,
    )


def _among(offered: Iterable[Number], *now: Number) -> tuple[Number, ...]:
    """What is offered and what it is now, which may be another, in order."""
    return tuple(sorted(set(itertools.chain(offered, now))))


def _with(**settings: Any) -> None:
    """Write the mixture with other settings to the address."""
    _open(replace(mixture_of(place.asked()), **settings))


def _with_experts(experts: int) -> None:
    """Write the mixture with so many experts; k stays, unless that is all of them."""
    before = mixture_of(place.asked())
    _with(experts=experts, chosen=before.chosen if before.chosen < experts else 0)


def _other_gate(gate: str) -> None:
    """Another gate; the network may have been changed in the same moment, to one without it."""
    if gate in mixture_of(place.asked()).gates:
        links.put(gate=gate)


def _open_kind(kind: str) -> None:
    """Write the kind of network to the address; settings of the last kind are forgotten."""
    _open(KINDS[kind])


def _open(settings: MixtureSettings) -> None:
    """Write the network to the address."""
    links.put(**place.network(settings), gate=None)
