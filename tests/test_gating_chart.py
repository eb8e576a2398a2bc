"""The map of gates: exact shapes, orders against every order there is, and planted variance."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from core.architectures.mixture.gate_map import (
    EXACT,
    corners,
    gate_map,
    kept_variance,
    ring,
    scattered,
    undecided,
)


def drawn(n: int, experts: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet(np.full(experts, 0.4), n)


def circle(order: tuple[int, ...]) -> set[frozenset[int]]:
    """The pairs of neighbours."""
    return {frozenset(pair) for pair in zip(order, (*order[1:], order[0]), strict=True)}


def longest(shared: np.ndarray) -> float:
    """The largest sum around a circle, by dynamic programming over sets (Held & Karp 1962)."""
    n = len(shared)
    best = {(1 << k, k): shared[0, k] for k in range(1, n)}
    for size in range(2, n):
        for some in itertools.combinations(range(1, n), size):
            bits = sum(1 << k for k in some)
            for last in some:
                rest = bits & ~(1 << last)
                best[bits, last] = max(best[rest, k] + shared[k, last] for k in some if k != last)
    whole = sum(1 << k for k in range(1, n))
    return max(best[whole, k] + shared[k, 0] for k in range(1, n))


def ring_overlap(gates: np.ndarray, order: np.ndarray) -> float:
    """What neighbours share in this order around the circle, Σ g_ne g_nf over digits and pairs."""
    around = np.asarray(order)
    return float((gates[:, around] * gates[:, np.roll(around, -1)]).sum())


def test_corners() -> None:
    assert corners(1).tolist() == [[0, 0]]
    assert corners(2).tolist() == [[-1, 0], [1, 0]]
    triangle = corners(3)
    np.testing.assert_allclose(triangle[0], [0, 1], atol=1e-12)
    assert triangle[1, 0] > 0 > triangle[2, 0]  # clockwise
    sides = np.linalg.norm(triangle - np.roll(triangle, 1, 0), axis=1)
    np.testing.assert_allclose(sides, np.sqrt(3))
    for n in (4, 8, 16):
        np.testing.assert_allclose(np.linalg.norm(corners(n), axis=1), 1)
        np.testing.assert_allclose(corners(n).sum(0), 0, atol=1e-12)
    with pytest.raises(ValueError, match="0 experts"):
        corners(0)


@pytest.mark.parametrize("experts", [1, 2, 3])
def test_up_to_three_experts_nothing_is_lost(experts: int) -> None:
    gates = drawn(400, experts)
    found = gate_map(gates)
    assert found.order == tuple(range(experts))
    assert found.kept == pytest.approx(1, abs=1e-12)
    if experts == 3:  # the weights can be read off the triangle
        system = np.vstack([found.corners.T, np.ones(3)])
        again = np.linalg.solve(system, np.vstack([found.points.T, np.ones(400)])).T
        np.testing.assert_allclose(again, gates, atol=1e-10)


def test_digits_are_between_their_experts() -> None:
    gates = np.array([[0, 1, 0, 0], [0.5, 0.5, 0, 0], [0.25] * 4])
    found = gate_map(gates, (0, 1, 2, 3))
    np.testing.assert_allclose(found.points[0], found.corners[1])
    np.testing.assert_allclose(found.points[1], (found.corners[0] + found.corners[1]) / 2)
    np.testing.assert_allclose(found.points[2], 0, atol=1e-12)
    assert found.decided == pytest.approx(1 / 3)


@pytest.mark.parametrize("experts", [4, 8, 16])
def test_decided_experts_keep_two_of_their_dimensions(experts: int) -> None:
    gates = np.tile(np.eye(experts), (5, 1))
    assert gate_map(gates).kept == pytest.approx(2 / (experts - 1))


def test_variance_of_planted_cases() -> None:
    share = np.linspace(0, 1, 50)
    line = np.stack([share, 1 - share, 0 * share, 0 * share], 1)  # between two neighbours
    assert gate_map(line, (0, 1, 2, 3)).kept == pytest.approx(1)
    across = np.stack([share, 0 * share, share, 0 * share], 1) / 2
    across[:, 1] = across[:, 3] = (1 - share) / 2  # from both ends of one diagonal to the other's
    assert gate_map(across, (0, 1, 2, 3)).kept == pytest.approx(0, abs=1e-12)
    assert gate_map(across, (0, 2, 1, 3)).kept == pytest.approx(1)
    assert kept_variance(np.full((9, 5), 0.2), np.zeros((9, 2))) == 1
    gates = drawn(500, 6)
    places = gate_map(gates).points
    outer = np.column_stack([places, np.ones(500)])
    rest = gates - outer @ np.linalg.pinv(outer) @ gates
    expected = 1 - rest.var(0).sum() / gates.var(0).sum()
    assert kept_variance(gates, places) == pytest.approx(expected)


@pytest.mark.parametrize("experts", [4, 5, 6])
def test_order_is_the_best_of_all(experts: int) -> None:
    gates = drawn(60, experts, experts)
    every = [ring_overlap(gates, order) for order in itertools.permutations(range(experts))]
    found = ring(gates)
    assert found[0] == 0
    assert found[1] < found[-1]
    assert ring_overlap(gates, found) == pytest.approx(max(every))


@pytest.mark.parametrize("experts", [EXACT, EXACT + 2])
def test_order_of_many_against_all_circles(experts: int) -> None:
    for seed in range(3):
        gates = drawn(40, experts, seed)
        most = longest(gates.T @ gates)
        found = ring_overlap(gates, ring(gates))
        assert found <= most + 1e-9
        assert found >= (1 if experts <= EXACT else 0.99) * most - 1e-9


@pytest.mark.parametrize("experts", [5, 8, 16])
def test_a_planted_circle_is_found(experts: int) -> None:
    planted = tuple(np.random.default_rng(experts).permutation(experts).tolist())
    gates = np.zeros((experts, experts))
    for at, expert in enumerate(planted):  # each pair of neighbours shares a digit
        gates[at, [expert, planted[at - 1]]] = 0.5
    assert circle(ring(gates)) == circle(planted)


def test_undecided_digits_come_by_their_entropy() -> None:
    gates = np.array([[1, 0, 0], [0.4, 0.3, 0.3], [0.9, 0.1, 0], [0.5, 0.5, 0], [0.5, 0.5, 0]])
    assert undecided(gates, 3).tolist() == [1, 3, 4]
    assert undecided(gates, 9).tolist() == [1, 3, 4, 2]
    assert undecided(np.eye(4), 9).tolist() == []


def test_scattered_points_stay_near() -> None:
    points = np.random.default_rng(1).random((4000, 2))
    found = scattered(points, 0.1)
    far = np.linalg.norm(found - points, axis=1)
    assert far.max() <= 0.1
    assert np.square(far).mean() == pytest.approx(0.005, rel=0.05)  # even over the circle: r² / 2
    np.testing.assert_allclose((found - points).mean(0), 0, atol=0.004)
    np.testing.assert_array_equal(found, scattered(points, 0.1))


def test_wrong_input() -> None:
    with pytest.raises(ValueError, match=r"shape \(0, 3\)"):
        gate_map(np.zeros((0, 3)))
    with pytest.raises(ValueError, match="aren't finite"):
        gate_map([[np.nan, 1.0]])
    with pytest.raises(ValueError, match=r"order is \(0, 0\)"):
        gate_map([[0.5, 0.5]], (0, 0))
