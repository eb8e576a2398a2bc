"""One digit through a network with several heads: every answer, and the units that it hangs on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import relu, softmax

from core.interventions.edits import held_in_turn
from core.models.multitask import Head, ManyHeads

__all__ = ["Answer", "Answers", "answers"]

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Answer:
    """What one head says of one image, and the sum that its answer is.

    said, right: the chosen answer and the right one, or numbers. shares: (answers,), the softmax;
    the number itself where the task is one. bias, sum_: of the chosen answer's unit, whose value is
    sum_ = bias + Σ weights · passed. weights: (units,), of that unit. rises: (units,), by how much
    the task's loss on this image rises when a unit of shared_1 is silent.
    """

    task: str
    names: tuple[str, ...]
    said: float
    right: float
    shares: Numbers
    bias: float
    sum_: float
    weights: Numbers
    rises: Numbers

    def spoken(self, value: float) -> str:
        """An answer in words."""
        return self.names[int(value)] if self.names else f"{value:+.3f}"


@dataclass(frozen=True)
class Answers:
    """Every head's answer. seen: (28, 28), the image as shown. passed: (units,), shared_1 behind
    the ReLU."""

    seen: Numbers
    passed: Numbers
    heads: tuple[Answer, ...]


def answers(model: ManyHeads, images: Tensor, labels: Tensor) -> tuple[Answers, ...]:
    """What the network says of each example made of digits (n, 1, 28, 28) with labels (n,).

    Of two digits the network `pairs` makes two examples: both, and both in each other's place.
    """
    with torch.no_grad():
        seen, targets = model.examples(images, labels)
        layers = model.trace(seen)
        passed = relu(layers["shared_1"])
        found = []
        for at in range(len(seen)):
            without = model.after("shared_1", held_in_turn(passed[at : at + 1], 0.0))
            each = []
            for head in model.tasks:
                rows = torch.cat([layers[head.layer][at : at + 1], without[head.layer]])
                target = targets[head.task][at : at + 1].expand(len(rows))
                each.append(_answer(model, head, rows, target))
            found.append(
                Answers(seen[at, 0].double().numpy(), passed[at].double().numpy(), tuple(each))
            )
    return tuple(found)


def _answer(model: ManyHeads, head: Head, rows: Tensor, target: Tensor) -> Answer:
    """The head's answer; rows: its output intact, then with each unit silent. target: of each."""
    output, losses = rows[0], head.losses(rows, target)
    unit = int(output.argmax()) if head.names else 0
    layer = model.get_submodule(head.layer)
    if not isinstance(layer, torch.nn.Linear):
        raise TypeError(f"{head.layer} is no linear layer: its sum can't be written out.")
    return Answer(
        task=head.task,
        names=head.names,
        said=float(unit if head.names else output[0]),
        right=float(target[0]),
        shares=(softmax(output, 0) if head.names else output).double().numpy(),
        bias=float(layer.bias[unit]),
        sum_=float(output[unit]),
        weights=layer.weight[unit].double().numpy(),
        rises=(losses[1:] - losses[0]).double().numpy(),
    )
