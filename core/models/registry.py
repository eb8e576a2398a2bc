"""Every architecture by name, and the one place where weights are drawn."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

import torch

from core.arguments import whole
from core.models.attention import AttentionSettings
from core.models.capsules import CapsulesSettings
from core.models.gru import GRUSettings
from core.models.inspectable import Inspectable, Layer
from core.models.lenet5 import LeNet5Settings
from core.models.lstm import LSTMSettings
from core.models.mixture import MixtureSettings
from core.models.mlp import MLPSettings
from core.models.multitask import MultitaskSettings, PairsSettings
from core.models.planted import PlantedSettings
from core.models.rbf import RBFSettings
from core.models.settings import DIGITS, DataFormat, Settings
from core.models.simple_cnn import SimpleCNNSettings
from core.models.som import SOMSettings
from core.surroundings import undisturbed
from core.text import literal

__all__ = [
    "MODELS",
    "SEEDS",
    "Given",
    "build",
    "check",
    "describe",
    "draw",
    "parameters",
    "title",
]

Given: TypeAlias = Settings | Mapping[str, Any] | None  # settings, or those that aren't at default

SEEDS = range(2**31)  # seeds that a model may be built from
_SEEDING = threading.Lock()  # torch draws initial weights from one generator for the whole process

MODELS: Mapping[str, type[Settings]] = MappingProxyType(
    {
        of.architecture: of
        for of in (
            LeNet5Settings,
            SimpleCNNSettings,
            MLPSettings,
            LSTMSettings,
            GRUSettings,
            AttentionSettings,
            CapsulesSettings,
            MultitaskSettings,
            PairsSettings,
            RBFSettings,
            SOMSettings,
            MixtureSettings,
            PlantedSettings,
        )
    }
)
_DEFAULTS = {name: of() for name, of in MODELS.items()}


def check(name: str, seed: int = 0, settings: Given = None, data: DataFormat = DIGITS) -> Settings:
    """The whole settings of model `name`, those not given by default.

    Raises `ValueError` for an unknown model, seed or setting, and for images that the model can't
    read.
    """
    whole(seed, "seed", 0, SEEDS[-1])
    found = _settings(name, settings)
    found.check_for(data)
    return found


def _settings(name: str, given: Given) -> Settings:
    """The settings of model `name`; raises `ValueError`."""
    if name not in MODELS:
        raise ValueError(f"{literal(name)} is not a model: choose one of {', '.join(MODELS)}.")
    if not given:
        return _DEFAULTS[name]
    if isinstance(given, Settings):
        if given.architecture != name:
            raise ValueError(f"settings are those of {given.architecture}: give those of {name}.")
        return given
    return MODELS[name].of(given)


def title(name: str, settings: Given = None) -> str:
    """What a model is called, with the settings that aren't at their default."""
    found = check(name, settings=settings)
    words = found.in_words()
    return f"{found.title}, {words}" if words else found.title


def describe(name: str, settings: Given = None, data: DataFormat = DIGITS) -> tuple[Layer, ...]:
    """The layers of a model, input to output, of which no weights are drawn. Raises as `check`."""
    return check(name, settings=settings, data=data).describe(data)


def parameters(name: str, settings: Given = None, data: DataFormat = DIGITS) -> int:
    """How many numbers a model learns, by formula. Raises as `check`."""
    return check(name, settings=settings, data=data).parameters(data)


def build(
    name: str,
    seed: int = 0,
    *,
    shape: tuple[int, int, int] = DIGITS.shape,
    classes: int = DIGITS.classes,
    **settings: Any,
) -> Inspectable:
    """An untrained model, its weights drawn by PyTorch's default rule from `seed` alone.

    shape: of an image, (channels, height, width). settings: by name, see `MODELS[name].options()`.

    Raises `ValueError` for an unknown model or setting, a seed outside `SEEDS`, or images that the
    model can't read.
    """
    return draw(name, seed, settings, DataFormat(shape, classes))


@undisturbed()
def draw(
    name: str, seed: int = 0, settings: Given = None, data: DataFormat = DIGITS
) -> Inspectable:
    """What `build` gives, for whole settings and a data format. Raises as `build`."""
    found, seed = check(name, seed, settings, data), whole(seed, "seed")
    with _SEEDING, torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        model = found.network(data)
    model.settings, model.reads = found, data
    return model
