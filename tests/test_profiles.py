"""Profiles of planted units, whose every number is known, and of a real layer by brute force."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn

from core.activations import collect
from core.analyses.profiles import BINS, EXAMPLES, KINDS, Profile, profile, table
from core.data import DataSet
from core.models.inspectable import Inspectable
from core.models.registry import build
from core.runtime.packing import Packed, pack, unpack
from core.runtime.store import Store
from tests.labs import assert_same


class Planted(nn.Module):
    """Units that read single pixels, so that a digit's first row is what they do."""

    layers = ("units", "out")

    def __init__(self, units: int) -> None:
        super().__init__()
        self.units, self.out = nn.Linear(784, units), nn.Linear(units, 10)
        with torch.no_grad():
            self.units.weight.copy_(torch.eye(784)[:units])
            self.units.bias.zero_()

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.out(self.units(images.flatten(1)).relu())
        return logits


class Map(nn.Module):
    """One map, which is the image itself without its last two columns."""

    layers = ("map", "out")

    def __init__(self) -> None:
        super().__init__()
        self.map, self.out = nn.Conv2d(1, 1, (1, 3)), nn.Linear(28 * 26, 10)
        with torch.no_grad():
            self.map.weight.copy_(torch.tensor([[[[1.0, 0, 0]]]]))
            self.map.bias.zero_()

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.out(self.map(images).relu().flatten(1))
        return logits


def digits_with(activations: np.ndarray, labels: np.ndarray) -> DataSet:
    """Digits on which planted unit u does activations[:, u]."""
    images = torch.zeros(len(labels), 784)
    images[:, : activations.shape[1]] = torch.from_numpy(activations)
    return DataSet(images.view(-1, 1, 28, 28), torch.from_numpy(labels), "planted", "test")


def planted(activations: np.ndarray, labels: np.ndarray, **options: Any) -> Profile:
    """The profile of planted units, the same digits being found and judged on."""
    digits, model = digits_with(activations, labels), Planted(activations.shape[1])
    return profile(model, model, digits, digits, layers=["units"], **options)["units"]


@pytest.fixture(scope="module")
def halves(strokes: DataSet) -> tuple[DataSet, DataSet]:
    return strokes.take(slice(0, 700)), strokes.take(slice(700, 1400))


@pytest.fixture(scope="module")
def measured(trained: Inspectable, halves: tuple[DataSet, DataSet]) -> dict[str, Profile]:
    return profile(trained, build("lenet5"), *halves)


def test_states_are_told_apart() -> None:
    labels = np.arange(3000) % 10
    random = np.random.default_rng(0)
    a = np.zeros((3000, 5), dtype=np.float32)
    a[:, 0] = -1.0 - random.random(3000)  # never above zero
    a[:, 1] = 0.5 + random.random(3000)  # always
    a[:9, 2] = 0.9  # on 0.3 % of the digits, mean below 0.01
    a[:, 3] = random.normal(size=3000)
    a[:, 4] = 0.25  # never anything else
    found = planted(a, labels)
    assert found.dead.tolist() == [True, False, False, False, False]
    assert found.always_on.tolist() == [False, True, False, False, True]
    assert found.dormant.tolist() == [False, False, True, False, False]
    assert found.constant.tolist() == [True, False, False, False, True]
    assert not found.saturated.any()
    assert found.mean[2] < 0.01
    np.testing.assert_allclose(found.fraction_active[[0, 1, 2]], [0, 1, 0.003])
    assert found.zeros[2] == 2991


def test_the_top_class_is_chosen_on_other_digits_than_it_is_judged_on() -> None:
    labels = np.arange(200) % 10
    first, second = ((labels == digit).astype(np.float32)[:, None] for digit in (3, 7))
    model = Planted(1)
    of = profile(model, model, digits_with(first, labels), digits_with(second, labels))["units"]
    assert of.top_class[0] == 3
    assert of.scores.selectivity[0] == pytest.approx(-1)
    assert of.scores.auc[0] < 0.5
    assert of.class_means[0].argmax() == 7


def test_numbers_of_a_perfect_detector() -> None:
    labels = np.arange(1000) % 10
    of = planted((labels == 4).astype(np.float32)[:, None] * 2, labels)
    assert of.top_class[0] == 4
    assert of.scores.selectivity[0] == pytest.approx(1)
    assert of.scores.auc[0] == pytest.approx(1)
    assert of.scores.information[0] == pytest.approx(0.469, abs=2e-3)
    assert of.effective_classes[0] == pytest.approx(1)
    assert of.permuted.selectivity[0] < 0.5
    assert of.permuted.auc[0] < 0.6
    assert of.permuted.information[0] < 0.05


def test_a_real_layer_equals_brute_force(
    measured: dict[str, Profile], trained: Inspectable, halves: tuple[DataSet, DataSet]
) -> None:
    found, judged = halves
    for layer in ("conv_1", "linear_0"):
        of = measured[layer]
        raw = [collect(trained, half.images, layer) for half in halves]
        a, b = (r.relu().mean((2, 3)) if r.ndim == 4 else r.relu() for r in raw)
        peaks = [r.amax((2, 3)) if r.ndim == 4 else r for r in raw]
        by_class = torch.stack([a[found.labels == c].mean(0) for c in range(10)], 1)
        assert of.top_class.tolist() == by_class.argmax(1).tolist()
        rest = (by_class.sum(1) - by_class.amax(1)) / 9
        chosen = (by_class.amax(1) - rest) / (by_class.amax(1) + rest).clamp(min=1e-20)
        np.testing.assert_allclose(of.discovered, chosen, atol=1e-5)
        for unit in (0, 5, 11):
            top = int(of.top_class[unit])
            mine = b[:, unit].numpy()
            expected = roc_auc_score(judged.labels.numpy() == top, mine)
            assert of.scores.auc[unit] == pytest.approx(expected, abs=1e-6)
            means = np.array([mine[judged.labels.numpy() == c].mean() for c in range(10)])
            np.testing.assert_allclose(of.class_means[unit], means, rtol=1e-4, atol=1e-6)
            assert of.zeros[unit] + of.counts[unit].sum() == 700
            assert (of.class_low[unit] <= of.class_means[unit]).all()
            assert of.maximum[unit] == pytest.approx(
                float(max(p[:, unit].max() for p in peaks)), rel=1e-5
            )


def test_the_untrained_model_is_measured_the_same_way(
    measured: dict[str, Profile], halves: tuple[DataSet, DataSet]
) -> None:
    raw = build("lenet5")
    alone = profile(raw, raw, *halves)
    for layer, of in measured.items():
        np.testing.assert_allclose(of.untrained.auc, alone[layer].scores.auc, atol=1e-6)
        np.testing.assert_allclose(
            of.untrained_means, alone[layer].class_means, rtol=1e-4, atol=1e-6
        )
    assert np.median(measured["linear_2"].scores.auc) > np.median(
        measured["linear_2"].untrained.auc
    )


def test_examples_are_the_highest_the_middle_and_the_lowest() -> None:
    random = np.random.default_rng(1)
    a = random.permutation(np.arange(-60, 40)).astype(np.float32)[:, None]
    of = planted(a, np.arange(100) % 10)
    assert of.examples.shape == (1, len(KINDS), EXAMPLES)
    top, middle, lowest = of.example_values[0]
    assert top.tolist() == list(range(39, 39 - EXAMPLES, -1))
    assert lowest.tolist() == list(range(-60, -60 + EXAMPLES))
    assert abs(np.median(middle) - 20) <= 1
    for kind in range(3):
        np.testing.assert_array_equal(a[of.examples[0, kind], 0], of.example_values[0, kind])
    assert (of.example_places == -1).all()


def test_a_maps_example_knows_row_and_column() -> None:
    images = torch.zeros(20, 1, 28, 28)
    for index in range(20):
        images[index, 0, index, 2] = 1 + index
    digits = DataSet(images, torch.arange(20) % 10, "planted", "test")
    of = profile(Map(), Map(), digits, digits, layers=["map"])["map"]
    assert of.examples[0, 0].tolist() == list(range(19, 19 - EXAMPLES, -1))
    assert of.example_places[0, 0].tolist() == [[19 - k, 2] for k in range(EXAMPLES)]
    assert of.example_values[0, 0, 0] == 20
    assert of.class_means[0, 3] == pytest.approx((4 + 14) / 2 / (28 * 26))


def test_few_digits_are_enough() -> None:
    of = planted(np.eye(4, dtype=np.float32), np.arange(4))
    assert of.examples.shape == (4, 3, 4)
    assert of.edges.shape == (4, BINS + 1)


def test_mean_images_are_weighted_by_activation(
    measured: dict[str, Profile], trained: Inspectable, halves: tuple[DataSet, DataSet]
) -> None:
    judged = halves[1]
    a = collect(trained, judged.images, "linear_0").relu()
    of = measured["linear_0"]
    for unit in (2, 9):
        for digit in (1, 7, 10):
            keep = torch.ones(700, dtype=torch.bool) if digit == 10 else judged.labels == digit
            weight = a[keep, unit]
            expected = (weight[:, None, None] * judged.images[keep, 0]).sum(0)
            expected = expected / weight.sum() if weight.sum() > 0 else expected
            np.testing.assert_allclose(of.mean_images[unit, digit], expected, atol=1e-5)
    silent = planted(np.full((20, 1), -1, dtype=np.float32), np.arange(20) % 10)
    assert not silent.mean_images.any()


def test_a_profile_comes_back_from_its_file(measured: dict[str, Profile], tmp_path: Path) -> None:
    packed = pack(measured)
    Store(tmp_path).save_arrays("profiles", {}, packed.leaves, {"structure": packed.structure})
    kept = Store(tmp_path).load_arrays("profiles", {})
    assert kept is not None
    back = unpack(Packed(dict(kept.arrays), kept.about["structure"]))
    assert (back["conv_1"].layer, back["conv_1"].n) == ("conv_1", 700)
    assert_same(back, measured)
    del packed.leaves["conv_1/scores/auc"]
    with pytest.raises(KeyError, match="conv_1/scores/auc"):
        unpack(packed)


def test_the_table_has_a_row_for_each_unit(measured: dict[str, Profile]) -> None:
    rows = table(measured, "lenet5")
    assert len(rows) == 236
    assert rows.index.is_unique
    row = rows.loc["lenet5/linear_0/58"]
    of = measured["linear_0"]
    assert row["selectivity"] == of.scores.selectivity[58]
    assert row["auc_untrained"] == of.untrained.auc[58]
    assert row["information_permuted"] == of.permuted.information[58]
    assert row["dead"] == of.dead[58]


def test_a_seed_gives_the_same_permutations(halves: tuple[DataSet, DataSet]) -> None:
    model = build("lenet5")
    one, same, other = (
        profile(model, model, *halves, layers=["linear_2"], seed=seed)["linear_2"].permuted
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one.auc, same.auc)
    assert (one.auc != other.auc).any()


def test_progress_is_told_and_an_exception_ends_it(halves: tuple[DataSet, DataSet]) -> None:
    model, seen = build("lenet5"), []
    hooks = [len(module._forward_hooks) for module in model.modules()]

    def stop(done: int, layers: int) -> None:
        seen.append((done, layers))
        if done == 2:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        profile(model, model, *halves, on_layer=stop)
    assert seen == [(0, 5), (1, 5), (2, 5)]
    assert hooks == [len(module._forward_hooks) for module in model.modules()]
    assert all(parameter.grad is None for parameter in model.parameters())
