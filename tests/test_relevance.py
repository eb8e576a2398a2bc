"""Relevance of planted units, whose every share is known, and against loops over single digits."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.stats import spearmanr
from torch import Tensor, nn

from core.activations import behind, collect, layer_of, logits_with, run
from core.analyses.relevance import (
    SHOWN,
    Relevance,
    class_necessity,
    matter_most,
    overlap,
    passed_on,
    rank_correlation,
    relevance,
)
from core.analyses.relevance.maps import SQUARE, relevance_maps
from core.analyses.relevance.shares import contributions, layer_shares, linear_shares, logit
from core.analyses.relevance.task import LayerOverlapTask, RelevanceMapsTask, RelevanceTask
from core.data import DataSet
from core.interventions.answers import margins
from core.interventions.removal import Removal
from core.models.inspectable import Inspectable, Layer, Stages
from core.runs import Run
from tests.labs import SmallLab, again, assert_same
from tests.networks import KINDS, built

UNITS, CLASSES = 4, 10
UNUSED, MISUSED = 0, 1  # units: read by nothing; active on A, used on B
A, B = 3, 7
Numbers = NDArray[np.float32]


class Planted(Inspectable):
    """Units that read single pixels, a ReLU, and a linear read-out.

    Unit `MISUSED` is high on digits of class A, and lower on those of B, whose logit alone it adds
    to. On A it changes nothing that matters: their margin is to a class without it.
    """

    name = "planted"
    described = (Layer("units", UNITS), Layer("out", CLASSES, rectified=False))

    def __init__(self, bias: float = 0.5) -> None:
        super().__init__()
        self.units, self.out = nn.Linear(784, UNITS), nn.Linear(UNITS, CLASSES)
        with torch.no_grad():
            self.units.weight.copy_(torch.eye(784)[:UNITS])
            self.units.bias.zero_()
            self.out.weight.zero_()
            self.out.weight[B, MISUSED] = 2.0
            self.out.weight[:, 2] = torch.linspace(-1, 1, CLASSES)
            self.out.weight[A, 3], self.out.weight[0, 3] = 9.0, 8.5
            self.out.bias.fill_(bias)
        self.eval().requires_grad_(False)

    def stages(self) -> Stages:
        """Input to output."""
        return {
            "units": lambda images: self.units(images.flatten(1)),
            "out": lambda values: self.out(values.relu()),
        }


def planted_digits(n: int = 60) -> DataSet:
    """Digits of A, B and others in turn, on which the planted units do as their class says."""
    chance = np.random.default_rng(2)
    labels = np.resize([A, B, 5], n)
    pixels = np.zeros((n, 784), dtype=np.float32)
    pixels[:, UNUSED] = chance.uniform(0, 1, n)
    pixels[:, MISUSED] = np.select(
        [labels == A, labels == B], [chance.uniform(0.8, 1, n), chance.uniform(0.2, 0.4, n)]
    )
    pixels[:, 2] = chance.uniform(0, 0.05, n)
    pixels[:, 3] = labels == A
    images = torch.from_numpy(pixels).view(n, 1, 28, 28)
    return DataSet(images, torch.from_numpy(labels), "planted", "test")


@pytest.fixture(scope="module")
def removal() -> Removal:
    return Removal(Planted(), planted_digits(), "units")


def test_a_unit_without_outgoing_weights_matters_for_no_digit(removal: Removal) -> None:
    found = relevance(removal, [UNUSED])
    assert found.digits.tolist() == []
    assert not found.necessity.any()
    assert not layer_shares(removal, [UNUSED]).share.any()
    assert math.isnan(found.correlation)
    assert found.shared == 0


def test_a_unit_active_on_one_class_and_used_on_another_matters_for_the_other(
    removal: Removal,
) -> None:
    found, labels = relevance(removal, [MISUSED]), removal.digits.labels.numpy()
    assert len(found.digits) == SHOWN
    assert set(labels[found.digits]) == {B}
    assert set(labels[np.argsort(-found.activation)[:SHOWN]]) == {A}
    assert found.shared == 0
    np.testing.assert_array_equal(found.activation, removal.values[:, MISUSED])


def test_necessity_is_what_a_loop_over_digits_finds(removal: Removal) -> None:
    found, model = relevance(removal, [2, MISUSED]), removal.model
    for at in range(0, 60, 7):
        image, label = removal.digits.images[at], int(removal.digits.labels[at])
        hidden = image.flatten()[:UNITS].clone()
        margin = []
        for _ in range(2):
            logits = (model.out.weight @ hidden + model.out.bias).tolist()  # type: ignore[operator, union-attr]
            own = logits.pop(label)
            margin.append(own - max(logits))
            hidden[[2, MISUSED]] = 0
        assert found.margin[at] == pytest.approx(margin[0], abs=1e-5)
        assert found.necessity[at] == pytest.approx(margin[0] - margin[1], abs=1e-5)


@pytest.mark.parametrize(
    ("network", "layer"),
    [("lenet5", "linear_1"), ("lenet5", "linear_0"), ("mlp", "linear_1"), ("rbf", "centres")],
)
@pytest.mark.parametrize("kind", ["zero", "mean"])
def test_contributions_and_the_rest_are_the_logit(
    network: str, layer: str, kind: str, strokes: DataSet
) -> None:
    model = built(network).eval().requires_grad_(False)
    of = Removal(model, strokes.take(slice(30)), layer, kind)
    shares, rest = contributions(of, 4)
    logits = run(model, of.digits.images)[:, 4].numpy()
    np.testing.assert_allclose(shares.sum(1) + rest, logits, atol=1e-5)
    last = model.get_submodule(model.layers[-1])
    if layer == model.layers[-2] and kind == "zero":  # read by the logits alone: the rest is b
        np.testing.assert_allclose(rest, float(last.bias[4]), atol=1e-5)
        values = collect(model, of.digits.images, layer)
        passed = values.relu() if layer_of(model, layer).rectified else values
        by_hand = (passed * last.weight[4]).numpy()
        np.testing.assert_allclose(shares, by_hand, atol=1e-5)


@pytest.mark.parametrize("kind", ["zero", "mean", "resample"])
def test_shares_of_a_linear_read_out_sum_to_what_removing_the_layer_takes(
    kind: str, strokes: DataSet
) -> None:
    model = built("lenet5").eval().requires_grad_(False)
    of = Removal(model, strokes.take(slice(30)), "linear_1", kind)
    whole = of.intact.logits - of.without(range(of.units)).logits
    for label in range(10):
        shares = linear_shares(of, logit(label))
        np.testing.assert_allclose(shares.sum(1), whole[:, label].numpy(), atol=1e-5)
        one = of.intact.logits - of.without([8]).logits  # of a linear read-out each is exact
        np.testing.assert_allclose(shares[:, 8], one[:, label].numpy(), atol=1e-5)


def test_a_share_is_the_slope_of_the_margin_towards_the_removal(strokes: DataSet) -> None:
    model = built("lenet5 activation=tanh").eval().requires_grad_(False)
    of = Removal(model, strokes.take(slice(12)), "conv_1")
    shares = linear_shares(of)
    follow, labels = behind(model, "conv_1"), of.digits.labels
    read = of.values.tanh()  # before the pooling, which a small step leaves as it is
    for unit in (0, 7):
        step = torch.ones_like(read)
        step[:, unit] = 1 - 1e-2
        moved = margins(follow((read * step).atanh()), labels)
        slope = (of.intact.margin - moved.numpy()) / 1e-2
        np.testing.assert_allclose(shares[:, unit], slope, atol=2e-3)


def test_several_units_are_active_by_the_mean_of_their_standard_scores(removal: Removal) -> None:
    values = passed_on(removal)
    scale = values.mean(0) + 1, values.std(0) * 2
    found = relevance(removal, [1, 2], scale=scale)
    expected = ((values - scale[0]) / scale[1])[:, 1:3].mean(1)
    np.testing.assert_allclose(found.activation, expected, rtol=1e-5)


def test_shares_of_several_units_and_of_the_layer_are_added_up(removal: Removal) -> None:
    found = layer_shares(removal, [1, 2])
    alone = [layer_shares(removal, [unit]).share for unit in range(UNITS)]
    np.testing.assert_allclose(found.share, alone[1] + alone[2], atol=1e-6)
    np.testing.assert_allclose(found.shares, sum(alone), atol=1e-5)
    gone = removal.without(range(UNITS)).margin
    np.testing.assert_allclose(found.whole, removal.intact.margin - gone, atol=1e-6)


def test_a_relevance_needs_units_of_the_layer(removal: Removal) -> None:
    with pytest.raises(ValueError, match="there are no units"):
        relevance(removal, [])
    with pytest.raises(ValueError, match="units has no unit 4: choose 0 to 3"):
        relevance(removal, [4])


# Which digits, and how far they are the most activating ones


def test_digits_that_matter_are_sorted_few_and_more_than_rounding() -> None:
    necessity = np.array([0.0, 3, -5, 1e-7, 2, 2], dtype=np.float32)
    assert matter_most(necessity, 1e-6).tolist() == [1, 4, 5]
    assert len(matter_most(np.arange(50, dtype=np.float32), 1e-6)) == SHOWN
    assert matter_most(-np.ones(5, np.float32), 0.0).tolist() == []


def test_the_overlap_is_counted_among_equally_many_digits() -> None:
    activation = np.array([9.0, 8, 7, 1, 0], dtype=np.float32)
    necessity = np.array([0.0, 3, 0, 2, 0], dtype=np.float32)
    assert overlap(activation, necessity, 0.1) == 1  # of 1 and 3 against 0 and 1
    assert overlap(necessity, necessity, 0.1) == 2


def test_the_rank_correlation_is_scipys() -> None:
    chance = np.random.default_rng(0)
    first = chance.normal(size=40).round(1).astype(np.float32)
    second = (first + chance.normal(size=40)).round(1).astype(np.float32)
    assert rank_correlation(first, second) == pytest.approx(spearmanr(first, second).statistic)
    assert math.isnan(rank_correlation(first, np.zeros(40, np.float32)))


def test_the_class_is_chosen_on_one_half_and_judged_on_the_other() -> None:
    def of(necessity: Numbers) -> Relevance:
        nothing = np.zeros_like(necessity)
        return Relevance(nothing, necessity, nothing, 1e-6)

    labels = np.repeat(np.arange(3), 4)
    first, second = (np.repeat(np.float32(means), 4) for means in ([0, 2, 1], [5, 1, 0]))
    found = class_necessity((of(first), labels), (of(second), labels), of(first))
    assert found.label == 1
    np.testing.assert_allclose(found.means, [5, 1, 0])
    np.testing.assert_allclose(found.untrained, [0, 2, 1])
    spread = second + np.tile([0, 1, 2, 3], 3).astype(np.float32)
    wide = class_necessity((of(first), labels), (of(spread), labels), of(first))
    half = 1.96 * np.std([0, 1, 2, 3], ddof=1) / 2
    np.testing.assert_allclose(wide.high - wide.means, half, rtol=1e-3)
    none = class_necessity((of(-first), labels), (of(second), labels), of(first))
    assert none.label is None


# Where in a digit


def test_the_map_of_a_linear_contribution_is_its_terms_and_misses_nothing() -> None:
    model = Planted()
    image = planted_digits().images[1]  # of class B, by which alone the unit's pixel is used
    found = relevance_maps(model, image, B, {("units", MISUSED): 0.0})
    expected = np.zeros(784, dtype=np.float32)
    expected[MISUSED] = 2.0 * float(image.flatten()[MISUSED])
    np.testing.assert_allclose(found.gradient.ravel(), expected, atol=1e-5)
    assert found.necessity == pytest.approx(expected[MISUSED], abs=1e-5)
    assert found.blank == 0
    for name in ("gradient", "occlusion"):
        assert found.gap(name) == pytest.approx(0, abs=1e-5)
    square = found.occlusion[:SQUARE, :SQUARE]
    np.testing.assert_allclose(square, expected[MISUSED] / SQUARE**2, atol=1e-6)
    assert not found.occlusion[SQUARE:].any()


@pytest.mark.parametrize("kind", KINDS)
def test_maps_and_relevance_are_those_of_every_network(kind: str, strokes: DataSet) -> None:
    model = built(kind).eval().requires_grad_(False)
    layer = min(model.layers[:-1], key=lambda name: layer_of(model, name).units)
    digits = strokes.take(slice(3))
    removal = Removal(model, digits, layer)
    found, shares = relevance(removal, [0]), layer_shares(removal, [0])
    held = {(layer, 0): 0.0}
    maps = relevance_maps(model, digits.images[2], int(digits.labels[2]), held)
    assert maps.necessity == pytest.approx(float(found.necessity[2]), abs=1e-4)
    assert maps.gradient.shape == maps.occlusion.shape == (28, 28)
    assert np.isfinite(maps.gradient).all()
    assert np.isnan(shares.share).all() == layer_of(model, layer).steps
    step, image = 1e-3, digits.images[2:3]
    labels = digits.labels[2:3]

    def contribution(shown: Tensor) -> float:
        whole, without = logits_with(model, {})(shown), logits_with(model, held)(shown)
        return float(margins(whole, labels) - margins(without, labels))

    slope = (contribution(image) - contribution(image * (1 - step))) / step
    assert maps.gradient.sum() == pytest.approx(slope, abs=0.02 + 0.05 * abs(slope))


def test_a_map_of_other_images_tells_height_from_width() -> None:
    image = torch.zeros(1, 28, 28)
    image[0, 0, MISUSED] = 0.5
    image[0, 0, 3] = 1.0
    found = relevance_maps(Planted(), image, B, {("units", MISUSED): 0.0})
    assert found.gradient[0, MISUSED] != 0
    assert found.gradient[MISUSED, 0] == 0


# As it is kept

RUN = Run("strokes", "mlp", {"widths": (12,), "epochs": 1})


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, strokes: DataSet) -> SmallLab:
    return SmallLab(tmp_path_factory.mktemp("relevance"), strokes.take(slice(400)))


@pytest.mark.parametrize("kind", ["zero", "mean"])
def test_a_task_keeps_relevance_and_maps_agree_with_it(lab: SmallLab, kind: str) -> None:
    task = RelevanceTask(RUN, "linear_0", (2, 5), kind)
    found = lab.result(task)
    assert_same(again(found), found)
    number = int(found.trained.digits[0])
    maps = lab.result(RelevanceMapsTask(task, number))
    assert maps.necessity == pytest.approx(float(found.trained.necessity[number]), abs=1e-4)
    assert len(found.trained.necessity) == 200
    assert found.classes.label is not None
    assert not np.allclose(found.untrained.necessity, found.trained.necessity)


def test_the_overlap_of_a_layer_is_that_of_each_unit(lab: SmallLab) -> None:
    trained, untrained = lab.result(LayerOverlapTask(RUN, "linear_0"))
    for unit in (0, 7):
        alone = lab.result(RelevanceTask(RUN, "linear_0", (unit,)))
        for of, one in ((trained, alone.trained), (untrained, alone.untrained)):
            assert of.listed[unit] == len(one.digits)
            assert of.shared[unit] == one.shared
            assert of.correlation[unit] == pytest.approx(one.correlation, abs=1e-3)
    assert trained.median == np.median(trained.shared[trained.listed == SHOWN])


def test_titles_say_what_is_done(tmp_path: Path) -> None:
    assert RelevanceTask(RUN, "linear_0", (2,)).title.endswith("unit 2 of linear_0 matters")
    assert RelevanceTask(RUN, "linear_0", (2, 3)).title.endswith("2 units of linear_0 matter")
