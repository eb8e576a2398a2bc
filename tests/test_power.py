"""What a verdict could have found, held against its own test on outcomes drawn at random."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from core.claims.evidence import Controls
from core.claims.verdicts import LOSS, necessary
from core.interventions.bootstrap import Change, Resamples, changes, never_certain
from core.interventions.controls import p_value
from core.interventions.removal import Outcome
from core.statistics import rate_bound
from core.statistics.power import (
    POWER,
    beyond_controls,
    bootstrap_low,
    power_of_loss,
    smallest_loss,
    smallest_share,
)

BEATEN = Controls("loss", 1.0, (0.0,) * 99, 99, 0.01)


def outcome(right: NDArray[np.bool_]) -> Outcome:
    """Answers to digits of class 0, right or wrong."""
    logits = torch.zeros(len(right), 10)
    logits[torch.arange(len(right)), torch.from_numpy(np.where(right, 0, 1))] = 5
    return Outcome(logits, torch.zeros(len(right), dtype=torch.long))


def verdict_on(lost: int, won: int, resamples: Resamples) -> str:
    """The verdict on units of whose digits some are lost, and some won."""
    rows = np.arange(resamples.n)
    before = outcome((rows < lost) | (rows >= lost + won))
    found = changes(before, outcome(rows >= lost), {"class-0": np.ones(len(rows), bool)}, resamples)
    return necessary(found[0], BEATEN).verdict


@pytest.mark.parametrize(("n", "won"), [(40, 0.0), (68, 0.02), (200, 0.005)])
def test_the_verdict_finds_the_smallest_loss_in_eight_of_ten_trials(n: int, won: float) -> None:
    loss = smallest_loss(n, won=won, most=1.0, limit=LOSS)
    assert loss is not None
    shares = [loss + won, won, 1 - loss - 2 * won]
    trials = np.random.default_rng(1).multinomial(n, shares, 4000)[:, :2]
    outcomes, times = np.unique(trials, axis=0, return_counts=True)
    resamples = Resamples(np.zeros(n, np.int64), 2000, seed=0)
    found = [verdict_on(*each, resamples) == "supported" for each in outcomes.tolist()]
    assert np.average(found, weights=times) == pytest.approx(POWER, abs=0.03)


def test_power_grows_with_the_loss_and_with_the_digits() -> None:
    powers = [power_of_loss(loss, 100, limit=0.1) for loss in (0.1, 0.15, 0.2, 0.3, 0.5)]
    assert powers == sorted(powers)
    assert powers[0] < 0.05
    assert powers[-1] > 0.99
    losses = [smallest_loss(n, won=0.01, most=0.98, limit=0.1) for n in (30, 100, 300, 1000)]
    assert losses == sorted(losses, reverse=True)  # type: ignore[type-var]


@pytest.mark.parametrize(("n", "won"), [(300, 0.0), (1000, 0.01), (3000, 0.02)])
def test_of_many_digits_it_is_the_formula_of_paired_changes(n: int, won: float) -> None:
    found = smallest_loss(n, won=won, most=0.9, limit=0.1)
    assert found is not None
    assert found == pytest.approx(0.1 + 2.8 * np.sqrt((found + 2 * won) / n), rel=0.05)


def test_where_too_little_can_be_lost_nothing_could_have_been_found() -> None:
    assert smallest_loss(40, won=0.0, most=0.2, limit=0.1) is None
    assert smallest_loss(40, won=0.0, most=0.05, limit=0.1) is None
    assert smallest_loss(40, won=0.48, most=0.5, limit=0.1) is None


@pytest.mark.parametrize(
    ("lost", "won", "n"), [(12, 0, 60), (12, 3, 60), (5, 9, 31), (200, 1, 999)]
)
def test_the_bound_is_that_of_the_bootstrap(lost: int, won: int, n: int) -> None:
    values = np.zeros(n)
    values[:lost], values[lost : lost + won] = 1, -1
    drawn = np.random.default_rng(0).choice(values, (4000, n)).mean(1)
    expected = np.quantile(drawn, 0.025) - (0 if won else rate_bound(n))
    assert bootstrap_low(lost, won, n) == pytest.approx(expected, abs=1.5 / n)


@pytest.mark.parametrize("n", [31, 60, 200])
def test_the_smallest_share_is_found_in_eight_of_ten_trials(n: int) -> None:
    share = smallest_share(n, limit=0.75)
    assert share is not None
    resamples = Resamples(np.zeros(n, np.int64), 2000, seed=0)
    kept, times = np.unique(np.random.default_rng(0).binomial(n, share, 4000), return_counts=True)
    rows, found = np.ones(n, bool), []
    for count in kept.tolist():
        says = (np.arange(n) < count).astype(np.float64)
        bounds = np.quantile(resamples.means(says[:, None], rows)[:, 0], [0.025, 0.975])
        found.append(never_certain(bounds, says - 1)[0] > 0.75)
    assert np.average(found, weights=times) == pytest.approx(POWER, abs=0.03)
    assert smallest_share(8, limit=0.75) is None


def test_units_that_cost_that_much_beat_their_controls_in_eight_of_ten_trials() -> None:
    random, n, sets = np.random.default_rng(0), 200, 99
    means = random.exponential(0.05, sets)

    def drawn(mean: NDArray[np.float64]) -> NDArray[np.float64]:
        return random.exponential(1, (len(mean), n)) * mean[:, None]

    known = [beyond_controls(drawn(means), 0.05, seed) for seed in range(30)]
    stated = float(np.mean([each for each in known if each is not None]))
    found = [
        p_value(float(drawn(np.array([stated]))[0].mean()), drawn(means).mean(1)) <= 0.05
        for _ in range(600)
    ]
    assert np.mean(found) == pytest.approx(POWER, abs=0.05)


def test_too_few_controls_can_never_be_beaten() -> None:
    losses = np.random.default_rng(0).random((18, 50))
    assert beyond_controls(losses, 0.05, 0) is None
    assert beyond_controls(np.vstack([losses, losses[:1]]), 0.05, 0) is not None
    assert beyond_controls(np.full((30, 50), np.nan), 0.05, 0) is None


def test_what_is_not_supported_states_what_could_have_been_found() -> None:
    change = Change("class-7", "accuracy", 100, 0.9, 0.89, -0.01, -0.05, 0.01, 1, 0)
    found = necessary(change, Controls("loss", 0.1, (0.2,) * 99, 99, 0.5, 0.345))
    expected = smallest_loss(100, won=0.0, most=0.9, limit=LOSS)
    assert found.detectable == expected is not None
    assert f"With 100 digits, a loss of {100 * expected:.1f} points of accuracy" in found.reason
    assert "and one of 0.34 nats" in found.reason or "and one of 0.35 nats" in found.reason
    poor = necessary(
        Change("class-7", "accuracy", 100, 0.12, 0.1, -0.02, -0.05, 0.01, 2, 0), BEATEN
    )
    assert "no loss could have been found with 80 % power" in poor.reason
    assert poor.detectable is None
