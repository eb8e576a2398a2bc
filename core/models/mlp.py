"""A multilayer perceptron: two hidden layers that see every pixel, none told where it is."""

from __future__ import annotations

from torch import nn
from torch.nn.functional import relu

from core.models.inspectable import Inspectable, Layer, Stages


class MLP(Inspectable):
    """784 -> 256 -> 128 -> 10; 235,146 parameters."""

    name = "mlp"
    described = (
        Layer("linear_0", 256),
        Layer("linear_1", 128),
        Layer("linear_2", 10, rectified=False),
    )

    def __init__(self) -> None:
        super().__init__()
        self.linear_0 = nn.Linear(28 * 28, 256)
        self.linear_1 = nn.Linear(256, 128)
        self.linear_2 = nn.Linear(128, 10)

    def stages(self) -> Stages:
        """From image to logits, layer by layer."""
        return {
            "linear_0": lambda images: self.linear_0(images.flatten(1)),
            "linear_1": lambda hidden: self.linear_1(relu(hidden)),
            "linear_2": lambda hidden: self.linear_2(relu(hidden)),
        }
