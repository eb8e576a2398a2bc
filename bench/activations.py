"""Activations of every layer for 10,000 digits, against one bare forward pass.

A forward pass of all digits at once is slower than the same in batches, because no layer's maps fit
in the processor's cache; against batches, what remains is writing 190 MB that a bare pass drops.
"""

from __future__ import annotations

import torch

from bench.ratio import Row, ratio
from core.activations import BATCH, collect_layers
from core.data import load
from core.models.registry import build

_MOST = 1.25


def measure(rounds: int) -> list[Row]:
    """The ratios for LeNet-5, all layers kept in full."""
    images = load("strokes", "test").images
    model = build("lenet5").eval()

    def bare(size: int) -> None:
        with torch.no_grad():
            for some in images.split(size):
                model(some)

    def ours() -> None:
        collect_layers(model, images)

    whole = ratio(ours, lambda: bare(len(images)), rounds)
    batched = ratio(ours, lambda: bare(BATCH), rounds)
    what = "activations of all layers, 10,000 digits / bare forward pass"
    return [
        Row(what, whole, f"at most {_MOST:.2f}", whole <= _MOST),
        Row(f"{what} in batches of {BATCH}", batched, "none", True),
    ]
