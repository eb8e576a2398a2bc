"""Which task each shared unit serves, in the two networks with several heads and in controls."""

from __future__ import annotations

from dataclasses import dataclass

from core.architectures.multitask.gradients import SIZE, conflict
from core.architectures.multitask.lesions import described, judged
from core.architectures.multitask.results import SHARES, SharedUnits, heads_of
from core.architectures.multitask.scores import scores
from core.architectures.multitask.sharing import SHARED, opened_up
from core.data.task import DataTask
from core.runs import Run
from core.runtime.lab import Lab
from core.runtime.task import Report, Task
from core.training.task import ModelTask

__all__ = ["SharedUnitsTask"]

_BATCHES = 8  # of digits, for gradients
_LINEAR = 20_000  # digits of the linear baseline


@dataclass(frozen=True)
class SharedUnitsTask(Task[SharedUnits]):
    """What every shared unit of `multitask` or `pairs` is for."""

    run: Run

    @property
    def title(self) -> str:
        """What is done."""
        return f"Examining {self.run.title}"

    def compute(self, lab: Lab, report: Report) -> SharedUnits:
        """Scores and baselines, lesions of single units and of groups, and gradients."""
        trained, report = lab.given(report, ModelTask(self.run))
        model, data = opened_up(trained), self.run.data
        halves = [
            lab.result(DataTask(data, half), report) for half in ("discovery", "confirmation")
        ]
        fit = lab.result(DataTask(data, "fit"), report).take(slice(_LINEAR))
        kept = {"scores": scores(model, fit, halves[1])}
        for at, layer in enumerate(SHARED):
            report(0.1 + 0.35 * at, f"Silencing the units of {layer}, one by one and together")
            kept |= judged(model, halves, layer, SHARES, self.run.seed)
            kept |= described(model, halves, layer)
        report(0.8, "Comparing the gradients of the tasks")
        kept |= conflict(model, halves[0].take(slice(_BATCHES * SIZE)))
        return SharedUnits(heads_of(self.run.settings), kept)
