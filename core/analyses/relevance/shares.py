"""What each unit of a layer adds to the answer, to first order, and what these shares leave out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.activations import DenseReading, behind, dense_reading, layer_of
from core.interventions.answers import margins
from core.interventions.removal import Removal
from core.surroundings import undisturbed

__all__ = [
    "LayerShares",
    "contributions",
    "has_shares",
    "layer_shares",
    "linear_shares",
    "logit",
]

Numbers = NDArray[np.float32]
Measure = Callable[[Tensor, Tensor], Tensor]

_DIGITS = 500  # at once


def logit(label: int) -> Measure:
    """The logit of one class, whatever the digits' own."""
    return lambda logits, labels: logits[:, label]


def has_shares(removal: Removal) -> bool:
    """Whether the layer's units have linear shares.

    Not where the layer runs row by row: its later rows depend on its earlier ones, so no share of
    a unit is apart from the others'.
    """
    return not layer_of(removal.model, removal.layer).steps


@undisturbed()
def linear_shares(removal: Removal, measure: Measure = margins) -> Numbers:
    """(n, units): each unit's linear share of a measure, (x − x₀) · ∂measure/∂x.

    x is what the next layer reads of the unit, x₀ what it reads after the removal, where a dense
    layer reads each unit apart; elsewhere the unit's activation itself, and its replacement. If
    the measure is a logit and the dense layer gives it, the shares of all units add up to exactly
    what removing all of them takes. NaN for a layer without shares, see `has_shares`.

    measure: from logits (digits, classes) and labels (digits,) to (digits,).
    """
    n = len(removal.digits)
    if not has_shares(removal):
        return np.full((n, removal.units), np.nan, dtype=np.float32)
    reading = dense_reading(removal.model, removal.layer)
    parts = [
        _shares(removal, reading, slice(first, first + _DIGITS), measure)
        for first in range(0, n, _DIGITS)
    ]
    found: Numbers = torch.cat(parts).numpy()
    return found


def _shares(
    removal: Removal, reading: DenseReading | None, rows: slice, measure: Measure
) -> Tensor:
    """`linear_shares` of some digits."""
    values, instead = removal.values[rows], removal.instead[rows]
    digits = removal.digits.take(rows)
    if reading is None:
        follow = behind(removal.model, removal.layer, digits.images)
        given = values.detach().requires_grad_()
        change, slope = values - instead, _slope(measure(follow(given), digits.labels), given)
    else:
        follow = behind(removal.model, reading.layer)
        with torch.no_grad():
            inputs = reading.inputs(values)
            change = inputs - reading.inputs(instead)
        given = reading.outputs(inputs).detach().requires_grad_()
        of_next = _slope(measure(follow(given), digits.labels), given)  # (digits, outputs)
        slope = torch.einsum("nk,uck->nuc", of_next, reading.weights.detach())
    return (change * slope).flatten(2).sum(2) if change.ndim > 2 else change * slope


def _slope(measured: Tensor, given: Tensor) -> Tensor:
    """The gradient of each digit's measure; 0 where nothing of the layer reaches it."""
    if not measured.requires_grad:
        return torch.zeros_like(given)
    slope = torch.autograd.grad(measured.sum(), given, allow_unused=True)[0]
    return torch.zeros_like(given) if slope is None else slope


@undisturbed()
def contributions(removal: Removal, label: int) -> tuple[Numbers, Numbers]:
    """What each unit adds to the logit of a class, (n, units), and what is left for the rest, (n,).

    Together they are the logit. Where the layer is read by the logits alone, and removal is to 0,
    the rest is the logits' bias; elsewhere it is what no unit adds alone.
    """
    shares = linear_shares(removal, logit(label))
    rest = removal.intact.logits[:, label].numpy() - shares.sum(1)
    return shares, rest


@dataclass(frozen=True)
class LayerShares:
    """Linear shares of the margin of n digits, and what they leave out.

    share: (n,), of some units. shares: (n,), of all units of the layer. Both are NaN for a layer
    without shares. whole: (n,), by how much the margin falls when all units are removed.
    """

    share: Numbers
    shares: Numbers
    whole: Numbers


@undisturbed()
def layer_shares(removal: Removal, units: Sequence[int]) -> LayerShares:
    """The shares of some units, and of all of the layer."""
    every = linear_shares(removal)
    gone = removal.without(range(removal.units))
    return LayerShares(
        every[:, list(units)].sum(1), every.sum(1), removal.intact.margin - gone.margin
    )
