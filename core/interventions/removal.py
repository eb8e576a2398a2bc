"""What a model says of digits while some units of a layer are taken away, or all but them.

The rest of the network is as it was: activations are edited on the way, weights never. Only what
lies behind the layer is computed again, so that hundreds of sets of units can be tried.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import log_softmax

from core.activations import behind, collect
from core.arguments import seeded
from core.data import DataSet
from core.interventions.answers import margins
from core.interventions.edits import unit_indices
from core.interventions.operators import LayerEdit, check_kind, operator
from core.surroundings import undisturbed

__all__ = ["Outcome", "Removal"]

Numbers = NDArray[np.float32]

_BATCH = 500  # digits at once


@dataclass(frozen=True)
class Outcome:
    """What the model says of n digits. logits: (n, classes). labels: (n,)."""

    logits: Tensor = field(repr=False)
    labels: Tensor = field(repr=False)

    @cached_property
    def shares(self) -> Numbers:
        """(n, classes): 1 for the class that the model says; where several tie, equal shares."""
        best = self.logits == self.logits.amax(1, keepdim=True)
        shares: Numbers = (best / best.sum(1, keepdim=True)).numpy()
        return shares

    @property
    def right(self) -> Numbers:
        """(n,): 1 where the model says the right class."""
        right: Numbers = self.shares[np.arange(len(self.labels)), self.labels.numpy()]
        return right

    @property
    def margin(self) -> Numbers:
        """(n,): logit of the right class less the largest other."""
        return margins(self.logits, self.labels).numpy()

    @property
    def nll(self) -> Numbers:
        """(n,): negative log-likelihood of the right class, nats."""
        return (-self._own(log_softmax(self.logits, 1))).numpy()

    def _own(self, values: Tensor) -> Tensor:
        """Each digit's value at its own class."""
        return values.gather(1, self.labels[:, None])[:, 0]


class Removal:
    """A layer of a model on some digits, of which units can be taken away.

    kind: what stands for the activation of a removed unit, see `core.interventions.operators`.
    """

    @undisturbed()
    def __init__(
        self,
        model: nn.Module,
        digits: DataSet,
        layer: str,
        kind: str = "zero",
        *,
        reference: DataSet | None = None,
        present: NDArray[np.bool_] | None = None,
        donors: Tensor | None = None,
        seed: int = 0,
    ) -> None:
        """The layer's activations, collected.

        reference: the digits that means, constants and erasers are fitted on, these when None.
        present: (n,), which of them have the concept that "erase" erases. donors: int64 (n,), which
        digit each is resampled from; drawn from `seed` when None.

        Raises `ValueError` for an unknown layer or kind, a seed that is none, for no digits, and
        for "erase" without `present`.
        """
        seed, kind = seeded(seed), check_kind(kind)
        self.model, self.layer, self.digits = model, layer, digits
        self.values = collect(model, digits.images, layer)  # (n, units[, height, width])
        self._operator = operator(
            kind,
            model,
            digits,
            layer,
            self.values,
            reference=reference,
            present=present,
            donors=donors,
            seed=seed,
        )

    def on(self, rows: NDArray[np.bool_]) -> Removal:
        """The same on the digits of `rows` (n,) alone."""
        index = torch.from_numpy(np.flatnonzero(rows))
        part = copy.copy(self)
        for cached in ("intact", "instead", "_parts", "_behind"):
            part.__dict__.pop(cached, None)
        part.digits = self.digits.take(index)
        part.values, part._operator = self.values[index], self._operator.on(index)
        return part

    @cached_property
    def instead(self) -> Tensor:
        """What stands for the activation of each unit removed alone, of the shape of `values`."""
        return self._operator.alone(self.values)

    @property
    def units(self) -> int:
        """How many units the layer has."""
        return self.values.shape[1]

    @property
    def classes(self) -> int:
        """How many classes the digits are of."""
        return len(self.digits.class_names)

    @cached_property
    def _parts(self) -> list[slice]:
        """Some digits at once, as they fit the processor's cache."""
        return [slice(at, at + _BATCH) for at in range(0, len(self.digits), _BATCH)]

    @cached_property
    def _behind(self) -> list[Callable[[Tensor], Tensor]]:
        """What follows the layer, for each part; only models without stages need its images."""
        return [behind(self.model, self.layer, self.digits.images[part]) for part in self._parts]

    @cached_property
    def intact(self) -> Outcome:
        """What the model says with every unit in its place."""
        return self.without(())

    @undisturbed()
    def under(self, edit: LayerEdit) -> Outcome:
        """What the model says with the layer's activations edited.

        edit: from the activations of some digits, and which those are, to others of that shape.
        """
        with torch.no_grad():
            logits = [
                follow(edit(self.values[rows], rows))
                for rows, follow in zip(self._parts, self._behind, strict=True)
            ]
        return Outcome(torch.cat(logits), self.digits.labels)

    @undisturbed()
    def without(self, units: Iterable[int]) -> Outcome:
        """What it says without `units`. Raises `ValueError` for one that the layer hasn't.

        Where the operator is fitted for each set of units, it is fitted at its first removal.
        """
        index = unit_indices(units, self.layer, self.units)
        return self.under(self._operator.edit(index) if index else lambda values, rows: values)

    def each_alone(self) -> Iterator[Outcome]:
        """What it says without each unit in turn."""
        return (self.without([unit]) for unit in range(self.units))

    def keeping(self, units: Iterable[int]) -> Outcome:
        """What it says when all other units of the layer are taken away."""
        kept = unit_indices(units, self.layer, self.units)
        return self.without(np.setdiff1d(np.arange(self.units), kept))
