"""The course module's small convolutional network: two padded 3x3 layers and one dense layer."""

from __future__ import annotations

from torch import nn
from torch.nn.functional import max_pool2d, relu

from core.models.inspectable import Inspectable, Layer, ReceptiveField, Stages


class SimpleCNN(Inspectable):
    """28x28 -> 16@28 -> 16@14 -> 32@14 -> 32@7 -> 10; 20,490 parameters."""

    name = "simple_cnn"
    described = (
        Layer("conv1", 16, (28, 28), ReceptiveField(size=3, stride=1, offset=0)),
        Layer("conv2", 32, (14, 14), ReceptiveField(size=8, stride=2, offset=0.5)),
        Layer("fc", 10, rectified=False),
    )

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, kernel_size=3, padding=1)
        self.conv2 = nn.Conv2d(16, 32, kernel_size=3, padding=1)
        self.fc = nn.Linear(32 * 7 * 7, 10)

    def stages(self) -> Stages:
        """From image to logits, layer by layer."""
        return {
            "conv1": self.conv1,
            "conv2": lambda maps: self.conv2(max_pool2d(relu(maps), 2)),  # of (batch, 16, 14, 14)
            "fc": lambda maps: self.fc(max_pool2d(relu(maps), 2).flatten(1)),
        }
