"""Networks with several heads: all tasks share the hidden layers, each has an output of its own.

Two shared layers of h units, then a head for each task (Caruana 1997, Machine Learning 28:41):

    h₀ = max(0, W₀x + b₀)    h₁ = max(0, W₁h₀ + b₁)    answer_t = W_t h₁ + b_t
    loss = Σ_t λ_t · (mean loss of task t)

A head is its task's by construction. What a shared unit is for is not written anywhere: it shows
when the unit is silenced and some tasks suffer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, relu

from core.data.moments import slants, thicknesses
from core.data.pairs import side_by_side
from core.models.inspectable import Inspectable, Layer
from core.text import literal

__all__ = ["Head", "ManyHeads", "Multitask", "MultitaskDigit", "MultitaskSlant", "Pairs"]

SHARED = (256, 128)  # units
DIGITS = tuple("0123456789")
# Of MNIST's fit split: the standard deviation of slants, and what a third of digits is thinner and
# a third is thicker than.
SLANT_SPREAD = 0.2563  # radians
TERCILES = (2.1313, 2.6378)  # pixels
ALONE = 5  # each fifth digit of a training batch has nothing to its right


@dataclass(frozen=True)
class Head:
    """A task and its head. layer: of the same name as the task unless told otherwise.

    names: of the answers to choose from; none where the answer is a number. scale: what the mean
    loss is multiplied by in training, λ.
    """

    task: str
    layer: str
    names: tuple[str, ...] = ()
    scale: float = 1.0

    def losses(self, answers: Tensor, targets: Tensor) -> Tensor:
        """(batch,): cross-entropy in nats; of a number, the squared error.

        answers: (batch, units). targets: int64 (batch,), or numbers.
        """
        if self.names:
            return cross_entropy(answers, targets, reduction="none")
        return (answers[:, 0] - targets).square()


class ManyHeads(Inspectable):
    """784 -> 256 -> 128 -> a head for each of `heads`, the last of which gives the 10 logits.

    taught: tasks whose gradient reaches the shared layers; None for all. The head of another task
    learns to read what the shared layers happen to know, without changing them: a probe.
    """

    heads: ClassVar[tuple[Head, ...]]
    taught: ClassVar[tuple[str, ...] | None] = None

    def __init__(self) -> None:
        super().__init__()
        self.shared_0 = nn.Linear(28 * 28, SHARED[0])
        self.shared_1 = nn.Linear(SHARED[0], SHARED[1])
        for head in self.heads:
            self.add_module(head.layer, nn.Linear(SHARED[1], max(1, len(head.names))))

    @property
    def tasks(self) -> tuple[Head, ...]:
        """The heads, that of the 10 logits first."""
        return (self.heads[-1], *self.heads[:-1])

    def seen(self, images: Tensor) -> Tensor:
        """What the network is shown of digits (batch, 1, 28, 28), in the same shape."""
        return images

    def problems(self, images: Tensor, labels: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """What the network is shown of a batch in training, and by task the right answers."""
        raise NotImplementedError

    def examples(self, images: Tensor, labels: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """What the network is shown of digits when it is judged, and by task the right answers."""
        return self.problems(images, labels)

    def trace(self, seen: Tensor) -> dict[str, Tensor]:
        """By layer, (batch, units): all layers for images as they are `seen`, before any ReLU."""
        first = self.shared_0(seen.flatten(1))
        return {"shared_0": first, **self.after("shared_0", first)}

    def after(self, layer: str, values: Tensor) -> dict[str, Tensor]:
        """By layer, (batch, units): all that follows activations (batch, units) of `layer`.

        Raises `ValueError` for a layer that isn't shared.
        """
        if layer == "shared_0":
            second = self.shared_1(relu(values))
            return {"shared_1": second, **self.after("shared_1", second)}
        if layer != "shared_1":
            raise ValueError(f"{literal(layer)} is not shared: choose shared_0 or shared_1.")
        return {head.layer: self._answer(head, relu(values)) for head in self.heads}

    def _answer(self, head: Head, hidden: Tensor) -> Tensor:
        """The head's output."""
        probe = self.training and self.taught is not None and head.task not in self.taught
        answer: Tensor = self.get_submodule(head.layer)(hidden.detach() if probe else hidden)
        return answer

    def objective(self, images: Tensor, labels: Tensor) -> Tensor:
        """Σ λ · mean loss over the tasks."""
        seen, targets = self.problems(images, labels)
        layers = self.trace(seen)
        each = [
            head.scale * head.losses(layers[head.layer], targets[head.task]).mean()
            for head in self.heads
        ]
        return torch.stack(each).sum()

    def forward(self, images: Tensor) -> Tensor:
        """Logits (batch, 10) of the last head; the other heads are run and don't change them."""
        layers = self.trace(self.seen(images))
        *others, logits = (layers[head.layer] for head in self.heads)
        # with weight 0, so that the logits' gradient by another head is 0 instead of undefined
        return logits + 0 * torch.cat(others, 1).sum(1, keepdim=True)


class Multitask(ManyHeads):
    """One digit, three questions: which it is, how it slants, how thick it is; 235,662 parameters.

    Slant and thickness are measured on the image itself (`core.data.moments`), thickness as
    thin, medium or thick by the thirds of MNIST's training digits. λ is 1 for both classifications
    and 1 / variance for the slant, so that knowing nothing costs ln 10, ln 3 and 1.
    """

    name = "multitask"
    described = (
        Layer("shared_0", SHARED[0]),
        Layer("shared_1", SHARED[1]),
        Layer("slant", 1, rectified=False, read="slant in radians, right is positive"),
        Layer(
            "thickness",
            3,
            rectified=False,
            read="logits of the thickness, before the softmax",
            named=lambda unit: ("thin", "medium", "thick")[unit],
        ),
        Layer("logits", 10, rectified=False),
    )
    heads = (
        Head("slant", "slant", scale=1 / SLANT_SPREAD**2),
        Head("thickness", "thickness", ("thin", "medium", "thick")),
        Head("digit", "logits", DIGITS),
    )

    def problems(self, images: Tensor, labels: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """The images, and by task the right answers."""
        thick = torch.bucketize(thicknesses(images), images.new_tensor(TERCILES))
        return images, {"slant": slants(images), "thickness": thick, "digit": labels}


class MultitaskDigit(Multitask):
    """The same network, whose shared layers learn nothing but the digit."""

    name = "multitask_digit"
    taught = ("digit",)


class MultitaskSlant(Multitask):
    """The same network, whose shared layers learn nothing but the slant."""

    name = "multitask_slant"
    taught = ("slant",)


class Pairs(ManyHeads):
    """Two digits side by side, each at half its width, and a head for each; 236,565 parameters.

    In training a digit of the batch has the one before it to its right; every fifth has nothing,
    which the right head calls the eleventh answer. So a digit alone, as every other part of this
    project gives it, is no surprise: the network sees it on the left, and the logits of the left
    head are the model's.
    """

    name = "pairs"
    described = (
        Layer("shared_0", SHARED[0]),
        Layer("shared_1", SHARED[1]),
        Layer(
            "right",
            11,
            rectified=False,
            read="logits of the right digit, of which a digit alone has none",
            named=lambda unit: (*DIGITS, "nothing there")[unit],
        ),
        Layer("left", 10, rectified=False, read="logits of the left digit"),
    )
    heads = (Head("right", "right", (*DIGITS, "nothing")), Head("left", "left", DIGITS))

    def seen(self, images: Tensor) -> Tensor:
        """The digits on the left, nothing on the right."""
        return side_by_side(images)

    def examples(self, images: Tensor, labels: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Each digit with the one before it to its right, and both labels; none is alone."""
        targets = {"left": labels, "right": labels.roll(1)}
        return side_by_side(images, images.roll(1, 0)), targets

    def problems(self, images: Tensor, labels: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Pairs as in `examples`, every fifth without its right digit."""
        seen, targets = self.examples(images, labels)
        alone = torch.arange(len(labels), device=labels.device) % ALONE == 0
        seen = torch.where(alone[:, None, None, None], self.seen(images), seen)
        return seen, {**targets, "right": targets["right"].masked_fill(alone, len(DIGITS))}
