"""What each unit contributes to a value that the units reach together (Shapley 1953)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from core.arguments import real, seeded, whole

__all__ = ["shapley"]

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]


def shapley(
    value: Callable[[Flags], float],
    players: int,
    permutations: int,
    *,
    seed: int = 0,
    tolerance: float = 0.0,
    on_step: Callable[[int], object] | None = None,
) -> tuple[Numbers, Numbers]:
    """The Shapley value of each player and its standard error, (players,) each.

    The mean of what a player adds to those before it, over random orders; each order is taken
    forwards and backwards, which steadies the mean (antithetic pairs). In every order the additions
    sum to value(all) − value(none). tolerance: an order is cut short, its rest counted as 0, once
    the value is within this share of the whole (truncation, Ghorbani & Zou 2020, arXiv:2002.09815).

    value: from who is present, bool (players,), to a number. permutations: orders, at least two;
    an odd number is rounded up. on_step: called with the orders done.

    Raises `ValueError` for no players or fewer than two orders.
    """
    players, permutations = whole(players, "players"), whole(permutations, "permutations")
    tolerance = real(tolerance, "tolerance", 0)
    if players < 1 or permutations < 2:
        raise ValueError(
            f"{players} players and {permutations} orders: give at least one player and two orders."
        )
    generator = np.random.default_rng(seeded(seed))
    ends = value(np.zeros(players, bool)), value(np.ones(players, bool))
    pairs = np.empty((-(-permutations // 2), players))
    for at in range(len(pairs)):
        order = generator.permutation(players)
        forth = _additions(value, order, ends, tolerance)
        pairs[at] = (forth + _additions(value, order[::-1], ends, tolerance)) / 2
        if on_step is not None:
            on_step(2 * at + 2)
    error = (
        pairs.std(0, ddof=1) / np.sqrt(len(pairs)) if len(pairs) > 1 else np.full(players, np.nan)
    )
    return pairs.mean(0), error


def _additions(
    value: Callable[[Flags], float],
    order: NDArray[np.int64],
    ends: tuple[float, float],
    tolerance: float,
) -> Numbers:
    """What each player adds in one order, (players,)."""
    nobody, everybody = ends
    close = tolerance * abs(everybody - nobody)
    present, last = np.zeros(len(order), bool), nobody
    added = np.zeros(len(order))
    for place, player in enumerate(order):
        if tolerance and abs(everybody - last) <= close:
            break
        present[player] = True
        now = everybody if place == len(order) - 1 else value(present)
        added[player], last = now - last, now
    return added
