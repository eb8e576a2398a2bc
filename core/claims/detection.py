"""How well units tell digits with a concept from others: within its class, and among all digits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.statistics.ranking import Answers, auc_interval, average_precision

__all__ = ["Detection", "detection", "scores"]

Numbers = NDArray[np.float32]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Detection:
    """The area under the ROC curve with a 95 % bootstrap interval, and average precision.

    base: the share of digits with the concept, which is the precision of chance.
    """

    auc: float
    low: float
    high: float
    p_value: float
    precision: float
    base: float
    present: int
    absent: int


def scores(values: Tensor, units: Sequence[int], reference: Tensor, rectified: bool) -> Numbers:
    """(n,): one number a digit for one or several units, the mean of their standard scores.

    values, reference: activations before the ReLU (n, units[, height, width]); mean and standard
    deviation are those on `reference`. Of a map, the maximum counts.
    """
    own, known = (_passed(of[:, list(units)], rectified) for of in (values, reference))
    spread = known.std(0)
    standard = (own - known.mean(0)) / torch.where(spread > 0, spread, 1)
    mean: Numbers = standard.mean(1).numpy()
    return mean


def detection(
    score: Numbers, present: Flags, rows: Flags, counts: NDArray[np.float32]
) -> Detection:
    """How well `score` (n,) tells digits with the concept from the others, among `rows`.

    present, rows: (n,). counts: (draws, digits in rows), how often each is drawn.
    """
    values, inside = score[rows], present[rows]
    answers = Answers.of(values[:, None])
    auc = answers.auc(inside[:, None])
    low, high = auc_interval(values, inside, counts)
    return Detection(
        auc=float(auc[0, 0]),
        low=low,
        high=high,
        p_value=float(answers.p_values(auc, inside[:, None])[0, 0]),
        precision=float(average_precision(values, inside[:, None])[0]),
        base=float(inside.mean()),
        present=int(inside.sum()),
        absent=int((~inside).sum()),
    )


def _passed(values: Tensor, rectified: bool) -> Tensor:
    """(n, units): what the ReLU passes on, of a map its maximum."""
    whole = values.amax((2, 3)) if values.ndim == 4 else values
    return whole.relu() if rectified else whole
