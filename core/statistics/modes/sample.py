"""What of a unit's values can be tested: without the exact zeros, without ties, not too many.

A ReLU makes an atom: all digits below its threshold share the value 0, which no density can show.
Rounded values make an atom of every value, and a test would take each of them for a mode.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from core.text import literal

__all__ = ["FEWEST", "MOST", "SENTENCES", "Sample", "State", "checked", "numbers", "prepare"]

Numbers = NDArray[np.float64]
State = Literal["tested", "constant", "too few", "too few different"]

FEWEST = 50  # values
MOST = 2000  # values tested, so that a larger sample isn't a stronger claim
_DIFFERENT = 10  # there must be more different values than this
_TIES = 0.01  # of the values: more than these are taken apart
_ATOM = 2.0  # times as many zeros as of the value next to it

SENTENCES: dict[State, str] = {
    "tested": "",
    "constant": "All its values are the same, so there is nothing to test.",
    "too few": f"Fewer than {FEWEST} values are not exactly 0: too few to test.",
    "too few different": f"It has {_DIFFERENT} different values or fewer: too few for a density.",
}


@dataclass(frozen=True)
class Sample:
    """The smooth part of a unit's values.

    state: why it can't be tested, "tested" when it can. smooth: (m,) all values but an atom at 0,
    ties taken apart. few: at most `MOST` of them, drawn at random. n: how many values there were.
    zeros: share that is exactly 0. apart: whether the zeros are an atom and left out of `smooth`.
    dithered: whether ties were taken apart.
    """

    state: State
    smooth: Numbers
    few: Numbers
    n: int
    zeros: float
    apart: bool
    dithered: bool


def prepare(values: Any, random: np.random.Generator) -> Sample:
    """The part of one unit's values (n,), an array or a tensor, that can be tested.

    Zeros are set apart when there are more than twice as many as of the value next to them, so
    that a rounded bell keeps its middle. Ties are spread evenly over the room between neighbours.

    Raises `ValueError` for no values, for what isn't numbers or isn't finite, and for more than one
    axis.
    """
    x = checked(values)
    zeros = x == 0
    apart = _is_atom(x, int(zeros.sum()))
    smooth = x[~zeros] if apart else x
    state = _state(x, smooth)
    spread = smooth if state != "tested" else _dithered(smooth, random)
    dithered = spread is not smooth
    few = spread if len(spread) <= MOST else random.choice(spread, MOST, replace=False)
    return Sample(state, spread, few, len(x), float(zeros.mean()), apart, dithered)


def numbers(values: Any) -> Numbers:
    """The values as float64, of an array or tensor of any kind of number, also with a gradient.

    Raises `ValueError` for text, complex numbers, and rows of different lengths.
    """
    given = values
    if isinstance(values, torch.Tensor) and not values.is_complex():
        given = values.detach().cpu().double().numpy()
    try:
        known = np.asarray(given)
        if known.dtype.kind in "biufO":
            return known.astype(np.float64)
    except (TypeError, ValueError, OverflowError, RuntimeError):
        pass
    raise ValueError(f"values are {literal(values)}: give numbers, such as a unit's activations.")


def checked(values: Any) -> Numbers:
    """The values as float64 (n,), finite, or `ValueError`."""
    x = numbers(values)
    if x.ndim != 1:
        raise ValueError(
            f"values have the shape {x.shape}: give one number for each digit, such as a map's "
            "maximum."
        )
    if not len(x):
        raise ValueError("there are no values: give one for each digit.")
    wrong = int((~np.isfinite(x)).sum())
    if wrong:
        raise ValueError(f"{wrong} of {len(x)} values are not finite: leave them out, or find why.")
    return x


def _is_atom(x: Numbers, zeros: int) -> bool:
    """Whether zero is a value of its own kind, and not the middle of a rounded bell."""
    if not zeros:
        return False
    if zeros == len(x):
        return True
    others, counts = np.unique(x[x != 0], return_counts=True)
    at = int(np.searchsorted(others, 0))
    beside = counts[max(at - 1, 0) : at + 1].max()
    return bool(zeros > _ATOM * beside)


def _state(x: Numbers, smooth: Numbers) -> State:
    """Why the values can't be tested, or that they can."""
    if x.min() == x.max() or (len(smooth) and smooth.min() == smooth.max()):
        return "constant"
    if len(smooth) < FEWEST:
        return "too few"
    if len(np.unique(smooth)) <= _DIFFERENT:
        return "too few different"
    return "tested"


def _dithered(x: Numbers, random: np.random.Generator) -> Numbers:
    """The values with ties spread over half the way to their nearest neighbours; x if few tie."""
    different, inverse, counts = np.unique(x, return_inverse=True, return_counts=True)
    if len(different) >= (1 - _TIES) * len(x):
        return x
    gaps = np.diff(different)
    room = np.minimum(np.append(gaps, np.inf), np.insert(gaps, 0, np.inf))
    tied = counts > 1
    # in a thin tail neighbours are far away, and a value isn't less exact there
    room = np.where(tied, np.minimum(room, np.median(room[tied])), 0.0)
    return x + random.uniform(-0.5, 0.5, len(x)) * room[inverse]
