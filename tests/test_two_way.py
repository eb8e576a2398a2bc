"""A mean over networks and images: its interval holds what it says, on simulated data."""

from __future__ import annotations

import numpy as np
import pytest

from core.statistics.two_way import two_way_mean


def covered(networks: int, images: int, of_network: float, of_image: float, noise: float) -> float:
    """The share of 1,000 simulations whose interval holds the true mean."""
    random = np.random.default_rng(0)
    hits = 0
    for _ in range(1000):
        values = (
            0.3
            + of_network * random.standard_normal((networks, 1))
            + of_image * random.standard_normal((1, images))
            + noise * random.standard_normal((networks, images))
        )
        found = two_way_mean(values, draws=150)
        hits += found.low <= 0.3 <= found.high
    return hits / 1000


@pytest.mark.parametrize(
    ("networks", "images", "of_network", "of_image", "noise"),
    [(10, 100, 1, 1, 1), (10, 100, 1, 0.1, 0.1), (10, 60, 0.1, 2, 1), (5, 200, 0.5, 2, 2)],
)
def test_coverage_is_95_percent(
    networks: int, images: int, of_network: float, of_image: float, noise: float
) -> None:
    found = covered(networks, images, of_network, of_image, noise)
    assert found == pytest.approx(0.95, abs=0.02)


def test_the_mean_and_its_parts_are_the_closed_form() -> None:
    random = np.random.default_rng(1)
    values = random.standard_normal((8, 1)) + np.zeros((8, 50))
    found = two_way_mean(values, draws=20_000)
    assert found.mean == pytest.approx(values.mean())
    assert found.of_networks == pytest.approx(values[:, 0].std(ddof=1) / np.sqrt(8), rel=0.03)
    assert found.of_images == pytest.approx(0)
    assert found.error == pytest.approx(found.of_networks)


def test_what_has_no_two_ways_is_refused() -> None:
    for wrong in (np.zeros((1, 5)), np.zeros((5, 1)), np.zeros(5), np.full((3, 3), np.nan)):
        with pytest.raises(ValueError, match="at least two networks and two images"):
            two_way_mean(wrong)
