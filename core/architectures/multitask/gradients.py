"""Do tasks pull the shared weights the same way? Cosines between the gradients of their losses.

1: both want the same change; 0: they don't care about each other; below 0: what helps one harms
the other, a conflict (Du et al. 2018, arXiv:1812.02224; Yu et al. 2020, arXiv:2001.06782).
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations, pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import relu

from core.architectures.multitask.sharing import SHARED
from core.data import DataSet
from core.models import registry
from core.models.multitask import ManyHeads

__all__ = ["SIZE", "at_weights", "conflict", "cosines", "gradients", "pairs_of", "repeated"]

Numbers = NDArray[np.float64]

SIZE = 250  # digits of a batch, as in training


def gradients(model: ManyHeads, digits: DataSet, layer: str) -> Tensor:
    """(tasks, units, inputs + 1): ∂(mean loss)/∂ weights and bias of a shared layer, by head.

    Of one batch; the model may be frozen and is left as it is. Raises `ValueError` for a layer that
    isn't shared.
    """
    with torch.no_grad():
        seen, targets = model.examples(digits.images, digits.labels)
        layers = model.trace(seen)
    given = seen.flatten(1) if layer == "shared_0" else relu(layers["shared_0"])
    given = torch.cat([given, given.new_ones(len(given), 1)], 1)  # the bias reads 1
    with torch.enable_grad():
        values = layers[layer].detach().requires_grad_()
        answers = model.after(layer, values)
        losses = [h.losses(answers[h.layer], targets[h.task]).mean() for h in model.tasks]
        by_value = [torch.autograd.grad(loss, values, retain_graph=True)[0] for loss in losses]
    return torch.stack([one.T @ given for one in by_value])


def pairs_of(tasks: int) -> list[tuple[int, int]]:
    """Every two tasks, in the order of `cosines`."""
    return list(combinations(range(tasks), 2))


def cosines(found: Tensor) -> tuple[Numbers, Numbers]:
    """Of gradients (tasks, units, inputs): (pairs,) of the whole layer, (pairs, units) of each.

    nan where a task has no gradient at all.
    """
    pairs = pairs_of(len(found))
    first, second = (found[[pair[at] for pair in pairs]].double() for at in (0, 1))
    return _cosine(first.flatten(1), second.flatten(1)), _cosine(first, second)


def repeated(model: ManyHeads, digits: DataSet, layer: str) -> tuple[Numbers, Numbers, Numbers]:
    """Cosines over batches of `SIZE` digits: between tasks, with itself, and of each unit.

    Means over batches of (pairs,) and (pairs, units); the second is (tasks,), of a task's gradients
    on neighbouring batches, which is as alike as two gradients can be here.
    """
    batches = [digits.take(slice(at, at + SIZE)) for at in range(0, len(digits) - SIZE + 1, SIZE)]
    found = [gradients(model, batch, layer) for batch in batches]
    between = [cosines(one) for one in found]
    alike = [
        _cosine(one.double().flatten(1), two.double().flatten(1)) for one, two in pairwise(found)
    ]
    return (
        np.mean([whole for whole, _ in between], axis=0),
        np.mean(alike, axis=0),
        np.mean([by_unit for _, by_unit in between], axis=0),
    )


def at_weights(model: ManyHeads, weights: Mapping[str, Tensor]) -> ManyHeads:
    """A network like `model` with other weights, frozen; `model` is left as it is."""
    other = registry.draw(model.name, settings=model.settings)
    other.load_state_dict(dict(weights))
    if not isinstance(other, ManyHeads):
        raise TypeError(f"{model.name} has no heads: give multitask or pairs.")
    return other.eval().requires_grad_(False)


def _cosine(first: Tensor, second: Tensor) -> Numbers:
    """Cosine over the last axis; nan where one is 0."""
    length = torch.linalg.vector_norm(first, dim=-1) * torch.linalg.vector_norm(second, dim=-1)
    found: Numbers = ((first * second).sum(-1) / length).numpy()
    return found


def conflict(model: ManyHeads, digits: DataSet) -> dict[str, NDArray[np.float64]]:
    """Cosines of the tasks' gradients at every kept step of training; by unit at the last."""
    history = model.history.weights
    kept: dict[str, NDArray[np.float64]] = {"steps": np.array(sorted(history))}
    for layer in SHARED:
        found = [
            repeated(at_weights(model, history[step]), digits, layer) for step in kept["steps"]
        ]
        kept[f"{layer} between"] = np.stack([between for between, _, _ in found])
        kept[f"{layer} alike"] = np.stack([alike for _, alike, _ in found])
        kept[f"{layer} unit cosines"] = found[-1][2]
    return kept
