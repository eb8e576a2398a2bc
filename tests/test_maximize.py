"""Maximized inputs: optima that are known by hand, and a shared model that nothing ever touches."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cosine_similarity, pad

from core.activations import collect, layer_of, reader
from core.analyses.maximize import (
    BUDGETS,
    PARAMETERIZATIONS,
    Channel,
    Covariance,
    Fourier,
    Maximized,
    Neuron,
    Pixel,
    Settings,
    loop,
    maximize,
)
from core.analyses.maximize.transforms import Jitter
from core.data import DataSet
from core.models.inspectable import Inspectable
from core.models.registry import build
from core.units import UnitId

PIXELS = 28 * 28
WAYS = list(product(PARAMETERIZATIONS, BUDGETS))


class Planted(nn.Module):
    """A layer `unit` whose best images are known; `before` is what its inputs pass through."""

    layers = ("unit",)

    def __init__(self, unit: nn.Module, before: nn.Module | None = None) -> None:
        super().__init__()
        self.before, self.unit = before or nn.Identity(), unit

    def forward(self, images: Tensor) -> Tensor:
        values: Tensor = self.unit(self.before(images.flatten(1)))
        return values


class Spread(nn.Module):
    """How far from `centre` an image is, above `least`; its gradient is zero below."""

    def __init__(self, centre: float, least: float) -> None:
        super().__init__()
        self.centre, self.least = centre, least

    def forward(self, flat: Tensor) -> Tensor:
        return ((flat - self.centre).norm(dim=1, keepdim=True) - self.least).relu()


class Radial(nn.Module):
    """-|x - c|^2 for each centre c."""

    def __init__(self, centres: Tensor) -> None:
        super().__init__()
        self.register_buffer("centres", centres)

    def forward(self, flat: Tensor) -> Tensor:
        return -(flat[:, None] - self.centres).square().sum(2)


def linear(weights: Tensor, bias: Tensor | float = 0.0) -> nn.Linear:
    layer = nn.Linear(weights.shape[1], len(weights))
    with torch.no_grad():
        layer.weight.copy_(weights)
        layer.bias.copy_(torch.as_tensor(bias).expand(len(weights)))
    return layer


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def correlated(n: int = 500) -> Tensor:
    """Images whose pixels vary together: 40 smooth directions around a mean."""
    smooth = torch.nn.functional.avg_pool2d(drawn(40, 1, 28, 28, seed=5), 5, 1, 2).flatten(1)
    return (0.4 + 0.2 * drawn(n, 40, seed=6) @ smooth).view(n, 1, 28, 28)


def units_of(n: int, layer: str = "unit") -> list[tuple[str, int]]:
    return [(layer, index) for index in range(n)]


def cosine(one: Tensor, other: Tensor) -> Tensor:
    """In double precision: a cosine of 1 - 1e-5 is near the rounding errors of a float."""
    return cosine_similarity(one.flatten(1).double(), other.flatten(1).double())


WEIGHTS, BIAS = drawn(4, PIXELS), torch.tensor([0.0, 3.0, -5.0, 100.0])
LINEAR = Planted(linear(WEIGHTS, BIAS))


# Linear units: the optimum is a formula.


def test_in_a_ball_a_linear_unit_gets_its_weights() -> None:
    found = maximize(
        LINEAR, units_of(4), parameterization="pixel", budget="l2", radius=3.0, jitter=0
    )
    assert (cosine(found.images, WEIGHTS) > 1 - 1e-5).all()
    torch.testing.assert_close(
        found.activations, 3 * WEIGHTS.norm(dim=1) + BIAS, rtol=1e-5, atol=1e-3
    )


def test_adam_on_a_ball_would_get_the_signs_of_the_weights() -> None:
    """Why the ball is climbed along the normalized gradient."""
    image = drawn(1, PIXELS, seed=1).requires_grad_()
    optimizer = torch.optim.Adam([image], lr=0.1)
    for _ in range(300):
        optimizer.zero_grad()
        (-image @ WEIGHTS[0]).sum().backward()
        optimizer.step()
        with torch.no_grad():
            image *= (3 / image.norm()).clamp(max=1)
    assert cosine(image.detach(), WEIGHTS[:1]).item() == pytest.approx(
        (2 / torch.pi) ** 0.5, abs=0.02
    )
    assert cosine(image.detach(), WEIGHTS[:1].sign()).item() > 0.99


def test_in_a_box_the_pixels_with_positive_weights_are_lit() -> None:
    found = maximize(
        LINEAR, units_of(4), parameterization="pixel", budget="box", jitter=0, steps=500
    )
    best = WEIGHTS.relu().sum(1)
    assert (found.activations - BIAS >= 0.99 * best).all()
    assert (found.activations - BIAS <= best + 1e-3).all()
    heavy = WEIGHTS.abs() > 0.1
    assert torch.equal(found.images.flatten(1)[heavy] > 0.5, WEIGHTS[heavy] > 0)


def test_the_covariance_turns_the_weights_towards_how_images_vary() -> None:
    images = correlated()
    natural = images.flatten(1).double()
    mean, covariance = natural.mean(0), natural.T.cov()
    w = WEIGHTS.double()
    best = w @ covariance
    length = (w * best).sum(1, keepdim=True).sqrt()
    expected = mean + 4 * best / length
    found = maximize(
        LINEAR,
        units_of(4),
        natural=images,
        parameterization="covariance",
        budget="l2",
        radius=4.0,
        jitter=0,
    )
    assert (cosine(found.images.flatten(1) - mean, expected - mean) > 1 - 1e-5).all()
    torch.testing.assert_close(
        found.activations.double(), (w * expected).sum(1) + BIAS, rtol=1e-4, atol=1e-3
    )


def test_the_minimum_is_the_maximum_of_the_unit_turned_round() -> None:
    turned = Planted(linear(-WEIGHTS, -BIAS))
    for budget in BUDGETS:
        how = Settings(parameterization="pixel", budget=budget, steps=40)
        low = maximize(LINEAR, units_of(4), settings=how, minimize=True)
        high = maximize(turned, units_of(4), settings=how)
        torch.testing.assert_close(low.images, high.images)
        torch.testing.assert_close(low.activations, -high.activations)
        torch.testing.assert_close(low.trace, -high.trace)


def test_a_radial_unit_is_maximized_by_its_centre() -> None:
    centres = 0.5 + 0.15 * drawn(3, PIXELS).clamp(-2, 2)
    found = maximize(
        Planted(Radial(centres)),
        units_of(3),
        parameterization="pixel",
        budget="box",
        jitter=0,
        steps=300,
    )
    torch.testing.assert_close(found.images.flatten(1), centres, atol=0.01, rtol=0)


# Starts without a gradient are told, and never shown as a picture.


@pytest.mark.parametrize(("parameterization", "budget"), WAYS)
def test_a_dead_unit_is_stuck_and_the_others_are_not(parameterization: str, budget: str) -> None:
    before = nn.Sequential(linear(WEIGHTS, torch.tensor([0.0, -1e6, 0.0, 0.0])), nn.ReLU())
    model = Planted(linear(torch.eye(4)[[0, 1]] + torch.eye(4)[[2, 1]]), before)
    found = maximize(
        model,
        units_of(2),
        natural=correlated(),
        parameterization=parameterization,
        budget=budget,
        steps=10,
    )
    assert found.stuck.tolist() == [False, True]
    assert found.images[1].isnan().all()
    assert found.activations[1].isnan()
    assert found.images[0].isfinite().all()
    assert found.activations[0] > 0


@pytest.mark.parametrize(("budget", "centre", "least"), [("box", 0.5, 8.0), ("l2", 0.0, 7.0)])
def test_a_unit_that_is_flat_at_the_first_start_gets_a_larger_one(
    budget: str, centre: float, least: float
) -> None:
    late, early = (
        Planted(linear(torch.ones(1, 1)), Spread(centre, at)) for at in (least, least / 100)
    )
    how = Settings(parameterization="pixel", budget=budget, steps=10, jitter=0)
    first = maximize(early, units_of(1), settings=how).trace[0] + least / 100
    assert first < least  # so that the first start is flat for the late one
    found = maximize(late, units_of(1), settings=how)
    assert not found.stuck.any()
    assert found.activations.item() > 0


@pytest.mark.parametrize(("parameterization", "budget"), WAYS)
def test_no_unit_of_a_trained_lenet_is_stuck(
    parameterization: str, budget: str, trained: Inspectable, strokes: DataSet
) -> None:
    found = maximize(
        trained,
        units_of(120, "linear_0"),
        natural=strokes.images[:200],
        parameterization=parameterization,
        budget=budget,
        steps=1,
    )
    assert not found.stuck.any()
    assert found.images.isfinite().all()


# Waves.


def whole_map(parameterization: Any) -> Tensor:
    """(pixels, latents): the map as a matrix."""
    latents = torch.Size(parameterization.shape).numel()
    basis = torch.eye(latents).view(latents, *parameterization.shape)
    return parameterization.images(basis).flatten(1).T.double()


def test_the_waves_are_orthonormal() -> None:
    matrix = whole_map(Fourier(decay=0))
    torch.testing.assert_close(
        matrix @ matrix.T, torch.eye(PIXELS, dtype=torch.double), atol=1e-5, rtol=0
    )


def naive_step(w: Tensor, scale: Tensor) -> Tensor:
    """One step with a basis in which the inner columns count once."""
    latents = torch.zeros(len(w), 2, 28, 15, requires_grad=True)

    def images(z: Tensor) -> Tensor:
        return torch.fft.irfft2(torch.complex(z[:, 0], z[:, 1]) * scale, s=(28, 28), norm="ortho")

    (gradient,) = torch.autograd.grad((images(latents) * w).sum(), latents)
    return images(gradient)


def test_a_step_along_the_waves_filters_the_gradient_by_their_scale() -> None:
    waves, w = Fourier(), WEIGHTS.view(4, 28, 28)
    latents = torch.zeros(4, *waves.shape, requires_grad=True)
    (gradient,) = torch.autograd.grad((waves.images(latents)[:, 0] * w).sum(), latents)
    filtered = torch.fft.irfft2(waves.scale**2 * torch.fft.rfft2(w), s=(28, 28))
    assert (cosine(waves.images(gradient), filtered) > 1 - 1e-5).all()
    assert (cosine(naive_step(w, waves.scale), filtered) < 0.99).all()


def test_without_decay_the_ball_of_waves_is_the_ball_of_pixels(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(loop, "Fourier", lambda: Fourier(decay=0))
    how = Settings(budget="l2", radius=3.0, jitter=0)
    pixels, waves = (
        maximize(LINEAR, units_of(4), settings=how, parameterization=name)
        for name in ("pixel", "fourier")
    )
    torch.testing.assert_close(waves.images, pixels.images, atol=1e-4, rtol=0)
    torch.testing.assert_close(waves.activations, pixels.activations, atol=1e-2, rtol=0)


@pytest.mark.parametrize("decay", [0.0, 1.0, 2.0])
def test_an_image_is_never_larger_than_its_waves(decay: float) -> None:
    waves = Fourier(decay)
    assert waves.scale.max().item() == 1
    assert torch.linalg.matrix_norm(whole_map(waves), 2).item() <= 1 + 1e-5
    latents = drawn(200, *waves.shape)
    norms = waves.images(latents).flatten(1).norm(dim=1)
    assert (norms <= latents.flatten(1).norm(dim=1)).all()
    assert (waves.images(latents) * waves.gain).std().item() == pytest.approx(1, abs=0.03)


# Fields: a neuron of a map sees a part of the image, and is maximized by that part.


def outside(trained: Inspectable) -> Tensor:
    """(28, 28): the pixels that the middle neuron of conv_1 doesn't see."""
    field = layer_of(trained, "conv_1").field
    assert field is not None
    top, left, bottom, right = field.box(4, 4)
    mask = torch.ones(28, 28, dtype=torch.bool)
    mask[top : bottom + 1, left : right + 1] = False
    return mask


def test_a_convolutional_neuron_is_blind_outside_its_field(
    trained: Inspectable, strokes: DataSet
) -> None:
    blind = outside(trained)
    images = strokes.images[:16].clone().requires_grad_()
    values = Neuron()(reader(trained, "conv_1")(images), torch.arange(16))
    (gradient,) = torch.autograd.grad(values.sum(), images)
    assert not gradient[:, 0, blind].any()
    assert gradient[:, 0, ~blind].any()

    found = maximize(
        trained, units_of(16, "conv_1"), parameterization="pixel", budget="l2", jitter=0
    )
    energy = found.images[:, 0].square()
    assert (energy[:, blind].sum(1) < 0.01 * energy.sum((1, 2))).all()


def test_objectives_are_what_they_say(trained: Inspectable, strokes: DataSet) -> None:
    units = torch.tensor([3, 0, 15, 3])
    maps = collect(trained, strokes.images[:4], "conv_1")
    middle = [maps[i, u, 4, 4].item() for i, u in enumerate(units)]
    corner = [maps[i, u, 0, 7].item() for i, u in enumerate(units)]
    mean = [maps[i, u].mean().item() for i, u in enumerate(units)]
    assert Neuron()(maps, units).tolist() == middle
    assert Neuron(0, 7)(maps, units).tolist() == corner
    assert Neuron(row=0, column=7)(maps, units).tolist() == corner
    assert Channel()(maps, units).tolist() == pytest.approx(mean, abs=1e-6)
    dense = collect(trained, strokes.images[:4], "linear_0")
    for objective in (Neuron(), Channel()):
        assert objective(dense, units).tolist() == [dense[i, u].item() for i, u in enumerate(units)]


def test_objectives_add_and_scale(trained: Inspectable, strokes: DataSet) -> None:
    units = torch.tensor([3, 0, 15, 3])
    maps = collect(trained, strokes.images[:4], "conv_1")
    one, other = Neuron(), Channel()
    both = 2 * one + other * 0.5 + -Neuron(0, 0)
    torch.testing.assert_close(
        both(maps, units),
        2 * one(maps, units) + 0.5 * other(maps, units) - Neuron(0, 0)(maps, units),
    )


def test_the_objective_is_what_is_climbed(trained: Inspectable) -> None:
    how = Settings(parameterization="pixel", steps=20, jitter=0)
    corner = maximize(trained, units_of(16, "conv_1"), settings=how, objective=Neuron(0, 0))
    maps = collect(trained, corner.images, "conv_1")
    own = maps[torch.arange(16), torch.arange(16)]
    torch.testing.assert_close(corner.activations, own[:, 0, 0], atol=1e-4, rtol=1e-4)
    channel = maximize(
        trained, units_of(16, "conv_1"), settings=Settings(**vars(how) | {"objective": "channel"})
    )
    own = collect(trained, channel.images, "conv_1")[torch.arange(16), torch.arange(16)]
    torch.testing.assert_close(channel.activations, own.mean((1, 2)), atol=1e-4, rtol=1e-4)


# What is returned.


@pytest.fixture(scope="module")
def natural(strokes: DataSet) -> Covariance:
    return Covariance.of(strokes.images)


@pytest.fixture(scope="module")
def found(trained: Inspectable, natural: Covariance) -> dict[tuple[str, str], Maximized]:
    """All of linear_0, each way."""
    return {
        way: maximize(
            trained,
            units_of(120, "linear_0"),
            natural=natural,
            parameterization=way[0],
            budget=way[1],
            steps=20,
        )
        for way in WAYS
    }


@pytest.mark.parametrize("way", WAYS)
def test_the_reported_activation_is_that_of_the_image(
    way: tuple[str, str], found: dict[tuple[str, str], Maximized], trained: Inspectable
) -> None:
    result = found[way]
    own = collect(trained, result.images, "linear_0").diagonal()
    torch.testing.assert_close(result.activations, own, atol=1e-4, rtol=1e-5)
    assert result.units == tuple(units_of(120, "linear_0"))


@pytest.mark.parametrize("way", WAYS)
def test_the_climb_goes_up(way: tuple[str, str], found: dict[tuple[str, str], Maximized]) -> None:
    result = found[way]
    assert result.looks.tolist() == sorted(set(result.looks.tolist()))
    assert result.looks[0] == 0
    assert result.looks[-1] == 20
    assert result.trace.shape == (len(result.looks), 120)
    assert (result.trace[-1] >= result.trace[0]).all()
    assert (result.activations >= result.trace.amax(0) - 1e-4).all()


@pytest.mark.parametrize("way", WAYS)
def test_images_keep_to_the_budget(
    way: tuple[str, str], found: dict[tuple[str, str], Maximized], natural: Covariance
) -> None:
    images = found[way].images
    radius = loop.RADII[way[0]]
    if way[1] == "box":
        assert images.min() >= 0
        assert images.max() <= 1
    elif way[0] == "covariance":
        latents = (
            torch.linalg.pinv(natural.root.double(), rtol=1e-4)
            @ (images.flatten(1).double() - natural.mean).T
        )
        assert (latents.norm(dim=0) <= radius + 1e-2).all()
    else:  # an image's norm is never above that of its waves
        assert (images.flatten(1).norm(dim=1) <= radius + 1e-4).all()


def test_the_minimum_is_below_the_maximum(
    found: dict[tuple[str, str], Maximized], trained: Inspectable, natural: Covariance
) -> None:
    for parameterization, budget in WAYS:
        low = maximize(
            trained,
            units_of(120, "linear_0"),
            natural=natural,
            parameterization=parameterization,
            budget=budget,
            steps=10,
            minimize=True,
        )
        assert (low.activations < found[parameterization, budget].activations).all()
        assert (low.activations <= low.trace.amin(0) + 1e-4).all()
        assert (low.trace[-1] <= low.trace[0]).all()


@pytest.mark.parametrize("way", WAYS)
def test_a_unit_is_the_same_alone_and_in_any_order(
    way: tuple[str, str],
    found: dict[tuple[str, str], Maximized],
    trained: Inspectable,
    natural: Covariance,
) -> None:
    how = Settings(parameterization=way[0], budget=way[1], steps=20)
    for some in ([7], [119, 7, 58, 7]):
        units = [UnitId("lenet5", "linear_0", index) for index in some]
        result = maximize(trained, units, settings=how, natural=natural)
        torch.testing.assert_close(
            result.activations, found[way].activations[some], atol=1e-4, rtol=1e-4
        )
        torch.testing.assert_close(result.images, found[way].images[some], atol=1e-4, rtol=0)


def test_a_seed_is_a_picture(trained: Inspectable, natural: Covariance) -> None:
    for way in WAYS:
        how = Settings(parameterization=way[0], budget=way[1], steps=5)
        one, again, other = (
            maximize(trained, units_of(9, "linear_0"), settings=how, natural=natural, seed=seed)
            for seed in (4, 4, 5)
        )
        assert torch.equal(one.images, again.images)
        assert torch.equal(one.trace, again.trace)
        assert (one.trace[0] != other.trace[0]).all()


def test_units_of_one_seed_start_from_images_of_their_own() -> None:
    same = Planted(linear(WEIGHTS[:1].expand(3, -1)))
    starts = maximize(same, units_of(3), parameterization="pixel", steps=1).trace[0]
    assert len(set(starts.tolist())) == 3


# The shift.


@pytest.mark.parametrize("pixels", [0, 1, 2])
def test_a_shift_moves_all_images_alike_and_leaves_blanks(pixels: int) -> None:
    images = 1 + torch.arange(3 * PIXELS, dtype=torch.float).view(3, 1, 28, 28)
    padded = pad(images, (pixels,) * 4)
    moved = {
        (down, right): padded[
            :, :, pixels - down : pixels - down + 28, pixels - right : pixels - right + 28
        ]
        for down, right in product(range(-pixels, pixels + 1), repeat=2)
    }
    generator = torch.Generator().manual_seed(0)
    seen = set()
    for _ in range(200):
        shifted = Jitter(pixels)(images, generator)
        seen |= {which for which, expected in moved.items() if torch.equal(shifted, expected)}
        assert any(torch.equal(shifted, expected) for expected in moved.values())
    assert seen == set(moved)


def test_a_shifted_climb_lights_neighbours_too() -> None:
    weights = torch.zeros(1, 28, 28)
    weights[0, 14, 14] = 1
    model = Planted(linear(weights.view(1, -1)))
    for jitter in (0, 1):
        result = maximize(
            model, units_of(1), parameterization="pixel", budget="l2", jitter=jitter, steps=200
        )
        image = result.images[0, 0]
        near = image[14 - jitter : 15 + jitter, 14 - jitter : 15 + jitter]
        assert (near > 0).all()
        assert near.square().sum() > 0.99 * image.square().sum()


# The contract: whatever is asked, and however it ends, the shared model is as it was.


def state(model: nn.Module) -> list[Tensor | list[Any]]:
    """Everything that maximizing must not change, the tensors first."""
    tensors = [value.clone() for value in model.state_dict().values()]
    flags = [(p.grad is None, p.requires_grad) for p in model.parameters()]
    hooks = [
        (len(m._forward_hooks), len(m._forward_pre_hooks), len(m._backward_hooks), m.training)
        for m in model.modules()
    ]
    return [*tensors, torch.get_rng_state(), [flags, hooks, torch.is_grad_enabled()]]


def same(one: list[Any], other: list[Any]) -> bool:
    return one[-1] == other[-1] and all(map(torch.equal, one[:-1], other[:-1]))


@pytest.mark.parametrize("mode", ["frozen", "training"])
@pytest.mark.parametrize("name", ["lenet5", "mlp"])
def test_maximizing_leaves_no_trace(name: str, mode: str, natural: Covariance) -> None:
    model = build(name).train(mode == "training").requires_grad_(mode == "training")
    before = state(model)

    def stops(done: int, steps: int) -> None:
        if done == 2:
            raise KeyboardInterrupt("on purpose")

    for parameterization, budget in WAYS:
        how = Settings(parameterization=parameterization, budget=budget, steps=3)
        result = maximize(model, units_of(2, "linear_0"), settings=how, natural=natural)
        assert not result.images.requires_grad
        assert not result.trace.requires_grad
        with pytest.raises(KeyboardInterrupt, match="on purpose"):
            maximize(model, units_of(2, "linear_0"), settings=how, natural=natural, on_step=stops)
    assert same(state(model), before)


def test_progress_is_told_step_by_step() -> None:
    told: list[tuple[int, int]] = []
    maximize(
        LINEAR,
        units_of(1),
        parameterization="pixel",
        steps=4,
        on_step=lambda done, steps: told.append((done, steps)),
    )
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"parameterization": "wavelet"}, "choose one of pixel, fourier, covariance"),
        ({"budget": "l1"}, "choose one of box, l2"),
        ({"objective": "layer"}, "choose one of neuron, channel"),
        ({"steps": 0}, "give a whole number from 1 to 2000"),
        ({"steps": 5000}, "give a whole number from 1 to 2000"),
        ({"jitter": 9}, "give a whole number from 0 to 4"),
        ({"jitter": -1}, "give a whole number from 0 to 4"),
        ({"radius": 0.0}, "choose a number above 0"),
        ({"radius": -1.0}, "choose a number above 0"),
        ({"radius": float("nan")}, "radius is `nan`: give a number"),
        ({"radius": float("inf")}, "radius is `inf`: give a number"),
    ],
)
def test_settings_that_make_no_sense_are_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Settings(**changes)
    if "objective" not in changes:
        with pytest.raises(ValueError, match=said):
            maximize(LINEAR, units_of(1), **changes)


@pytest.mark.parametrize(
    ("units", "said"),
    [
        ([], "give units of one"),
        ([("conv_1", 0), ("linear_0", 0)], "give units of one"),
        ([("linear_0", 120)], "linear_0 has no unit 120"),
        ([("linear_9", 0)], "choose one of conv_0"),
        ([UnitId("mlp", "linear_0", 0)], "not a unit of this model"),
    ],
)
def test_units_that_make_no_sense_are_refused(
    units: list[Any], said: str, trained: Inspectable
) -> None:
    with pytest.raises(ValueError, match=said):
        maximize(trained, units, parameterization="pixel")


def test_a_covariance_needs_digits(strokes: DataSet) -> None:
    with pytest.raises(ValueError, match="pass natural=images"):
        maximize(LINEAR, units_of(1), parameterization="covariance")
    with pytest.raises(ValueError, match="at least 2"):
        Covariance.of(strokes.images[:1])


def test_digits_and_their_covariance_mean_the_same(strokes: DataSet) -> None:
    digits = strokes.images[:200]
    one, other = (
        maximize(LINEAR, units_of(2), natural=natural, steps=3)
        for natural in (digits, Covariance.of(digits))
    )
    assert torch.equal(one.images, other.images)


def test_the_root_of_the_covariance_is_one(strokes: DataSet, natural: Covariance) -> None:
    torch.testing.assert_close(
        natural.root @ natural.root, strokes.images.flatten(1).T.cov(), atol=1e-5, rtol=0
    )
    assert torch.equal(natural.images(torch.zeros(1, PIXELS)).flatten(), natural.mean)
    assert torch.equal(Pixel().images(strokes.images[:2]), strokes.images[:2])


def test_the_objective_is_a_change_like_any_other(trained: Inspectable) -> None:
    units = units_of(2, "conv_1")
    named = maximize(trained, units, parameterization="pixel", steps=2, objective="channel")
    given = maximize(trained, units, parameterization="pixel", steps=2, objective=Channel())
    assert torch.equal(named.images, given.images)
