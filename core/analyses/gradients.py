"""What training wants of each unit on each class, beside what the unit does on it.

David Bau's two pictures of a network (net-intent 2016, github.com/davidbau/net-intent): the
gradient row (intent/synpic.py) and the activation row (intent/actpic.py). A gradient here always
has its sign turned, so that positive means that training wants the unit higher on these digits.

The gradient of a digit's loss with respect to a unit's bias, ∂ℓ/∂b, is that with respect to its
activation before the ReLU; for a map, summed over positions, since all share the bias.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, one_hot

from core.activations import (
    BATCH,
    Images,
    batches_of,
    behind,
    collect,
    collect_layers,
    layer_names,
    layer_of,
)
from core.arguments import whole
from core.data import CLASSES
from core.surroundings import undisturbed
from core.text import literal

__all__ = [
    "DECAY",
    "Intent",
    "activation_rows",
    "anomalies",
    "effective_sample_size",
    "gradient_times_activation",
    "unit_gradients",
    "weighted_images",
]

Numbers: TypeAlias = NDArray[np.float32]
Labels: TypeAlias = Tensor | ArrayLike  # whole numbers of any kind, (n,)

DECAY = 0.97  # of the running gradient, a batch (intent/synpic.py): a memory of some 33 batches
_MIDDLE = 0.5  # the grey that pictures are taken from, so that paper counts as well as ink (there)


class Intent:
    """The running gradient of every unit on every class while one model trains.

        with Intent.of(model) as intent:
            for images, labels in batches:
                images = intent.watch(images)
                loss = cross_entropy(model(images), labels)
                loss.backward()
                intent.update(images, labels)

    The loss must be the mean over the batch. A batch that isn't followed by `update` is left out.
    """

    def __init__(self, layers: tuple[str, ...], classes: int, pictures: bool) -> None:
        """An empty record; use `Intent.of`, which also sets the hooks."""
        self._layers, self._classes, self._with_pictures = layers, classes, pictures
        self._by_row: set[str] = set()  # layers that run once for each row of a map
        self._now: dict[str, Tensor] = {}  # by layer, (batch, units): of the batch just seen
        self._units: dict[str, int] = {}  # by layer, how many; known from the first batch on
        self._scalars = torch.zeros(0, classes)  # (units of all layers, classes)
        self._pictures = torch.zeros(classes, 0, 0)  # (classes, units of all layers, pixels)

    @classmethod
    @contextmanager
    def of(
        cls, model: nn.Module, *, classes: int = CLASSES, pictures: bool = False
    ) -> Iterator[Intent]:
        """A record of `model`, whose hooks are gone when the block ends, also by an exception.

        pictures: whether to keep `pictures` too, which needs the gradient of the images.

        Raises `ValueError` for a model without layers, and for a frozen one: it isn't training and
        may be shared, so no hook may be set on it.
        """
        layers = layer_names(model)
        if not any(weight.requires_grad for weight in model.parameters()):
            raise ValueError(
                f"{type(model).__name__} is frozen, so nothing is learned: give a model in "
                "training, or read this one with unit_gradients."
            )
        intent = cls(layers, classes, pictures)
        intent._by_row |= {layer for layer in layers if layer_of(model, layer).steps}
        with ExitStack() as hooks:
            for layer in layers:
                module = model.get_submodule(layer)
                listening = intent._listening(layer, module)
                hooks.enter_context(module.register_forward_hook(listening))
            yield intent

    @property
    def scalars(self) -> dict[str, Numbers]:
        """By layer, float32 (units, classes): positive where training wants the unit higher.

        After each batch, g ← 0.97 g − Σ ∂ℓ/∂b over the digits of the class; ℓ in nats. A copy;
        empty before the first batch.
        """
        return self._by_layer(self._scalars)

    @property
    def pictures(self) -> dict[str, Numbers]:
        """By layer, float32 (units, classes, pixels): what the wanted digits look like.

        After each batch, G ← 0.97 G − Σ ∂ℓ/∂b · (x − ½) ⊙ |∂(mean ℓ)/∂x| over the digits x of the
        class. A copy; empty before the first batch.

        Raises `ValueError` when they weren't asked for.
        """
        if not self._with_pictures:
            raise ValueError("no pictures were kept: ask for them, Intent.of(..., pictures=True).")
        return self._by_layer(self._pictures.transpose(0, 1))

    def watch(self, images: Tensor) -> Tensor:
        """The images to give to the model and to `update`: for pictures, with a gradient."""
        return images.detach().requires_grad_() if self._with_pictures else images

    def update(self, images: Tensor, labels: Labels) -> None:
        """Take in the batch whose loss was just propagated back.

        images: (batch, 1, height, width), from `watch`. labels: int64 (batch,), 0 to classes - 1.

        Raises `ValueError` for labels that aren't those of the batch, or images without a gradient
        where pictures are kept, and `RuntimeError` when a layer has had no gradient.
        """
        labels = _checked_labels(labels, len(images), self._classes)
        focus = self._focused(images) if self._with_pictures else None
        taken = self._take(len(labels))
        if not self._units:
            self._make_room(taken, images)
        rows = torch.cat(list(taken.values()), 1).float()
        scale = -len(labels)  # the loss is a mean: its gradient is 1 / batch of the digit's own
        hot = one_hot(labels, self._classes).to(rows.dtype)
        self._scalars.addmm_(rows.T, hot, beta=DECAY, alpha=scale)
        if focus is not None:
            for own, index in zip(self._pictures, _members(labels, self._classes), strict=True):
                own.addmm_(rows[index].T, focus[index], beta=DECAY, alpha=scale)
            images.grad = None

    def _listening(self, layer: str, own: nn.Module) -> Callable[[nn.Module, Any, Tensor], None]:
        """A forward hook that keeps the gradient of the output of `own`, once it is known.

        A copy of the model takes its hooks along (`core.activations` reads copies). It takes a
        function as it is, though, so the copy's module isn't `own`, and the record not disturbed.
        """

        def keep(gradient: Tensor) -> None:
            if layer in self._now and layer not in self._by_row:
                raise RuntimeError(
                    f"{layer} ran more than once before this backward pass: run the model once."
                )
            self._now[layer] = self._now.get(layer, 0) + _over_positions(gradient)

        def hook(module: nn.Module, inputs: Any, output: Tensor) -> None:
            if module is own and output.requires_grad:
                self._now.pop(layer, None)  # of an earlier batch, which nobody wanted
                output.register_hook(keep)

        return hook

    def _take(self, n: int) -> dict[str, Tensor]:
        """By layer, in order, (batch, units): the gradients of the batch, which are used up."""
        for layer in self._layers:
            found = len(self._now[layer]) if layer in self._now else 0
            if found != n:
                raise RuntimeError(
                    f"{layer} has had gradients of {found} digits, not {n}: call update once after "
                    "each loss.backward(), inside the block, with the digits of that batch."
                )
        return {layer: self._now.pop(layer) for layer in self._layers}

    def _make_room(self, taken: dict[str, Tensor], images: Tensor) -> None:
        """Begin the record at 0, now that the number of units is known."""
        self._units = {layer: rows.shape[1] for layer, rows in taken.items()}
        total = sum(self._units.values())
        self._scalars = images.new_zeros(total, self._classes, dtype=torch.float32)
        if self._with_pictures:
            shape = (self._classes, total, images[0].numel())
            self._pictures = images.new_zeros(shape, dtype=torch.float32)

    def _focused(self, images: Tensor) -> Tensor:
        """float32 (batch, pixels): (x − ½) ⊙ |∂(mean ℓ)/∂x|, the ink that the loss depends on."""
        if images.grad is None:
            raise ValueError(
                "the images have no gradient: give the model and update those from intent.watch."
            )
        return ((images.detach() - _MIDDLE) * images.grad.abs()).flatten(1).float()

    def _by_layer(self, values: Tensor) -> dict[str, Numbers]:
        """By layer, a copy of its part of `values`, (units of all layers, ...)."""
        parts = values.split(list(self._units.values()))
        return {
            layer: part.cpu().numpy().copy() for layer, part in zip(self._units, parts, strict=True)
        }


@undisturbed()
def activation_rows(
    model: nn.Module, images: Images, labels: Labels, classes: int = CLASSES, *, rectify: int = 0
) -> dict[str, Numbers]:
    """By layer, float32 (units, classes, height, width): the digits that a unit is active on.

    A = Σ z (x − ½) over the digits x of the class, z the activation before the ReLU; for a map,
    summed over positions. images: (n, 1, height, width) in 0..1. labels: int64 (n,).
    rectify: 1 takes max(z, 0), -1 takes -max(-z, 0), 0 takes z, which is the sum of both. A map is
    rectified position by position, as its ReLU does it; intent/actpic.py rectifies its sum.

    Raises `ValueError` for another `rectify`, labels that don't fit, or no images.
    """
    rectify = whole(rectify, "rectify", -1, 1)
    labels, classes = _checked_labels(labels, len(images), classes), whole(classes, "classes", 1)

    def part(values: Tensor) -> Tensor:
        kept = values.clamp(min=0) if rectify == 1 else values.clamp(max=0)
        return _over_positions(kept if rectify else values)

    centred = torch.as_tensor(images)[:, 0] - _MIDDLE
    members = _members(labels, classes)
    rows: dict[str, Numbers] = {}
    for layer, z in collect_layers(model, images, reduce=part).items():
        sums = [torch.tensordot(z[own], centred[own], ([0], [0])) for own in members]
        rows[layer] = torch.stack(sums, 1).float().numpy()
    return rows


@undisturbed()
def unit_gradients(model: nn.Module, images: Images, labels: Labels, layer: str) -> Numbers:
    """float32 (n, units): −∂ℓ/∂b of each digit's own loss, for a model that isn't training.

    Positive where a step of training would move the unit higher on this digit; ℓ in nats.
    images: (n, 1, height, width). labels: int64 (n,). The model isn't touched.

    Raises `ValueError` for an unknown layer, labels that don't fit, or no images.
    """
    labels = _checked_labels(labels, len(images))
    found = [_over_positions(-gradient) for _, gradient in _at(model, images, labels, layer)]
    return torch.cat(found).float().numpy()


@undisturbed()
def gradient_times_activation(
    model: nn.Module, images: Images, labels: Labels, layer: str, classes: int = CLASSES
) -> Numbers:
    """float32 (units, classes): by how much the class's loss would rise without the unit, in nats.

    To first order: the mean over the class's digits of −a ∂ℓ/∂a, a as the ReLU passes it on; for a
    map, summed over positions. Positive: removing the unit (a = 0) raises the loss. 0 for a class
    without digits. The criterion of Molchanov et al. (2017, arXiv:1611.06440), who take its size
    without the sign.

    Raises `ValueError` for an unknown layer, labels that don't fit, or no images.
    """
    labels, classes = _checked_labels(labels, len(images), classes), whole(classes, "classes", 1)
    rises = [  # a ∂ℓ/∂a is z ∂ℓ/∂z: both are 0 where a ReLU passes nothing on
        _over_positions(-values * gradient)
        for values, gradient in _at(model, images, labels, layer)
    ]
    hot = one_hot(labels, classes).to(rises[0].dtype)
    return (torch.cat(rises).T @ (hot / hot.sum(0).clamp(min=1))).float().numpy()


def effective_sample_size(gradients: ArrayLike) -> NDArray[np.float64]:
    """(units,): how many digits the gradients of a unit come from, (Σ |g|)² / Σ g².

    gradients: (n, units). n when all are the same size, 1 when one digit has it all, 0 when there
    is none (Kish 1965, Survey Sampling, of weights).

    Raises `ValueError` unless there is a row for each digit.
    """
    sizes = np.abs(_rows(gradients, "gradients"))
    squares = np.square(sizes).sum(0)
    found: NDArray[np.float64] = np.square(sizes.sum(0)) / np.where(squares > 0, squares, 1)
    return found


def anomalies(scalars: ArrayLike, mean_activation: ArrayLike) -> NDArray[np.bool_]:
    """(units,): whether a unit is off, on average, on the class that training wants it highest on.

    scalars: (units, classes), from `Intent.scalars`. mean_activation: (units, classes), of the
    activation before the ReLU. A unit is anomalous when g > 0 and m < 0 at the class of its largest
    g; it may be needed by a few digits of the class alone.

    Raises `ValueError` when they aren't of the same shape.
    """
    wanted, mean = np.asarray(scalars), np.asarray(mean_activation)
    if wanted.ndim != 2 or wanted.shape != mean.shape:
        raise ValueError(
            f"scalars are {wanted.shape} and mean activations {mean.shape}: give (units, classes) "
            "of the same layer."
        )
    top = wanted.argmax(1)[:, None]
    flags = (np.take_along_axis(wanted, top, 1) > 0) & (np.take_along_axis(mean, top, 1) < 0)
    return flags[:, 0]


def weighted_images(images: Images, weights: ArrayLike) -> Numbers:
    """float32 (units, height, width): each unit's mean image, Σ w x / Σ w; 0 where all w are 0.

    images: (n, 1, height, width). weights: (n, units), not negative: max(z, 0) for what a unit is
    on for, max(g, 0) for what training wants it on for.

    Raises `ValueError` for a negative weight, or without a row of weights for each image.
    """
    given = _rows(weights, "weights", len(images))
    if (given < 0).any():
        raise ValueError(f"a weight is {given.min():.3g}: give weights from 0 up.")
    total = given.sum(0)
    shares = (given / np.where(total > 0, total, 1)).astype(np.float32)
    pixels = torch.as_tensor(images)[:, 0].numpy().astype(np.float32)
    means: Numbers = np.tensordot(shares, pixels, (0, 0))
    return means


def _at(
    model: nn.Module, images: Images, labels: Tensor, layer: str
) -> Iterator[tuple[Tensor, Tensor]]:
    """A batch at a time, the activations of `layer` and the gradient there of each digit's loss."""
    for some, own in zip(batches_of(images), labels.split(BATCH), strict=True):
        with torch.enable_grad():
            values = collect(model, some, layer).requires_grad_()
            logits = behind(model, layer, some)(values)
            _checked_labels(own, len(some), logits.shape[1])
            loss = cross_entropy(logits, own, reduction="sum")  # no digit's loss depends on another
            (gradient,) = torch.autograd.grad(loss, values)
        yield values.detach(), gradient


def _over_positions(values: Tensor) -> Tensor:
    """(batch, units): a map's sum over its positions; others as they are."""
    return values.sum((2, 3)) if values.ndim == 4 else values


def _members(labels: Tensor, classes: int) -> tuple[Tensor, ...]:
    """For each class, which digits are of it."""
    counts = torch.bincount(labels, minlength=classes)
    found: tuple[Tensor, ...] = labels.argsort(stable=True).split(counts.tolist())
    return found


def _checked_labels(labels: Labels, n: int, classes: int | None = None) -> Tensor:
    """The labels as int64 (n,), of whatever kind of whole number they are.

    Raises `ValueError` unless there is one for each of `n` images, 0 to classes - 1.
    """
    given = torch.as_tensor(labels)
    if given.ndim != 1 or len(given) != n:
        count = len(given) if given.ndim == 1 else f"{tuple(given.shape)}"
        raise ValueError(f"there are {count} labels for {n} images: give one for each.")
    found = given.long()
    if given.dtype == torch.bool or not torch.equal(found.to(given.dtype), given):
        raise ValueError(f"labels are {literal(given.dtype)}: give whole numbers.")
    if classes is not None and n and not 0 <= int(found.min()) <= int(found.max()) < classes:
        wrong = int(found.min()) if found.min() < 0 else int(found.max())
        raise ValueError(f"{wrong} is not a label: choose 0 to {classes - 1}.")
    return found


def _rows(values: ArrayLike, name: str, n: int | None = None) -> NDArray[np.float64]:
    """The values as (n, units), or `ValueError`."""
    rows = np.asarray(values, dtype=np.float64)
    if rows.ndim != 2 or n not in (None, len(rows)):
        images = "n" if n is None else n
        raise ValueError(f"{name} are {rows.shape}: give ({images}, units), a row for each image.")
    return rows
