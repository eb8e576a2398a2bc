"""What the gates of a trained recurrent network do, and when the class can be read out of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.architectures.recurrent import early_reading
from core.architectures.recurrent import gates as recurrent
from core.architectures.recurrent.early_reading import EarlyReading
from core.architectures.recurrent.gate_measures import (
    NETWORKS,
    GateMeasures,
    held_gates,
    read_otherwise,
    saturations,
)
from core.data.task import DataTask
from core.runs import Run
from core.runtime.lab import Lab
from core.runtime.task import Report, Task
from core.training import accuracy
from core.training.task import ModelTask

__all__ = ["EarlyReadingTask", "GatesTask"]

HELD = 2000  # digits of the confirmation half on which whole gates are held


@dataclass(frozen=True)
class GatesTask(Task[GateMeasures]):
    """Gates and state of the chosen network, beside itself before training."""

    run: Run

    @property
    def title(self) -> str:
        """What is done."""
        return f"Examining {self.run.title}"

    def compute(self, lab: Lab, report: Report) -> GateMeasures:
        """Everything on the confirmation half, but what orders the units."""
        model, report = lab.given(report, ModelTask(self.run))
        first, judged = (
            lab.result(DataTask(self.run.data, half), report)
            for half in ("discovery", "confirmation")
        )
        networks = dict(zip(NETWORKS, (model, self.run.untrained()), strict=True))
        saturation, kept = saturations(networks, judged)
        report(0.4, "Recording gates and states")
        carried = recurrent.state(model.described)
        state, untrained = (
            recurrent.by_class(recurrent.read(of, judged.images, carried), judged.labels)
            for of in networks.values()
        )
        writes = recurrent.change(recurrent.read(model, first.images, carried))
        report(0.7, "Clamping gates")
        some = judged.take(slice(HELD))
        return GateMeasures(
            saturation,
            kept,
            state,
            untrained.share,
            writes,
            held_gates(model, some),
            accuracy(model, some),
            read_otherwise(model, some),
        )


@dataclass(frozen=True)
class EarlyReadingTask(Task[EarlyReading]):
    """Probes of every row, fitted on the discovery half and judged on the confirmation half."""

    run: Run

    @property
    def title(self) -> str:
        """What is done."""
        return f"Examining {self.run.title}"

    def compute(self, lab: Lab, report: Report) -> EarlyReading:
        """Accuracy by row, of the network and of itself before training."""
        model, report = lab.given(report, ModelTask(self.run))
        fit, judge = (
            lab.result(DataTask(self.run.data, half), report)
            for half in ("discovery", "confirmation")
        )
        accuracies, fitted = {}, {}
        for at, (name, of) in enumerate(
            {"probe": model, "untrained": self.run.untrained()}.items()
        ):
            report(at / 2, "Fitting a probe for each row")
            learn, seen = (recurrent.read(of, half.images, "hidden") for half in (fit, judge))
            probes = fitted[name] = early_reading.fit_probes(learn, fit.labels)
            logits = early_reading.scores(probes, seen)
            accuracies[name] = early_reading.accuracy_by_row(logits, judge.labels)
            if name == "probe":
                head = recurrent.head(model, seen)
                accuracies["head"] = early_reading.accuracy_by_row(head, judge.labels)
        return EarlyReading(accuracies, fitted["probe"].astype(np.float32), len(judge))
