"""Every architecture against a second implementation, its size and its own description."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch.nn.functional import conv2d, linear, max_pool2d, relu

from core.activations import collect_layers, reader
from core.models.inspectable import Inspectable
from tests.networks import KINDS, MOVED, built

PARAMETERS = {
    "lenet5": 44_426,
    "simple_cnn": 20_490,
    "mlp": 235_146,
    "lstm": 24_458,
    "gru": 18_570,
    "gru reset=before": 18_506,
    "attention": 72_010,
    "capsules": 779_920,
    "rbf": 238_211,
    "som": 313_601,
    "planted": 111_146,
    "multitask": 235_662,
    "pairs": 236_565,
    "mixture": 209_880,
    MOVED: 245_714,
}


@pytest.fixture(params=KINDS)
def model(request: pytest.FixtureRequest) -> Inspectable:
    return built(request.param, seed=3).eval()


@pytest.fixture
def noise() -> torch.Tensor:
    return torch.rand(3, 1, 28, 28, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("text", KINDS)
def test_parameters_are_counted_exactly(text: str) -> None:
    assert sum(p.numel() for p in built(text).parameters()) == PARAMETERS[text]


def test_layers_are_as_described(model: Inspectable, noise: torch.Tensor) -> None:
    found = collect_layers(model, noise)
    assert tuple(found) == model.layers
    for layer in model.described:
        assert found[layer.name].shape == (3, layer.units, *(layer.map or ()))
    torch.testing.assert_close(found[model.layers[-1]], model(noise))


def test_a_seed_gives_the_same_weights_and_leaves_the_generator_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    one, same, other = built("lenet5", 1), built("lenet5", 1), built("lenet5", 2)
    assert torch.equal(torch.rand(3), expected)
    assert torch.equal(one.linear_0.weight, same.linear_0.weight)
    assert not torch.equal(one.linear_0.weight, other.linear_0.weight)


@pytest.mark.parametrize(("name", "seed"), [("lenet", 0), ("lenet5", -1), ("", 0)])
def test_an_unknown_model_or_seed_is_named(name: str, seed: int) -> None:
    with pytest.raises(ValueError, match=r"choose|seed is `-1`: give a whole number from 0 to"):
        built(name, seed)


def test_lenet5_equals_its_definition(noise: torch.Tensor) -> None:
    model = built("lenet5", 0)
    w = model.state_dict()
    maps = max_pool2d(relu(conv2d(noise, w["conv_0.weight"], w["conv_0.bias"])), 2)
    maps = max_pool2d(relu(conv2d(maps, w["conv_1.weight"], w["conv_1.bias"])), 2)
    hidden = relu(linear(maps.reshape(3, 256), w["linear_0.weight"], w["linear_0.bias"]))
    hidden = relu(linear(hidden, w["linear_1.weight"], w["linear_1.bias"]))
    expected = linear(hidden, w["linear_2.weight"], w["linear_2.bias"])
    torch.testing.assert_close(model(noise), expected)
    units = collect_layers(model, noise, ["linear_0"])["linear_0"]
    assert units.min() < 0, "linear_0 is read before its ReLU"


def test_the_receptive_field_is_where_the_gradient_is(model: Inspectable) -> None:
    for layer in model.described:
        if layer.map is None or layer.field is None:
            continue
        row, column = layer.map[0] // 2, layer.map[1] // 2 - 1
        seen = torch.zeros(28, 28, dtype=torch.bool)
        for seed in range(200):
            generator = torch.Generator().manual_seed(seed)
            image = torch.rand(1, 1, 28, 28, generator=generator).requires_grad_()
            maps = reader(model, layer.name)(image)
            (gradient,) = torch.autograd.grad(maps[0, :, row, column].sum(), image)
            seen |= gradient[0, 0] != 0
        rows, columns = seen.any(1).nonzero(), seen.any(0).nonzero()
        box = (int(rows[0]), int(columns[0]), int(rows[-1]), int(columns[-1]))
        assert box == layer.field.box(row, column), layer.name


def test_a_layer_says_where_it_is_read() -> None:
    described = built("lenet5").described
    assert described[2].tap == "before the ReLU"
    assert described[-1].tap == "logits, before the softmax"
    assert replace(described[0], rectified=False).tap != described[0].tap
