"""The profiles of all units of a trained model, and the model with them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from core.analyses.profiles import Profile, profile
from core.data.task import DataTask
from core.models.inspectable import Inspectable
from core.runs import Run
from core.runtime.lab import Lab
from core.runtime.task import Derived, Report, Task
from core.training import accuracy
from core.training.task import ModelTask

__all__ = ["Profiles", "ProfilesTask", "Study", "StudyTask"]


@dataclass(frozen=True)
class Profiles:
    """What the units of a trained model do. accuracy: on the test digits, 0..1."""

    accuracy: float
    layers: dict[str, Profile]


@dataclass(frozen=True)
class ProfilesTask(Task[Profiles]):
    """The profile of each unit of a trained model."""

    run: Run

    @property
    def title(self) -> str:
        """What is done."""
        return f"Measuring the units of {self.run.title}"

    def compute(self, lab: Lab, report: Report) -> Profiles:
        """The profiles: chosen on the discovery half, measured on the confirmation half."""
        model, report = lab.given(report, ModelTask(self.run))
        halves = [
            lab.result(DataTask(self.run.data, split), report)
            for split in ("discovery", "confirmation")
        ]
        test = lab.result(DataTask(self.run.data, "test"), report)
        report(0.0, "Measuring units")
        layers = profile(
            model,
            self.run.untrained().train(),
            *halves,
            seed=self.run.seed,
            on_layer=partial(_on_layer, report),
        )
        return Profiles(accuracy(model, test), layers)


def _on_layer(report: Report, done: int, layers: int) -> None:
    """Report that a layer is measured."""
    report((done + 1) / (layers + 1), f"Measuring units: layer {done + 1} of {layers}")


@dataclass(frozen=True)
class Study:
    """A trained model and what its units do. accuracy: on the test digits, 0..1."""

    run: Run
    model: Inspectable
    accuracy: float
    profiles: dict[str, Profile]

    @property
    def widest(self) -> str:
        """The hidden layer with the most units, the first of several."""
        return max(self.model.layers[:-1], key=lambda layer: len(self.profiles[layer]))


@dataclass(frozen=True)
class StudyTask(Derived[Study]):
    """A trained model with the profile of each of its units."""

    run: Run

    @property
    def title(self) -> str:
        """What is done."""
        return f"Training {self.run.title}"

    def compute(self, lab: Lab, report: Report) -> Study:
        """The study, of the model and the profiles."""
        model, measured, _ = lab.given(report, ModelTask(self.run), ProfilesTask(self.run))
        return Study(self.run, model, measured.accuracy, measured.layers)
