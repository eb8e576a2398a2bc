"""A network of radial basis functions, opened: its centres, their width, and worse ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.architectures.rbf.results import (
    RBFMeasures,
    compared,
    responses_by_width,
    sets_of,
    width_table,
)
from core.data.task import DataTask
from core.runs import Run
from core.runtime.lab import Lab
from core.runtime.task import Report, Task
from core.training.task import ModelTask

__all__ = ["RBFTask"]


@dataclass(frozen=True)
class RBFTask(Task[RBFMeasures]):
    """The centres of one network, and what their width does."""

    run: Run

    @property
    def title(self) -> str:
        """What is done."""
        return f"Examining {self.run.title}"

    def compute(self, lab: Lab, report: Report) -> RBFMeasures:
        """All numbers of the network of the choice."""
        model, report = lab.given(report, ModelTask(self.run))
        fit, chosen, judged = (
            lab.result(DataTask(self.run.data, split), report)
            for split in ("fit", "selection", "confirmation")
        )
        centres = model.get_parameter("centres.prototypes").detach()
        width = float(model.get_parameter("centres.log_width").exp())
        report(0.1, f"{self.title}: widths")
        arrays = responses_by_width(centres, width, (fit, judged))
        report(0.6, f"{self.title}: other centres")
        made = sets_of(centres, width, self.run.untrained(), fit)
        owned, sets = compared(made, chosen, (fit, judged))
        return RBFMeasures(
            centres.view(-1, 28, 28).numpy(),
            width,
            owned["k-means"],
            owned["random digits"],
            sets,
            width_table(arrays),
            float(arrays["coded"]),
            arrays["weights"].astype(np.float32),
            arrays["biases"].astype(np.float32),
        )
