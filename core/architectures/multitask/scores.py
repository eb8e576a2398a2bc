"""How well a network with several heads does each task, beside two baselines."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from core.architectures.multitask.sharing import SHARED, Lesions, score, tasks_of
from core.data import DataSet
from core.models.multitask import Head, ManyHeads

__all__ = ["scores"]

Numbers = NDArray[np.float64]


def scores(model: ManyHeads, fit: DataSet, digits: DataSet) -> Numbers:
    """(3, tasks): the network, linear regression on pixels, and the best constant answer."""
    constant = []
    lesions = Lesions(model, digits, SHARED[-1])
    for head, target in ((one, lesions.targets[one.task]) for one in lesions.heads):
        constant.append(float(target.bincount().max() / len(target)) if head.names else 0.0)
    return np.stack([lesions.judged()[1], _linear(model, fit, digits), np.array(constant)])


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
