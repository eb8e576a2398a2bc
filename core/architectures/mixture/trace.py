"""One digit followed through its gate: scores, weights, each expert's answer, and what adds up.

    z_e = Σ W_e ⊙ x + b_e    g = weigh(z)    y_e = V_e max(0, W_e x + b_e) + c_e    l = Σ_e g_e y_e

Everything is worked out in double precision from the network's weights, so that what is shown side
by side adds up to the last digit that is shown. Noise is left out, as it is when a network is used.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from scipy.special import softmax
from torch import Tensor, nn
from torch.nn.functional import linear, relu

from core.activations import collect_layers
from core.architectures.mixture.report import GateReport
from core.arguments import whole
from core.data.jitter import moved
from core.models.gates import weigh
from core.models.mixture import Mixture
from core.statistics import entropy
from core.surroundings import undisturbed

__all__ = [
    "Beside",
    "Decided",
    "Followed",
    "Nudged",
    "beside",
    "check_image",
    "follow",
    "nudged",
]

Numbers = NDArray[np.float64]
Whole = NDArray[np.int64]


@dataclass(frozen=True)
class Decided:
    """What a gate makes of a digit: scores and weights, float64 (experts,) each."""

    scores: Numbers
    weights: Numbers

    @property
    def taker(self) -> int:
        """The expert with the highest weight."""
        return int(self.weights.argmax())

    @property
    def entropy(self) -> float:
        """Of the weights, in bits: 0 decided, log₂ N undecided."""
        return float(entropy(self.weights))


@dataclass(frozen=True)
class Followed(Decided):
    """A digit in a mixture of one layer, float64.

    image: (28, 28). asked: the gate's weight pictures W, (experts, 28, 28). bias: (experts,). own:
    each expert's own logits, (experts, 10). logits: the network's, (10,).
    """

    image: Numbers
    asked: Numbers
    bias: Numbers
    own: Numbers
    logits: Numbers

    @property
    def products(self) -> Numbers:
        """W_e ⊙ x, (experts, 28, 28): summed over pixels, and with the bias, the scores."""
        return self.asked * self.image

    @property
    def answer(self) -> int:
        """The class with the highest logit."""
        return int(self.logits.argmax())

    @property
    def probabilities(self) -> Numbers:
        """Of each class by each expert alone, and by the network last: (experts + 1, 10)."""
        shares: Numbers = softmax(np.vstack([self.own, self.logits]), axis=-1)
        return shares

    @property
    def contributions(self) -> Numbers:
        """g_e y_e for the answer's logit, (experts,): they sum to it."""
        shares: Numbers = self.weights * self.own[:, self.answer]
        return shares

    @property
    def second(self) -> int | None:
        """The expert with the second highest score, if there is one."""
        return int(np.argsort(-self.scores, kind="stable")[1]) if len(self.scores) > 1 else None

    def table(self) -> pd.DataFrame:
        """A row for each expert: what its score, its weight and its part of the logit come from."""
        return pd.DataFrame(
            {
                "expert": np.arange(len(self.scores)),
                "pixels": self.products.sum((1, 2)),
                "bias": self.bias,
                "score": self.scores,
                "weight": self.weights,
                "answers": self.own.argmax(1),
                "own logit": self.own[:, self.answer],
                "adds": self.contributions,
            }
        )


@dataclass(frozen=True)
class Nudged:
    """A digit at nine places: row and column are moved by −1, 0, 1 pixels; the middle is as it is.

    takers: the expert with the highest weight, (3, 3). answers: the network's, (3, 3).
    """

    takers: Whole
    answers: Whole

    def kept(self) -> tuple[int, int]:
        """Of the eight places beside the middle: how many keep the expert, and the answer."""
        same = [int((of == of[1, 1]).sum()) - 1 for of in (self.takers, self.answers)]
        return same[0], same[1]


@dataclass(frozen=True)
class Beside:
    """How decided a gate is on a digit, beside the other digits of its class, in bits.

    entropy: on the digit. median: over the class. percentile: share of the other digits of the
    class on which the gate is more decided, ties counting half, in 0..1. others: how many.
    untrained: the weights that the gate gave the digit before training, (experts,).
    """

    entropy: float
    median: float
    percentile: float
    others: int
    untrained: Numbers


@undisturbed()
def follow(model: nn.Module, image: Tensor) -> Followed:
    """A digit (1, 1, 28, 28) in 0..1 on its way through a mixture of one layer.

    Raises `TypeError` for another model and `ValueError` for another shape.
    """
    if not isinstance(model, Mixture):
        raise TypeError(f"{type(model).__name__} isn't a mixture of one layer: choose mixture.")
    check_image(image)
    x = image.detach().double().flatten(1)
    asked, bias = (of.detach().double() for of in (model.of_image.weight, model.of_image.bias))
    scores = linear(x, asked, bias)
    weights = weigh(scores, model.routing.k)
    experts = model.of_experts
    hidden = relu(linear(x, experts.weight.detach().double(), experts.bias.detach().double()))
    each = hidden.unflatten(1, (model.routing.experts, -1))[0]  # (experts, width)
    own = torch.einsum("eh,ehc->ec", each, model.answer.detach().double())
    own = own + model.bias.detach().double()
    return Followed(
        scores=scores[0].numpy(),
        weights=weights[0].numpy(),
        image=x.reshape(28, 28).numpy(),
        asked=asked.reshape(-1, 28, 28).numpy(),
        bias=bias.numpy(),
        own=own.numpy(),
        logits=(weights[0] @ own).numpy(),
    )


@undisturbed()
def nudged(model: nn.Module, image: Tensor, gate: str) -> Nudged:
    """Who takes a digit (1, 1, 28, 28), and what is answered, when it is moved by a pixel."""
    check_image(image)
    down, right = (
        axis.flatten() for axis in torch.meshgrid(*[torch.arange(-1, 2)] * 2, indexing="ij")
    )
    places = moved(image.expand(9, -1, -1, -1), down, right)
    read = collect_layers(model, places, [gate, "logits"])
    both = (read[name].argmax(1).reshape(3, 3).numpy() for name in (gate, "logits"))
    return Nudged(*both)


def beside(report: GateReport, untrained: GateReport, number: int) -> Beside:
    """How decided a gate is on digit `number` of a report, beside its class and before training.

    untrained: the report of the same digits before training. Raises `ValueError` for a digit that
    isn't there.
    """
    number = whole(number, "the digit's number")
    if not 0 <= number < len(report.labels):
        raise ValueError(f"there is no digit {number}: choose 0 to {len(report.labels) - 1}.")
    mine = report.labels == report.labels[number]
    of_class, own = report.entropy[mine], float(report.entropy[number])
    others = int(mine.sum()) - 1
    below, ties = int((of_class < own).sum()), int((of_class == own).sum()) - 1
    percentile = (below + ties / 2) / others if others else 0.5
    weights = untrained.gates[number].astype(np.float64)
    return Beside(own, float(np.median(of_class)), percentile, others, weights)


def check_image(image: Tensor) -> None:
    """Raises `ValueError` unless this is one image."""
    if image.shape != (1, 1, 28, 28):
        raise ValueError(f"the image has shape {tuple(image.shape)}: give one, (1, 1, 28, 28).")
