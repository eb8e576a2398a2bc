"""Which shared units of a network with several heads serve which task, found by silencing them.

A unit is silenced by holding its activation at 0; weights are never touched. Harm is in units of
(chance - baseline): 0 is no harm, 1 leaves the task with no more than a constant answer would know
(Dobs et al. 2022, Science Advances 8(11) eabl8913). All arrays are ordered by `tasks_of`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor
from torch.nn.functional import relu

from core.data import DataSet
from core.interventions.answers import are_correct
from core.interventions.edits import replaced, unit_indices
from core.models.inspectable import Inspectable
from core.models.multitask import Head, ManyHeads, ManyHeadsSettings

__all__ = [
    "SHARED",
    "Effects",
    "Lesions",
    "Parity",
    "effects",
    "mean_images",
    "opened_up",
    "score",
    "specialization",
    "tasks_of",
    "variances",
]

Numbers = NDArray[np.float64]
Whole = NDArray[np.int64]

SHARED = ("shared_0", "shared_1")
FLIPS, LEVEL = 400, 0.95  # random signs of the null, and the share of its largest values below
BINS = 10  # of a number's values, equally frequent
_EVEN = torch.arange(10) % 2 == 0


class Parity(Head):
    """Whether the digit is even, as the digit's own head implies: a task without a head."""

    def losses(self, answers: Tensor, targets: Tensor) -> Tensor:
        """(batch,): cross-entropy of even and odd, nats."""
        return super().losses(self.read(answers), targets)

    def read(self, answers: Tensor) -> Tensor:
        """Logits (batch, 2) of even and odd, from those of the digit (batch, 10)."""
        halves = (answers[:, _EVEN], answers[:, ~_EVEN])
        return torch.stack([half.logsumexp(1) for half in halves], 1)


def tasks_of(model: ManyHeads | ManyHeadsSettings) -> tuple[Head, ...]:
    """The tasks in the order of all arrays, the model's own logits first and parity last."""
    tasks = (model.heads[-1], *model.heads[:-1])
    digit = any(head.task == "digit" for head in tasks)
    return (*tasks, *((Parity("parity", "logits", ("even", "odd")),) if digit else ()))


def score(head: Head, answers: Tensor, targets: Tensor) -> float:
    """Share of right answers; of a number, R² = 1 - squared error / variance."""
    if isinstance(head, Parity):
        answers = head.read(answers)
    if head.names:
        return float(are_correct(answers, targets).mean())
    error = head.losses(answers, targets).double().mean()
    return float(1 - error / targets.double().var(correction=0))


class Lesions:
    """A shared layer of a network on some digits, of which units can be silenced."""

    def __init__(self, model: ManyHeads, digits: DataSet, layer: str) -> None:
        """Raises `ValueError` when a task is answered no better than by a constant."""
        self.model, self.layer, self.heads = model, layer, tasks_of(model)
        with torch.no_grad():
            self.seen, self.targets = model.examples(digits.images, digits.labels)
            self.values = model.trace(self.seen)[layer]
        if "digit" in self.targets:
            self.targets["parity"] = self.targets["digit"] % 2
        for head, worth in zip(self.heads, self.worth, strict=True):
            if not worth > 0:
                raise ValueError(
                    f"{head.task} is answered no better than by a constant, so harm has no unit: "
                    "give a trained network."
                )

    def without(self, units: Iterable[int]) -> dict[str, Tensor]:
        """By layer, what follows with `units` silent. Raises `ValueError` for an unknown one."""
        index = unit_indices(units, self.layer, self.values.shape[1])
        with torch.no_grad():
            return self.model.after(self.layer, replaced(self.values, index, 0.0))

    def losses(self, units: Iterable[int] = ()) -> Tensor:
        """(tasks, digits): each digit's losses with `units` silent."""
        return self._losses(self.without(units))

    def _losses(self, found: dict[str, Tensor]) -> Tensor:
        """(tasks, digits): losses of what was found by layer."""
        each = [head.losses(found[head.layer], self.targets[head.task]) for head in self.heads]
        return torch.stack(each)

    @cached_property
    def intact(self) -> Tensor:
        """(tasks, digits): the losses with every unit in its place."""
        return self.losses()

    @cached_property
    def worth(self) -> Numbers:
        """(tasks,): loss of the best constant answer less the network's, nats or squared units."""
        chance = [constant_loss(head, self.targets[head.task]) for head in self.heads]
        worth: Numbers = np.array(chance) - self.intact.double().mean(1).numpy()
        return worth

    def judged(self, units: Iterable[int] = ()) -> tuple[Numbers, Numbers]:
        """Harm done by silencing `units`, and accuracies or R² with them silent, each (tasks,)."""
        found = self.without(units)
        rise = (self._losses(found) - self.intact).double().mean(1).numpy()
        scores = [score(h, found[h.layer], self.targets[h.task]) for h in self.heads]
        return np.asarray(rise / self.worth), np.array(scores)


def constant_loss(head: Head, targets: Tensor) -> float:
    """Loss of the best answer that looks at nothing: the entropy in nats, or the variance."""
    if not head.names:
        return float(targets.double().var(correction=0))
    share = torch.bincount(targets).double() / len(targets)
    return float(torch.special.entr(share).sum())


@dataclass(frozen=True)
class Effects:
    """What silencing each unit alone does. harm: (tasks, units).

    certain: (tasks, units), sum of the digits' rises / root of the sum of their squares. limit:
    what the largest |certain| of all units and tasks stays below in 95 % of draws in which each
    digit's rise has a random sign. raw: (tasks, units), the rise in the task's own units.
    """

    harm: Numbers
    raw: Numbers
    certain: Numbers
    limit: float

    def used(self, tasks: Sequence[int]) -> NDArray[np.bool_]:
        """(units,): whether silencing the unit surely changes the loss of any of `tasks`."""
        return np.asarray((np.abs(self.certain[list(tasks)]) > self.limit).any(0))


def effects(lesions: Lesions, seed: int = 0) -> Effects:
    """What silencing each unit alone does, with its null."""
    units = lesions.values.shape[1]
    rises = torch.stack([lesions.losses([unit]) - lesions.intact for unit in range(units)], 1)
    size = torch.linalg.vector_norm(rises, dim=2)
    unit_rises = rises / size.clamp(min=torch.finfo(size.dtype).tiny)[..., None]
    signs = torch.randint(
        0, 2, (rises.shape[2], FLIPS), generator=torch.Generator().manual_seed(seed)
    )
    largest = (unit_rises.flatten(0, 1) @ (2.0 * signs - 1)).abs().amax(0)
    raw = rises.double().mean(2).numpy()
    return Effects(
        raw / lesions.worth[:, None],
        raw,
        unit_rises.sum(2).double().numpy(),
        float(largest.double().quantile(LEVEL)),
    )


def specialization(
    first: ArrayLike, second: ArrayLike, used: NDArray[np.bool_] | None = None
) -> Numbers:
    """(first - second) / (|first| + |second|), -1..1, (units,); nan where `used` says no or both 0.

    Of harm it is the task specialization index by lesion, +1 for a unit that the first task alone
    needs; of variances that by variance (Yang et al. 2019, Nature Neuroscience 22:297).
    """
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    total = np.abs(a) + np.abs(b)
    counted = total > 0 if used is None else (total > 0) & used
    index: Numbers = np.divide(a - b, total, out=np.full(total.shape, np.nan), where=counted)
    return index


def variances(lesions: Lesions) -> Numbers:
    """(tasks, units): share of the rectified activation's variance that a task's target explains.

    (between-group sum of squares - (groups - 1) · mean square within) / total, at least 0: ε² of
    Kelley (1935), 0 on average for a unit that knows nothing. Groups are the task's answers, and
    tenths of a number.
    """
    values = relu(lesions.values).double().numpy()
    return np.stack([_explained(values, _groups(h, lesions.targets)) for h in lesions.heads])


def mean_images(lesions: Lesions) -> Numbers:
    """(units, 28, 28): the mean image weighted by each unit's activation, less the plain mean.

    0 for a silent unit.
    """
    passed, seen = relu(lesions.values), lesions.seen[:, 0]
    total = passed.sum(0)
    share = passed / total.clamp(min=torch.finfo(total.dtype).tiny)
    means = torch.tensordot(share, seen, ([0], [0])) - seen.mean(0)
    found: Numbers = (means * (total > 0)[:, None, None]).double().numpy()
    return found


def _groups(head: Head, targets: dict[str, Tensor]) -> Whole:
    """(n,): each digit's group."""
    of_task = targets[head.task]
    if head.names:
        return of_task.numpy().astype(np.int64)
    rank = of_task.argsort().argsort()
    return (rank * BINS // len(rank)).numpy().astype(np.int64)


def _explained(values: Numbers, groups: Whole) -> Numbers:
    """ε² of (n, units) by group, 0 for a constant unit."""
    centred = values - values.mean(0)
    members = (groups[:, None] == np.unique(groups)).astype(np.float64)
    count = members.sum(0)
    total = np.square(centred).sum(0)
    between = (np.square(members.T @ centred) / count[:, None]).sum(0)
    degrees = members.shape[1] - 1
    within = (total - between) / max(len(values) - degrees - 1, 1)
    known = (between - degrees * within).clip(0)
    tiny = 1e-12 * np.square(values).sum(0)
    share: Numbers = np.divide(known, total, out=np.zeros_like(total), where=total > tiny)
    return share


def opened_up(model: Inspectable) -> ManyHeads:
    """The model; raises `TypeError` unless it has several heads."""
    if not isinstance(model, ManyHeads):
        raise TypeError(f"{model.name} has one head: choose multitask or pairs.")
    return model
