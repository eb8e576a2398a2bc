"""What adding a part to a digit does to the answer, with units in their place and without them.

If the units carry the part, the answer should change less without them: the difference of the two
changes, digit by digit, is the causal share of the units in what the part does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import t as student
from torch import Tensor, nn

from core.arguments import whole
from core.data import DataSet
from core.interventions.removal import Removal
from core.surroundings import undisturbed

__all__ = ["Paired", "paired_effects"]


@dataclass(frozen=True)
class Paired:
    """A mean over n pairs with its 95 % interval (Student's t)."""

    mean: float
    low: float
    high: float
    n: int


@undisturbed()
def paired_effects(
    model: nn.Module,
    present: Tensor,
    absent: Tensor,
    label: int,
    layer: str,
    units: tuple[int, ...],
    kind: str = "zero",
    *,
    reference: DataSet | None = None,
    having: NDArray[np.bool_] | None = None,
) -> Mapping[str, Paired]:
    """The change of the margin of class `label` when the part is added to a digit.

    present, absent: (n, channels, height, width), the same digits with and without the part. By
    name: "intact", "without the units", and "difference", the second less the first. Margin: logit
    of the class less the largest other. reference, having: the digits that means, constants and
    erasers are fitted on, and which of them have the concept; as for `Removal`.

    Raises `ValueError` for fewer than two pairs, an unknown layer or kind, a wrong unit, or a label
    that is none.
    """
    label = whole(label, "label", 0)
    if len(present) < 2 or len(present) != len(absent):
        raise ValueError(
            f"there are {len(present)} digits with the part and {len(absent)} without: give at "
            "least two pairs."
        )
    n = len(present)
    labels = torch.full((2 * n,), label)
    both = DataSet(torch.cat([present, absent]), labels, "pairs", "pairs")
    removal = Removal(model, both, layer, kind, reference=reference, present=having)
    intact, without = (
        of.margin[:n].astype(np.float64) - of.margin[n:]
        for of in (removal.intact, removal.without(units))
    )
    return {
        "intact": _mean(intact),
        "without the units": _mean(without),
        "difference": _mean(without - intact),
    }


def _mean(values: NDArray[np.float64]) -> Paired:
    """The mean with its interval."""
    n = len(values)
    half = student.ppf(0.975, n - 1) * values.std(ddof=1) / np.sqrt(n)
    mean = float(values.mean())
    return Paired(mean, mean - float(half), mean + float(half), n)
