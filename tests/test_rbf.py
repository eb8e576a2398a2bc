"""Radial basis functions: against the formula in a loop, and where the textbook layer breaks."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge
from torch import Tensor, nn

from core.activations import collect, run
from core.analyses.maximize import maximize
from core.architectures.rbf.measure import (
    answer,
    bitmap_outputs,
    responses,
    territories,
    width_effect,
)
from core.data import DataSet
from core.data.bitmaps import BITMAPS
from core.models.inspectable import Inspectable
from core.models.prototypes import Gaussians, nearest, squared_distances
from core.models.rbf import RIDGE, RBFSettings, k_means_step, read_out
from core.training import accuracy, train


@pytest.fixture(scope="module")
def rbf(strokes: DataSet) -> Inspectable:
    return train("rbf", strokes, epochs=6)


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def unit(prototypes: Tensor, width: float) -> Gaussians:
    layer = Gaussians(len(prototypes))
    layer.prototypes = nn.Parameter(prototypes)
    layer.log_width = nn.Parameter(torch.tensor(width).log())
    return layer.requires_grad_(False)


def test_the_response_is_one_at_the_centre_and_falls_with_distance() -> None:
    centre = torch.zeros(1, 784)
    away = torch.zeros(1, 784)
    away[0, 0] = 5.0
    layer = unit(centre, 5.0)
    assert float(layer(centre)) == 1.0
    assert float(layer(away)) == pytest.approx(0.6065307, abs=1e-6)
    assert float(layer(2 * away)) == pytest.approx(math.exp(-2), abs=1e-6)


def test_responses_equal_the_formula_in_a_loop() -> None:
    digits, centres, width = drawn(7, 784), drawn(5, 784, seed=1), 6.5
    found = unit(centres, width)(digits)
    for row, x in enumerate(digits.double()):
        for column, c in enumerate(centres.double()):
            expected = math.exp(-sum((x - c).tolist()[i] ** 2 for i in range(784)) / 2 / width**2)
            assert float(found[row, column]) == pytest.approx(expected, rel=1e-4)


def test_the_gradient_is_the_closed_form_and_finite_at_the_centre() -> None:
    centres, width = drawn(3, 784, seed=1), 4.0
    x = torch.cat([drawn(2, 784), centres[:1]]).double().requires_grad_()
    layer = unit(centres, width).double()
    phi = layer(x)
    (found,) = torch.autograd.grad(phi[:, 0].sum(), x)
    expected = -(x - centres[0].double()) * phi[:, :1] / layer.width**2
    torch.testing.assert_close(found, expected.detach(), rtol=1e-5, atol=1e-12)
    assert found[2].abs().max() == 0
    single = centres[:1].clone().requires_grad_()
    (at_centre,) = torch.autograd.grad(squared_distances(single, centres).sqrt()[0, 1], single)
    assert at_centre.isfinite().all()


@pytest.mark.parametrize("log_width", [-1.0, -20.0, -100.0, -1e30, -math.inf])
def test_a_width_towards_zero_gives_numbers(log_width: float) -> None:
    layer = unit(drawn(4, 784, seed=1), 1.0)
    layer.log_width = nn.Parameter(torch.tensor(log_width))
    layer.requires_grad_()
    x = torch.cat([drawn(2, 784), layer.prototypes[:1].detach()]).requires_grad_()
    phi = layer(x)
    assert phi.isfinite().all()
    assert phi[:2].max() < 1e-6
    for gradient in torch.autograd.grad(phi.sum(), [x, layer.prototypes, layer.log_width]):
        assert gradient.isfinite().all()


def test_the_textbook_layer_is_silent_on_digits_and_ours_is_not(strokes: DataSet) -> None:
    images = strokes.images[:200]
    normal = torch.randn(300, 784, generator=torch.Generator().manual_seed(0))
    assert (unit(normal, 1.0)(images.flatten(1)) == 0).all()
    untrained = RBFSettings().network().centres(images)
    assert (untrained > 0.01).all()


def test_a_k_means_step_is_the_mean_of_each_centres_own() -> None:
    vectors, centres = drawn(60, 5), torch.cat([drawn(4, 5, seed=1), torch.full((1, 5), 99.0)])
    distances, owners = nearest(vectors, centres)
    after = k_means_step(vectors, owners, centres)
    for index, x in enumerate(vectors):
        own = [float((x - c).norm()) for c in centres]
        assert int(owners[index]) == int(np.argmin(own))
        assert float(distances[index]) == pytest.approx(min(own), rel=1e-5)
    for centre in range(4):
        torch.testing.assert_close(after[centre], vectors[owners == centre].mean(0))
    assert torch.equal(after[4], centres[4])


def test_the_read_out_equals_another_ridge_regression() -> None:
    phi, labels = drawn(90, 7), torch.arange(90) % 10
    weight, bias = read_out([phi[:50], phi[50:]], labels)
    other = Ridge(alpha=RIDGE).fit(phi.double().numpy(), np.eye(10)[labels.numpy()])
    np.testing.assert_allclose(weight, other.coef_, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(bias, other.intercept_, rtol=1e-4, atol=1e-5)


def test_it_learns_without_gradients_and_is_whole_after_each_epoch(strokes: DataSet) -> None:
    model, some = RBFSettings().network(), strokes.take(slice(1000))
    generator = torch.Generator().manual_seed(0)
    errors = []
    for error in model.organize(some, 4, generator):
        errors.append(error)
        centres = model.centres.prototypes.detach()
        distances = nearest(some.images.flatten(1), centres)[0]
        assert error == pytest.approx(float(distances.mean()), rel=1e-5)
        assert float(model.centres.width.detach()) == pytest.approx(error, rel=1e-5)
        assert accuracy(model, some) > 0.85
    assert errors == sorted(errors, reverse=True)
    assert all(weight.grad is None and weight.is_leaf for weight in model.parameters())


def test_fewer_digits_than_centres_are_enough(strokes: DataSet) -> None:
    model = train("rbf", strokes.take(slice(120)), epochs=1)
    assert collect(model, strokes.images[:50], "centres").isfinite().all()


def test_the_maximized_input_of_a_centre_is_the_centre(rbf: Inspectable) -> None:
    units = [("centres", 3), ("centres", 150)]
    found = maximize(
        rbf, units, parameterization="pixel", budget="l2", radius=20.0, steps=300, jitter=0
    )
    for (_, index), image, phi in zip(units, found.images, found.activations, strict=True):
        centre = rbf.get_parameter("centres.prototypes")[index]
        cosine = torch.cosine_similarity(image.flatten(), centre, 0)
        assert float(cosine) > 0.999
        assert float(image.norm() / centre.norm()) == pytest.approx(1, abs=0.02)
        assert float(phi) > 0.99


def test_a_silent_centre_adds_nothing_to_the_answer(rbf: Inspectable, strokes: DataSet) -> None:
    images = strokes.images[:20]
    phi = collect(rbf, images, "centres")
    weight = rbf.get_parameter("logits.weight")
    expected = run(rbf, images) - phi[:, 7:8] * weight[:, 7]
    torch.testing.assert_close(run(rbf, images, {("centres", 7): 0.0}), expected)


def test_bitmaps_are_ten_different_codes_of_84_bits() -> None:
    codes = BITMAPS.reshape(10, 84)
    assert BITMAPS.shape == (10, 12, 7)
    assert set(np.unique(codes)) == {-1.0, 1.0}
    for one in range(10):
        for other in range(one):
            different = int((codes[one] != codes[other]).sum())
            assert different >= 12, (one, other)


def test_the_activation_of_a_bitmap_has_output_zero_for_its_class_alone() -> None:
    outputs = bitmap_outputs(BITMAPS)
    assert (outputs.diagonal() == 0).all()
    assert (outputs + 100 * np.eye(10) > 0).all()
    for one in range(10):
        for other in range(10):
            different = int((BITMAPS[one] != BITMAPS[other]).sum())
            assert outputs[one, other] == 4 * different  # (1 − (−1))² a pixel
    assert not np.allclose(bitmap_outputs(BITMAPS[2:3, ::-1]), outputs[2:3])


def test_territories_are_counted_on_the_right_digits(strokes: DataSet) -> None:
    chosen, judged = strokes.take(slice(300)), strokes.take(slice(300, 500))
    centres = chosen.images[:12].flatten(1)
    found = territories(centres, chosen, judged)
    owners = [_nearest(x, centres) for x in judged.images.flatten(1)]
    votes = [_nearest(x, centres) for x in chosen.images.flatten(1)]
    for centre in range(12):
        own = [int(y) for y, of in zip(chosen.labels, votes, strict=True) if of == centre]
        assert own.count(int(found.labels[centre])) == max(map(own.count, own))
        mine = [int(y) for y, of in zip(judged.labels, owners, strict=True) if of == centre]
        assert found.hits[centre] == len(mine)
        assert found.pure[centre] == mine.count(int(found.labels[centre]))
        best = (judged.images.flatten(1) - centres[centre]).norm(dim=1).argmin()
        assert found.near[centre, 0] == best
    assert found.purity == found.pure.sum() / 200


def _nearest(x: Tensor, centres: Tensor) -> int:
    return int((centres - x).norm(dim=1).argmin())


def test_a_width_is_judged_as_it_is(rbf: Inspectable, strokes: DataSet) -> None:
    some, centres = strokes.take(slice(200)), rbf.get_parameter("centres.prototypes")
    squares = squared_distances(some.images.flatten(1), centres)
    width = float(rbf.get_parameter("centres.log_width").exp())
    read = (rbf.get_parameter("logits.weight"), rbf.get_parameter("logits.bias"))
    found = responses(squares, some.labels, width, read)
    assert found.accuracy == pytest.approx(accuracy(rbf, some))
    assert found.zeros == found.silent == 0
    narrow = responses(squares, some.labels, width / 100, read)
    assert narrow.zeros > 0.99
    assert 1 <= found.responding <= 300
    wide = responses(squares, some.labels, width * 100, read)
    assert wide.responding == pytest.approx(300, rel=1e-2)
    assert wide.within == 1
    pair = (squares, squares), (some.labels, some.labels)
    fitted, weight, _ = width_effect(*pair, width)
    assert fitted.accuracy >= 0.9
    assert weight.shape == (10, 300)
    assert width_effect(*pair, width, read)[0] == found


def test_the_answer_is_the_sum_of_what_the_centres_push(rbf: Inspectable, strokes: DataSet) -> None:
    image, centres = strokes.images[:1], rbf.get_parameter("centres.prototypes")
    width = float(rbf.get_parameter("centres.log_width").exp())
    read = (rbf.get_parameter("logits.weight"), rbf.get_parameter("logits.bias"))
    found = answer(image, centres, width, read)
    np.testing.assert_allclose(found.scores, run(rbf, image)[0], atol=1e-5)
    np.testing.assert_allclose(found.pushes.sum(0) + read[1].numpy(), found.scores, atol=1e-5)
    assert found.scores.sum() == pytest.approx(1, abs=1e-3)  # the targets sum to 1, and so the fit
    assert (np.diff(found.distances[found.order]) >= 0).all()
    assert found.outputs.argmin() == found.scores.argmax()


def test_a_read_out_of_centres_that_all_answer_alike_says_how_frequent_classes_are() -> None:
    labels = torch.tensor([3, 3, 3, 7])
    weight, bias = read_out([torch.ones(4, 50)], labels)
    scores = torch.ones(50) @ weight.T + bias
    assert torch.isfinite(scores).all()
    torch.testing.assert_close(scores[3], torch.tensor(0.75), atol=1e-4, rtol=0)
    torch.testing.assert_close(scores[7], torch.tensor(0.25), atol=1e-4, rtol=0)
