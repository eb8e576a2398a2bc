"""Where the dip claims several modes, several are located, however different their widths are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core.statistics.modes import find_layer, find_modes
from core.statistics.modes.locating import Mode

Values = NDArray[np.float64]
Law = Callable[[np.random.Generator], Values]
N = 600


def clusters(*parts: tuple[float, float, float]) -> Law:
    """Normal clusters: share, middle, standard deviation of each."""

    def drawn(random: np.random.Generator) -> Values:
        each = [random.normal(at, width, round(share * N)) for share, at, width in parts]
        return np.concatenate(each)

    return drawn


TWINS = clusters((0.5, 0, 1), (0.5, 6, 1))
UNEVEN = clusters((0.5, 1, 0.02), (0.5, 10, 3))

# What is drawn, the middles of its modes, and by how much a mode may miss them.
SEVERAL: dict[str, tuple[Law, tuple[float, ...], float]] = {
    "narrow and wide": (UNEVEN, (1, 10), 2.5),
    "far narrower": (clusters((0.5, 1, 0.002), (0.5, 100, 30)), (1, 100), 25),
    "wide on the left": (clusters((0.5, -10, 3), (0.5, 1, 0.02)), (-10, 1), 2.5),
    "mostly narrow": (clusters((0.7, 1, 0.02), (0.3, 10, 3)), (1, 10), 2.5),
    "far from 0": (lambda random: 1e6 + UNEVEN(random), (1e6 + 1, 1e6 + 10), 2.5),
    "huge": (lambda random: 1e200 * UNEVEN(random), (1e200, 1e201), 2.5e200),
    "tiny": (lambda random: 1e-250 * UNEVEN(random), (1e-250, 1e-249), 2.5e-250),
    "rounded": (lambda random: UNEVEN(random).round(2), (1, 10), 2.5),
    "one value far off": (lambda random: np.append(TWINS(random), 1e4), (0, 6), 1),
    "one very far off": (lambda random: np.append(TWINS(random), -1e7), (0, 6), 1),
    "far off on both sides": (lambda random: np.append(TWINS(random), [-1e5, 1e5]), (0, 6), 1),
    "heavy tails": (
        lambda random: np.concatenate([at + random.standard_t(2, N // 2) for at in (0, 8)]),
        (0, 8),
        1,
    ),
    "of one shape on a logarithmic scale": (
        lambda random: np.exp(clusters((0.5, 0, 0.3), (0.5, 4, 0.5))(random)),
        (1, 45),
        25,
    ),
    "three widths": (
        clusters((1 / 3, 0, 0.02), (1 / 3, 4, 0.4), (1 / 3, 20, 2.5)),
        (0, 4, 20),
        2.5,
    ),
}
ONE: dict[str, Law] = {
    "normal": lambda random: random.normal(size=N),
    "exponential": lambda random: random.exponential(size=N),
    "lognormal": lambda random: random.lognormal(size=N),
    "a wide lognormal": lambda random: random.lognormal(sigma=2, size=N),
    "t3": lambda random: random.standard_t(3, N),
    "Cauchy": lambda random: random.standard_cauchy(N),
    "rectified": lambda random: np.maximum(random.normal(size=N), 0),
}


@pytest.mark.parametrize("name", SEVERAL)
def test_modes_of_different_widths_are_located(name: str) -> None:
    law, middles, apart = SEVERAL[name]
    for seed in range(5):
        values = law(np.random.default_rng(seed))
        of = find_modes(values, sensitive=False)
        assert of.multimodal
        assert of.located
        assert [mode.at for mode in of.modes] == pytest.approx(middles, abs=apart)
        assert of.said == f"{len(middles)} modes"
        assert sum(mode.share for mode in of.modes) == pytest.approx(1)
        assert of.density is not None
        assert of.density.grid[0] < of.modes[0].at < of.modes[-1].at < of.density.grid[-1]


def test_an_atom_beside_modes_of_different_widths_stays_apart() -> None:
    values = np.concatenate([np.zeros(400), UNEVEN(np.random.default_rng(0))])
    assert find_modes(values, sensitive=False).said == "values at exactly 0 + 2 modes"


@pytest.mark.parametrize("law", ONE.values(), ids=ONE)
def test_laws_with_one_mode_keep_it(law: Law) -> None:
    """None of 300 draws each had two, before modes were looked for at other bandwidths or after."""
    found = [find_modes(law(np.random.default_rng(seed)), sensitive=False) for seed in range(20)]
    assert [of.n_modes for of in found] == [1] * 20


def test_only_the_dip_can_give_a_flat_law_two_modes() -> None:
    """There the dip errs most: at its rate, and with no single mode beside a claim."""
    found = [
        find_modes(np.random.default_rng(of).random(200), sensitive=False) for of in range(150)
    ]
    for of in found:
        assert (of.n_modes > 1) == of.multimodal
    assert np.mean([of.multimodal for of in found]) < 0.1


@pytest.mark.parametrize("factor", [2.0**400, 2.0**-700])
def test_a_power_of_two_changes_nothing_but_the_scale(factor: float) -> None:
    values = UNEVEN(np.random.default_rng(3))
    plain, scaled = find_modes(values), find_modes(values * factor)
    for name in ("dip", "p_value", "sensitive_p", "bimodality"):
        assert getattr(scaled, name) == getattr(plain, name)
    assert scaled.critical == plain.critical * factor
    assert [(of.at, of.share, of.stability) for of in scaled.modes] == [
        (of.at * factor, of.share, of.stability) for of in plain.modes
    ]
    np.testing.assert_array_equal(scaled.few, plain.few * factor)


def test_a_bandwidth_that_is_told_is_kept_and_what_it_hides_is_said() -> None:
    of = find_modes(TWINS(np.random.default_rng(0)), width=10.0, sensitive=False)
    assert of.density is not None
    assert (of.density.bandwidth, of.n_modes, of.located) == (10.0, 1, False)
    assert of.said == "more than one mode, not located"


def test_a_layer_never_says_one_mode_where_the_dip_claims_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    values = np.stack(
        [law(np.random.default_rng(0)) for law in (UNEVEN, TWINS, ONE["normal"])], axis=1
    )
    layer = find_layer(values, sensitive=False)
    assert layer.modes.tolist() == [2, 2, 1]
    assert layer.claimed.tolist() == [True, True, False]
    unlocated = {"modes": (Mode(0.0, 1.0, 1.0, -np.inf, np.inf, 1.0, 1.0),)}

    def hidden(*given: Any, **how: Any) -> Any:
        return replace(find_modes(*given, **how), **unlocated)

    monkeypatch.setattr("core.statistics.modes.layer.find_modes", hidden)
    assert find_layer(values, sensitive=False).modes.tolist() == [2, 2, 1]
