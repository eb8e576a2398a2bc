"""A mixture of experts: small networks side by side, and a gate that weighs them for each digit.

    z = Wx + b                                         the gate's scores
    g = weigh(z)                                       its weights, see `core.models.gates`
    h_e = max(0, W_e x + b_e)    y_e = V_e h_e + c_e   expert e of N
    logits = Σ_e g_e y_e

Jacobs, Jordan, Nowlan & Hinton (1991, Neural Computation 3:79). Who answers for which digits is
written nowhere: it shows in the weights of the gate.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from core.models.gated import Chosen, Gated, Routing, Trace, gate_layers, weighed
from core.models.gates import check_chosen
from core.models.inspectable import Layer, Tap
from core.models.mixture_deep import GATE_UNITS, DeepMixture, layers_of
from core.models.settings import DIGITS, DataFormat, Dropout, Sizes, dense, setting, summed

__all__ = ["Mixture", "MixtureSettings"]


@dataclass(frozen=True)
class MixtureSettings(Dropout):
    """Of a mixture of experts: see `Routing`. chosen: k, 0 for all. balance: α.

    layers: of experts, one (`Mixture`) or two (`DeepMixture`). jitter: see `Gated`.
    """

    architecture = "mixture"
    title = "Mixture of experts"

    experts: int = setting(
        8,
        "Experts",
        low=1,
        high=64,
        step=1,
        help="N: networks side by side. Of one there is nothing to choose.",
    )
    chosen: int = setting(
        0,
        "Experts run for an image",
        low=0,
        high=64,
        step=1,
        help="k: those with the highest scores. 0: all, the dense gate, which saves nothing.",
    )
    balance: float = setting(
        0.1,
        "Balance, α",
        low=0.0,
        high=10.0,
        step=0.01,
        help="α of α (CV²(importance) + CV²(load)) in the loss, which keeps all experts at work.",
    )
    noise: float = setting(
        1.0,
        "Noise",
        low=0.0,
        high=10.0,
        step=0.1,
        help="Standard deviation of the noise on the gate's scores in training, so that an expert "
        "left out is tried again.",
    )
    width: int = setting(
        32, "Units of an expert", low=1, high=512, step=1, help="Hidden units of each expert."
    )
    layers: int = setting(
        1,
        "Layers of experts",
        low=1,
        high=2,
        choices=(1, 2),
        help="Two: each with a gate of its own (Eigen, Ranzato & Sutskever 2014).",
    )
    jitter: int = setting(
        0,
        "Jitter",
        low=0,
        high=8,
        step=1,
        unit="pixels",
        help="By how far at most each image is moved up, down, left and right in training.",
    )
    epochs: int = 8
    optimizer: str = "adam"

    def check_together(self) -> None:
        """Raises `ValueError` for more experts chosen than there are; all of them are as 0."""
        check_chosen(self.chosen or self.experts, self.experts)
        if self.chosen == self.experts:
            object.__setattr__(self, "chosen", 0)  # equal settings have one text
        if self.experts == 1:  # there is nothing to balance and nothing to try
            for name in ("balance", "noise"):
                object.__setattr__(self, name, self.option(name).default)

    def in_words(self) -> str:
        """The settings that aren't at their default: those of the gate as "top 1 of 8, α 0.1"."""
        gate = {"experts", "chosen", "balance", "noise"}
        changed = {option.name for option in self.changed()}
        words = self.words(changed - gate)
        if self.experts == 1:
            return ", ".join(("one expert", *words))
        if not changed & gate:
            return ", ".join(words)
        which = f"top {self.chosen}" if self.chosen else "all"
        noise = {0.0: ("no noise",), 1.0: ()}.get(self.noise, (f"noise {self.noise:g}",))
        return ", ".join((f"{which} of {self.experts}, α {self.balance:g}", *noise, *words))

    @property
    def gates(self) -> tuple[str, ...]:
        """The layers that hold the weights of a gate, input to output."""
        return ("gate",) if self.layers == 1 else ("gate_1", "gate_2")

    @property
    def routing(self) -> Routing:
        """How experts are chosen and kept at work."""
        return Routing(
            self.experts,
            self.width,
            chosen=self.chosen or None,
            weight=self.balance,
            noise=self.noise,
        )

    def sizes(self, data: DataFormat) -> Sizes:
        """Of one layer of experts, or of two; in one layer an expert has answers of its own."""
        experts, width = self.experts, self.width
        if self.layers == 1:
            answers = experts * width * data.classes, experts * data.classes
            return summed(dense(data.pixels, experts), dense(data.pixels, experts * width), answers)
        gates = [
            summed(dense(features, GATE_UNITS), dense(GATE_UNITS, experts))
            for features in (data.pixels, width)
        ]
        banks = dense(data.pixels, experts * width), dense(width, experts * width)
        return summed(*gates, *banks, dense(width, data.classes))

    def describe(self, data: DataFormat = DIGITS) -> tuple[Layer, ...]:
        """Scores, gate and experts of each layer, and the logits."""
        if self.layers == 2:
            return layers_of(self.routing, data)
        return (*gate_layers(self.routing), Layer("logits", data.classes, rectified=False))

    def network(self, data: DataFormat = DIGITS) -> Gated:
        """The network of one or of two layers."""
        if self.layers == 1:
            return Mixture(self, data)
        return DeepMixture(self.routing, self.jitter, data)


class Mixture(Gated):
    """Eight experts 784 -> 32 -> 10 and a linear gate 784 -> 8; 209,880 parameters.

    All experts are run and their logits blended, as in the course module. Unlike there, the loss
    keeps all of them at work.
    """

    name = "mixture"
    gates = ("gate",)
    settings: MixtureSettings

    def __init__(self, settings: MixtureSettings, data: DataFormat = DIGITS) -> None:
        super().__init__()
        self.settings, self.described = settings, settings.describe(data)
        self.routing, self.jitter = settings.routing, settings.jitter
        of, classes = self.routing, data.classes
        self.of_image = nn.Linear(data.pixels, of.experts)  # W of the gate
        self.scores, self.gate, self.hidden = Tap(), Tap(), Tap()
        self.of_experts = nn.Linear(data.pixels, of.experts * of.width)  # W_e and b_e
        answers = [nn.Linear(of.width, classes) for _ in range(of.experts)]
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
