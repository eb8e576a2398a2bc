"""RETIRED: names that were settings, until every task and page says architecture and settings.

This whole module goes, with the lines of `core.models.registry` that say RETIRED.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from core.models.attention import AttentionSettings
from core.models.capsules import CapsulesSettings
from core.models.gated import Routing
from core.models.gru import GRUSettings
from core.models.lstm import LSTMSettings
from core.models.mixture import MixtureSettings
from core.models.mlp import MLPSettings
from core.models.multitask import MultitaskSettings
from core.models.settings import Settings

__all__ = ["CHOSEN", "EXPERTS", "LISTED", "NOISES", "PEER", "RETIRED", "WEIGHTS", "gates_of",
           "name_of", "routing_of", "variants"]  # fmt: skip

EXPERTS = (1, 2, 3, 4, 8, 16)
CHOSEN = (1, 2, None)  # None: all
WEIGHTS = (0.0, 0.01, 0.1, 1.0)  # α
NOISES = (0.0, 1.0)
PEER = "mixture_peer"


@dataclass(frozen=True)
class Retired:
    """A name that was settings of an architecture."""

    settings: Settings
    title: str


def name_of(routing: Routing) -> str:
    """What the mixture with this routing was called; α is given in hundredths."""
    if routing == Routing():
        return "mixture"
    if routing.experts == 1:
        return "mixture_n1"
    chosen = "all" if routing.dense else routing.k
    still = "" if routing.noise else "_still"
    return f"mixture_n{routing.experts}_k{chosen}_a{round(100 * routing.weight)}{still}"


def variants() -> dict[str, Routing]:
    """Every mixture of one layer that the settings above allow, by name, the default first."""
    found = {"mixture": Routing()}
    for experts, chosen, weight, noise in itertools.product(EXPERTS, CHOSEN, WEIGHTS, NOISES):
        if chosen is not None and chosen >= experts:  # all of them, which is a variant already
            continue
        routing = Routing(experts, chosen=chosen, weight=weight, noise=noise)
        found.setdefault(name_of(routing), routing)
    return found


def routing_of(name: str) -> Routing | None:
    """The routing of a mixture by its name; None for other models."""
    if name == "mixture":
        return Routing()
    settings = RETIRED[name].settings if name in RETIRED else None
    return settings.routing if isinstance(settings, MixtureSettings) else None


def gates_of(name: str) -> tuple[str, ...]:
    """The layers of gates of a mixture, of the default one for other models."""
    deep = name in ("mixture_deep", "mixture_jittered")
    return ("gate_1", "gate_2") if deep else ("gate",)


def _mixture(routing: Routing) -> Retired:
    """The mixture with this routing."""
    chosen = "all" if routing.dense else f"top {routing.k}"
    noise = "" if routing.noise else ", no noise"
    told = f"{chosen} of {routing.experts}, α {routing.weight:g}{noise}"
    settings = MixtureSettings(
        experts=routing.experts,
        chosen=routing.chosen or 0,
        balance=routing.weight,
        noise=routing.noise,
    )
    return Retired(
        settings, f"Mixture of experts, {'one expert' if routing.experts == 1 else told}"
    )


_DEEP = {"layers": 2, "experts": 4, "width": 64, "epochs": 10}

RETIRED: Mapping[str, Retired] = MappingProxyType(
    {
        "lstm_shuffled": Retired(LSTMSettings(shuffled=True), "LSTM, rows shuffled"),
        "gru_shuffled": Retired(GRUSettings(shuffled=True), "GRU, rows shuffled"),
        "gru_before": Retired(GRUSettings(reset="before"), "GRU, reset before the product"),
        "gru_before_shuffled": Retired(
            GRUSettings(reset="before", shuffled=True),
            "GRU, reset before the product, rows shuffled",
        ),
        "attention_unplaced": Retired(
            AttentionSettings(positions=False), "Self-attention without positions"
        ),
        "capsules_uniform": Retired(CapsulesSettings(iterations=1), "Capsules without routing"),
        "multitask_digit": Retired(MultitaskSettings(tasks="digit"), "Multi-task, digit alone"),
        "multitask_slant": Retired(MultitaskSettings(tasks="slant"), "Multi-task, slant alone"),
        **{name: _mixture(routing) for name, routing in variants().items() if name != "mixture"},
        PEER: Retired(
            MLPSettings(widths=(264,), optimizer="adam", weight_decay=0.0),
            "Perceptron of a mixture's size",
        ),
        "mixture_deep": Retired(
            MixtureSettings(**_DEEP),  # type: ignore[arg-type]
            "Mixture of experts, two layers",
        ),
        "mixture_jittered": Retired(
            MixtureSettings(**_DEEP, jitter=4),  # type: ignore[arg-type]
            "Mixture of experts, two layers, jittered digits",
        ),
    }
)

LISTED = (
    *("lenet5", "simple_cnn", "mlp", "lstm", "gru", "gru_before", "attention", "capsules"),
    *("multitask", "pairs", "rbf", "som", "mixture", "mixture_jittered"),
)
