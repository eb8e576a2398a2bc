"""What gates do in a network that reads row by row: how shut, for how long, and what is held.

A layer is (n, units, rows) here: a unit has a value at each row of each digit. The gate that keeps
is an LSTM's forget gate and a GRU's update gate; the state is an LSTM's cell and a GRU's hidden
state.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from core.activations import collect, collect_layers
from core.data import CLASSES
from core.models.inspectable import Inspectable, Layer
from core.models.lstm import GATE
from core.statistics import class_moments, mean_interval

__all__ = [
    "OPEN",
    "SHUT",
    "ByClass",
    "at_row",
    "by_class",
    "change",
    "class_share",
    "follow",
    "gates",
    "head",
    "keeping",
    "largest",
    "read",
    "saturation",
    "state",
    "time_constants",
]

Array = NDArray[np.float64]

SHUT, OPEN = 0.1, 0.9  # a gate below is left-saturated, above right (Karpathy et al. 2016)


def gates(described: tuple[Layer, ...]) -> tuple[str, ...]:
    """The layers that are gates, which go from 0 to 1."""
    return tuple(layer.name for layer in described if layer.bounds == GATE)


def keeping(described: tuple[Layer, ...]) -> str:
    """The gate whose value is the share of the old state that is kept."""
    return _first(("forget", "update"), described)


def state(described: tuple[Layer, ...]) -> str:
    """The layer that is carried from row to row, and gated."""
    return _first(("cell", "hidden"), described)


def _first(names: tuple[str, ...], described: tuple[Layer, ...]) -> str:
    """The first of the names that is a layer. Raises `ValueError` when none is."""
    known = [layer.name for layer in described]
    for name in names:
        if name in known:
            return name
    raise ValueError(
        f"none of {', '.join(names)} is among the layers {', '.join(known)}: "
        "give the layers of an LSTM or a GRU."
    )


def read(model: Inspectable, images: Tensor, layer: str) -> NDArray[np.float32]:
    """(n, units, rows): the layer at every row."""
    values: NDArray[np.float32] = collect(model, images, layer)[..., 0].numpy()
    return values


def follow(model: Inspectable, image: Tensor) -> dict[str, NDArray[np.float32]]:
    """By layer that has rows, (units, rows) of one digit. image: (1, 1, 28, 28)."""
    layers = collect_layers(model, image, [layer.name for layer in model.described if layer.steps])
    return {name: found[0, :, :, 0].numpy() for name, found in layers.items()}


def at_row(
    values: Mapping[str, NDArray[np.float32]], unit: int, row: int, carried: str
) -> dict[str, float]:
    """One unit's value in each layer at a row, and as "before" the state `carried` into the row.

    values: from `follow`. The state before the first row is 0.
    """
    found = {layer: float(each[unit, row]) for layer, each in values.items()}
    return {**found, "before": float(values[carried][unit, row - 1]) if row else 0.0}


def largest(values: ArrayLike) -> float:
    """The largest |value|, at least 1: where a scale of colours ends."""
    return max(1.0, float(np.abs(np.asarray(values)).max()))


def head(model: Inspectable, hidden: ArrayLike) -> NDArray[np.float32]:
    """(n, rows, classes): what the network's last layer gives for the hidden state of each row.

    hidden: (n, units, rows). It was trained on the last row alone, so before that it may mislead.
    """
    states = torch.as_tensor(np.asarray(hidden)).transpose(1, 2)
    with torch.no_grad():
        logits: NDArray[np.float32] = model.get_submodule("logits")(states).numpy()
    return logits


def saturation(values: ArrayLike) -> Array:
    """(units, 2): share of (digit, row) where a gate is below 0.1, and where it is above 0.9.

    values: (n, units, rows) in 0..1 (Karpathy, Johnson & Fei-Fei 2016, arXiv:1506.02078).
    """
    gate = np.asarray(values)
    return np.stack([(gate < SHUT).mean((0, 2)), (gate > OPEN).mean((0, 2))], axis=1)


def time_constants(kept: ArrayLike) -> Array:
    """τ = −1 / ln E[f] in rows: how long until a state decays to 1/e of itself, (units,).

    kept: (units,), the mean of the gate that keeps, over digits and rows. 0 for a gate that is
    always 0, infinite for one that is always 1.

    Raises `ValueError` for a mean outside 0..1.
    """
    mean = np.asarray(kept, dtype=np.float64)
    if not ((mean >= 0) & (mean <= 1)).all():
        raise ValueError(f"a mean gate is {mean.min():.3g} to {mean.max():.3g}: give 0 to 1.")
    with np.errstate(divide="ignore"):
        return np.asarray(1 / (0.0 - np.log(mean)))


def change(values: ArrayLike) -> Array:
    """(units, rows): mean over digits of |state − state of the row before|, from a state of 0."""
    states = np.asarray(values)
    before = np.concatenate([np.zeros_like(states[:, :, :1]), states[:, :, :-1]], axis=2)
    return np.asarray(np.abs(states - before).mean(0, dtype=np.float64))


@dataclass(frozen=True)
class ByClass:
    """A state on each class: mean and its 95 % interval, (units, rows, classes); count (classes,).

    share: (units, rows), how much of the variance over digits lies between classes, 0..1.
    """

    mean: Array
    low: Array
    high: Array
    count: Array
    share: Array


def by_class(values: ArrayLike, labels: ArrayLike) -> ByClass:
    """What each unit holds on each class at each row. values: (n, units, rows); labels: (n,)."""
    states = np.asarray(values)
    found = [class_moments(states[:, :, row], labels, CLASSES) for row in range(states.shape[2])]
    means, variances, counts = (
        [one[0] for one in found],
        [one[1] for one in found],
        found[0][2],
    )
    mean, variance = np.stack(means, 1), np.stack(variances, 1)
    low, high = mean_interval(mean, variance, counts)
    return ByClass(mean, low, high, counts, class_share(mean, variance, counts))


def class_share(mean: Array, variance: Array, count: Array) -> Array:
    """η²: variance between classes as a share of all, over the last axis; 0 for a constant."""
    weight = count / count.sum()
    middle = (mean * weight).sum(-1, keepdims=True)
    between = (weight * (mean - middle) ** 2).sum(-1)
    within = (np.maximum(count - 1, 0) * variance).sum(-1) / count.sum()
    total = between + within
    return np.asarray(np.divide(between, total, out=np.zeros_like(total), where=total > 1e-18))
