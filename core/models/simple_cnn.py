"""The course module's small convolutional network: two padded 3x3 layers and one dense layer."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import max_pool2d, relu

from core.models.inspectable import Inspectable, Layer, ReceptiveField


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

    def forward(self, images: Tensor) -> Tensor:
        """Logits (batch, 10)."""
        maps = max_pool2d(relu(self.conv1(images)), 2)  # (batch, 16, 14, 14)
        maps = max_pool2d(relu(self.conv2(maps)), 2)  # (batch, 32, 7, 7)
        logits: Tensor = self.fc(maps.flatten(1))
        return logits
