"""The course module's small convolutional network: two padded 3x3 layers and one dense layer."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from core.models.inspectable import Inspectable, Layer, ReceptiveField, Stages
from core.models.nonlinear import Nonlinearities, activation, followed
from core.models.pooling import pooled
from core.models.settings import DIGITS, DataFormat, Descent, Sizes, dense, setting, summed

SMALLEST = 4  # pixels a side: of fewer the second pooling leaves nothing


@dataclass(frozen=True)
class SimpleCNNSettings(Descent):
    """Of a simple convolutional network. widths: channels of both convolutions."""

    architecture = "simple_cnn"
    title = "Simple CNN"

    widths: tuple[int, ...] = setting(
        (16, 32), "Widths", low=1, high=256, count=(2, 2), help="Channels of both convolutions."
    )
    activation: str = activation()
    epochs: int = 5
    weight_decay: float = 3e-4

    def check_for(self, data: DataFormat) -> None:
        """Raises `ValueError` for images that are too small."""
        if min(data.height, data.width) < SMALLEST:
            raise ValueError(
                f"images of {data.height} × {data.width} pixels are too small for simple_cnn: give "
                f"at least {SMALLEST} × {SMALLEST}, or choose mlp."
            )
        super().check_for(data)

    def pooled(self, data: DataFormat) -> int:
        """How many numbers the dense layer reads."""
        return self.widths[1] * (data.height // 4) * (data.width // 4)

    def sizes(self, data: DataFormat) -> Sizes:
        """Of two convolutions of 3x3 pixels and a dense layer."""
        a, b = self.widths
        convolutions = (9 * data.channels * a, a), (9 * a * b, b)
        return summed(*convolutions, dense(self.pooled(data), data.classes))

    def describe(self, data: DataFormat = DIGITS) -> tuple[Layer, ...]:
        """Three layers."""
        a, b = self.widths
        whole, half = (data.height, data.width), (data.height // 2, data.width // 2)
        hidden = (
            Layer("conv1", a, whole, ReceptiveField(size=3, stride=1, offset=0)),
            Layer("conv2", b, half, ReceptiveField(size=8, stride=2, offset=0.5)),
        )
        last = Layer("fc", data.classes, rectified=False)
        return (*followed(self.activation, hidden), last)

    def network(self, data: DataFormat = DIGITS) -> SimpleCNN:
        """The network."""
        return SimpleCNN(self, data)


class SimpleCNN(Inspectable):
    """28x28 -> 16@28 -> 16@14 -> 32@14 -> 32@7 -> 10; 20,490 parameters."""

    name = "simple_cnn"
    settings: SimpleCNNSettings

    def __init__(self, settings: SimpleCNNSettings, data: DataFormat = DIGITS) -> None:
        super().__init__()
        a, b = settings.widths
        self.settings, self.described = settings, settings.describe(data)
        self.behind = Nonlinearities(settings.activation, self.layers[:-1])
        self.conv1 = nn.Conv2d(data.channels, a, kernel_size=3, padding=1)
        self.conv2 = nn.Conv2d(a, b, kernel_size=3, padding=1)
        self.fc = nn.Linear(settings.pooled(data), data.classes)

    def stages(self) -> Stages:
        """From image to logits, layer by layer."""
        f = self.behind
        return {
            "conv1": self.conv1,  # maps of (batch, 16, 28, 28), pooled to (batch, 16, 14, 14)
            "conv2": lambda maps: self.conv2(pooled(f["conv1"](maps))),
            "fc": lambda maps: self.fc(pooled(f["conv2"](maps)).flatten(1)),
        }
