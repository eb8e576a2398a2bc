"""What is told about capsules: against loops, planted decoders, and where pixels are."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from torch import Tensor

from core.architectures.capsules.charts import shares_on
from core.architectures.capsules.pose_meanings import PoseMeanings
from core.architectures.capsules.poses import PROPERTIES, drawn, going_along, purity, random_axes
from core.architectures.capsules.routing import correct, decisiveness, of_the_module
from core.architectures.capsules.trace import SHIFTS, follow, on_image, strips
from core.models.capsules import Capsules, CapsulesSettings
from tests.networks import built


@pytest.fixture(scope="module")
def model() -> Capsules:
    found = built("capsules", seed=3).eval().requires_grad_(False)
    assert isinstance(found, Capsules)
    return found


@pytest.fixture(scope="module")
def images() -> Tensor:
    return torch.rand(4, 1, 28, 28, generator=torch.Generator().manual_seed(0))


# ---- what is told about them


def test_the_followed_numbers_belong_together(model: Capsules, images: Tensor) -> None:
    seen = follow(model, images[:1])
    assert seen.answer == int(model(images[:1]).argmax())
    np.testing.assert_allclose(seen.scores[-1], model(images[:1])[0], rtol=1e-3)
    at = 5 * 36 + 2 * 6 + 4
    votes = [seen.vote(at, 7, iteration) for iteration in range(3)]
    assert (votes[0].kind, votes[0].row, votes[0].column) == (5, 2, 4)
    assert votes[0].logit == 0
    assert votes[0].share == pytest.approx(0.1)
    for iteration, (earlier, later) in enumerate(pairwise(votes), start=1):
        assert later.logit == pytest.approx(earlier.logit + earlier.agreement)
        exponents = np.exp(seen.logits[iteration, at])
        assert later.share == pytest.approx(exponents[7] / exponents.sum(), rel=1e-4)
    matrix = model.matrices[at, 7].double()
    u = model.trace(images[:1]).primary[0, at].double()
    np.testing.assert_allclose(votes[0].prediction, u @ matrix, rtol=1e-4, atol=1e-8)
    best = seen.ranked(7)[0]
    added = [seen.coefficients[-1, i, 7] * seen.votes[i, 7] @ seen.poses[-1, 7] for i in range(288)]
    assert best == int(np.argmax(added))


def test_coefficient_maps_lie_on_the_pixels_that_were_seen() -> None:
    """A map is drawn with its rows down and on the middle of each receptive field."""
    field = CapsulesSettings().describe()[1].field
    assert field is not None
    for row, column in ((0, 0), (1, 4), (5, 2)):
        maps = np.zeros((1, 6, 6))
        maps[0, row, column] = 1
        shown = on_image(maps, field)[0]
        rows, columns = np.nonzero(shown == 1)
        top, left, bottom, right = field.box(row, column)
        assert (rows.mean() + 0.5) / 4 == pytest.approx((top + bottom + 1) / 2)
        assert (columns.mean() + 0.5) / 4 == pytest.approx((left + right + 1) / 2)
        assert len(rows) == 8 * 8
        assert np.isnan(shown[0, 0])


def test_an_input_sees_the_pixels_where_it_is_drawn(model: Capsules) -> None:
    """Input i is type i // 36 at row (i % 36) // 6: a dot moves those around it, and no others."""
    blank = torch.zeros(1, 1, 28, 28)
    dot = blank.clone()
    dot[0, 0, 2, 25] = 1.0  # high and to the right
    changed = (model.trace(dot).primary - model.trace(blank).primary)[0].norm(dim=1) > 1e-7
    places = changed.reshape(8, 6, 6).any(0)
    field = CapsulesSettings().describe()[1].field
    assert field is not None
    for row in range(6):
        for column in range(6):
            top, left, bottom, right = field.box(row, column)
            assert bool(places[row, column]) == (top <= 2 <= bottom and left <= 25 <= right)


def test_decisiveness_of_a_digit_by_loops(model: Capsules, images: Tensor) -> None:
    labels = torch.tensor([3, 1, 4, 1])
    found = decisiveness(model, images, labels, 3)[2]
    expected = np.zeros(6)
    for digit, own in enumerate(labels.tolist()):
        trace = model.trace(images[digit : digit + 1])
        c, u = trace.coefficients[0, 2].double().numpy(), trace.primary[0].double().numpy()
        entropy = [-sum(p * math.log2(p) for p in row) for row in c]
        weight = np.linalg.norm(u, axis=1) / np.linalg.norm(u, axis=1).sum()
        share = weight @ c
        votes, poses = trace.votes[0].double().numpy(), trace.poses[0, 2].double().numpy()
        cosine = [
            votes[:, j].sum(0) @ poses[j] / np.linalg.norm(poses[j])
            / np.linalg.norm(votes[:, j], axis=1).sum()
            for j in range(10)
        ]  # fmt: skip
        expected += [
            np.mean(entropy), weight @ entropy, share[own], np.delete(share, own).max(),
            cosine[own], np.delete(cosine, own).mean(),
        ]  # fmt: skip
    np.testing.assert_allclose(found, expected / 4, rtol=1e-3, atol=1e-6)


def test_answers_are_counted_with_any_number_of_iterations(model: Capsules, images: Tensor) -> None:
    labels = model(images).argmax(1)
    assert correct(model, images, labels, (3,)).tolist() == [4]
    once = built("capsules iterations=1", seed=3).eval()
    told = once(images).argmax(1)
    assert correct(model, images, told, (1,)).tolist() == [4]


def test_the_module_was_saturated_and_blind_to_places(model: Capsules, images: Tensor) -> None:
    found = of_the_module(model, images, torch.Generator().manual_seed(0))
    assert found.shared < 1e-5 < found.own
    assert found.begun[1] < 0.9
    assert found.wide[0] > found.begun[1]


# ---- what a dimension draws


def bar(lean: Tensor, thick: Tensor) -> Tensor:
    """(n, 1, 28, 28): an upright bar `thick` pixels wide, sheared by `lean` columns a row."""
    rows, columns = torch.meshgrid(torch.arange(28.0), torch.arange(28.0), indexing="ij")
    middle = 13.5 - lean[:, None, None] * (rows - 13.5)
    ink = (thick[:, None, None] / 2 + 0.5 - (columns - middle).abs()).clamp(0, 1)
    return (ink * ((rows > 4) & (rows < 23)))[:, None]


def planted(poses: Tensor) -> Tensor:
    """Dimension 0 leans a bar to the right, dimension 2 makes it thinner, others do nothing."""
    return bar(1.2 * poses[:, 0], 4 - 4 * poses[:, 2])


def test_a_planted_decoder_is_recovered() -> None:
    rng = np.random.default_rng(0)
    poses, spread = rng.normal(0, 0.1, (8, 5)), np.array([0.2, 1.0, 2.0, 2.0, 20.0])
    found = drawn(planted, poses, spread, np.eye(5), rng)
    slant, thickness = (PROPERTIES.index(name) for name in ("slant", "thickness"))
    assert found.monotony[0, slant] == pytest.approx(1.0)
    assert found.monotony[2, thickness] < -0.95
    assert np.abs(found.effect[0]).argmax() == slant
    assert found.effect[0, slant] == pytest.approx(2 * 0.25 * 1.2 / 0.2, rel=0.2)
    assert found.effect[2, thickness] == pytest.approx(-2 * 0.25 * 4 / 1.0, rel=0.25)
    assert found.null < 0.95
    for silent in (1, 3, 4):
        assert np.abs(found.monotony[silent]).max() < found.null
        assert np.abs(found.effect[silent]).max() == 0
    assert purity(found.effect)[0] > 0.9
    assert purity(found.effect)[1] == 0


def test_a_planted_lean_is_found_along_any_axis_that_holds_it() -> None:
    rng = np.random.default_rng(0)
    directions = random_axes(5, rng)
    np.testing.assert_allclose(directions @ directions.T, np.eye(5), atol=1e-12)
    found = drawn(planted, np.zeros((3, 5)), np.ones(5), directions, rng)
    slant = found.effect[:, PROPERTIES.index("slant")]
    assert (np.sign(slant) == np.sign(directions[:, 0])).all()
    assert np.corrcoef(slant, directions[:, 0])[0, 1] > 0.99


def test_random_digits_draw_nothing() -> None:
    rng = np.random.default_rng(0)
    above = 0
    for seed in range(10):
        generator = torch.Generator().manual_seed(seed)

        def noise(poses: Tensor, generator: torch.Generator = generator) -> Tensor:
            lean, thick = torch.rand(2, len(poses), generator=generator)
            return bar(lean - 0.5, 2 + 3 * thick)

        found = drawn(noise, np.zeros((4, 3)), np.ones(5), np.eye(3), rng)
        above += bool(np.abs(found.monotony).max() > found.null)
    assert above <= 3


def test_going_along_is_spearmans_and_its_null_is_the_largest_by_chance() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(120, 3))
    poses = rng.normal(size=(120, 4))
    poses[:, 2] = np.exp(values[:, 1])
    found, null = going_along(poses, values, rng)
    for dimension in range(4):
        for at in range(3):
            expected = spearmanr(poses[:, dimension], values[:, at]).statistic
            assert found[dimension, at] == pytest.approx(expected)
    assert found[2, 1] == pytest.approx(1.0)
    rest = np.delete(np.abs(found).ravel(), 2 * 3 + 1)
    assert rest.max() < null < 0.4
    # about the 1 - 0.05 / 12 quantile of one correlation, two-sided
    assert null == pytest.approx(2.86 / math.sqrt(119), rel=0.15)


def test_a_constant_dimension_goes_along_with_nothing() -> None:
    found, _ = going_along(np.ones((30, 2)), np.arange(30.0)[:, None], np.random.default_rng(0))
    assert (found == 0).all()


def test_strips_shift_one_dimension_at_a_time(model: Capsules) -> None:
    pose = torch.linspace(-0.3, 0.3, 16)
    found = strips(model, pose.numpy(), 6)
    assert found.shape == (16, 11, 28, 28)
    whole = torch.zeros(1, 10, 16)
    whole[0, 6] = pose
    still = model.decode(whole, torch.tensor([6]))[0, 0]
    np.testing.assert_allclose(found[:, SHIFTS.index(0.0)], still.expand(16, 28, 28), atol=1e-6)
    whole[0, 6, 9] -= 0.25
    np.testing.assert_allclose(found[9, 0], model.decode(whole, torch.tensor([6]))[0, 0], atol=1e-6)


def test_shares_are_red_above_even_and_blue_below() -> None:
    image, shown = np.zeros((28, 28)), np.full((1, 112, 112), np.nan)
    shown[0, 10, 20], shown[0, 30, 40], shown[0, 50, 60] = 0.15, 0.05, 0.1
    drawn_shares = shares_on(image, shown, 0.1, 0.05)[0].astype(int)
    red, blue, white = drawn_shares[10, 20], drawn_shares[30, 40], drawn_shares[50, 60]
    assert red[0] > red[2] + 50
    assert blue[2] > blue[0] + 50
    assert (white == 255).all()
    assert (drawn_shares[20, 10] == 255).all()


def meant(effect: float, along: float, random: float, untrained: float) -> PoseMeanings:
    """Dimension 4 of every class has these numbers for slant in both halves; all else is 0."""
    effects, monotony, alongs = (np.zeros((2, 2, 10, 16, 5)) for _ in range(3))
    effects[:, 0, :, 4, 0], effects[:, 1, :, 7, 0] = effect, random
    monotony[:, 0, :, 4, 0] = np.sign(effect)
    alongs[:, 0, :, 4, 0], alongs[:, 1, :, 2, 0] = along, untrained
    null = np.full((2, 2, 10), 0.5)
    return PoseMeanings(effects, monotony, null, alongs, null)


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ((-2.0, -0.8, 1.0, 0.3), [10, 10, 10, 10, 10]),
        ((-2.0, 0.8, 1.0, 0.3), [10, 10, 10, 10, 0]),  # drawn one way and read the other
        ((2.0, 0.4, 3.0, -0.6), [10, 0, 0, 0, 10]),
    ],
)
def test_verdicts_count_what_is_beyond_its_controls(
    numbers: tuple[float, float, float, float], expected: list[int]
) -> None:
    found = meant(*numbers)
    table = found.summary().set_index("property")
    names = ["steady", "above random", "read", "above untrained", "same"]
    assert table[names].to_numpy()[0].tolist() == expected
    first = found.dimensions(3).iloc[0]
    assert (first["dimension"], first["property"]) == (4, "slant")
    assert first["purity"] == 1


def test_a_dimension_is_chosen_on_discovery_and_judged_on_confirmation() -> None:
    found = meant(1.0, 0.9, 0.0, 0.0)
    found.effect[1, 0, :, 4, 0] = 0.2
    found.effect[1, 0, :, 9, 0] = 5.0  # the best on confirmation is not to be chosen
    table = found.properties()
    slant = table[table["property"] == "slant"]
    assert (slant["dimension"] == 4).all()
    np.testing.assert_allclose(slant["effect"], 0.2)
