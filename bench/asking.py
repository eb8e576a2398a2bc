"""Removing every unit of a layer alone, against a full forward pass for each; and a whole claim."""

from __future__ import annotations

from statistics import median
from time import perf_counter

import torch

from bench.ratio import Row, ratio
from core.activations import run
from core.claims import ask
from core.data import DataSet, load
from core.interventions.removal import Removal
from core.models.inspectable import Inspectable
from core.models.registry import build

_LEAST, _MOST, _MOST_BESIDE = 8.0, 10.0, 60.0
_PASSES = 12  # full passes timed, of 120: ten times as many take ten times as long


def measure(rounds: int) -> list[Row]:
    """The ratio for the 120 units of linear_0 on 10,000 digits, and a claim's time in seconds."""
    digits = load("strokes", "test")
    model = build("lenet5").eval().requires_grad_(False)
    units = list(range(0, 120, 120 // _PASSES))

    def whole() -> None:
        for unit in units:
            run(model, digits.images, {("linear_0", unit): 0.0})

    removal = Removal(model, digits, "linear_0")

    def ours() -> None:
        for unit in range(removal.units):
            removal.without([unit])

    _check(model, digits, removal)
    faster = 120 / len(units) / ratio(ours, whole, rounds)
    seconds = [_asked(model, digits, baselines=False) for _ in range(rounds)]
    whole_claim = _asked(model, digits, baselines=True)
    return [
        Row(
            "removing 120 units one by one, 10,000 digits: full passes / ours",
            faster,
            f"at least {_LEAST:.0f}",
            faster >= _LEAST,
        ),
        Row(
            "a whole claim, 200 controls and 2,000 draws, seconds",
            median(seconds),
            f"below {_MOST:.0f}",
            median(seconds) < _MOST,
        ),
        Row(
            "the same beside untrained networks and directions, seconds",
            whole_claim,
            f"below {_MOST_BESIDE:.0f}",
            whole_claim < _MOST_BESIDE,
        ),
    ]


def _check(model: Inspectable, digits: DataSet, removal: Removal) -> None:
    """Raise `ValueError` unless both ways give the same numbers."""
    for unit in (0, 58, 119):
        full = run(model, digits.images, {("linear_0", unit): 0.0})
        if not torch.allclose(full, removal.without([unit]).logits, atol=1e-5):
            raise ValueError(f"without unit {unit} the two ways give other logits.")


def _asked(model: Inspectable, digits: DataSet, *, baselines: bool) -> float:
    """How long one claim takes, the concept's measurement included."""
    start = perf_counter()
    ask(model, digits, [("linear_0", 58)], "class-7", baselines=baselines)
    return perf_counter() - start
