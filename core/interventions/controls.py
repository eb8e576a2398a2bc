"""Sets of units to compare a claim with: as many units, each as strong as the one it stands for.

Without them an effect says nothing: any thirty units of a layer may be missed as much.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from core.activations import layer_names, layer_of
from core.arguments import whole

__all__ = [
    "NEAREST",
    "of_each_set",
    "outgoing_norms",
    "p_value",
    "random_sets",
    "random_units",
    "range_of",
    "range_of_others",
    "spread",
    "strengths",
]

Numbers = NDArray[np.float64]
Whole = NDArray[np.int64]
AnyUnit = TypeVar("AnyUnit")
Effect = TypeVar("Effect")

NEAREST = 20  # units of like strength, among which each control is drawn


def strengths(
    model: nn.Module, layer: str, values: Tensor, readers: Sequence[str] | None = None
) -> Numbers:
    """Mean activation times the norm of the outgoing weights of each unit, (units,).

    values: the layer's activations before the ReLU, (n, units[, height, width]). readers: the
    submodules that read the layer, all together; the next layer when None.
    """
    passed = values.relu() if layer_of(model, layer).rectified else values.abs()
    mean = passed.double().mean([axis for axis in range(values.ndim) if axis != 1])
    return mean.numpy() * outgoing_norms(model, layer, values.shape[1], readers)


def outgoing_norms(
    model: nn.Module, layer: str, units: int, readers: Sequence[str] | None = None
) -> Numbers:
    """Euclidean norm of the weights that read each unit, (units,). readers: as for `strengths`.

    1 for each where it isn't read through matrices: the logits, for instance.
    """
    names = layer_names(model)
    by_reader = []
    for name in names[names.index(layer) + 1 :][:1] if readers is None else readers:
        weight = getattr(model.get_submodule(name), "weight", None)
        if not isinstance(weight, Tensor) or weight.ndim < 2 or weight.shape[1] % units:
            return np.ones(units)
        by_reader.append(weight.detach().double().reshape(len(weight), units, -1))
    if not by_reader:
        return np.ones(units)
    together = torch.cat(by_reader)  # (out, units, positions)
    norms: Numbers = torch.linalg.vector_norm(together, dim=(0, 2)).numpy()
    return norms


def random_sets(
    strength: Numbers,
    chosen: Sequence[int],
    sets: int,
    generator: np.random.Generator,
    *,
    nearest: int | None = None,
) -> Whole:
    """(sets, len(chosen)): other units, each drawn among those nearest in strength to its own.

    nearest: among how many; when None 20, or twice as many as were chosen where that is more. No
    unit is twice in a set. Empty where the layer hasn't as many other units as were chosen.
    """
    others = np.setdiff1d(np.arange(len(strength)), chosen)
    sets = whole(sets, "sets", 0)
    if not sets or len(others) < len(chosen):
        return np.empty((0, len(chosen)), np.int64)
    scale = np.log(strength + 1e-9 * (strength.max() + 1))
    apart = np.abs(scale[others][None] - scale[list(chosen)][:, None])  # (chosen, others)
    room = max(NEAREST, 2 * len(chosen)) if nearest is None else nearest
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


def random_units(
    units: Sequence[AnyUnit], count: int, generator: np.random.Generator
) -> list[AnyUnit]:
    """`count` of some units, none twice, each as likely as any other."""
    return [units[at] for at in generator.choice(len(units), count, replace=False)]


def of_each_set(
    effect: Callable[[tuple[int, ...]], Effect],
    sets: Whole,
    on_set: Callable[[int], object] | None = None,
) -> tuple[list[Effect], int]:
    """The effect of each set (sets, units), measured once of equal sets; how many differ.

    on_set: called with the number of each set, before it.
    """
    known: dict[tuple[int, ...], Effect] = {}
    ordered = [tuple(each) for each in np.sort(sets, axis=1).tolist()]
    for number, units in enumerate(ordered):
        if on_set is not None:
            on_set(number)
        if units not in known:
            known[units] = effect(units)
    return [known[units] for units in ordered], len(known)


def p_value(effect: float, controls: Numbers) -> float:
    """(1 + controls at least as large) / (1 + controls); 1 where there are none.

    An effect that isn't a number is above none, and one of a control is below none.
    """
    return float((1 + (~(controls < effect)).sum()) / (1 + len(controls)))


def range_of(changes: Numbers) -> tuple[Numbers, Numbers]:
    """The lowest and the highest of several controls' changes (controls, ...)."""
    return changes.min(0), changes.max(0)


def range_of_others(changes: Numbers) -> tuple[Numbers, Numbers]:
    """The range of the changes of all other parts, of each part, (parts, ...) each.

    changes: (parts, ...). Where parts are alike, that another is edited instead is the control. Not
    a number where there is no other part.
    """
    if len(changes) == 1:
        return np.full_like(changes, np.nan), np.full_like(changes, np.nan)
    others = np.stack([np.delete(changes, part, 0) for part in range(len(changes))], 1)
    return range_of(others)


def spread(controls: Numbers) -> tuple[float, float, float]:
    """What 2.5 % of the controls stay below, their median, and what 97.5 % stay below."""
    low, middle, high = np.quantile(controls, (0.025, 0.5, 0.975))
    return float(low), float(middle), float(high)
