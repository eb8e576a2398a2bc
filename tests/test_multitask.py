"""Networks with several heads: targets, pairs, lesions by task, variances and gradients."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from core.architectures.multitask import task as serving
from core.architectures.multitask.answers import answers
from core.architectures.multitask.gradients import (
    at_weights,
    cosines,
    gradients,
    pairs_of,
    repeated,
)
from core.architectures.multitask.lesions import crossed, matched, strengths
from core.architectures.multitask.sharing import (
    Lesions,
    Parity,
    effects,
    mean_images,
    score,
    specialization,
    tasks_of,
    variances,
)
from core.data import DataSet, load
from core.data.concepts.anatomy import Anatomy
from core.data.moments import slants, thicknesses
from core.data.pairs import side_by_side
from core.data.task import DataTask
from core.models.multitask import (
    SLANT_SPREAD,
    TERCILES,
    Head,
    ManyHeads,
    MultitaskSettings,
    PairsSettings,
)
from core.models.registry import build
from core.runs import Run
from core.runtime.lab import Lab
from core.runtime.store import Store
from core.training import train
from core.training.task import ModelTask

DIGIT, SLANT, THICKNESS, PARITY = range(4)  # the order of `tasks_of` for multitask


# Targets


def sheared(shear: float) -> Tensor:
    """A bar a pixel wide in rows 5 to 22, `shear` columns to the right for each row upwards."""
    image = torch.zeros(1, 1, 28, 28)
    for row in range(5, 23):
        column = 13.5 - shear * (row - 13.5)
        left = int(np.floor(column))
        image[0, 0, row, left] += 1 - (column - left)
        image[0, 0, row, left + 1] += column - left
    return image


@pytest.mark.parametrize("shear", [-0.5, 0.0, 0.5])
def test_the_slant_of_a_sheared_bar(shear: float) -> None:
    assert slants(sheared(shear)).item() == pytest.approx(np.sign(shear) * 0.46323, abs=0.005)


@pytest.mark.parametrize("wide", [2, 3, 5])
def test_the_thickness_of_a_bar(wide: int) -> None:
    image = torch.zeros(1, 1, 28, 28)
    image[..., 3:25, 10 : 10 + wide] = 1
    expected = 2 * 22 * wide / (2 * (22 + wide))  # its ends are outline too
    assert thicknesses(image).item() == pytest.approx(expected, rel=0.02)


def test_targets_agree_with_the_anatomy_of_digits(strokes: DataSet) -> None:
    some = strokes.take(slice(300))
    known = Anatomy(some.images)
    np.testing.assert_allclose(slants(some.images), known.slant, atol=0.01)
    assert np.corrcoef(thicknesses(some.images), known.thickness)[0, 1] > 0.96
    assert some.parts is not None
    assert np.corrcoef(thicknesses(some.images), some.parts.thickness)[0, 1] > 0.9


def test_a_blank_image_has_targets_that_are_numbers() -> None:
    blank = torch.zeros(2, 1, 28, 28)
    assert slants(blank).tolist() == thicknesses(blank).tolist() == [0, 0]


def test_targets_have_no_gradient_and_keep_the_precision() -> None:
    image = sheared(0.5).double().requires_grad_()
    for target in (slants(image), thicknesses(image)):
        assert not target.requires_grad
        assert target.dtype == torch.float64


@pytest.mark.mnist
def test_the_constants_are_those_of_the_training_digits() -> None:
    images = load("mnist", "fit").images[:20_000]
    assert slants(images).std().item() == pytest.approx(SLANT_SPREAD, abs=0.005)
    thirds = torch.bucketize(thicknesses(images), torch.tensor(TERCILES)).bincount() / len(images)
    assert thirds.tolist() == pytest.approx([1 / 3] * 3, abs=0.02)


# Pairs


def test_left_is_left_and_right_is_right() -> None:
    left, right = torch.rand(2, 1, 1, 28, 28).unbind(0)
    pair = side_by_side(left, right)[0, 0].numpy()
    for row, column in [(3, 0), (20, 13), (7, 5)]:
        own = left[0, 0, row, 2 * column : 2 * column + 2].mean()
        other = right[0, 0, row, 2 * column : 2 * column + 2].mean()
        assert pair[row, column] == pytest.approx(own.item())
        assert pair[row, 14 + column] == pytest.approx(other.item())
    alone = side_by_side(left)[0, 0]
    assert torch.equal(alone[:, :14], torch.from_numpy(pair[:, :14]))
    assert not alone[:, 14:].any()


def test_images_that_do_not_fit_are_no_pair() -> None:
    with pytest.raises(ValueError, match="give as many of each"):
        side_by_side(torch.zeros(2, 1, 28, 28), torch.zeros(3, 1, 28, 28))


def test_labels_of_pairs_belong_to_their_halves() -> None:
    images = torch.stack([torch.full((1, 28, 28), value / 10) for value in range(10)])
    model, labels = PairsSettings().network(), torch.arange(10)  # grey level and label are one
    for seen, targets in (model.examples(images, labels), model.problems(images, labels)):
        halves = (10 * seen[:, 0, 0, [0, 27]]).round().long()
        assert torch.equal(halves[:, 0], targets["left"])
        shown = targets["right"] < 10
        assert torch.equal(halves[shown, 1], targets["right"][shown])
        assert not halves[~shown, 1].any()
    assert (~shown).tolist() == [True, *[False] * 4] * 2
    assert torch.equal(targets["left"], labels)


def test_a_digit_alone_is_seen_on_the_left() -> None:
    model, images = build("pairs"), torch.rand(3, 1, 28, 28)
    expected = model.trace(side_by_side(images))["left"]
    torch.testing.assert_close(model(images), expected)


# Models


@pytest.mark.parametrize("name", ["multitask", "pairs"])
def test_the_loss_is_the_sum_of_the_scaled_losses(name: str, strokes: DataSet) -> None:
    model, some = build(name, 1), strokes.take(slice(50))
    assert isinstance(model, ManyHeads)
    seen, targets = model.problems(some.images, some.labels)
    layers = model.trace(seen)
    if name == "multitask":
        error = (layers["slant"][:, 0] - slants(some.images)).square().mean() / SLANT_SPREAD**2
        expected = (
            error
            + cross_entropy(layers["thickness"], targets["thickness"])
            + cross_entropy(layers["logits"], some.labels)
        )
    else:
        expected = sum(cross_entropy(layers[side], targets[side]) for side in ("left", "right"))
    torch.testing.assert_close(model.objective(some.images, some.labels), expected)


def test_other_heads_do_not_change_the_logits_and_have_a_gradient_of_zero() -> None:
    model, images = build("multitask", 2), torch.rand(4, 1, 28, 28)
    torch.testing.assert_close(model(images), model.trace(images)["logits"])
    (gradient,) = torch.autograd.grad(model(images).sum(), model.slant.weight)
    assert not gradient.any()


def test_a_probe_learns_without_teaching_the_shared_layers(strokes: DataSet) -> None:
    some = strokes.take(slice(20))
    model = MultitaskSettings(tasks="slant").network()
    model.objective(some.images, some.labels).backward()
    taught = {name: weight.grad.clone() for name, weight in model.named_parameters()}
    assert taught["logits.weight"].any()
    model.zero_grad()
    seen, targets = model.problems(some.images, some.labels)
    slant = model.heads[0]
    loss = slant.scale * slant.losses(model.trace(seen)["slant"], targets["slant"]).mean()
    loss.backward()
    torch.testing.assert_close(model.shared_0.weight.grad, taught["shared_0.weight"])
    torch.testing.assert_close(model.shared_1.weight.grad, taught["shared_1.weight"])


def test_what_follows_a_layer_that_is_not_shared_is_refused() -> None:
    with pytest.raises(ValueError, match="choose shared_0 or shared_1"):
        MultitaskSettings().network().after("logits", torch.zeros(1, 10))


# Lesions: a net made by hand, each unit of which serves tasks that are known

A, B, BOTH, IDLE, DEAD = range(5)  # units of shared_1


class Hand(ManyHeads):
    """Two regressions on two pixels: unit A gives the first, B the second, BOTH a part of each."""

    name = "hand"
    described = MultitaskSettings().describe()
    heads = (Head("second", "second"), Head("first", "first"))

    def __init__(self, weights: Mapping[tuple[str, int], float]) -> None:
        """weights: (head, unit) -> weight; all others are 0."""
        super().__init__()
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.zero_()
            for unit in range(3):
                self.shared_0.weight[unit, unit] = 1
                self.shared_1.weight[unit, unit] = 1
            self.shared_1.bias[IDLE] = 0.5  # active, and read by no head
            for (head, unit), weight in weights.items():
                self.get_submodule(head).weight[0, unit] = weight

    def problems(self, images: Tensor, labels: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """First: pixel A + pixel BOTH. Second: pixel B + pixel BOTH."""
        pixels = images.flatten(1)
        first, second = pixels[:, A] + pixels[:, BOTH], pixels[:, B] + pixels[:, BOTH]
        return images, {"first": first, "second": second}


WEIGHTS = {("first", A): 1.0, ("first", BOTH): 1.0, ("second", B): 1.0, ("second", BOTH): 1.0}


@pytest.fixture
def noise() -> DataSet:
    """Images of noise, of which two halves are mirrored, so that both tasks are equally hard."""
    images = torch.zeros(400, 28 * 28)
    pixels = torch.rand(200, 3, generator=torch.Generator().manual_seed(0))
    images[:200, :3], images[200:, :3] = pixels, pixels[:, [B, A, BOTH]]
    return DataSet(images.view(-1, 1, 28, 28), torch.arange(400) % 10, "strokes", "test")


@pytest.mark.parametrize("layer", ["shared_0", "shared_1"])
def test_units_of_blocks_are_told_exactly(layer: str, noise: DataSet) -> None:
    found = effects(Lesions(Hand(WEIGHTS), noise, layer))
    used = found.used((0, 1))
    index = specialization(found.harm[0], found.harm[1], used)
    assert index[A] == 1
    assert index[B] == -1
    assert index[BOTH] == pytest.approx(0, abs=1e-6)
    assert np.isnan(index[IDLE])
    assert np.isnan(index[DEAD:]).all()
    assert used.sum() == 3
    swapped = specialization(found.harm[1], found.harm[0], used)
    np.testing.assert_array_equal(swapped, -index)


def test_harm_is_in_units_of_chance_less_baseline(noise: DataSet) -> None:
    lesions = Lesions(Hand(WEIGHTS), noise, "shared_1")
    x, shared = noise.images.flatten(1)[:, A].double(), noise.images.flatten(1)[:, BOTH].double()
    variance = (x + shared).var(correction=0)
    assert lesions.worth[0] == pytest.approx(variance.item(), rel=1e-5)
    expected = x.square().mean() / variance
    assert lesions.judged([A])[0][0] == pytest.approx(expected.item(), rel=1e-5)
    assert lesions.judged([A])[0][1] == 0
    assert lesions.judged([A])[1][0] == pytest.approx(1 - expected.item(), rel=1e-5)
    assert lesions.judged()[1][0] == pytest.approx(1)


class Rising(Lesions):
    """Lesions whose rises are known: (tasks, digits) for each unit."""

    def __init__(self, rises: Tensor) -> None:
        self.rises, self.values = rises, torch.zeros(rises.shape[2], len(rises))

    def losses(self, units: Iterable[int] = ()) -> Tensor:
        """(tasks, digits): 0 for the intact network, else the rise of the one unit."""
        found: Tensor = sum((self.rises[unit] for unit in units), torch.zeros_like(self.rises[0]))
        return found

    worth = np.ones(2)  # type: ignore[assignment]


def test_changes_that_average_out_are_no_use_and_steady_ones_are() -> None:
    wrong = 0
    for seed in range(20):
        noise = torch.randn(40, 2, 300, generator=torch.Generator().manual_seed(seed))
        noise[0, 1] += 0.5
        found = effects(Rising(noise), seed)
        assert found.used((0, 1))[0]
        assert not found.used((0,))[0] or found.used((0,)).sum() < 3
        wrong += int(found.used((0, 1))[1:].any())
    assert wrong <= 4  # one in twenty is expected


def test_the_limit_is_that_of_random_signs() -> None:
    values = torch.rand(500, 1, 28, 28, generator=torch.Generator().manual_seed(2))
    digits = DataSet(values, torch.arange(500) % 10, "strokes", "test")
    found = effects(Lesions(Hand(WEIGHTS), digits, "shared_1"))
    assert 1.5 < found.limit < 4  # four tests are made: the largest of as many normal numbers
    assert np.abs(found.certain[0, A]) > 10
    assert found.certain[1, A] == 0


def test_an_untrained_network_has_no_unit_of_harm(strokes: DataSet) -> None:
    with pytest.raises(ValueError, match="no better than by a constant"):
        Lesions(build("multitask"), strokes.take(slice(100)), "shared_1")


def test_a_unit_that_is_not_there_can_not_be_silenced(noise: DataSet) -> None:
    with pytest.raises(ValueError, match="choose 0 to 127"):
        Lesions(Hand(WEIGHTS), noise, "shared_1").judged([128])


def test_the_weights_stay_as_they_are(noise: DataSet) -> None:
    model = Hand(WEIGHTS)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    effects(Lesions(model, noise, "shared_0"))
    gradients(model, noise, "shared_0")
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert not any(weight.grad is not None for weight in model.parameters())


def test_the_cross_matrix_of_the_hand_net(noise: DataSet) -> None:
    lesions = Lesions(Hand({**WEIGHTS, ("first", BOTH): 0.9, ("second", BOTH): 0.9}),
                      noise, "shared_1")  # fmt: skip
    ranked = np.zeros((2, 128))
    ranked[0, A] = ranked[1, B] = 1
    found = crossed(lesions, ranked, count=1, draws=12)
    assert found.harm[0, 0] > 0.5
    assert found.harm[1, 1] > 0.5
    assert found.harm[0, 1] == found.harm[1, 0] == 0
    assert found.random_harm.shape == (2, 12, 2)
    # silent units, which no head reads, are as many and take nothing away
    assert np.median(found.random_harm[0, :, 0]) == pytest.approx(0, abs=0.7)
    assert (found.harm[0, 0] >= found.random_harm[0, :, 0]).mean() > 0.8


def test_random_units_are_others_of_like_strength() -> None:
    strength = np.repeat([1.0, 100.0], 40)
    sets = matched(strength, [0, 1, 40], 30, np.random.default_rng(0))
    assert not np.isin(sets, [0, 1, 40]).any()
    assert all(len(set(one)) == 3 for one in sets.tolist())
    assert (sets[:, :2] < 40).all()
    assert (sets[:, 2] >= 40).all()
    with pytest.raises(ValueError, match="choose at most half"):
        matched(strength, list(range(50)), 1, np.random.default_rng(0))


def test_strength_is_activation_times_outgoing_weights(noise: DataSet) -> None:
    found = strengths(Lesions(Hand(WEIGHTS), noise, "shared_1"))
    mean = noise.images.flatten(1)[:, BOTH].double().mean().item()
    assert found[BOTH] == pytest.approx(mean * np.sqrt(2), rel=1e-5)
    assert found[IDLE] == 0


def test_the_first_layer_is_silenced_as_by_a_model_without_the_unit(strokes: DataSet) -> None:
    model = build("multitask", 1)
    some = strokes.take(slice(20))
    with torch.no_grad():
        values = model.trace(some.images)["shared_0"].clone()
        values[:, 7] = 0
        edited = model.after("shared_0", values)["logits"]
        model.shared_1.weight[:, 7] = 0
        torch.testing.assert_close(model.trace(some.images)["logits"], edited)


# Parity, a function of the digit


def test_parity_follows_from_the_logits_of_the_digit() -> None:
    logits = torch.randn(6, 10, generator=torch.Generator().manual_seed(0))
    shares = logits.softmax(1)
    even = shares[:, ::2].sum(1)
    head = Parity("parity", "logits", ("even", "odd"))
    expected = -torch.stack([even, 1 - even], 1).log()[torch.arange(6), torch.arange(6) % 2]
    torch.testing.assert_close(head.losses(logits, torch.arange(6) % 2), expected)
    sure = torch.nn.functional.one_hot(torch.tensor([4, 7]), 10) * 20.0
    assert score(head, sure, torch.tensor([0, 1])) == 1
    assert [one.task for one in tasks_of(MultitaskSettings().network())] == [
        "digit",
        "slant",
        "thickness",
        "parity",
    ]
    assert [one.task for one in tasks_of(PairsSettings().network())] == ["left", "right"]


# Variance


def test_planted_units_have_the_variance_of_their_task(strokes: DataSet) -> None:
    some = strokes.take(slice(1000))
    lesions = Lesions.__new__(Lesions)
    lesions.model, lesions.layer = MultitaskSettings().network(), "shared_1"
    lesions.heads = tasks_of(lesions.model)
    _, lesions.targets = lesions.model.examples(some.images, some.labels)
    lesions.targets["parity"] = some.labels % 2
    noise = torch.rand(1000, generator=torch.Generator().manual_seed(0))
    slant = lesions.targets["slant"]
    lesions.values = torch.stack(
        [(some.labels == 3).float(), slant - slant.min(), noise, torch.full((1000,), 0.3)], 1
    )
    found = variances(lesions)
    assert found[DIGIT, 0] == pytest.approx(1, abs=1e-9)
    assert found[SLANT, 1] > 0.9
    assert (found[:, 2] < 0.03).all()
    assert (found[:, 3] == 0).all()
    index = specialization(found[DIGIT], found[SLANT])
    assert index[0] > 0.6
    assert index[1] < -0.5
    assert np.isnan(index[3])


def test_mean_images_are_of_what_a_unit_sees(noise: DataSet) -> None:
    found = mean_images(Lesions(Hand(WEIGHTS), noise, "shared_1"))
    pixel = noise.images[:, 0, 0, A].double()
    expected = pixel.square().sum() / pixel.sum() - pixel.mean()
    assert found[A, 0, A] == pytest.approx(expected.item(), rel=1e-4)
    assert abs(found[A, 0, B]) < 0.05
    assert not found[DEAD].any()


def test_explained_variance_of_two_groups_by_hand(noise: DataSet) -> None:
    lesions = Lesions.__new__(Lesions)
    lesions.heads = (Head("group", "group", ("low", "high")),)
    lesions.targets = {"group": torch.tensor([0, 0, 1, 1])}
    lesions.values = torch.tensor([[0.0], [2.0], [4.0], [6.0]])
    # total 20, between 16, within 4: mean square within 4 / 2, so (16 - 1 * 2) / 20
    assert variances(lesions)[0, 0] == pytest.approx(0.7)


# Gradients


def test_gradients_are_those_of_the_weights(strokes: DataSet) -> None:
    model, some = MultitaskSettings().network(), strokes.take(slice(30))
    for layer in ("shared_0", "shared_1"):
        found = gradients(model, some, layer)
        seen, targets = model.examples(some.images, some.labels)
        module = model.get_submodule(layer)
        for at, head in enumerate(model.tasks):
            loss = head.losses(model.trace(seen)[head.layer], targets[head.task]).mean()
            weight, bias = torch.autograd.grad(loss, [module.weight, module.bias])
            torch.testing.assert_close(found[at], torch.cat([weight, bias[:, None]], 1))


def test_cosines_by_hand() -> None:
    one = torch.tensor([[1.0, 0.0], [0.0, 0.0]])
    found = torch.stack([one, -one, torch.tensor([[1.0, 1.0], [0.0, 2.0]])])
    whole, by_unit = cosines(found)
    assert pairs_of(3) == [(0, 1), (0, 2), (1, 2)]
    np.testing.assert_allclose(whole, [-1, 1 / np.sqrt(6), -1 / np.sqrt(6)])
    np.testing.assert_allclose(by_unit[:, 0], [-1, np.sqrt(0.5), -np.sqrt(0.5)])
    assert np.isnan(by_unit[:, 1]).all()


def test_repeated_gradients_of_the_same_digits_are_alike(strokes: DataSet) -> None:
    some = strokes.take(torch.arange(250).repeat(3))
    between, alike, by_unit = repeated(MultitaskSettings().network(), some, "shared_1")
    np.testing.assert_allclose(alike, 1, atol=1e-6)
    assert between.shape == (3,)
    assert by_unit.shape == (3, 128)


def test_a_network_at_other_weights_leaves_the_first_alone() -> None:
    model, other = build("pairs", 1), build("pairs", 2)
    assert isinstance(model, ManyHeads)
    moved = at_weights(model, other.state_dict())
    assert torch.equal(moved.shared_0.weight, other.shared_0.weight)
    assert not torch.equal(moved.shared_0.weight, model.shared_0.weight)


# What is kept, and the tables made of it


def test_the_tables_are_of_the_numbers_kept(strokes: DataSet, tmp_path: Path) -> None:
    run = Run("strokes", "multitask", seed=0)
    model = train("multitask", strokes.take(slice(500)), epochs=6)
    lab = Lab(Store(tmp_path))
    for split in ("fit", "discovery", "confirmation"):
        lab.give(DataTask("strokes", split), strokes.take(slice(500)))
    lab.give(ModelTask(run), model)
    shared = lab.result(serving.SharedUnitsTask(run))
    assert shared.taught == ("digit", "slant", "thickness")
    assert shared.tasks == (*shared.taught, "parity")
    table = shared.units("shared_1", "digit", "slant")
    turned = shared.units("shared_1", "slant", "digit")
    np.testing.assert_array_equal(table["index"], -turned["index"])
    np.testing.assert_array_equal(table["cosine"], turned["cosine"])
    counts = shared.counts("shared_1", "digit", "slant")
    assert counts["used"] == table["used"].sum() == table["index"].notna().sum()
    examples = shared.examples("shared_1", "digit", "slant", 3)
    assert all((table["index"][units] > 0.5).all() for units in [examples["digit"]])
    crossed_ = shared.crossed("shared_1", 0.1).set_index(["silent", "task"])
    lesions = Lesions(model, strokes.take(slice(500)), "shared_1")
    top = np.argsort(-shared.arrays["shared_1 harm"][SLANT], kind="stable")[:13]
    expected = lesions.judged(top)[0]
    assert crossed_.loc[("slant", "slant"), "harm"] == pytest.approx(expected[SLANT])
    assert crossed_.loc[("slant", "digit"), "harm"] == pytest.approx(expected[DIGIT])
    assert set(shared.conflict()["step"]) == set(model.history.weights)


# One digit


@pytest.mark.parametrize("name", ["multitask", "pairs"])
def test_every_answer_is_its_sum(name: str, strokes: DataSet) -> None:
    model, some = build(name, 1), strokes.take(slice(2))
    assert isinstance(model, ManyHeads)
    found = answers(model, some.images, some.labels)
    seen, targets = model.examples(some.images, some.labels)
    layers = model.trace(seen)
    for example, one in enumerate(found):
        for answer, head in zip(one.heads, model.tasks, strict=True):
            output = layers[head.layer][example].double()
            sum_ = answer.bias + answer.weights @ one.passed
            assert sum_ == pytest.approx(output.max().item(), abs=1e-5)
            assert answer.sum_ == pytest.approx(sum_, abs=1e-5)
            assert answer.right == pytest.approx(targets[head.task][example].item())
            without = model.after("shared_1", silenced(layers["shared_1"][[example]], 5))
            target = targets[head.task][[example]]
            rise = head.losses(without[head.layer], target) - head.losses(output[None], target)
            assert answer.rises[5] == pytest.approx(rise.item(), abs=1e-5)


def test_two_digits_are_answered_in_both_places(strokes: DataSet) -> None:
    model, some = build("pairs", 1), strokes.take(slice(2))
    assert isinstance(model, ManyHeads)
    both, turned = answers(model, some.images, some.labels)
    first, second = some.labels.tolist()
    assert [head.right for head in both.heads] == [first, second]
    assert [head.right for head in turned.heads] == [second, first]
    np.testing.assert_allclose(both.seen[:, :14], turned.seen[:, 14:])


def silenced(values: Tensor, unit: int) -> Tensor:
    """The activations with one unit at 0."""
    values = values.clone()
    values[:, unit] = 0
    return values
