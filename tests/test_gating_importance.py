"""Load against removal: planted twins and a sole expert, SciPy's ranks, and chance as it should."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from core.architectures.mixture.importance import (
    STATISTICS,
    LoadAndCost,
    RoutedExperts,
    correlations,
    routed_experts,
    spearman,
)
from core.architectures.mixture.interventions import GateInterventions, rerouted
from core.architectures.mixture.tasks.importance import LoadAndCostTask, RoutedExpertsTask
from core.data import DataSet
from core.models.mixture import Mixture
from core.runs import Run
from tests.labs import SmallLab, again, assert_same
from tests.networks import built

TWINS, SOLE, NEVER = (0, 1), 2, 3
FIRST = "mixture experts=4,chosen=1"


def labelled(n: int, seed: int) -> DataSet:
    """Digits whose class is written in the first ten pixels; 9 is rare. Pixel 10: a fair coin."""
    random = np.random.default_rng(seed)
    labels = torch.from_numpy(random.choice(10, n, p=[0.105] * 9 + [0.055]))
    images = torch.zeros(n, 784)
    images[torch.arange(n), labels] = 1
    images[:, 10] = torch.from_numpy(random.integers(0, 2, n)).float()
    return DataSet(images.reshape(n, 1, 28, 28), labels, "strokes", "test")


def twins() -> Mixture:
    """Experts 0 and 1 are alike and know 0 to 8, by a coin; 2 alone knows 9; 3 is never run."""
    model = built(FIRST)
    assert isinstance(model, Mixture)
    with torch.no_grad():
        for of in model.parameters():
            of.zero_()
        ask, width = model.of_image.weight, 32
        ask[0, 10] = 1
        model.of_image.bias[1] = 0.5
        ask[0, :9] = ask[1, :9] = 5
        ask[SOLE, 9] = 9
        model.of_image.bias[NEVER] = -20
        known = {0: range(9), 1: range(9), SOLE: range(9, 10)}
        for expert, classes in known.items():
            for label in classes:
                model.of_experts.weight[expert * width + label, label] = 1
                model.answer[expert, label, label] = 1
    return model.eval()


def found_twins(seed: int = 0) -> RoutedExperts:
    """The planted network, routed and removed on 2,000 digits each."""
    return routed_experts(twins(), labelled(2000, 2 * seed), labelled(2000, 2 * seed + 1))


def test_twins_have_load_and_cost_nothing_and_the_sole_expert_the_other_way_round() -> None:
    found = found_twins()
    table = found.table().set_index("expert")
    assert found.accuracy == 1
    assert (table["load"][[*TWINS]] > 0.4).all()
    assert table["load"][SOLE] < 0.1
    assert (table["cost"][[*TWINS]] == 0).all()
    rare = float((labelled(2000, 1).labels == 9).float().mean())
    assert table["cost"][SOLE] == pytest.approx(rare)
    assert (table["class"][SOLE], table["class cost"][SOLE]) == (9, 1)
    share = float((labelled(2000, 0).labels == 9).float().mean())
    bits = -share * np.log2(share) - (1 - share) * np.log2(1 - share)
    assert table["information"][SOLE] == pytest.approx(bits)  # it takes nines, all and only
    assert (table["entropy"][[*TWINS, SOLE]] == 0).all()


def test_an_expert_that_is_never_run_is_left_out_and_divides_nothing_by_zero() -> None:
    with np.errstate(all="raise"):
        table = found_twins().table()
    never = table.loc[NEVER]
    assert (never["load"], never["importance"], never["cost"], never["used"]) == (0, 0, 0, False)
    assert np.isnan(never["entropy"])
    of = LoadAndCost({0: found_twins()}, {0: found_twins()}, {})
    assert of.unused()["expert"].tolist() == [NEVER]
    assert of.verdicts()["rho"].isna().all()  # three experts are too few


def test_over_planted_networks_load_never_tells_what_removal_costs() -> None:
    networks = {seed: found_twins(seed) for seed in range(3)}
    found = LoadAndCost(networks, networks, {})
    rows = found.verdicts().set_index("statistic")
    assert rows["rho"]["load"] < -0.5
    assert rows["experts"]["load"] == 9
    assert np.isnan(rows["rho"]["entropy"])  # one expert is run: 0 for all
    assert not rows["tells"].any()  # the networks it is held against say as much
    assert set(found.exceptions()["expert"]) <= set(TWINS)
    assert len(found.exceptions())


def test_the_cost_is_that_of_the_removal_elsewhere_on_the_page() -> None:
    digits, model = labelled(300, 1), built("mixture experts=4").eval()
    found = routed_experts(model, labelled(300, 0), digits)
    answers = {"discovery": rerouted(model, digits), "confirmation": rerouted(model, digits)}
    labels = {half: digits.labels.numpy().astype(np.int8) for half in answers}
    np.testing.assert_allclose(found.cost, -GateInterventions(answers, labels).costs()["change"])


def test_rank_correlation_is_scipys() -> None:
    random = np.random.default_rng(0)
    first, second = random.integers(0, 6, (5, 24)), random.normal(size=(5, 24))
    expected = [spearmanr(*of).statistic for of in zip(first, second, strict=True)]
    np.testing.assert_allclose(spearman(first, second), expected)
    assert np.isnan(spearman(np.ones(5), np.arange(5)))
    table = correlations(dict(zip("abcde", first, strict=True)), second[0], np.zeros(24), draws=9)
    np.testing.assert_allclose(table["rho"], [spearmanr(of, second[0])[0] for of in first])


def test_of_independent_statistics_one_in_twenty_families_is_significant() -> None:
    random, network = np.random.default_rng(1), np.repeat(range(3), 8)
    said, times = 0, 200
    for at in range(times):
        shared = random.normal(size=24)  # load and importance are nearly the same number
        values = {"a": shared, "b": shared + 0.1 * random.normal(size=24)}
        values |= {name: random.normal(size=24) + network for name in "cd"}
        cost = random.normal(size=24) + 2 * network  # networks differ: no reason for a verdict
        table = correlations(values, cost, network, seed=at, draws=99)
        assert (table["corrected"] >= table["p"]).all()
        said += bool((table["corrected"] <= 0.05).any())
    assert 0.02 <= said / times <= 0.085


def test_a_planted_correlation_is_found() -> None:
    random, network = np.random.default_rng(2), np.repeat(range(3), 8)
    cost = random.normal(size=24)
    values = {"same": cost, "noise": random.normal(size=24)}
    rows = correlations(values, cost, network).set_index("statistic")
    assert rows["rho"]["same"] == pytest.approx(1)
    assert rows["corrected"]["same"] < 0.01
    assert rows["low"]["same"] == pytest.approx(1)
    assert rows["chance high"]["same"] < 0.7


def test_what_cannot_be_compared_is_said() -> None:
    with pytest.raises(ValueError, match="give one of each for every expert"):
        correlations({"a": np.arange(4)}, np.arange(3), np.zeros(3))
    with pytest.raises(ValueError, match="single expert"):
        routed_experts(built("mixture experts=1"), labelled(20, 0), labelled(20, 1))
    alone = correlations({"a": np.arange(4)}, np.arange(4), np.arange(4), draws=20)
    assert alone["p"].tolist() == [1]  # one expert a network: nothing can be shuffled


def test_seeds_are_compared_and_one_that_fails_is_named(tmp_path: Path) -> None:
    lab, run = SmallLab(tmp_path), Run.parse("strokes", "mixture experts=3,width=4")

    def broken(report: object) -> None:
        raise FloatingPointError("the loss is nan at step 3.")

    lab.instead[RoutedExpertsTask(replace(run, seed=1), "gate")] = broken
    found = lab.result(LoadAndCostTask(run, "gate"))
    assert list(found.trained) == list(found.untrained) == [0, 2]
    assert found.failed == {1: "the loss is nan at step 3."}
    kept = lab.known(RoutedExpertsTask(run, "gate"))
    assert_same(again(kept), kept)
    assert set(found.verdicts()["statistic"]) == set(STATISTICS)
    assert found.experts()["expert"].max() == 2
