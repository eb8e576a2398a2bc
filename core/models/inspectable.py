"""What every model tells about itself: its layers, and how much of the image a unit sees."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

if TYPE_CHECKING:
    from core.data import DataSet
    from core.models.settings import DataFormat, Settings

__all__ = ["Inspectable", "Layer", "ReceptiveField", "SelfOrganizing", "Stages", "Tap"]

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
    """A layer by name, as its units are read: its output before any nonlinearity that follows.

    map: (height, width) of a unit's activation map, such as a channel's; None for a dense layer.
    field: what a map's neurons see; a map without one is spread evenly over the image.
    rectified: whether a ReLU follows, so that a negative activation counts as none.
    steps: whether the layer runs once for each row of its map, (height, 1), each time with the
    activations (batch, units) of that row, because later rows depend on earlier ones.
    bounds: the lowest and highest activation that the layer's formula allows, if it has both.
    read: where the layer is read, for captions. named: what a unit's index stands for, such as
    "head 1, patch 3"; None where it stands for nothing. behind: the submodule of the nonlinearity
    that follows, where it is another than a ReLU.
    """

    name: str
    units: int
    map: tuple[int, int] | None = None
    field: ReceptiveField | None = None
    rectified: bool = True
    steps: bool = False
    bounds: tuple[float, float] | None = None
    read: str = ""
    named: Callable[[int], str] | None = None
    behind: str = ""

    @property
    def hidden_dense(self) -> bool:
        """Whether its units can be silenced by dropout: a nonlinearity follows, and no map."""
        return self.map is None and (self.rectified or bool(self.behind))

    @property
    def tap(self) -> str:
        """Where the layer is read, for captions."""
        rectified = "before the ReLU" if self.rectified else "logits, before the softmax"
        return self.read or rectified

    @property
    def passed(self) -> str:
        """What of an activation the statistics are of, for captions."""
        if self.rectified:
            return "after the ReLU"
        return (
            "without rectification"
            if self.bounds and self.bounds[0] >= 0
            else "where positive, else 0"
        )


class Tap(nn.Module):
    """A place where a layer is read and edited: it gives back what it is given."""

    def forward(self, values: Tensor) -> Tensor:
        """The same tensor."""
        return values


class Inspectable(nn.Module):
    """A classifier of images in 0..1 into logits, with named layers.

    Each of `described` is the name of a submodule whose output is the layer. settings: those of its
    architecture and training, and reads: the images that it is made for, of a model that the
    registry knows.
    """

    name: str
    described: tuple[Layer, ...]
    settings: Settings
    reads: DataFormat
    history: Any = None  # a core.training.History once trained

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers' names, input to output."""
        return tuple(layer.name for layer in self.described)

    def objective(self, images: Tensor, labels: Tensor) -> Tensor:
        """What training makes small: the mean loss of a batch, by default cross-entropy in nats.

        images: (batch, channels, height, width). labels: int64 (batch,).
        """
        return cross_entropy(self(images), labels)

    def weights(self) -> dict[str, nn.Parameter]:
        """The weights that are learned, by name: parameters of two or more axes but biases."""
        return {
            name: value
            for name, value in self.named_parameters()
            if value.ndim > 1 and name.rpartition(".")[2] not in ("bias", "position")
        }

    def portrait(self) -> Tensor | None:
        """(rows, columns, 28, 28) in 0..1: what can be seen of the model as it learns, if any."""
        return None

    def stages(self) -> Stages:
        """For each layer, in order, the function from the layer before (the images) to its output.

        What stands between two layers, such as a ReLU, belongs to the later one. A model that
        isn't a chain of its layers has none, and defines `forward` instead.
        """
        return {}

    def forward(self, images: Tensor) -> Tensor:
        """Logits (batch, classes): all stages, one after the other."""
        values = images
        for stage in self.stages().values():
            values = stage(values)
        return values


class SelfOrganizing(Inspectable):
    """A model that learns by a rule of its own; measure: what its loss is, in a word."""

    measure: ClassVar[str] = "distance"

    def organize(self, digits: DataSet, epochs: int, generator: torch.Generator) -> Iterator[float]:
        """Learn from the digits; gives the loss after each epoch.

        After each the model is whole: it can be read and can classify. No gradient is recorded.
        """
        raise NotImplementedError
