"""A gate through training: against planted gates, counts by hand, and a model's own history."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.metrics import normalized_mutual_info_score
from torch import Tensor

from core.activations import run
from core.architectures.mixture.charts import history as figures
from core.architectures.mixture.history import GateHistory, grow, normalized_limit, shares
from core.architectures.mixture.report import read_gates, report_of
from core.data import DataSet
from core.models.inspectable import Inspectable
from core.models.mixture import Mixture
from tests.labs import again, assert_same
from tests.networks import DEEP, built, trained

NAME = "mixture experts=4,chosen=1,balance=0.1"


@pytest.fixture(scope="module")
def mixture(strokes: DataSet) -> Inspectable:
    """A mixture trained for a moment."""
    return trained(NAME, strokes.take(slice(1000)), epochs=4)


@pytest.fixture(scope="module")
def growth(mixture: Inspectable, strokes: DataSet) -> GateHistory:
    return grow(mixture, mixture.history.weights, strokes.take(slice(1000, 1600)))


def planted(load: list[list[float]], told: list[float], limit: float = 0.1) -> GateHistory:
    """A growth with these loads (checkpoints, experts) and this information."""
    checkpoints, experts = np.shape(load)
    flat = np.zeros(checkpoints)
    return GateHistory(
        steps=np.array([0, 1, 2, 4, 8, 16][:checkpoints]),
        load=np.array(load),
        importance=np.array(load),
        balance=flat,
        entropy=flat,
        mixed=flat,
        bits=flat,
        normalized=np.array(told),
        limit=np.full(checkpoints, limit),
        accuracy=flat,
        same=np.array(told),
        classes=np.zeros((checkpoints, experts, 10)),
        means=np.zeros((checkpoints, experts, 28, 28)),
    )


# ---- when it decided, who died


def test_an_expert_dies_at_the_first_step_after_which_it_never_takes_enough() -> None:
    # 4 experts: dead at a load of 1/16 = .0625 and below
    found = planted(
        [
            [0.25, 0.0, 0.05, 0.7],
            [0.0625, 0.3, 0.05, 0.5875],
            [0.3, 0.0625, 0.05, 0.5875],
            [0.3, 0.0, 0.05, 0.65],
        ],
        [0, 0, 0, 0],
    )
    assert found.died() == {1: 2, 2: 0}
    assert found.active.tolist() == [2, 2, 2, 2]
    assert found.dead[1].tolist() == [True, False, True, False]


def test_the_smallest_load_above_the_limit_is_alive() -> None:
    assert planted([[0.0626, 0.9374, 0, 0]], [0]).active.tolist() == [2]


def test_a_gate_has_decided_once_half_the_digits_stay_where_they_end() -> None:
    even = [[0.5, 0.5]] * 5
    assert planted(even, [0.1, 0.6, 0.4, 0.5, 1.0]).decided() == 4
    assert planted(even, [0.5, 0.5, 0.5, 0.5, 1.0]).decided() == 0
    assert planted(even, [0.1, 0.1, 0.1, 0.1, 1.0]).decided() == 8


def test_one_expert_is_alive_and_decides_nothing() -> None:
    found = planted([[1.0]] * 3, [1.0, 1.0, 1.0], limit=0.0)
    assert found.died() == {}
    assert found.decided() == 0
    assert found.chance.tolist() == [1, 1, 1]


# ---- read off the weights of a history


def test_the_last_step_is_the_trained_model_and_the_first_the_untrained(
    growth: GateHistory, mixture: Inspectable, strokes: DataSet
) -> None:
    digits = strokes.take(slice(1000, 1600))
    assert growth.steps.tolist() == [0, 1, 2, 4, 8, 16]
    last = read_gates(mixture, digits).argmax(1)
    for at, model in ((0, built(NAME).eval()), (-1, mixture)):
        assert isinstance(model, Mixture)
        with torch.no_grad():
            weights = model.trace(digits.images).decisions[0].weights.numpy()
        first = weights.argmax(1)
        np.testing.assert_allclose(growth.load[at], np.bincount(first, minlength=4) / 600)
        np.testing.assert_allclose(growth.importance[at], weights.mean(0), rtol=1e-5)
        right = (run(model, digits.images).argmax(1) == digits.labels).double().mean()
        assert growth.accuracy[at] == pytest.approx(float(right))
        nmi = normalized_mutual_info_score(digits.labels.numpy(), first)
        assert growth.normalized[at] == pytest.approx(nmi, abs=1e-9)
        assert growth.same[at] == pytest.approx(float((first == last).mean()))
        both = np.bincount(first, minlength=4) @ np.bincount(last, minlength=4) / 600**2
        assert growth.chance[at] == pytest.approx(both)
        taken = digits.images[first == first[0], 0].mean(0)
        np.testing.assert_allclose(growth.means[at, first[0]], taken, atol=1e-6)


def test_classes_are_shared_out_whole(growth: GateHistory) -> None:
    np.testing.assert_allclose(growth.classes.sum(1), 1)
    np.testing.assert_allclose(growth.load.sum(1), 1)
    assert growth.entropy == pytest.approx(0)  # one expert for each digit


def test_the_models_own_weights_stay(mixture: Inspectable, strokes: DataSet) -> None:
    before = {name: value.clone() for name, value in mixture.state_dict().items()}
    grow(mixture, mixture.history.weights, strokes.take(slice(20)))
    assert all(torch.equal(before[name], of) for name, of in mixture.state_dict().items())


def test_shares_are_counts_over_the_class() -> None:
    found = shares([0, 0, 1, 1, 1], [3, 3, 3, 5, 5], 3)
    np.testing.assert_allclose(found[:, 3], [2 / 3, 1 / 3, 0])
    np.testing.assert_allclose(found[:, 5], [0, 1, 0])
    assert np.isnan(found[:, [0, 1, 2, 4, 6, 7, 8, 9]]).all()


def test_the_limit_is_what_shuffled_experts_reach() -> None:
    random = np.random.default_rng(0)
    first, labels = random.integers(4, size=800), random.integers(10, size=800)
    report = report_of(np.eye(4)[first], labels)
    null = [normalized_mutual_info_score(labels, random.permutation(first)) for _ in range(400)]
    assert normalized_limit(report) == pytest.approx(np.quantile(null, 0.95), rel=0.1)


def test_a_gate_that_never_varies_has_no_limit() -> None:
    report = report_of(np.ones((5, 1)), np.full(5, 7))
    assert normalized_limit(report) == 0


def test_nothing_to_read_is_refused(mixture: Inspectable, strokes: DataSet) -> None:
    weights: dict[int, dict[str, Tensor]] = mixture.history.weights
    with pytest.raises(ValueError, match="0 steps"):
        grow(mixture, {}, strokes)
    with pytest.raises(ValueError, match="0 digits"):
        grow(mixture, weights, strokes.take(slice(0)))
    with pytest.raises(ValueError, match="is no gate"):
        grow(mixture, weights, strokes.take(slice(10)), "hidden")
    with pytest.raises(TypeError, match="has no gate"):
        grow(built("mlp"), {0: dict(built("mlp").state_dict())}, strokes.take(slice(10)))


def test_a_step_that_was_not_kept_is_named(growth: GateHistory) -> None:
    assert growth.at(4) == 3
    with pytest.raises(ValueError, match="step 3 wasn't kept"):
        growth.at(3)


# ---- kept and shown


def test_the_store_gives_back_what_was_measured(growth: GateHistory) -> None:
    assert_same(again(growth), growth)


def test_tables_and_charts_hold_every_number(growth: GateHistory) -> None:
    frame = growth.by_expert()
    assert len(frame) == 6 * 4
    row = frame[(frame["step"] == 4) & (frame["expert"] == 2)].iloc[0]
    assert row["load"] == growth.load[3, 2]
    assert list(growth.by_step()["step"]) == [0, 1, 2, 4, 8, 16]
    cell = growth.by_class(16).query("expert == 1 and `class` == 7").iloc[0]
    assert cell["share"] == growth.classes[-1, 1, 7]
    area = figures.area(frame, "load", 4).to_dict()
    assert area["layer"][0]["encoding"]["y"]["stack"] == "zero"
    lines = figures.line(growth.by_step().assign(network="this"), "normalized", title="NMI")
    assert lines.to_dict()
    assert figures.classes(growth.by_class(16)).to_dict()


def test_a_network_of_two_layers_keeps_both_gates(strokes: DataSet) -> None:
    deep = built(DEEP)
    weights = {0: dict(deep.state_dict())}
    first, second = (
        grow(deep, weights, strokes.take(slice(60)), gate) for gate in ("gate_1", "gate_2")
    )
    assert first.load.shape == second.load.shape == (1, 4)
    assert not np.allclose(first.importance, second.importance)
    last = grow(deep, weights, strokes.take(slice(60)))
    np.testing.assert_array_equal(last.load, second.load)
    assert replace(first, steps=np.array([5])).at(5) == 0
