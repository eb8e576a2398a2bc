"""Training: repeatable to the bit, recorded, cancellable, and as accurate as promised."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from core.activations import all_peaks, collect
from core.digits import Digits, load_digits
from core.models.inspectable import Inspectable
from core.models.registry import LISTED, build
from core.training import PROBE, Start, Step, accuracy, train

# Over 2,000 digits, until most are told apart.
PASSES = {"lstm": 14, "gru": 14, "gru_before": 14, "attention": 16, "capsules": 5, "multitask": 20}
PASSES |= {"mixture_jittered": 40}


@pytest.mark.parametrize("name", LISTED)
def test_a_seed_gives_the_same_bits(name: str, strokes: Digits) -> None:
    some = strokes.take(slice(600))
    one, same, other = (train(name, some, epochs=1, seed=seed) for seed in (4, 4, 5))
    for left, right in zip(one.state_dict().values(), same.state_dict().values(), strict=True):
        assert torch.equal(left, right)
    assert one.history.loss == same.history.loss
    assert one.history.loss != other.history.loss


@pytest.mark.parametrize("name", LISTED)
def test_a_trained_model_is_frozen_and_learned(name: str, strokes: Digits) -> None:
    model = train(name, strokes, epochs=PASSES.get(name, 10))
    assert not model.training
    assert not any(p.requires_grad or p.grad is not None for p in model.parameters())
    assert accuracy(model, strokes) > 0.8 > 0.3 > accuracy(build(name), strokes)


def test_the_record_starts_untrained_and_ends_with_the_model(
    trained: Inspectable, strokes: Digits
) -> None:
    history = trained.history
    assert len(history.loss) == 64
    steps = [moment.step for moment in history.moments]
    assert steps[:3] == [0, 1, 2]
    assert steps == sorted(set(steps))
    assert steps[-1] == 64
    assert sorted(history.weights) == [0, 1, 2, 4, 8, 16, 32, 64]
    for name, value in build("lenet5", 1).state_dict().items():
        assert torch.equal(history.weights[0][name], value)
    for name, value in trained.state_dict().items():
        assert torch.equal(history.weights[64][name], value)


def test_recorded_class_means_are_the_means_of_what_units_do(
    trained: Inspectable, strokes: Digits
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


def test_every_step_is_told_and_an_exception_ends_it(strokes: Digits) -> None:
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


def test_training_leaves_the_global_generator_alone(strokes: Digits) -> None:
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
    name: str, epochs: int, n: int, said: str, strokes: Digits
) -> None:
    with pytest.raises(ValueError, match=said):
        train(name, strokes.take(slice(n)), epochs=epochs)


def test_a_training_can_begin_with_weights_and_leave_layers_as_they_are(strokes: Digits) -> None:
    some = strokes.take(slice(500))
    first = train("lenet5", some, epochs=1, seed=1)
    start = Start(weights={k: v for k, v in first.state_dict().items() if "conv" in k},
                  frozen=("conv_0",))  # fmt: skip
    second = train("lenet5", some, epochs=1, seed=2, start=start)
    for name, value in first.state_dict().items():
        assert torch.equal(second.state_dict()[name], value) == name.startswith("conv_0")


@pytest.mark.parametrize("share", [-0.1, 1.0, 2.0])
def test_a_dropout_outside_its_range_is_refused(share: float, strokes: Digits) -> None:
    with pytest.raises(ValueError, match="choose a share from 0 to below 1"):
        train("mlp", strokes.take(slice(100)), epochs=1, start=Start(dropout=share))


def test_the_last_intent_is_kept(trained: Inspectable) -> None:
    for layer, intent in trained.history.intent.items():
        assert intent.shape == trained.history.moments[-1].class_means[layer].shape
        assert np.isfinite(intent).all()
        assert intent.any()


@pytest.mark.mnist
@pytest.mark.parametrize(
    ("name", "least"), [("lenet5", 0.99), ("simple_cnn", 0.988), ("mlp", 0.975)]
)
def test_the_promised_accuracy_is_reached(name: str, least: float) -> None:
    test = load_digits("mnist", "test")
    model = train(name, load_digits("mnist", "train"))
    assert accuracy(model, test) >= least
    silent = [(values.max(0) <= 0).sum() for values in all_peaks(model, test.images).values()]
    assert sum(silent) <= 3
