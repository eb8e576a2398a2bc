"""Sets of units to compare a claim with: as many units, each as strong as the one it stands for.

Without them an effect says nothing: any thirty units of a layer may be missed as much.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from core.activations import layer_names, layer_of
from core.arguments import whole

__all__ = ["outgoing_norms", "p_value", "random_sets", "strengths"]

Numbers = NDArray[np.float64]
Whole = NDArray[np.int64]

_NEAREST = 20  # units of like strength, among which each control is drawn


def strengths(model: nn.Module, layer: str, values: Tensor) -> Numbers:
    """Mean activation times the norm of the outgoing weights of each unit, (units,).

    values: the layer's activations before the ReLU, (n, units[, height, width]).
    """
    passed = values.relu() if layer_of(model, layer).rectified else values.abs()
    mean = passed.double().mean([axis for axis in range(values.ndim) if axis != 1])
    return mean.numpy() * outgoing_norms(model, layer, values.shape[1])


def outgoing_norms(model: nn.Module, layer: str, units: int) -> Numbers:
    """Euclidean norm of the weights that read each unit in the next layer, (units,).

    1 for each where no next layer reads them through one matrix: the logits, for instance.
    """
    names = layer_names(model)
    later = names[names.index(layer) + 1 :]
    weight = getattr(model.get_submodule(later[0]), "weight", None) if later else None
    if not isinstance(weight, Tensor) or weight.ndim < 2 or weight.shape[1] % units:
        return np.ones(units)
    by_unit = weight.detach().double().reshape(len(weight), units, -1)  # (out, units, positions)
    norms: Numbers = torch.linalg.vector_norm(by_unit, dim=(0, 2)).numpy()
    return norms


def random_sets(
    strength: Numbers, chosen: Sequence[int], sets: int, generator: np.random.Generator
) -> Whole:
    """(sets, len(chosen)): other units, each drawn among the 20 nearest in strength to its own.

    No unit is twice in a set. Empty where the layer hasn't as many other units as were chosen.
    """
    others = np.setdiff1d(np.arange(len(strength)), chosen)
    sets = whole(sets, "sets", 0)
    if not sets or len(others) < len(chosen):
        return np.empty((0, len(chosen)), np.int64)
    scale = np.log(strength + 1e-9 * (strength.max() + 1))
    apart = np.abs(scale[others][None] - scale[list(chosen)][:, None])  # (chosen, others)
    room = max(_NEAREST, 2 * len(chosen))
    return np.stack([_one_set(apart, others, room, generator) for _ in range(sets)])


def _one_set(apart: Numbers, others: Whole, room: int, generator: np.random.Generator) -> Whole:
    """One set; the members find their partners in a random order."""
    free = np.ones(len(others), bool)
    found = np.empty(len(apart), np.int64)
    for member in generator.permutation(len(apart)):
        nearest = np.argsort(np.where(free, apart[member], np.inf), kind="stable")
        at = generator.choice(nearest[: min(room, int(free.sum()))])
        free[at] = False
        found[member] = others[at]
    return found


def p_value(effect: float, controls: Numbers) -> float:
    """(1 + controls at least as large) / (1 + controls); 1 where there are none.

    An effect that isn't a number is above none, and one of a control is below none.
    """
    return float((1 + (~(controls < effect)).sum()) / (1 + len(controls)))
