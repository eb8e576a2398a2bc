"""Comparisons of units over training and between networks, against brute force and closed forms."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations, permutations

import numpy as np
import pytest
from scipy.stats import norm, ortho_group, pearsonr

from core.analyses.comparing.dynamics import (
    area_under_curve,
    emergence_step,
    label_survival,
    linear_cka,
    mean_absolute_correlation,
    participation_ratio,
    tuning_autocorrelation,
    tuning_drift,
)
from core.statistics import auc_by_class, class_moments
from core.statistics.matching import correlations, match, match_null

Layers = tuple[np.ndarray, np.ndarray]
Similarity = Callable[[np.ndarray, np.ndarray], float]


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def layers(random: np.random.Generator) -> Layers:
    """Two layers of 5 and 6 units, off centre, that share two of three sources; 80 digits."""
    sources = random.normal(size=(80, 3))
    x = sources[:, :2] @ random.normal(size=(2, 5)) + 0.5 * random.normal(size=(80, 5)) + 3
    y = sources[:, 1:] @ random.normal(size=(2, 6)) + 0.5 * random.normal(size=(80, 6)) - 2
    return x, y


def orthogonal(random: np.random.Generator, n: int, units: int) -> np.ndarray:
    """Centred columns of length 1 at right angles."""
    centred = random.normal(size=(n, units))
    columns: np.ndarray = np.linalg.qr(centred - centred.mean(0))[0]
    return columns


def test_cka_is_the_alignment_of_centred_kernels(layers: Layers) -> None:
    x, y = layers
    centring = np.eye(80) - 1 / 80
    k, m = (centring @ of @ of.T @ centring for of in (x, y))
    expected = (k * m).sum() / np.sqrt((k * k).sum() * (m * m).sum())
    assert linear_cka(x, y) == pytest.approx(expected)
    assert linear_cka(y, x) == pytest.approx(expected)
    assert 0.1 < expected < 0.9


def test_cka_of_two_units_is_their_squared_correlation(random: np.random.Generator) -> None:
    x, noise = random.normal(size=(2, 50, 1))
    r = pearsonr(x[:, 0], (x + noise)[:, 0]).statistic
    assert linear_cka(x, x + noise) == pytest.approx(r**2)


@pytest.mark.parametrize("similarity", [linear_cka])
def test_rotated_and_scaled_layers_are_the_same(
    similarity: Similarity, layers: Layers, random: np.random.Generator
) -> None:
    x, y = layers
    rotation = ortho_group.rvs(5, random_state=random)
    assert similarity(x, x) == pytest.approx(1)
    assert similarity(x, -3 * x @ rotation + 7) == pytest.approx(1)
    assert similarity(0.1 * x @ rotation, y) == pytest.approx(similarity(x, y))


@pytest.mark.parametrize("similarity", [linear_cka])
def test_unrelated_layers_share_little_and_constant_ones_nothing(
    similarity: Similarity, random: np.random.Generator
) -> None:
    x, y = random.normal(size=(2, 4000, 10))
    assert 0 < similarity(x, y) < 0.06
    assert similarity(x, np.full((4000, 3), 0.1)) == 0
    assert similarity(np.zeros((4000, 3)), y) == 0


def test_correlations_are_pearsons_and_0_for_constant_units(layers: Layers) -> None:
    x, y = layers
    y[:, 2] = 0.1
    found = correlations(x, y)
    assert found.shape == (5, 6)
    for i in range(5):
        for j in (0, 1, 3, 4, 5):
            assert found[i, j] == pytest.approx(pearsonr(x[:, i], y[:, j]).statistic)
    assert not found[:, 2].any()


def test_matching_undoes_a_permutation_and_flipped_signs(random: np.random.Generator) -> None:
    x = random.normal(size=(300, 40)) @ random.normal(size=(40, 40))
    order, signs = random.permutation(40), random.choice([-1.0, 1.0], 40)
    found = match(x, 2 * (x * signs)[:, order] + 1)
    assert np.array_equal(order[found.partner], np.arange(40))
    assert found.correlation == pytest.approx(signs)


def test_matching_is_the_best_of_all_assignments(layers: Layers) -> None:
    x, y = layers
    strength = np.abs(np.corrcoef(x.T, y.T)[:5, 5:])
    best = max(permutations(range(6), 5), key=lambda to: strength[np.arange(5), to].sum())
    found = match(x, y)
    assert found.partner.tolist() == list(best)
    assert np.abs(found.correlation) == pytest.approx(strength[np.arange(5), best])
    assert len({*best}) == 5
    assert strength.argmax(1).tolist() != list(best)  # each unit's own best isn't one-to-one


def test_null_of_one_unit_is_the_known_quantile(random: np.random.Generator) -> None:
    x, noise = random.normal(size=(2, 400, 1))
    bound = norm.ppf(0.975) / np.sqrt(399)  # r of shuffled digits is about normal
    assert match_null(x, x + noise, draws=4000) == pytest.approx(bound, rel=0.05)


def test_null_is_below_copies_and_met_by_unrelated_networks(random: np.random.Generator) -> None:
    x, y, noise = random.normal(size=(3, 300, 40))
    null = match_null(x, y)
    assert null > norm.ppf(0.975) / np.sqrt(300)  # a partner is chosen among 40
    above = np.abs(match(x, y).correlation) > null
    assert above.mean() <= 0.15
    assert np.quantile(np.abs(match(x, y).correlation), 0.95) == pytest.approx(null, rel=0.15)
    copies = x[:, ::-1] + noise
    assert (np.abs(match(x, copies).correlation) > match_null(x, copies)).all()


def test_null_is_repeatable_and_not_lowered_by_silent_units(random: np.random.Generator) -> None:
    x, y = random.normal(size=(2, 100, 5))
    silent = np.zeros((100, 20))
    assert match_null(x, y, 10, 3) == match_null(x, y, 10, 3) != match_null(x, y, 10, 4)
    assert match_null(np.hstack([x, silent]), np.hstack([silent, y])) == match_null(x, y)
    assert match_null(silent, y) == 0


def test_same_tuning_has_no_drift(random: np.random.Generator) -> None:
    labels = random.integers(0, 10, 500)
    before = class_moments(random.random((500, 6)) + np.outer(labels, np.arange(6)), labels, 10)[0]
    assert not tuning_drift(before, before).any()
    assert tuning_drift(before, 3 * before + 1) == pytest.approx(np.zeros(6), abs=1e-12)
    assert tuning_drift(before, 1 - before) == pytest.approx(np.full(6, 2.0))
    after = random.random((6, 10))
    expected = [1 - pearsonr(b, a).statistic for b, a in zip(before, after, strict=True)]
    assert tuning_drift(before, after) == pytest.approx(expected)


def test_drift_of_constant_profiles_is_0_or_1() -> None:
    before = [[0.1] * 10, [0.1] * 10, [0.1] * 10, [*range(10)]]
    after = [[0.1] * 10, [0.2] * 10, [*range(10)], [0.0] * 10]
    assert tuning_drift(before, after).tolist() == [0, 1, 1, 1]


def test_tuning_settles_on_its_last_profile(random: np.random.Generator) -> None:
    profiles = random.random((4, 3, 10))
    profiles[1, 2] = 0.0
    found = tuning_autocorrelation(profiles)
    assert found.shape == (4, 3)
    for t, u in [(0, 0), (0, 2), (1, 1), (2, 0)]:
        assert found[t, u] == pytest.approx(np.corrcoef(profiles[t, u], profiles[3, u])[0, 1])
    assert found[1, 2] == 0
    assert found[3].tolist() == [1, 1, 1]


def test_survival_counts_units_that_had_a_label() -> None:
    labels = ["7", "loop", "", "tail"]
    assert label_survival(labels, labels) == 1
    assert label_survival(labels, ["7", "", "", "stem"]) == pytest.approx(1 / 3)
    assert label_survival(labels, ["7", "loop", "new", "tail"]) == 1
    assert np.isnan(label_survival(["", ""], ["7", ""]))


def test_emergence_is_the_middle_of_a_sigmoid() -> None:
    steps = np.array([0, 1, 2, 4, 8, 16, 32, 64, 128])
    middle = np.array([3.0, 8.0, 20.0])
    rise = 1 / (1 + np.exp(-(steps[:, None] - middle)))  # half at `middle`, all at the end
    auc = 0.5 + rise[..., None] * [0.4, 0.04, -0.4]
    found = emergence_step(steps, auc)
    assert found.shape == (3, 3)
    assert found[:, 0].tolist() == [4, 8, 32]
    assert np.isnan(found[:, 1:]).all()  # too little, and below one half
    assert emergence_step(steps, auc[..., 0]).tolist() == [4, 8, 32]


def test_emergence_by_hand() -> None:
    auc = np.array([[0.8, 0.5, 0.5, 0.1], [0.9, 0.7, 0.9, 0.5], [0.9, 0.9, 0.55, 0.56]])
    found = emergence_step([10, 20, 50], auc)
    assert found.tolist() == pytest.approx([10, 20, np.nan, 50], nan_ok=True)


def test_emergence_of_a_detector_that_is_trained(random: np.random.Generator) -> None:
    labels = np.repeat([0, 1], 5000)
    noise = random.normal(size=(10000, 1))
    half = np.sqrt(2) * norm.ppf((norm.cdf(3 / np.sqrt(2)) + 0.5) / 2)  # AUC = Φ(d′ / √2)
    apart = np.array([0, 0.8 * half, 1.2 * half, 2.5, 3])
    auc = np.stack([auc_by_class(noise + d * labels[:, None], labels, 2) for d in apart])
    assert emergence_step([0, 1, 2, 4, 8], auc)[0].tolist() == pytest.approx(
        [np.nan, 2], nan_ok=True
    )


def test_mean_correlation_of_a_planted_pair(random: np.random.Generator) -> None:
    a, b, c = orthogonal(random, 50, 3).T
    planted = np.stack([a, -0.6 * a + 0.8 * b, c, np.full(50, 0.1)], 1) + 2
    assert mean_absolute_correlation(planted) == pytest.approx(0.6 / 3)  # one of three pairs
    x = random.normal(size=(30, 6)) @ random.normal(size=(6, 6))
    pairs = [abs(pearsonr(x[:, i], x[:, j]).statistic) for i, j in combinations(range(6), 2)]
    assert mean_absolute_correlation(x) == pytest.approx(np.mean(pairs))
    assert mean_absolute_correlation(np.stack([a, a, -a], 1)) == pytest.approx(1)
    assert np.isnan(mean_absolute_correlation(planted[:, 2:]))


def test_participation_counts_dimensions(layers: Layers, random: np.random.Generator) -> None:
    columns = orthogonal(random, 50, 4)
    assert participation_ratio(columns + 5) == pytest.approx(4)
    assert participation_ratio(np.outer(columns[:, 0], [1, -2, 3])) == pytest.approx(1)
    assert participation_ratio(columns[:, :2] * [2, 1]) == pytest.approx(25 / 17)  # λ = 4, 1
    eigenvalues = np.linalg.eigvalsh(np.cov(layers[0].T))
    expected = eigenvalues.sum() ** 2 / np.square(eigenvalues).sum()
    assert participation_ratio(layers[0]) == pytest.approx(expected)
    assert participation_ratio(np.full((9, 3), 0.1)) == 0


def test_area_under_known_curves() -> None:
    assert area_under_curve([0, 0.1, 1], [0.3] * 3) == pytest.approx(0.3)
    assert area_under_curve([0.2, 0.3, 0.6], [0.3] * 3) == pytest.approx(0.3)
    assert area_under_curve([0, 1], [1, 0.1]) == pytest.approx(0.55)
    assert area_under_curve([0, 0.25, 1], [1, 1, 0]) == pytest.approx(0.625)
    share = np.linspace(0, 1, 1001)
    assert area_under_curve(share, 1 - share**2) == pytest.approx(2 / 3, abs=1e-6)


@pytest.mark.parametrize("compare", [linear_cka, correlations, match, match_null])
def test_networks_must_see_the_same_digits(
    compare: Callable[[np.ndarray, np.ndarray], object],
) -> None:
    with pytest.raises(ValueError, match="20 and 30 digits"):
        compare(np.eye(20), np.eye(30))
    with pytest.raises(ValueError, match=r"\(20, 4, 5, 5\)"):
        compare(np.ones((20, 4, 5, 5)), np.eye(20))
    with pytest.raises(ValueError, match="two digits"):
        compare(np.ones((1, 3)), np.ones((1, 3)))
    broken = np.eye(3)
    broken[0, 1] = np.nan
    with pytest.raises(ValueError, match=r"Units \[1\]"):
        compare(np.eye(3), broken)


def test_what_is_wrong_is_said() -> None:
    digits = np.eye(9)
    with pytest.raises(ValueError, match="9 units among 3"):
        match(digits, digits[:, :3])
    with pytest.raises(ValueError, match="0 draws"):
        match_null(digits, digits, draws=0)
    with pytest.raises(ValueError, match=r"\(9, 9\) and \(9, 3\)"):
        tuning_drift(digits, digits[:, :3])
    with pytest.raises(ValueError, match="moments, units, classes"):
        tuning_autocorrelation(digits)
    with pytest.raises(ValueError, match="2 labels before, 1 after"):
        label_survival(["7", "loop"], ["7"])
    for of in (mean_absolute_correlation, participation_ratio):
        with pytest.raises(ValueError, match=r"\(9,\)"):
            of(digits[0])


def test_series_must_rise() -> None:
    with pytest.raises(ValueError, match="one step for each moment"):
        emergence_step([0, 1], np.ones((3, 4)))
    with pytest.raises(ValueError, match="rising order"):
        emergence_step([0, 2, 1], np.ones((3, 4)))
    with pytest.raises(ValueError, match="two or more"):
        area_under_curve([0, 1], [1, 1, 1])
    for shares in ([0, 0.5, 0.5], [0, 50, 100], [1, 0.5, 0]):
        with pytest.raises(ValueError, match="give them rising, within"):
            area_under_curve(shares, [1, 1, 1])
