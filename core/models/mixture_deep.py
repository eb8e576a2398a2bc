"""Two layers of experts, for digits that are moved about: where first, what then?

Eigen, Ranzato & Sutskever (2014, arXiv:1312.4314) saw the experts of the first layer divide the
places of jittered digits among themselves, and those of the second the classes.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from core.models.gated import Gated, Routing, Trace, gate_layers, run_chosen, weighed
from core.models.inspectable import Layer, Tap
from core.models.settings import DIGITS, DataFormat

__all__ = ["GATE_UNITS", "DeepMixture", "layers_of"]

GATE_UNITS = 32  # of a gate's hidden layer


def layers_of(routing: Routing, data: DataFormat = DIGITS) -> tuple[Layer, ...]:
    """The network's layers: scores, gate and experts of both layers, and the logits."""
    first, second = gate_layers(routing, "_1"), gate_layers(routing, "_2")
    return (*first, *second, Layer("logits", data.classes, rectified=False))


class DeepMixture(Gated):
    """Two layers of experts, each with a gate of its own (Eigen, Ranzato & Sutskever 2014).

        x -> g₁, 4 experts 784 -> 64    u = Σ g₁ₑ max(0, W₁ₑ x + b₁ₑ)
        u -> g₂, 4 experts 64 -> 64     v = Σ g₂ₑ max(0, W₂ₑ u + b₂ₑ)
        logits = Wv + b

    Each gate is a network with a hidden layer of 32 units. An image has 16 ways through.
    """

    name = "mixture"
    gates = ("gate_1", "gate_2")

    def __init__(self, routing: Routing, jitter: int = 0, data: DataFormat = DIGITS) -> None:
        super().__init__()
        self.routing, self.jitter, self.described = routing, jitter, layers_of(routing, data)
        of = routing
        self.asked_1, self.asked_2 = _gate(data.pixels, of.experts), _gate(of.width, of.experts)
        self.experts_1 = nn.Linear(data.pixels, of.experts * of.width)
        self.experts_2 = nn.Linear(of.width, of.experts * of.width)
        self.scores_1, self.gate_1, self.hidden_1 = Tap(), Tap(), Tap()
        self.scores_2, self.gate_2, self.hidden_2 = Tap(), Tap(), Tap()
        self.logits = nn.Linear(of.width, data.classes)

    def trace(self, images: Tensor, chance: torch.Generator | None = None) -> Trace:
        """Both decisions, and what is made of the second layer's sum."""
        x, dense = images.flatten(1), self.routing.dense
        first = self._decided(self.scores_1(self.asked_1(x)), self.gate_1, chance)
        hidden = self.hidden_1(run_chosen(self.experts_1, x, first.weights, dense))
        u = weighed(hidden, first.weights).sum(1)
        second = self._decided(self.scores_2(self.asked_2(u)), self.gate_2, chance)
        hidden = self.hidden_2(run_chosen(self.experts_2, u, second.weights, dense))
        v = weighed(hidden, second.weights).sum(1)
        return Trace((first, second), self.logits(v))


def _gate(features: int, experts: int) -> nn.Module:
    """A gate with a hidden layer: features -> 32 -> experts."""
    return nn.Sequential(nn.Linear(features, GATE_UNITS), nn.ReLU(), nn.Linear(GATE_UNITS, experts))
