"""Runs compared: costs by hand, McNemar's test, and top-1 against the formula of the dense gate."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import binom
from torch import Tensor, nn

from core.activations import collect, run
from core.architectures.mixture.charts.summary import against
from core.architectures.mixture.networks import (
    alone,
    grid,
    over_experts,
    over_weights,
    with_chosen,
)
from core.architectures.mixture.report import report_of
from core.architectures.mixture.size import multiplications, parameters
from core.architectures.mixture.summary import (
    MEASURES,
    RunSummary,
    measured,
    versus,
)
from core.architectures.mixture.tasks.summary import RunSummaryTask, kept_runs, trained_runs
from core.data import DataSet
from core.data.task import DataTask
from core.models.gated import Chosen
from core.models.mixture import Mixture, MixtureSettings
from core.models.registry import draw
from core.runs import Run
from core.runtime.lab import Lab, key_of
from core.runtime.store import Store
from core.training.task import ModelTask
from tests.labs import again
from tests.networks import DEEP, PEER, built


@pytest.fixture
def images() -> Tensor:
    return torch.rand(40, 1, 28, 28, generator=torch.Generator().manual_seed(0))


def mixture(name: str) -> Mixture:
    """The untrained mixture of this name."""
    model = built(name, seed=1).eval()
    assert isinstance(model, Mixture)
    return model


# ---- only the chosen experts are run, and the answer is that of the formula


def by_formula(model: Mixture, images: Tensor) -> Tensor:
    """Σ_e g_e (V_e relu(W_e x + b_e) + c_e), all experts run, digit by digit."""
    gate = model.trace(images).decisions[0].weights
    return (gate[..., None] * model.answers(images)).sum(1)


@pytest.mark.parametrize(
    "name",
    [
        "mixture",
        "mixture experts=1",
        "mixture experts=8,chosen=1,balance=0.1",
        "mixture experts=4,chosen=2,balance=0",
    ],
)
def test_the_chosen_experts_give_the_formulas_logits(name: str, images: Tensor) -> None:
    model = mixture(name)
    torch.testing.assert_close(model(images), by_formula(model, images), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "name", ["mixture experts=8,chosen=1,balance=0.1", "mixture experts=8,chosen=2,balance=0.1"]
)
def test_gradients_are_those_of_the_formula(name: str, images: Tensor) -> None:
    model = mixture(name)
    labels = torch.arange(40) % 10
    weights = list(model.parameters())
    found = torch.autograd.grad(nn.functional.cross_entropy(model(images), labels), weights)
    loss = nn.functional.cross_entropy(by_formula(model, images), labels)
    for ours, theirs in zip(found, torch.autograd.grad(loss, weights), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-6)


def test_experts_that_are_left_out_are_read_as_zeros(images: Tensor) -> None:
    model = mixture("mixture experts=8,chosen=2,balance=0.1")
    gate = collect(model, images, "gate")
    hidden = collect(model, images, "hidden").unflatten(1, (8, -1))
    assert ((gate != 0).sum(1) == 2).all()
    assert (hidden[gate == 0] == 0).all()
    whole = model.of_experts(images.flatten(1)).unflatten(1, (8, -1))
    torch.testing.assert_close(hidden[gate != 0], whole[gate != 0], rtol=1e-4, atol=1e-5)


def test_an_edit_of_a_chosen_unit_reaches_the_answer_and_of_others_not(images: Tensor) -> None:
    model = mixture("mixture experts=8,chosen=1,balance=0.1")
    first = collect(model, images, "gate").argmax(1)
    expert = int(first.bincount().argmax())
    edited = run(model, images, {("hidden", 32 * expert + 5): 3.0})
    same = (edited == run(model, images)).all(1)
    assert same[first != expert].all()
    assert not same[first == expert].any()


def test_an_expert_that_nobody_chooses_is_no_trouble(images: Tensor) -> None:
    model = mixture("mixture experts=8,chosen=1,balance=0.1")
    alone = {("scores", expert): -1e9 for expert in range(7)}
    told = run(model, images, alone)
    torch.testing.assert_close(told, model.answers(images)[:, 7], rtol=1e-4, atol=1e-5)
    nothing = Chosen(torch.zeros(3, 4))
    bank = nn.Linear(5, 8)
    assert (nothing.run(bank, torch.ones(3, 5)) == 0).all()
    assert (nothing.blend(torch.ones(3, 8), torch.ones(4, 2, 10)) == 0).all()


# ---- costs


def test_costs_are_those_of_the_formulas() -> None:
    one = 784 * 32 + 32 * 10
    assert parameters(built("mixture")) == 8 * (one + 42) + 785 * 8 == 209_880
    assert multiplications(built("mixture")) == 784 * 8 + 8 * one == 209_536
    assert multiplications(built("mixture experts=8,chosen=1,balance=0.1")) == 784 * 8 + one
    assert multiplications(built("mixture experts=16,chosen=2,balance=0")) == 784 * 16 + 2 * one
    assert multiplications(draw("mixture", settings=alone(MixtureSettings()))) == 784 + one
    assert multiplications(built(PEER)) == 784 * 264 + 264 * 10
    deep = (784 * 32 + 32 * 4) + (64 * 32 + 32 * 4) + 4 * 784 * 64 + 4 * 64 * 64 + 64 * 10
    assert multiplications(built(DEEP)) == deep


# ---- two networks on the same digits


def test_a_pair_is_judged_by_the_digits_that_only_one_tells_right() -> None:
    first = np.array([True] * 50 + [True] * 3 + [False] * 9 + [False] * 38)
    other = np.array([True] * 50 + [False] * 3 + [True] * 9 + [False] * 38)
    found = versus(first, other)
    assert (found.won, found.lost) == (3, 9)
    assert found.difference == pytest.approx(-0.06)
    assert found.p == pytest.approx(2 * binom.cdf(3, 12, 0.5))
    assert found.low < -0.06 < found.high
    back = versus(other, first)
    assert (back.low, back.high) == pytest.approx((-found.high, -found.low))
    assert versus(first, first).p == 1
    assert found.verdict == versus(first, first).verdict == "alike"
    clear = versus(np.array([True] * 6 + [False]), np.array([False] * 6 + [False]))
    assert (clear.p, clear.verdict) == (pytest.approx(2 / 64), "better")
    assert versus(np.zeros(6, bool), np.ones(6, bool)).verdict == "worse"


def test_pairs_of_other_digits_are_refused() -> None:
    with pytest.raises(ValueError, match="same digits"):
        versus(np.ones(3), np.ones(4))
    with pytest.raises(ValueError, match="same digits"):
        versus(np.ones(0), np.ones(0))


# ---- one run in numbers


def test_the_numbers_of_planted_gates() -> None:
    labels = np.arange(1000) % 10
    told = measured(report_of(np.eye(5)[labels // 2], labels))
    assert told["active"] == 5
    assert told["balance"] == pytest.approx(1)
    assert told["entropy"] == told["load variation"] == pytest.approx(0)
    assert told["bits"] == pytest.approx(math.log2(5))
    assert told["normalized"] == pytest.approx(2 * math.log2(5) / math.log2(50))
    collapsed = measured(report_of(np.eye(5)[np.zeros(1000, dtype=int)], labels))
    assert collapsed["active"] == 1
    assert collapsed["balance"] == pytest.approx(5)
    assert collapsed["load variation"] == collapsed["importance variation"] == pytest.approx(4)
    undecided = measured(report_of(np.full((1000, 5), 0.2), labels))
    assert undecided["entropy"] == pytest.approx(1)
    assert measured(report_of(np.ones((20, 1)), labels[:20]))["entropy"] == 0


def test_a_run_is_kept_whole() -> None:
    gate = dict.fromkeys(MEASURES, 0.5)
    load = np.array([0.25, 0.75])
    found = RunSummary(np.array([True, False, True]), 7, 5, gate, load, load[::-1])
    back = again(found)
    assert back.row() == found.row()
    assert back.row()["accuracy"] == pytest.approx(2 / 3)
    assert back.experts()["importance"].tolist() == [0.75, 0.25]
    bare = RunSummary(np.ones(3, dtype=bool), 7, 5, {}, np.zeros(0), np.zeros(0))
    row = again(bare).row()
    assert row["parameters"] == 7
    assert math.isnan(row["active"])


@pytest.mark.parametrize("name", ["mixture experts=4,chosen=1,balance=0.1", DEEP, PEER])
def test_a_run_is_measured_on_the_test_digits(name: str, strokes: DataSet, tmp_path: Path) -> None:
    few, run = strokes.take(slice(300)), Run.parse("strokes", name)
    model = run.untrained()
    lab = Lab(Store(tmp_path))
    lab.give(DataTask("strokes", "test"), few)
    lab.give(ModelTask(run), model)
    found = lab.result(RunSummaryTask(run))
    answers = model(few.images).argmax(1)
    assert found.accuracy == pytest.approx(float((answers == few.labels).double().mean()))
    assert found.parameters == parameters(model)
    assert len(found.load) == (0 if name == PEER else 4)


# ---- which runs there are


def test_rows_of_runs_are_runs_that_can_be_trained() -> None:
    default = MixtureSettings()
    assert [of.to_text() for of in over_weights(default)] == [
        "balance=0",
        "balance=0.01",
        "",
        "balance=1",
    ]
    assert [of.experts for of in over_experts(default)] == [1, 2, 3, 4, 8, 16]
    assert [of.experts for of in over_experts(replace(default, chosen=2))] == [1, 3, 4, 8, 16]
    assert not any(of.chosen for of in over_experts(replace(default, experts=2, chosen=2)))
    single = MixtureSettings(experts=1)
    assert over_weights(single) == (single,)
    assert with_chosen(single, 2) == replace(default, experts=3, chosen=2)
    assert with_chosen(default, 0) == default
    every = grid(default)
    for settings in every:
        for of in (*over_weights(settings), *over_experts(settings)):
            assert of in every


def test_looking_for_kept_runs_trains_nothing(tmp_path: Path) -> None:
    lab, run = Lab(Store(tmp_path)), Run("strokes", "mixture")
    assert kept_runs(run, lab) == {}
    gate = dict.fromkeys(MEASURES, 1.0)
    found = RunSummary(np.ones(4, dtype=bool), 1, 1, gate, np.ones(2) / 2, np.ones(2) / 2)
    other = MixtureSettings(experts=2, chosen=1, balance=0.0)
    lab.give(RunSummaryTask(run.with_network(other)), found)
    runs = kept_runs(run, lab)
    assert list(runs) == [other]
    assert runs[other].accuracy == 1
    assert kept_runs(replace(run, seed=1), lab) == {}
    own = run.with_settings(width=48)  # of another width are other runs, and itself
    assert kept_runs(own, lab) == {}
    lab.give(RunSummaryTask(own), found)
    assert list(kept_runs(own, lab)) == [own.settings]


def test_what_was_trained_elsewhere_is_found_and_not_opened(tmp_path: Path) -> None:
    lab, run = Lab(Store(tmp_path)), Run("strokes", "mixture")
    assert trained_runs(run, lab) == ()
    for network in ("mixture experts=4,chosen=2,balance=1", "lenet5"):
        task = ModelTask(Run.parse("strokes", network))
        lab.store.save_weights(task.kept_as(), key_of(task), {"any": torch.zeros(1)})
    assert [of.to_text() for of in trained_runs(run, lab)] == ["experts=4,chosen=2,balance=1"]
    assert trained_runs(replace(run, seed=1), lab) == ()


def test_runs_that_are_not_kept_have_open_places() -> None:
    frame = pd.DataFrame(
        {
            "α": ["0", "0.1"] * 2,
            "k": ["1", "1", "all", "all"],
            "kept": [True, False, False, True],
            "current": [False, False, False, True],
            "accuracy": [0.95, math.nan, math.nan, 0.97],
            "low": [0.94, math.nan, math.nan, 0.96],
            "high": [0.96, math.nan, math.nan, 0.98],
        }
    )
    chart = against(frame, "α", "accuracy", title="α", rules={"perceptron": 0.98}).to_dict()
    layers = [part for layer in chart["layer"] for part in layer.get("layer", [layer])]
    marks = [layer["mark"]["type"] for layer in layers]
    assert marks == ["line", "rule", "point", "point", "point", "point", "rule", "text"]
    assert against(frame, "α", "low", title="α", rules={}).to_dict()
