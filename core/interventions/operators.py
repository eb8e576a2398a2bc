"""What stands for the activations of units that are removed.

| kind | a removed unit's activation becomes |
| --- | --- |
| zero | 0 |
| mean | its mean over the reference digits, position by position |
| class-mean | the same over those of the digit's own class |
| resample | its activation on another digit, the same one for all units (Chan et al. 2022) |
| resample-class | its activation on another digit of the same class |
| optimal | the constant with which the network loses least (Li & Janson 2024) |
| erase | what least squares leaves of the removed units once no linear read-out of them tells the concept (LEACE, Belrose et al. 2023) |

Constants and erasers are fitted on reference digits, for each set of units anew. A mean, a constant
and another digit's activation are what the ReLU passes on, where one follows; the concept is erased
before it. Of one unit nothing but its mean is left then.
"""  # noqa: E501

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from core.activations import collect, layer_of
from core.data import DataSet
from core.interventions.donors import derangement, within_groups
from core.interventions.erasing import Moments
from core.interventions.optimal import ConstantSearch
from core.text import literal

__all__ = ["KINDS", "LayerEdit", "Operator", "check_kind", "operator"]

LayerEdit: TypeAlias = Callable[[Tensor, slice], Tensor]
Flags = NDArray[np.bool_]

KINDS = ("zero", "mean", "class-mean", "resample", "resample-class", "optimal", "erase")


class Operator(Protocol):
    """One of the kinds, ready for some digits of a layer."""

    def edit(self, units: Sequence[int]) -> LayerEdit:
        """What takes these units, at least one, out of the activations of some of the digits."""

    def alone(self, values: Tensor) -> Tensor:
        """What each unit's activation becomes when it alone is removed, of the shape of `values`.

        values: the layer's activations on all the digits.
        """

    def on(self, index: Tensor) -> Operator:
        """The same for those of the digits that `index` names."""


def check_kind(kind: str) -> str:
    """The kind, or `ValueError` naming those that there are."""
    if kind not in KINDS:
        raise ValueError(f"{literal(kind)} is not a kind of ablation: choose {', '.join(KINDS)}.")
    return kind


def operator(
    kind: str,
    model: nn.Module,
    digits: DataSet,
    layer: str,
    values: Tensor,
    *,
    reference: DataSet | None = None,
    present: Flags | None = None,
    donors: Tensor | None = None,
    seed: int = 0,
) -> Operator:
    """The operator of a kind for a layer's activations on `digits`, `values`.

    reference: digits that means, constants and erasers are fitted on, `digits` when None. present:
    (n,), which of these have the concept that is erased. donors: int64 (n,), which digit each is
    resampled from; drawn from `seed` when None.

    Raises `ValueError` for an unknown kind, and for "erase" without `present`.
    """
    check_kind(kind)
    if kind == "zero":
        return _Substitutes(torch.zeros_like(values[:1]), torch.zeros_like(digits.labels))
    if kind in ("resample", "resample-class"):
        return _Substitutes(values, _donors(kind, digits, seed) if donors is None else donors)
    fitted = digits if reference is None else reference
    known = values if reference is None else collect(model, reference.images, layer)
    if kind == "erase":
        return _erasing(known, present)
    rectified = layer_of(model, layer).rectified
    if kind == "optimal":
        search = ConstantSearch(model, fitted, layer, known, rectified=rectified)
        return _OfEachSet(lambda units: _held_at(search.constants(units)))
    passed = known.relu() if rectified else known
    if kind == "mean":
        return _Substitutes(passed.mean(0, keepdim=True), torch.zeros_like(digits.labels))
    means, row = _class_means(passed, fitted.labels)
    return _Substitutes(means, torch.tensor([row.get(int(each), 0) for each in digits.labels]))


class _Substitutes:
    """Activations that are known before it is known which units are removed."""

    def __init__(self, source: Tensor, rows: Tensor) -> None:
        """rows: int64 (n,), for each digit which activations of `source` stand for its own."""
        self._source, self._rows = source, rows

    def edit(self, units: Sequence[int]) -> LayerEdit:
        """The units' activations, those of other rows."""
        index = torch.tensor(units)
        stand = self._source[:, index]

        def edited(values: Tensor, rows: slice) -> Tensor:
            return values.index_copy(1, index, stand[self._rows[rows]].to(values))

        return edited

    def alone(self, values: Tensor) -> Tensor:
        """Those of other rows."""
        if len(self._source) == 1:
            return self._source.expand_as(values)
        return self._source[self._rows]

    def on(self, index: Tensor) -> Operator:
        """The same for some of the digits."""
        return _Substitutes(self._source, self._rows[index])


class _OfEachSet:
    """A map of the removed units' activations that is fitted for each set of units, once."""

    def __init__(self, fit: Callable[[list[int]], Callable[[Tensor], Tensor]]) -> None:
        """fit: from units to a map of their activations, (batch, units[, height, width])."""
        self._fit = fit
        self._known: dict[tuple[int, ...], Callable[[Tensor], Tensor]] = {}

    def edit(self, units: Sequence[int]) -> LayerEdit:
        """The units' activations, as the map gives them."""
        index, key = torch.tensor(units), tuple(units)
        if key not in self._known:
            self._known[key] = self._fit(list(units))
        change = self._known[key]
        return lambda values, rows: values.index_copy(1, index, change(values[:, index]))

    def alone(self, values: Tensor) -> Tensor:
        """As the map of each unit gives it."""
        every = slice(0, len(values))
        each = range(values.shape[1])
        return torch.stack([self.edit([unit])(values, every)[:, unit] for unit in each], 1)

    def on(self, index: Tensor) -> Operator:
        """This one: it is fitted on digits of its own."""
        return self


def _held_at(constants: Tensor) -> Callable[[Tensor], Tensor]:
    """The map to constants."""
    return lambda values: constants.to(values).expand_as(values)


def _erasing(known: Tensor, present: Flags | None) -> Operator:
    """LEACE of the removed units, from activations that are known."""
    if present is None:
        raise ValueError("what is to be erased isn't known: say which digits have the concept.")
    moments = Moments.of(known.numpy(), present)

    def fit(units: list[int]) -> Callable[[Tensor], Tensor]:
        eraser = moments.eraser(units)
        mean, removed = (torch.from_numpy(of) for of in (eraser.mean, eraser.removed))

        def erased(values: Tensor) -> Tensor:
            last = values.movedim(1, -1)
            away = (last - mean.to(values)) @ removed.to(values).T
            return (last - away).movedim(-1, 1)

        return erased

    return _OfEachSet(fit)


def _donors(kind: str, digits: DataSet, seed: int) -> Tensor:
    """For each digit another one, of any class or of its own."""
    if kind == "resample":
        return derangement(len(digits), seed)
    return torch.from_numpy(within_groups(digits.labels.numpy(), seed))


def _class_means(passed: Tensor, labels: Tensor) -> tuple[Tensor, dict[int, int]]:
    """The mean of all digits, then those of each class; and each class's row."""
    classes = torch.unique(labels).tolist()
    means = [passed.mean(0), *(passed[labels == each].mean(0) for each in classes)]
    return torch.stack(means), {each: row for row, each in enumerate(classes, 1)}
