"""Gates that decide otherwise: planted networks whose answers are known, and identical experts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.typing import NDArray

from core.activations import run
from core.architectures.mixture.interventions import (
    GateAnswers,
    GateInterventions,
    alike,
    alone,
    changed_weights,
    rerouted,
    without,
)
from core.architectures.mixture.tasks.interventions import GateInterventionsTask
from core.data import DataSet
from core.interventions.donors import within_groups as donors
from core.models.gated import Routing
from core.models.mixture import Mixture
from core.models.mixture_deep import DeepMixture
from core.runs import Run
from core.runtime.lab import Lab
from core.runtime.store import Store
from core.statistics import paired_interval, wilson_interval
from core.training.task import ModelTask
from tests.labs import SmallLab, assert_same
from tests.networks import DEEP, built

EXPERTS = 4
DENSE, FIRST, TWO = (
    "mixture experts=4,balance=0.1",
    "mixture experts=4,chosen=1,balance=0.1",
    "mixture experts=4,chosen=2,balance=0.1",
)


def ranked(n: int = 60) -> tuple[DataSet, NDArray[np.int64]]:
    """Images whose first four pixels rank the experts, and the ranking (n, 4), best first."""
    random = np.random.default_rng(0)
    order = np.stack([random.permutation(EXPERTS) for _ in range(n)])
    images = torch.zeros(n, 784)
    for place in range(EXPERTS):
        images[torch.arange(n), torch.from_numpy(order[:, place])] = 1 - place / EXPERTS
    labels = torch.from_numpy(np.arange(n) % 10)
    return DataSet(images.reshape(n, 1, 28, 28), labels, "strokes", "test"), order


def planted(name: str) -> Mixture:
    """Expert e answers class e whatever it sees; its score is 5 times pixel e."""
    model = built(name)
    with torch.no_grad():
        for of in model.parameters():
            of.zero_()
        model.of_image.weight[:, :EXPERTS] = 5 * torch.eye(EXPERTS)
        model.bias[:, :EXPERTS] = 10 * torch.eye(EXPERTS)
    return model.eval()


def planted_deep() -> DeepMixture:
    """Expert e of layer 1 stands for class e, with 5 times pixel e as score; layer 2 passes on."""
    model = DeepMixture(Routing(4, 64))
    with torch.no_grad():
        for of in model.parameters():
            of.zero_()
        first, last = model.asked_1[0], model.asked_1[2]  # type: ignore[index]
        first.weight[:EXPERTS, :EXPERTS] = torch.eye(EXPERTS)
        last.weight[:, :EXPERTS] = 5 * torch.eye(EXPERTS)
        width = model.routing.width
        for expert in range(EXPERTS):
            model.experts_1.bias[expert * width + expert] = 1.0
            rows = slice(expert * width, (expert + 1) * width)
            model.experts_2.weight[rows] = torch.eye(width)
        model.logits.weight[:, :10] = torch.eye(10)
    return model.eval()


@pytest.mark.parametrize("name", [DENSE, FIRST, TWO])
def test_planted_experts_answer_as_the_gate_is_made_to_say(name: str) -> None:
    digits, order = ranked()
    model = planted(name)
    found = rerouted(model, digits, seed=3)
    np.testing.assert_array_equal(found.intact, order[:, 0])
    for expert in range(EXPERTS):
        next_best = np.where(order[:, 0] == expert, order[:, 1], order[:, 0])
        np.testing.assert_array_equal(found.removed[expert], next_best)
        assert (found.alone[expert] == expert).all()
    labels = digits.labels.numpy()
    np.testing.assert_array_equal(found.another, order[donors(np.zeros(len(labels)), 3), 0])
    np.testing.assert_array_equal(found.akin, order[donors(labels, 3), 0])
    assert (found.even == 0).all()  # four equal logits, of which the first is taken


def test_planted_first_layer_of_two_is_rerouted() -> None:
    digits, order = ranked()
    model = planted_deep()
    np.testing.assert_array_equal(run(model, digits.images).argmax(1), order[:, 0])
    for expert in range(EXPERTS):
        next_best = np.where(order[:, 0] == expert, order[:, 1], order[:, 0])
        np.testing.assert_array_equal(without(model, digits.images, expert, "gate_1"), next_best)
        assert (alone(model, digits.images, expert, "gate_1") == expert).all()
        # all experts of the second layer do the same
        np.testing.assert_array_equal(without(model, digits.images, expert), order[:, 0])


@pytest.mark.parametrize(
    "name",
    ["mixture", "mixture experts=8,chosen=1,balance=0.1", "mixture experts=8,chosen=2,balance=0.1"],
)
def test_with_identical_experts_nothing_depends_on_the_gate(name: str) -> None:
    model = built(name)
    with torch.no_grad():
        for of in (model.of_experts.weight, model.of_experts.bias):
            of.copy_(of.chunk(8)[0].repeat(8, *[1] * (of.ndim - 1)))
        model.answer.copy_(model.answer[:1].expand_as(model.answer))
        model.bias.copy_(model.bias[:1].expand_as(model.bias))
    images = torch.rand(40, 1, 28, 28, generator=torch.Generator().manual_seed(1))
    intact, order = run(model, images), torch.from_numpy(donors(np.zeros(40)))
    edits = [
        *({("scores", at): -1e9} for at in range(8)),
        *({("scores", at): -1e9 for at in range(8) if at != kept} for kept in range(8)),
        {("gate", at): lambda values: values[order] for at in range(8)},
        {("gate", at): 1 / 8 for at in range(8)},
    ]
    for each in edits:
        torch.testing.assert_close(run(model, images, each), intact, atol=1e-5, rtol=0)  # type: ignore[arg-type]
    found = rerouted(model, DataSet(images, torch.arange(40) % 10, "strokes", "test"))
    for answers in (found.another, found.akin, found.even, *found.removed, *found.alone):
        np.testing.assert_array_equal(answers, found.intact)


def test_alone_and_alike_are_the_experts_own_answers_and_their_mean() -> None:
    model = built("mixture experts=4,chosen=2,balance=0.1", 2).eval()
    assert isinstance(model, Mixture)
    images = torch.rand(30, 1, 28, 28, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        own = model.answers(images)
    for expert in range(EXPERTS):
        np.testing.assert_array_equal(alone(model, images, expert), own[:, expert].argmax(1))
    np.testing.assert_array_equal(alike(model, images), own.mean(1).argmax(1))


def test_donors_are_other_digits_of_the_group_each_once() -> None:
    labels = np.random.default_rng(0).integers(0, 4, 200)
    for groups in (labels, np.zeros(200)):
        order = donors(groups, 5)
        assert sorted(order) == list(range(200))
        assert (order != np.arange(200)).all()
        np.testing.assert_array_equal(groups[order], groups)
        np.testing.assert_array_equal(order, donors(groups, 5))
    assert donors([3, 3, 4]).tolist() == [1, 0, 2]  # 4 has no other


def test_the_model_is_left_as_it_was() -> None:
    model = built("mixture", 0).eval()
    images, before = torch.rand(4, 1, 28, 28), {k: v.clone() for k, v in model.state_dict().items()}
    logits = run(model, images)
    without(model, images, 3)
    changed_weights(model, images, [1, 2, 3, 0])
    assert torch.equal(run(model, images), logits)
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())


def test_what_cannot_be_rerouted_is_said() -> None:
    images = torch.rand(2, 1, 28, 28)
    single, many = built("mixture experts=1", 0), built("mixture", 0)
    with pytest.raises(ValueError, match=r"single expert.*at least 2"):
        without(single, images, 0)
    with pytest.raises(ValueError, match="single expert"):
        rerouted(single, DataSet(images, torch.zeros(2, dtype=torch.int64), "strokes", "test"))
    np.testing.assert_array_equal(alone(single, images, 0), run(single, images).argmax(1))
    with pytest.raises(ValueError, match="no expert 8: choose 0 to 7"):
        alone(many, images, 8)
    with pytest.raises(ValueError, match="choose 0 to 7"):
        without(many, images, 8)
    with pytest.raises(ValueError, match="`gate_1` is no gate: choose gate"):
        without(many, images, 0, "gate_1")
    with pytest.raises(ValueError, match="order has shape"):
        changed_weights(many, images, [0, 1, 1])
    with pytest.raises(TypeError, match="choose a mixture"):
        without(built("lenet5", 0), images, 0)
    with pytest.raises(ValueError, match="no images"):
        without(many, images[:0], 0)


def planted_answers() -> GateInterventions:
    """Three experts; without expert 0 every 3 becomes a 5, without the others nothing changes."""
    labels = np.tile(np.arange(10, dtype=np.int8), 40)
    wrong = np.where(labels == 3, 5, labels).astype(np.int8)
    removed = np.stack([wrong, labels, labels])
    same = np.stack([labels] * 3)
    of = GateAnswers(labels, wrong, labels, wrong, removed, same)
    halves = ("discovery", "confirmation")
    return GateInterventions(dict.fromkeys(halves, of), dict.fromkeys(halves, labels))


def test_effects_specialties_and_confusions_of_planted_answers() -> None:
    found = planted_answers()
    table = found.effects()
    cell = table[(table["expert"] == 0) & (table["class"] == 3)].iloc[0]
    low, high = paired_interval(40, 0, 40)
    assert (cell["change"], cell["low"], cell["high"]) == (-1, low, high)
    assert (cell["control low"], cell["control high"], cell["digits"]) == (0, 0, 40)
    assert (table.drop(cell.name)["change"] == 0).all()
    chosen = found.specialties()
    assert chosen["class"][0] == 3
    assert chosen["expert"].tolist() == [0]  # the others hurt no class
    assert chosen["needed"].tolist() == [True]
    assert found.costliest() == 0
    np.testing.assert_allclose(found.costs()["change"], [-0.1, 0, 0])
    crossed = found.confusion(0, "removed").set_index(["class", "answer"])
    assert crossed.loc[(3, 5), "count"] == 40
    assert crossed.loc[(3, 5), "difference"] == 40
    assert crossed.loc[(3, 3), "difference"] == -40
    assert crossed.loc[(3, 5), "share"] == 1
    assert crossed["count"].sum() == 400
    lost = found.lost(0, "removed")
    expected = pd.DataFrame({"digit": range(3, 400, 10), "class": 3, "answer": 5})
    pd.testing.assert_frame_equal(lost, expected, check_dtype=False)
    assert found.lost(0, "alone").empty
    with pytest.raises(ValueError, match="choose removed or alone"):
        found.confusion(0, "gone")


def test_a_class_that_every_expert_is_needed_for_is_nobodys_specialty() -> None:
    """The removal of another expert is the control: that the class is hurt isn't enough."""
    found = planted_answers()
    answers = found.answers["confirmation"]
    alike = replace(answers, removed=np.stack([answers.removed[0]] * len(answers.removed)))
    same = GateInterventions(dict.fromkeys(found.answers, alike), found.labels)
    table = same.specialties()
    assert table["expert"].tolist() == [0, 1, 2]
    assert (table["high"] < 0).all(), "the class is hurt by each"
    assert not table["needed"].any()


def test_an_experts_class_is_chosen_on_one_half_and_judged_on_the_other() -> None:
    found = planted_answers()
    labels = found.labels["discovery"]
    judged = found.answers["confirmation"]
    fewer = np.where((labels == 8) & (np.arange(400) >= 100), 1, labels).astype(np.int8)
    removed = np.stack([fewer, labels, labels])  # on discovery class 8 loses 30 of 40, not class 3
    answers = {"discovery": replace(judged, removed=removed), "confirmation": judged}
    (chosen,) = GateInterventions(answers, found.labels).specialties().to_dict("records")
    assert (chosen["expert"], chosen["class"]) == (0, 8)
    assert (chosen["discovery"], chosen["change"]) == (-0.75, 0)
    assert not chosen["needed"]


def test_accuracies_have_wilsons_intervals_and_paired_changes() -> None:
    table = planted_answers().accuracies().set_index("decision")
    row = table.loc["weights for another digit"]
    assert (row["low"], row["high"]) == wilson_interval(360, 400)
    low, high = paired_interval(40, 0, 400)
    assert (row["change"], row["change low"], row["change high"]) == (-0.1, low, high)
    assert table.loc["the gate as trained", "accuracy"] == 1
    assert len(table) == 4 + 3


def test_what_the_answer_uses_of_the_gate_follows_from_the_intervals() -> None:
    found = planted_answers()  # of 400 digits, 40 need weights of their own class
    of, table = found.dependence(), found.accuracies().set_index("kind")["accuracy"]
    assert [of.intact, of.akin, of.another, of.even] == table.loc["the gate"].tolist()
    assert of.best == table.loc["one expert"].max()
    assert of.uses == "class"
    low, high = paired_interval(0, 0, 400)
    assert (of.low, of.high) == (low, high)
    right, wrong = (getattr(found.answers["confirmation"], name) for name in ("intact", "another"))
    for akin, another, uses in ((wrong, wrong, "digit"), (right, right, "nothing")):
        answers = replace(found.answers["confirmation"], akin=akin, another=another)
        other = replace(found, answers={**found.answers, "confirmation": answers})
        assert other.dependence().uses == uses
    assert found.cost_range() == (0, pytest.approx(0.1), 0)


def test_each_gate_has_its_own_answers(strokes: DataSet, tmp_path: Path) -> None:
    run = Run.parse("strokes", DEEP)
    lab = SmallLab(tmp_path, strokes.take(slice(400)))
    lab.give(ModelTask(run), built(DEEP, 0).eval())
    found, other = (lab.result(GateInterventionsTask(run, gate)) for gate in ("gate_2", "gate_1"))
    assert found.answers["confirmation"].intact.dtype == np.int8
    assert found.answers["confirmation"].removed.shape == (EXPERTS, found.digits)
    np.testing.assert_array_equal(
        found.answers["discovery"].intact, other.answers["discovery"].intact
    )
    assert (found.answers["discovery"].removed != other.answers["discovery"].removed).any()
    kept = Lab(Store(tmp_path)).find(GateInterventionsTask(run, "gate_1"))
    assert_same(kept, other)
