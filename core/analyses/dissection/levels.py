"""The level of a unit: the activation that a given share of all its activations exceeds, exactly.

Two passes over the data, in memory that doesn't grow with it. The bits of a float32 in order of
value are a whole number: the first pass counts its upper half, and the second, for the values that
share the upper half of the level, its lower half.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from core.text import literal

__all__ = ["Batches", "levels"]

Whole = NDArray[np.int64]
Batches = Callable[[], Iterable[Tensor]]

_HALF = 1 << 16


def levels(batches: Batches, share: ArrayLike) -> NDArray[np.float32]:
    """(units,): of each unit's activations the share `share`, one or (units,), lies above.

    batches: gives, each time it is called, tensors (batch, units, …) of all the data. Where many
    values are equal to the level, they count as above it if that comes nearer to the share.

    Raises `ValueError` for a share outside 0..1 and where there is no data.
    """
    shares = np.asarray(share, dtype=np.float64)
    if not ((shares > 0) & (shares < 1)).all():
        raise ValueError(
            f"level {literal(share)} is out of range: give a share above 0 and below 1."
        )
    upper = _counted(batches, lambda unit, keys: (keys >> 16).astype(np.uint16))
    n = int(upper[0].sum())
    wanted = (shares * n).astype(np.int64)  # values above the level
    part, above = _crossing(upper, wanted)

    def lower_half(unit: int, keys: NDArray[np.uint32]) -> NDArray[np.uint16]:
        mine: NDArray[np.uint32] = keys[keys >> 16 == part[unit]]
        return mine.astype(np.uint16)  # the lower half

    lower = _counted(batches, lower_half)
    rest, strictly = _crossing(lower, wanted - above)
    ties = lower[np.arange(len(rest)), rest]
    strictly = strictly + above
    values = _values((part << 16 | rest).astype(np.uint32))
    take_in = np.abs(strictly + ties - shares * n) < np.abs(strictly - shares * n)
    # half a step lower, the equal ones lie above
    return np.where(take_in, np.nextafter(values, np.float32(-np.inf)), values)


def _counted(
    batches: Batches, bins: Callable[[int, NDArray[np.uint32]], NDArray[np.uint16]]
) -> Whole:
    """(units, 65536): how often each bin occurs; `bins` gives those of some of a unit's keys."""
    counts: list[Whole] = []
    for batch in batches():
        units = batch.detach().cpu().transpose(0, 1).flatten(1).numpy()
        some = [
            np.bincount(bins(unit, _keys(values)), minlength=_HALF)
            for unit, values in enumerate(units)
        ]
        counts = [a + b for a, b in zip(counts, some, strict=True)] if counts else some
    if not counts:
        raise ValueError("there are no activations to take a level of: pass at least one image.")
    return np.stack(counts)


def _crossing(counts: Whole, wanted: Whole) -> tuple[Whole, Whole]:
    """The highest bin with more than `wanted` values in and above it, and how many are above."""
    from_top = counts[:, ::-1].cumsum(1)
    at = (from_top > np.reshape(wanted, (-1, 1))).argmax(1)
    bins = counts.shape[1] - 1 - at
    units = np.arange(len(counts))
    return bins, from_top[units, at] - counts[units, bins]


def _keys(values: NDArray[np.float32]) -> NDArray[np.uint32]:
    """Whole numbers in the order of the values; both zeros are the same."""
    bits = (values.astype(np.float32, copy=False) + np.float32(0)).view(np.uint32)
    top = np.uint32(1 << 31)
    if not len(bits) or bits.max() < top:  # nothing is negative
        return bits | top
    return np.where(bits & top, ~bits, bits | top)


def _values(keys: NDArray[np.uint32]) -> NDArray[np.float32]:
    """The values whose keys these are."""
    bits = np.where(keys >> 31, keys ^ np.uint32(1 << 31), ~keys)
    return bits.astype(np.uint32).view(np.float32)
