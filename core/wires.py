"""Which weights make a layer, and which unit below each of them reads: the network itself is asked.

No list of modules says so. Earlier layers are held, and then:

1. The layer's weights are the parameters that it still depends on. They are wires if it is linear
   in all of them at once: scaled by 0, −1 and 2, they scale the layer.
2. The derivative by a weight is then the number that it is multiplied with. Where each unit counts
   its own number of times, the derivative tells whose weight it is.
3. Units of an earlier layer are numbered in binary. For each digit, those that have it are changed,
   then those that haven't. The number that a weight reads comes from one unit if it changes in
   exactly one of the two, each time; and these spell the unit's number.

What stands between both layers, such as a ReLU or pooling, belongs to the unit below.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from core.activations import collect_layers, layer_names, weight_reader
from core.surroundings import undisturbed

__all__ = [
    "BIAS",
    "IMAGE",
    "MIXED",
    "NONE",
    "NO_SUM",
    "LayerWires",
    "Wires",
    "double_weights",
    "trace",
]

Whole = NDArray[np.int64]
Numbers = NDArray[np.float64]

IMAGE, BIAS = "image", "bias"  # what a weight reads instead of a layer
NONE, NO_SUM, MIXED = "none", "no sum", "mixed"  # why a layer has no wires
_SAME = 1e-9  # relative, of 64 bits: what differs by more is another number


@dataclass(frozen=True)
class Wires:
    """Weights of one parameter by which a layer reads one layer below, (weights,) each.

    below: that layer, `IMAGE` or `BIAS`. weight: places in the parameter, flat. unit: whose each
    is. source: the unit below; of an image, its place among the unit's own weights; of a bias 0.
    """

    parameter: str
    below: str
    weight: Whole
    unit: Whole
    source: Whole


@dataclass(frozen=True)
class LayerWires:
    """All wires of a layer of `units` units, which sum to its activations.

    missing: why there are none: `NONE`, no weights stand in front of it; `NO_SUM`, it is no sum of
    weights times numbers; `MIXED`, a weight reads a number that several units make together.
    """

    layer: str
    units: int
    wires: tuple[Wires, ...]
    missing: str = ""

    @property
    def below(self) -> tuple[str, ...]:
        """The layers that it reads, the image among them, each once."""
        return tuple(dict.fromkeys(of.below for of in self.wires if of.below != BIAS))


@undisturbed()
def trace(model: nn.Module, shape: tuple[int, int, int], *, seed: int = 0) -> dict[str, LayerWires]:
    """The wires of each layer, by name. shape: of an image, (channels, height, width).

    seed: of the numbers that stand for images and activations while the network is asked.
    Raises `ValueError` for a model without layers.
    """
    tracer = _Tracer(model, shape, torch.Generator().manual_seed(seed))
    return {layer: tracer.wires(layer) for layer in layer_names(model)}


def double_weights(model: nn.Module) -> dict[str, Tensor]:
    """Parameters and buffers by name in 64 bits; gradients are recorded for the parameters."""
    parameters = {
        name: value.detach().double().requires_grad_() for name, value in model.named_parameters()
    }
    buffers = {
        name: value.double() if value.is_floating_point() else value
        for name, value in model.named_buffers()
    }
    return {**parameters, **buffers}


class _Tracer:
    """Asks a network of which weights its layers are made."""

    def __init__(
        self, model: nn.Module, shape: tuple[int, int, int], generator: torch.Generator
    ) -> None:
        self.model, self.generator = model, generator
        self.names, self.weights = layer_names(model), double_weights(model)
        self.images, self.others = (self._random((2, *shape)) for _ in range(2))
        found = collect_layers(model, self.images.float())
        # of one image all are above 0, of the other below: what a ReLU stops shows in one of both
        self.held = {name: self._signed(values.shape, 0.5) for name, values in found.items()}
        self.changed = {name: self._signed(values.shape, 2.0) for name, values in found.items()}

    def _random(self, shape: tuple[int, ...]) -> Tensor:
        """Numbers in 0..1."""
        return torch.rand(shape, generator=self.generator, dtype=torch.float64)

    def _signed(self, shape: tuple[int, ...], least: float) -> Tensor:
        """`least` to `least` + 1 of the first image, the same below 0 of the second."""
        values = self._random(tuple(shape)) + least
        values[1] *= -1
        return values

    def wires(self, layer: str) -> LayerWires:
        """The layer's wires, or why it has none."""
        earlier = self.names[: self.names.index(layer)]
        read = weight_reader(self.model, layer)
        values = read(self.weights, self.images, self._of(earlier))
        units = values.shape[1]
        own = self._own(values)
        if not own:
            return LayerWires(layer, units, (), NONE)
        if not self._is_linear(read, earlier, own, values):
            return LayerWires(layer, units, (), NO_SUM)
        asked = _Asked(self, read, earlier, own)
        unit = asked.owners(units)
        found = None if unit is None else self._sorted(asked, unit)
        return LayerWires(layer, units, found or (), "" if found else MIXED)

    def _of(self, layers: tuple[str, ...]) -> dict[str, Tensor]:
        """What the layers are held at."""
        return {name: self.held[name] for name in layers}

    def _own(self, values: Tensor) -> tuple[str, ...]:
        """The parameters that a layer depends on while the earlier ones are held."""
        if not values.requires_grad:
            return ()
        names = [name for name, value in self.weights.items() if value.requires_grad]
        towards = torch.arange(1, values.numel() + 1, dtype=values.dtype).cos().view_as(values)
        gradients = torch.autograd.grad(
            values, [self.weights[name] for name in names], towards, allow_unused=True
        )
        return tuple(
            name
            for name, gradient in zip(names, gradients, strict=True)
            if gradient is not None and bool((gradient != 0).any())
        )

    def _is_linear(
        self,
        read: Callable[..., Tensor],
        earlier: tuple[str, ...],
        own: tuple[str, ...],
        values: Tensor,
    ) -> bool:
        """Whether the layer scales with the parameters."""
        limit = _SAME * float(values.detach().abs().max())
        for times in (0.0, -1.0, 2.0):
            scaled = {name: times * self.weights[name].detach() for name in own}
            there = read({**self.weights, **scaled}, self.images, self._of(earlier))
            if not bool(((there - times * values).abs() <= limit).all()):
                return False
        return True

    def _sorted(self, asked: _Asked, unit: Whole) -> tuple[Wires, ...] | None:
        """The wires by parameter and layer below; None where several units share a number."""
        below = np.full(len(unit), BIAS, dtype=object)
        source = np.zeros(len(unit), dtype=np.int64)
        open_ = unit >= 0
        for name in reversed(asked.earlier):
            there = asked.follows(name, None) & open_
            if not there.any():
                continue
            number = asked.sources(name)
            if (number[there] < 0).any():
                return None
            below[there], source[there] = name, number[there]
            open_ &= ~there
        seen = asked.sees_images() & open_
        below[seen] = IMAGE
        found = []
        for name, first, last in asked.spans:
            for layer in dict.fromkeys(below[first:last]):
                at = np.flatnonzero((below[first:last] == layer) & (unit[first:last] >= 0))
                own, read = unit[first:last][at], source[first:last][at]
                places = _places(at, own, last - first) if layer == IMAGE else read
                if len(at):
                    found.append(Wires(name, layer, at, own, places))
        return tuple(found)


class _Asked:
    """The numbers that a layer's weights are multiplied with, all parameters in one row."""

    def __init__(
        self,
        tracer: _Tracer,
        read: Callable[..., Tensor],
        earlier: tuple[str, ...],
        own: tuple[str, ...],
    ) -> None:
        self.tracer, self.read, self.earlier, self.own = tracer, read, earlier, own
        ends = np.cumsum([0, *(tracer.weights[name].numel() for name in own)]).tolist()
        self.spans = tuple(zip(own, ends[:-1], ends[1:], strict=True))
        self.base = self.numbers({})
        self.limit = _SAME * float(np.abs(self.base).max())

    def numbers(
        self,
        changes: Mapping[str, Tensor],
        images: Tensor | None = None,
        times: Tensor | None = None,
    ) -> Numbers:
        """(weights,): each weight's number, summed over images and positions.

        changes: by layer, what it is held at instead. times: (units,), how often each unit counts.
        """
        of = self.tracer
        held = {**of._of(self.earlier), **changes}
        values = self.read(of.weights, of.images if images is None else images, held)
        by_unit = values.transpose(0, 1).flatten(1).sum(1)
        counted = by_unit if times is None else by_unit * times
        found = torch.autograd.grad(counted.sum(), [of.weights[name] for name in self.own])
        row: Numbers = torch.cat([part.flatten() for part in found]).numpy()
        return row

    def owners(self, units: int) -> Whole | None:
        """(weights,): whose each weight is, −1 of those that read nothing; None where shared."""
        times = torch.arange(1, units + 1, dtype=torch.float64)
        used = np.abs(self.base) > self.limit
        ratio = self.numbers({}, times=times)[used] / self.base[used]
        if np.abs(ratio - ratio.round()).max(initial=0) > 1e-3:
            return None
        owner = np.full(len(self.base), -1, dtype=np.int64)
        owner[used] = ratio.round().astype(np.int64) - 1
        return owner

    def follows(self, layer: str, chosen: Whole | None) -> NDArray[np.bool_]:
        """(weights,): whose number changes with these units of a layer; None: with any."""
        of = self.tracer
        values = of.held[layer].clone()
        where = slice(None) if chosen is None else torch.from_numpy(chosen)
        values[:, where] = of.changed[layer][:, where]
        changed: NDArray[np.bool_] = np.abs(self.numbers({layer: values}) - self.base) > self.limit
        return changed

    def sources(self, layer: str) -> Whole:
        """(weights,): the one unit of a layer that each number comes from, −1 where not one."""
        units = np.arange(self.tracer.held[layer].shape[1])
        number = np.zeros(len(self.base), dtype=np.int64)
        single = np.ones(len(self.base), dtype=bool)
        for digit in range((len(units) - 1).bit_length()):
            has = (units >> digit & 1).astype(bool)
            with_it, without = (self.follows(layer, units[which]) for which in (has, ~has))
            single &= with_it != without
            number |= with_it.astype(np.int64) << digit
        return np.where(single, number, -1)

    def sees_images(self) -> NDArray[np.bool_]:
        """(weights,): whose number changes with the image."""
        found = self.numbers({}, images=self.tracer.others)
        changed: NDArray[np.bool_] = np.abs(found - self.base) > self.limit
        return changed


def _places(weight: Whole, unit: Whole, size: int) -> Whole:
    """The place of each weight among those of its unit, in the order that they have.

    Where a parameter of `size` numbers has as many of each unit, one unit after the other, also
    those count that read nothing.
    """
    each = size // (int(unit.max(initial=0)) + 1)
    if (weight // each == unit).all():
        return weight % each
    order = np.argsort(unit, kind="stable")
    counts = np.bincount(unit)
    starts = np.cumsum(counts) - counts
    places = np.empty(len(unit), dtype=np.int64)
    places[order] = np.arange(len(unit)) - starts[unit[order]]
    return places
