"""Training with its record and progress, against a bare PyTorch loop of the same steps."""

from __future__ import annotations

import torch
from torch.nn.functional import cross_entropy

from bench.ratio import Row, ratio
from core.data import load
from core.models.registry import build
from core.training import BATCH, Step, train

_DIGITS = 30_000  # enough steps that the record, taken more often at the start, has its true share
_MOST = 1.10


def measure(rounds: int) -> list[Row]:
    """The ratio for one epoch of LeNet-5."""
    digits = load("strokes", "fit").take(slice(_DIGITS))
    watch = load("strokes", "selection")
    steps: list[Step] = []

    def bare() -> None:
        model = build("lenet5")
        optimizer = torch.optim.Adadelta(model.parameters(), 1.0, rho=0.95, weight_decay=3e-4)
        for _ in range(2):
            for index in torch.randperm(len(digits)).split(BATCH):
                optimizer.zero_grad()
                loss = cross_entropy(model(digits.images[index]), digits.labels[index])
                loss.backward()
                optimizer.step()

    def ours() -> None:
        train("lenet5", digits, epochs=2, watch=watch, on_step=steps.append)

    value = ratio(ours, bare, rounds)
    what = "training with record and progress / bare loop"
    return [Row(what, value, f"at most {_MOST:.2f}", value <= _MOST)]
