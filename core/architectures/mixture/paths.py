"""One digit on its way through two layers of experts, and what every other way would answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from scipy.special import softmax
from torch import Tensor, nn

from core.activations import Edit, collect_layers, run
from core.architectures.mixture.trace import Decided, check_image
from core.models.gated import Gated
from core.surroundings import undisturbed
from core.units import UnitId

__all__ = ["Way", "take_way"]

Numbers = NDArray[np.float64]
Whole = NDArray[np.int64]
_NEVER = -1e9  # a score that no other is below


@dataclass(frozen=True)
class Way:
    """A digit in a network of two layers of experts, float64.

    decided: what each gate makes of it, first to last. forced: logits of each way through,
    (experts, experts, 10), expert i of layer 1 and j of layer 2. logits: as decided, (10,).
    """

    decided: tuple[Decided, ...]
    forced: Numbers
    logits: Numbers

    @property
    def answer(self) -> int:
        """The class with the highest logit."""
        return int(self.logits.argmax())

    @property
    def answers(self) -> Whole:
        """What each way through answers, (experts, experts)."""
        answers: Whole = self.forced.argmax(-1)
        return answers

    @property
    def probabilities(self) -> Numbers:
        """Of each class by each way through, (experts, experts, 10)."""
        shares: Numbers = softmax(self.forced, axis=-1)
        return shares

    def table(self) -> pd.DataFrame:
        """A row for each way: its answer, the probability of that, and the product of weights."""
        first, second = (axis.ravel() for axis in np.indices(self.answers.shape))
        one, two = (of.weights for of in self.decided)
        return pd.DataFrame(
            {
                "first": first,
                "second": second,
                "answer": self.answers.ravel(),
                "probability": self.probabilities.max(-1).ravel(),
                "weight": np.outer(one, two).ravel(),
            }
        )


@undisturbed()
def take_way(model: nn.Module, image: Tensor) -> Way:
    """A digit (1, 1, 28, 28) on its way through two layers of experts, and every other way.

    Raises `TypeError` for a model without two gates and `ValueError` for another shape.
    """
    if not isinstance(model, Gated) or len(model.gates) != 2:
        raise TypeError(f"{type(model).__name__} hasn't two layers of experts: choose one with.")
    check_image(image)
    pairs = [(f"scores{name.removeprefix('gate')}", name) for name in model.gates]
    read = collect_layers(model, image, [layer for pair in pairs for layer in pair])
    decided = [Decided(*(read[layer][0].double().numpy() for layer in pair)) for pair in pairs]
    experts = range(model.routing.experts)

    def forced(first: int, second: int) -> Tensor:
        """Logits (10,) by one way through."""
        (one, _), (two, _) = pairs
        edits: dict[UnitId | tuple[str, int], Edit] = {}
        for layer, kept in ((one, first), (two, second)):
            edits |= {(layer, at): _NEVER for at in experts if at != kept}
        return run(model, image, edits)[0]

    ways = torch.stack([torch.stack([forced(i, j) for j in experts]) for i in experts])
    return Way(tuple(decided), ways.double().numpy(), run(model, image)[0].double().numpy())
