"""Which units are alike: a copy is its own neighbour, and the nearest are those by brute force."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from core.activations import peaks
from core.analyses.neighbours import NEAREST, by_activation, by_weights, cosines, partners
from core.analyses.neighbours.incoming import weight_rows
from core.analyses.neighbours.task import NeighboursTask, PartnersTask
from core.data import DataSet
from core.models.inspectable import Inspectable
from core.runs import Run
from core.wires import trace
from tests.labs import SmallLab, again, assert_same
from tests.networks import built

SHAPE = (1, 28, 28)
SMALL = {"widths": (12, 6), "epochs": 1}


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(0)


def permuted(model: Inspectable, order: torch.Tensor) -> Inspectable:
    """The same perceptron with the units of `linear_0` in another order."""
    copy = built("mlp").eval().requires_grad_(False)
    copy.load_state_dict(model.state_dict())
    copy.linear_0.weight.copy_(model.linear_0.weight[order])
    copy.linear_0.bias.copy_(model.linear_0.bias[order])
    copy.linear_1.weight.copy_(model.linear_1.weight[:, order])
    return copy


def test_the_nearest_unit_of_a_permuted_copy_is_the_unit_itself(strokes: DataSet) -> None:
    model = built("mlp", seed=3).eval().requires_grad_(False)
    order = torch.randperm(256, generator=torch.Generator().manual_seed(1))
    copy = permuted(model, order)
    images = strokes.images[:400]
    torch.testing.assert_close(model(images), copy(images))
    halves = images[:200], images[200:]
    own, other = ([peaks(of, half, "linear_0") for half in halves] for of in (model, copy))
    found = partners(own, other, (own, other))
    varying = own[0].std(0) > 0
    assert varying.sum() > 250
    assert (order.numpy()[found.unit] == np.arange(256))[varying].all()
    np.testing.assert_allclose(found.correlation[own[1].std(0) > 0], 1, atol=1e-6)
    rows = [weight_rows(of, trace(of, SHAPE)["linear_0"]) for of in (model, copy)]
    assert rows[0] is not None
    assert rows[1] is not None
    assert (order.numpy()[cosines(*rows).argmax(1)] == np.arange(256)).all()


def test_the_nearest_by_activations_are_those_of_numpys_own_correlation(
    random: np.random.Generator,
) -> None:
    halves = [random.normal(size=(300, 9)) for _ in range(2)]
    silent = [np.append(half, np.zeros((300, 1)), axis=1) for half in halves]
    assert by_activation(silent, halves).comparable.tolist() == [True] * 9 + [False]
    for half in halves:
        half[:, 4] = half[:, 1] + 0.3 * half[:, 4]
    noise = [random.normal(size=(300, 9)) for _ in range(2)]
    found = by_activation(halves, noise)
    chosen, judged = (np.corrcoef(half.T) for half in halves)
    for unit in range(9):
        others = [other for other in np.argsort(-chosen[unit]) if other != unit]
        assert found.unit[unit].tolist() == others[:NEAREST]
        np.testing.assert_allclose(found.likeness[unit], judged[unit, others[:NEAREST]], atol=1e-6)
    assert found.unit[1, 0] == 4
    assert found.unit[4, 0] == 1
    assert found.likeness[1, 0] > 0.9 > 0.3 > np.abs(found.untrained).max()


def test_the_nearest_by_weights_point_the_same_way(random: np.random.Generator) -> None:
    weights = random.normal(size=(5, 40))
    weights[3] = 2 * weights[0] + 0.01
    weights[2] = 0
    found = by_weights(weights, random.normal(size=(5, 40)))
    assert found.unit[0, 0] == 3
    assert found.unit[3, 0] == 0
    assert found.likeness[0, 0] == pytest.approx(
        weights[0] @ weights[3] / np.linalg.norm(weights[0]) / np.linalg.norm(weights[3])
    )
    assert not found.likeness[2].any(), "a unit without weights is like none"
    assert found.comparable.tolist() == [True, True, False, True, True]
    assert found.unit.shape == (5, 4), "of few units all others are neighbours"
    with pytest.raises(ValueError, match="two or more"):
        by_weights(weights[:1], weights[:1])


def test_weights_lie_in_one_order_for_all_units() -> None:
    model = built("lenet5").eval()
    wires = trace(model, SHAPE)
    for layer in model.layers:
        rows = weight_rows(model, wires[layer])
        expected = model.get_submodule(layer).weight.detach().flatten(1)
        np.testing.assert_allclose(rows, expected)
    assert weight_rows(built("som"), trace(built("som").eval(), SHAPE)["map"]) is None


def test_a_lab_gives_the_neighbours_of_a_run_and_its_partners_in_another_seed(
    tmp_path: Path,
) -> None:
    lab = SmallLab(tmp_path)
    run = Run("strokes", "mlp", SMALL)
    found = lab.result(NeighboursTask(run))
    assert found.activations.keys() == found.weights.keys() == {"linear_0", "linear_1", "linear_2"}
    nearest = found.activations["linear_0"]
    assert nearest.unit.shape == (12, NEAREST)
    assert (nearest.unit != np.arange(12)[:, None]).all()
    other = lab.result(PartnersTask(run, "linear_1", 1))
    assert sorted(other.unit) == list(range(6))
    assert 0 < other.null < 1
    assert_same((found, other), again((found, other)))


def test_a_layer_of_one_unit_has_no_neighbours(tmp_path: Path) -> None:
    run = Run("strokes", "multitask", {"widths": (8, 6), "epochs": 1})
    found = SmallLab(tmp_path).result(NeighboursTask(run))
    assert list(found.activations) == ["shared_0", "shared_1", "thickness", "logits"]
