"""LeNet-5 as David Bau trained it in 2016: 44,426 parameters, ReLU and max pooling, no padding.

The shape is that of his net-intent experiments, in which `linear_0` has 120 units. LeCun et al.
(1998, Proc. IEEE 86(11)) padded to 32x32 and used scaled tanh, summed pooling and an RBF output.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from core.models.inspectable import Inspectable, Layer, ReceptiveField, Stages
from core.models.nonlinear import Nonlinearities, activation, followed
from core.models.pooling import pooled
from core.models.settings import DIGITS, DataFormat, Dropout, Sizes, dense, setting, summed

SMALLEST = 16  # pixels a side: of fewer the second pooling leaves nothing


@dataclass(frozen=True)
class LeNet5Settings(Dropout):
    """Of a LeNet-5. widths: channels of both convolutions, units of both hidden dense layers."""

    architecture = "lenet5"
    title = "LeNet-5 (Bau 2016)"

    widths: tuple[int, ...] = setting(
        (6, 16, 120, 84),
        "Widths",
        low=1,
        high=512,
        count=(4, 4),
        help="Channels of both convolutions, then units of both hidden dense layers.",
    )
    activation: str = activation()
    epochs: int = 9
    weight_decay: float = 3e-4

    def check_for(self, data: DataFormat) -> None:
        """Raises `ValueError` for images that are too small."""
        if min(data.height, data.width) < SMALLEST:
            raise ValueError(
                f"images of {data.height} × {data.width} pixels are too small for lenet5: give at "
                f"least {SMALLEST} × {SMALLEST}, or choose mlp."
            )
        super().check_for(data)

    def maps(self, data: DataFormat) -> tuple[tuple[int, int], tuple[int, int]]:
        """(height, width) of the activation maps of both convolutions."""
        first = data.height - 4, data.width - 4
        return first, (first[0] // 2 - 4, first[1] // 2 - 4)

    def pooled(self, data: DataFormat) -> int:
        """How many numbers the first dense layer reads."""
        height, width = self.maps(data)[1]
        return self.widths[1] * (height // 2) * (width // 2)

    def sizes(self, data: DataFormat) -> Sizes:
        """Of two convolutions of 5x5 pixels and three dense layers."""
        a, b, c, d = self.widths
        convolutions = (25 * data.channels * a, a), (25 * a * b, b)
        layers = dense(self.pooled(data), c), dense(c, d), dense(d, data.classes)
        return summed(*convolutions, *layers)

    def describe(self, data: DataFormat = DIGITS) -> tuple[Layer, ...]:
        """Five layers."""
        a, b, c, d = self.widths
        first, second = self.maps(data)
        hidden = (
            Layer("conv_0", a, first, ReceptiveField(size=5, stride=1, offset=2)),
            Layer("conv_1", b, second, ReceptiveField(size=14, stride=2, offset=6.5)),
            Layer("linear_0", c),
            Layer("linear_1", d),
        )
        last = Layer("linear_2", data.classes, rectified=False)
        return (*followed(self.activation, hidden), last)

    def network(self, data: DataFormat = DIGITS) -> LeNet5:
        """The network."""
        return LeNet5(self, data)


class LeNet5(Inspectable):
    """28x28 -> 6@24 -> 6@12 -> 16@8 -> 16@4 -> 120 -> 84 -> 10."""

    name = "lenet5"
    settings: LeNet5Settings

    def __init__(self, settings: LeNet5Settings, data: DataFormat = DIGITS) -> None:
        super().__init__()
        a, b, c, d = settings.widths
        self.settings, self.described = settings, settings.describe(data)
        self.behind = Nonlinearities(settings.activation, self.layers[:-1])
        self.conv_0 = nn.Conv2d(data.channels, a, kernel_size=5)
        self.conv_1 = nn.Conv2d(a, b, kernel_size=5)
        self.linear_0 = nn.Linear(settings.pooled(data), c)
        self.linear_1 = nn.Linear(c, d)
        self.linear_2 = nn.Linear(d, data.classes)

    def stages(self) -> Stages:
        """From image to logits, layer by layer."""
        f = self.behind
        return {
            "conv_0": self.conv_0,  # maps of (batch, 6, 24, 24), pooled to (batch, 6, 12, 12)
            "conv_1": lambda maps: self.conv_1(pooled(f["conv_0"](maps))),
            "linear_0": lambda maps: self.linear_0(pooled(f["conv_1"](maps)).flatten(1)),
            "linear_1": lambda hidden: self.linear_1(f["linear_0"](hidden)),
            "linear_2": lambda hidden: self.linear_2(f["linear_1"](hidden)),
        }
