"""What routing decides and what it is worth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from core.architectures.capsules import routing
from core.architectures.capsules.routing_effects import (
    TRIED,
    RoutingComparison,
    RoutingEffects,
    of_capsules,
)
from core.data.task import DataTask
from core.interventions.answers import correct
from core.runs import Run
from core.runtime.lab import Lab
from core.runtime.task import Report, Task
from core.training.task import ModelTask

__all__ = ["RoutingComparisonTask", "RoutingEffectsTask"]


_MODULE = 50  # digits on which the forms of the course module are tried


@dataclass(frozen=True)
class RoutingEffectsTask(Task[RoutingEffects]):
    """Routing with more and fewer iterations, and with wrong coefficients."""

    run: Run

    @property
    def title(self) -> str:
        """What is done."""
        return f"Examining {self.run.title}"

    def compute(self, lab: Lab, report: Report) -> RoutingEffects:
        """All on the confirmation half."""
        trained, report = lab.given(report, ModelTask(self.run))
        model, untrained = of_capsules(trained), of_capsules(self.run.untrained())
        digits = lab.result(DataTask(self.run.data, "confirmation"), report)
        given, generator = (digits.images, digits.labels), torch.Generator().manual_seed(0)
        report(0.0, "Routing with more and fewer iterations")
        trained_with = model.settings.iterations
        tried = tuple(sorted({*TRIED, trained_with}))
        right = routing.correct(model, *given, tried)
        report(0.6, "Routing with coefficients of other digits")
        wrong = routing.misrouted(model, *given, generator)
        report(0.7, "Measuring votes and agreement")
        decided = [routing.decisiveness(each, *given, trained_with) for each in (model, untrained)]
        module = routing.of_the_module(model, digits.images[:_MODULE], generator)
        return RoutingEffects(
            len(digits), trained_with, tried, right, np.array(wrong), np.stack(decided), module
        )


@dataclass(frozen=True)
class RoutingComparisonTask(Task[RoutingComparison]):
    """The same network trained without routing, from the same first weights."""

    run: Run

    @property
    def title(self) -> str:
        """What is done."""
        return f"Examining {self.run.title}"

    def compute(self, lab: Lab, report: Report) -> RoutingComparison:
        """Which digits of the confirmation half both tell right."""
        uniform = self.run.with_settings(iterations=1)
        *models, report = lab.given(report, ModelTask(self.run), ModelTask(uniform))
        digits = lab.result(DataTask(self.run.data, "confirmation"), report)
        return RoutingComparison(*(correct(model, digits) for model in models))
