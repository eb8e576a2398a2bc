"""A mixture of experts: small networks side by side, and a gate that weighs them for each digit.

    z = Wx + b                                         the gate's scores
    g = weigh(z)                                       its weights, see `core.models.gates`
    h_e = max(0, W_e x + b_e)    y_e = V_e h_e + c_e   expert e of N
    logits = Σ_e g_e y_e

Jacobs, Jordan, Nowlan & Hinton (1991, Neural Computation 3:79). Who answers for which digits is
written nowhere: it shows in the weights of the gate.
"""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from core.models.gated import Chosen, Gated, Routing, Trace, gate_layers, weighed
from core.models.inspectable import Inspectable, Layer, Stages, Tap

__all__ = [
    "CHOSEN",
    "EXPERTS",
    "NOISES",
    "WEIGHTS",
    "Mixture",
    "MixturePeer",
    "name_of",
    "variants",
]

PIXELS, CLASSES = 28 * 28, 10


class Mixture(Gated):
    """Eight experts 784 -> 32 -> 10 and a linear gate 784 -> 8; 209,880 parameters.

    All experts are run and their logits blended, as in the course module. Unlike there, the loss
    keeps all of them at work.
    """

    name = "mixture"
    routing = Routing()
    gates = ("gate",)
    described = (*gate_layers(routing), Layer("logits", CLASSES, rectified=False))

    def __init__(self) -> None:
        super().__init__()
        of = self.routing
        self.of_image = nn.Linear(PIXELS, of.experts)  # W of the gate
        self.scores, self.gate, self.hidden = Tap(), Tap(), Tap()
        self.of_experts = nn.Linear(PIXELS, of.experts * of.width)  # W_e and b_e
        answers = [nn.Linear(of.width, CLASSES) for _ in range(of.experts)]
        self.answer = nn.Parameter(torch.stack([each.weight.detach().T for each in answers]))
        self.bias = nn.Parameter(torch.stack([each.bias.detach() for each in answers]))
        self.logits = Tap()

    def trace(self, images: Tensor, chance: torch.Generator | None = None) -> Trace:
        """The gate's decision and the blend of the answers."""
        inputs = images.flatten(1)
        gate = self._decided(self.scores(self.of_image(inputs)), self.gate, chance)
        if self.routing.dense:
            hidden = weighed(self.hidden(self.of_experts(inputs)), gate.weights)
            answers = hidden.flatten(1) @ self.answer.flatten(0, 1)
        else:
            chosen = Chosen(gate.weights)
            answers = chosen.blend(self.hidden(chosen.run(self.of_experts, inputs)), self.answer)
        return Trace((gate,), self.logits(answers + gate.weights @ self.bias))

    def answers(self, images: Tensor) -> Tensor:
        """Each expert's own logits, (batch, experts, 10), also of those that the gate left out."""
        hidden = relu(self.of_experts(images.flatten(1)))
        each = hidden.unflatten(1, (self.routing.experts, -1))
        return torch.einsum("neh,ehc->nec", each, self.answer) + self.bias


EXPERTS = (1, 2, 3, 4, 8, 16)
CHOSEN = (1, 2, None)  # None: all
WEIGHTS = (0.0, 0.01, 0.1, 1.0)  # α
NOISES = (0.0, 1.0)


def name_of(routing: Routing) -> str:
    """What the mixture with this routing is called; α is given in hundredths."""
    if routing == Mixture.routing:
        return Mixture.name
    if routing.experts == 1:
        return "mixture_n1"
    chosen = "all" if routing.dense else routing.k
    still = "" if routing.noise else "_still"
    return f"mixture_n{routing.experts}_k{chosen}_a{round(100 * routing.weight)}{still}"


def variants() -> dict[str, type[Mixture]]:
    """Every mixture of one layer that the settings above allow, by name, the default first."""
    found: dict[str, type[Mixture]] = {Mixture.name: Mixture}
    for experts, chosen, weight, noise in itertools.product(EXPERTS, CHOSEN, WEIGHTS, NOISES):
        if chosen is not None and chosen >= experts:  # all of them, which is a variant already
            continue
        routing = Routing(experts, chosen=chosen, weight=weight, noise=noise)
        found.setdefault(name_of(routing), _variant(routing))
    return found


def _variant(routing: Routing) -> type[Mixture]:
    """The mixture with another routing."""
    layers = (*gate_layers(routing), *Mixture.described[-1:])
    told = f"{routing.experts} experts 784 -> {routing.width} -> 10, of which {routing.k} are run."
    fields = {"name": name_of(routing), "routing": routing, "described": layers, "__doc__": told}
    return type("Mixture", (Mixture,), fields)


class MixturePeer(Inspectable):
    """784 -> 264 -> 10: a perceptron of as many parameters as the mixture, 209,890."""

    name = "mixture_peer"
    described = (Layer("hidden", 264), Layer("logits", CLASSES, rectified=False))

    def __init__(self) -> None:
        super().__init__()
        self.hidden = nn.Linear(PIXELS, 264)
        self.logits = nn.Linear(264, CLASSES)

    def stages(self) -> Stages:
        """From image to logits, layer by layer."""
        return {
            "hidden": lambda images: self.hidden(images.flatten(1)),
            "logits": lambda hidden: self.logits(relu(hidden)),
        }
