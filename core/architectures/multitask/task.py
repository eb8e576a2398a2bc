"""Which task each shared unit serves, in the two networks with several heads and in controls."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from core.architectures.multitask.gradients import SIZE, at_weights, repeated
from core.architectures.multitask.lesions import crossed
from core.architectures.multitask.results import SHARES, SharedUnits, heads_of
from core.architectures.multitask.sharing import (
    SHARED,
    Lesions,
    effects,
    mean_images,
    score,
    tasks_of,
    variances,
)
from core.data import DataSet
from core.data.task import DataTask
from core.models.inspectable import Inspectable
from core.models.multitask import Head, ManyHeads
from core.runs import Run
from core.runtime.lab import Lab
from core.runtime.task import Report, Task
from core.training.task import ModelTask

__all__ = ["DRAWS", "SharedUnitsTask", "judged", "opened_up"]

Numbers = NDArray[np.float64]

DRAWS = 20  # of random units in their place
_BATCHES = 8  # of digits, for gradients
_LINEAR = 20_000  # digits of the linear baseline


@dataclass(frozen=True)
class SharedUnitsTask(Task[SharedUnits]):
    """What every shared unit of `multitask` or `pairs` is for."""

    choice: Run

    @property
    def title(self) -> str:
        """What is done."""
        return f"Examining {self.choice.title}"

    def compute(self, lab: Lab, report: Report) -> SharedUnits:
        """Scores and baselines, lesions of single units and of groups, and gradients."""
        trained, report = lab.given(report, ModelTask(self.choice))
        model, data = opened_up(trained), self.choice.data
        halves = [
            lab.result(DataTask(data, half), report) for half in ("discovery", "confirmation")
        ]
        fit = lab.result(DataTask(data, "fit"), report).take(slice(_LINEAR))
        kept = {"scores": _scores(model, fit, halves[1])}
        for at, layer in enumerate(SHARED):
            report(0.1 + 0.35 * at, f"Silencing the units of {layer}, one by one and together")
            kept |= judged(model, halves, layer, SHARES, self.choice.seed)
            kept |= _described(model, halves, layer)
        report(0.8, "Comparing the gradients of the tasks")
        kept |= _conflict(model, halves[0].take(slice(_BATCHES * SIZE)))
        return SharedUnits(heads_of(self.choice.model), kept)


def _scores(model: ManyHeads, fit: DataSet, digits: DataSet) -> Numbers:
    """(3, tasks): the network, linear regression on pixels, and the best constant answer."""
    constant = []
    lesions = Lesions(model, digits, SHARED[-1])
    for head, target in ((one, lesions.targets[one.task]) for one in lesions.heads):
        constant.append(float(target.bincount().max() / len(target)) if head.names else 0.0)
    return np.stack([lesions.judged()[1], _linear(model, fit, digits), np.array(constant)])


def opened_up(model: Inspectable) -> ManyHeads:
    """The model; raises `TypeError` unless it has several heads."""
    if not isinstance(model, ManyHeads):
        raise TypeError(f"{model.name} has one head: choose multitask or pairs.")
    return model


def judged(
    model: ManyHeads, halves: list[DataSet], layer: str, shares: tuple[float, ...], seed: int
) -> dict[str, NDArray[np.float64]]:
    """Lesions of a layer: units ranked on the first half, groups of them judged on the second."""
    first, second = (Lesions(model, half, layer) for half in halves)
    found, units = effects(first, seed), first.values.shape[1]
    taught = found.harm[: len(model.heads)]
    groups = [crossed(second, taught, round(share * units), DRAWS, seed) for share in shares]
    return {
        f"{layer} {name}": np.asarray(values)
        for name, values in {
            "harm": found.harm,
            "raw": found.raw,
            "certain": found.certain,
            "limit": found.limit,
            "crossed harm": np.stack([one.harm for one in groups]),
            "crossed score": np.stack([one.scores for one in groups]),
            "random harm": np.stack([one.random_harm for one in groups]),
            "random score": np.stack([one.random_scores for one in groups]),
        }.items()
    }


def _described(
    model: ManyHeads, halves: list[DataSet], layer: str
) -> dict[str, NDArray[np.float64]]:
    """Of each unit of a layer: its harm on the second half, variances, and its mean image."""
    first, second = (Lesions(model, half, layer) for half in halves)
    return {
        f"{layer} again": effects(second).harm,
        f"{layer} variance": variances(first),
        f"{layer} images": mean_images(first),
    }


def _linear(model: ManyHeads, fit: DataSet, digits: DataSet) -> Numbers:
    """(tasks,): scores of least squares from pixels to all targets, answers as one-hot numbers."""
    found = []
    seen, targets = model.examples(fit.images, fit.labels)
    shown, right = model.examples(digits.images, digits.labels)
    x, other = (_with_one(images) for images in (seen, shown))
    gram = x.T @ x + torch.eye(x.shape[1], dtype=x.dtype)  # blank pixels would make it singular
    for head in tasks_of(model):
        source = "digit" if head.task == "parity" else head.task
        y, truth = targets[source], right[source]
        if head.task == "parity":
            y, truth = y % 2, truth % 2
        of = torch.nn.functional.one_hot(y).double() if head.names else y.double()[:, None]
        answers = other @ torch.linalg.solve(gram, x.T @ of)
        plain = Head(head.task, head.layer, head.names)
        found.append(score(plain, answers, truth))
    return np.array(found)


def _with_one(images: torch.Tensor) -> torch.Tensor:
    """(n, pixels + 1): the pixels and a constant."""
    flat = images.flatten(1).double()
    return torch.cat([flat, flat.new_ones(len(flat), 1)], 1)


def _conflict(model: ManyHeads, digits: DataSet) -> dict[str, NDArray[np.float64]]:
    """Cosines of the tasks' gradients at every kept step of training; by unit at the last."""
    history = model.history.weights
    kept: dict[str, NDArray[np.float64]] = {"steps": np.array(sorted(history))}
    for layer in SHARED:
        found = [
            repeated(at_weights(model, history[step]), digits, layer) for step in kept["steps"]
        ]
        kept[f"{layer} between"] = np.stack([between for between, _, _ in found])
        kept[f"{layer} alike"] = np.stack([alike for _, alike, _ in found])
        kept[f"{layer} unit cosines"] = found[-1][2]
    return kept
