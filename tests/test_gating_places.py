"""Where and what: gates built to tell one of them, and digits moved by the test itself."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch
from sklearn.metrics import mutual_info_score
from torch import Tensor, nn
from torch.nn.functional import one_hot

from core.activations import run
from core.architectures.mixture.position import (
    FACTORS,
    REACH,
    PositionReport,
    factors_of,
    lead,
    place_report,
)
from core.architectures.mixture.position_digit import at_places
from core.architectures.mixture.position_information import divided, factor_table
from core.architectures.mixture.tasks.position import PositionSensitivityTask
from core.data import DataSet
from core.data.jitter import drawn_offsets, moved
from core.data.task import DataTask
from core.models.gated import Decision, Gated, Routing, Trace
from core.models.inspectable import Layer, Tap
from core.runs import Run
from core.runtime.lab import Lab
from core.runtime.store import Store
from core.training.task import ModelTask
from tests.networks import DEEP, MOVED, built


class Planted(Gated):
    """A network whose first gate reads the row of its image's ink, and whose second the amount."""

    name = "planted"
    routing = Routing(experts=3, width=1)
    gates = ("gate_1", "gate_2")
    described: ClassVar = tuple(
        Layer(name, units, rectified=False)
        for name, units in (("gate_1", 3), ("gate_2", 3), ("logits", 10))
    )
    swapped = False

    def __init__(self) -> None:
        super().__init__()
        self.gate_1, self.gate_2, self.logits = Tap(), Tap(), Tap()

    def trace(self, images: Tensor, chance: torch.Generator | None = None) -> Trace:
        ink = images[:, 0].sum((1, 2))
        row = (images[:, 0].sum(2) @ torch.arange(28.0)) / ink  # 14 + down, for a dot in row 14
        what = ink.round().long() - 1  # 0 to 9: its class
        where = (row.round().long() - 14 + REACH) // 3
        first, second = one_hot(where, 3).float(), one_hot(what % 3, 3).float()
        if self.swapped:
            first, second = second, first
        gates = self.gate_1(first), self.gate_2(second)
        logits = self.logits(one_hot(what, 10).float())
        return Trace(tuple(Decision(of, of, of) for of in gates), logits)


class Swapped(Planted):
    """What first, where second."""

    swapped = True


class Blind(Planted):
    """A gate that gives all to one expert."""

    def trace(self, images: Tensor, chance: torch.Generator | None = None) -> Trace:
        one = one_hot(torch.zeros(len(images), dtype=torch.int64), 3).float()
        gates = self.gate_1(one), self.gate_2(one)
        logits = self.logits(torch.zeros(len(images), 10))
        return Trace(tuple(Decision(of, of, of) for of in gates), logits)


@pytest.fixture(scope="module")
def dots() -> DataSet:
    """A dot in the middle of each image, as strong as its class + 1."""
    labels = torch.arange(600) % 10
    images = torch.zeros(600, 1, 28, 28)
    images[:, 0, 14, 14] = labels + 1.0
    return DataSet(images, labels, "strokes", "confirmation")


def told(placed: PositionReport, gate: int, factor: str) -> float:
    return placed.gates[gate].told[factor].normalized


def test_planted_where_and_what(dots: DataSet) -> None:
    placed = place_report(Planted(), dots, 3)
    where, what = placed.gates
    # the third of the vertical offsets is a function of place, of down, and of nothing else
    assert where.told["place"].bits == pytest.approx(np.log2(3), abs=0.01)
    assert where.told["down"].bits == pytest.approx(where.told["place"].bits)
    assert where.told["place"].p == 1 / 201
    for gate, factor in ((where, "class"), (where, "right"), (what, "down"), (what, "place")):
        assert gate.told[factor].bits < gate.told[factor].limit * 1.6
        assert gate.told[factor].normalized < 0.03
    assert what.told["class"].bits == pytest.approx(1.571, abs=1e-3)  # 4, 3 and 3 of 10 classes
    assert set(where.told) == set(FACTORS)
    assert vars(divided(placed, place_report(Blind(), dots, 1))) == {"where": True, "what": True}


def test_maps_and_classes_of_planted_gates(dots: DataSet) -> None:
    where, what = place_report(Planted(), dots, 5).gates
    assert where.counts.sum() == what.counts.sum() == where.classes.sum() == 5 * len(dots)
    for expert in range(3):
        rows = where.offsets[expert].mean(1)
        assert rows.tolist() == [float(at // 3 == expert) for at in range(9)]
        assert what.of_classes[expert].tolist() == [float(c % 3 == expert) for c in range(10)]
    assert where.load.sum() == pytest.approx(1)
    np.testing.assert_allclose(what.load, [0.4, 0.3, 0.3])
    assert abs(where.of_classes - 1 / 3).max() < 0.1
    assert abs(what.offsets.mean((1, 2)) - what.load).max() < 0.05


def test_the_other_way_round_is_not_supported(dots: DataSet) -> None:
    blind = place_report(Blind(), dots, 1)
    assert vars(divided(place_report(Swapped(), dots, 1), blind)) == {"where": False, "what": False}
    assert vars(divided(blind, blind)) == {"where": False, "what": False}
    # a network that told as much before training has learned nothing
    same = place_report(Planted(), dots, 1)
    assert vars(divided(same, same)) == {"where": False, "what": False}


def test_lead_is_an_interval_of_the_difference() -> None:
    random = np.random.default_rng(0)
    first, second = random.integers(0, 4, (2, 3000))
    low, high = lead(first, first, second)  # all of one factor and nothing of the other
    assert 0.98 < low <= high <= 1
    back = lead(first, second, first)
    assert back[1] < -0.98
    low, high = lead(random.integers(0, 3, 3000), first, second)
    assert low < 0 < high
    mixed = np.where(random.random(3000) < 0.5, first, second)  # half of each
    low, high = lead(mixed, first, second)
    assert low < 0 < high
    assert lead(np.zeros(50, dtype=int), first[:50], second[:50]) == pytest.approx((0, 0))
    # intervals shrink with √n
    wide = np.diff(lead(mixed[:300], first[:300], second[:300]))
    assert 2 < wide[0] / (high - low) < 5


def test_numbers_of_a_real_network_by_hand(strokes: DataSet) -> None:
    model, some = built(DEEP, 3).eval(), strokes.take(slice(300))
    placed = place_report(model, some, 2, seed=5)
    chance = torch.Generator().manual_seed(5)
    counts = np.zeros((4, 9, 9), dtype=int)
    for once in range(2):
        down, right = drawn_offsets(300, 4, chance)
        images = moved(some.images, down, right)
        with torch.no_grad():
            passed = model.trace(images)
        expert = passed.decisions[1].weights.argmax(1)
        for e, d, r in zip(expert.tolist(), down.tolist(), right.tolist(), strict=True):
            counts[e, d + 4, r + 4] += 1
        if not once:
            expected = mutual_info_score(down.numpy(), expert.numpy()) / np.log(2)
            assert placed.gates[1].told["down"].bits == pytest.approx(expected, abs=1e-9)
            assert placed.moved == int((passed.logits.argmax(1) == some.labels).sum())
    np.testing.assert_array_equal(placed.gates[1].counts, counts)
    assert placed.still == int((run(model, some.images).argmax(1) == some.labels).sum())
    assert 0 <= placed.lost < 0.02
    assert place_report(model, some, 2, seed=5).gates[0].told == placed.gates[0].told


def test_lost_ink(dots: DataSet) -> None:
    assert place_report(Planted(), dots, 1).lost == pytest.approx(0, abs=1e-12)
    corner = torch.zeros(2000, 1, 28, 28)
    corner[:, 0, 0, 14] = 1  # leaves the image when it goes up: 4 of 9 offsets
    model = built("mixture experts=2,chosen=1,balance=0.1").eval()
    digits = DataSet(corner, torch.zeros(2000, dtype=torch.int64), "strokes", "test")
    assert place_report(model, digits, 2).lost == pytest.approx(4 / 9, abs=0.03)


def test_factors_are_offsets_and_cells() -> None:
    down, right = np.divmod(np.arange(81), 9)
    factors = factors_of(np.arange(81) % 10, down - 4, right - 4)
    assert tuple(factors) == FACTORS
    cells = factors["place"].reshape(9, 9)
    assert cells[0, 0] == 0
    assert cells[0, 8] == 2
    assert cells[8, 0] == 6
    assert np.bincount(cells.ravel()).tolist() == [9] * 9
    assert [factors[name][5] for name in ("down", "right")] == [-4, 1]


@pytest.mark.parametrize(
    "name", ["mixture experts=1", "mixture experts=3,chosen=1,balance=0.1", MOVED]
)
def test_every_kind_of_mixture(strokes: DataSet, name: str) -> None:
    model, some = built(name).eval(), strokes.take(slice(120))
    placed = place_report(model, some, 1)
    table = factor_table(placed, untrained=placed)
    assert list(table["factor"]) == list(FACTORS) * len(placed.gates)
    assert (table["untrained"] == table["normalized"]).all()
    assert np.isfinite(table.drop(columns=["gate", "factor"]).to_numpy(float)).all()
    assert (divided(placed, placed) is None) == (len(placed.gates) == 1)
    if name == "mixture experts=1":  # one expert tells nothing
        assert table["bits"].max() == 0


def test_one_digit_at_every_place(strokes: DataSet) -> None:
    model, image = built(MOVED, 2).eval(), strokes.images[7:8]
    found = at_places(model, image)
    at = found.number(3, -2)
    assert (found.down[at], found.right[at]) == (3, -2)
    assert sorted(found.weights) == ["gate_1", "gate_2"]
    assert found.weights["gate_1"].shape == (81, 4)
    one = moved(image, torch.tensor([3]), torch.tensor([-2]))
    np.testing.assert_array_equal(found.images[at], one[0, 0].numpy())
    np.testing.assert_array_equal(found.images[found.number(0, 0)], image[0, 0].numpy())
    with torch.no_grad():
        alone = model.trace(one)
    np.testing.assert_allclose(
        found.weights["gate_2"][at], alone.decisions[1].weights[0].numpy(), atol=1e-6
    )
    answer = alone.logits[0].softmax(0).numpy()
    np.testing.assert_allclose(found.probabilities[at], answer, atol=1e-6)
    with pytest.raises(ValueError, match="5 down, 0 right"):
        found.number(5, 0)


def test_wrong_input(strokes: DataSet) -> None:
    with pytest.raises(TypeError, match="MLP has no gate"):
        place_report(built("mlp"), strokes)
    with pytest.raises(TypeError, match="Linear has no gate"):
        place_report(nn.Linear(2, 2), strokes)
    with pytest.raises(ValueError, match="0 digits in 8 rounds"):
        place_report(built("mixture"), strokes.take(slice(0)))
    with pytest.raises(ValueError, match="120 digits in 0 rounds"):
        place_report(built("mixture"), strokes.take(slice(120)), 0)


def test_task_keeps_what_it_measured(strokes: DataSet, tmp_path: Path) -> None:
    task, some = (
        PositionSensitivityTask(Run.parse("strokes", MOVED, 1)),
        strokes.take(slice(200)),
    )
    lab = Lab(Store(tmp_path))
    lab.give(DataTask("strokes", "confirmation"), some)
    lab.give(ModelTask(task.run), built(MOVED, 1).eval())
    assert lab.find(task) is None
    found, kept = lab.result(task), Lab(Store(tmp_path)).find(task)
    assert kept is not None
    assert kept.trained.gates[1].told == found.trained.gates[1].told
    np.testing.assert_array_equal(kept.trained.gates[0].counts, kept.untrained.gates[0].counts)
    assert kept.trained.digits == 200
    expected = place_report(built(MOVED, 1).eval(), some)
    assert kept.trained.gates[1].ahead == expected.gates[1].ahead
    assert vars(kept.trained.gates[0].told["place"]) == vars(expected.gates[0].told["place"])
    share, low, high = kept.accuracies()["moved"]
    assert low < share < high
    assert share == expected.moved / 200
