"""Mixtures of experts: who is run, what is blended, what is learned, and every setting's name."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from core.activations import collect, run
from core.architectures.mixture.networks import EXPERTS, grid
from core.data import DataSet
from core.models.gated import Routing, run_chosen
from core.models.mixture import Mixture, MixtureSettings
from core.models.mixture_deep import DeepMixture
from core.models.registry import MODELS, check
from core.runs import Run
from tests.networks import MOVED, built, trained


@pytest.fixture
def noise() -> torch.Tensor:
    return torch.rand(40, 1, 28, 28, generator=torch.Generator().manual_seed(0))


def by_hand(model: Mixture, images: torch.Tensor, chosen: int) -> np.ndarray:
    """Logits by the formula, digit by digit and expert by expert, in 64 bits."""
    state = {name: value.double().numpy() for name, value in model.state_dict().items()}
    experts, width = model.routing.experts, model.routing.width
    logits = []
    for x in images.flatten(1).double().numpy():
        z = state["of_image.weight"] @ x + state["of_image.bias"]
        best = np.argsort(-z)[:chosen]
        g = np.exp(z[best]) / np.exp(z[best]).sum()
        total = np.zeros(10)
        for weight, e in zip(g, best, strict=True):
            rows = slice(e * width, (e + 1) * width)
            own = state["of_experts.weight"][rows] @ x + state["of_experts.bias"][rows]
            total += weight * (np.maximum(own, 0) @ state["answer"][e] + state["bias"][e])
        logits.append(total)
    assert experts >= chosen
    return np.array(logits)


@pytest.mark.parametrize(
    "name",
    [
        "mixture",
        "mixture experts=8,chosen=1,balance=0.1",
        "mixture experts=4,chosen=2,balance=0.01",
        "mixture experts=1",
    ],
)
def test_logits_are_those_of_the_formula(name: str, noise: torch.Tensor) -> None:
    model = built(name, seed=2).eval()
    assert isinstance(model, Mixture)
    expected = by_hand(model, noise, model.routing.k)
    np.testing.assert_allclose(model(noise).detach(), expected, atol=1e-5)


def test_two_layers_are_those_of_the_formula(noise: torch.Tensor) -> None:
    model = built(MOVED, seed=1).eval()
    assert isinstance(model, DeepMixture)
    x = noise.flatten(1)
    for asked, bank in ((model.asked_1, model.experts_1), (model.asked_2, model.experts_2)):
        weights = asked(x).softmax(1)
        own = bank(x).relu().unflatten(1, (4, 64))
        x = sum(weights[:, [e]] * own[:, e] for e in range(4))
    torch.testing.assert_close(model(noise), model.logits(x))


def test_experts_that_are_not_chosen_are_not_run(noise: torch.Tensor) -> None:
    """Inputs that an expert must not see are not numbers: seeing them would show."""
    bank = torch.nn.Linear(5, 6)
    weights = torch.eye(3)[torch.tensor([0, 2, 2, 0])]
    inputs = torch.randn(4, 5)
    values = run_chosen(bank, inputs, weights, dense=False).unflatten(1, (3, 2))
    every = bank(inputs).unflatten(1, (3, 2))
    for row, expert in enumerate([0, 2, 2, 0]):
        torch.testing.assert_close(values[row, expert], every[row, expert])
        others = [e for e in range(3) if e != expert]
        assert (values[row, others] == 0).all()
    with torch.no_grad():
        bank.weight[2:4] = torch.nan  # of expert 1, which nobody chose
    assert run_chosen(bank, inputs, weights, dense=False).isfinite().all()


def test_a_weight_given_by_hand_runs_the_expert(noise: torch.Tensor) -> None:
    model = built("mixture experts=8,chosen=1,balance=0.1").eval()
    assert isinstance(model, Mixture)
    first = collect(model, noise, "gate").argmax(1)
    other = int((first[0] + 1) % 8)
    edited = run(model, noise[:1], {("gate", other): 1.0})
    both = model.answers(noise[:1])[0, [int(first[0]), other]].sum(0)
    torch.testing.assert_close(edited[0], both)


def test_an_experts_own_answer_is_the_answer_when_it_has_all_weight(noise: torch.Tensor) -> None:
    model = built("mixture").eval()
    assert isinstance(model, Mixture)
    alone = run(model, noise, {("scores", e): -1e9 for e in range(8) if e != 5})
    torch.testing.assert_close(alone, model.answers(noise)[:, 5])


def test_the_loss_is_cross_entropy_where_nothing_is_balanced(noise: torch.Tensor) -> None:
    labels = torch.arange(40) % 10
    plain = built("mixture experts=4,balance=0,noise=0")
    torch.testing.assert_close(plain.objective(noise, labels), cross_entropy(plain(noise), labels))
    weighed = built("mixture experts=4,balance=1,noise=0")
    importance = collect(weighed, noise, "gate").sum(0)
    added = importance.var(unbiased=False) / importance.mean() ** 2
    expected = cross_entropy(weighed(noise), labels) + added
    torch.testing.assert_close(weighed.objective(noise, labels), expected)


def test_noise_is_of_training_alone(noise: torch.Tensor) -> None:
    model = built("mixture")
    labels = torch.arange(40) % 10
    first, second = (model.objective(noise, labels) for _ in range(2))
    assert first != second
    assert torch.equal(model(noise), model(noise))


def test_what_a_mixture_is_compared_with_is_each_once() -> None:
    found = grid(MixtureSettings(width=48))
    assert len(set(found)) == len(found) == 1 + 2 * 8 + 4 * 3 * 8  # of 1, 2, and 3, 4, 8, 16
    assert {settings.experts for settings in found} == set(EXPERTS)
    assert {settings.width for settings in found} == {48}
    for settings in found:
        assert MixtureSettings.from_text(settings.to_text()) == settings
        routing = settings.routing
        assert (routing.experts, routing.k) == (
            settings.experts,
            settings.chosen or routing.experts,
        )
        assert (routing.weight, routing.noise) == (settings.balance, settings.noise)
    two_layers = grid(MixtureSettings(layers=2, experts=4))
    assert two_layers == grid(MixtureSettings())
    assert MixtureSettings() in two_layers


def test_settings_that_change_nothing_are_equal() -> None:
    assert MixtureSettings(experts=4, chosen=4) == MixtureSettings(experts=4)
    assert MixtureSettings(experts=1, balance=1.0, noise=0.0) == MixtureSettings(experts=1)


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("mixture", "Mixture of experts"),
        ("mixture experts=1", "Mixture of experts, one expert"),
        ("mixture experts=4,chosen=1", "Mixture of experts, top 1 of 4, α 0.1"),
        ("mixture balance=0,noise=0", "Mixture of experts, all of 8, α 0, no noise"),
        ("mixture noise=0.5", "Mixture of experts, all of 8, α 0.1, noise 0.5"),
        ("mixture width=48", "Mixture of experts, units of an expert 48"),
        ("mixture chosen=2,epochs=3", "Mixture of experts, top 2 of 8, α 0.1, epochs 3"),
    ],
)
def test_a_mixture_is_called_by_its_gate(text: str, title: str) -> None:
    assert Run.parse("strokes", text).title == title


@pytest.mark.parametrize(
    ("experts", "chosen", "said"),
    [(0, None, "0 experts"), (4, 5, "5 of 4 experts"), (4, 0, "0 of 4 experts")],
)
def test_impossible_settings_are_named(experts: int, chosen: int | None, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Routing(experts, chosen=chosen)


def test_an_unknown_model_is_told_the_known_ones() -> None:
    with pytest.raises(ValueError, match="choose one of") as told:
        check("mixture_n4")
    assert all(name in str(told.value) for name in MODELS)


def test_top_1_learns_and_without_balancing_one_expert_takes_over(strokes: DataSet) -> None:
    loads = {}
    for name in (
        "mixture experts=4,chosen=1,balance=0.1",
        "mixture experts=4,chosen=1,balance=0,noise=0",
    ):
        model = trained(name, strokes, epochs=12)
        first = collect(model, strokes.images, "gate").argmax(1)
        loads[name] = torch.bincount(first, minlength=4) / len(first)
    assert loads["mixture experts=4,chosen=1,balance=0.1"].min() > 0.1
    assert loads["mixture experts=4,chosen=1,balance=0,noise=0"].max() > 0.5
