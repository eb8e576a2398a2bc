"""Routing of each expert against what its removal costs, in three networks and before training."""

from __future__ import annotations

from dataclasses import dataclass, replace

from core.analyses.comparing.base import SEEDS
from core.architectures.mixture.importance import LoadAndCost, RoutedExperts, routed_experts
from core.data.task import DataTask
from core.models.registry import SEEDS as POSSIBLE
from core.runs import Run
from core.runtime.lab import Lab
from core.runtime.task import Derived, Report, Task, part_of
from core.training.task import ModelTask

__all__ = ["LoadAndCostTask", "RoutedExpertsTask"]


@dataclass(frozen=True)
class RoutedExpertsTask(Task[tuple[RoutedExperts, RoutedExperts]]):
    """One gate's experts, routed and removed: of the trained network, and of it before training."""

    run: Run
    gate: str

    @property
    def title(self) -> str:
        """What is done."""
        return f"Removing the experts of {self.run.title}, seed {self.run.seed}"

    def compute(self, lab: Lab, report: Report) -> tuple[RoutedExperts, RoutedExperts]:
        """Trained, then untrained."""
        trained, report = lab.given(report, ModelTask(self.run))
        discovery = lab.result(DataTask(self.run.data, "discovery"), report)
        confirmation = lab.result(DataTask(self.run.data, "confirmation"), report)
        report(0.0, self.title)
        learned = routed_experts(trained, discovery, confirmation, self.gate)
        report(0.5, f"{self.title}, before training")
        return learned, routed_experts(self.run.untrained(), discovery, confirmation, self.gate)


@dataclass(frozen=True)
class LoadAndCostTask(Derived[LoadAndCost]):
    """The experts of the run's seed and the next two; what is missing is trained."""

    run: Run
    gate: str

    @property
    def title(self) -> str:
        """What is done."""
        return f"Training and examining {SEEDS} seeds of {self.run.title}"

    def compute(self, lab: Lab, report: Report) -> LoadAndCost:
        """Each seed; of one whose training or gate fails it is said why, and the rest is shown."""
        trained, untrained, failed = {}, {}, {}
        for at in range(SEEDS):
            seed, part = self.run.seed + at, part_of(report, at / SEEDS, (at + 1) / SEEDS)
            if seed not in POSSIBLE:
                failed[seed] = f"seeds go from 0 to {POSSIBLE[-1]}."
                continue
            task = RoutedExpertsTask(replace(self.run, seed=seed), self.gate)
            try:
                trained[seed], untrained[seed] = lab.result(task, part)
            except (ValueError, ArithmeticError) as error:
                failed[seed] = str(error)
        if not trained:
            raise ValueError(next(iter(failed.values())))
        return LoadAndCost(trained, untrained, failed)
