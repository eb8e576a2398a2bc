"""What networks with gates share: how a gate decides, which experts are run, what is learned.

    loss = cross-entropy + α (CV²(importance) + CV²(load)), the latter two for each gate

The losses and the noise on a gate's scores in training are those of Shazeer et al. (2017,
arXiv:1701.06538); see `core.models.gates`.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, linear, relu

from core.data.jitter import drawn_offsets, moved
from core.models.gates import check_chosen, coefficient, expected_load, weigh
from core.models.inspectable import Inspectable, Layer

__all__ = [
    "Chosen",
    "Decision",
    "Gated",
    "Routing",
    "Trace",
    "gate_layers",
    "run_chosen",
    "weighed",
]


@dataclass(frozen=True)
class Routing:
    """How experts are chosen and kept at work.

    experts: N. width: hidden units of each. chosen: k experts run for a digit; None for all.
    weight: α of the balancing losses. noise: standard deviation added to scores in training.
    """

    experts: int = 8
    width: int = 32
    chosen: int | None = None
    weight: float = 0.1
    noise: float = 1.0

    def __post_init__(self) -> None:
        """Raises `ValueError` for fewer than one expert, or more chosen than there are."""
        check_chosen(self.k, self.experts)

    @property
    def k(self) -> int:
        """How many experts are run for a digit."""
        return self.experts if self.chosen is None else self.chosen

    @property
    def dense(self) -> bool:
        """Whether every expert is run for every digit."""
        return self.k == self.experts


@dataclass(frozen=True)
class Decision:
    """What one gate made of a batch: scores, with noise, and weights, each (batch, experts)."""

    scores: Tensor
    noisy: Tensor
    weights: Tensor


@dataclass(frozen=True)
class Trace:
    """A forward pass: what each gate decided, input to output, and the logits (batch, 10)."""

    decisions: tuple[Decision, ...]
    logits: Tensor


class Gated(Inspectable):
    """A network with gates that weigh experts, and the loss that they learn by.

    gates: names of the layers that hold a gate's weights, input to output. jitter: by how many
    pixels at most a digit is moved up, down, left and right in training.
    """

    routing: Routing
    gates: tuple[str, ...]
    jitter: int = 0

    def __init__(self) -> None:
        super().__init__()
        self.batches = 0  # seen in training: noise and jitter of a batch are drawn by its number

    def trace(self, images: Tensor, chance: torch.Generator | None = None) -> Trace:
        """All decisions on images (batch, 1, 28, 28), with noise where `chance` draws it."""
        raise NotImplementedError

    def forward(self, images: Tensor) -> Tensor:
        """Logits (batch, 10), without noise."""
        return self.trace(images).logits

    def objective(self, images: Tensor, labels: Tensor) -> Tensor:
        """Cross-entropy in nats plus α (CV²(importance) + CV²(load)) for each gate.

        Where all experts are run the load is no choice, and its loss is left out.
        """
        self.batches += 1
        chance = torch.Generator().manual_seed(self.batches)
        passed = self.trace(self.seen(images, chance), chance)
        losses = [cross_entropy(passed.logits, labels)]
        for gate in passed.decisions if self.routing.weight else ():
            losses.append(self.routing.weight * coefficient(gate.weights.sum(0)))
            if not self.routing.dense and self.routing.noise:
                k, sigma = self.routing.k, self.routing.noise
                load = expected_load(gate.scores, gate.noisy, k, sigma)
                losses.append(self.routing.weight * coefficient(load))
        return torch.stack(losses).sum()

    def seen(self, images: Tensor, chance: torch.Generator) -> Tensor:
        """The images as in training: each moved by its own draw where the network learns so."""
        if not self.jitter:
            return images
        return moved(images, *drawn_offsets(len(images), self.jitter, chance))

    def _decided(
        self, scores: Tensor, weights: nn.Module, chance: torch.Generator | None
    ) -> Decision:
        """What the gate with these scores decides; weights: the layer where that is read."""
        noisy = scores
        if chance is not None and self.routing.noise:
            drawn = torch.randn(scores.shape, generator=chance).to(scores)
            noisy = scores + self.routing.noise * drawn
        return Decision(scores, noisy, weights(weigh(noisy, self.routing.k)))


def run_chosen(bank: nn.Linear, inputs: Tensor, weights: Tensor, dense: bool) -> Tensor:
    """Activations of all experts' units before the ReLU, (batch, experts * width).

    bank: holds the weights of all experts, one after the other. inputs: (batch, features).
    weights: (batch, experts), of the gate. Unless `dense`, an expert sees only the inputs that give
    it a weight other than 0, and its units are 0 for all others, which it never computes.
    """
    if dense:
        every: Tensor = bank(inputs)
        return every
    return Chosen(weights).run(bank, inputs)


class Chosen:
    """Who is run for which input, expert by expert: every weight (batch, experts) other than 0."""

    def __init__(self, weights: Tensor) -> None:
        self.weights = weights
        experts = weights.shape[1]
        expert, self.rows = weights.T.nonzero().unbind(1)
        self.places = self.rows * experts + expert  # in (batch * experts, width)
        self.counts = expert.bincount(minlength=experts).tolist()

    def run(self, bank: nn.Linear, inputs: Tensor) -> Tensor:
        """(batch, experts * width), see `run_chosen`."""
        batch, experts = self.weights.shape
        own = zip(bank.weight.chunk(experts), bank.bias.chunk(experts), strict=True)
        # gathered expert by expert: all at once would be a copy of the batch for each choice
        parts = zip(self.rows.split(self.counts), own, strict=True)
        values = [linear(inputs.index_select(0, rows), *of) for rows, of in parts]
        room = inputs.new_zeros(batch * experts, bank.out_features // experts)
        return room.index_copy_(0, self.places, torch.cat(values)).view(batch, -1)

    def blend(self, hidden: Tensor, answer: Tensor) -> Tensor:
        """(batch, classes): Σ_e g_e V_e relu(h_e), of hidden (batch, experts * width).

        answer: V, (experts, width, classes).
        """
        units = hidden.reshape(-1, answer.shape[1]).index_select(0, self.places)
        given = relu(units) * self.weights.flatten().index_select(0, self.places)[:, None]
        parts = zip(given.split(self.counts), answer, strict=True)
        told = torch.cat([part @ of for part, of in parts])
        return hidden.new_zeros(len(hidden), answer.shape[2]).index_add_(0, self.rows, told)


def weighed(hidden: Tensor, weights: Tensor) -> Tensor:
    """(batch, experts, width): ReLU of hidden (batch, experts * width), times the weights."""
    parts: Tensor = relu(hidden).unflatten(1, (weights.shape[1], -1)) * weights[..., None]
    return parts


def gate_layers(routing: Routing, suffix: str = "") -> tuple[Layer, Layer, Layer]:
    """The layers scores, gate and hidden of experts and their gate, each name with the suffix."""
    experts, width = routing.experts, routing.width

    def unit(index: int) -> str:
        """The expert of a hidden unit, and which of its units it is."""
        return f"expert {index // width}, unit {index % width}"

    kept = "" if routing.dense else f", of the {routing.k} highest; 0 for the others"
    scores = Layer(
        f"scores{suffix}",
        experts,
        rectified=False,
        read="scores of the gate, before the softmax",
        named="expert {}".format,
    )
    gate = Layer(
        f"gate{suffix}",
        experts,
        rectified=False,
        bounds=(0.0, 1.0),
        read=f"weights of the gate, after the softmax{kept}",
        named="expert {}".format,
    )
    return scores, gate, Layer(f"hidden{suffix}", experts * width, named=unit)
