"""Null networks and what they score, made once for all visitors and all seeds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar, TypeVar

import torch

from core.analyses.described import DescribedDigitsTask
from core.claims import ask, halves
from core.claims.findings import QUESTIONS
from core.claims.nulls.rates import NullRates
from core.claims.nulls.scores import NullScores, best_units, null_scores
from core.claims.trial import Claim
from core.data import DataSet
from core.data.concepts import CONCEPTS
from core.data.task import DataTask
from core.models import saved  # noqa: F401  networks are packed by its rule
from core.models.inspectable import Inspectable
from core.models.untrained import SEEDS
from core.runs import Run
from core.runtime.lab import Lab
from core.runtime.task import Report, Task, part_of
from core.training import Step, train

__all__ = ["KINDS", "NullRatesTask", "NullScoresTask", "ShuffledTask"]

Result = TypeVar("Result", covariant=True)

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
class OfNulls(Task[Result]):
    """Something asked of the best units of 20 null networks. kind: of `KINDS`.

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

    def networks(self, lab: Lab, report: Report) -> Iterator[Inspectable]:
        """The null networks; those on shuffled labels are trained where they are missing."""
        for number, seed in enumerate(SEEDS):
            if self.kind == "untrained":
                yield replace(self.run, seed=seed).untrained()
            else:
                part = part_of(report, number / len(SEEDS), (number + 1) / len(SEEDS))
                yield lab.result(ShuffledTask(self.run, number), part)


@dataclass(frozen=True)
class NullScoresTask(OfNulls[NullScores]):
    """What they score on a claim."""

    def compute(self, lab: Lab, report: Report) -> NullScores:
        """The scores."""
        described, report = lab.given(report, DescribedDigitsTask(self.run.data))
        both = halves(described.digits, self.concept, described.measured)
        label, units = CONCEPTS[self.concept].label, tuple(range(self.count))
        claim = Claim(self.layer, units, self.concept, label, self.operator, 0, 1, 0)
        networks = self.networks(lab, report)
        return null_scores(networks, claim, both, KINDS[self.kind], report, len(SEEDS))


@dataclass(frozen=True)
class NullRatesTask(OfNulls[NullRates]):
    """How often the claim is supported of them, by the rules of any claim."""

    def compute(self, lab: Lab, report: Report) -> NullRates:
        """The verdicts; an untrained network is compared with the others."""
        own = NullScoresTask(
            self.run, self.layer, self.concept, self.count, self.operator, "untrained"
        )
        described, untrained, report = lab.given(report, DescribedDigitsTask(self.run.data), own)
        known, _ = halves(described.digits, self.concept, described.measured)
        found = []
        for number, network in enumerate(self.networks(lab, part_of(report, 0, 0.5))):
            report(0.5 + number / len(SEEDS) / 2, f"{self.title}: {number + 1}")
            units = best_units(network, known, self.layer, self.count)
            evidence = ask(
                network,
                described.digits,
                [(self.layer, unit) for unit in units],
                self.concept,
                operator=self.operator,
                measured=described.measured,
                baselines=False,
                untrained=untrained.without(number) if self.kind == "untrained" else untrained,
            )
            found.append(evidence.verdicts)
        verdicts = {name: tuple(of[name] for of in found) for name in QUESTIONS}
        return NullRates(KINDS[self.kind], verdicts)
