"""The digits of each expert: their mean, and those that the gate is surest of."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.arguments import whole

__all__ = ["margins", "mean_digits", "surest"]

Numbers = NDArray[np.float64]


def margins(scores: ArrayLike) -> Numbers:
    """How far each digit's highest score lies above the next one, (n,); 0 of a single expert.

    scores: (n, experts), before the softmax. Where a gate gives one expert all the weight, weights
    can't tell a sure decision from a narrow one, and scores can.
    """
    ordered = np.sort(np.asarray(scores, dtype=np.float64), axis=1)
    if ordered.shape[1] < 2:
        return np.zeros(len(ordered))
    return np.asarray(ordered[:, -1] - ordered[:, -2])


def surest(scores: ArrayLike, expert: int, most: int) -> NDArray[np.int64]:
    """Of the digits that an expert takes, the `most` with the widest margin, widest first.

    Of equal margins the earlier digit comes first; fewer where the expert takes fewer.
    """
    given, most = np.asarray(scores, dtype=np.float64), whole(most, "most", 0)
    own = np.flatnonzero(given.argmax(1) == whole(expert, "expert"))
    order = np.argsort(-margins(given)[own], kind="stable")
    return own[order][:most]


def mean_digits(images: ArrayLike, experts: ArrayLike, count: int) -> Numbers:
    """The mean of the digits that each expert takes, (count, 28, 28); 0 where it takes none.

    images: (n, 28, 28). experts: (n,), the expert that takes each.
    """
    shown, taking = np.asarray(images, dtype=np.float64), np.asarray(experts)
    means = np.zeros((count, *shown.shape[1:]))
    for expert in range(count):
        own = taking == expert
        if own.any():
            means[expert] = shown[own].mean(0)
    return means
