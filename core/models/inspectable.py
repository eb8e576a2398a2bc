"""What every model tells about itself: its layers, and how much of the image a unit sees."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

from torch import Tensor, nn

__all__ = ["Inspectable", "Layer", "ReceptiveField", "Stages"]

Stages: TypeAlias = Mapping[str, Callable[[Tensor], Tensor]]


@dataclass(frozen=True)
class ReceptiveField:
    """The pixels that a neuron of a convolutional layer sees: a square, in input pixels.

    Neuron (i, j) sees `size` by `size` pixels around (offset + stride * i, offset + stride * j).
    """

    size: int
    stride: int
    offset: float

    def box(self, row: int, column: int) -> tuple[int, int, int, int]:
        """First row, first column, last row and last column that neuron (row, column) sees.

        Padding makes the box reach over the image's border, so it may start below 0.
        """
        top, left = (self.offset + self.stride * at - (self.size - 1) / 2 for at in (row, column))
        return int(top), int(left), int(top) + self.size - 1, int(left) + self.size - 1


@dataclass(frozen=True)
class Layer:
    """A layer by name, as its units are read: its output before any nonlinearity.

    map: (height, width) of a convolutional unit's activation map; None for a dense layer.
    rectified: whether a ReLU follows, so that a negative activation counts as none.
    """

    name: str
    units: int
    map: tuple[int, int] | None = None
    field: ReceptiveField | None = None
    rectified: bool = True

    @property
    def tap(self) -> str:
        """Where the layer is read, for captions."""
        return "before the ReLU" if self.rectified else "logits, before the softmax"


class Inspectable(nn.Module):
    """A classifier of (batch, 1, 28, 28) images in 0..1 into 10 logits, with named layers.

    Each of `described` is the name of a submodule whose output is the layer.
    """

    name: ClassVar[str]
    described: ClassVar[tuple[Layer, ...]]
    history: Any = None  # a core.training.History once trained

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers' names, input to output."""
        return tuple(layer.name for layer in self.described)

    def stages(self) -> Stages:
        """For each layer, in order, the function from the layer before (the images) to its output.

        What stands between two layers, such as a ReLU, belongs to the later one.
        """
        raise NotImplementedError

    def forward(self, images: Tensor) -> Tensor:
        """Logits (batch, 10): all stages, one after the other."""
        values = images
        for stage in self.stages().values():
            values = stage(values)
        return values
