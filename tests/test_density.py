"""Densities, bandwidths and peaks against scipy and closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import gaussian_kde

from core.statistics.modes.density import bandwidth, densities, density, peaks_of


@pytest.mark.parametrize("law", ["bell", "two", "skewed", "far"])
def test_the_density_is_scipys_at_the_same_bandwidth(law: str) -> None:
    random = np.random.default_rng(0)
    x = {
        "bell": random.normal(size=900),
        "two": np.r_[random.normal(size=500), random.normal(6, 0.5, 400)],
        "skewed": random.lognormal(size=900),
        "far": 1e4 + 1e-2 * random.normal(size=900),
    }[law]
    of = density(x)
    theirs = gaussian_kde(x, of.bandwidth / x.std(ddof=1))(of.grid)
    assert np.abs(theirs - of.heights).max() < 0.01 * theirs.max()
    assert of.heights.sum() * (of.grid[1] - of.grid[0]) == pytest.approx(1, abs=0.01)
    assert of.grid[0] == pytest.approx(x.min() - 3 * of.bandwidth)
    assert of.grid[-1] == pytest.approx(x.max() + 3 * of.bandwidth)


def test_many_densities_are_those_of_one_at_a_time() -> None:
    x = np.random.default_rng(1).normal(size=(300, 4)) * [1, 2, 3, 0.1] + [0, 5, -5, 1]
    widths = [0.2, 0.5, 0.7, 0.03]
    grids, heights = densities(x, widths, points=256)
    for unit, width in enumerate(widths):
        alone = density(x[:, unit], width, points=256)
        np.testing.assert_allclose(grids[unit], alone.grid)
        np.testing.assert_allclose(heights[unit], alone.heights, atol=1e-12)
    with pytest.raises(ValueError, match="a bandwidth is 0: give widths above 0"):
        densities(x, [0.2, 0, 1, 1])


def test_peaks_and_their_prominences_are_those_of_the_formula() -> None:
    grid = np.linspace(0, 8, 8001)
    heights = np.exp(-0.5 * ((grid - 3) / 0.7) ** 2) + 0.6 * np.exp(-0.5 * ((grid - 5) / 0.7) ** 2)
    found = peaks_of(heights)
    assert found.prominences == pytest.approx([1.0105, 0.0784], abs=2e-4)
    assert grid[found.at] == pytest.approx([3.02, 4.93], abs=0.02)
    valley = grid[found.valleys[0]]
    assert heights[found.valleys[0]] == pytest.approx(heights[(grid > 3) & (grid < 5)].min())
    assert 4 < valley < 4.9
    assert len(peaks_of(heights, 0.1).at) == 1


def test_peaks_at_the_ends_and_plateaus_count_once() -> None:
    assert peaks_of([3.0, 1, 0, 0.5, 2]).at.tolist() == [0, 4]
    assert peaks_of([0.0, 1, 1, 1, 0]).at.tolist() == [2]
    assert peaks_of([1.0, 0.97, 1.001]).at.tolist() == [2]  # the valley is a ripple


@pytest.mark.parametrize(("apart", "modes"), [(1.9, 1), (2.6, 2)])
def test_two_bells_have_two_peaks_only_beyond_two_standard_deviations(
    apart: float, modes: int
) -> None:
    grid = np.linspace(-5, 8, 4001)
    heights = sum(np.exp(-0.5 * (grid - at) ** 2) for at in (0.0, apart))
    assert len(peaks_of(heights, 1e-3).at) == modes


def test_the_bandwidth_is_near_the_best_for_a_bell_and_small_for_two() -> None:
    random = np.random.default_rng(2)
    bell = random.normal(size=4000)
    best = (4 / 3) ** 0.2 * 4000**-0.2  # of a Gaussian law, in closed form
    assert bandwidth(bell) == pytest.approx(best, rel=0.25)
    assert bandwidth(10 * bell + 3) == pytest.approx(10 * bandwidth(bell), rel=0.05)
    two = np.r_[bell[:2000], bell[2000:] + 10]
    scott = two.std() * len(two) ** -0.2
    assert bandwidth(two) < scott / 2
    with pytest.raises(ValueError, match="a density needs some spread"):
        bandwidth(np.ones(30))
    assert bandwidth([0.0, 1.0, 1.5]) > 0
