"""Gradients and activations by unit and class, against finite differences, loops and planted units.

Every oracle here is independent of the hooks: biases nudged, `autograd` on the bias itself, NumPy.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from core.activations import collect, run
from core.analyses.gradients import (
    DECAY,
    Intent,
    activation_rows,
    anomalies,
    effective_sample_size,
    gradient_times_activation,
    unit_gradients,
    weighted_images,
)
from core.models import registry
from core.models.inspectable import Inspectable

LAYERS = ("conv_0", "conv_1", "linear_0", "linear_1", "linear_2")


class Softmax(nn.Module):
    """Softmax regression: the simplest network with a unit for each class."""

    layers = ("fc",)

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        self.fc = nn.Linear(784, classes)

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.fc(images.flatten(1))
        return logits


class Planted(nn.Module):
    """Four units that look at pixels 0 to 3, z = 2 x - 1, of which the ReLU is read for class 7."""

    layers = ("hidden", "out")

    def __init__(self) -> None:
        super().__init__()
        self.hidden, self.out = nn.Linear(784, 4), nn.Linear(4, 10)
        with torch.no_grad():
            for part in (self.hidden.weight, self.out.weight, self.out.bias):
                part.zero_()
            self.hidden.weight[:, :4] = 2 * torch.eye(4)
            self.hidden.bias.fill_(-1)
            self.out.weight[7] = torch.tensor([1.0, 1.0, -1.0, 1.0])

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.out(self.hidden(images.flatten(1)).relu())
        return logits


def lenet5(dtype: torch.dtype = torch.float64) -> Inspectable:
    """An untrained LeNet-5, in double precision for finite differences."""
    return registry.build("lenet5", 3).to(dtype)


def digits(n: int, seed: int, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
    """Images of noise, and labels of which some are missing and some come more than once."""
    generator = torch.Generator().manual_seed(seed)
    images = torch.rand(n, 1, 28, 28, generator=generator, dtype=dtype)
    return images, torch.randint(1, 9, (n,), generator=generator)


def frozen(model: nn.Module) -> nn.Module:
    return model.eval().requires_grad_(False)


def losses(model: nn.Module, images: Tensor, labels: Tensor) -> NDArray[np.float64]:
    with torch.no_grad():
        return cross_entropy(model(images), labels, reduction="none").double().numpy()


def nudged(
    model: nn.Module, layer: str, unit: int, images: Tensor, labels: Tensor
) -> NDArray[np.float64]:
    """(n,): -∂ℓ/∂b of each digit, by moving the bias up and down."""
    step, ends = 1e-6, []
    for sign in (1, -1):
        moved = copy.deepcopy(model).requires_grad_(False)
        moved.get_submodule(layer).bias[unit] += sign * step
        ends.append(losses(moved, images, labels))
    return (ends[1] - ends[0]) / (2 * step)


def propagate(intent: Intent, model: nn.Module, images: Tensor, labels: Tensor) -> None:
    """One batch, as in training, without a step of the weights."""
    watched = intent.watch(images)
    cross_entropy(model(watched), labels).backward()
    intent.update(watched, labels)


def by_class(rows: NDArray[Any], labels: Tensor, classes: int = 10) -> NDArray[np.float64]:
    """(units, classes): sums over the digits of each class."""
    return np.stack([rows[labels.numpy() == c].sum(0) for c in range(classes)], 1)


def hooks(model: nn.Module) -> int:
    kinds = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    return sum(len(getattr(module, kind)) for module in model.modules() for kind in kinds)


# The running record of a training


def test_softmax_regression_has_a_closed_form() -> None:
    torch.manual_seed(0)
    model = Softmax(classes=5)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    expected = np.zeros((5, 5))
    with Intent.of(model, classes=5) as intent:
        for seed, n in enumerate((40, 40, 7)):  # the last batch is smaller, as an epoch's
            images, labels = digits(n, seed, torch.float32)
            labels = labels % 5
            with torch.no_grad():
                likely = model(images).softmax(1).double().numpy()
            expected = 0.97 * expected + by_class(np.eye(5)[labels] - likely, labels, 5)
            optimizer.zero_grad()
            propagate(intent, model, images, labels)
            optimizer.step()
    assert intent.scalars["fc"].dtype == np.float32
    assert intent.scalars["fc"] == pytest.approx(expected, abs=1e-4)
    assert (np.diag(intent.scalars["fc"]) > 0).all()  # each class wants its own logit higher
    assert abs(expected - expected.T).max() > 0.1  # so units and classes can't be swapped


@pytest.mark.parametrize("layer", LAYERS)
def test_record_and_frozen_gradients_are_finite_differences(layer: str) -> None:
    model = lenet5()
    images, labels = digits(12, 1)
    with Intent.of(model) as intent:
        propagate(intent, model, images, labels)
    found = unit_gradients(frozen(model), images, labels, layer)
    for unit in abs(found).max(0).argsort()[-2:]:  # some units are dead
        expected = nudged(model, layer, unit, images, labels)
        assert abs(expected).max() > 1e-5
        assert found[:, unit] == pytest.approx(expected, rel=1e-3, abs=1e-8)
        sums = by_class(expected[:, None], labels)[0]
        assert intent.scalars[layer][unit] == pytest.approx(sums, rel=1e-3, abs=1e-7)


def test_constant_gradients_add_up_as_a_geometric_series() -> None:
    model, image, label = Softmax(), torch.rand(1, 1, 28, 28), torch.tensor([4])
    with Intent.of(model) as intent:
        for n in range(1, 41):
            (-model(image)[:, 0]).mean().backward()  # -∂ℓ/∂b is 1 for unit 0, 0 for all others
            intent.update(image, label)
            expected = np.zeros((10, 10))
            expected[0, 4] = (1 - 0.97**n) / 0.03
            assert intent.scalars["fc"] == pytest.approx(expected, rel=1e-5)
            if n == 3:
                assert intent.scalars["fc"][0, 4] == pytest.approx(2.9109, abs=1e-5)
    assert DECAY == 0.97


def test_pictures_equal_a_loop_over_the_digits() -> None:
    model = lenet5()
    expected: dict[str, NDArray[np.float64]] = {}
    with Intent.of(model, pictures=True) as intent:
        for seed, n in enumerate((6, 6, 4)):
            images, labels = digits(n, seed)
            _add_pictures(expected, model, images, labels)
            propagate(intent, model, images, labels)
            with torch.no_grad():
                for weight in model.parameters():
                    weight -= 0.05 * weight.grad if weight.grad is not None else 0
    assert tuple(intent.pictures) == tuple(intent.scalars) == LAYERS
    for layer, pictures in intent.pictures.items():
        assert pictures.dtype == np.float32
        assert pictures.shape == expected[layer].shape
        size = abs(expected[layer]).max()
        assert size > 0
        assert np.allclose(pictures, expected[layer], rtol=0, atol=1e-5 * size)


def _add_pictures(
    running: dict[str, NDArray[np.float64]], model: Inspectable, images: Tensor, labels: Tensor
) -> None:
    """Bau's definition as it is written, one digit after the other, from the biases' gradients."""
    for layer in LAYERS:
        bias = model.get_submodule(layer).bias
        before = running.setdefault(layer, np.zeros((len(bias), 10, 784)))
        before *= 0.97
        for image, label in zip(images, labels, strict=True):
            x = image[None].clone().requires_grad_()
            loss = cross_entropy(model(x), label[None])
            wanted, seen = torch.autograd.grad(loss, (bias, x))
            focus = (image - 0.5) * (seen[0] / len(images)).abs()
            before[:, label] -= np.outer(wanted.numpy(), focus.numpy().ravel())


def test_scalars_are_the_same_with_and_without_pictures() -> None:
    images, labels = digits(8, 0, torch.float32)
    found = []
    for pictures in (False, True):
        model = lenet5(torch.float32)
        with Intent.of(model, pictures=pictures) as intent:
            assert intent.scalars == {}
            propagate(intent, model, images, labels)
        found.append(intent.scalars)
        assert images.grad is None
        assert not images.requires_grad
    assert all(np.array_equal(found[0][layer], found[1][layer]) for layer in LAYERS)


def test_the_training_is_the_same_with_and_without_a_record() -> None:
    images, labels = digits(8, 0, torch.float32)
    plain, watched = lenet5(torch.float32), lenet5(torch.float32)
    cross_entropy(plain(images), labels).backward()
    with Intent.of(watched, pictures=True) as intent:
        propagate(intent, watched, images, labels)
    for one, other in zip(plain.parameters(), watched.parameters(), strict=True):
        assert one.grad is not None
        assert other.grad is not None
        assert torch.equal(one.grad, other.grad)


def test_reading_the_model_meanwhile_changes_no_record() -> None:
    model = lenet5(torch.float32)
    images, labels = digits(8, 0, torch.float32)
    others, other_labels = digits(8, 9, torch.float32)
    with Intent.of(model) as undisturbed:
        propagate(undisturbed, model, images, labels)
    with Intent.of(model) as intent:
        loss = cross_entropy(model(images), labels)
        collect(model, others, "conv_0")
        loss.backward()
        unit_gradients(model, others, other_labels, "linear_0")
        with torch.no_grad():
            model(others)
        intent.update(images, labels)
    assert all(np.array_equal(intent.scalars[each], undisturbed.scalars[each]) for each in LAYERS)


def test_a_batch_without_update_is_left_out() -> None:
    model = lenet5(torch.float32)
    first, second = digits(8, 0, torch.float32), digits(8, 1, torch.float32)
    with Intent.of(model) as alone:
        propagate(alone, model, *second)
    with Intent.of(model) as intent:
        cross_entropy(model(first[0]), first[1]).backward()
        propagate(intent, model, *second)
    assert np.array_equal(intent.scalars["conv_1"], alone.scalars["conv_1"])


def test_what_was_given_out_is_not_changed_later() -> None:
    model = Softmax()
    images, labels = digits(8, 0, torch.float32)
    with Intent.of(model, pictures=True) as intent:
        propagate(intent, model, images, labels)
        given, pictures = intent.scalars["fc"], intent.pictures["fc"]
        kept, kept_pictures = given.copy(), pictures.copy()
        propagate(intent, model, images, labels)
    assert np.array_equal(given, kept)
    assert np.array_equal(pictures, kept_pictures)
    assert not np.array_equal(given, intent.scalars["fc"])


def test_hooks_are_gone_afterwards_also_after_an_exception() -> None:
    model = lenet5(torch.float32)
    with Intent.of(model):
        assert hooks(model) == len(LAYERS)
    assert hooks(model) == 0
    with pytest.raises(ValueError, match="3 labels for 4"), Intent.of(model) as intent:
        intent.update(torch.zeros(4, 1, 28, 28), torch.zeros(3, dtype=torch.int64))
    assert hooks(model) == 0
    broken = Softmax()
    broken.layers = ("fc", "nowhere")  # type: ignore[assignment]
    with pytest.raises(AttributeError, match="nowhere"), Intent.of(broken):
        pass
    assert hooks(broken) == 0


def test_what_is_wrong_with_a_record_is_said() -> None:
    model = Softmax()
    images, labels = digits(6, 0, torch.float32)
    with pytest.raises(ValueError, match="frozen"), Intent.of(frozen(Softmax())):
        pass
    with pytest.raises(ValueError, match="no layers"), Intent.of(nn.Linear(2, 2)):
        pass
    with Intent.of(model) as intent:
        with pytest.raises(RuntimeError, match="fc has had gradients of 0 digits, not 6"):
            intent.update(images, labels)
        with pytest.raises(ValueError, match="5 labels for 6 images"):
            intent.update(images, labels[1:])
        with pytest.raises(ValueError, match="10 is not a label: choose 0 to 9"):
            intent.update(images, torch.full((6,), 10))
        with pytest.raises(ValueError, match="-1 is not a label"):
            intent.update(images, torch.full((6,), -1))
        with pytest.raises(ValueError, match="pictures=True"):
            _ = intent.pictures
        with pytest.raises(RuntimeError, match="fc ran more than once"):
            cross_entropy(model(images) + model(images), labels).backward()
    with Intent.of(model, pictures=True) as intent:
        cross_entropy(model(images), labels).backward()
        with pytest.raises(ValueError, match=r"intent\.watch"):
            intent.update(images, labels)


# A model that isn't training


@pytest.mark.parametrize("rectify", [-1, 0, 1])
def test_activation_rows_equal_a_loop_over_the_digits(rectify: int) -> None:
    model = frozen(lenet5())
    images, labels = digits(9, 2)
    found = activation_rows(model, images, labels, rectify=rectify)
    assert tuple(found) == LAYERS
    bounds = {-1: (None, 0), 0: (None, None), 1: (0, None)}[rectify]
    for layer, rows in found.items():
        z = collect(model, images, layer).numpy()
        expected = np.zeros((z.shape[1], 10, 28, 28))
        for values, image, label in zip(z, images.numpy(), labels, strict=True):
            kept = values if rectify == 0 else np.clip(values, *bounds)
            for unit, value in enumerate(kept):
                expected[unit, label] += value.sum() * (image[0] - 0.5)
        assert rows.dtype == np.float32
        assert rows.shape == expected.shape
        assert np.allclose(rows, expected, rtol=1e-4, atol=1e-5)


def test_an_activation_row_is_the_sum_of_its_two_signs() -> None:
    model = frozen(lenet5(torch.float32))
    images, labels = digits(600, 2, torch.float32)  # more than one batch
    whole, on, off = (activation_rows(model, images, labels, rectify=sign) for sign in (0, 1, -1))
    for layer in LAYERS:
        assert np.allclose(on[layer] + off[layer], whole[layer], rtol=1e-3, atol=1e-2)
        assert abs(on[layer]).max() > 0.1
        assert abs(off[layer]).max() > 0.1


def test_gradients_do_not_depend_on_the_batch() -> None:
    model = frozen(lenet5(torch.float32))
    images, labels = digits(503, 4, torch.float32)
    whole = unit_gradients(model, images, labels, "conv_1")
    assert whole.shape == (503, 16)
    alone = unit_gradients(model, images[499:], labels[499:], "conv_1")
    assert abs(alone).max() > 1e-3
    assert np.allclose(whole[499:], alone, rtol=1e-3, atol=1e-6)


def test_a_frozen_model_is_left_as_it_was() -> None:
    model = frozen(lenet5(torch.float32))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    images, labels = digits(6, 0, torch.float32)
    unit_gradients(model, images, labels, "conv_0")
    gradient_times_activation(model, images, labels, "conv_1")
    activation_rows(model, images, labels)
    with pytest.raises(ValueError, match="not a layer"):
        unit_gradients(model, images, labels, "conv_9")
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert all(weight.grad is None for weight in model.parameters())
    assert not any(weight.requires_grad for weight in model.parameters())
    assert hooks(model) == 0
    assert not model.training
    learning = lenet5(torch.float32)
    unit_gradients(learning, images, labels, "linear_0")
    assert all(weight.grad is None for weight in learning.parameters())
    assert learning.training


@pytest.mark.parametrize("layer", LAYERS)
def test_gradient_times_activation_is_the_slope_of_scaling_a_unit_down(layer: str) -> None:
    model = frozen(lenet5())
    images, labels = digits(12, 5)
    found = gradient_times_activation(model, images, labels, layer)
    count = np.bincount(labels, minlength=10)
    largest = int(abs(found).max(1).argmax())
    for unit in (largest, 0):
        ends = []
        for step in (1e-5, -1e-5):
            scaled = run(model, images, {(layer, unit): lambda z, by=1 - step: z * by})
            ends.append(cross_entropy(scaled, labels, reduction="none").numpy())
        slope = by_class((ends[0] - ends[1])[:, None] / 2e-5, labels)[0] / np.maximum(count, 1)
        assert found[unit] == pytest.approx(slope, rel=1e-3, abs=1e-7)
    assert abs(found[largest]).max() > 1e-4
    assert (found[:, count == 0] == 0).all()


def test_removing_what_carries_a_class_raises_its_loss() -> None:
    model = frozen(Planted())
    images, labels = planted_digits()
    rise = gradient_times_activation(model, images, labels, "hidden")
    assert rise[1, 7] > 0  # it speaks for its class
    assert rise[2, 7] < 0  # it speaks against it


# A unit that only some digits of its class need


def planted_digits() -> tuple[Tensor, Tensor]:
    """100 digits, of which 10 are sevens; pixel 0 is on in 2 of them, 1 and 2 in all, 3 in none."""
    images = torch.rand(100, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(100) % 10
    images[:, 0, 0, :4] = 0
    images[labels == 7, 0, 0, 1:3] = 1
    images[[27, 67], 0, 0, 0] = 1
    return images, labels


def test_a_unit_for_a_fifth_of_its_class_is_anomalous() -> None:
    model = Planted()
    images, labels = planted_digits()
    with Intent.of(model) as intent:
        propagate(intent, model, images, labels)
    z = collect(model, images, "hidden").numpy()
    mean = by_class(z, labels) / 10
    assert mean[0, 7] == pytest.approx(-0.6)
    wanted = intent.scalars["hidden"]
    assert wanted[:, 7].tolist() == pytest.approx([wanted[0, 7], wanted[1, 7], -wanted[1, 7], 0])
    assert anomalies(wanted, mean).tolist() == [True, False, False, False]

    gradients = unit_gradients(frozen(model), images, labels, "hidden")
    assert gradients.sum(0)[0] == pytest.approx(wanted[0, 7], rel=1e-5)
    assert effective_sample_size(gradients) == pytest.approx([2, 10, 10, 0], rel=0.05)
    few = (images[27, 0] + images[67, 0]).numpy() / 2
    for weights in (z.clip(min=0), gradients.clip(min=0)):
        means = weighted_images(images, weights)
        assert means.shape == (4, 28, 28)
        assert np.allclose(means[0], few, atol=1e-6)
        assert (means[3] == 0).all()


def test_anomalous_is_wanted_and_off_at_the_same_class() -> None:
    wanted = np.array([[1.0, 3.0], [3.0, 1.0], [-2.0, -1.0], [0.0, 0.0]])
    mean = np.array([[5.0, -1.0], [5.0, -1.0], [-1.0, -1.0], [-1.0, -1.0]])
    assert anomalies(wanted, mean).tolist() == [True, False, False, False]
    with pytest.raises(ValueError, match=r"\(4, 2\).*\(2, 4\)"):
        anomalies(wanted, mean.T)


def test_effective_sample_size_counts_digits() -> None:
    gradients = np.zeros((50, 4))
    gradients[:, 0] = np.where(np.arange(50) % 2, -0.3, 0.3)  # all the same size
    gradients[7, 1] = -2
    gradients[:2, 2] = 3, 1
    assert effective_sample_size(gradients) == pytest.approx([50, 1, 16 / 10, 0])
    assert effective_sample_size(gradients.astype(np.float32) * 1e-30)[:3] == pytest.approx(
        [50, 1, 1.6], rel=1e-4
    )
    with pytest.raises(ValueError, match="row for each image"):
        effective_sample_size(gradients[:, 0])


def test_weighted_images_are_means() -> None:
    images = torch.rand(3, 1, 28, 28, generator=torch.Generator().manual_seed(1))
    weights = np.array([[0, 1, 0], [0, 3, 1], [0, 0, 1]]) * np.array([1, 1e-30, 1])
    first, second, third = images[:, 0].numpy()
    found = weighted_images(images, weights)
    assert found.dtype == np.float32
    assert (found[0] == 0).all()
    assert np.allclose(found[1], (first + 3 * second) / 4, atol=1e-6)
    assert np.allclose(found[2], (second + third) / 2, atol=1e-6)
    with pytest.raises(ValueError, match="a weight is -1"):
        weighted_images(images, -weights)
    with pytest.raises(ValueError, match=r"weights are \(2, 3\): give \(3, units\)"):
        weighted_images(images, weights[:2])


def test_what_is_wrong_with_digits_is_said() -> None:
    model = frozen(lenet5(torch.float32))
    images, labels = digits(6, 0, torch.float32)
    with pytest.raises(ValueError, match="rectify is `2`: give a whole number from -1 to 1"):
        activation_rows(model, images, labels, rectify=2)
    with pytest.raises(ValueError, match="is not a label: choose 0 to 0"):
        activation_rows(model, images, labels, 1)
    for analysis in (unit_gradients, gradient_times_activation):
        with pytest.raises(ValueError, match="5 labels for 6 images"):
            analysis(model, images, labels[1:], "conv_0")
        with pytest.raises(ValueError, match="no images"):
            analysis(model, images[:0], labels[:0], "conv_0")
        with pytest.raises(ValueError, match="10 is not a label: choose 0 to 9"):
            analysis(model, images, labels * 0 + 10, "conv_0")
