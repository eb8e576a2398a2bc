"""What a network answers when a gate decides otherwise: without an expert, by one alone, mixed up.

Nothing is learned again: the weights are as trained, and only the gate's decision is replaced on
its way. So an answer that changes is one that the decision was needed for, in this network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import nn

from core.activations import Edit, Images, run
from core.arguments import seeded, whole
from core.data import DataSet
from core.models.gated import Gated
from core.surroundings import undisturbed
from core.text import literal
from core.units import UnitId

__all__ = [
    "GateAnswers",
    "alike",
    "alone",
    "changed_weights",
    "donors",
    "rerouted",
    "without",
]

Answers = NDArray[np.int8]
Edits: TypeAlias = Mapping[UnitId | tuple[str, int], Edit]
_NEVER = -1e9  # a score that no other is below: e to this power is 0


@dataclass(frozen=True)
class GateAnswers:
    """Answers to n digits, int8, the gate left alone and with other decisions.

    intact, another, akin, even: (n,): as decided; with the weights of a random other digit; of a
    random other digit of the same class; with all experts weighed 1 / N. removed, alone:
    (experts, n): without each expert, and by each expert only.
    """

    intact: Answers
    another: Answers
    akin: Answers
    even: Answers
    removed: Answers
    alone: Answers


@undisturbed()
def rerouted(
    model: nn.Module, digits: DataSet, gate: str | None = None, seed: int = 0
) -> GateAnswers:
    """What the model answers to digits when one of its gates decides otherwise.

    gate: name of the layer that holds its weights; None for the last one. seed: of the draw of
    other digits.

    Raises `TypeError` for a model without gates, and `ValueError` for an unknown gate, a single
    expert, no digits, and a seed that is none.
    """
    (name, count), seed = _gate(model, gate), seeded(seed)
    images, labels = digits.images, digits.labels.numpy()
    experts = range(count)
    return GateAnswers(
        intact=_answers(model, images, {}),
        another=changed_weights(model, images, donors(np.zeros(len(labels)), seed), name),
        akin=changed_weights(model, images, donors(labels, seed), name),
        even=alike(model, images, name),
        removed=np.stack([without(model, images, each, name) for each in experts]),
        alone=np.stack([alone(model, images, each, name) for each in experts]),
    )


def without(model: nn.Module, images: Images, expert: int, gate: str | None = None) -> Answers:
    """Answers (n,) without an expert: its digits go to the next best, as the gate's scores say.

    Raises as `rerouted`, also for an expert that isn't there.
    """
    name, experts = _gate(model, gate)
    if experts == 1:
        raise ValueError(
            "a single expert can't be removed, for nothing would be left to answer: choose a "
            "mixture of at least 2 experts."
        )
    return _answers(model, images, {(_scores(name), expert): _NEVER})


def alone(model: nn.Module, images: Images, expert: int, gate: str | None = None) -> Answers:
    """Answers (n,) when the gate gives every digit to one expert. Raises as `without`."""
    name, experts = _gate(model, gate)
    expert = whole(expert, "expert")
    if not 0 <= expert < experts:
        raise ValueError(f"there is no expert {expert}: choose 0 to {experts - 1}.")
    others = (each for each in range(experts) if each != expert)
    return _answers(model, images, {(_scores(name), each): _NEVER for each in others})


def alike(model: nn.Module, images: Images, gate: str | None = None) -> Answers:
    """Answers (n,) when every expert has the weight 1 / N, also those that weren't chosen."""
    name, experts = _gate(model, gate)
    return _answers(model, images, {(name, each): 1 / experts for each in range(experts)})


def changed_weights(
    model: nn.Module, images: Images, order: ArrayLike, gate: str | None = None
) -> Answers:
    """Answers (n,) when digit i is given the gate's weights of digit order[i].

    Raises `ValueError` for an order of another length, and as `rerouted`.
    """
    (name, count), given = _gate(model, gate), np.asarray(order)
    if given.shape != (len(images),):
        raise ValueError(
            f"order has shape {given.shape}: give one digit for each of {len(images)}."
        )
    taken = torch.from_numpy(given.astype(np.int64))
    edits: Edits = {(name, each): lambda values: values[taken] for each in range(count)}
    return _answers(model, images, edits)


def donors(groups: ArrayLike, seed: int = 0) -> NDArray[np.int64]:
    """For each of n digits a random other one of its group, each taken once, int64 (n,).

    groups: (n,), such as labels; all alike for any other digit. The digits of a group stand in a
    random ring and each takes the next; one that is alone in its group keeps its own place.
    """
    given, random = np.asarray(groups), np.random.default_rng(seeded(seed))
    order = np.arange(len(given))
    for group in np.unique(given):
        ring = random.permutation(np.flatnonzero(given == group))
        order[ring] = np.roll(ring, 1)
    return order


def _answers(model: nn.Module, images: Images, edits: Edits) -> Answers:
    """The class with the highest logit, (n,)."""
    answers: Answers = run(model, images, edits).argmax(1).numpy().astype(np.int8)
    return answers


def _gate(model: nn.Module, gate: str | None) -> tuple[str, int]:
    """The gate's layer, the last one unless named, and how many experts it has."""
    if not isinstance(model, Gated):
        raise TypeError(f"{type(model).__name__} has no gate: choose a mixture of experts.")
    if gate is not None and gate not in model.gates:
        raise ValueError(f"{literal(gate)} is no gate: choose {' or '.join(model.gates)}.")
    return gate or model.gates[-1], model.routing.experts


def _scores(gate: str) -> str:
    """The layer that holds the gate's scores."""
    return f"scores{gate.removeprefix('gate')}"
