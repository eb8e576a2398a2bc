"""A multilayer perceptron: hidden layers that see every pixel, none told where it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from torch import Tensor, nn

from core.models.inspectable import Inspectable, Layer, Stages
from core.models.nonlinear import Nonlinearities, activation, followed
from core.models.settings import DIGITS, DataFormat, Dropout, Sizes, dense, setting, summed


@dataclass(frozen=True)
class MLPSettings(Dropout):
    """Of a multilayer perceptron. widths: units of each hidden layer."""

    architecture = "mlp"
    title = "Multilayer perceptron"

    widths: tuple[int, ...] = setting(
        (256, 128), "Widths", low=1, high=2048, count=(1, 6), help="Units of each hidden layer."
    )
    activation: str = activation()
    epochs: int = 8
    weight_decay: float = 3e-4

    def steps(self, data: DataFormat) -> list[tuple[int, int]]:
        """How many numbers each layer reads and gives."""
        return list(pairwise((data.pixels, *self.widths, data.classes)))

    def sizes(self, data: DataFormat) -> Sizes:
        """Of dense layers."""
        return summed(*(dense(*step) for step in self.steps(data)))

    def describe(self, data: DataFormat = DIGITS) -> tuple[Layer, ...]:
        """The hidden layers and the logits."""
        hidden = [Layer(f"linear_{at}", units) for at, units in enumerate(self.widths)]
        last = Layer(f"linear_{len(hidden)}", data.classes, rectified=False)
        return (*followed(self.activation, hidden), last)

    def network(self, data: DataFormat = DIGITS) -> MLP:
        """The network."""
        return MLP(self, data)


class MLP(Inspectable):
    """784 -> 256 -> 128 -> 10; 235,146 parameters."""

    name = "mlp"
    settings: MLPSettings

    def __init__(self, settings: MLPSettings, data: DataFormat = DIGITS) -> None:
        super().__init__()
        self.settings, self.described = settings, settings.describe(data)
        self.behind = Nonlinearities(settings.activation, self.layers[:-1])
        for name, step in zip(self.layers, settings.steps(data), strict=True):
            self.add_module(name, nn.Linear(*step))

    def stages(self) -> Stages:
        """From image to logits, layer by layer."""
        before = [nn.Flatten(), *(self.behind[name] for name in self.layers[:-1])]
        return {
            name: self._stage(layer, name) for name, layer in zip(self.layers, before, strict=True)
        }

    def _stage(self, before: nn.Module, name: str) -> Callable[[Tensor], Tensor]:
        """The layer `name` of what stands before it."""
        own = self.get_submodule(name)
        return lambda values: own(before(values))
