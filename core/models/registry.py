"""Every architecture by name, and the one place where weights are drawn."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import torch
from torch import nn

from core.arguments import whole
from core.models.attention import Attention, UnplacedAttention
from core.models.capsules import Capsules, UniformCapsules
from core.models.gru import GRU, GRUBefore, ShuffledGRU, ShuffledGRUBefore
from core.models.inspectable import Inspectable
from core.models.lenet5 import LeNet5
from core.models.lstm import LSTM, ShuffledLSTM
from core.models.mixture import Mixture, MixturePeer, variants
from core.models.mixture_deep import DeepMixture, JitteredMixture
from core.models.mlp import MLP
from core.models.multitask import Multitask, MultitaskDigit, MultitaskSlant, Pairs
from core.models.rbf import RBF
from core.models.simple_cnn import SimpleCNN
from core.models.som import SOM
from core.surroundings import undisturbed
from core.text import literal

__all__ = ["LISTED", "MODELS", "SEEDS", "Recipe", "build", "check"]

SEEDS = range(2**31)  # seeds that a model may be built from
_SEEDING = threading.Lock()  # torch draws initial weights from one generator for the whole process


def adadelta(weights: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    """Adadelta (Zeiler 2012, arXiv:1212.5701) with weight decay, as Bau used in 2016.

    It leaves no unit dead, where AdamW at rates that learn as fast leaves a sixth of LeNet-5's.
    """
    return torch.optim.Adadelta(weights, 1.0, rho=0.95, weight_decay=3e-4)


def adam(weights: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    """Adam (Kingma & Ba 2015, arXiv:1412.6980), for networks with gates, attention and routing."""
    return torch.optim.Adam(weights, 2e-3)


def fast_adam(weights: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    """Adam at a rate that networks which read row by row stand, and need to learn in a minute."""
    return torch.optim.Adam(weights, 8e-3)


@dataclass(frozen=True)
class Recipe:
    """An architecture, what to call it, and how it is trained by default.

    epochs: passes over the digits. optimizer: of its weights, where it learns by gradient descent.
    control: whether it is there to be compared with, and so left out of the list of models.
    """

    architecture: type[Inspectable]
    title: str
    epochs: int
    optimizer: Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer] = adadelta
    control: bool = False


def _mixtures() -> dict[str, Recipe]:
    """The mixture of experts, and with other settings, to be compared."""
    return {
        name: Recipe(
            of,
            "Mixture of experts" if of is Mixture else f"Mixture of experts, {_settings(of)}",
            epochs=8,
            optimizer=adam,
            control=of is not Mixture,
        )
        for name, of in variants().items()
    }


def _settings(mixture: type[Mixture]) -> str:
    """What is set otherwise."""
    of = mixture.routing
    if of.experts == 1:
        return "one expert"
    chosen = "all" if of.dense else f"top {of.k}"
    return f"{chosen} of {of.experts}, α {of.weight:g}{'' if of.noise else ', no noise'}"


MODELS: Mapping[str, Recipe] = MappingProxyType(
    {
        "lenet5": Recipe(LeNet5, "LeNet-5 (Bau 2016)", epochs=9),
        "simple_cnn": Recipe(SimpleCNN, "Simple CNN", epochs=5),
        "mlp": Recipe(MLP, "Multilayer perceptron", epochs=8),
        "lstm": Recipe(LSTM, "LSTM", epochs=6, optimizer=fast_adam),
        "lstm_shuffled": Recipe(
            ShuffledLSTM, "LSTM, rows shuffled", epochs=6, optimizer=fast_adam, control=True
        ),
        "gru": Recipe(GRU, "GRU, reset after the product", epochs=6, optimizer=fast_adam),
        "gru_shuffled": Recipe(
            ShuffledGRU, "GRU, rows shuffled", epochs=6, optimizer=fast_adam, control=True
        ),
        "gru_before": Recipe(
            GRUBefore, "GRU, reset before the product", epochs=6, optimizer=fast_adam
        ),
        "gru_before_shuffled": Recipe(
            ShuffledGRUBefore,
            "GRU, reset before the product, rows shuffled",
            epochs=6,
            optimizer=fast_adam,
            control=True,
        ),
        "attention": Recipe(Attention, "Self-attention", epochs=8, optimizer=adam),
        "attention_unplaced": Recipe(
            UnplacedAttention,
            "Self-attention without positions",
            epochs=8,
            optimizer=adam,
            control=True,
        ),
        "capsules": Recipe(Capsules, "Capsules", epochs=3, optimizer=adam),
        "capsules_uniform": Recipe(
            UniformCapsules, "Capsules without routing", epochs=3, optimizer=adam, control=True
        ),
        "multitask": Recipe(Multitask, "Multi-task: digit, slant, thickness", epochs=10),
        "multitask_digit": Recipe(
            MultitaskDigit, "Multi-task, digit alone", epochs=10, control=True
        ),
        "multitask_slant": Recipe(
            MultitaskSlant, "Multi-task, slant alone", epochs=10, control=True
        ),
        "pairs": Recipe(Pairs, "Two digits, left and right", epochs=10),
        "rbf": Recipe(RBF, "Radial basis functions", epochs=15),
        "som": Recipe(SOM, "Self-organizing map", epochs=40),
        **_mixtures(),
        "mixture_peer": Recipe(
            MixturePeer, "Perceptron of a mixture's size", epochs=8, optimizer=adam, control=True
        ),
        "mixture_deep": Recipe(
            DeepMixture,
            "Mixture of experts, two layers",
            epochs=10,
            optimizer=adam,
            control=True,
        ),
        "mixture_jittered": Recipe(
            JitteredMixture,
            "Mixture of experts, two layers, jittered digits",
            epochs=10,
            optimizer=adam,
        ),
    }
)
LISTED = tuple(name for name, recipe in MODELS.items() if not recipe.control)


def check(name: str, seed: int = 0) -> Recipe:
    """The recipe of model `name`; raises `ValueError` for an unknown model or seed."""
    if name not in MODELS:
        raise ValueError(f"{literal(name)} is not a model: choose one of {', '.join(LISTED)}.")
    whole(seed, "seed", 0, SEEDS[-1])
    return MODELS[name]


@undisturbed()
def build(name: str, seed: int = 0) -> Inspectable:
    """An untrained model, its weights drawn by PyTorch's default rule from `seed` alone.

    Raises `ValueError` for an unknown model or a seed outside `SEEDS`.
    """
    recipe, seed = check(name, seed), whole(seed, "seed")
    with _SEEDING, torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return recipe.architecture()
