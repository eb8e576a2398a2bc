"""The nonlinearities that can stand behind a layer, and how its units are read then."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import elu, gelu, leaky_relu

from core.models.inspectable import Layer
from core.models.settings import setting

__all__ = ["FUNCTIONS", "Nonlinearities", "activation", "followed"]

FUNCTIONS = MappingProxyType[str, Callable[[Tensor], Tensor]](
    {
        "relu": torch.relu,
        "leaky_relu": leaky_relu,
        "elu": elu,
        "gelu": gelu,
        "tanh": torch.tanh,
        "sigmoid": torch.sigmoid,
    }
)
_TITLES = MappingProxyType(
    {"leaky_relu": "leaky ReLU", "elu": "ELU", "gelu": "GELU", "tanh": "tanh", "sigmoid": "sigmoid"}
)


def activation() -> Any:
    """The setting of a network whose hidden layers are followed by one of `FUNCTIONS`."""
    return setting(
        "relu",
        "Activation",
        choices=tuple(FUNCTIONS),
        help="The nonlinearity behind each hidden layer. Units are read before it.",
    )


class _Nonlinearity(nn.Module):
    """One of `FUNCTIONS`."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.function = FUNCTIONS[name]

    def forward(self, values: Tensor) -> Tensor:
        """The values behind it, in the same shape."""
        return self.function(values)


class Nonlinearities(nn.ModuleDict):
    """The same nonlinearity behind each of some layers, by the layer's name."""

    def __init__(self, name: str, layers: Sequence[str]) -> None:
        super().__init__({layer: _Nonlinearity(name) for layer in layers})


def followed(name: str, hidden: Sequence[Layer]) -> tuple[Layer, ...]:
    """The hidden layers of a network whose `behind` is `Nonlinearities` of this name."""
    if name == "relu":
        return tuple(hidden)
    read = f"before the {_TITLES[name]}"
    return tuple(
        replace(layer, rectified=False, read=read, behind=f"behind.{layer.name}")
        for layer in hidden
    )
