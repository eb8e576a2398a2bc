"""Which images a network classifies correctly, as it is and under edits, and what these change."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from core.activations import run
from core.data import DataSet
from core.interventions.edits import Edits
from core.interventions.effects import PairedChange
from core.statistics import wilson_interval

__all__ = ["accuracy", "accuracy_row", "are_correct", "class_changes", "correct", "margins"]

Flags = NDArray[np.bool_]


def are_correct(logits: Tensor, labels: Tensor) -> Flags:
    """Whether each image's highest logit is its class's, bool (n,). logits: (n, classes)."""
    flags: Flags = (logits.argmax(1) == labels).numpy()
    return flags


def margins(logits: Tensor, labels: Tensor) -> Tensor:
    """(..., n): the logit of each image's class less the largest other.

    logits: (..., n, classes). labels: int64 (n,). Through it gradients flow.
    """
    own = labels[:, None].expand(*logits.shape[:-1], 1)
    others = logits.scatter(-1, own, -torch.inf)
    return logits.gather(-1, own)[..., 0] - others.amax(-1)


def correct(model: nn.Module, images: DataSet, edits: Edits | None = None) -> Flags:
    """Which images are classified correctly with some units edited, bool (n,)."""
    return are_correct(run(model, images.images, edits), images.labels)


def accuracy(model: nn.Module, images: DataSet, edits: Edits | None = None) -> float:
    """The share that is, in single precision as `core.training.accuracy` without edits."""
    return float(torch.from_numpy(correct(model, images, edits)).float().mean())


def class_changes(model: nn.Module, images: DataSet, parts: Iterable[Edits]) -> PairedChange:
    """What editing each part alone changes on the images of each class, (parts, classes)."""
    after = np.stack([correct(model, images, edits) for edits in parts])
    labels, classes = images.labels.numpy(), len(images.class_names)
    return PairedChange.by_class(correct(model, images), after, labels, classes)


def accuracy_row(hits: int, n: int) -> dict[str, float]:
    """The accuracy of `hits` of `n`, with low and high, the ends of its 95 % Wilson interval."""
    low, high = wilson_interval(hits, n)
    return {"accuracy": hits / n, "low": low, "high": high}
