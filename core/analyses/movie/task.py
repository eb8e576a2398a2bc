"""The film of a model's training."""

from __future__ import annotations

from dataclasses import dataclass

from core.analyses.movie import Film, Recorder
from core.data.task import DataTask
from core.models.fingerprint import weights_hash
from core.models.inspectable import Inspectable
from core.runs import Run
from core.runtime.lab import Lab
from core.runtime.task import Report, Task, part_of
from core.training import Step, steps_of, train
from core.training.task import ModelTask, describe_step

__all__ = ["MovieTask", "RecordedMovie"]

_TRAINED = 0.97  # of the time


@dataclass(frozen=True)
class RecordedMovie:
    """A film, and whether it ends at the very weights of the model that is kept."""

    film: Film
    same: bool


@dataclass(frozen=True)
class MovieTask(Task[RecordedMovie]):
    """The film of a model's training, for which it is trained once more."""

    run: Run

    @property
    def title(self) -> str:
        """What is done."""
        return f"Recording the training of {self.run.title}"

    def compute(self, lab: Lab, report: Report) -> RecordedMovie:
        """The film, recorded."""
        data = self.run.data
        fit = lab.result(DataTask(data, "fit"), report)
        with Recorder(
            lab.result(DataTask(data, "discovery"), report), steps_of(self.run.settings, len(fit))
        ) as recorder:
            recorder.begin(self.run.untrained())
            model = self._trained(recorder, lab, report)
            report(_TRAINED, "Preparing the movie")
            film = recorder.cut()
        known = lab.find(ModelTask(self.run))
        return RecordedMovie(film, known is not None and weights_hash(known) == weights_hash(model))

    def _trained(self, recorder: Recorder, lab: Lab, report: Report) -> Inspectable:
        """The model, trained before the camera."""

        def on_step(step: Step) -> None:
            recorder.batch(step.number, step.loss, step.model, step.intent)
            describe_step(part_of(report, 0, _TRAINED), self.title, step)

        return train(
            self.run.architecture,
            lab.result(DataTask(self.run.data, "fit")),
            seed=self.run.seed,
            settings=self.run.settings,
            watch=lab.result(DataTask(self.run.data, "selection")),
            on_step=on_step,
            pictures=True,
        )
