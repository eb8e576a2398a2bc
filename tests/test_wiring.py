"""What units get from those below: against layers run again by hand, and planted networks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, max_pool2d, pad

from core.activations import collect
from core.analyses.wiring import contributions, measured, strongest, weight_pictures
from core.analyses.wiring.task import WiringTask
from core.data import DataSet
from core.models.inspectable import Inspectable
from core.models.registry import draw
from core.runs import Run
from core.wires import BIAS, IMAGE, MIXED, NO_SUM, NONE, trace
from tests.labs import SmallLab, again, assert_same
from tests.networks import KINDS, built

SHAPE = (1, 28, 28)
WIRED = {  # by architecture, what each layer reads; a layer that isn't here has no wires
    "lenet5": {
        "conv_0": IMAGE,
        "conv_1": "conv_0",
        "linear_0": "conv_1",
        "linear_1": "linear_0",
        "linear_2": "linear_1",
    },
    "simple_cnn": {"conv1": IMAGE, "conv2": "conv1", "fc": "conv2"},
    "mlp": {"linear_0": IMAGE, "linear_1": "linear_0", "linear_2": "linear_1"},
    "lstm": {"logits": "hidden"},
    "gru": {"logits": "hidden"},
    "attention": {},
    "capsules": {"conv": IMAGE, "primary": "conv"},
    "multitask": {
        "shared_0": IMAGE,
        "shared_1": "shared_0",
        "slant": "shared_1",
        "thickness": "shared_1",
        "logits": "shared_1",
    },
    "pairs": {"shared_0": IMAGE, "shared_1": "shared_0", "right": "shared_1", "left": "shared_1"},
    "planted": {
        "linear_0": IMAGE,
        "linear_1": "linear_0",
        "linear_2": "linear_1",
        "linear_3": "linear_2",
    },
    "rbf": {"logits": "centres"},
    "som": {},
    "mixture": {"scores": IMAGE, "hidden": IMAGE, "logits": "hidden gate"},
    "mixture chosen=2": {"scores": IMAGE, "hidden": IMAGE, "logits": "hidden gate"},
    "mixture layers=2,experts=4,width=64,epochs=10,jitter=4": {"hidden_1": IMAGE},
    "gru reset=before": {"logits": "hidden"},
}


@pytest.fixture(scope="module")
def digits(strokes: DataSet) -> Tensor:
    return strokes.images[:6]


def mean_values(model: nn.Module, images: Tensor, layer: str) -> np.ndarray:
    """(units,): the layer's activations as the network has them, mean over digits and positions."""
    values = collect(model, images, layer).double()
    return values.transpose(0, 1).flatten(1).mean(1).numpy()


@pytest.mark.parametrize("kind", [*KINDS, "mixture chosen=2"])
def test_the_weights_between_layers_are_found_and_their_contributions_add_up(
    kind: str, digits: Tensor
) -> None:
    model = built(kind).eval().requires_grad_(False)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    wires = trace(model, SHAPE)
    found = {name: " ".join(of.below) for name, of in wires.items() if not of.missing}
    assert found == WIRED[kind]
    for layer in found:
        parts = contributions(model, wires[layer], digits)
        summed = sum(table.sum(1) for table in parts.inputs.values()) + parts.bias
        np.testing.assert_allclose(summed, parts.total, atol=1e-9)
        np.testing.assert_allclose(summed, mean_values(model, digits, layer), atol=1e-5)
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert all(value.grad is None for value in model.parameters())
    assert not any(module._forward_hooks for module in model.modules())


@pytest.mark.parametrize(
    ("kind", "layer", "missing"),
    [
        ("lstm", "forget", NO_SUM),
        ("lstm", "hidden", NONE),
        ("attention", "heads_0", NO_SUM),
        ("attention", "logits", NO_SUM),
        ("capsules", "pose", NO_SUM),
        ("capsules", "lengths", NONE),
        ("som", "map", NO_SUM),
        ("som", "logits", NONE),
        ("mixture", "gate", NONE),
        ("mixture layers=2,experts=4", "logits", MIXED),
    ],
)
def test_a_layer_without_contributions_says_why(kind: str, layer: str, missing: str) -> None:
    model = built(kind).eval()
    wires = trace(model, SHAPE)[layer]
    assert wires.missing == missing
    with pytest.raises(ValueError, match=f"{layer} has no wires"):
        contributions(model, wires, torch.zeros(1, *SHAPE))


@pytest.mark.parametrize(
    ("kind", "layer", "below"), [("lenet5", "conv_1", "conv_0"), ("simple_cnn", "conv2", "conv1")]
)
def test_a_map_gives_what_its_channel_alone_makes_of_the_next_layer(
    kind: str, layer: str, below: str, digits: Tensor
) -> None:
    model = built(kind).eval()
    parts = contributions(model, trace(model, SHAPE)[layer], digits)
    fed = max_pool2d(collect(model, digits, below).relu(), 2)
    convolution = model.get_submodule(layer)
    for channel in range(fed.shape[1]):
        alone = torch.zeros_like(fed)
        alone[:, channel] = fed[:, channel]
        made = conv2d(alone, convolution.weight, None, 1, convolution.padding)
        np.testing.assert_allclose(
            parts.inputs[below][:, channel], made.mean((0, 2, 3)).detach(), atol=1e-6
        )
    np.testing.assert_allclose(parts.bias, convolution.bias.detach(), atol=1e-9)


def test_a_dense_layer_adds_weight_times_what_is_fed_in(digits: Tensor) -> None:
    model = built("lenet5").eval()
    wires = trace(model, SHAPE)
    fed = max_pool2d(collect(model, digits, "conv_1").relu(), 2)[:1]  # (1, 16, 4, 4)
    each = model.linear_0.weight.detach().view(120, 16, 4, 4) * fed
    parts = contributions(model, wires["linear_0"], digits[:1])
    np.testing.assert_allclose(parts.inputs["conv_1"], each.sum((2, 3)), atol=1e-6)
    hidden = collect(model, digits, "linear_0").relu().mean(0)
    parts = contributions(model, wires["linear_1"], digits)
    expected = model.linear_1.weight.detach() * hidden
    np.testing.assert_allclose(parts.inputs["linear_0"], expected, atol=1e-6)


def test_the_last_row_of_a_recurrent_state_is_what_its_logits_read(digits: Tensor) -> None:
    model = built("lstm").eval()
    parts = contributions(model, trace(model, SHAPE)["logits"], digits)
    last = collect(model, digits, "hidden")[:, :, -1, 0].mean(0)
    expected = model.logits.weight.detach() * last
    np.testing.assert_allclose(parts.inputs["hidden"], expected, atol=1e-6)


def test_a_mixtures_logits_add_up_experts_units_and_gates(digits: Tensor) -> None:
    model = built("mixture").eval()
    parts = contributions(model, trace(model, SHAPE)["logits"], digits)
    gate, hidden = (collect(model, digits, layer) for layer in ("gate", "hidden"))
    given = hidden.relu().unflatten(1, (8, 32)) * gate[:, :, None]  # (n, experts, units)
    each = (given.mean(0)[..., None] * model.answer.detach()).flatten(0, 1).T
    np.testing.assert_allclose(parts.inputs["hidden"], each, atol=1e-6)
    of_gate = (gate.mean(0)[:, None] * model.bias.detach()).T
    np.testing.assert_allclose(parts.inputs["gate"], of_gate, atol=1e-6)


class Odd(nn.Module):
    """Grouped, strided and reflected convolution, features in another order, and what isn't wired.

    `second` reads two of four channels each; `third` reads the pixels of `second` shuffled, and of
    the image its mean; `tied` has one weight for all its units, `added` a term without weights.
    """

    layers = ("first", "second", "third", "tied", "added")

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 4, 3, stride=3, padding=1, padding_mode="reflect")
        self.second = nn.Conv2d(4, 6, 2, dilation=2, groups=2)
        self.order = torch.randperm(6 * 8 * 8, generator=torch.Generator().manual_seed(3))
        self.weights = nn.Parameter(torch.randn(6 * 8 * 8 + 1, 5))
        self.scale = nn.Parameter(torch.tensor(0.5))
        self.last = nn.Linear(5, 5)
        self.third, self.tied, self.added = nn.Identity(), nn.Identity(), nn.Identity()

    def fed(self, images: Tensor, second: Tensor) -> Tensor:
        """What `third` reads."""
        rest = images.mean((1, 2, 3))[:, None]
        return torch.cat([second.tanh().flatten(1)[:, self.order], rest], 1)

    def forward(self, images: Tensor) -> Tensor:
        maps = self.second(self.first(images).relu())
        third = self.third(self.fed(images, maps) @ self.weights)
        tied = self.tied(third * self.scale)
        return self.added(self.last(tied.relu()) + tied)


def test_any_module_is_traced_whatever_stands_between_its_layers(digits: Tensor) -> None:
    torch.manual_seed(0)
    model = Odd().eval()
    wires = trace(model, SHAPE)
    assert {name: (of.below, of.missing) for name, of in wires.items()} == {
        "first": ((IMAGE,), ""),
        "second": (("first",), ""),
        "third": (("second", IMAGE), ""),
        "tied": ((), MIXED),
        "added": ((), NO_SUM),
    }
    second = contributions(model, wires["second"], digits).inputs["first"]
    fed = collect(model, digits, "first").relu()
    for unit in range(6):
        for channel in range(4):
            own = model.second.weight[unit, channel % 2][None, None].detach()
            made = float(conv2d(fed[:, [channel]], own, dilation=2).mean())
            expected = made if channel // 2 == unit // 3 else 0.0
            assert second[unit, channel] == pytest.approx(expected, abs=1e-6)
    maps = collect(model, digits, "second")
    third = contributions(model, wires["third"], digits)
    for channel in range(6):
        alone = torch.zeros_like(maps)
        alone[:, channel] = maps[:, channel]
        made = model.fed(0 * digits, alone).mean(0) @ model.weights.detach()
        np.testing.assert_allclose(third.inputs["second"][:, channel], made, atol=1e-6)
    first = contributions(model, wires["first"], digits)
    padded = pad(digits, (1, 1, 1, 1), mode="reflect")
    made = conv2d(padded, model.first.weight.detach(), stride=3).mean((0, 2, 3))
    np.testing.assert_allclose(first.inputs[IMAGE].sum(1), made, atol=1e-6)


def test_weights_that_read_two_units_at_once_belong_to_none() -> None:
    class Pooled(nn.Module):
        layers = ("first", "second")

        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.Linear(784, 6), nn.Linear(3, 2)

        def forward(self, images: Tensor) -> Tensor:
            pairs = self.first(images.flatten(1)).unflatten(1, (3, 2))
            return self.second(pairs.amax(2))

    assert trace(Pooled().eval(), SHAPE)["second"].missing == MIXED


def planted_and(seed: int) -> Inspectable:
    """A perceptron whose unit linear_1/2 is on where both linear_0/3 and linear_0/5 are."""
    model = draw("mlp", seed, {"widths": (8, 4)}).eval().requires_grad_(False)
    weight, bias = model.linear_1.weight, model.linear_1.bias
    weight[2] *= 0.1
    weight[2, [3, 5]] = 1.0
    bias[2] = -1.0
    for unit, pixels in ((3, slice(300, 340)), (5, slice(400, 440))):
        model.linear_0.weight[unit] = 0.0
        model.linear_0.weight[unit, pixels] = 0.2
    return model


def test_a_planted_and_returns_its_two_inputs_first(strokes: DataSet) -> None:
    for seed in range(5):
        model = planted_and(seed)
        wires = trace(model, SHAPE)
        halves = strokes.images[:200], strokes.images[200:400]
        found = measured(model, planted_and(seed + 50), wires, *halves)
        inputs = found.layers["linear_1"].inputs["linear_0"]
        assert set(strongest(inputs.discovery[2], 2)) == {3, 5}
        assert (inputs.confirmation[2, [3, 5]] > 0).all()
        alone = contributions(model, wires["linear_1"], strokes.images[:1])
        assert set(strongest(alone.inputs["linear_0"][2], 8)) >= {3, 5}
        assert found.readers("linear_0") == ("linear_1",)
        assert found.layers["linear_1"].effective[2] < 4 < found.layers["linear_1"].number


def test_what_contributes_nothing_is_not_among_the_strongest() -> None:
    assert strongest(np.array([0.0, -3.0, 2.0, 0.0]), 3).tolist() == [1, 2]
    assert not len(strongest(np.zeros(4), 3))


def test_weights_are_pictured_as_they_lie() -> None:
    lenet = built("lenet5").eval()
    wires = trace(lenet, SHAPE)

    def pictures(layer: str, unit: int, below: str) -> np.ndarray:
        found = weight_pictures(lenet, wires[layer], unit, below, SHAPE)
        assert found is not None
        return found

    np.testing.assert_array_equal(pictures("conv_0", 4, IMAGE), lenet.conv_0.weight[4].detach())
    np.testing.assert_array_equal(pictures("conv_1", 7, "conv_0"), lenet.conv_1.weight[7].detach())
    dense = lenet.linear_0.weight[9].detach().view(16, 4, 4)
    np.testing.assert_array_equal(pictures("linear_0", 9, "conv_1"), dense)
    assert weight_pictures(lenet, wires["linear_1"], 0, "linear_0", SHAPE) is None
    assert weight_pictures(lenet, wires["linear_1"], 0, "conv_0", SHAPE) is None
    mlp = built("mlp").eval()
    found = weight_pictures(mlp, trace(mlp, SHAPE)["linear_0"], 3, IMAGE, SHAPE)
    np.testing.assert_array_equal(found, mlp.linear_0.weight[3].detach().view(SHAPE))


def test_of_two_digits_side_by_side_the_picture_shows_what_is_read() -> None:
    model = built("pairs").eval()
    found = weight_pictures(model, trace(model, SHAPE)["shared_0"], 3, IMAGE, SHAPE)
    weights = model.shared_0.weight[3].detach().view(SHAPE).numpy()
    assert found is not None
    np.testing.assert_array_equal(found[:, :, :14], weights[:, :, :14])
    assert not found[:, :, 14:].any()


def test_a_lab_gives_the_wiring_of_a_run_and_keeps_it(tmp_path: Path) -> None:
    lab = SmallLab(tmp_path)
    run = Run("strokes", "mlp", {"widths": (12, 6), "epochs": 1})
    found = lab.result(WiringTask(run))
    layer = found.layers["linear_1"]
    assert layer.wires.below == ("linear_0",)
    assert [of.below for of in layer.wires.wires] == ["linear_0", BIAS]
    assert layer.number == 12
    parts = layer.inputs["linear_0"]
    assert parts.discovery.shape == parts.confirmation.shape == (6, 12)
    assert not np.array_equal(parts.discovery, parts.confirmation)
    np.testing.assert_allclose(parts.confirmation.sum(1) + layer.bias, layer.total, atol=1e-5)
    assert_same(found, again(found))
