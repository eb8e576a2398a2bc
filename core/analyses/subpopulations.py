"""Units that training wants on for a class on which they are mostly off: for whom do they fire?

Bau (2016) saw units whose gradient picture shows one class and whose activation picture another.
The explanation tested here: such a unit is needed by few digits of the class, so that it is off on
the average one. It is then on for some, and its gradient comes from few.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import nn

from core.activations import collect
from core.analyses.gradients import (
    anomalies,
    effective_sample_size,
    unit_gradients,
    weighted_images,
)
from core.data import CLASSES, DataSet
from core.data.concepts import CONCEPTS, Measured
from core.statistics.ranking import Answers

__all__ = ["LEVELS", "Subpopulations", "subpopulations"]

Numbers = NDArray[np.float32]

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)  # of the quantiles of z
WITHIN = 0.8  # AUC within the class, at least, of a unit that distinguishes a concept
_FEWEST = 30  # digits with and without a concept, in each half


@dataclass(frozen=True)
class Subpopulations:
    """Each unit of a layer on the class that training wants it highest on, (units,) each.

    wanted: that class. anomalous: whether its mean z there is below 0; z: before the ReLU, of a map
    its mean over positions. gradient: the running gradient for it. mean: of z on it. quantiles:
    (units, 5), of z at `LEVELS`. active: share of the class's digits with z > 0. effective: digits
    that the gradient comes from, and of: how many digits of the class were looked at.
    concept: the concept within the class that z tells best, chosen on discovery, "" where none has
    enough digits; auc: of it, on confirmation.
    images: (units, 3, 28, 28): the class's mean digit, that of the digits weighted by max(z, 0),
    and that weighted by how much they want the unit higher.
    """

    wanted: NDArray[np.int64]
    anomalous: NDArray[np.bool_]
    gradient: Numbers
    mean: Numbers
    quantiles: Numbers
    active: Numbers
    effective: Numbers
    of: NDArray[np.int64]
    concept: NDArray[np.str_]
    auc: Numbers
    images: Numbers

    @property
    def anomalies(self) -> NDArray[np.int64]:
        """The anomalous units."""
        return np.flatnonzero(self.anomalous)

    @property
    def on_for_some(self) -> NDArray[np.int64]:
        """Those that are on for some digits of their class, but for fewer than half."""
        units = self.anomalies
        return units[(self.active[units] > 0) & (self.active[units] < 0.5)]

    @property
    def distinguishing(self) -> NDArray[np.int64]:
        """Those that distinguish a concept within their class, with an AUC of 0.8 or more."""
        units = self.anomalies
        return units[self.auc[units] >= WITHIN]


def subpopulations(
    model: nn.Module,
    layer: str,
    intent: Numbers,
    halves: Sequence[tuple[DataSet, Measured]],
    trained_on: DataSet,
) -> Subpopulations:
    """All units of `layer`, each on the class with its highest running gradient.

    intent: (units, classes), see `core.analyses.gradients.Intent`. halves: discovery and
    confirmation, each with its concepts. trained_on: some training digits, for gradients.
    """
    z = [_mean_position(collect(model, digits.images, layer).numpy()) for digits, _ in halves]
    labels = [digits.labels.numpy() for digits, _ in halves]
    members = np.eye(CLASSES, dtype=np.float64)[labels[0]]
    means = z[0].T @ members / np.maximum(members.sum(0), 1)
    wanted = intent.argmax(1)
    units = np.arange(len(wanted))
    own = [_on_class(of, said, wanted) for of, said in zip(z, labels, strict=True)]
    gradients = unit_gradients(model, trained_on.images, trained_on.labels, layer)
    learned = _on_class(gradients, trained_on.labels.numpy(), wanted)
    named = [_named(int(unit), int(wanted[unit]), z, labels, halves) for unit in units]
    return Subpopulations(
        wanted=wanted,
        anomalous=anomalies(intent, means),
        gradient=intent[units, wanted],
        mean=means[units, wanted].astype(np.float32),
        quantiles=np.stack([np.quantile(of, LEVELS) for of in own[0]]).astype(np.float32),
        active=np.array([(of > 0).mean() for of in own[0]], np.float32),
        effective=np.array([effective_sample_size(of[:, None])[0] for of in learned], np.float32),
        of=np.array([len(of) for of in learned]),
        concept=np.array([name for name, _ in named]),
        auc=np.array([auc for _, auc in named], np.float32),
        images=_images(wanted, z[0], halves[0][0], gradients, trained_on),
    )


def _on_class(
    values: Numbers, labels: NDArray[np.int64], wanted: NDArray[np.int64]
) -> list[Numbers]:
    """For each unit its values (n, units) on the digits of its class."""
    return [values[labels == label, unit] for unit, label in enumerate(wanted)]


def _named(
    unit: int,
    label: int,
    z: Sequence[Numbers],
    labels: Sequence[NDArray[np.int64]],
    halves: Sequence[tuple[DataSet, Measured]],
) -> tuple[str, float]:
    """The concept within the class that a unit tells best on discovery, its AUC on confirmation."""
    names = [name for name in halves[0][1].names if _within(name, label)]
    tables = []
    for of, said, (_, measured) in zip(z, labels, halves, strict=True):
        rows = said == label
        present = measured.only(names).present()[rows]
        enough = np.minimum(present.sum(0), (~present).sum(0)) >= _FEWEST
        auc = Answers.of(of[rows][:, [unit]]).auc(present)[0]
        tables.append(np.where(enough, auc, 0.0))
    if not names or not (tables[0] * tables[1]).any():
        return "", 0.5
    best = int(np.where(tables[1] > 0, tables[0], 0).argmax())
    return names[best], float(tables[1][best])


def _within(name: str, label: int) -> bool:
    """Whether a concept can divide a class: one of its own, or one that any digit may have."""
    of = CONCEPTS[name]
    return of.category not in ("class", "parity", "half", "position") and of.label in (None, label)


def _images(
    wanted: NDArray[np.int64], z: Numbers, digits: DataSet, gradients: Numbers, trained_on: DataSet
) -> Numbers:
    """(units, 3, 28, 28): plain, rectified and gradient-weighted mean of the class's digits."""
    found = np.zeros((len(wanted), 3, 28, 28), np.float32)
    for label in np.unique(wanted):
        units = np.flatnonzero(wanted == label)
        own, learned = (of.take(of.labels == int(label)) for of in (digits, trained_on))
        rows = [(of.labels == int(label)).numpy() for of in (digits, trained_on)]
        on, higher = z[rows[0]][:, units], gradients[rows[1]][:, units]
        found[units, 0] = own.images[:, 0].mean(0).numpy()
        found[units, 1] = weighted_images(own.images, on.clip(min=0))
        found[units, 2] = weighted_images(learned.images, higher.clip(min=0))
    return found


def _mean_position(values: Numbers) -> Numbers:
    """(n, units): of maps the mean over positions."""
    return values.mean((2, 3)) if values.ndim == 4 else values
