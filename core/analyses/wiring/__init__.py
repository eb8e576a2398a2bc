"""What each unit gets from the units below it and gives to those above: weight × activation.

A contribution is signed, and taken before the nonlinearity of the unit that gets it. Those of all
units below and the bias sum to its activation; of a map, to its mean over positions, which is each
weight times the mean of what it reads. What stands between the layers, such as a ReLU or pooling,
belongs to the unit below: its activation is what is really fed into the layer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from core.activations import batches_of, layer_names, layer_of, weight_reader
from core.statistics import effective_number
from core.surroundings import undisturbed
from core.wires import BIAS, IMAGE, LayerWires, Wires, double_weights

__all__ = [
    "Contributions",
    "Inputs",
    "LayerWiring",
    "Wiring",
    "contributions",
    "measured",
    "strongest",
    "weight_pictures",
]

Numbers = NDArray[np.float64]
Single = NDArray[np.float32]
Whole = NDArray[np.int64]

_AT_ONCE = 250  # images, in 64 bits


@dataclass(frozen=True)
class Contributions:
    """The parts of a layer's activations, mean over images and positions.

    inputs: by what is below, (units, units below); of the image, (units, weights of a unit). bias,
    total: (units,). The inputs and the bias sum to the total, the activation that the network has.
    """

    inputs: dict[str, Numbers]
    bias: Numbers
    total: Numbers


@dataclass(frozen=True)
class Inputs:
    """What one layer below gives to each unit of a layer, (units, units below) each.

    discovery: mean over digits of the half on which the strongest are chosen. confirmation: of the
    other half.
    """

    discovery: Single
    confirmation: Single


@dataclass(frozen=True)
class LayerWiring:
    """What the units of a layer are made of. inputs: by layer below, or `IMAGE`.

    bias, total: (units,), see `Contributions`, on the confirmation half. effective,
    effective_untrained: (units,), the effective number of inputs, exp of the entropy of
    |contribution| as shares, of the network and of the untrained one.
    """

    wires: LayerWires
    inputs: dict[str, Inputs]
    bias: Single
    total: Single
    effective: Single
    effective_untrained: Single

    @property
    def number(self) -> int:
        """How many inputs a unit has: units below, and pixels or places of a filter."""
        read = [np.unique(of.source) for of in self.wires.wires if of.below != BIAS]
        return sum(map(len, read))


@dataclass(frozen=True)
class Wiring:
    """The wiring of every layer, by name. digits: of each half, over which means are taken."""

    layers: dict[str, LayerWiring]
    digits: int

    def readers(self, layer: str) -> tuple[str, ...]:
        """The layers above that read this one's units by weights."""
        return tuple(name for name, of in self.layers.items() if layer in of.inputs)


@undisturbed()
def contributions(model: nn.Module, wires: LayerWires, images: Tensor) -> Contributions:
    """The parts of a layer's activations on images (n, channels, height, width), in 64 bits.

    A layer is linear in its weights, so a weight's part is the weight times the derivative by it.
    Raises `ValueError` for a layer without wires, and when there are no images.
    """
    if wires.missing:
        raise ValueError(f"{wires.layer} has no wires ({wires.missing}): choose another layer.")
    read, weights = weight_reader(model, wires.layer), double_weights(model)
    names = list(dict.fromkeys(of.parameter for of in wires.wires))
    numbers = {name: np.zeros(weights[name].numel()) for name in names}
    total = np.zeros(wires.units)
    for some in batches_of(images, _AT_ONCE):
        values = read(weights, some.double(), {})
        means = values.transpose(0, 1).flatten(1).mean(1) * (len(some) / len(images))
        found = torch.autograd.grad(means.sum(), [weights[name] for name in names])
        total += means.detach().numpy()
        for name, part in zip(names, found, strict=True):
            numbers[name] += part.flatten().numpy()
    parts = {name: weights[name].detach().flatten().numpy() * numbers[name] for name in names}
    return _by_source(wires, parts, total)


def _by_source(wires: LayerWires, parts: Mapping[str, Numbers], total: Numbers) -> Contributions:
    """Each weight's part added to that of its unit and of the unit that it reads."""
    inputs: dict[str, Numbers] = {}
    bias = np.zeros(wires.units)
    for of in wires.wires:
        values = parts[of.parameter][of.weight]
        if of.below == BIAS:
            bias += np.bincount(of.unit, values, wires.units)
            continue
        sources = int(of.source.max()) + 1
        place = of.unit * sources + of.source
        flat = np.bincount(place, values, wires.units * sources).astype(np.float64)
        inputs[of.below] = _sum(inputs.get(of.below), flat.reshape(wires.units, sources))
    return Contributions(inputs, bias, total)


def _sum(one: Numbers | None, other: Numbers) -> Numbers:
    """Both tables added, the narrower filled up with 0."""
    if one is None:
        return other
    summed = np.zeros((len(other), max(one.shape[1], other.shape[1])))
    for table in (one, other):
        summed[:, : table.shape[1]] += table
    return summed


def measured(
    model: nn.Module,
    untrained: nn.Module,
    wires: Mapping[str, LayerWires],
    discovery: Tensor,
    confirmation: Tensor,
) -> Wiring:
    """The wiring of each layer on the images of both halves; wires: see `core.wires.trace`."""
    layers = {
        name: _layer(model, untrained, of, discovery, confirmation) for name, of in wires.items()
    }
    return Wiring(layers, len(confirmation))


def _layer(
    model: nn.Module,
    untrained: nn.Module,
    wires: LayerWires,
    discovery: Tensor,
    confirmation: Tensor,
) -> LayerWiring:
    """The wiring of one layer; without any numbers where it has no wires."""
    if wires.missing:
        none = np.zeros(0, np.float32)
        return LayerWiring(wires, {}, none, none, none, none)
    found, judged = (contributions(model, wires, of) for of in (discovery, confirmation))
    before = contributions(untrained, wires, confirmation)
    return LayerWiring(
        wires,
        {
            below: Inputs(found.inputs[below].astype(np.float32), table.astype(np.float32))
            for below, table in judged.inputs.items()
        },
        judged.bias.astype(np.float32),
        judged.total.astype(np.float32),
        _effective(judged),
        _effective(before),
    )


def _effective(of: Contributions) -> Single:
    """(units,): the effective number of inputs."""
    every = np.abs(np.concatenate(list(of.inputs.values()), 1))
    return effective_number(every).astype(np.float32)


def strongest(values: Numbers | Single, most: int) -> Whole:
    """The places of the `most` values farthest from 0, the farthest first; those at 0 are none."""
    order = np.argsort(-np.abs(values), kind="stable")[:most]
    found: Whole = order[values[order] != 0]
    return found


def weight_pictures(
    model: nn.Module, wires: LayerWires, unit: int, below: str, shape: tuple[int, int, int]
) -> Single | None:
    """The weights by which a unit reads each unit below, (units below, height, width).

    Of the image, (channels, height, width). Those of a convolution are its kernels; those of a
    dense layer lie as the map, or the image, that they read. None where weights have no places.
    shape: of an image, (channels, height, width).
    """
    for of in wires.wires:
        if of.below == below:
            return _picture(model, of, unit, shape)
    return None


def _picture(model: nn.Module, of: Wires, unit: int, shape: tuple[int, int, int]) -> Single | None:
    """The weights of one parameter as they lie."""
    parameter = dict(model.named_parameters())[of.parameter]
    own = of.unit == unit
    weight, source = of.weight[own], of.source[own]
    order = np.lexsort((weight, source))
    values = parameter.detach().float().flatten().numpy()[weight[order]]
    kernel = tuple(parameter.shape[2:]) if parameter.ndim == 4 else None
    if of.below == IMAGE:
        whole = np.zeros((shape[0], *(kernel or shape[1:])), np.float32)
        if source.max(initial=0) >= whole.size:
            return None
        whole.flat[source[order]] = values
        return whole
    sources = int(of.source.max()) + 1
    sides = kernel or _sides(len(values) // sources, model, of.below)
    if sides is None or len(values) != sources * sides[0] * sides[1]:
        return None
    found: Single = values.reshape(sources, *sides)
    return found


def _sides(size: int, model: nn.Module, below: str) -> tuple[int, int] | None:
    """(height, width) of a map that was pooled to `size` numbers; None where there is none."""
    whole = layer_of(model, below).map if below in layer_names(model) else None
    if whole is None or size < 2:
        return None
    height = round((size * whole[0] / whole[1]) ** 0.5)
    return (height, size // height) if height and size % height == 0 else None
