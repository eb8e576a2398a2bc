"""What a caller has set around a call changes neither its result nor is it changed by it."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from core.activations import behind, collect, reader, run
from core.analyses.counterfactuals import differences, drawn_pairs
from core.analyses.dissection import dissect
from core.analyses.gradients import activation_rows, gradient_times_activation, unit_gradients
from core.analyses.maximize import Covariance, maximize
from core.architectures.mixture import gate_report
from core.architectures.mixture.interventions import rerouted
from core.architectures.mixture.position import place_report
from core.architectures.mixture.trace import follow
from core.claims import ask
from core.data import DataSet
from core.models.registry import build
from core.statistics.modes import find_modes
from core.surroundings import undisturbed
from core.training import train
from tests.digits import drawn_digits


@contextmanager
def default(dtype: torch.dtype) -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


@contextmanager
def on(device: str) -> Iterator[None]:
    torch.set_default_device(device)
    try:
        yield
    finally:
        torch.set_default_device(None)


@contextmanager
def deterministic() -> Iterator[None]:
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(False)


@contextmanager
def anomalies() -> Iterator[None]:
    before = torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled()
    torch.set_anomaly_enabled(True, True)
    try:
        yield
    finally:
        torch.set_anomaly_enabled(*before)


SET: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    "no_grad": torch.no_grad,
    "inference_mode": torch.inference_mode,
    "float64": lambda: default(torch.float64),
    "bfloat16": lambda: default(torch.bfloat16),
    "another device": lambda: on("meta"),
    "a device's block": lambda: torch.device("meta"),
    "autocast": lambda: torch.autocast("cpu", torch.bfloat16),
    "deterministic": deterministic,
    "anomalies": anomalies,
    "NumPy raises": lambda: np.errstate(all="raise"),
}


@pytest.fixture(scope="module")
def few() -> DataSet:
    return drawn_digits().take(slice(250))


@pytest.fixture(scope="module")
def models() -> tuple[Any, Any]:
    return tuple(build(name, 1).eval().requires_grad_(False) for name in ("lenet5", "mixture"))


UNIT = ("linear_0", 3)
CALLS: dict[str, Callable[[Any, Any, DataSet], Any]] = {
    "maximize": lambda m, x, d: maximize(m, [UNIT], natural=d.images, steps=3),
    "maximize waves": lambda m, x, d: maximize(m, [UNIT], parameterization="fourier", steps=3),
    "maximize a map": lambda m, x, d: maximize(m, [("conv_0", 1)], parameterization="pixel"),
    "Covariance": lambda m, x, d: Covariance.of(d.images).root,
    "unit_gradients": lambda m, x, d: unit_gradients(m, d.images, d.labels, "linear_0"),
    "of a whole model": lambda m, x, d: unit_gradients(x, d.images, d.labels, "hidden"),
    "gradient_times": lambda m, x, d: gradient_times_activation(m, d.images, d.labels, "conv_1"),
    "activation_rows": lambda m, x, d: activation_rows(m, d.images, d.labels),
    "collect": lambda m, x, d: collect(m, d.images, "conv_0"),
    "run": lambda m, x, d: run(m, d.images, {UNIT: "mean", ("linear_0", 4): 1.5}),
    "ask": lambda m, x, d: ask(m, d, [UNIT], "class-7", controls=3, draws=9).to_json(),
    "ask, resampled": lambda m, x, d: ask(
        m, d, [UNIT], "class-7", controls=3, draws=9, operator="resample"
    ).to_json(),
    "dissect": lambda m, x, d: dissect(m, d, "conv_0", ["ink", "class-7"]),
    "gate_report": lambda m, x, d: gate_report(x, d, concepts=["ink"]),
    "rerouted": lambda m, x, d: rerouted(x, d),
    "follow": lambda m, x, d: follow(x, d.images[:1]),
    "place_report": lambda m, x, d: place_report(x, d, 1),
    "differences": lambda m, x, d: differences(m, drawn_pairs("crossbar", 9), "linear_0"),
    "find_modes": lambda m, x, d: find_modes(np.random.default_rng(0).normal(size=90) ** 3),
    "build": lambda m, x, d: build("som", 3).state_dict(),
}


def numbers(value: Any) -> list[Any]:
    """All that a result holds, so that two can be compared bit by bit."""
    if isinstance(value, torch.Tensor):
        assert not value.is_inference()
        return [value.dtype, value.detach().numpy().tobytes()]
    if isinstance(value, np.ndarray):
        return [value.dtype, value.tobytes()]
    if hasattr(value, "to_csv"):
        return [value.to_csv()]
    if isinstance(value, dict):
        return [part for of in value.values() for part in numbers(of)]
    if isinstance(value, list | tuple):
        return [part for of in value for part in numbers(of)]
    if hasattr(value, "__dataclass_fields__"):
        return [
            part for name in value.__dataclass_fields__ for part in numbers(getattr(value, name))
        ]
    return [value if isinstance(value, str | int | float | None) else str(value)]


@pytest.fixture(scope="module")
def plain(models: tuple[Any, Any], few: DataSet) -> dict[str, list[Any]]:
    return {name: numbers(call(*models, few)) for name, call in CALLS.items()}


@pytest.mark.parametrize("setting", SET.values(), ids=SET)
@pytest.mark.parametrize("name", CALLS)
def test_a_call_is_the_same_whatever_surrounds_it(
    models: tuple[Any, Any], few: DataSet, plain: dict[str, list[Any]], name: str, setting: Any
) -> None:
    with setting():
        before = around()
        found = CALLS[name](*models, few)
        assert around() == before
    assert numbers(found) == plain[name]


def around() -> list[Any]:
    """All that a caller may have set, and the random numbers that everybody shares."""
    return [
        torch.is_grad_enabled(),
        torch.is_inference_mode_enabled(),
        torch.get_default_dtype(),
        torch.empty(0).device,
        torch.is_autocast_enabled("cpu"),
        torch.are_deterministic_algorithms_enabled(),
        torch.is_anomaly_enabled(),
        torch.is_anomaly_check_nan_enabled(),
        torch.get_num_threads(),
        np.geterr(),
        torch.random.get_rng_state().numpy().tobytes(),
        np.random.get_state()[1].tobytes(),  # type: ignore[index]
    ]


@pytest.mark.parametrize("setting", SET.values(), ids=SET)
def test_settings_come_back_after_an_exception(setting: Any) -> None:
    with setting():
        before = around()
        with pytest.raises(ZeroDivisionError), undisturbed():
            raise ZeroDivisionError
        assert around() == before


def test_random_numbers_of_the_caller_neither_matter_nor_move(
    models: tuple[Any, Any], few: DataSet, plain: dict[str, list[Any]]
) -> None:
    for seed in (1, 2):
        torch.manual_seed(seed)
        np.random.seed(seed)
        before = around()
        for name in ("maximize", "ask, resampled", "gate_report", "build", "find_modes"):
            assert numbers(CALLS[name](*models, few)) == plain[name]
        assert around() == before


def test_a_model_made_in_inference_mode_is_read_and_climbed(few: DataSet) -> None:
    made = build("lenet5", 1).eval()
    with torch.inference_mode():
        inside = copy.deepcopy(made)
        images = few.images.clone()
        known = Covariance(*(torch.eye(784)[0].clone(), torch.eye(784)))
    assert next(inside.parameters()).is_inference()
    digits = DataSet(images, few.labels, "strokes", "test", few.parts)
    for where in (nullcontext, torch.inference_mode, torch.no_grad):
        for name in ("maximize", "unit_gradients", "collect", "run", "ask", "dissect"):
            with where():
                found = CALLS[name](inside, None, digits)
            assert numbers(found) == numbers(CALLS[name](made, None, few))
    assert maximize(made, [UNIT], natural=known, steps=2).images.isfinite().all()


def test_a_reader_made_in_inference_mode_has_gradients_outside(few: DataSet) -> None:
    with torch.inference_mode():
        model = build("lenet5", 1)
        read, follow = reader(model, "linear_0"), behind(model, "linear_0")
    images = few.images[:2].clone().requires_grad_()
    follow(read(images)).sum().backward()
    assert images.grad is not None
    assert images.grad.abs().sum() > 0


def test_a_model_of_another_type_is_read_in_its_own(few: DataSet) -> None:
    model = build("lenet5", 1).eval().requires_grad_(False)
    double = copy.deepcopy(model).double()
    for layer in ("conv_0", "linear_0"):
        found = collect(double, few.images, layer)
        assert found.dtype == torch.float64
        np.testing.assert_allclose(found, collect(model, few.images, layer), atol=1e-5)
    np.testing.assert_allclose(run(double, few.images), run(model, few.images), atol=1e-4)
    climbed = [maximize(of, [UNIT], natural=few.images, steps=3).images for of in (double, model)]
    np.testing.assert_allclose(*climbed, atol=1e-3)
    gradients = [unit_gradients(of, few.images, few.labels, "linear_0") for of in (double, model)]
    np.testing.assert_allclose(*gradients, atol=1e-5)
    assert ask(double, few, [UNIT], "class-7", controls=3, draws=9).verdict


def test_threads_leave_the_process_as_it_was() -> None:
    """The first one in sets, the last one out sets back."""
    inside, out = threading.Event(), threading.Event()
    seen: list[torch.dtype] = []

    def other() -> None:
        with undisturbed():
            inside.set()
            out.wait()
            seen.append(torch.get_default_dtype())

    with default(torch.float64):
        with undisturbed():
            thread = threading.Thread(target=other)
            thread.start()
            inside.wait()
        assert torch.get_default_dtype() == torch.float32  # the other one isn't done
        out.set()
        thread.join()
        assert torch.get_default_dtype() == torch.float64
    assert seen == [torch.float32]


def test_a_plain_module_with_gradients_is_read_without_them(few: DataSet) -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 5), nn.ReLU(), nn.Linear(5, 10))
    model.layers = ("1", "3")  # type: ignore[assignment]
    for where in (nullcontext, torch.no_grad, torch.inference_mode):
        with where():
            found = [collect(model, few.images, "1"), run(model, few.images, {("1", 2): 0})]
        assert not any(of.requires_grad or of.is_inference() for of in found)
        assert all(weight.grad is None for weight in model.parameters())


@pytest.mark.parametrize("around", [torch.no_grad, torch.inference_mode])
def test_training_needs_no_surroundings(around: Callable[[], Any], strokes: DataSet) -> None:
    some = strokes.take(slice(250))
    alone = train("mlp", some, epochs=1).state_dict()
    with around():
        inside = train("mlp", some, epochs=1)
    assert all(torch.equal(alone[name], value) for name, value in inside.state_dict().items())
