"""The constants in whose place a network misses some units least (Li & Janson 2024).

    c* = argmin over c of the mean negative log-likelihood of the digits with a_u := c

Zero and the mean are two guesses of such a constant. What a removal costs beyond its optimum is the
harm that the guess itself does, such as activations that the network never sees.

The loss is that of all digits and not of those with a concept, for which a unit held at its highest
would be as good as one that sees them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from core.activations import behind
from core.data import DataSet

__all__ = ["ConstantSearch"]

SummedLoss: TypeAlias = Callable[[Tensor, Tensor], Tensor]

_BATCH = 500  # digits at once
_SEARCHED = 1000  # digits, at most, on which constants are searched; all choose among those found
_GRID = 12  # constants of one unit over its range
_SECTIONS = 16  # of the golden section, each 0.62 of the one before
_STEPS = 12  # of L-BFGS, for several constants
_INSIDE = 1e-3  # of a unit's range: where the gradient begins, for at the ends it is 0
_GOLDEN = (5**0.5 - 1) / 2


def _cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Negative log-likelihood of the labels, nats, summed."""
    return cross_entropy(logits, labels, reduction="sum")


class ConstantSearch:
    """The optimal constants of any set of units of a layer, within each unit's range and zero.

    A set with one constant, a unit of a dense layer, is searched on a grid and by golden section;
    maps and sets of units by gradient, from the better of zero and the mean. What is found is kept
    only where on all the digits it loses less than both, so it never loses more.
    """

    def __init__(
        self,
        model: nn.Module,
        digits: DataSet,
        layer: str,
        values: Tensor,
        *,
        rectified: bool,
        loss: SummedLoss = _cross_entropy,
    ) -> None:
        """values: the layer's activations on the digits, (n, units[, height, width]).

        loss: of logits (batch, classes) and labels (batch,), summed over the batch.
        """
        passed = values.relu() if rectified else values
        self.mean = passed.mean(0)  # (units[, height, width])
        axes = [axis for axis in range(values.ndim) if axis != 1]
        self.lowest = passed.amin(axes).clamp(max=0)  # (units,)
        self.highest = passed.amax(axes).clamp(min=0)
        self._whole = _Loss(model, digits, layer, values, loss)
        self._part = self._whole
        if len(digits) > _SEARCHED:
            order = np.random.default_rng(0).permutation(len(digits))
            few = torch.from_numpy(np.sort(order[:_SEARCHED]))
            self._part = _Loss(model, digits.take(few), layer, values[few], loss)

    def constants(self, units: Sequence[int]) -> Tensor:
        """What stands for each unit, (len(units)[, height, width])."""
        mean = self.mean[list(units)]
        guesses = [torch.zeros_like(mean), mean]
        found = self._line(units[0]) if mean.numel() == 1 else self._descent(units, guesses)
        every = [*guesses, found.reshape(mean.shape)]
        return min(every, key=lambda each: self.loss(units, each))

    def loss(self, units: Sequence[int], constants: Tensor) -> float:
        """Mean loss of all the digits with the units held, infinite where it is no number."""
        return self._whole(list(units), constants)

    def _line(self, unit: int) -> Tensor:
        """The constant of one unit: the best of a grid, refined between its neighbours."""

        def loss(constant: float) -> float:
            return self._part([unit], torch.tensor([constant]))

        low, high = float(self.lowest[unit]), float(self.highest[unit])
        if not np.isfinite(high - low):
            return torch.zeros(1)
        grid = np.linspace(low, high, _GRID).tolist()
        best = int(np.argmin([loss(constant) for constant in grid]))
        left, right = grid[max(best - 1, 0)], grid[min(best + 1, _GRID - 1)]
        return torch.tensor([_golden(loss, left, right)])

    def _descent(self, units: Sequence[int], guesses: Sequence[Tensor]) -> Tensor:
        """The best constants that L-BFGS meets on its way from the better of two guesses.

        A constant is low + (high − low) sin²θ, which stays within the unit's range for every θ.
        """
        index, maps = list(units), [1] * (self.mean.ndim - 1)
        low, high = (end[index].reshape(-1, *maps) for end in (self.lowest, self.highest))
        start = min(guesses, key=lambda each: self._part(index, each))
        share = ((start - low) / (high - low).clamp(min=1e-12)).clamp(_INSIDE, 1 - _INSIDE)
        angle = share.sqrt().asin().detach().requires_grad_()
        met = [(self._part(index, start), start)]

        def within() -> Tensor:
            return low + (high - low) * angle.sin() ** 2

        def closure() -> float:
            loss, slope = self._part.slope(index, within())
            met.append((loss, within().detach()))
            angle.grad = torch.autograd.grad(within(), angle, slope)[0]
            return loss

        search = torch.optim.LBFGS(
            [angle], max_iter=_STEPS, max_eval=2 * _STEPS, line_search_fn="strong_wolfe"
        )
        if np.isfinite(met[0][0]):
            search.step(closure)
        return min(met, key=lambda each: each[0])[1]


class _Loss:
    """The loss of some digits, with units of a layer held at constants."""

    def __init__(
        self, model: nn.Module, digits: DataSet, layer: str, values: Tensor, loss: SummedLoss
    ) -> None:
        parts = [slice(at, at + _BATCH) for at in range(0, len(digits), _BATCH)]
        self._parts = [
            (values[part], digits.labels[part], behind(model, layer, digits.images[part]))
            for part in parts
        ]
        self._n, self._loss = len(digits), loss

    def __call__(self, units: list[int], constants: Tensor) -> float:
        """The mean, infinite where it is no number."""
        with torch.no_grad():
            return _finite(sum(float(each) for each in self._terms(units, constants)))

    def slope(self, units: list[int], constants: Tensor) -> tuple[float, Tensor]:
        """The same, and its gradient, of the shape of the constants."""
        given = constants.detach().requires_grad_()
        total, slope = 0.0, torch.zeros_like(constants)
        with torch.enable_grad():
            for term in self._terms(units, given):
                slope += torch.autograd.grad(term, given)[0]
                total += float(term.detach())
        return _finite(total), slope

    def _terms(self, units: list[int], constants: Tensor) -> Iterator[Tensor]:
        """Each batch's part of the mean."""
        index = torch.tensor(units)
        for values, labels, follow in self._parts:
            instead = constants.to(values).expand(len(values), *constants.shape)
            logits = follow(values.index_copy(1, index, instead))
            yield self._loss(logits, labels) / self._n


def _golden(loss: Callable[[float], float], left: float, right: float) -> float:
    """Where a function of one number is least between two, by golden section."""
    inner = [right - _GOLDEN * (right - left), left + _GOLDEN * (right - left)]
    losses = [loss(each) for each in inner]
    for _ in range(_SECTIONS):
        if losses[0] <= losses[1]:
            right, inner = inner[1], [left + (1 - _GOLDEN) * (inner[1] - left), inner[0]]
            losses = [loss(inner[0]), losses[0]]
        else:
            left, inner = inner[0], [inner[1], right - (1 - _GOLDEN) * (right - inner[0])]
            losses = [losses[1], loss(inner[1])]
    return inner[0] if losses[0] <= losses[1] else inner[1]


def _finite(loss: float) -> float:
    """The loss, infinite where it is no number."""
    return loss if np.isfinite(loss) else np.inf
