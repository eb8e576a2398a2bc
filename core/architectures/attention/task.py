"""What the heads of the attention network look at and are for, and what positions are worth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.architectures.attention import measure as attention
from core.architectures.attention.heads import DRAWS, Heads
from core.architectures.attention.positions import PositionValue, position_value
from core.data import CLASSES
from core.data.task import DataTask
from core.runs import Run
from core.runtime.lab import Lab
from core.runtime.task import Report, Task
from core.training.task import ModelTask

__all__ = ["HeadsTask", "PositionValueTask"]


@dataclass(frozen=True)
class HeadsTask(Task[Heads]):
    """What each head looks at, and which classes need it."""

    run: Run

    @property
    def title(self) -> str:
        """What is done."""
        return f"Examining {self.run.title}"

    def compute(self, lab: Lab, report: Report) -> Heads:
        """Weights, entropies, heads silenced one by one, and weights replaced."""
        model, report = lab.given(report, ModelTask(self.run))
        halves = {
            half: lab.result(DataTask(self.run.data, half), report)
            for half in ("discovery", _JUDGED)
        }
        judged = halves[_JUDGED]
        looks = {
            name: attention.mean_weights(network, judged.images)
            for name, network in {"trained": model, "untrained": self.run.untrained()}.items()
        }
        effects = {}
        for at, (half, digits) in enumerate(halves.items()):
            report(0.1 + 0.15 * at, "Silencing heads")
            effects[half] = attention.head_effects(model, digits)
        report(0.4, "Replacing attention weights")
        kept = attention.accuracies(model, judged)
        report(0.6, "Silencing random units, the control")
        return Heads(
            weights={name: (of[0], of[1]) for name, (of, _) in looks.items()},
            entropies={name: (of[0], of[1]) for name, (_, of) in looks.items()},
            lost={half: lost for half, (lost, _) in effects.items()},
            won={half: won for half, (_, won) in effects.items()},
            count={
                half: np.bincount(digits.labels.numpy(), minlength=CLASSES)
                for half, digits in halves.items()
            },
            random=attention.random_effects(model, judged, DRAWS, self.run.seed),
            kept={name: np.array(hits) for name, hits in kept.items()},
        )


_JUDGED = "confirmation"


@dataclass(frozen=True)
class PositionValueTask(Task[PositionValue]):
    """The network without positions, and what shuffled patches change in both."""

    run: Run

    @property
    def title(self) -> str:
        """What is done."""
        return "Comparing self-attention with and without positions"

    def compute(self, lab: Lab, report: Report) -> PositionValue:
        """Both networks on digits as they are and on shuffled patches."""
        placed, unplaced = (self.run.with_settings(positions=told) for told in (True, False))
        with_places, without, report = lab.given(report, ModelTask(placed), ModelTask(unplaced))
        digits = lab.result(DataTask(self.run.data, _JUDGED), report)
        networks = {"with positions": with_places, "without positions": without}
        return position_value(networks, digits, self.run.seed)
