"""Training: repeatable to the bit, recorded and cancellable."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from core.activations import collect
from core.data import DataSet
from core.models.inspectable import Inspectable
from core.models.registry import check
from core.training import PROBE, Start, Step, accuracy, steps_of, train
from tests.networks import KINDS, MOVED, built
from tests.networks import trained as trained_network

# Over 2,000 digits, until most are told apart.
PASSES = {
    "planted": 25,
    "lstm": 14,
    "gru": 14,
    "gru reset=before": 14,
    "attention": 16,
    "capsules": 5,
    "multitask": 20,
}
PASSES |= {MOVED: 40}


@pytest.mark.parametrize("name", KINDS)
def test_a_seed_gives_the_same_bits(name: str, strokes: DataSet) -> None:
    some = strokes.take(slice(600))
    one, same, other = (trained_network(name, some, epochs=1, seed=seed) for seed in (4, 4, 5))
    for left, right in zip(one.state_dict().values(), same.state_dict().values(), strict=True):
        assert torch.equal(left, right)
    assert one.history.loss == same.history.loss
    assert one.history.loss != other.history.loss


@pytest.mark.parametrize("name", KINDS)
def test_a_trained_model_is_frozen_and_learned(name: str, strokes: DataSet) -> None:
    model = trained_network(name, strokes, epochs=PASSES.get(name, 10))
    assert not model.training
    assert not any(p.requires_grad or p.grad is not None for p in model.parameters())
    assert accuracy(model, strokes) > 0.8 > 0.3 > accuracy(built(name), strokes)


def test_the_record_starts_untrained_and_ends_with_the_model(
    trained: Inspectable, strokes: DataSet
) -> None:
    history = trained.history
    assert len(history.loss) == 64
    steps = [moment.step for moment in history.moments]
    assert steps[:3] == [0, 1, 2]
    assert steps == sorted(set(steps))
    assert steps[-1] == 64
    assert sorted(history.weights) == [0, 1, 2, 4, 8, 16, 32, 64]
    for name, value in built("lenet5", 1).state_dict().items():
        assert torch.equal(history.weights[0][name], value)
    for name, value in trained.state_dict().items():
        assert torch.equal(history.weights[64][name], value)


def test_recorded_class_means_are_the_means_of_what_units_do(
    trained: Inspectable, strokes: DataSet
) -> None:
    probe = strokes.take(slice(PROBE))
    last = trained.history.moments[-1]
    for layer in trained.layers:
        values = collect(trained, probe.images, layer).relu()
        values = values.mean((2, 3)) if values.ndim == 4 else values
        for digit in (0, 7):
            expected = values[probe.labels == digit].mean(0)
            np.testing.assert_allclose(
                last.class_means[layer][:, digit], expected, rtol=1e-3, atol=1e-5
            )
    assert last.accuracy == pytest.approx(accuracy(trained, probe))


def test_every_step_is_told_and_an_exception_ends_it(strokes: DataSet) -> None:
    seen: list[Step] = []

    def stop_at_five(step: Step) -> None:
        seen.append(step)
        if step.number == 5:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        train("mlp", strokes, epochs=1, on_step=stop_at_five)
    assert [step.number for step in seen] == [1, 2, 3, 4, 5]
    assert all(step.total == 8 for step in seen)
    assert seen[0].moment is not None


def test_training_leaves_the_global_generator_alone(strokes: DataSet) -> None:
    before = torch.get_rng_state()
    train("mlp", strokes.take(slice(200)), epochs=1)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("name", "epochs", "n", "said"),
    [
        ("resnet", 1, 10, "choose one of lenet5"),
        ("mlp", 0, 10, "0 epochs on 10 digits"),
        ("mlp", 1, 0, "1 epochs on 0 digits"),
    ],
)
def test_what_can_not_be_trained_is_said(
    name: str, epochs: int, n: int, said: str, strokes: DataSet
) -> None:
    with pytest.raises(ValueError, match=said):
        train(name, strokes.take(slice(n)), epochs=epochs)


def test_a_training_can_begin_with_weights_and_leave_layers_as_they_are(strokes: DataSet) -> None:
    some = strokes.take(slice(500))
    first = train("lenet5", some, epochs=1, seed=1)
    start = Start(weights={k: v for k, v in first.state_dict().items() if "conv" in k},
                  frozen=("conv_0",))  # fmt: skip
    second = train("lenet5", some, epochs=1, seed=2, start=start)
    for name, value in first.state_dict().items():
        assert torch.equal(second.state_dict()[name], value) == name.startswith("conv_0")


def same(one: Inspectable, other: Inspectable) -> bool:
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(left, right) for left, right in pairs)


@pytest.mark.parametrize("kind", ["int32", "uint8", "int16", "float32", "float64"])
def test_labels_of_any_type_train_to_the_same_bits(kind: str, strokes: DataSet) -> None:
    some = strokes.take(slice(300))
    other = replace(some, labels=some.labels.to(getattr(torch, kind)))
    assert same(train("mlp", some, epochs=1), train("mlp", other, epochs=1))


@pytest.mark.parametrize("name", KINDS)
def test_every_model_takes_the_types_that_people_have(name: str, strokes: DataSet) -> None:
    some = strokes.take(slice(60))
    own = DataSet(some.images.numpy().astype("f8"), some.labels.int().numpy(), "own", "train")  # type: ignore[arg-type]
    one, other = (
        trained_network(name, of, epochs=np.int64(1), seed=np.int32(2)) for of in (some, own)
    )  # type: ignore[arg-type]
    assert same(one, other)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda images: images.index_fill(0, torch.tensor([7]), float("nan")), "image 7 holds NaN"),
        (lambda images: images * 255, r"go from 0 to 2\d\d.*: give numbers in 0..1; .* / 255"),
        (lambda images: (images - 0.13) / 0.31, r"go from -0.4\d+ to 2.8\d*: give numbers in 0..1"),
        (lambda images: images / 0, "image 0 holds NaN"),
        (lambda images: images + float("inf"), "go from inf to inf"),
        (lambda images: images[..., :14], r"shape \(batch, 1, 28, 14\): give \(batch, 1, 28, 28\)"),
        (lambda images: images.repeat(1, 3, 1, 1), r"shape \(batch, 3, 28, 28\)"),
    ],
)
@pytest.mark.parametrize("name", ["lenet5", "som", "pairs"])
def test_images_that_no_model_is_for_are_said_before_the_first_step(
    name: str, change: Any, said: str, strokes: DataSet
) -> None:
    def step(_: Step) -> None:
        pytest.fail("it began")

    bad = replace(strokes.take(slice(20)), images=change(strokes.images[:20]))
    with pytest.raises(ValueError, match=said) as caught:
        train(name, bad, epochs=1, on_step=step)
    assert "\n" not in str(caught.value)
    with pytest.raises(ValueError, match=said):
        train(name, strokes.take(slice(20)), epochs=1, on_step=step, watch=bad)


def test_images_a_little_outside_of_their_range_are_taken(strokes: DataSet) -> None:
    some = strokes.take(slice(20))
    train("mlp", replace(some, images=some.images * 1.06 - 0.03), epochs=1)


def test_labels_of_more_classes_are_said(strokes: DataSet) -> None:
    with pytest.raises(ValueError, match=r"labels\[3\] is `25`: give whole numbers from 0 to 9"):
        train("lenet5", replace(strokes.take(slice(5)), labels=torch.tensor([1, 2, 3, 25, 9])))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"epochs": 1.5}, "epochs is `1.5`: give a whole number"),
        ({"epochs": "3"}, "epochs is `3`: give a whole number"),
        ({"epochs": True}, "epochs is `True`: give a whole number"),
        ({"seed": "zero"}, "seed is `zero`: give a whole number"),
        ({"seed": -1}, "seed"),
        ({"seed": None}, "seed is `None`: give a whole number"),
        ({"settings": {"dropout": "half"}}, "dropout is `half`: give a number"),
        ({"settings": {"dropout": float("nan")}}, "dropout is `nan`: give a number"),
        ({"start": Start(weights={"fc.weight": torch.zeros(2)})}, "`fc.weight` is not a weight of"),
        (
            {"start": Start(weights={"linear_0.bias": torch.zeros(2)})},
            r"linear_0.bias has the shape \(2,\): mlp has \(\d+,\) there",
        ),
        ({"start": Start(frozen=built("mlp").layers)}, "all layers of mlp are frozen"),
    ],
)
def test_options_that_are_none_are_said(options: Any, said: str, strokes: DataSet) -> None:
    with pytest.raises(ValueError, match=said) as caught:
        train("mlp", strokes.take(slice(20)), **{"epochs": 1, **options})
    assert "\n" not in str(caught.value)


def test_a_training_can_begin_with_arrays(strokes: DataSet) -> None:
    bias = built("mlp").state_dict()["linear_0.bias"]
    begun = {"linear_0.bias": np.full(bias.shape, 0.25)}
    model = train("mlp", strokes.take(slice(20)), epochs=1, start=Start(weights=begun))  # type: ignore[arg-type]
    assert model.history.weights[0]["linear_0.bias"].unique().tolist() == [0.25]


def test_steps_are_counted_of_whole_numbers() -> None:
    mlp = check("mlp")
    assert steps_of(mlp, 500, 3) == steps_of(mlp, 500.0, np.int64(3)) == 6  # type: ignore[arg-type]
    assert steps_of(mlp, 0, 3) == 0
    for n, epochs in ((-1, 1), (10, 0), (10, 0.5), ("ten", 1)):
        with pytest.raises(ValueError, match="give a whole number of at least"):
            steps_of(mlp, n, epochs)  # type: ignore[arg-type]


@pytest.mark.parametrize("share", [-0.1, 1.0, 2.0])
def test_a_dropout_outside_its_range_is_refused(share: float, strokes: DataSet) -> None:
    with pytest.raises(ValueError, match=r"give a number from 0\.0 to 0\.95"):
        train("mlp", strokes.take(slice(100)), epochs=1, settings={"dropout": share})


def test_the_last_intent_is_kept(trained: Inspectable) -> None:
    for layer, intent in trained.history.intent.items():
        assert intent.shape == trained.history.moments[-1].class_means[layer].shape
        assert np.isfinite(intent).all()
        assert intent.any()
