"""Networks trained with dropout and without it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.activations import peaks
from core.analyses.comparing.base import hidden_dense, seeds_of
from core.analyses.comparing.dynamics import (
    area_under_curve,
    mean_absolute_correlation,
    participation_ratio,
)
from core.analyses.comparing.emergence import concept_auc
from core.analyses.comparing.short import ShortModelTask
from core.analyses.described import DescribedDigitsTask
from core.analyses.dissection import Sample
from core.data import DataSet
from core.interventions.removal import Removal
from core.interventions.search import accuracies, random_orders
from core.models.inspectable import Inspectable
from core.models.settings import Dropout
from core.runs import Run
from core.runtime.lab import Lab
from core.runtime.task import Derived, Report, Task
from core.statistics import class_moments, selectivity_index
from core.training import accuracy

Numbers = NDArray[np.float64]

PART = "crossed-7"  # what the networks with dropout are searched for
DROPOUTS = (0.0, 0.25, 0.5)
EPOCHS, DIGITS = 3, 25_000  # of the trainings with dropout
SHARES = tuple(round(0.1 * tenth, 1) for tenth in range(10))  # of a layer, silenced at random
ORDERS, SILENCED = 10, 2000  # in which units are silenced; digits on which that is judged
MEASURES = ("selectivity", "correlation", "participation", "active", "auc", "ablation")


@dataclass(frozen=True)
class DropoutComparison:
    """Networks trained with and without dropout, and untrained ones.

    table: a row for each network and hidden dense layer: seed, dropout (nan for an untrained one),
    layer, accuracy, and `MEASURES`. curves: accuracy by share of the layer's units silenced.
    """

    table: pd.DataFrame
    curves: pd.DataFrame


@dataclass(frozen=True)
class DropoutTask(Derived[DropoutComparison]):
    """Three seeds trained with each of several dropouts, and what their hidden layers are like."""

    run: Run

    @property
    def title(self) -> str:
        """What is done."""
        return f"Training {self.run.title} with and without dropout"

    @property
    def networks(self) -> tuple[tuple[ShortModelTask, bool], ...]:
        """Each network, and whether it is trained: the untrained ones come first."""
        plain = [ShortModelTask(each, EPOCHS, DIGITS) for each in seeds_of(self.run)]
        every = [
            replace(one, run=one.run.with_settings(dropout=share))
            for share in DROPOUTS
            for one in plain
        ]
        return (*((one, False) for one in plain), *((one, True) for one in every))

    def compute(self, lab: Lab, report: Report) -> DropoutComparison:
        """The comparison, of the sharing in each of its networks."""
        tasks = [LayerSharingTask(short, trained) for short, trained in self.networks]
        rows, curves = [], []
        for task, of in zip(tasks, lab.all(tasks, report), strict=True):
            settings = task.short.run.settings
            share = settings.dropout if task.trained and isinstance(settings, Dropout) else np.nan
            which = {"seed": task.short.run.seed, "dropout": share}
            for layer, numbers in of.measures.items():
                rows.append({**which, "layer": layer, "accuracy": of.accuracy, **numbers})
                curve = {"silenced": SHARES, "accuracy": of.curves[layer]}
                curves.append(pd.DataFrame(curve).assign(**which, layer=layer))
        return DropoutComparison(pd.DataFrame(rows), pd.concat(curves, ignore_index=True))


@dataclass(frozen=True)
class LayerSharing:
    """How the hidden dense layers of one network share the work. accuracy: 0..1.

    measures: by layer, then by the names of `MEASURES`. curves: by layer, (shares,), accuracy by
    share of its units silenced.
    """

    accuracy: float
    measures: dict[str, dict[str, float]]
    curves: dict[str, Numbers]


@dataclass(frozen=True)
class LayerSharingTask(Task[LayerSharing]):
    """How a network's hidden dense layers share the work. trained: else as it was drawn."""

    short: ShortModelTask
    trained: bool

    @property
    def title(self) -> str:
        """What is done."""
        return f"{self.short.title}: measuring"

    def compute(self, lab: Lab, report: Report) -> LayerSharing:
        """What is chosen is chosen on the discovery half, and judged on the confirmation half."""
        run = self.short.run
        described, report = lab.given(report, DescribedDigitsTask(run.data))
        model = run.untrained()
        if self.trained:
            model, report = lab.given(report, self.short)
        report(0.0, self.title)
        halves = described.half("discovery"), described.half("confirmation")
        found = {layer: _sharing(model, layer, halves, run.seed) for layer in hidden_dense(run)}
        return LayerSharing(
            accuracy(model, halves[1].digits),
            {layer: numbers for layer, (numbers, _) in found.items()},
            {layer: curve for layer, (_, curve) in found.items()},
        )


def _sharing(
    model: Inspectable, layer: str, halves: tuple[Sample, Sample], seed: int
) -> tuple[dict[str, float], Numbers]:
    """The measures of a layer on the confirmation half, and its curve of silenced units.

    What has to be chosen, preferred classes and the best unit, is chosen on the discovery half.
    """
    found, values = (peaks(model, half.digits.images, layer) for half in halves)
    labels = [half.digits.labels.numpy() for half in halves]
    preferred = class_moments(found, labels[0], 10)[0].argmax(1)
    parts = [half.measured.only([PART]).present() for half in halves]
    best = int(concept_auc(found, labels[0], parts[0]).argmax())
    curve = silenced(model, halves[1].digits.take(slice(SILENCED)), layer, seed)
    means = class_moments(values, labels[1], 10)[0].clip(0)  # a dead unit's, rounded, can be below
    return {
        "selectivity": float(np.median(selectivity_index(means, preferred))),
        "correlation": mean_absolute_correlation(values),
        "participation": participation_ratio(values),
        "active": float((values > 0).mean()),
        "auc": float(concept_auc(values, labels[1], parts[1])[best, 0]),
        "ablation": area_under_curve(SHARES, curve),
    }, curve


def silenced(model: Inspectable, digits: DataSet, layer: str, seed: int = 0) -> Numbers:
    """(shares,): accuracy with each of `SHARES` of the layer's units set to 0, at random.

    The mean of ten orders; the units that are left are not scaled up.
    """
    removal = Removal(model, digits, layer)
    orders = random_orders(removal.units, ORDERS, seed)
    counts = [round(share * removal.units) for share in SHARES]
    right = [accuracies(removal, order, counts) for order in orders]
    mean: Numbers = np.mean(right, axis=0, dtype=np.float64)
    return mean
