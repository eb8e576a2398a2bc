"""What a model says of digits while some units of a layer are taken away, or all but them.

The rest of the network is as it was: activations are edited on the way, weights never. Only what
lies behind the layer is computed again, so that hundreds of sets of units can be tried.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import log_softmax

from core.activations import behind, collect, layer_of
from core.arguments import seeded
from core.data import DataSet
from core.interventions.answers import margins
from core.interventions.donors import derangement
from core.interventions.edits import replaced, unit_indices
from core.surroundings import undisturbed
from core.text import literal

__all__ = ["KINDS", "LayerEdit", "Outcome", "Removal"]

Numbers = NDArray[np.float32]
LayerEdit: TypeAlias = Callable[[Tensor, slice], Tensor]

KINDS = ("zero", "mean", "resample")
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

    kind: what stands for the activation of a removed unit, after the ReLU where one follows:
    "zero"; "mean", its mean over `reference`, position by position; "resample", its activation on
    another of the digits, the same other one for all units (Chan et al. 2022, causal scrubbing).
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
        donors: Tensor | None = None,
        seed: int = 0,
    ) -> None:
        """The layer's activations, collected.

        reference: the digits of the mean, these when None. donors: int64 (n,), which digit each
        is resampled from; drawn from `seed` when None.

        Raises `ValueError` for an unknown layer or kind, a seed that is none, and for no digits.
        """
        seed = seeded(seed)
        if kind not in KINDS:
            raise ValueError(
                f"{literal(kind)} is not a kind of ablation: choose {', '.join(KINDS)}."
            )
        self.model, self.layer, self.digits = model, layer, digits
        self.values = collect(model, digits.images, layer)  # (n, units[, height, width])
        if kind == "zero":
            self._instead = self.values.new_zeros(())
        elif kind == "mean":
            known = self.values if reference is None else collect(model, reference.images, layer)
            self._instead = (known.relu() if layer_of(model, layer).rectified else known).mean(0)
        else:
            other = derangement(len(digits), seed) if donors is None else donors
            self._instead = self.values[other]
        self._instead = self._instead.expand_as(self.values)

    def on(self, rows: NDArray[np.bool_]) -> Removal:
        """The same on the digits of `rows` (n,) alone."""
        index = torch.from_numpy(np.flatnonzero(rows))
        part = copy.copy(self)
        for cached in ("intact", "_parts", "_behind"):
            part.__dict__.pop(cached, None)
        part.digits = self.digits.take(index)
        part.values, part._instead = self.values[index], self._instead[index]
        return part

    @property
    def instead(self) -> Tensor:
        """What stands for the activations of removed units, of the shape of `values`."""
        return self._instead

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

    def without(self, units: Iterable[int]) -> Outcome:
        """What it says without `units`. Raises `ValueError` for one that the layer hasn't."""
        index = unit_indices(units, self.layer, self.units)
        return self.under(lambda values, rows: replaced(values, index, self._instead[rows]))

    def each_alone(self) -> Iterator[Outcome]:
        """What it says without each unit in turn."""
        return (self.without([unit]) for unit in range(self.units))

    def keeping(self, units: Iterable[int]) -> Outcome:
        """What it says when all other units of the layer are taken away."""
        kept = unit_indices(units, self.layer, self.units)
        return self.without(np.setdiff1d(np.arange(self.units), kept))
