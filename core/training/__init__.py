"""Training, the same for every model, with a record of how its units emerge.

By gradient descent the rate is constant and falls to zero over the last quarter. A self-organizing
model learns by its own rule, an epoch a step.

The record is taken at log-spaced steps, because most of what units become is decided early
(checkpoints after 0, 1, 2, 4, ... batches).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from core.activations import collect_layers, layer_names, layer_of, run
from core.analyses.gradients import Intent
from core.arguments import whole
from core.data import CLASSES, DataSet
from core.models import registry
from core.models.inspectable import Inspectable, SelfOrganizing
from core.models.registry import Given
from core.models.settings import Descent, Dropout, Settings
from core.statistics import selectivity_index
from core.surroundings import undisturbed
from core.text import literal
from core.training.descent import keep_largest, l1_norm, optimizer_of

__all__ = ["History", "Moment", "Start", "Step", "accuracy", "moment", "steps_of", "train"]

BATCH = 250  # digits a step
PROBE = 500  # digits on which accuracy and class means are recorded
_FALLING = 0.25  # of the steps, the last ones
_SHAPE = (1, 28, 28)  # of an image
_OVER = 0.05  # how far a pixel may lie outside of 0..1

Numbers = NDArray[np.float32]


@dataclass(frozen=True)
class Moment:
    """What the units did at one step, on the probe digits.

    accuracy: share of probe digits classified right, 0..1. class_means: by layer, float32
    (units, classes), the mean rectified activation on each class; for maps, of the spatial mean.
    """

    step: int
    accuracy: float
    class_means: dict[str, Numbers]

    def median_selectivity(self) -> dict[str, float]:
        """The class selectivity index of the median unit, by layer."""
        means = self.class_means.items()
        return {layer: float(np.median(selectivity_index(of))) for layer, of in means}


@dataclass(frozen=True)
class Step:
    """One batch seen: `number` of `total`, its loss, and the moment if one was taken.

    model, intent: as they are now, to be read and not to be kept.
    """

    number: int
    total: int
    loss: float
    moment: Moment | None
    model: Inspectable = field(repr=False)
    intent: Intent = field(repr=False)


@dataclass(frozen=True)
class Start:
    """What a training begins with, besides its seed.

    weights: of an earlier model, by parameter; those not named are drawn from the seed. frozen:
    layers whose weights stay as they are.
    """

    weights: Mapping[str, Tensor] = field(default_factory=dict, repr=False)
    frozen: tuple[str, ...] = ()


@dataclass
class History:
    """How a model was trained.

    loss: one value a step, nats, with the L1 penalty where there is one. moments: in order, the
    untrained model first. weights: by step, each parameter's value, at 0, 1, 2, 4, ... steps and at
    the last. intent: by layer, float32 (units, classes), how much the last batches wanted each unit
    higher on each class; see `core.analyses.gradients.Intent`.
    """

    loss: list[float] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)
    weights: dict[int, dict[str, Tensor]] = field(default_factory=dict)
    intent: dict[str, Numbers] = field(default_factory=dict)


@undisturbed()
def train(
    name: str,
    digits: DataSet,
    *,
    seed: int = 0,
    epochs: int | None = None,
    settings: Given = None,
    on_step: Callable[[Step], object] | None = None,
    watch: DataSet | None = None,
    start: Start | None = None,
    pictures: bool = False,
) -> Inspectable:
    """The model `name` trained on `digits`: frozen, in eval mode, its `.history` recorded.

    The same seed gives the same bits on the same machine and number of threads.
    epochs: passes over the digits; None takes those of the settings. settings: of the architecture
    and its training, whole or those that aren't at their default; see `core.models.settings`.
    on_step: called after every batch; an exception from it ends the training. watch: digits for the
    record (default: of the training digits); the first `PROBE` are used. pictures: whether the
    intent keeps its pictures too.

    Raises `ValueError` before the first step for an unknown model, seed, setting or layer, no
    digits, images that aren't (batch, 1, 28, 28) in 0..1, epochs below 1, weights of another
    network, or nothing left to train; and `FloatingPointError` when the loss is no longer finite.
    """
    seed = whole(seed, "seed")
    chosen = registry.check(name, seed, settings)
    passes = chosen.epochs if epochs is None else whole(epochs, "epochs")
    if passes < 1 or not len(digits):
        raise ValueError(f"{passes} epochs on {len(digits)} digits: give at least one of each.")
    probe = (watch or digits).take(slice(PROBE))
    for given in (digits, probe):
        _check(given.images)
    model, begun = registry.draw(name, seed, chosen), start or Start()
    with _begun(model, begun, seed), Intent.of(model, pictures=pictures) as intent:
        model.history = _fit(model, intent, digits, passes, seed, probe, on_step)
    model.zero_grad(set_to_none=True)
    return model.eval().requires_grad_(False)


def _check(images: Tensor) -> None:
    """Raise `ValueError` for images that no network here can be trained on.

    A little above 1 or below 0 is taken, as where images were turned or made larger.
    """
    shape = tuple(images.shape[1:])
    if shape != _SHAPE:
        raise ValueError(
            f"images have the shape (batch, {', '.join(map(str, shape))}): give (batch, 1, 28, 28)."
        )
    low, high = (float(value) for value in torch.aminmax(images))
    if math.isnan(low) or math.isnan(high):
        at = int(images.flatten(1).isnan().any(1).nonzero()[0])
        raise ValueError(f"image {at} holds NaN: leave it out, or give numbers in 0..1.")
    if low < -_OVER or high > 1 + _OVER:
        hint = "; of 0 to 255, that is images / 255" if low >= 0 and 1 < high <= 255 else ""
        raise ValueError(f"images go from {low:g} to {high:g}: give numbers in 0..1{hint}.")


def accuracy(model: nn.Module, digits: DataSet) -> float:
    """Share of `digits` that the model classifies right, 0..1."""
    return float((run(model, digits.images).argmax(1) == digits.labels).float().mean())


def moment(model: nn.Module, probe: DataSet, step: int) -> Moment:
    """What the units do on `probe` now, called `step`; see `Moment`."""
    layers = collect_layers(model, probe.images, reduce=_spatial_mean)
    right = layers[layer_names(model)[-1]].argmax(1) == probe.labels
    members = torch.nn.functional.one_hot(probe.labels, CLASSES).to(torch.float32)
    share = members / members.sum(0).clamp(min=1)  # (n, classes): weights of a class mean
    means = {layer: (values.relu().T @ share).numpy() for layer, values in layers.items()}
    return Moment(step, float(right.float().mean()), means)


def _spatial_mean(values: Tensor) -> Tensor:
    """(n, units): of maps, the mean over positions of the positive part; others as they are."""
    return values.relu().mean((2, 3)) if values.ndim == 4 else values


def steps_of(settings: Settings, n: int, epochs: int | None = None) -> int:
    """How many steps `train` takes on `n` digits with whole settings. Raises as `train`."""
    passes = settings.epochs if epochs is None else whole(epochs, "epochs", 1)
    own_rule = not isinstance(settings, Descent)
    return passes if own_rule else passes * -(-whole(n, "n", 0) // BATCH)


def _fit(
    model: Inspectable,
    intent: Intent,
    digits: DataSet,
    epochs: int,
    seed: int,
    probe: DataSet,
    on_step: Callable[[Step], object] | None,
) -> History:
    """Train `model` in place and give its history."""
    total = steps_of(model.settings, len(digits), epochs)
    due, history = _recording_steps(total), History()
    _record(history, model, probe, 0, total)
    if isinstance(model, SelfOrganizing):
        losses = _organized(model, intent, digits, epochs, seed)
    else:
        losses = _descended(model, intent, digits, epochs, seed)
    for number, loss in enumerate(losses, start=1):
        history.loss.append(loss)
        if not math.isfinite(loss):
            raise FloatingPointError(f"the loss is {loss} at step {number}.")
        taken = _record(history, model, probe, number, total) if number in due else None
        if on_step is not None:
            on_step(Step(number, total, loss, taken, model, intent))
    history.intent = {layer: scalars.copy() for layer, scalars in intent.scalars.items()}
    return history


def _descended(
    model: Inspectable, intent: Intent, digits: DataSet, epochs: int, seed: int
) -> Iterator[float]:
    """The loss of each batch, after a step of gradient descent on it."""
    settings = model.settings
    if not isinstance(settings, Descent):
        raise TypeError(f"{model.name} has no settings of gradient descent.")
    total = steps_of(settings, len(digits), epochs)
    learned = [value for value in model.parameters() if value.requires_grad]
    weights = [value for value in model.weights().values() if value.requires_grad]
    whole(settings.largest_weights, "largest_weights", 0, sum(value.numel() for value in weights))
    optimizer = optimizer_of(settings, learned)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1.0, (total - step) / (_FALLING * total))
    )
    frozen = len(learned) < len(list(model.parameters()))
    for images, labels in _batches(digits, epochs, seed):
        optimizer.zero_grad(set_to_none=True)
        shown = intent.watch(images)
        if frozen:  # a frozen first layer has a gradient only if the images have one
            shown = shown.detach().requires_grad_()
        loss = model.objective(shown, labels)
        if settings.l1:
            loss = loss + settings.l1 * l1_norm(weights)
        loss.backward()
        intent.update(shown, labels)
        optimizer.step()
        if settings.largest_weights:
            keep_largest(weights, settings.largest_weights)
        schedule.step()
        yield loss.item()


def _organized(
    model: SelfOrganizing, intent: Intent, digits: DataSet, epochs: int, seed: int
) -> Iterator[float]:
    """The loss of each epoch of the model's own rule.

    The gradients of the intent are those of one batch after each epoch. Nothing is learned by them.
    """
    generator = torch.Generator().manual_seed(seed)
    batches = _batches(digits, epochs, seed)
    for loss in model.organize(digits, epochs, generator):
        images, labels = next(batches)
        shown = intent.watch(images)
        model.objective(shown, labels).backward()
        intent.update(shown, labels)
        model.zero_grad(set_to_none=True)
        yield loss


@contextmanager
def _begun(model: Inspectable, start: Start, seed: int) -> Iterator[None]:
    """The model as the training begins; while inside, units are silenced as its settings say."""
    model.load_state_dict({**model.state_dict(), **_weights(model, start.weights)})
    _freeze(model, start.frozen)
    share = model.settings.dropout if isinstance(model.settings, Dropout) else 0.0
    generator = torch.Generator().manual_seed(seed)
    hooks = [
        # before a ReLU this is the same as behind it
        model.get_submodule(layer.behind or layer.name).register_forward_hook(
            _dropping(share, generator)
        )
        for layer in model.described
        if share and layer.hidden_dense
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _weights(model: Inspectable, given: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights that a training begins with; raises `ValueError` for another model's."""
    own, weights = model.state_dict(), {}
    for name, value in given.items():
        if name not in own:
            raise ValueError(
                f"{literal(name)} is not a weight of {model.name}: choose from {', '.join(own)}."
            )
        weights[name] = torch.as_tensor(value)
        if weights[name].shape != own[name].shape:
            raise ValueError(
                f"{name} has the shape {tuple(weights[name].shape)}: {model.name} has "
                f"{tuple(own[name].shape)} there."
            )
    return weights


def _freeze(model: Inspectable, layers: tuple[str, ...]) -> None:
    """Let the layers' weights be as they are; raises `ValueError` where no others are left."""
    for layer in layers:
        layer_of(model, layer)
        model.get_submodule(layer).requires_grad_(False)
    if layers and not any(value.requires_grad for value in model.parameters()):
        raise ValueError(f"all layers of {model.name} are frozen: leave one of them to be trained.")


def _dropping(
    share: float, generator: torch.Generator
) -> Callable[[nn.Module, object, Tensor], Tensor]:
    """A hook that silences a random `share` of the units and scales the others up for it.

    It rests while gradients are off, so that what is recorded is the whole network.
    """

    def hook(module: nn.Module, inputs: object, output: Tensor) -> Tensor:
        if not torch.is_grad_enabled():
            return output
        kept = torch.rand(output.shape, generator=generator) >= share
        return output * kept / (1 - share)

    return hook


def _batches(digits: DataSet, epochs: int, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches of images and labels, each epoch in an order of its own."""
    order = torch.Generator().manual_seed(seed)
    for _ in range(epochs):
        for index in torch.randperm(len(digits), generator=order).split(BATCH):
            yield digits.images[index], digits.labels[index]


def _recording_steps(total: int) -> set[int]:
    """1, 2, 3, 4, 6, 8, 11, 16, ...: two steps an octave up to `total`, and `total`."""
    half_octaves = range(2 * total.bit_length())
    return {step for k in half_octaves if (step := round(2 ** (k / 2))) <= total} | {total}


def _record(history: History, model: Inspectable, probe: DataSet, step: int, total: int) -> Moment:
    """Append the moment, and at powers of two and both ends the weights."""
    history.moments.append(moment(model, probe, step))
    if step & (step - 1) == 0 or step == total:
        state = model.state_dict()
        history.weights[step] = {name: value.detach().clone() for name, value in state.items()}
    return history.moments[-1]
