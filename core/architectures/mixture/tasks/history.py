"""A gate through training, at each step of which the weights were kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch

from core.architectures.mixture.history import Growth, grow
from core.architectures.mixture.tasks.assignment import gated
from core.architectures.task import Arrays, Opening
from core.data import load_digits
from core.models.inspectable import Inspectable
from core.runtime.task import Report, under

__all__ = ["DIGITS", "Growing"]

DIGITS = 2500  # of the discovery half, read at each step


@dataclass(frozen=True)
class Growing(Opening[Growth]):
    """One gate of a network through its training; all of its gates are kept together."""

    gate: str
    kind = "gate-growth"

    @property
    def title(self) -> str:
        """What it does."""
        return f"{super().title}: gates during training"

    def measure(self, models: Mapping[str, Inspectable], report: Report) -> Arrays:
        """Every gate at every step that was kept, on digits moved as in training."""
        model = gated(models[self.choice.model])
        digits = load_digits(self.choice.data, "discovery").take(slice(DIGITS))
        chance = torch.Generator().manual_seed(self.choice.seed)
        digits = replace(digits, images=model.seen(digits.images, chance))
        found: dict[str, Arrays] = {}
        for at, gate in enumerate(model.gates):
            report(at / len(model.gates), "Running the gate at each saved step of training")
            growth = grow(model.name, model.history.weights, digits, gate, self.choice.seed)
            found[gate] = growth.to_arrays()
        return {f"{gate}/{key}": of for gate, arrays in found.items() for key, of in arrays.items()}

    def result(self, arrays: Arrays) -> Growth:
        """The gate asked for."""
        return Growth(**under(f"{self.gate}/", arrays))
