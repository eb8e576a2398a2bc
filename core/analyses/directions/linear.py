"""The direction of a layer along which digits with a concept lie apart from those without it.

L2-regularized logistic regression on standardized activations, fitted by Newton's method. How
strongly it is regularized is chosen by cross-validation inside the half on which it is fitted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.special import expit

from core.arguments import seeded, whole

__all__ = ["STRENGTHS", "Direction", "fit_direction"]

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]

STRENGTHS = tuple(float(10.0**power) for power in range(3, -5, -1))  # λ, the strongest first
FOLDS = 5
_STEPS = 25  # of Newton's method, at most
_CLOSE = 1e-9  # of the loss: below this change it has converged


@dataclass(frozen=True)
class Direction:
    """A linear read-out of a layer: weights · a + offset, above 0 where the concept is likely.

    weights: float64 (units,), of activations as they are, before standardizing. strength: λ.
    """

    weights: Numbers
    offset: float
    strength: float

    def values(self, activations: NDArray[np.floating]) -> Numbers:
        """(n,): the read-out of activations (n, units)."""
        found: Numbers = activations @ self.weights + self.offset
        return found

    @property
    def unit_vector(self) -> Numbers:
        """The weights with length 1; zeros where there are none."""
        length = float(np.linalg.norm(self.weights))
        return self.weights / length if length else self.weights


def fit_direction(
    values: NDArray[np.floating],
    present: Flags,
    *,
    strengths: Sequence[float] = STRENGTHS,
    folds: int = FOLDS,
    seed: int = 0,
) -> Direction:
    """The direction that tells `present` (n,) from the rest by activations (n, units).

    strengths: λ of ½ λ |w|² beside the mean log-loss, of which cross-validation takes the strongest
    that loses no more than the best one and a standard error. Units that don't vary get no weight.

    Raises `ValueError` for fewer than two digits with the concept or without it, and numbers that
    are none.
    """
    folds, seed = whole(folds, "folds", 2), seeded(seed)
    found = np.asarray(values, dtype=np.float64)
    if found.ndim != 2 or len(found) != len(present):
        raise ValueError(
            f"activations are {found.shape} for {len(present)} digits: give (n, units)."
        )
    fewest = int(min(present.sum(), (~present).sum()))
    if fewest < 2:
        raise ValueError(
            f"{int(present.sum())} of {len(present)} digits have the concept: give at least two "
            "with it and two without it."
        )
    mean, scale = found.mean(0), found.std(0)
    standard = (found - mean) / np.where(scale > 0, scale, 1)
    strength = _chosen(standard, present, sorted(strengths, reverse=True), min(folds, fewest), seed)
    weights, offset = _path(standard, present, [strength])[-1]
    own = np.where(scale > 0, weights / np.where(scale > 0, scale, 1), 0.0)
    return Direction(own, float(offset - own @ mean), strength)


def _chosen(
    standard: Numbers, present: Flags, strengths: Sequence[float], folds: int, seed: int
) -> float:
    """The strongest that loses no more on digits left out than the best one and its standard error.

    The rule of one standard error (Breiman et al. 1984): with few digits many strengths are alike,
    and the weakest of them fits noise. strengths: the strongest first.
    """
    fold = _folds(present, folds, np.random.default_rng(seed))
    losses = np.zeros((len(present), len(strengths)))
    for at in range(folds):
        out = fold == at
        for column, (weights, offset) in enumerate(_path(standard[~out], present[~out], strengths)):
            read = standard[out] @ weights + offset
            losses[out, column] = np.logaddexp(0, read) - present[out] * read
    mean = losses.mean(0)
    best = int(mean.argmin())
    error = losses[:, best].std(ddof=1) / np.sqrt(len(losses))
    return float(strengths[int(np.argmax(mean <= mean[best] + error))])


def _folds(present: Flags, folds: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """(n,): the fold of each digit; those with the concept are dealt out evenly."""
    found = np.empty(len(present), dtype=np.int64)
    for rows in (np.flatnonzero(present), np.flatnonzero(~present)):
        found[generator.permutation(rows)] = np.arange(len(rows)) % folds
    return found


def _path(
    standard: Numbers, present: Flags, strengths: Sequence[float]
) -> list[tuple[Numbers, float]]:
    """Weights and offset for each strength, each begun with those of the one before."""
    share = present.mean()
    theta = np.zeros(standard.shape[1] + 1)
    theta[-1] = np.log(share / (1 - share))
    design = np.column_stack([standard, np.ones(len(standard))])
    found = []
    for strength in strengths:
        theta = _newton(design, present.astype(np.float64), strength, theta)
        found.append((theta[:-1].copy(), float(theta[-1])))
    return found


def _newton(design: Numbers, target: Numbers, strength: float, start: Numbers) -> Numbers:
    """The minimum of the mean log-loss plus ½ λ |w|², the last weight, the offset, left free."""
    n, ridge = len(design), np.full(design.shape[1], strength)
    ridge[-1] = 0.0
    theta, loss = start, _loss(design, target, ridge, start)
    for _ in range(_STEPS):
        p = expit(design @ theta)
        gradient = design.T @ (p - target) / n + ridge * theta
        curvature = (design * (p * (1 - p))[:, None]).T @ design / n
        curvature[np.diag_indices_from(curvature)] += ridge + 1e-12
        step = cho_solve(cho_factor(curvature), gradient)
        size = 1.0
        while size > 1e-8 and (new := _loss(design, target, ridge, theta - size * step)) > loss:
            size /= 2
        else:
            new = _loss(design, target, ridge, theta - size * step)
        if new > loss:
            break
        theta, before, loss = theta - size * step, loss, new
        if before - loss < _CLOSE:
            break
    return theta


def _loss(design: Numbers, target: Numbers, ridge: Numbers, theta: Numbers) -> float:
    """Mean log-loss, nats, and the penalty."""
    scores = design @ theta
    return float(np.mean(np.logaddexp(0, scores) - target * scores) + (ridge * theta**2).sum() / 2)
