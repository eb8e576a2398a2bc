"""A map of a gate's decisions: a corner for each expert, and each digit between its experts.

A digit is drawn at Σ_e g_e · corner_e. Of two experts that is a line and of three a triangle, which
show the weights exactly. The corners of more are a regular polygon, where something is lost: how
much is measured.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.arguments import real, seeded, whole

__all__ = [
    "GateMap",
    "corners",
    "gate_map",
    "kept_variance",
    "ring",
    "scattered",
    "undecided",
]

Numbers = NDArray[np.float64]
Whole = NDArray[np.int64]

EXACT = 8  # experts up to which every order is tried: (8 - 1)! / 2 = 2,520
DECIDED = 0.9  # the weight from which a digit counts as one expert's


@dataclass(frozen=True)
class GateMap:
    """Where digits are on the map.

    order: the experts, corner by corner. corners: (experts, 2), by expert. points: (n, 2), up to 1
    from the middle. kept: see `kept_variance`. decided: the share of digits of which one expert has
    a weight of `DECIDED` or more.
    """

    order: tuple[int, ...]
    corners: Numbers
    points: Numbers
    kept: float
    decided: float


def gate_map(gates: ArrayLike, order: tuple[int, ...] | None = None) -> GateMap:
    """The map of weights (n, experts).

    order: of the experts, corner by corner; None for the one in which experts that share digits are
    neighbours, see `ring`.

    Raises `ValueError` for no digits, weights that aren't finite, and an order of other experts.
    """
    weights = _checked(gates)
    experts = weights.shape[1]
    around = ring(weights) if order is None else tuple(whole(of, "an expert") for of in order)
    if sorted(around) != list(range(experts)):
        raise ValueError(f"order is {around}: name each of the experts 0 to {experts - 1} once.")
    places = np.empty((experts, 2))
    places[list(around)] = corners(experts)
    points = weights @ places
    decided = float((weights.max(1) >= DECIDED).mean())
    return GateMap(around, places, points, kept_variance(weights, points), decided)


def corners(experts: int) -> Numbers:
    """The corners of a regular polygon around 0, (experts, 2), x right and y up.

    The first of three or more is on top, and they go clockwise, 1 from the middle. Two are the ends
    of a line, left and right; one is in the middle. Raises `ValueError` for none.
    """
    experts = whole(experts, "experts")
    if experts < 1:
        raise ValueError(f"{experts} experts: a map has a corner for at least one.")
    if experts < 3:
        return np.array([[[0.0, 0.0]], [[-1.0, 0.0], [1.0, 0.0]]][experts - 1])
    angle = np.pi / 2 - 2 * np.pi * np.arange(experts) / experts
    return np.stack([np.cos(angle), np.sin(angle)], 1)


def ring(gates: ArrayLike) -> tuple[int, ...]:
    """The experts in a circle, so that those that share digits are neighbours; expert 0 first.

    What neighbours e and f share is Σ_n g_ne g_nf; the sum around the circle is the largest there
    is up to `EXACT` experts. Of more, it is the best that no reversal of a part improves, from a
    greedy beginning at each expert (2-opt; Croes 1958).
    """
    weights = _checked(gates)
    shared = weights.T @ weights
    experts = len(shared)
    if experts < 4:  # in a circle all are neighbours
        return tuple(range(experts))
    if experts <= EXACT:
        others = np.array(list(itertools.permutations(range(1, experts))))
        orders = np.insert(others[others[:, 0] < others[:, -1]], 0, 0, axis=1)
    else:
        orders = np.array([_improved(_greedy(shared, first), shared) for first in range(experts)])
    best = orders[shared[orders, np.roll(orders, -1, axis=1)].sum(1).argmax()]
    return _from_zero(best)


def kept_variance(gates: ArrayLike, points: ArrayLike) -> float:
    """The share of the weights' variance that the map keeps, 0 to 1.

    1 − Σ‖g − ĝ‖² / Σ‖g − ḡ‖², with ĝ the best linear guess of a digit's weights from its place on
    the map. 1 of two and three experts; 2 / (N − 1) where each of N decided experts takes as many
    digits, as no direction is then more important than another; 1 where weights don't vary.
    """
    weights, given = _checked(gates), np.asarray(points, dtype=np.float64)
    # rounded: what rounding leaves of places that are all the same tells nothing
    centred, places = weights - weights.mean(0), np.round(given - given.mean(0), 10)
    whole = float(np.square(centred).sum())
    if whole < 1e-12 * len(weights):
        return 1.0
    guess = places @ np.linalg.lstsq(places, centred, rcond=None)[0]
    return float(np.clip(1 - np.square(centred - guess).sum() / whole, 0, 1))


def scattered(points: ArrayLike, radius: float, seed: int = 0) -> Numbers:
    """The points (n, 2), each moved at random within a circle, so that those in one place show."""
    given, radius = np.asarray(points, dtype=np.float64), real(radius, "radius", 0)
    random = np.random.default_rng(seeded(seed))
    angle, far = 2 * np.pi * random.random(len(given)), np.sqrt(random.random(len(given)))
    ways: Numbers = radius * (far * np.stack([np.cos(angle), np.sin(angle)])).T
    return given + ways


def undecided(gates: ArrayLike, most: int) -> Whole:
    """The digits whose gate decides least, by the entropy of their weights, at most `most`.

    Those with all weight on one expert are left out; equal ones come in their order.
    """
    weights, most = _checked(gates), whole(most, "most", 0)
    logs = np.log2(weights, out=np.zeros_like(weights), where=weights > 0)
    entropy = -(weights * logs).sum(1)
    order: Whole = np.argsort(-entropy, kind="stable")[:most].astype(np.int64)
    chosen: Whole = order[entropy[order] > 1e-6]
    return chosen


def _checked(gates: ArrayLike) -> Numbers:
    """The weights as numbers, or `ValueError`."""
    weights = np.asarray(gates, dtype=np.float64)
    if weights.ndim != 2 or not weights.size:
        raise ValueError(f"gates have shape {weights.shape}: give (digits, experts), both above 0.")
    if not np.isfinite(weights).all():
        raise ValueError("some weights aren't finite: give weights from 0 to 1.")
    return weights


def _greedy(shared: Numbers, first: int) -> list[int]:
    """From the first expert on, always the one that shares most with the last."""
    order = [first]
    while len(order) < len(shared):
        left = [expert for expert in range(len(shared)) if expert not in order]
        order.append(max(left, key=lambda expert: float(shared[order[-1], expert])))
    return order


def _improved(order: list[int], shared: Numbers) -> list[int]:
    """The order with parts reversed until no reversal adds to what neighbours share."""
    n, around = len(order), list(order)
    better = True
    while better:
        better = False
        for i, j in itertools.combinations(range(n), 2):
            a, b, c, d = around[i - 1], around[i], around[j], around[(j + 1) % n]
            if a == c:  # all but none are reversed: the same circle
                continue
            if shared[a, c] + shared[b, d] > shared[a, b] + shared[c, d] + 1e-9:
                around[i : j + 1] = around[i : j + 1][::-1]
                better = True
    return around


def _from_zero(order: ArrayLike) -> tuple[int, ...]:
    """The same circle from expert 0 on, toward the lower of its neighbours."""
    around = [int(expert) for expert in np.asarray(order)]
    at = around.index(0)
    turned = around[at:] + around[:at]
    return tuple(turned if turned[1] < turned[-1] else [0, *turned[:0:-1]])
