"""Reading and editing layers: values by hand, and a shared model that nothing ever touches."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from core.activations import collect, collect_layers, layer_of, reader, run
from core.data import DataSet
from core.models.inspectable import Inspectable
from core.units import UnitId
from tests.networks import KINDS, built


class Gates(nn.Module):
    """Three inputs, three hidden units with one input each, and each class is one of them."""

    layers = ("hidden", "out")

    def __init__(self) -> None:
        super().__init__()
        self.hidden, self.out = nn.Linear(3, 3), nn.Linear(3, 3)
        with torch.no_grad():
            self.hidden.weight.copy_(torch.eye(3))
            self.hidden.bias.zero_()
            self.out.weight.copy_(torch.eye(3))
            self.out.bias.zero_()

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.out(self.hidden(images).relu())
        return logits


INPUTS = torch.tensor([[1.0, -2.0, 3.0], [4.0, 5.0, -6.0]])


def state(model: nn.Module) -> list[Any]:
    """Everything about a model that reading it must not change."""
    hooks = [(len(m._forward_hooks), len(m._forward_pre_hooks)) for m in model.modules()]
    weights = [(p.detach().clone(), p.grad, p.requires_grad) for p in model.parameters()]
    return [hooks, weights, [m.training for m in model.modules()], torch.get_rng_state()]


def same(one: Any, other: Any) -> bool:
    if isinstance(one, Tensor):
        return torch.equal(one, other)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def test_a_layer_is_read_before_its_relu() -> None:
    assert collect(Gates(), INPUTS, "hidden").tolist() == INPUTS.tolist()
    assert collect(Gates(), INPUTS, "out").tolist() == INPUTS.relu().tolist()


def test_batches_change_nothing(strokes: DataSet, trained: Inspectable) -> None:
    images = strokes.images[:50]
    whole = collect_layers(trained, images)
    for batch in (1, 7, 50, 1000):
        for name, values in collect_layers(trained, images, batch=batch).items():
            torch.testing.assert_close(values, whole[name], atol=1e-5, rtol=1e-5)


def test_a_reduction_is_applied_image_by_image(strokes: DataSet, trained: Inspectable) -> None:
    maps = collect(trained, strokes.images[:30], "conv_1")
    peaks = collect(
        trained, strokes.images[:30], "conv_1", reduce=lambda a: a.amax((2, 3)), batch=7
    )
    torch.testing.assert_close(peaks, maps.amax((2, 3)))


def test_numpy_images_are_welcome_and_bytes_are_not(strokes: DataSet) -> None:
    model = built("mlp")
    images = strokes.images[:3]
    assert torch.equal(
        collect(model, images.numpy(), "linear_0"), collect(model, images, "linear_0")
    )
    with pytest.raises(ValueError, match=r"torch.uint8: pass floating point values in 0..1"):
        collect(model, (images.numpy() * 255).astype(np.uint8), "linear_0")
    with pytest.raises(ValueError, match="no images"):
        collect(model, images[:0], "linear_0")


def test_reading_gives_gradients_to_the_image_alone(strokes: DataSet, trained: Inspectable) -> None:
    image = strokes.images[:1].clone().requires_grad_()
    unit = reader(trained, "linear_0")(image)[0, 5]
    (gradient,) = torch.autograd.grad(unit, image)
    flat = torch.zeros_like(image)
    flat[0, 0, 12, 14] = 1e-2
    high, low = (collect(trained, image.detach() + s * flat, "linear_0")[0, 5] for s in (1, -1))
    assert ((high - low) / 2e-2).item() == pytest.approx(gradient[0, 0, 12, 14].item(), abs=2e-2)
    assert all(p.grad is None for p in trained.parameters())


def test_silencing_the_only_unit_of_a_class_silences_that_class_alone() -> None:
    logits = run(Gates(), INPUTS, {("hidden", 2): 0.0})
    assert logits.tolist() == [[1.0, 0.0, 0.0], [4.0, 5.0, 0.0]]


def test_a_mean_is_of_what_the_relu_passes_on() -> None:
    logits = run(Gates(), INPUTS, {("hidden", 1): "mean"})
    assert logits[:, 1].tolist() == [2.5, 2.5]


def test_the_mean_of_a_map_is_taken_position_by_position(
    strokes: DataSet, trained: Inspectable
) -> None:
    images = strokes.images[:20]
    expected = collect(trained, images, "conv_1").relu()[:, 3].mean(0)
    seen: list[Tensor] = []
    run(
        trained,
        images,
        {("conv_1", 3): lambda a: seen.append(a) or expected.expand_as(a)},  # type: ignore[func-returns-value]
    )
    torch.testing.assert_close(
        run(trained, images, {("conv_1", 3): "mean"}, batch=6),
        run(trained, images, {("conv_1", 3): lambda a: expected.expand_as(a)}),
        atol=1e-5,
        rtol=1e-5,
    )
    assert seen[0].shape == (20, 8, 8)


def test_a_function_sees_all_images_at_once() -> None:
    many = INPUTS.repeat(400, 1)
    logits = run(Gates(), many, {("hidden", 0): lambda a: a.flip(0)})
    assert logits[:, 0].tolist() == many[:, 0].flip(0).tolist()


def test_editing_what_is_already_so_changes_nothing(strokes: DataSet, trained: Inspectable) -> None:
    images = strokes.images[:20]
    plain = run(trained, images)
    assert torch.equal(run(trained, images, {("linear_0", 9): lambda a: a}), plain)
    constant = run(trained, images[:1].expand(20, -1, -1, -1), {("linear_0", 9): "mean"})
    torch.testing.assert_close(constant, plain[:1].expand(20, -1), atol=1e-5, rtol=1e-5)


def test_a_unit_without_outgoing_weights_has_no_effect(strokes: DataSet) -> None:
    model = built("lenet5")
    with torch.no_grad():
        model.linear_1.weight[:, 17] = 0
    plain = run(model, strokes.images[:20])
    for edit in (0.0, 100.0, "mean", lambda a: a.flip(0)):
        assert torch.equal(run(model, strokes.images[:20], {("linear_0", 17): edit}), plain)


def test_two_equal_units_hide_each_other() -> None:
    model = Gates()
    with torch.no_grad():
        model.hidden.weight.copy_(torch.tensor([[1.0, 0, 0], [1.0, 0, 0], [0, 0, 1.0]]))
        model.out.weight[0] = torch.tensor([0.5, 0.5, 0])
    alone = run(model, INPUTS, {("hidden", 0): lambda a: a})
    both = run(model, INPUTS, {("hidden", 0): 0.0, ("hidden", 1): 0.0})
    assert alone[:, 0].tolist() == [1.0, 4.0]
    assert both[:, 0].tolist() == [0.0, 0.0]


def test_unit_names_and_pairs_mean_the_same(strokes: DataSet, trained: Inspectable) -> None:
    named = run(trained, strokes.images[:5], {UnitId("lenet5", "linear_0", 4): 3.0})
    assert torch.equal(named, run(trained, strokes.images[:5], {("linear_0", 4): 3.0}))


@pytest.mark.parametrize(
    ("unit", "said"),
    [
        (("linear_1", 84), "linear_1 has no unit 84: choose 0 to 83"),
        (("linear_0", -1), "linear_0 has no unit -1"),
        (("linear_9", 0), "choose one of conv_0, conv_1, linear_0, linear_1, linear_2"),
        (UnitId("mlp", "linear_0", 0), "`mlp/linear_0/0` is not a unit of this model"),
    ],
)
def test_a_unit_of_another_layer_is_refused(
    trained: Inspectable, strokes: DataSet, unit: Any, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        run(trained, strokes.images[:2], {unit: 0.0})


@pytest.mark.parametrize("edit", ["median", None, lambda a: a[:1]])
def test_an_edit_that_makes_no_sense_is_refused(
    trained: Inspectable, strokes: DataSet, edit: Any
) -> None:
    with pytest.raises(ValueError, match="edit"):
        run(trained, strokes.images[:2], {("linear_0", 0): edit})


def test_a_module_without_layers_is_told_what_it_lacks() -> None:
    with pytest.raises(ValueError, match=r"give it `\.layers`"):
        collect(nn.Linear(2, 2), torch.rand(1, 2), "weight")


def test_a_layer_that_is_never_reached_is_named() -> None:
    class Lazy(Gates):
        layers = ("hidden", "out", "spare")

        def __init__(self) -> None:
            super().__init__()
            self.spare = nn.Linear(3, 3)

    with pytest.raises(ValueError, match="never reaches spare"):
        collect(Lazy(), INPUTS, "spare")


def test_layers_of_any_module_are_described() -> None:
    assert layer_of(Gates(), "hidden").rectified
    assert not layer_of(Gates(), "out").rectified
    assert layer_of(Gates(), "hidden").units == 3


# The contract: whatever is called, and however it ends, the shared model is as it was.


def breaks(values: Tensor) -> Tensor:
    raise RuntimeError("on purpose")


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("mode", ["trained", "training"])
def test_reading_and_editing_leave_no_trace(name: str, mode: str, strokes: DataSet) -> None:
    model = built(name).train(mode == "training")
    model.requires_grad_(mode == "training")
    images, layer = strokes.images[:10], model.layers[0]
    before = state(model)
    collect(model, images, layer)
    collect_layers(model, images)
    run(model, images, {(layer, 0): 0.0, (model.layers[-1], 1): "mean"})
    with pytest.raises(RuntimeError, match="on purpose"):
        run(model, images, {(layer, 0): breaks})
    with pytest.raises(RuntimeError, match="on purpose"):
        collect(model, images, layer, reduce=breaks)
    with pytest.raises(RuntimeError):
        collect(model, images[:, :, :5, :5], model.layers[-1])
    assert same(state(model), before)


def test_one_visitors_edit_is_never_seen_by_another(strokes: DataSet, trained: Inspectable) -> None:
    images = strokes.images[:100]
    plain, edited = run(trained, images), run(trained, images, {("conv_0", 0): 50.0})
    assert not torch.allclose(plain, edited)

    def visit(at: int) -> bool:
        edits = {("conv_0", 0): 50.0} if at % 2 else None
        return torch.equal(run(trained, images, edits), edited if at % 2 else plain)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(visit, range(60)))
