"""Statistics against closed forms, scikit-learn and loops, and the fixtures of the field."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import mutual_info_score, roc_auc_score

from core.statistics import (
    adjusted,
    auc_by_class,
    class_moments,
    d_prime_by_class,
    effective_number,
    frequency_bins,
    lifetime_sparseness,
    mean_interval,
    mutual_information,
    rate_bound,
    selectivity_index,
    wilson_interval,
)


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def measured(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Rectified activations of 4 units on 300 digits, with many exact zeros, and labels."""
    labels = random.integers(0, 10, 300)
    values = random.normal(size=(300, 4)) + (labels[:, None] == np.array([0, 3, 5, 9])) * [
        0,
        1,
        2,
        4,
    ]
    return np.maximum(values.round(1), 0), labels


def column(*values: float) -> np.ndarray:
    return np.array(values, dtype=float)[:, None]


def test_selectivity_of_known_means() -> None:
    assert selectivity_index([1.0, *[0.0] * 9]) == pytest.approx(1)
    assert selectivity_index([2.0, *[1.0] * 9]) == pytest.approx(1 / 3)
    assert selectivity_index([1.0] * 10) == 0
    assert selectivity_index([0.0] * 10) == 0
    assert selectivity_index([3.0, 1.0, 0.0, 2.0]) == pytest.approx(0.5)


def test_selectivity_of_a_class_chosen_elsewhere_may_be_negative() -> None:
    means = np.array([[3.0, 1.0, 0.0, 2.0], [3.0, 1.0, 0.0, 2.0]])
    assert selectivity_index(means, np.array([0, 2])).tolist() == [0.5, -1.0]


def test_selectivity_ignores_scale_and_refuses_negative_means(random: np.random.Generator) -> None:
    means = random.random((5, 10))
    np.testing.assert_allclose(selectivity_index(7 * means), selectivity_index(means))
    with pytest.raises(ValueError, match="after a ReLU"):
        selectivity_index([-0.1, 1.0])


def test_auc_counts_ties_half() -> None:
    values, labels = column(3, 0, 0, 0, 0, 0, 1), np.array([1, 1, 1, 0, 0, 0, 0])
    assert auc_by_class(values, labels, 2)[0, 1] == pytest.approx(0.5833333)
    assert auc_by_class(np.zeros((7, 1)), labels, 2).tolist() == [[0.5, 0.5]]
    perfect = column(5, 6, 7, 1, 2, 3, 4)
    assert auc_by_class(perfect, labels, 2).tolist() == [[0.0, 1.0]]


def test_auc_equals_scikit_learns(measured: tuple[np.ndarray, np.ndarray]) -> None:
    values, labels = measured
    ours = auc_by_class(values, labels, 10)
    for unit in range(4):
        for digit in range(10):
            expected = roc_auc_score(labels == digit, values[:, unit])
            assert ours[unit, digit] == pytest.approx(expected, abs=1e-12)
    np.testing.assert_allclose(auc_by_class(-values, labels, 10), 1 - ours)


def test_auc_of_an_empty_class_is_chance() -> None:
    assert auc_by_class(column(1, 2, 3), np.zeros(3, int), 2).tolist() == [[0.5, 0.5]]


def test_equal_gaussians_have_the_auc_of_their_distance(random: np.random.Generator) -> None:
    labels = np.arange(200_000) % 2
    values = (random.normal(size=200_000) + labels)[:, None]
    assert norm.cdf(1 / np.sqrt(2)) == pytest.approx(0.7602499, abs=1e-7)
    assert auc_by_class(values, labels, 2)[0, 1] == pytest.approx(0.7602499, abs=4e-3)
    assert d_prime_by_class(values, labels, 2)[0, 1] == pytest.approx(1, abs=0.02)


def test_d_prime_by_hand_and_without_spread() -> None:
    labels = np.array([1, 1, 1, 0, 0, 0])
    assert d_prime_by_class(column(2, 3, 4, 0, 1, 2), labels, 2)[0].tolist() == pytest.approx(
        [-2, 2]
    )
    assert d_prime_by_class(column(*[0.3] * 6), labels, 2)[0].tolist() == [0, 0]
    assert d_prime_by_class(column(1, 1, 1, 0, 0, 0), labels, 2)[0].tolist() == [-np.inf, np.inf]


def test_d_prime_equals_a_loop(measured: tuple[np.ndarray, np.ndarray]) -> None:
    values, labels = measured
    ours = d_prime_by_class(values, labels, 10)
    for digit in range(10):
        one, rest = values[labels == digit], values[labels != digit]
        spread = np.sqrt((one.var(0, ddof=1) + rest.var(0, ddof=1)) / 2)
        np.testing.assert_allclose(ours[:, digit], (one.mean(0) - rest.mean(0)) / spread)


def test_class_moments_and_intervals_equal_a_loop(measured: tuple[np.ndarray, np.ndarray]) -> None:
    values, labels = measured
    mean, variance, count = class_moments(values, labels, 10)
    low, high = mean_interval(mean, variance, count)
    for digit in range(10):
        of = values[labels == digit]
        np.testing.assert_allclose(mean[:, digit], of.mean(0), atol=1e-12)
        np.testing.assert_allclose(variance[:, digit], of.var(0, ddof=1), atol=1e-12)
        error = 1.959964 * np.sqrt(of.var(0, ddof=1) / len(of))
        np.testing.assert_allclose(high[:, digit] - of.mean(0), error, rtol=1e-6)
        np.testing.assert_allclose(of.mean(0) - low[:, digit], error, rtol=1e-6)
    assert class_moments(values[:3] * 0, np.zeros(3, int), 2)[0].tolist() == [[0, 0]] * 4


def test_bins_keep_the_zeros_apart_and_ties_together() -> None:
    binned = frequency_bins(column(0, -1, 0, 1, 2, 3, 4), bins=2)[:, 0]
    assert binned.tolist() == [0, 0, 0, 1, 1, 2, 2]
    tied = frequency_bins(column(5, 5, 5, 5, 9), bins=4)[:, 0]
    assert len(set(tied[:4])) == 1
    assert frequency_bins(np.arange(1, 801)[:, None], bins=8)[:, 0].tolist().count(3) == 100


def test_a_perfect_detector_of_one_class_in_ten() -> None:
    labels = np.arange(1000) % 10
    binned = frequency_bins((labels == 3)[:, None] * 1.0)
    correction = 1 / (2 * 1000 * np.log(2))  # 2 bins + 10 classes - 10 cells seen - 1
    found = mutual_information(binned, labels, 10)[0]
    assert found - correction == pytest.approx(0.4689956, abs=1e-7)


def test_information_equals_scikit_learns_and_its_correction(
    measured: tuple[np.ndarray, np.ndarray],
) -> None:
    values, labels = measured
    binned = frequency_bins(values)
    ours = mutual_information(binned, labels, 10)
    for unit in range(4):
        column_ = binned[:, unit]
        plain = mutual_info_score(column_, labels) / np.log(2)
        cells = len(set(zip(column_.tolist(), labels.tolist(), strict=True)))
        bias = (len(set(column_)) + len(set(labels)) - cells - 1) / (2 * 300 * np.log(2))
        assert ours[unit] == pytest.approx(max(plain + bias, 0), abs=1e-9)


def test_permuted_labels_carry_no_information(random: np.random.Generator) -> None:
    values = np.maximum(random.normal(size=(5000, 20)), 0)
    labels = random.permutation(np.arange(5000) % 10)
    assert mutual_information(frequency_bins(values), labels, 10).mean() < 0.004
    np.testing.assert_allclose(auc_by_class(values, labels, 10), 0.5, atol=0.06)


def test_sparseness_of_known_answers() -> None:
    assert lifetime_sparseness(column(4, 1, 1, 0))[0] == pytest.approx(0.6666667)
    assert lifetime_sparseness(column(1, 0, 0, 0))[0] == pytest.approx(1)
    assert lifetime_sparseness(column(2, 2, 2, 2))[0] == pytest.approx(0)
    assert lifetime_sparseness(np.zeros((4, 1)))[0] == 0


def test_effective_number_of_classes() -> None:
    assert effective_number([4, 1, 1, 0]) == pytest.approx(2.3811016)
    assert effective_number([1] * 10) == pytest.approx(10)
    assert effective_number([0] * 10) == 0


def test_intervals_and_bounds() -> None:
    low, high = wilson_interval(9, 10)
    assert (low, high) == pytest.approx((0.59585, 0.98212), abs=1e-5)
    assert rate_bound(10_000) == pytest.approx(3e-4, rel=2e-3)
    with pytest.raises(ValueError, match="11 of 10 is no proportion"):
        wilson_interval(11, 10)


def test_adjusted_p_values_reject_at_the_false_discovery_rate() -> None:
    p = np.array([0.001, 0.008, 0.039, 0.041, 0.042, 0.06, 0.074, 0.205])
    assert (adjusted(p) <= 0.05).tolist() == [True, True, *[False] * 6]
    assert (adjusted(p[::-1]) <= 0.05).tolist() == [*[False] * 6, True, True]
    assert not (adjusted([0.9, 0.8]) <= 0.05).any()
    square = adjusted(p.reshape(2, 4))
    np.testing.assert_allclose(square.ravel(), adjusted(p))
