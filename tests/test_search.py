"""Shapley values of games that are known, and which units a class is lost with."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.typing import NDArray

from core.activations import run
from core.claims.evidence import NOT_SUPPORTED, SUPPORTED
from core.claims.ledger import corrected
from core.claims.unit_search import MISINDEXED, UnitSearch
from core.data import DataSet
from core.interventions.removal import Removal
from core.interventions.search import (
    COUNTS,
    Curve,
    completed,
    curve,
    erasing,
    greedy,
    random_orders,
    shapley_of,
    single,
)
from core.interventions.shapley import shapley
from core.models.registry import build
from tests.test_ablation import digits_for, planted

Flags = NDArray[np.bool_]
Game = Callable[[Flags], float]


def fixture(present: Flags) -> float:
    """0.6 for a or b, and 0.2 for c."""
    return float(0.6 * (present[0] or present[1]) + 0.2 * present[2])


def tangled(present: Flags) -> float:
    """Of six players, with all kinds of things between them; 0.7 for nobody."""
    weights = np.arange(1.0, 7)[present]
    return float(0.7 + np.sqrt(weights.sum()) - 0.5 * (present[0] and present[4]))


def by_all_orders(game: Game, players: int) -> NDArray[np.float64]:
    """What each player adds, the mean of every order."""
    added, every = np.zeros(players), list(permutations(range(players)))
    for order in every:
        present = np.zeros(players, bool)
        for player in order:
            before = game(present)
            present[player] = True
            added[player] += game(present) - before
    return added / len(every)


def removal_of(kind: str = "alone", n: int = 200) -> Removal:
    return Removal(planted(kind, noise=5), digits_for(n, noise=0.1), "hidden")


# Shapley values


@pytest.mark.parametrize("orders", [2, 3, 50])
def test_what_the_players_add_is_all_that_there_is(orders: int) -> None:
    values, _ = shapley(tangled, 6, orders)
    assert values.sum() == pytest.approx(tangled(np.ones(6, bool)) - 0.7, abs=1e-12)


def test_many_orders_come_near_to_all_orders() -> None:
    exact = by_all_orders(tangled, 6)
    values, error = shapley(tangled, 6, 400)
    assert (np.abs(values - exact) < 4 * error + 1e-12).all()
    assert error.max() < 0.02
    assert exact.std() > 0.1


def test_players_that_do_the_same_get_the_same() -> None:
    values, _ = shapley(lambda present: float(present[:2].any() + 3 * present[1:3].all()), 3, 4)
    twins, _ = shapley(lambda present: float(present[:4].sum() >= 2) + present[4], 5, 4000)
    assert twins[:4] == pytest.approx([0.25] * 4, abs=0.02)
    assert values[0] == pytest.approx(0.5)
    assert values[2] == pytest.approx(1.5)


def test_a_player_that_adds_nothing_gets_nothing() -> None:
    values, error = shapley(lambda present: float(present[0] * present[2]), 4, 20)
    assert values[[1, 3]].tolist() == error[[1, 3]].tolist() == [0, 0]


def test_in_a_sum_each_gets_its_weight() -> None:
    weights = np.array([3.0, -1, 0.5, 0])
    values, error = shapley(lambda present: float(weights[present].sum()), 4, 2)
    assert values == pytest.approx(weights)
    _, none = shapley(lambda present: float(weights[present].sum()), 4, 10)
    assert none == pytest.approx(np.zeros(4))
    assert np.isnan(error).all()  # of one pair of orders there is no spread


@pytest.mark.parametrize("both", [np.all, np.any])
def test_two_that_need_or_replace_one_another_get_half_each(both: Game) -> None:
    assert shapley(lambda present: float(both(present)), 2, 2)[0].tolist() == [0.5, 0.5]
    missed = [float(both(np.ones(2, bool))) - float(both(np.arange(2) != one)) for one in (0, 1)]
    assert missed == ([0, 0] if both is np.any else [1, 1])


def test_the_fixture() -> None:
    assert shapley(fixture, 3, 2)[0] == pytest.approx([0.3, 0.3, 0.2])
    assert by_all_orders(fixture, 3) == pytest.approx([0.3, 0.3, 0.2])


def test_the_standard_error_is_the_spread_of_repetitions_and_shrinks() -> None:
    repeated = [shapley(tangled, 6, 20, seed=seed) for seed in range(100)]
    spread = np.std([values for values, _ in repeated], axis=0)
    told = np.mean([error for _, error in repeated], axis=0)
    assert told == pytest.approx(spread, rel=0.25)
    many = shapley(tangled, 6, 2000)[1]
    assert many == pytest.approx(told / 10, rel=0.25)
    assert spread.min() > 0


def test_one_seed_has_one_answer() -> None:
    first, again, other = (shapley(tangled, 6, 6, seed=seed)[0] for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_an_order_is_cut_short_when_little_is_left() -> None:
    asked: list[int] = []

    def saturating(present: Flags) -> float:
        asked.append(int(present.sum()))
        return float(1 - 0.5 ** present.sum())

    whole, _ = shapley(saturating, 12, 40)
    calls, most = len(asked), max(asked[2:])
    asked.clear()
    cut, _ = shapley(saturating, 12, 40, tolerance=0.05)
    assert most == 11
    assert max(asked[2:]) == 5  # 1 - 1/32 is the first within 5 %
    assert len(asked) < calls / 2
    assert np.abs(cut - whole).max() < 0.05
    assert 0.95 * whole.sum() <= cut.sum() < whole.sum()


def test_orders_are_counted_in_pairs() -> None:
    steps: list[int] = []
    shapley(fixture, 3, 5, on_step=steps.append)
    assert steps == [2, 4, 6]


@pytest.mark.parametrize(("players", "orders"), [(0, 10), (3, 1), (3, 0)])
def test_a_game_needs_players_and_orders(players: int, orders: int) -> None:
    with pytest.raises(ValueError, match=f"{players} players and {orders} orders: give at least"):
        shapley(fixture, players, orders)


# Units as players


def test_the_units_of_a_class_share_its_likelihood() -> None:
    removal = removal_of("pair")
    values, error = shapley_of(removal, 7, 40)
    sevens = removal.digits.labels.numpy() == 7
    nobody, everybody = removal.keeping([]).nll[sevens].mean(), removal.intact.nll[sevens].mean()
    assert values.sum() == pytest.approx(nobody - everybody, abs=1e-5)
    assert values[7] == pytest.approx(values[10], abs=4 * (error[7] + error[10]))
    assert min(values[7], values[10]) > 0.5 > np.delete(values, [7, 10]).max()
    assert shapley_of(removal_of("decoy"), 7, 4)[0][10] == 0
    alone = single(removal)[:, 7]
    assert alone[7] < 0.5 * values[7]  # one copy is hardly missed


# Rankings


def test_the_loss_by_one_unit_is_that_of_one_edit(strokes: DataSet) -> None:
    model, digits = build("lenet5", seed=2), strokes.take(slice(200))
    found = single(Removal(model, digits, "conv_0"))
    assert found.shape == (6, 10)
    for unit in (0, 4):
        logits = run(model, digits.images, {("conv_0", unit): 0.0})
        for digit in (0, 7):
            mine = digits.labels == digit
            after, before = (
                torch.nn.functional.cross_entropy(of[mine], digits.labels[mine]).item()
                for of in (logits, run(model, digits.images))
            )
            assert found[unit, digit] == pytest.approx(after - before, abs=1e-5)
            assert abs(after - before) > 1e-4


def test_a_class_loses_by_its_own_unit_and_only_by_that() -> None:
    losses = single(removal_of())
    assert np.diag(losses)[:10].min() > 1
    assert losses.argmax(0).tolist() == list(range(10))
    assert losses[10].tolist() == [0] * 10


def test_a_class_without_digits_loses_nothing() -> None:
    digits = digits_for(50)
    some = Removal(planted(), digits.take(digits.labels != 4), "hidden")
    losses = single(some)
    assert np.isfinite(losses).all()
    assert losses[:, 4].tolist() == [0] * 11


@pytest.mark.parametrize("label", [7, 2])
def test_greedy_takes_the_unit_that_costs_the_class_most(label: int) -> None:
    assert greedy(removal_of(), label, 1) == [label]


def test_greedy_finds_both_copies_first() -> None:
    assert sorted(greedy(removal_of("pair"), 7, 2)) == [7, 10]
    chosen = greedy(removal_of("pair"), 7, 5)
    assert sorted(chosen[:2]) == [7, 10]
    assert len(set(chosen)) == 5


def test_each_greedy_step_is_the_best_one(strokes: DataSet) -> None:
    model, digits = build("lenet5", seed=2), strokes.take(slice(300))
    removal = Removal(model, digits, "conv_1")
    chosen = greedy(removal, 3, 3)
    own = np.flatnonzero((digits.labels == 3).numpy())
    rest = np.flatnonzero((digits.labels != 3).numpy())  # fewer than are sampled, so all
    for step in range(3):
        harm = []
        for unit in range(16):
            nll = removal.without([*chosen[:step], unit]).nll
            taken = unit in chosen[:step]
            harm.append(-np.inf if taken else nll[own].mean() - nll[rest].mean())
        assert chosen[step] == int(np.argmax(harm))


def test_greedy_leaves_one_unit_and_tells_its_steps() -> None:
    steps: list[int] = []
    chosen = greedy(Removal(planted(), digits_for(20), "hidden"), 7, 99, on_step=steps.append)
    assert len(chosen) == len(set(chosen)) == 10
    assert steps == list(range(10))


def test_a_curve_is_the_recall_that_is_left_and_kept() -> None:
    removal = Removal(planted("pair"), digits_for(100), "hidden")
    order = [7, 3, 10, 0, 1, 2, 4, 5, 6, 8, 9]
    found = curve(removal, order, 7)
    assert found.counts.tolist() == [k for k in COUNTS if k < 11] == [1, 2, 3, 5, 7, 10]
    tie = np.float32(0.1)
    expected = np.ones((6, 10))  # of units 7, 3, 10, then 0 and 1, then 2 and 4, then 5, 6 and 8
    expected[1:, 3] = expected[2:, 7] = expected[3:, [0, 1]] = expected[4:, [2, 4]] = tie
    expected[5:, [5, 6, 8]] = tie
    np.testing.assert_allclose(found.recall, expected)
    assert found.kept[0] == pytest.approx(1 - tie)  # other digits tie ten ways: one in ten is 7
    others = [tie * 80 / 90, tie * 80 / 90, tie * 60 / 90, tie * 40 / 90, tie * 10 / 90]
    assert found.kept[1:] == pytest.approx(1 - np.array(others), abs=1e-6)


def test_keeping_the_wrong_units_keeps_nothing() -> None:
    removal = Removal(planted(), digits_for(100), "hidden")
    wrong = curve(removal, [3, 10, 0, 1, 2, 4, 5, 6, 8, 9, 7], 7)
    right = curve(removal, [7, 3, 10, 0, 1, 2, 4, 5, 6, 8, 9], 7)
    assert wrong.kept[0] == pytest.approx(0.1 - 0.1 * 80 / 90)  # other than threes tie
    assert right.kept[0] == pytest.approx(0.9)


def test_a_class_is_erased_by_its_unit_and_by_no_bad_ranking() -> None:
    model, digits = planted(), digits_for(200)
    model.out.bias[0] = 1  # what is said of what nothing tells
    removal = Removal(model, digits, "hidden")
    own = [7, *(unit for unit in range(11) if unit != 7)]
    assert erasing(curve(removal, own, 7), 7) == 1
    assert erasing(curve(removal, own[::-1], 7), 7) is None
    assert erasing(curve(removal, [10, 7, *own[1:10]], 7), 7) == 2
    by_loss = np.argsort(-single(removal)[:, 7]).tolist()
    assert erasing(curve(removal, by_loss, 7), 7) == 1


@pytest.mark.parametrize(
    ("own", "other", "count"),
    [
        ([0.5, 0.1, 0.0], [1.0, 0.95, 0.9], 2),
        ([0.5, 0.11, 0.0], [1.0, 1.0, 0.95], 3),
        ([0.5, 0.1, 0.0], [1.0, 0.94, 0.94], None),
        ([0.5, 0.2, 0.11], [1.0, 1.0, 1.0], None),
        ([0.0, 0.0, 0.0], [1.0, 1.0, 1.0], 1),
        ([0.0, 0.0, 0.0], [np.nan, np.nan, np.nan], 1),
    ],
)
def test_erased_is_a_tenth_left_and_19_of_20_spared(
    own: list[float], other: list[float], count: int | None
) -> None:
    recall = np.ones((3, 10))
    recall[:, 7], recall[:, 4] = own, other
    assert erasing(Curve(np.array([1, 2, 3]), recall, np.ones(3)), 7) == count


def test_random_orders_are_orders() -> None:
    orders = random_orders(20, 50, seed=1)
    assert orders.shape == (50, 20)
    assert (np.sort(orders, axis=1) == np.arange(20)).all()
    assert len({tuple(order) for order in orders.tolist()}) == 50
    assert np.array_equal(orders, random_orders(20, 50, seed=1))
    assert not np.array_equal(orders, random_orders(20, 50, seed=2))


def test_a_short_ranking_goes_on_by_score() -> None:
    scores = np.array([0.1, 0.5, 0.3, 0.9, 0.2])
    assert completed([2, 0], scores) == [2, 0, 3, 1, 4]
    assert completed([], scores) == [3, 1, 2, 4, 0]


# ---- what is said of a search


def searched(**left: tuple[float, float, float]) -> UnitSearch:
    """Of 20 units: recall of class 7 after 1, 5 and 7 removals, by ranking; others keep 0.97."""
    counts, curves = np.array([1, 5, 7]), {}
    for name, of in left.items():
        recall = np.full((3, 10), 0.97)
        recall[:, 7] = of
        curves[name.replace("_", " ")] = Curve(counts, recall, np.array([0.1, 0.2, 0.3]))
    orders = {name: np.arange(20)[::-1] for name in curves}
    random = np.array([[0.9, 0.8, 0.7], [0.9, 0.6, 0.5], [0.9, 0.1, 0.1]])
    return UnitSearch(orders, curves, random, random, np.arange(20.0), np.ones(20))


def test_a_class_is_erasable_by_the_shortest_ranking_and_not_by_the_wrong_one() -> None:
    found = searched(greedy=(0.5, 0.08, 0), single=(0.5, 0.2, 0.05)).erasable(7)
    assert (found.verdict, found.value) == (SUPPORTED, 0.08)
    assert found.reason == (
        "5 of 20 units, chosen by greedy, are enough: removing them leaves 8.0% of class 7 and at "
        "least 97.0% of every other class; removing as many random units leaves 60.0%."
    )
    late = searched(single=(0.5, 0.2, 0.05))  # 7 units are more than a quarter of 20
    wrong = searched(**{MISINDEXED.replace(" ", "_"): (0, 0, 0), "single": (0.5, 0.2, 0.05)})
    spoilt = searched(greedy=(0.5, 0.08, 0))
    spoilt.curves["greedy"].recall[:, 2] = 0.9  # another class suffers too
    for none in (late, wrong, spoilt):
        assert none.erasable(7).verdict == NOT_SUPPORTED
        assert "at most 10% of class 7 and at least 95% of every other" in none.erasable(7).reason


def test_the_points_of_a_search_are_tabulated() -> None:
    found = searched(greedy=(0.5, 0.08, 0), **{MISINDEXED.replace(" ", "_"): (0.9, 0.8, 0.7)})
    found.curves["greedy"].recall[1, 4] = 0.3
    row = found.table(7).set_index(["ranking", "units"]).loc[("greedy", 5)]
    assert row.tolist() == [0.08, 0.3, 0.2, (15, 16, 17, 18, 19)]
    assert len(found.table(7)) == 6
    assert found.misindexed(7) == (7, 0.7)
    assert found.misindexed(7, most=6) == (5, 0.8)
    assert searched(greedy=(0.5, 0.08, 0)).misindexed(7) is None
    assert found.contributors(3).tolist() == [19, 18, 17]


def test_claims_are_corrected_for_how_many_were_tried() -> None:
    verdicts = [SUPPORTED, SUPPORTED, NOT_SUPPORTED, "inconclusive"]
    claims = pd.DataFrame({"necessary": verdicts, "p": [0.01, 0.04, 0.03, 0.9]})
    found = corrected(claims)
    # by hand: p · 4 / rank, and no more than a later one
    assert found["q"].tolist() == pytest.approx([0.04, 0.16 / 3, 0.16 / 3, 0.9])
    after = [SUPPORTED, NOT_SUPPORTED, NOT_SUPPORTED, "inconclusive"]
    assert found["after correction"].tolist() == after
    assert corrected(claims[:2])["after correction"].tolist() == [SUPPORTED, SUPPORTED]
