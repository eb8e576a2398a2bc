"""One run on the test digits in numbers, to be compared with others."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from core.architectures.mixture import read_gates, report_of
from core.architectures.mixture.networks import grid
from core.architectures.mixture.size import multiplications, parameters
from core.architectures.mixture.summary import RunSummary, measured
from core.data.task import DataTask
from core.interventions.answers import correct
from core.models.gated import Gated
from core.models.mixture import MixtureSettings
from core.models.settings import Settings
from core.runs import Run
from core.runtime.lab import Lab
from core.runtime.task import Report, Task
from core.training.task import ModelTask

__all__ = ["RunSummaryTask", "kept_runs", "trained_runs"]


@dataclass(frozen=True)
class RunSummaryTask(Task[RunSummary]):
    """One run in numbers; of a network with two gates, those of its last one."""

    run: Run

    @property
    def title(self) -> str:
        """What is done."""
        return f"Examining {self.run.title}: summary of the run"

    def compute(self, lab: Lab, report: Report) -> RunSummary:
        """On all test digits."""
        model, report = lab.given(report, ModelTask(self.run))
        digits = lab.result(DataTask(self.run.data, "test"), report)
        report(0.0, "Running network and gate on the test digits")
        right = correct(model, digits)
        sizes = parameters(model), multiplications(model)
        if not isinstance(model, Gated):
            return RunSummary(right, *sizes, {}, np.zeros(0), np.zeros(0))
        gate = report_of(read_gates(model, digits), digits.labels.numpy(), seed=self.run.seed)
        return RunSummary(right, *sizes, measured(gate), gate.load, gate.importance)


def kept_runs(run: Run, lab: Lab) -> dict[Settings, RunSummary]:
    """The mixtures of one layer that the lab has for these data and this seed."""
    found: dict[Settings, RunSummary] = {}
    for other in _others(run):
        task = RunSummaryTask(other)
        kept = lab.find(task) if lab.has(task) else None
        if kept is not None:
            found[other.settings] = kept
    return found


def trained_runs(run: Run, lab: Lab) -> tuple[Settings, ...]:
    """The mixtures of one layer that were trained, on whatever page."""
    return tuple(other.settings for other in _others(run) if lab.has(ModelTask(other)))


@lru_cache(64)
def _others(run: Run) -> tuple[Run, ...]:
    """The mixture itself, where it has one layer, and all that it is compared with."""
    own = run.settings if isinstance(run.settings, MixtureSettings) else MixtureSettings()
    every = dict.fromkeys([*([own] if own.layers == 1 else []), *grid(own)])
    return tuple(run.with_network(settings) for settings in every)
