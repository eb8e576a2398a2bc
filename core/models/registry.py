"""Every architecture by name, and the one place where weights are drawn."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import torch

from core.models.inspectable import Inspectable
from core.models.lenet5 import LeNet5
from core.models.mlp import MLP
from core.models.simple_cnn import SimpleCNN

__all__ = ["MODELS", "SEEDS", "Recipe", "build", "check"]

SEEDS = range(2**31)  # seeds that a model may be built from
_SEEDING = threading.Lock()  # torch draws initial weights from one generator for the whole process


@dataclass(frozen=True)
class Recipe:
    """An architecture, what to call it, and how many epochs it is trained by default."""

    architecture: type[Inspectable]
    title: str
    epochs: int


MODELS: Mapping[str, Recipe] = MappingProxyType(
    {
        "lenet5": Recipe(LeNet5, "LeNet-5 (Bau 2016)", epochs=9),
        "simple_cnn": Recipe(SimpleCNN, "Simple CNN", epochs=5),
        "mlp": Recipe(MLP, "Multilayer perceptron", epochs=8),
    }
)


def check(name: str, seed: int = 0) -> Recipe:
    """The recipe of model `name`; raises `ValueError` for an unknown model or seed."""
    if name not in MODELS:
        raise ValueError(f"{name!r} is not a model: choose one of {', '.join(MODELS)}.")
    if seed not in SEEDS:
        raise ValueError(f"{seed!r} is not a seed: choose 0 to {SEEDS[-1]}.")
    return MODELS[name]


def build(name: str, seed: int = 0) -> Inspectable:
    """An untrained model, its weights drawn by PyTorch's default rule from `seed` alone.

    Raises `ValueError` for an unknown model or a seed outside `SEEDS`.
    """
    recipe = check(name, seed)
    with _SEEDING, torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return recipe.architecture()
