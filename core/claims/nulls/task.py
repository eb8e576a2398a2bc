"""Null networks and what they score, made once for all visitors and all seeds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import torch

from core.analyses.described import DescribedDigitsTask
from core.claims import halves
from core.claims.nulls.scores import NullScores, null_scores
from core.claims.trial import Claim
from core.data import DataSet
from core.data.concepts import CONCEPTS
from core.data.task import DataTask
from core.models import saved  # noqa: F401  networks are packed by its rule
from core.models.inspectable import Inspectable
from core.models.untrained import SEEDS
from core.runs import Run
from core.runtime.lab import Lab
from core.runtime.task import Report, Task
from core.training import Step, train

__all__ = ["KINDS", "NullScoresTask", "ShuffledTask"]

KINDS = {"untrained": "untrained networks", "shuffled": "networks trained on shuffled labels"}
_SHUFFLED = 100  # added to the seeds of untrained networks


@dataclass(frozen=True)
class ShuffledTask(Task[Inspectable]):
    """A network trained as `run` says on labels that were shuffled once. number: 0 to 19."""

    is_network: ClassVar[bool] = True
    run: Run
    number: int

    @property
    def title(self) -> str:
        """What is done."""
        return f"Training on shuffled labels, network {self.number + 1} of {len(SEEDS)}"

    def compute(self, lab: Lab, report: Report) -> Inspectable:
        """The network; its record isn't kept."""
        fit = lab.result(DataTask(self.run.data, "fit"), report)
        seed = SEEDS[self.number] + _SHUFFLED

        def on_step(step: Step) -> None:
            text = f"{self.title}: step {step.number:,} of {step.total:,}"
            report(step.number / step.total, text)

        shuffled = shuffled_labels(fit, seed)
        model = train(
            self.run.architecture,
            shuffled,
            seed=seed,
            settings=self.run.settings,
            watch=shuffled.take(slice(1)),  # its record is not read
            on_step=on_step,
        )
        model.history = None
        return model


def shuffled_labels(digits: DataSet, seed: int) -> DataSet:
    """The images with the labels dealt anew; nothing of an image tells its label."""
    order = torch.randperm(len(digits), generator=torch.Generator().manual_seed(seed))
    return replace(digits, labels=digits.labels[order], parts=None)


@dataclass(frozen=True)
class NullScoresTask(Task[NullScores]):
    """What the best units of 20 null networks score on a claim. kind: of `KINDS`.

    count: units of the claim. operator: what replaces them.
    """

    run: Run
    layer: str
    concept: str
    count: int
    operator: str
    kind: str = "untrained"

    def __post_init__(self) -> None:
        """Forget the seed: null networks have seeds of their own."""
        object.__setattr__(self, "run", replace(self.run, seed=0))  # the class is frozen

    @property
    def title(self) -> str:
        """What is done."""
        return f"Asking {len(SEEDS)} {KINDS[self.kind]}"

    def compute(self, lab: Lab, report: Report) -> NullScores:
        """The scores; networks on shuffled labels are trained first where they are missing."""
        described, report = lab.given(report, DescribedDigitsTask(self.run.data))
        both = halves(described.digits, self.concept, described.measured)
        label = CONCEPTS[self.concept].label
        claim = Claim(
            self.layer, tuple(range(self.count)), self.concept, label, self.operator, 0, 1, 0
        )
        networks = (self._network(lab, report, number) for number in range(len(SEEDS)))
        return null_scores(networks, claim, both, KINDS[self.kind], report, len(SEEDS))

    def _network(self, lab: Lab, report: Report, number: int) -> Inspectable:
        """One null network."""
        if self.kind == "untrained":
            return replace(self.run, seed=SEEDS[number]).untrained()
        return lab.result(ShuffledTask(self.run, number), report)
