"""Removing every unit of LeNet-5's layers alone, against a full forward pass for each unit."""

from __future__ import annotations

import torch

from bench.ratio import Row, ratio
from core.activations import run
from core.data import DataSet, load
from core.interventions.answers import margins
from core.interventions.removal import Removal
from core.interventions.single import each_alone
from core.models.inspectable import Inspectable
from core.models.registry import build

__all__ = ["measure"]

_LEAST = {"linear_0": 60.0, "conv_1": None, "linear_1": None}  # promised of one layer
_PASSES = 3  # full passes timed; as many as the layer has units take as many times as long


def measure(rounds: int) -> list[Row]:
    """The ratio for each layer that a dense one reads, on 10,000 digits."""
    digits = load("strokes", "test")
    model = build("lenet5").eval().requires_grad_(False)
    return [_layer(model, digits, layer, least, rounds) for layer, least in _LEAST.items()]


def _layer(
    model: Inspectable, digits: DataSet, layer: str, least: float | None, rounds: int
) -> Row:
    """One layer's ratio, once both ways are seen to give the same."""
    removal = Removal(model, digits, layer)
    _check(removal)

    def whole() -> None:
        for unit in range(_PASSES):
            run(model, digits.images, {(layer, unit): 0.0})

    faster = removal.units / _PASSES / ratio(lambda: each_alone(removal), whole, rounds)
    return Row(
        f"removing each of {removal.units} units of {layer}, 10,000 digits: full passes / ours",
        faster,
        "none" if least is None else f"at least {least:.0f}",
        least is None or faster >= least,
    )


def _check(removal: Removal) -> None:
    """Raise `ValueError` unless both ways give the same margins."""
    found, digits = each_alone(removal), removal.digits
    for unit in (0, removal.units - 1):
        full = run(removal.model, digits.images, {(removal.layer, unit): 0.0})
        if not torch.allclose(margins(full, digits.labels), found[unit], atol=1e-5):
            raise ValueError(f"without {removal.layer}/{unit} the two ways give other margins.")
