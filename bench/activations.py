"""Activations of every layer for 10,000 digits, against one bare forward pass."""

from __future__ import annotations

import torch

from bench.ratio import Row, ratio
from core.activations import BATCH, collect_layers
from core.digits import load_digits
from core.models.registry import build

_MOST = 1.25


def measure(rounds: int) -> list[Row]:
    """The ratio for LeNet-5, all layers kept in full."""
    images = load_digits("strokes", "test").images
    model = build("lenet5").eval()

    def bare() -> None:
        with torch.no_grad():
            for some in images.split(BATCH):
                model(some)

    value = ratio(lambda: collect_layers(model, images), bare, rounds)
    what = "activations of all layers, 10,000 digits / bare forward pass"
    return [Row(what, value, f"at most {_MOST:.2f}", value <= _MOST)]
