"""A direction of a layer as a thing of its own: what it tells, its digits, its maximized input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import nn

from core.analyses.described import DescribedDigitsTask
from core.analyses.directions.described import Curve, concept_areas, fitted_on_fewer, shares
from core.analyses.directions.linear import Direction
from core.analyses.maximize import Along, Covariance, Settings, maximize
from core.analyses.maximize.task import CovarianceTask
from core.claims import halves
from core.claims.carrier import reached
from core.claims.carrier_task import CarrierTask
from core.claims.carrying import reading, values_of
from core.claims.erasure import ErasedDirection, erased_direction
from core.claims.trial import Half
from core.data.concepts import CONCEPTS, Measured
from core.models.untrained import SEEDS, untrained_networks
from core.runs import Run
from core.runtime.lab import Lab
from core.runtime.task import Report, Task
from core.training.task import ModelTask

__all__ = ["DirectionStudy", "DirectionTask", "ErasedDirectionTask"]

_FEW = SEEDS[:5]  # untrained networks whose curves are drawn


@dataclass(frozen=True)
class DirectionStudy:
    """What a direction is and does, on the confirmation digits; it was fitted on the others.

    curve: how well it tells its concept, fitted on fewer digits; untrained: of networks before
    training. read: float32 (n,), what it gives. present: bool (n,). shares: (units,), of its units,
    signed, see `directions.described.shares`. concepts: how well it tells each, see
    `concept_areas`. image: float32 (1, height, width), the maximized input, not a number where
    there is none; image_value: what the direction gives on it.
    """

    direction: Direction
    curve: Curve
    untrained: tuple[Curve, ...]
    read: NDArray[np.float32] = field(repr=False)
    present: NDArray[np.bool_] = field(repr=False)
    shares: NDArray[np.float64] = field(repr=False)
    concepts: pd.DataFrame = field(repr=False)
    image: NDArray[np.float32] = field(repr=False)
    image_value: float


@dataclass(frozen=True)
class DirectionTask(Task[DirectionStudy]):
    """The direction of a layer that is fitted to a concept."""

    run: Run
    layer: str
    concept: str

    @property
    def title(self) -> str:
        """What is done."""
        return f"Describing a direction of {self.layer}"

    def compute(self, lab: Lab, report: Report) -> DirectionStudy:
        """The direction's description."""
        carrier, natural, report = lab.given(
            report,
            CarrierTask(self.run, self.layer, self.concept),
            CovarianceTask(self.run.data),
        )
        model = lab.result(ModelTask(self.run), report)  # as the comparison had them
        described = lab.result(DescribedDigitsTask(self.run.data), report)
        both = halves(described.digits, self.concept, described.measured)
        direction = carrier.trained.direction
        networks = (model, *untrained_networks(model, _FEW))
        curves = []
        for at, network in enumerate(networks):
            report(0.8 * at / len(networks), f"{self.title}: fitted on fewer digits")
            curves.append(self._curve(network, both))
        known, judged = (values_of(model, half.digits.images, self.layer) for half in both)
        read = direction.values(judged).astype(np.float32)
        report(0.9, f"{self.title}: maximized input")
        image, value = self._maximized(model, direction, natural)
        return DirectionStudy(
            direction,
            curves[0],
            tuple(curves[1:]),
            read,
            both[1].present,
            shares(direction, known),
            _concepts(read, both[1], described.half("confirmation").measured),
            image,
            value,
        )

    def _curve(self, network: nn.Module, both: Sequence[Half]) -> Curve:
        """The curve of one network."""
        known, judged = (reading(network, half, self.layer).judged() for half in both)
        return fitted_on_fewer(
            known.values, known.present, lambda of: reached(of, judged), seed=self.run.seed
        )

    def _maximized(
        self, model: nn.Module, direction: Direction, natural: Covariance
    ) -> tuple[NDArray[np.float32], float]:
        """The image on which the direction gives most, and what it gives there."""
        along = Along(torch.from_numpy(direction.unit_vector.astype(np.float32)))
        found = maximize(
            model, [(self.layer, 0)], settings=Settings(), natural=natural, objective=along
        )
        values = values_of(model, found.images, self.layer)
        return found.images[0].numpy(), float(direction.values(values)[0])


@dataclass(frozen=True)
class ErasedDirectionTask(Task[ErasedDirection]):
    """What a network loses when a direction of a layer is erased."""

    run: Run
    layer: str
    concept: str

    @property
    def title(self) -> str:
        """What is done."""
        return f"Erasing a direction of {self.layer}"

    def compute(self, lab: Lab, report: Report) -> ErasedDirection:
        """The losses, by each way of erasing."""
        model, described, report = lab.given(
            report, ModelTask(self.run), DescribedDigitsTask(self.run.data)
        )
        both = halves(described.digits, self.concept, described.measured)
        groups = _groups(both[1], self.concept)
        return erased_direction(model, self.layer, both, groups, seed=self.run.seed, told=report)


def _groups(half: Half, concept: str) -> dict[str, NDArray[np.bool_]]:
    """The digits with the concept, those of its class without it, and all others."""
    label, labels = CONCEPTS[concept].label, half.digits.labels.numpy()
    own = (labels == label) & ~half.present
    found = {concept: half.present, f"class-{label}, not {concept}": own}
    return {**found, "all other digits": ~half.present & ~own}


def _concepts(read: NDArray[np.float32], half: Half, measured: Measured) -> pd.DataFrame:
    """How well the direction tells each concept."""
    labels = half.digits.labels.numpy()
    return concept_areas(read, measured.present(), labels, measured.names)
