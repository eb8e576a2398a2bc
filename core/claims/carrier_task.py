"""What carries a concept in a layer of a trained network, kept for all who ask."""

from __future__ import annotations

from dataclasses import dataclass

from core.analyses.described import DescribedDigitsTask
from core.claims import halves
from core.claims.carrier import Carrier
from core.claims.carrying import carrier_in
from core.runs import Run
from core.runtime.lab import Lab
from core.runtime.task import Report, Task
from core.training.task import ModelTask

__all__ = ["CarrierTask"]


@dataclass(frozen=True)
class CarrierTask(Task[Carrier]):
    """Whether a unit of a layer, a direction of it, or neither carries a concept."""

    run: Run
    layer: str
    concept: str

    @property
    def title(self) -> str:
        """What is done."""
        return f"Comparing the units of {self.layer} with directions"

    def compute(self, lab: Lab, report: Report) -> Carrier:
        """The comparison in the trained network, and the same in untrained ones."""
        model, described, report = lab.given(
            report, ModelTask(self.run), DescribedDigitsTask(self.run.data)
        )
        both = halves(described.digits, self.concept, described.measured)
        return carrier_in(
            model,
            self.layer,
            both,
            self.run.seed,
            lambda done, text: report(done, f"{self.title}: {text}"),
        )
