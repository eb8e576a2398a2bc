"""Edits of units on their way through a network, which is itself never touched.

By unit, for `core.activations.run`: `held`, `exchanged`. Of a layer's activations as a tensor, for
what follows the layer: `replaced`, `held_in_turn`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, TypeAlias

import torch
from torch import Tensor

from core.activations import Edit
from core.arguments import whole
from core.units import UnitId

__all__ = ["Edits", "Unit", "exchanged", "held", "held_in_turn", "replaced", "unit_indices"]

Unit: TypeAlias = UnitId | tuple[str, int]
Edits: TypeAlias = Mapping[Unit, Edit]


def held(units: Iterable[Unit], value: float | Literal["mean"]) -> dict[Unit, Edit]:
    """Each unit held at a number, 0 to remove it, or at its "mean" over the images."""
    return dict.fromkeys(units, value)


def exchanged(units: Iterable[Unit], donors: Tensor) -> dict[Unit, Edit]:
    """Each unit with the activation that it has on another image. donors: int64 (n,), see there."""

    def taken(values: Tensor) -> Tensor:
        return values[donors]

    return dict.fromkeys(units, taken)


def replaced(values: Tensor, units: Sequence[int], instead: Tensor | float) -> Tensor:
    """A layer's activations (n, units[, height, width]), those of some units replaced.

    instead: what stands in their place, a number, or activations of the same shape of which only
    these units' are used.
    """
    if not len(units):
        return values
    index, edited = torch.tensor(units), values.clone()
    edited[:, index] = instead[:, index] if isinstance(instead, Tensor) else instead
    return edited


def held_in_turn(values: Tensor, value: float) -> Tensor:
    """(units, units[, height, width]): copies of one image's activations, unit i of copy i held.

    values: (1, units[, height, width]). So every unit is edited alone, and all in one pass.
    """
    units = values.shape[1]
    copies, each = values.repeat(units, *[1] * (values.ndim - 1)), torch.arange(units)
    copies[each, each] = value
    return copies


def unit_indices(units: Iterable[int], layer: str, count: int) -> list[int]:
    """Units of a layer that has `count` of them, sorted, none twice.

    Raises `ValueError` for one that it hasn't.
    """
    found = sorted({whole(unit, "the index of a unit") for unit in units})
    for unit in found:
        if not 0 <= unit < count:
            raise ValueError(
                f"{layer} has no unit {unit}: choose 0 to {count - 1}; units ranked in one layer "
                "can't be removed from another."
            )
    return found
