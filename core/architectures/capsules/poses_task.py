"""What the capsules' dimensions draw when shifted, and what they go along with."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import torch
from numpy.typing import NDArray

from core.architectures.capsules import poses as posing
from core.architectures.capsules.pose_meanings import PoseMeanings, read_of, shifted
from core.architectures.capsules.routing_effects import of_capsules
from core.data import CLASSES
from core.data.task import DataTask
from core.runs import Run
from core.runtime.lab import Lab
from core.runtime.task import Report, Task
from core.training.task import ModelTask

__all__ = ["OBSERVED", "PoseMeaningsTask"]

Numbers = NDArray[np.float64]

HALVES = ("discovery", "confirmation")
OBSERVED = 200  # digits of each class and half, at most, whose capsules are correlated


@dataclass(frozen=True)
class PoseMeaningsTask(Task[PoseMeanings]):
    """Dimensions of the capsules, shifted and decoded, and beside measured digits."""

    run: Run

    @property
    def title(self) -> str:
        """What is done."""
        return f"Examining {self.run.title}"

    def compute(self, lab: Lab, report: Report) -> PoseMeanings:
        """Both halves, class by class; a property's spread is that of the discovery half."""
        trained, report = lab.given(report, ModelTask(self.run))
        model, untrained = of_capsules(trained), self.run.untrained()
        halves = [lab.result(DataTask(self.run.data, half), report) for half in HALVES]
        found: dict[str, list[Numbers]] = {field.name: [] for field in fields(PoseMeanings)}
        for label in range(CLASSES):
            report(label / CLASSES, f"Shifting the capsules of class {label}")
            own = [of.take(torch.nonzero(of.labels == label)[:OBSERVED, 0]) for of in halves]
            values = [posing.measured(of.images.numpy()) for of in own]
            spread = values[0].std(0)
            each = [
                {
                    **shifted(model, digits, spread, self.run.seed),
                    **read_of((model, untrained), digits, of, self.run.seed),
                }
                for digits, of in zip(own, values, strict=True)
            ]
            for name in found:
                found[name].append(np.stack([half[name] for half in each]))
        return PoseMeanings(**{name: np.stack(of, 2) for name, of in found.items()})
