"""One claim in ten trainings: each is kept when it is done, so that what was begun can go on."""

from __future__ import annotations

from dataclasses import dataclass, replace

from core.analyses.described import DescribedDigitsTask
from core.claims import halves
from core.claims.over_seeds.specifications import OverSeeds, Specified, over_seeds, specified
from core.claims.trial import Claim
from core.data.concepts import CONCEPTS
from core.runs import Run
from core.runtime.lab import Lab
from core.runtime.task import Derived, Report, Task
from core.training.task import ModelTask

__all__ = ["SEEDS", "OverSeedsTask", "SpecifiedTask"]

SEEDS = 10  # trainings
_CONTROLS, _DRAWS = 100, 500


@dataclass(frozen=True)
class SpecifiedTask(Task[Specified]):
    """The best units of one training, removed in every way."""

    run: Run
    layer: str
    concept: str

    @property
    def title(self) -> str:
        """What is done."""
        return f"Asking the network of seed {self.run.seed}"

    def compute(self, lab: Lab, report: Report) -> Specified:
        """The losses."""
        model, described, report = lab.given(
            report, ModelTask(self.run), DescribedDigitsTask(self.run.data)
        )
        both = halves(described.digits, self.concept, described.measured)
        label = CONCEPTS[self.concept].label
        claim = Claim(self.layer, (), self.concept, label, "zero", _CONTROLS, _DRAWS, 0)
        return specified(model, both, claim, report)


@dataclass(frozen=True)
class OverSeedsTask(Derived[OverSeeds]):
    """A claim in ten trainings, those of the run's seed and the next ones."""

    run: Run
    layer: str
    concept: str

    @property
    def title(self) -> str:
        """What is done."""
        return f"Asking {SEEDS} trainings"

    def compute(self, lab: Lab, report: Report) -> OverSeeds:
        """The claim in each; those that are missing are trained and asked now."""
        seeds = range(self.run.seed, self.run.seed + SEEDS)
        tasks = [
            SpecifiedTask(replace(self.run, seed=at), self.layer, self.concept) for at in seeds
        ]
        return over_seeds(tuple(seeds), lab.all(tasks, report))
