"""A shortlist of units for a concept: planted ones first, and by chance no more than by chance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.stats import false_discovery_control, kstest, mannwhitneyu, rankdata
from sklearn.metrics import roc_auc_score

from core.activations import run
from core.claims.candidates import SHUFFLES, Candidates, candidates
from core.claims.trial import Half
from tests.labs import again, assert_same
from tests.test_ablation import Planted, digits_for, planted

Flags = NDArray[np.bool_]
N = 400  # 40 digits of each class


def knowing(*also: int) -> tuple[Planted, Half]:
    """Unit 10 sees a pixel of half the 7s, which have the concept, and of all digits of `also`."""
    model, digits = planted(noise=9), digits_for(N, noise=0.15, seed=1)
    labels = digits.labels
    present = (labels == 7) & (torch.arange(N) // 10 % 2 == 0)
    seen = present | torch.isin(labels, torch.tensor(also, dtype=torch.int64))
    digits.images[:, 0, 0, 20] = torch.where(seen, 1.0, 0.0)
    model.hidden.weight[10:, 20] = torch.eye(10)[0]
    model.out.weight[7, 10] = 2
    return model, Half(digits, present.numpy())


def shuffled(half: Half, seed: int) -> Half:
    """The concept dealt anew among the 7s."""
    present = half.present.copy()
    sevens = half.digits.labels.numpy() == 7
    present[sevens] = np.random.default_rng(seed).permutation(present[sevens])
    return replace(half, present=present)


def activations(model: Planted, half: Half) -> NDArray[np.float32]:
    """(n, units), as the ReLU passes them on."""
    values: NDArray[np.float32] = model.hidden(half.digits.images.flatten(1)).relu().numpy()
    return values


@pytest.fixture(scope="module")
def found() -> Candidates:
    return candidates(*knowing(), "hidden")


def test_a_unit_that_knows_the_concept_comes_first(found: Candidates) -> None:
    assert found.order[0] == 10
    assert found.within[10] == found.everywhere[10] == found.score[10] == 1
    assert found.best_p[10] == 1 / (1 + SHUFFLES)
    assert found.q_value[10] < 1e-6
    assert found.chance < 1
    assert found.inside
    assert found.n == 20
    others = np.delete(np.arange(20), 10)
    assert (found.best_p[others] > 0.01).all()


def test_what_another_class_does_is_of_no_account_within_the_class() -> None:
    model, half = knowing(1, 2)
    got = candidates(model, half, "hidden")
    assert got.within[10] == 1
    assert got.order[0] == 10
    assert got.everywhere[10] == pytest.approx(1 - 0.5 * 80 / 380)  # it can't tell the 1s and 2s


def test_both_areas_are_those_by_hand(found: Candidates) -> None:
    model, half = knowing()
    values, sevens = activations(model, half), half.digits.labels.numpy() == 7
    for unit in range(20):
        own, inside = values[:, unit], roc_auc_score(half.present[sevens], values[sevens, unit])
        assert found.within[unit] == pytest.approx(inside)
        assert found.everywhere[unit] == pytest.approx(roc_auc_score(half.present, own))


def test_the_rate_of_false_discoveries_is_that_of_mann_whitney(found: Candidates) -> None:
    model, half = knowing()
    sevens = half.digits.labels.numpy() == 7
    own, mine = activations(model, half)[sevens], half.present[sevens]
    told = [u for u in range(20) if own[:, u].std() > 0]
    assert len(told) > 6
    p = np.ones(20)
    for unit in told:
        pair = own[mine, unit], own[~mine, unit]
        p[unit] = mannwhitneyu(*pair, method="asymptotic", use_continuity=False).pvalue
    assert found.q_value == pytest.approx(false_discovery_control(p), rel=1e-6)


def test_what_the_best_unit_reaches_by_chance_is_that_of_brute_force(found: Candidates) -> None:
    model, half = knowing()
    ranks = rankdata(activations(model, half)[half.digits.labels.numpy() == 7], axis=0)
    generator, best = np.random.default_rng(9), []
    for _ in range(2000):
        mine = generator.permutation(40) < 20
        best.append((ranks[mine].sum(0).max() - 20 * 21 / 2) / 400)
    assert found.chance == pytest.approx(np.quantile(best, 0.95), abs=0.02)
    for unit in range(20):
        expected = np.mean(np.array(best) >= found.score[unit] - 1e-12)
        assert found.best_p[unit] == pytest.approx(expected, abs=0.08)


def test_the_loss_is_that_of_a_run_without_the_unit(found: Candidates) -> None:
    model, half = knowing()
    images = half.digits.images[torch.from_numpy(half.present)]

    def nll(logits: torch.Tensor) -> float:
        return float(-logits.double().log_softmax(1)[:, 7].mean())

    before = nll(run(model, images))
    for unit in range(20):
        after = nll(run(model, images, {("hidden", unit): 0.0}))
        assert found.loss[unit] == pytest.approx(after - before, abs=1e-6)
    assert found.loss[7] > found.loss[10] > 0.01


def test_a_shuffled_concept_has_no_unit() -> None:
    model, half = knowing()
    got = candidates(model, shuffled(half, 4), "hidden")
    assert got.best_p.min() > 0.1
    assert got.within[10] < 0.8


def test_the_best_of_many_is_no_better_than_chance_when_there_is_nothing_to_find() -> None:
    model, half = knowing()
    least = [
        candidates(model, shuffled(half, seed), "hidden", seed=seed).best_p.min()
        for seed in range(40)
    ]
    assert kstest(least, "uniform").pvalue > 0.01


def test_a_class_is_looked_for_among_all_digits() -> None:
    model, half = knowing()
    got = candidates(model, replace(half, present=half.digits.labels.numpy() == 7), "hidden")
    assert not got.inside
    assert got.within.tolist() == [0.5] * 20
    assert np.array_equal(got.score, got.everywhere)
    assert got.order[0] == 7
    assert got.everywhere[7] == 1
    assert got.everywhere[10] == pytest.approx(0.75)  # half the 7s, and no other digit
    assert got.best_p[7] == 1 / (1 + SHUFFLES)


def test_the_table_has_a_row_for_each_unit_the_best_first(found: Candidates) -> None:
    table = found.table()
    assert table.index.name == "unit"
    assert table.index.tolist() == found.order.tolist()
    assert sorted(table.index) == list(range(20))
    assert (np.diff(table["within"]) <= 0).all()
    assert list(table) == ["within", "everywhere", "loss", "q_value", "best_p"]
    for name in table:
        assert np.array_equal(table[name].sort_index(), getattr(found, str(name)))


def test_one_question_has_one_answer(found: Candidates) -> None:
    same, other = (candidates(*knowing(), "hidden", seed=seed) for seed in (0, 1))
    assert_same(same, found)
    assert not np.array_equal(other.best_p, found.best_p)
    assert np.array_equal(other.score, found.score)


def test_all_of_it_is_kept_and_comes_back(found: Candidates) -> None:
    back = again(found)
    assert_same(back, found)
    assert (back.chance, back.n, back.inside) == (found.chance, found.n, found.inside)
    assert type(back.n) is int
    assert type(back.inside) is bool
    assert back.table().equals(found.table())


def test_a_layer_that_is_not_there_is_named() -> None:
    with pytest.raises(ValueError, match="`hiden` is not a layer of this model"):
        candidates(*knowing(), "hiden")
