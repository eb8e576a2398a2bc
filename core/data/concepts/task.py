"""How well the rules that find parts of digits agree with labels by eye."""

from __future__ import annotations

from dataclasses import dataclass

from core.data.concepts import CONCEPTS
from core.data.concepts.by_eye import LABELLED, Agreement, agreement
from core.data.task import DataTask
from core.runtime.lab import Lab
from core.runtime.task import Report, Task

__all__ = ["RuleAgreementTask"]


@dataclass(frozen=True)
class RuleAgreementTask(Task[dict[str, Agreement]]):
    """How well the rules that find parts agree with labels by eye of MNIST's training digits."""

    @property
    def title(self) -> str:
        """What is done."""
        return "Comparing rules with labels made by a person"

    def compute(self, lab: Lab, report: Report) -> dict[str, Agreement]:
        """The counts, by concept, on the labels that the rules were not fitted to.

        Raises `mnist.Unavailable` without MNIST.
        """
        images = lab.result(DataTask("mnist", "train"), report).images.numpy()
        counts = {}
        for at, name in enumerate(LABELLED):
            report(at / len(LABELLED), f"{self.title}: {CONCEPTS[name].text}")
            counts[name] = agreement(name, images)
        return counts
