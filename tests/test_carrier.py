"""A unit, a direction or neither: planted answers, and what is left when a direction is erased."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.linalg import sqrtm
from scipy.optimize import minimize
from torch import Tensor, nn

from core.analyses.directions.linear import fit_direction
from core.analyses.directions.rotations import best_axis, rotation
from core.claims.carrier import (
    UNTRAINED,
    Carrier,
    Found,
    Reading,
    carrier_of,
    find,
)
from core.claims.carrier_task import CarrierTask
from core.claims.carrying import reading
from core.claims.findings import A_DIRECTION, A_UNIT, NEITHER
from core.claims.trial import Half
from core.interventions.erasing import leace, projection
from core.models.registry import draw
from core.models.untrained import SEEDS, redrawn
from core.runs import Run
from tests.digits import drawn_digits
from tests.labs import SmallLab, again

Floats = NDArray[np.float32]
UNITS = 40


def half(random: np.random.Generator, shift: Floats, n: int = 200) -> Reading:
    """Digits of one class, a fifth of them with the concept, which shifts isotropic noise."""
    present = np.arange(n) % 5 == 0
    values = random.standard_normal((n, len(shift))) + present[:, None] * shift
    return Reading(values.astype(np.float32), present, np.full(n, 7))


def halves(seed: int, shift: Floats) -> tuple[Reading, Reading]:
    """Two halves of digits on a layer in which the concept is this shift."""
    random = np.random.default_rng(seed)
    return half(random, shift), half(random, shift)


def judged(seed: int, shift: Floats) -> Found:
    """What such a layer has of the concept."""
    return find(*halves(seed, shift), rotations=20, seed=seed)


NOTHING = np.zeros(UNITS, np.float32)


@pytest.fixture(scope="module")
def untrained() -> tuple[Found, ...]:
    """Networks that have nothing of the concept."""
    return tuple(judged(1000 + seed, NOTHING) for seed in range(UNTRAINED))


def told(seed: int, shift: Floats, untrained: tuple[Found, ...]) -> Carrier:
    """The verdict on such a layer."""
    return carrier_of(*halves(seed, shift), untrained, rotations=20, seed=seed)


def test_a_planted_unit_is_a_unit(untrained: tuple[Found, ...]) -> None:
    shift = NOTHING.copy()
    shift[11] = 3
    found = [told(seed, shift, untrained) for seed in range(20)]
    assert [of.verdict for of in found] == [A_UNIT] * 20
    assert {of.trained.unit.index for of in found} == {11}
    assert {of.trained.unit.sign for of in found} == {1}


def test_a_unit_that_is_lower_with_the_concept_is_one_too(untrained: tuple[Found, ...]) -> None:
    shift = NOTHING.copy()
    shift[3] = -3
    found = told(0, shift, untrained)
    assert (found.trained.unit.index, found.trained.unit.sign) == (3, -1)
    assert found.trained.unit.judged > 0.95
    assert found.verdict == A_UNIT


def test_a_planted_direction_is_a_direction(untrained: tuple[Found, ...]) -> None:
    for seed in range(20):
        turned = rotation(UNITS, np.random.default_rng(seed))
        found = told(seed, (3 * turned[0]).astype(np.float32), untrained)
        assert found.verdict == A_DIRECTION
        assert abs(found.trained.direction.unit_vector @ turned[0]) > 0.8


def test_noise_is_neither(untrained: tuple[Found, ...]) -> None:
    said = [told(seed, NOTHING, untrained).verdict for seed in range(100)]
    assert said.count(NEITHER) >= 95


def test_what_untrained_networks_have_too_was_not_learned() -> None:
    shift = NOTHING.copy()
    shift[11] = 3
    same = tuple(judged(2000 + seed, shift) for seed in range(UNTRAINED))
    assert told(0, shift, same).verdict == NEITHER


def test_what_is_better_than_before_training_by_luck_alone_was_not_learned() -> None:
    weak, shift = NOTHING.copy(), NOTHING.copy()
    weak[11], shift[11] = 1.9, 2.4
    before = tuple(judged(2000 + seed, weak) for seed in range(UNTRAINED))
    found = told(3, shift, before)
    assert found.unit_stands_out
    assert found.trained.unit.judged > max(of.unit.judged for of in before)
    assert found.unit_learned[0] < 0 < found.unit_learned[1]
    assert found.verdict == NEITHER


def test_too_few_digits_are_neither() -> None:
    shift = NOTHING.copy()
    shift[11] = 3
    random = np.random.default_rng(0)
    few = [find(half(random, shift), half(random, NOTHING, 100), rotations=2)] * 19
    found = carrier_of(half(random, shift), half(random, shift, 100), few, rotations=40)
    assert (found.trained.n, found.trained.absent) == (20, 80)
    assert found.verdict == NEITHER


def test_the_wrong_half_would_be_seen() -> None:
    """Chosen where it is judged, the best of many noisy units looks good; here it doesn't."""
    areas = [judged(seed, NOTHING).unit for seed in range(40)]
    assert np.mean([of.judged for of in areas]) == pytest.approx(0.5, abs=0.02)
    assert np.mean([of.chosen for of in areas]) > 0.58


def test_a_class_tells_nothing_within_classes() -> None:
    random = np.random.default_rng(0)
    labels = np.arange(600) % 2
    present = random.random(600) < np.where(labels, 0.6, 0.2)
    values = random.standard_normal((600, 5)).astype(np.float32)
    values[:, 2] += 4 * labels  # tells the class, of which more have the concept
    values[:, 4] += 2 * present
    both = [Reading(values[of], present[of], labels[of]) for of in (slice(300), slice(300, 600))]
    found = find(*both, rotations=20)
    assert found.unit.index == 4
    assert abs(found.direction.unit_vector[4]) > 0.9


def test_a_class_is_told_among_all_digits() -> None:
    random = np.random.default_rng(0)
    labels = np.arange(600) % 10
    values = random.standard_normal((600, 5)).astype(np.float32)
    values[:, 2] += 4 * (labels == 7)
    both = [
        Reading(values[of], labels[of] == 7, labels[of]) for of in (slice(300), slice(300, 600))
    ]
    found = find(*both, rotations=20)
    assert found.unit.index == 2
    assert found.unit.judged > 0.98
    assert found.direction_auc > 0.98


def test_untrained_networks_are_needed(untrained: tuple[Found, ...]) -> None:
    both = halves(0, NOTHING)
    with pytest.raises(ValueError, match="there are 18 untrained networks: give at least 19"):
        carrier_of(*both, untrained[:18])
    found = carrier_of(*both, (find(*both, rotations=2),) * 19, rotations=20)
    assert found.unit_learned == found.direction_learned == (0, 0)


@pytest.mark.parametrize("present", [[True] + [False] * 99, [True] * 99 + [False]])
def test_halves_without_two_of_each_are_refused(present: list[bool]) -> None:
    some = half(np.random.default_rng(0), NOTHING, 100)
    bad = Reading(some.values, np.array(present), some.labels)
    for halves in ((some, bad), (bad, some)):
        with pytest.raises(ValueError, match="give at least two with it and two without it"):
            find(*halves, rotations=5)


def test_a_layer_without_numbers_is_refused() -> None:
    some = half(np.random.default_rng(0), NOTHING, 100)
    some.values[3, 4] = np.nan
    with pytest.raises(ValueError, match="activations are not finite"):
        find(some, some, rotations=5)


# ---- networks before training


def test_a_network_of_ours_is_drawn_by_its_own_rule() -> None:
    found, same = (redrawn(draw("lstm", 3, {"width": 5}), 7), draw("lstm", 7, {"width": 5}))
    pairs = zip(found.parameters(), same.parameters(), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)
    assert not found.training


def test_a_network_of_others_is_drawn_by_its_modules_rules() -> None:
    model = Planted()
    model.scale = nn.Parameter(torch.arange(6.0))
    before = torch.random.get_rng_state()
    found = [redrawn(model, seed) for seed in (7, 7, 8)]
    assert torch.equal(before, torch.random.get_rng_state())
    assert isinstance(model, Planted)
    first, same, other = (of.get_parameter("layer.weight") for of in found)
    assert torch.equal(first, same)
    assert not torch.equal(first, other)
    assert first.abs().max() <= 1 / 28
    kept = found[0].get_parameter("scale").tolist()
    assert sorted(kept) == [0, 1, 2, 3, 4, 5] != kept
    assert model.layer.bias.tolist() == [-100] * 4


# ---- rotations


def test_a_rotation_is_orthogonal_and_turns_nothing_but_the_axes() -> None:
    turned = rotation(6, np.random.default_rng(0))
    np.testing.assert_allclose(turned @ turned.T, np.eye(6), atol=1e-12)
    random = np.random.default_rng(1)
    layer, weights = random.standard_normal((50, 6)), random.standard_normal((6, 3))
    np.testing.assert_allclose((layer @ turned) @ (turned.T @ weights), layer @ weights, atol=1e-10)


def test_rotations_are_uniform() -> None:
    """The first entry of a uniform rotation in three dimensions is uniform on −1 to 1."""
    random = np.random.default_rng(0)
    first = np.array([rotation(3, random)[0, 0] for _ in range(4000)])
    np.testing.assert_allclose(
        np.quantile(first, [0.1, 0.25, 0.5, 0.75, 0.9]), [-0.8, -0.5, 0, 0.5, 0.8], atol=0.06
    )


def test_the_best_axis_is_judged_with_the_sign_it_was_chosen_with() -> None:
    present = np.array([True] * 5 + [False] * 5)
    known = np.stack([np.arange(10), -np.arange(10) % 7], axis=1).astype(np.float32)
    found = best_axis(known, present, -known, present)
    assert (found.index, found.sign, found.chosen, found.judged) == (0, -1, 1.0, 0.0)


# ---- directions


def test_a_direction_minimizes_the_penalized_loss() -> None:
    random = np.random.default_rng(0)
    values = random.standard_normal((200, 4)) * [1, 3, 0.2, 1] + [0, 1, 2, 3]
    present = values[:, 0] + values[:, 1] / 3 + random.standard_normal(200) > 1
    found = fit_direction(values, present, strengths=[0.1])
    standard = (values - values.mean(0)) / values.std(0)

    def loss(theta: NDArray[np.float64]) -> float:
        scores = standard @ theta[:-1] + theta[-1]
        fit = np.mean(np.log1p(np.exp(-np.where(present, scores, -scores))))
        return float(fit + 0.05 * (theta[:-1] ** 2).sum())

    expected = minimize(loss, np.zeros(5), tol=1e-12).x
    np.testing.assert_allclose(found.weights * values.std(0), expected[:-1], atol=1e-4)
    np.testing.assert_allclose(
        found.values(values), standard @ expected[:-1] + expected[-1], atol=1e-3
    )


def test_more_units_than_digits_are_regularized() -> None:
    random = np.random.default_rng(0)
    values = random.standard_normal((40, 100))
    present = np.arange(40) % 2 == 0
    found = fit_direction(values, present)
    assert np.isfinite(found.weights).all()
    assert found.strength >= 1e-4


def test_a_constant_unit_gets_no_weight() -> None:
    random = np.random.default_rng(0)
    values = random.standard_normal((100, 3))
    values[:, 1] = 5
    present = values[:, 0] > 0
    found = fit_direction(values, present)
    assert found.weights[1] == 0
    assert found.weights[0] > abs(found.weights[2])


def test_directions_of_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="1 of 10 digits have the concept"):
        fit_direction(np.zeros((10, 2)), np.arange(10) == 0)
    with pytest.raises(ValueError, match="give \\(n, units\\)"):
        fit_direction(np.zeros((10, 2)), np.arange(9) % 2 == 0)


# ---- erasing


def layer(seed: int = 0, n: int = 400) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Correlated activations with a concept in them, one unit of which is constant."""
    random = np.random.default_rng(seed)
    mixing = random.standard_normal((6, 6))
    present = random.random(n) < 0.3
    values = random.standard_normal((n, 6)) @ mixing + present[:, None] * random.standard_normal(6)
    return np.column_stack([values, np.full(n, 2.0)]), present


def test_after_leace_nothing_tells_the_concept_linearly() -> None:
    values, present = layer()
    erased = leace(values, present)(values)
    difference = erased[present].mean(0) - erased[~present].mean(0)
    np.testing.assert_allclose(difference, 0, atol=1e-8)
    assert np.abs(fit_direction(erased, present, strengths=[1e-3]).weights).max() < 1e-4
    assert np.abs(fit_direction(values, present, strengths=[1e-3]).weights).max() > 0.1
    assert erased[:, 6] == pytest.approx(2.0)


def test_leace_is_the_formula_of_the_paper() -> None:
    values, present = layer()
    values = values[:, :6]
    centred, target = values - values.mean(0), present - present.mean()
    covariance = centred.T @ centred / len(values)
    whiten = np.linalg.inv(sqrtm(covariance).real)
    way = whiten @ (centred.T @ target / len(values))
    onto = np.outer(way, way) / (way @ way)
    expected = values - centred @ (np.linalg.inv(whiten) @ onto @ whiten).T
    np.testing.assert_allclose(leace(values, present)(values), expected, atol=1e-8)


def test_leace_changes_least_of_what_erases() -> None:
    """In the norm of the layer's covariance, against the projection that erases as well."""
    values, present = layer()
    values = values[:, :6]
    inverse = np.linalg.inv(np.cov(values.T))
    way = values[present].mean(0) - values[~present].mean(0)

    def change(erased: NDArray[np.float64]) -> float:
        moved = erased - values
        return float(np.einsum("ni,ij,nj->", moved, inverse, moved) / len(values))

    least, along = leace(values, present)(values), projection(way, values.mean(0))(values)
    np.testing.assert_allclose(along[present].mean(0), along[~present].mean(0), atol=1e-8)
    assert change(least) < change(along)


def test_a_projection_leaves_the_rest_as_it_is() -> None:
    values, _ = layer()
    way = np.array([3.0, 0, 4, 0, 0, 0, 0])
    found = projection(way, values.mean(0))
    erased = found(values)
    np.testing.assert_allclose(erased @ way, values.mean(0) @ way, atol=1e-9)
    across = np.array([4.0, 0, -3, 0, 0, 0, 0])
    np.testing.assert_allclose(erased @ across, values @ across, atol=1e-9)
    np.testing.assert_allclose(found(erased), erased, atol=1e-9)


def test_what_cannot_be_erased_is_said() -> None:
    values = layer()[0]
    with pytest.raises(ValueError, match="has length 0"):
        projection(np.zeros(7), values.mean(0))
    with pytest.raises(ValueError, match="give some of both"):
        leace(values, np.ones(len(values), bool))
    same = np.concatenate([values, values])
    nothing = leace(same, np.repeat([True, False], len(values)))
    np.testing.assert_allclose(nothing(same), same, atol=1e-12)


# ---- in a network


class Planted(nn.Module):
    """A layer of four units before a ReLU; unit 2 answers to the ink in the first row."""

    layers = ("layer", "logits")

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(784, 4)
        self.logits = nn.Linear(4, 10)
        with torch.no_grad():
            self.layer.weight.zero_()
            self.layer.weight[2, :28] = 1
            self.layer.bias.fill_(-100)

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.logits(self.layer(images.flatten(1)).relu())
        return logits


def test_a_layer_is_read_before_its_relu_among_digits_of_mixed_classes() -> None:
    digits = drawn_digits().take(slice(200))
    present = (digits.labels.numpy() == 7) & (np.arange(200) % 2 == 0)
    found = reading(Planted(), Half(digits, present), "layer")
    sevens = digits.labels.numpy() == 7
    assert set(found.labels) == {7}
    np.testing.assert_array_equal(found.present, present[sevens])
    ink = digits.images[sevens].flatten(1)[:, :28].sum(1).numpy() - 100
    np.testing.assert_allclose(found.values[:, 2], ink, rtol=1e-5)
    assert (found.values < 0).all()  # a ReLU would have left nothing


def test_the_task_compares_with_twenty_untrained_networks(tmp_path: Path) -> None:
    lab, run = SmallLab(tmp_path), Run.parse("strokes", "mlp widths=12,epochs=2")
    found = lab.result(CarrierTask(run, "linear_0", "class-7"))
    assert len(found.untrained) == len(SEEDS) == 20
    assert len(found.trained.axes) == 200
    assert found.trained.direction_auc > 0.9
    assert len({of.direction_auc for of in found.untrained}) == 20
    assert again(found).verdict == found.verdict
