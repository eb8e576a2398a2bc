"""Each unit of a layer removed alone, all of them at the price of a few passes.

Where a dense layer reads the units, removing unit u changes what it gives by (x₀ − x)_u W_u, of
rank one or, for a map, of as many ranks as it has columns. So its intact activations and one
product for each unit are all that is needed, and only what lies behind is run. Elsewhere the
network is run from the layer on for each unit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import Tensor

from core.activations import DenseReading, behind, dense_reading
from core.arguments import whole
from core.interventions.answers import margins
from core.interventions.removal import Removal
from core.surroundings import undisturbed

__all__ = ["Measure", "each_alone"]

Measure: TypeAlias = Callable[[Tensor, Tensor], Tensor]

BYTES = 2**22  # of activations at once: with less, threads wait for one another for longest
_DIGITS = 500  # at once


@undisturbed()
def each_alone(
    removal: Removal,
    measure: Measure = margins,
    *,
    at_once: int = BYTES,
    on_progress: Callable[[float], object] = lambda done: None,
) -> Tensor:
    """(units, n): a measure of what the model says of each digit without each unit alone.

    measure: from logits (units, digits, classes) and labels (digits,) to (units, digits[, …]); by
    default the margin. The logits are never held all together. at_once: bytes of activations.
    on_progress: called with 0..1; an exception from it ends the work.
    """
    at_once = whole(at_once, "at_once", 1)
    reading = dense_reading(removal.model, removal.layer)
    with torch.no_grad():
        if reading is None:
            return _by_passes(removal, measure, on_progress)
        return _by_update(removal, reading, measure, at_once, on_progress)


def _by_passes(
    removal: Removal, measure: Measure, on_progress: Callable[[float], object]
) -> Tensor:
    """`each_alone`, by running the network once for each unit."""
    found = []
    for unit in range(removal.units):
        outcome = removal.without([unit])
        found.append(measure(outcome.logits[None], outcome.labels)[0])
        on_progress((unit + 1) / removal.units)
    return torch.stack(found)


def _by_update(
    removal: Removal,
    reading: DenseReading,
    measure: Measure,
    at_once: int,
    on_progress: Callable[[float], object],
) -> Tensor:
    """`each_alone`, by what changes in the next layer."""
    follow, labels, n = (
        behind(removal.model, reading.layer),
        removal.digits.labels,
        len(removal.digits),
    )
    found = []
    for first in range(0, n, _DIGITS):
        rows = slice(first, first + _DIGITS)
        inputs = reading.inputs(removal.values[rows])
        changes = (reading.inputs(removal.instead[rows]) - inputs).transpose(0, 1).contiguous()
        intact = reading.outputs(inputs)  # (digits, outputs)
        units = max(1, at_once // (intact.numel() * intact.element_size()))
        parts = []
        for some, weights in zip(changes.split(units), reading.weights.split(units), strict=True):
            changed = _changed(intact, some, weights)
            logits = follow(changed.flatten(0, 1)).unflatten(0, changed.shape[:2])
            parts.append(measure(logits, labels[rows]))
        found.append(torch.cat(parts))
        on_progress(min(1.0, (first + _DIGITS) / n))
    return torch.cat(found, 1)


def _changed(intact: Tensor, changes: Tensor, weights: Tensor) -> Tensor:
    """(units, digits, outputs): intact (digits, outputs) and what each unit's change adds to it.

    changes: (units, digits, columns). weights: (units, columns, outputs).
    """
    if changes.shape[2] == 1:  # a third of the time of a product of matrices
        return torch.addcmul(intact, changes, weights)
    return torch.baddbmm(intact.expand(len(changes), -1, -1), changes, weights)
