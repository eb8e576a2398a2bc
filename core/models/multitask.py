"""Networks with several heads: all tasks share the hidden layers, each has an output of its own.

Two shared layers of h units, then a head for each task (Caruana 1997, Machine Learning 28:41):

    h₀ = max(0, W₀x + b₀)    h₁ = max(0, W₁h₀ + b₁)    answer_t = W_t h₁ + b_t
    loss = Σ_t λ_t · (mean loss of task t)

A head is its task's by construction. What a shared unit is for is not written anywhere: it shows
when the unit is silenced and some tasks suffer.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, relu

from core.data.moments import slants, thicknesses
from core.data.pairs import side_by_side
from core.models.inspectable import Inspectable, Layer
from core.models.settings import DIGITS, DataFormat, Dropout, Sizes, dense, setting, summed
from core.text import literal

__all__ = [
    "Head",
    "ManyHeads",
    "ManyHeadsSettings",
    "Multitask",
    "MultitaskSettings",
    "Pairs",
    "PairsSettings",
]

SHARED = (256, 128)  # units
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

    @property
    def units(self) -> int:
        """Of the head's layer."""
        return max(1, len(self.names))

    def losses(self, answers: Tensor, targets: Tensor) -> Tensor:
        """(batch,): cross-entropy in nats; of a number, the squared error.

        answers: (batch, units). targets: int64 (batch,), or numbers.
        """
        if self.names:
            return cross_entropy(answers, targets, reduction="none")
        return (answers[:, 0] - targets).square()


@dataclass(frozen=True)
class ManyHeadsSettings(Dropout):
    """Of a network with several heads. widths: units of both shared layers."""

    widths: tuple[int, ...] = setting(
        SHARED, "Widths", low=1, high=2048, count=(2, 2), help="Units of both shared layers."
    )
    epochs: int = 10
    weight_decay: float = 3e-4

    @property
    def heads(self) -> tuple[Head, ...]:
        """The heads for digits."""
        return self.heads_for(DIGITS)

    def heads_for(self, data: DataFormat) -> tuple[Head, ...]:
        """The heads, of which the last gives the model's logits."""
        raise NotImplementedError

    def check_for(self, data: DataFormat) -> None:
        """Raises `ValueError` for images of another shape."""
        data.require(self.architecture)
        super().check_for(data)

    def sizes(self, data: DataFormat) -> Sizes:
        """Two shared layers, and a dense layer for each head."""
        first, second = self.widths
        heads = [dense(second, head.units) for head in self.heads_for(data)]
        return summed(dense(data.pixels, first), dense(first, second), *heads)

    def shared(self) -> tuple[Layer, Layer]:
        """Both shared layers."""
        return Layer("shared_0", self.widths[0]), Layer("shared_1", self.widths[1])


class ManyHeads(Inspectable):
    """784 -> 256 -> 128 -> a head for each of `heads`, the last of which gives the logits.

    taught: tasks whose gradient reaches the shared layers; None for all. The head of another task
    learns to read what the shared layers happen to know, without changing them: a probe.
    """

    heads: tuple[Head, ...]
    taught: tuple[str, ...] | None = None

    def __init__(self, widths: tuple[int, ...] = SHARED, data: DataFormat = DIGITS) -> None:
        super().__init__()
        self.shared_0 = nn.Linear(data.pixels, widths[0])
        self.shared_1 = nn.Linear(widths[0], widths[1])
        for head in self.heads:
            self.add_module(head.layer, nn.Linear(widths[1], head.units))

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


def _numbered(classes: int) -> tuple[str, ...]:
    """The classes' names: of digits, the digits."""
    return tuple(str(number) for number in range(classes))


@dataclass(frozen=True)
class MultitaskSettings(ManyHeadsSettings):
    """Of a network for a digit, its slant and its thickness.

    tasks: whose gradient reaches the shared layers, "all" or one; see `ManyHeads.taught`.
    """

    architecture = "multitask"
    title = "Multi-task: digit, slant, thickness"

    tasks: str = setting(
        "all",
        "Tasks taught",
        choices=("all", "digit", "slant", "thickness"),
        help="Whose gradient reaches the shared layers. The heads of the others learn to read what "
        "these happen to know.",
    )

    def heads_for(self, data: DataFormat) -> tuple[Head, ...]:
        """Slant, thickness and digit."""
        return (
            Head("slant", "slant", scale=1 / SLANT_SPREAD**2),
            Head("thickness", "thickness", ("thin", "medium", "thick")),
            Head("digit", "logits", _numbered(data.classes)),
        )

    def describe(self, data: DataFormat = DIGITS) -> tuple[Layer, ...]:
        """The shared layers and the heads."""
        return (
            *self.shared(),
            Layer("slant", 1, rectified=False, read="slant in radians, right is positive"),
            Layer(
                "thickness",
                3,
                rectified=False,
                read="logits of the thickness, before the softmax",
                named=lambda unit: ("thin", "medium", "thick")[unit],
            ),
            Layer("logits", data.classes, rectified=False),
        )

    def network(self, data: DataFormat = DIGITS) -> Multitask:
        """The network."""
        return Multitask(self, data)


class Multitask(ManyHeads):
    """One digit, three questions: which it is, how it slants, how thick it is; 235,662 parameters.

    Slant and thickness are measured on the image itself (`core.data.moments`), thickness as
    thin, medium or thick by the thirds of MNIST's training digits. λ is 1 for both classifications
    and 1 / variance for the slant, so that knowing nothing costs ln 10, ln 3 and 1.
    """

    name = "multitask"
    settings: MultitaskSettings

    def __init__(self, settings: MultitaskSettings, data: DataFormat = DIGITS) -> None:
        self.heads = settings.heads_for(data)
        self.taught = None if settings.tasks == "all" else (settings.tasks,)
        super().__init__(settings.widths, data)
        self.settings, self.described = settings, settings.describe(data)

    def problems(self, images: Tensor, labels: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """The images, and by task the right answers."""
        thick = torch.bucketize(thicknesses(images), images.new_tensor(TERCILES))
        return images, {"slant": slants(images), "thickness": thick, "digit": labels}


@dataclass(frozen=True)
class PairsSettings(ManyHeadsSettings):
    """Of a network for two digits side by side."""

    architecture = "pairs"
    title = "Two digits, left and right"

    def heads_for(self, data: DataFormat) -> tuple[Head, ...]:
        """Right and left."""
        names = _numbered(data.classes)
        return Head("right", "right", (*names, "nothing")), Head("left", "left", names)

    def describe(self, data: DataFormat = DIGITS) -> tuple[Layer, ...]:
        """The shared layers and the heads."""
        names = (*_numbered(data.classes), "nothing there")
        return (
            *self.shared(),
            Layer(
                "right",
                len(names),
                rectified=False,
                read="logits of the right digit, of which a digit alone has none",
                named=names.__getitem__,
            ),
            Layer("left", data.classes, rectified=False, read="logits of the left digit"),
        )

    def network(self, data: DataFormat = DIGITS) -> Pairs:
        """The network."""
        return Pairs(self, data)


class Pairs(ManyHeads):
    """Two digits side by side, each at half its width, and a head for each; 236,565 parameters.

    In training a digit of the batch has the one before it to its right; every fifth has nothing,
    which the right head calls the eleventh answer. So a digit alone, as every other part of this
    project gives it, is no surprise: the network sees it on the left, and the logits of the left
    head are the model's.
    """

    name = "pairs"
    settings: PairsSettings

    def __init__(self, settings: PairsSettings, data: DataFormat = DIGITS) -> None:
        self.heads = settings.heads_for(data)
        super().__init__(settings.widths, data)
        self.settings, self.described, self.data = settings, settings.describe(data), data

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
        return seen, {**targets, "right": targets["right"].masked_fill(alone, self.data.classes)}
