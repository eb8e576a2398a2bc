"""The test digits of a source with the concepts in them."""

from __future__ import annotations

from dataclasses import dataclass

from core.analyses.dissection import Sample
from core.data import DataSet, members
from core.data.concepts import Measured, measure
from core.data.task import DataTask
from core.runtime.lab import Lab
from core.runtime.task import Derived, Report, Task

__all__ = ["ConceptsTask", "DescribedDigits", "DescribedDigitsTask"]


@dataclass(frozen=True)
class DescribedDigits:
    """The test digits, and which concepts they have."""

    digits: DataSet
    measured: Measured
    halves: dict[str, Sample]

    @classmethod
    def of(cls, digits: DataSet, measured: Measured) -> DescribedDigits:
        """The digits with their concepts, also cut in two halves."""
        halves = {}
        for split in ("discovery", "confirmation"):
            index = members(split, digits.labels)
            halves[split] = Sample(digits.take(index), measured.take(index.numpy()))
        return cls(digits, measured, halves)

    def half(self, split: str) -> Sample:
        """The digits of "discovery" or "confirmation"."""
        return self.halves[split]


@dataclass(frozen=True)
class ConceptsTask(Task[Measured]):
    """The concepts in the test digits of a source, measured once for all models."""

    data: str

    @property
    def title(self) -> str:
        """What is done."""
        return "Measuring concepts in 10,000 digits"

    def compute(self, lab: Lab, report: Report) -> Measured:
        """Which digits have which concepts, and where."""
        digits = lab.result(DataTask(self.data, "test"), report)
        return measure(
            digits.images.numpy(),
            digits.labels.numpy(),
            parts=digits.parts,
            on_progress=lambda done: report(done, f"{self.title} (only once)"),
        )


@dataclass(frozen=True)
class DescribedDigitsTask(Derived[DescribedDigits]):
    """The test digits of a source with their concepts."""

    data: str

    @property
    def title(self) -> str:
        """What is done."""
        return ConceptsTask(self.data).title

    def compute(self, lab: Lab, report: Report) -> DescribedDigits:
        """The digits, with the concepts measured in them."""
        digits, measured, _ = lab.given(
            report, DataTask(self.data, "test"), ConceptsTask(self.data)
        )
        return DescribedDigits.of(digits, measured)
