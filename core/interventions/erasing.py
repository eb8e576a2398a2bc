"""A direction taken out of a layer's activations: by projection, and by least squares (LEACE).

    projection  r(a) = a − d dᵀ(a − μ), |d| = 1
    LEACE       r(a) = a − W⁺ P W (a − μ),  W = (Σ_aa^½)⁺, P onto the columns of W Σ_az

After LEACE no linear read-out tells the concept better than a constant does, and of all affine maps
of which this holds it changes activations least (Belrose et al. 2023, arXiv:2306.03819).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Eraser", "Moments", "leace", "leace_of_each", "projection"]

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]

_NONE = 1e-24  # share of the concept's variance that is rounding alone
_RANK = 1e-10  # of the largest variance: what is smaller counts as none


@dataclass(frozen=True)
class Eraser:
    """The affine map a − `removed` (a − `mean`). removed: (units, units). mean: (units,)."""

    removed: Numbers
    mean: Numbers

    def __call__(self, activations: NDArray[np.floating]) -> Numbers:
        """(n, units): the activations (n, units) without what is erased."""
        found: Numbers = activations - (activations - self.mean) @ self.removed.T
        return found


@dataclass(frozen=True)
class Moments:
    """What LEACE needs to know of activations and of which have the concept, once for all units.

    mean: (units,). covariance: Σ_aa, (units, units). across: Σ_az, (units,).
    """

    mean: Numbers
    covariance: Numbers
    across: Numbers

    @classmethod
    def of(cls, activations: NDArray[np.floating], present: Flags) -> Moments:
        """Of activations (n, units) or maps (n, units, height, width), and `present` (n,).

        Of maps each position is a sample, so units are erased alike at every one.

        Raises `ValueError` where all digits have the concept or none has.
        """
        if not 0 < present.sum() < len(present):
            raise ValueError(
                f"{int(present.sum())} of {len(present)} digits have the concept: give some of "
                "both."
            )
        n, units = activations.shape[:2]
        samples = activations.reshape(n, units, -1)
        covariance, across = np.zeros((units, units)), np.zeros(units)
        target = present - present.mean()
        with np.errstate(invalid="ignore"):  # of a network whose numbers aren't finite
            mean = samples.mean((0, 2), dtype=np.float64)
            for at in range(samples.shape[2]):  # a position at a time, so that maps fit in memory
                centred = samples[:, :, at].astype(np.float64) - mean
                covariance += centred.T @ centred
                across += centred.T @ target
        count = n * samples.shape[2]
        return cls(mean, covariance / count, across / count)

    def eraser(self, units: Sequence[int]) -> Eraser:
        """LEACE of some of the units alone: none of their linear read-outs tells the concept."""
        index = list(units)
        return _least_change(
            self.mean[index], self.covariance[np.ix_(index, index)], self.across[index]
        )


def leace_of_each(activations: NDArray[np.floating], present: Flags) -> Iterator[Eraser]:
    """`leace` for each of several concepts, present (concepts, n), hardly slower than for one.

    Raises `ValueError` as `leace`.
    """
    known = Moments.of(np.asarray(activations, dtype=np.float64), present[0])
    targets = present - present.mean(1, keepdims=True)
    across = targets @ (activations - known.mean) / len(activations)
    return _least_changes(known.mean, known.covariance, across)


def projection(direction: NDArray[np.floating], mean: NDArray[np.floating]) -> Eraser:
    """Activations projected along `direction` (units,) onto its value at `mean` (units,).

    Raises `ValueError` for a direction without length.
    """
    way = np.asarray(direction, dtype=np.float64)
    length = float(np.linalg.norm(way))
    if not length or not np.isfinite(length):
        raise ValueError(f"the direction has length {length:g}: give one that isn't zero.")
    way = way / length
    return Eraser(np.outer(way, way), np.asarray(mean, dtype=np.float64))


def leace(activations: NDArray[np.floating], present: Flags) -> Eraser:
    """The least change of activations (n, units) after which none tells `present` (n,) linearly.

    Nothing is erased where mean activations with and without the concept are the same. Raises
    `ValueError` where all digits have the concept or none has.
    """
    known = Moments.of(np.asarray(activations, dtype=np.float64), present)
    return _least_change(known.mean, known.covariance, known.across)


def _least_change(mean: Numbers, covariance: Numbers, across: Numbers) -> Eraser:
    """LEACE from moments. mean, across: (units,). covariance: (units, units)."""
    return next(_least_changes(mean, covariance, across[None]))


def _least_changes(mean: Numbers, covariance: Numbers, across: Numbers) -> Iterator[Eraser]:
    """LEACE for each row of `across` (concepts, units)."""
    if not (np.isfinite(covariance).all() and np.isfinite(across).all()):
        nothing = Eraser(np.zeros_like(covariance), np.zeros_like(mean))  # is known of them
        yield from (nothing for _ in across)
        return
    variances, axes = np.linalg.eigh(covariance)
    kept = variances > _RANK * max(float(variances.max()), np.finfo(float).tiny)
    roots = np.sqrt(variances[kept])
    whiten = (axes[:, kept] / roots) @ axes[:, kept].T
    back = (axes[:, kept] * roots) @ axes[:, kept].T
    for way in across @ whiten:  # which is symmetric
        length = float(way @ way)
        found = np.outer(back @ way, way @ whiten) / length if length > _NONE else 0 * whiten
        yield Eraser(found, mean)
