"""What is climbed: from a layer's activations to one number for each image of the batch.

Image i of a batch belongs to unit i of `units`, so that a whole layer is maximized at once. A
dense unit has one activation; of a map one takes a neuron, which sees one receptive field, or the
channel's mean, which shows a texture and not a template.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

import torch
from torch import Tensor

from core.arguments import real, whole

__all__ = ["OBJECTIVES", "Along", "Channel", "Neuron", "Objective", "Scaled", "Sum"]


class Objective(Protocol):
    """A value that can be climbed."""

    def __call__(self, activations: Tensor, units: Tensor) -> Tensor:
        """(batch,) from (batch, units) or (batch, units, height, width) and indices (batch,)."""


class _Arithmetic:
    """Objectives add, and scale by a number; a negative one is descended."""

    def __add__(self: Objective, other: Objective) -> Sum:
        return Sum(self, other)

    def __mul__(self: Objective, factor: float) -> Scaled:
        return Scaled(self, factor)

    __rmul__ = __mul__

    def __neg__(self: Objective) -> Scaled:
        return Scaled(self, -1.0)


@dataclass(frozen=True)
class Neuron(_Arithmetic):
    """One position of the unit's map, the middle one unless told; the unit itself when dense."""

    row: int | None = None
    column: int | None = None

    def __post_init__(self) -> None:
        """Raises `ValueError` for a position that is none."""
        for name, place in (("row", self.row), ("column", self.column)):
            object.__setattr__(self, name, None if place is None else whole(place, name, 0))

    def __call__(self, activations: Tensor, units: Tensor) -> Tensor:
        """(batch,): the activation of each image's own neuron."""
        images = torch.arange(len(units))
        if activations.ndim == 2:
            return activations[images, units]
        row = activations.shape[2] // 2 if self.row is None else self.row
        column = activations.shape[3] // 2 if self.column is None else self.column
        return activations[images, units, row, column]


@dataclass(frozen=True)
class Channel(_Arithmetic):
    """The mean over the unit's map; the unit itself when dense."""

    def __call__(self, activations: Tensor, units: Tensor) -> Tensor:
        """(batch,): the mean activation of each image's own unit."""
        own = activations[torch.arange(len(units)), units]
        return own if own.ndim == 1 else own.mean((1, 2))


@dataclass(frozen=True)
class Sum(_Arithmetic):
    """Two objectives at once."""

    one: Objective
    other: Objective

    def __call__(self, activations: Tensor, units: Tensor) -> Tensor:
        """(batch,): their sum."""
        return self.one(activations, units) + self.other(activations, units)


@dataclass(frozen=True)
class Scaled(_Arithmetic):
    """An objective times a number."""

    objective: Objective
    factor: float

    def __post_init__(self) -> None:
        """Raises `ValueError` for a factor that isn't a finite number."""
        object.__setattr__(self, "factor", real(self.factor, "factor"))

    def __call__(self, activations: Tensor, units: Tensor) -> Tensor:
        """(batch,): the product."""
        return self.factor * self.objective(activations, units)


@dataclass(frozen=True, eq=False)
class Along(_Arithmetic):
    """How far a layer goes along a direction, weights · activations; of a map its maximum counts.

    weights: float32 (units,). The same for every image, whatever its unit.
    """

    weights: Tensor

    def __call__(self, activations: Tensor, units: Tensor) -> Tensor:
        """(batch,): the product."""
        values = activations.amax((2, 3)) if activations.ndim == 4 else activations
        return values @ self.weights.to(values)


OBJECTIVES: Mapping[str, Objective] = MappingProxyType({"neuron": Neuron(), "channel": Channel()})
