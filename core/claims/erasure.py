"""Whether a network needs a concept's direction: what it loses when the direction is erased.

Erased from what the next layer reads, in three ways: by least squares (LEACE), after which no
linear read-out tells the concept; by projection along the fitted direction; and by projection along
that part of it alone which lies in the row space of the next layer's weights. The rest of the
direction has no effect of its own, but what it says is removed along with it, so a projection may
act through a dormant path (Makelov, Lange & Nanda 2024, arXiv:2311.17030): where the second costs
more than the third, the difference is such an effect.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from core.activations import DenseReading, collect, dense_reading
from core.analyses.directions.linear import Direction, fit_direction
from core.claims.findings import Controls, Finding
from core.claims.trial import Half, Progress
from core.claims.verdicts import necessary
from core.interventions.bootstrap import Change, Resamples, changes
from core.interventions.controls import p_value
from core.interventions.erasing import Eraser, leace, leace_of_each, projection
from core.interventions.removal import Outcome, Removal
from core.statistics.ranking import Answers, comparable, within_classes

__all__ = ["WAYS", "ErasedDirection", "Erasing", "erasable", "erased_direction"]

Numbers = NDArray[np.float64]
Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]

WAYS = ("LEACE", "projection", "projection in the row space")
SHUFFLES = 200  # of the concept within its classes: the controls
DRAWS = 2000  # of the bootstrap
_ROUNDING = 1e-4  # of a weight, on the scale of a standard deviation
MOST = 2048  # numbers that the next layer reads


@dataclass(frozen=True)
class Erasing:
    """One way of erasing a direction. changes: of what the network says, by group of digits.

    probe: AUC of a direction that is fitted anew on discovery digits after erasing.
    """

    changes: tuple[Change, ...]
    probe: float


@dataclass(frozen=True)
class ErasedDirection:
    """What a network loses without a direction.

    layer: which reads it. ways: by name, see `WAYS`. before: AUC of the fitted direction. inside:
    share of its squared length that lies in the row space of the next layer's weights. finding:
    whether it is necessary, by LEACE, beside controls: LEACE of the concept shuffled within its
    classes.
    """

    layer: str
    ways: Mapping[str, Erasing]
    before: float
    inside: float
    finding: Finding
    controls: Controls = field(repr=False)


def erased_direction(
    model: nn.Module,
    layer: str,
    both: tuple[Half, Half],
    groups: Mapping[str, Flags],
    *,
    seed: int = 0,
    told: Progress = lambda done, text: None,
) -> ErasedDirection:
    """What a network loses when the concept of `both` halves is erased from `layer`.

    both: discovery, on which everything is fitted, and confirmation. groups: of confirmation
    digits, by name, (n,) each; the first are those with the concept.

    Raises `ValueError` for a layer that no dense layer reads directly, or whose next layer reads
    more than `MOST` numbers, and for too few digits with the concept, or without it.
    """
    reading = dense_reading(model, layer)
    reason = erasable(model, layer)
    if reading is None or reason:
        raise ValueError(reason)
    known, judged = (_Read(model, layer, reading, half) for half in both)
    direction = fit_direction(known.among, known.present, seed=seed)
    inside = _inside(direction, reading)
    erasers = _erasers(known, direction, inside)
    removal = Removal(model, both[1].digits, reading.layer)
    labels, present = removal.digits.labels.numpy(), both[1].present
    resamples = Resamples(2 * labels + present, DRAWS, seed)
    weights = reading.weights.flatten(0, 1)

    def without(eraser: Eraser, of: Removal, read: Floats) -> Outcome:
        change = torch.from_numpy((eraser(read) - read).astype(np.float32)) @ weights
        return of.under(lambda values, rows: values + change[rows])

    ways = {}
    for at, (name, eraser) in enumerate(erasers.items()):
        told(at / 4, f"Erasing by {name}")
        after = without(eraser, removal, judged.read)
        found = changes(removal.intact, after, groups, resamples)
        ways[name] = Erasing(tuple(found), _probe(eraser, known, judged, seed))
    told(0.75, f"Erasing {SHUFFLES} shuffled concepts")
    controls = _controls(erasers["LEACE"], known, removal, judged.read, present, without, seed)
    before = _area(direction, judged)
    return ErasedDirection(
        reading.layer,
        ways,
        before,
        float((inside**2).sum() / max((direction.unit_vector**2).sum(), 1e-30)),
        necessary(
            ways["LEACE"].changes[0],
            controls,
            without="With the concept erased by least squares",
            others="erasing shuffled concepts",
        ),
        controls,
    )


def erasable(model: nn.Module, layer: str) -> str:
    """Why a direction of a layer can't be erased, in a sentence; nothing where it can."""
    reading = dense_reading(model, layer)
    if reading is None:
        return (
            f"A direction of {layer} isn't erased here: no dense layer reads it directly. Choose a "
            "layer that one reads."
        )
    numbers = len(reading.weights.flatten(0, 1))
    if numbers > MOST:
        return (
            f"A direction of {layer} isn't erased here: {reading.layer} reads {numbers:,} numbers "
            f"of it, and {MOST:,} are the most. Choose a smaller layer."
        )
    return ""


class _Read:
    """What the next layer reads of a layer on one half.

    read: (n, numbers). among, present, labels: of the digits among which the concept is told.
    """

    def __init__(self, model: nn.Module, layer: str, reading: DenseReading, half: Half) -> None:
        values: Tensor = collect(model, half.digits.images, layer)
        with torch.no_grad():
            self.read: Floats = reading.inputs(values).flatten(1).numpy()
        labels = half.digits.labels.numpy()
        rows = comparable(labels, half.present)
        self.within = bool(rows.any())
        rows = rows if self.within else np.ones(len(labels), bool)
        self.among, self.present, self.labels = self.read[rows], half.present[rows], labels[rows]


def _inside(direction: Direction, reading: DenseReading) -> Numbers:
    """(numbers,): the part of a direction of length 1 that changes the next layer."""
    weights = reading.weights.detach().flatten(0, 1).numpy().astype(np.float64)
    basis, sizes, _ = np.linalg.svd(weights, full_matrices=False)
    basis = basis[:, sizes > 1e-7 * sizes.max()]
    found: Numbers = basis @ (basis.T @ direction.unit_vector)
    return found


def _erasers(known: _Read, direction: Direction, inside: Numbers) -> dict[str, Eraser]:
    """The eraser of each way that there is: a direction without weights can't be projected out."""
    mean = known.among.mean(0, dtype=np.float64)
    found = {"LEACE": leace(known.among, known.present)}
    for name, way in (
        ("projection", direction.unit_vector),
        ("projection in the row space", inside),
    ):
        if np.linalg.norm(way) > 1e-9:
            found[name] = projection(way, mean)
    return found


def _controls(
    own: Eraser,
    known: _Read,
    removal: Removal,
    read: Floats,
    present: Flags,
    without: Callable[[Eraser, Removal, Floats], Outcome],
    seed: int,
) -> Controls:
    """The loss of likelihood on the concept's digits, for it and for shuffled concepts."""
    some, there = removal.on(present), read[present]
    before = float(some.intact.nll.mean(dtype=np.float64))

    def loss(eraser: Eraser) -> float:
        return float(without(eraser, some, there).nll.mean(dtype=np.float64)) - before

    generator = np.random.default_rng(seed)
    shuffled = np.repeat(known.present[None], SHUFFLES, axis=0)
    for label in np.unique(known.labels) if known.within else (None,):
        rows = slice(None) if label is None else known.labels == label
        shuffled[:, rows] = generator.permuted(shuffled[:, rows], axis=1)
    effects = [loss(eraser) for eraser in leace_of_each(known.among, shuffled)]
    effect = loss(own)
    measure = "loss of log-likelihood, nats"
    return Controls(
        measure, effect, tuple(effects), len(effects), p_value(effect, np.array(effects))
    )


def _probe(eraser: Eraser, known: _Read, judged: _Read, seed: int) -> float:
    """The AUC of a direction that is fitted anew after erasing."""
    read = eraser(known.among)
    again = fit_direction(read, known.present, seed=seed)
    if np.abs(again.weights * read.std(0)).max() < _ROUNDING:
        return 0.5  # it tells nothing apart: what its weights are, rounding made
    return _area(again, judged, eraser)


def _area(direction: Direction, judged: _Read, eraser: Eraser | None = None) -> float:
    """The AUC of a direction on the judged digits, after erasing where an eraser is given."""
    read = judged.among if eraser is None else eraser(judged.among)
    values = direction.values(read).astype(np.float32)
    if judged.within:
        values = within_classes(values, judged.labels)
    return float(Answers.of(values[:, None]).auc(judged.present[:, None])[0, 0])
