"""LeNet-5 as David Bau trained it in 2016: 44,426 parameters, ReLU and max pooling, no padding.

The shape is that of his net-intent experiments, in which `linear_0` has 120 units. LeCun et al.
(1998, Proc. IEEE 86(11)) padded to 32x32 and used scaled tanh, summed pooling and an RBF output.
"""

from __future__ import annotations

from torch import nn
from torch.nn.functional import max_pool2d, relu

from core.models.inspectable import Inspectable, Layer, ReceptiveField, Stages


class LeNet5(Inspectable):
    """28x28 -> 6@24 -> 6@12 -> 16@8 -> 16@4 -> 120 -> 84 -> 10."""

    name = "lenet5"
    described = (
        Layer("conv_0", 6, (24, 24), ReceptiveField(size=5, stride=1, offset=2)),
        Layer("conv_1", 16, (8, 8), ReceptiveField(size=14, stride=2, offset=6.5)),
        Layer("linear_0", 120),
        Layer("linear_1", 84),
        Layer("linear_2", 10, rectified=False),
    )

    def __init__(self) -> None:
        super().__init__()
        self.conv_0 = nn.Conv2d(1, 6, kernel_size=5)
        self.conv_1 = nn.Conv2d(6, 16, kernel_size=5)
        self.linear_0 = nn.Linear(16 * 4 * 4, 120)
        self.linear_1 = nn.Linear(120, 84)
        self.linear_2 = nn.Linear(84, 10)

    def stages(self) -> Stages:
        """From image to logits, layer by layer."""
        return {
            "conv_0": self.conv_0,
            "conv_1": lambda maps: self.conv_1(max_pool2d(relu(maps), 2)),  # of (batch, 6, 12, 12)
            "linear_0": lambda maps: self.linear_0(max_pool2d(relu(maps), 2).flatten(1)),
            "linear_1": lambda hidden: self.linear_1(relu(hidden)),
            "linear_2": lambda hidden: self.linear_2(relu(hidden)),
        }
