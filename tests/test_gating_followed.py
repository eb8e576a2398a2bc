"""One digit followed through its gate: against matrices by hand and against the network."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from core.activations import collect, run
from core.architectures.mixture import report_of
from core.architectures.mixture.paths import take_way
from core.architectures.mixture.trace import beside, follow, nudged
from core.models.gated import Gated
from core.models.mixture import Mixture
from tests.networks import DEEP, built

NAMES = (
    "mixture",
    "mixture experts=8,chosen=1,balance=0.1",
    "mixture experts=16,chosen=2,balance=0.1",
    "mixture experts=1",
    "mixture experts=2,balance=0",
)


def image(seed: int = 0) -> Tensor:
    drawn = torch.rand(1, 1, 28, 28, generator=torch.Generator().manual_seed(seed))
    return drawn * (drawn > 0.7)


@pytest.mark.parametrize("name", NAMES)
def test_each_step_is_the_matrices_by_hand_and_what_the_network_does(name: str) -> None:
    model, given = built(name, 4).eval(), image(1)
    assert isinstance(model, Mixture)
    seen = follow(model, given)
    of = {key: value.numpy().astype(np.float64) for key, value in model.state_dict().items()}
    x = given.numpy().astype(np.float64).ravel()
    z = of["of_image.weight"] @ x + of["of_image.bias"]
    np.testing.assert_allclose(seen.scores, z, atol=1e-12)
    kept = np.argsort(-z, kind="stable")[: model.routing.k]
    g = np.zeros(len(z))
    g[kept] = np.exp(z[kept]) / np.exp(z[kept]).sum()
    np.testing.assert_allclose(seen.weights, g, atol=1e-12)
    logits = np.zeros(10)
    for expert in range(len(z)):
        rows = slice(32 * expert, 32 * (expert + 1))
        hidden = np.maximum(of["of_experts.weight"][rows] @ x + of["of_experts.bias"][rows], 0)
        own = hidden @ of["answer"][expert] + of["bias"][expert]
        np.testing.assert_allclose(seen.own[expert], own, atol=1e-12)
        logits += g[expert] * own
    np.testing.assert_allclose(seen.logits, logits, atol=1e-12)
    with torch.no_grad():
        torch.testing.assert_close(torch.from_numpy(seen.logits).float(), model(given)[0])
    gate = collect(model, given, "gate")[0].numpy()
    np.testing.assert_allclose(seen.weights, gate, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_pixels_add_up_to_scores_and_contributions_to_the_logit(name: str) -> None:
    seen = follow(built(name, 0), image())
    np.testing.assert_allclose(seen.products.sum((1, 2)) + seen.bias, seen.scores, atol=1e-12)
    assert seen.contributions.sum() == pytest.approx(seen.logits.max(), abs=1e-12)
    assert seen.answer == seen.logits.argmax()
    np.testing.assert_allclose(seen.probabilities.sum(1), 1)
    network = torch.from_numpy(seen.logits).softmax(0).numpy()
    np.testing.assert_allclose(seen.probabilities[-1], network)
    assert seen.taker == seen.scores.argmax()
    table = seen.table()
    np.testing.assert_allclose(table["pixels"] + table["bias"], table["score"], atol=1e-12)
    np.testing.assert_allclose(table["weight"] * table["own logit"], table["adds"])
    ranked = np.argsort(-seen.scores)
    assert seen.second == (ranked[1] if len(ranked) > 1 else None)


def test_noise_of_training_is_left_out() -> None:
    model = built("mixture", 0).train()
    first, second = follow(model, image()), follow(model, image())
    np.testing.assert_array_equal(first.scores, second.scores)


def test_a_way_is_that_of_the_network_and_of_each_pair_of_experts() -> None:
    model, given = built(DEEP, 3).eval(), image(2)
    assert isinstance(model, Gated)
    way = take_way(model, given)
    with torch.no_grad():
        passed = model.trace(given)
    for mine, theirs in zip(way.decided, passed.decisions, strict=True):
        np.testing.assert_allclose(mine.scores, theirs.scores[0], atol=1e-6)
        np.testing.assert_allclose(mine.weights, theirs.weights[0], atol=1e-6)
    np.testing.assert_allclose(way.logits, passed.logits[0], atol=1e-6)
    of = {key: value.double() for key, value in model.state_dict().items()}
    x = given.double().flatten()
    for i in range(4):
        rows = slice(64 * i, 64 * (i + 1))
        u = (of["experts_1.weight"][rows] @ x + of["experts_1.bias"][rows]).relu()
        for j in range(4):
            rows = slice(64 * j, 64 * (j + 1))
            v = (of["experts_2.weight"][rows] @ u + of["experts_2.bias"][rows]).relu()
            logits = of["logits.weight"] @ v + of["logits.bias"]
            np.testing.assert_allclose(way.forced[i, j], logits, atol=1e-5)
            assert way.answers[i, j] == int(logits.argmax())
            np.testing.assert_allclose(way.probabilities[i, j], logits.softmax(0), atol=1e-6)
    assert way.answer == int(passed.logits.argmax())
    table = way.table().set_index(["first", "second"])
    assert table["weight"].sum() == pytest.approx(1)
    first, second = (of.weights for of in way.decided)
    assert table.loc[(1, 3), "weight"] == pytest.approx(first[1] * second[3])
    assert table.loc[(1, 3), "answer"] == way.forced[1, 3].argmax()


def test_nine_places_are_the_image_moved_by_hand() -> None:
    model = built("mixture", 1).eval()
    given = torch.zeros(1, 1, 28, 28)
    given[..., 8:20, 9:17] = image(3)[..., 8:20, 9:17]
    found = nudged(model, given, "gate")
    for row in (-1, 0, 1):
        for column in (-1, 0, 1):
            shifted = torch.roll(given, (row, column), (2, 3))  # nothing reaches the border
            at = row + 1, column + 1
            assert found.takers[at] == collect(model, shifted, "gate").argmax()
            assert found.answers[at] == run(model, shifted).argmax()
    takers, answers = found.kept()
    assert takers == (found.takers.ravel() == found.takers[1, 1]).sum() - 1
    assert answers == (found.answers.ravel() == found.answers[1, 1]).sum() - 1


def test_how_decided_is_counted_within_the_class() -> None:
    gates = np.array([[0.5, 0.5], [1, 0], [0.9, 0.1], [0.8, 0.2], [0.9, 0.1]])
    report = report_of(gates, [1, 1, 1, 1, 0])
    start = report_of(np.full((5, 2), 0.5), [1, 1, 1, 1, 0])
    of = beside(report, start, 2)
    assert of.entropy == pytest.approx(-(0.9 * math.log2(0.9) + 0.1 * math.log2(0.1)), abs=1e-6)
    assert of.percentile == pytest.approx(1 / 3)
    assert of.others == 3
    assert beside(report, start, 0).percentile == 1
    assert beside(report, start, 1).percentile == 0
    assert beside(report, start, 4).percentile == 0.5  # alone in its class
    np.testing.assert_array_equal(of.untrained, [0.5, 0.5])
    constant = report_of(np.tile([1.0, 0.0], (4, 1)), [2] * 4)
    assert beside(constant, constant, 1).percentile == 0.5  # all tie
    with pytest.raises(ValueError, match="no digit 5: choose 0 to 4"):
        beside(report, start, 5)


def test_what_cannot_be_followed_is_said() -> None:
    with pytest.raises(TypeError, match="choose mixture"):
        follow(built(DEEP, 0), image())
    with pytest.raises(TypeError, match="two layers"):
        take_way(built("mixture", 0), image())
    for function in (follow, lambda model, of: nudged(model, of, "gate")):
        with pytest.raises(ValueError, match=r"\(1, 1, 28, 28\)"):
            function(built("mixture", 0), torch.zeros(2, 1, 28, 28))
