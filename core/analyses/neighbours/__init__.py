"""Which units are alike: by what they do on the same digits, and by the weights that they read by.

The nearest are chosen on the discovery half; how near they are is measured on the confirmation
half. Of many units one is always nearest, so each number stands beside that of the untrained
network, whose units are as many and have learned nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.statistics.matching import correlations, match, match_null

__all__ = [
    "NEAREST",
    "Nearest",
    "Neighbours",
    "Partners",
    "by_activation",
    "by_weights",
    "cosines",
    "partners",
]

Numbers = NDArray[np.float64]
Single = NDArray[np.float32]
Whole = NDArray[np.int64]

NEAREST = 6  # of each unit


@dataclass(frozen=True)
class Nearest:
    """The units of the layer that are nearest to each, the nearest first.

    unit: (units, k). likeness: (units, k), correlation or cosine, -1..1. comparable: (units,),
    whether a unit varies on the discovery half, or has weights: to one that doesn't, all are as
    far. untrained: (units,), likeness of each unit of the untrained network and its own nearest, by
    the same procedure.
    """

    unit: Whole
    likeness: Single
    comparable: NDArray[np.bool_]
    untrained: Single


@dataclass(frozen=True)
class Neighbours:
    """The nearest units of each layer, by name. digits: of each half.

    weights: None of a layer whose units have no incoming weights to compare. A layer of one unit is
    in neither.
    """

    activations: dict[str, Nearest]
    weights: dict[str, Nearest | None]
    digits: int


@dataclass(frozen=True)
class Partners:
    """Which unit of another network each unit of a layer corresponds to, (units,) each.

    unit: each is the partner of one unit. correlation: signed, on the confirmation half. untrained:
    |correlation| of the partners of the untrained networks, by the same procedure. null:
    |correlation| that 95 % of units matched on shuffled digits stay below, on the discovery half.
    """

    unit: Whole
    correlation: Single
    untrained: Single
    null: float


def by_activation(trained: Sequence[ArrayLike], untrained: Sequence[ArrayLike]) -> Nearest:
    """The units with the highest correlation, of activations (n, units) on both halves.

    Raises `ValueError` for fewer than two units, as `correlations`, and for halves of other units.
    """
    unit, likeness = _nearest(*(correlations(half, half) for half in trained))
    alone = _nearest(*(correlations(half, half) for half in untrained))[1]
    return Nearest(unit, likeness, _varying(trained[0]), alone[:, 0])


def by_weights(trained: ArrayLike, untrained: ArrayLike) -> Nearest:
    """The units with the highest cosine of weights (units, weights). Raises as `by_activation`."""
    (own, before) = (cosines(weights, weights) for weights in (trained, untrained))
    unit, likeness = _nearest(own, own)
    has_some: NDArray[np.bool_] = np.asarray(np.any(np.asarray(trained), axis=1))
    return Nearest(unit, likeness, has_some, _nearest(before, before)[1][:, 0])


def _varying(values: ArrayLike) -> NDArray[np.bool_]:
    """(units,): which of (n, units) aren't the same on all digits."""
    layer = np.asarray(values)
    found: NDArray[np.bool_] = (layer != layer[:1]).any(0)
    return found


def cosines(one: ArrayLike, other: ArrayLike) -> Numbers:
    """Cosine of each row with each of another table, (rows, rows); 0 with a row of zeros."""
    a, b = (_of_length_one(np.asarray(of, dtype=np.float64)) for of in (one, other))
    found: Numbers = (a @ b.T).clip(-1, 1)
    return found


def _of_length_one(rows: Numbers) -> Numbers:
    """Rows of length 1; those of zeros stay."""
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    found: Numbers = np.divide(rows, length, out=np.zeros_like(rows), where=length > 0)
    return found


def _nearest(chosen: Numbers, judged: Numbers) -> tuple[Whole, Single]:
    """The other units of the highest likeness in `chosen`, and their likeness in `judged`."""
    units = len(chosen)
    if units < 2 or chosen.shape != judged.shape:
        raise ValueError(
            f"likenesses are {chosen.shape} and {judged.shape}: give both of the same units, two "
            "or more."
        )
    others = chosen.copy()
    np.fill_diagonal(others, -np.inf)
    unit = np.argsort(-others, axis=1, kind="stable")[:, : min(NEAREST, units - 1)]
    return unit, np.take_along_axis(judged, unit, 1).astype(np.float32)


def partners(
    own: Sequence[ArrayLike], other: Sequence[ArrayLike], untrained: Sequence[Sequence[ArrayLike]]
) -> Partners:
    """The one-to-one partners of a layer's units in another network, by `match`.

    own, other: activations (n, units) on discovery and confirmation. untrained: the same of both
    networks before training. Raises `ValueError` as `match`.
    """
    found = match(own[0], other[0])
    before = match(untrained[0][0], untrained[1][0])
    return Partners(
        found.partner,
        _of_pairs(own[1], other[1], found.partner),
        np.abs(_of_pairs(untrained[0][1], untrained[1][1], before.partner)),
        match_null(own[0], other[0]),
    )


def _of_pairs(own: ArrayLike, other: ArrayLike, partner: Whole) -> Single:
    """(units,): the correlation of each unit with its partner."""
    every = correlations(own, other)
    return every[np.arange(len(partner)), partner].astype(np.float32)
