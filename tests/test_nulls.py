"""Null networks: what their best units score, and that a verdict has to beat it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from core.claims import ask
from core.claims.baselines import untrained_scores
from core.claims.findings import INCONCLUSIVE, NOT_SUPPORTED, QUESTIONS, SUPPORTED, Finding
from core.claims.nulls.rates import NullRates
from core.claims.nulls.scores import NullScores, best_units, null_scores, scores_of
from core.claims.nulls.task import (
    NullRatesTask,
    NullScoresTask,
    ShuffledTask,
    shuffled_labels,
)
from core.claims.trial import Claim, Half, Trial
from core.data import DataSet
from core.models.untrained import SEEDS
from core.runs import Run
from tests.digits import drawn_digits
from tests.labs import SmallLab
from tests.test_ablation import digits_for, known, planted

FOUND = Finding(SUPPORTED, "It is.", 0.9, 0.85, 0.95, 100)


def nulls(*scores: float) -> NullScores:
    return NullScores("untrained networks", {"global detector": scores}, len(scores))


def test_a_verdict_has_to_beat_95_percent_of_null_networks() -> None:
    low = nulls(*[0.5] * 19)
    beaten = low.judged("global detector", FOUND, {"global detector": 0.6})
    assert beaten.verdict == SUPPORTED
    assert "the best units of 19 untrained networks score 0.50 at the 95th percentile" in (
        beaten.reason
    )
    for score in (0.5, 0.4):
        lost = low.judged("global detector", FOUND, {"global detector": score})
        assert lost.verdict == INCONCLUSIVE
        assert lost.reason.startswith("It is. But the best units of 19 untrained networks")
    few = nulls(*[0.5] * 18)  # of which none can be beaten at 5 %
    assert few.judged("global detector", FOUND, {"global detector": 1.0}).verdict == INCONCLUSIVE


def test_other_verdicts_stay_as_they_are() -> None:
    refuted = replace(FOUND, verdict=NOT_SUPPORTED)
    assert nulls(0.1).judged("global detector", refuted, {"global detector": 0.9}) == refuted
    assert nulls(0.1).judged("necessary", FOUND, {}) == FOUND


def test_a_network_is_compared_with_the_others() -> None:
    found = nulls(0.1, 0.9, 0.2).without(1)
    assert (found.scores["global detector"], found.networks) == ((0.1, 0.2), 2)


def halves() -> tuple[Half, Half]:
    """Digits of which the sevens are asked about."""
    digits = digits_for(400, noise=0.1), digits_for(400, noise=0.1, seed=1)
    first, other = (Half(of, (of.labels == 7).numpy()) for of in digits)
    return first, other


def test_the_best_units_are_chosen_on_the_first_half() -> None:
    first, other = halves()
    model = planted(noise=3)
    assert best_units(model, first, "hidden", 1) == (7,)
    claim = Claim("hidden", (0,), "class-7", 7, "zero", 0, 1, 0)
    found = null_scores([model, model], claim, (first, other), "planted networks", count=2)
    assert found.networks == 2
    assert found.scores["necessary"] == (1.0, 1.0)
    assert found.scores["global detector"][0] > 0.99
    assert "conditional detector" not in found.scores  # no class has digits of both kinds


def test_what_a_planted_network_knows_an_untrained_one_does_not() -> None:
    digits = digits_for(800, noise=0.6)
    evidence = ask(
        planted(noise=3),
        digits,
        [("hidden", 7)],
        "class-7",
        measured=known(digits.labels == 7),
        controls=30,
        draws=100,
    )
    assert evidence.verdict == SUPPORTED
    assert evidence.scores["necessary"] == 1.0
    assert len(evidence.untrained["necessary"]) == len(SEEDS) == 20
    assert max(evidence.untrained["global detector"]) < evidence.scores["global detector"]
    assert "20 untrained networks" in evidence.findings["necessary"].reason
    assert evidence.carrier == "a unit"


def test_what_untrained_networks_do_as_well_is_not_supported() -> None:
    digits = digits_for(800, noise=0.1)
    as_good = NullScores("untrained networks", {"necessary": (1.0,) * 20}, 20)
    evidence = ask(
        planted(noise=3),
        digits,
        [("hidden", 7)],
        "class-7",
        measured=known(digits.labels == 7),
        controls=30,
        draws=100,
        baselines=False,
        untrained=as_good,
    )
    assert evidence.verdict == INCONCLUSIVE
    assert evidence.verdicts["global detector"] == SUPPORTED


def test_untrained_scores_are_of_twenty_networks() -> None:
    claim = Claim("hidden", (0, 1), "class-7", 7, "zero", 0, 1, 0)
    found = untrained_scores(planted(), claim, halves(), lambda done, text: None)
    assert found.networks == 20
    assert len(set(found.scores["global detector"])) > 10


def test_labels_are_shuffled_and_images_are_not() -> None:
    digits = drawn_digits()
    found = shuffled_labels(digits, 3)
    assert torch.equal(found.images, digits.images)
    assert not torch.equal(found.labels, digits.labels)
    assert torch.equal(found.labels.sort().values, digits.labels.sort().values)
    same = float((found.labels == digits.labels).float().mean())
    assert same == pytest.approx(0.1, abs=0.03)


def test_a_rate_has_an_interval() -> None:
    verdicts = {name: (SUPPORTED, *[INCONCLUSIVE] * 19) for name in QUESTIONS}
    table = NullRates("untrained networks", verdicts).table()
    assert table["yes"].tolist() == [1] * 4
    assert table["share"].tolist() == [0.05] * 4
    assert table["low"][0] == pytest.approx(0.0089, abs=1e-4)
    assert table["high"][0] == pytest.approx(0.2361, abs=1e-4)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> SmallLab:
    """Few digits."""
    digits: DataSet = drawn_digits()
    return SmallLab(tmp_path_factory.mktemp("nulls"), digits.take(slice(800)))


CLAIM = (Run.parse("strokes", "mlp widths=8,epochs=1", 3), "linear_0", "class-7", 1, "zero")


def test_null_networks_serve_every_seed(lab: SmallLab) -> None:
    task = NullScoresTask(*CLAIM)
    assert task == NullScoresTask(replace(CLAIM[0], seed=5), *CLAIM[1:])
    found = lab.result(task)
    assert found.networks == 20
    assert np.mean(found.scores["global detector"]) < 0.9


def test_networks_on_shuffled_labels_are_trained_and_know_nothing(lab: SmallLab) -> None:
    found = lab.result(NullScoresTask(*CLAIM, "shuffled"))
    assert max(found.scores["sufficient"]) < 0.5
    run = replace(CLAIM[0], seed=0)
    first, other = (lab.result(ShuffledTask(run, number)) for number in (0, 1))
    assert not torch.equal(
        first.get_parameter("linear_0.weight"), other.state_dict()["linear_0.weight"]
    )
    assert first.history is None


@pytest.mark.parametrize("kind", ["untrained", "shuffled"])
def test_null_networks_are_asked_by_the_rules_of_any_claim(lab: SmallLab, kind: str) -> None:
    found = lab.result(NullRatesTask(*CLAIM, kind))
    assert {len(of) for of in found.verdicts.values()} == {20}
    assert all(found.yes(question) <= 1 for question in QUESTIONS)


def test_tasks_name_what_they_do(tmp_path: Path) -> None:
    assert NullScoresTask(*CLAIM).title == "Asking 20 untrained networks"
    assert ShuffledTask(CLAIM[0], 4).title == "Training on shuffled labels, network 5 of 20"


def test_null_units_are_scored_on_the_half_on_which_they_were_not_chosen() -> None:
    first, _ = halves()
    rest = digits_for(300, noise=0.1, seed=2)
    other = Half(rest, np.random.default_rng(0).random(300) < 0.3)  # of which no unit knows
    model = planted(noise=3)
    claim = Claim("hidden", best_units(model, first, "hidden", 2), "class-7", 7, "zero", 0, 1, 0)
    expected = scores_of(Trial(model, claim, first, other))
    found = null_scores([model], claim, (first, other), "planted networks", count=1)
    assert found.scores == {name: (score,) for name, score in expected.items()}
    turned = null_scores([model], claim, (other, first), "planted networks", count=1)
    assert turned.scores != found.scores
