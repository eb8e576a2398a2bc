"""The networks that a mixture of experts is compared with: other settings of it, and its peers."""

from __future__ import annotations

import itertools
from dataclasses import replace

from core.models.mixture import MixtureSettings
from core.models.mlp import MLPSettings

__all__ = [
    "CHOSEN",
    "EXPERTS",
    "MOVED",
    "NOISES",
    "PEER",
    "STILL",
    "WEIGHTS",
    "alone",
    "grid",
    "over_experts",
    "over_weights",
    "with_chosen",
]

EXPERTS = (1, 2, 3, 4, 8, 16)
CHOSEN = (1, 2, 0)  # k; 0: all
WEIGHTS = (0.0, 0.01, 0.1, 1.0)  # α
NOISES = (0.0, 1.0)

PEER = MLPSettings(widths=(264,), optimizer="adam", weight_decay=0.0)  # as large as the default
STILL = MixtureSettings(layers=2, experts=4, width=64, epochs=10)
MOVED = replace(STILL, jitter=4)  # learned from moved digits


def alone(settings: MixtureSettings) -> MixtureSettings:
    """One of its experts, without others to choose from."""
    return replace(_shallow(settings), experts=1, chosen=0)


def grid(settings: MixtureSettings) -> tuple[MixtureSettings, ...]:
    """The mixture of one layer with every number of experts, k, α and noise above, each once."""
    found = []
    for experts, chosen, weight, noise in itertools.product(EXPERTS, CHOSEN, WEIGHTS, NOISES):
        if chosen < experts:
            values = {"experts": experts, "chosen": chosen, "balance": weight, "noise": noise}
            found.append(replace(_shallow(settings), **values))  # type: ignore[arg-type]
    return tuple(dict.fromkeys(found))


def with_chosen(settings: MixtureSettings, k: int) -> MixtureSettings:
    """The same mixture with k experts run, 0 for all, and enough experts for it."""
    return replace(settings, experts=max(settings.experts, k + 1), chosen=k)


def over_weights(settings: MixtureSettings) -> tuple[MixtureSettings, ...]:
    """The same mixture with every α; one expert has nothing to balance."""
    if settings.experts == 1:
        return (settings,)
    return tuple(replace(settings, balance=weight) for weight in WEIGHTS)


def over_experts(settings: MixtureSettings) -> tuple[MixtureSettings, ...]:
    """The same k, α and noise with every number of experts of which k can be chosen."""
    found = []
    for experts in EXPERTS:
        if not settings.chosen or experts == 1:
            found.append(replace(settings, experts=experts, chosen=0))
        elif settings.chosen < experts:
            found.append(replace(settings, experts=experts))
    return tuple(found)


def _shallow(settings: MixtureSettings) -> MixtureSettings:
    """The settings of a mixture of one layer; the default ones for a mixture of two."""
    return settings if settings.layers == 1 else MixtureSettings()
