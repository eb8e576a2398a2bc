"""Modes, their tests, and what lives in them, against laws of which the answer is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.stats import binomtest, hypergeom, norm

from core.analyses.modality.makeup import (
    ATOM,
    class_information,
    class_shares,
    concept_shares,
    members,
    verdict,
    within_classes,
)
from core.analyses.modality.unit_modes import ModesOfLayer, UnitModes, modes_table, unit_modes
from core.data.concepts import CONCEPTS, Measured
from core.statistics.modes import LayerModes, Modality, Mode, find_layer, find_modes
from core.statistics.modes.describing import bic_gain, bimodality_coefficient
from core.statistics.modes.dip import SIZES, dip, dip_p_value, uniform_dips
from core.statistics.modes.silverman import critical_bandwidths, critical_p_values, modes_inside

Numbers = NDArray[np.float64]


def mixture(share: float, apart: float, n: int, seed: int = 0) -> Numbers:
    random = np.random.default_rng(seed)
    return np.asarray(random.standard_normal(n) + apart * (random.random(n) < share))


def gaussian(n: int, seed: int = 0) -> Numbers:
    return np.random.default_rng(seed).standard_normal(n)


def nearest_unimodal(values: Numbers) -> float:
    """The dip by linear programming: the best law with its mode at each value and each middle.

    Variables: the law at each place, from the left up to the mode and from the right behind it, and
    the distance.
    """
    different = np.unique(values)
    if len(different) == 1:
        return 0.0
    places = np.sort(np.concatenate([different, (different[1:] + different[:-1]) / 2]))
    above = np.array([(values <= at).mean() for at in places])
    below = np.array([(values < at).mean() for at in places])
    return min(_distance(places, below, above, mode) for mode in range(len(places)))


def _distance(at: Numbers, below: Numbers, above: Numbers, mode: int) -> float:
    left, right = mode + 1, len(at) - mode
    size = left + right + 1
    rows: list[Numbers] = []
    limits: list[float] = []

    def at_most(weights: dict[int, float], limit: float) -> None:
        row = np.zeros(size)
        for variable, weight in weights.items():
            row[variable] += weight
        rows.append(row)
        limits.append(limit)

    for k in range(left):
        at_most({k: 1, size - 1: -1}, below[k])
        at_most({k: -1, size - 1: -1}, -(above[k] if k < mode else below[k]))
    for j in range(right):
        at_most({left + j: 1, size - 1: -1}, below[mode + j] if j else above[mode])
        at_most({left + j: -1, size - 1: -1}, -above[mode + j])
    at_most({left - 1: 1, left: -1}, 0)
    for first, count, offset, sign in ((0, left, 0, 1), (left, right, mode, -1)):
        for k in range(count - 1):
            at_most({first + k: 1, first + k + 1: -1}, 0)
        for k in range(count - 2):
            one, two = np.diff(at[offset + k : offset + k + 3])
            slope = {first + k: -1 / one, first + k + 1: 1 / one + 1 / two, first + k + 2: -1 / two}
            at_most({variable: sign * weight for variable, weight in slope.items()}, 0)
    cost = np.zeros(size)
    cost[-1] = 1
    found = linprog(cost, A_ub=np.array(rows), b_ub=limits, bounds=[(0, 1)] * size)
    return float(found.fun) if found.status == 0 else 1.0


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((0, 0.1, 0.2, 0.9, 1, 1.1), 0.1944444),
        ((1, 2, 3, 4, 10, 11, 12, 13), 0.1666667),
        (range(100), 1 / 200),
        (range(7), 1 / 14),
        ((0, 0, 1, 1), 0.25),
        ((3, 3, 3), 0.0),
    ],
)
def test_the_dip_of_known_samples(values: object, expected: float) -> None:
    assert dip(list(values)) == pytest.approx(expected, abs=1e-6)  # type: ignore[call-overload]


@pytest.mark.parametrize("kind", ["bell", "two", "tied", "flat"])
def test_the_dip_is_that_of_a_linear_program(kind: str) -> None:
    random = np.random.default_rng(3)
    for _ in range(6):
        n = int(random.integers(2, 10))
        values = {
            "bell": random.normal(size=n),
            "two": np.concatenate([random.normal(size=n), random.normal(4, 1, 4)]),
            "tied": random.integers(0, 6, n).astype(float),
            "flat": random.random(n),
        }[kind]
        assert dip(values) == pytest.approx(nearest_unimodal(values), abs=1e-7)


def test_the_dip_does_not_know_order_shift_or_scale() -> None:
    values = mixture(0.4, 3, 300)
    expected = dip(values)
    assert dip(np.random.default_rng(0).permutation(values)) == pytest.approx(expected)
    for scale, shift in ((1e-6, 5.0), (1e6, -3e6), (-1.0, 0.0)):
        assert dip(scale * values + shift) == pytest.approx(expected, abs=1e-6)
    assert np.isfinite(dip([-1e308, 0, 1e308]))


def test_p_values_of_uniform_samples_are_uniform_and_fall_with_the_dip() -> None:
    for n in (50, 300, 1000):
        p = np.array([dip_p_value(of / np.sqrt(n), n) for of in uniform_dips(n, 250, seed=9)])
        for level in (0.05, 0.25, 0.5):
            hits = int((p <= level).sum())
            assert binomtest(hits, len(p), level).pvalue > 1e-3
    falling = [dip_p_value(of, 500) for of in np.linspace(0, 0.25, 60)]
    assert falling[0] == 1
    assert all(one >= two for one, two in pairwise(falling))
    assert 0 < falling[-1] < 1e-3
    assert dip_p_value(0.02, 2000) == dip_p_value(0.02 * np.sqrt(2000 / 8000), 8000)
    with pytest.raises(ValueError, match="n is 49: give at least 50"):
        dip_p_value(0.1, SIZES[0] - 1)


LAWS: dict[str, Callable[[int], Numbers]] = {
    "uniform": lambda seed: np.random.default_rng(seed).random(400) * 4,
    "Gaussian": lambda seed: gaussian(400, seed),
    "exponential": lambda seed: np.random.default_rng(seed).standard_exponential(400),
    "t3": lambda seed: np.random.default_rng(seed).standard_t(3, 400),
    "lognormal": lambda seed: np.random.default_rng(seed).lognormal(size=400),
    "ReLU": lambda seed: np.maximum(gaussian(1200, seed) - 0.5, 0),
}


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("decimals", [None, 1])
def test_the_claim_is_rarely_wrong_also_of_rounded_values(law: str, decimals: int | None) -> None:
    claims = 0
    for seed in range(40):
        x = LAWS[law](seed)
        of = find_modes(x if decimals is None else x.round(decimals), sensitive=False)
        assert of.state == "tested"
        claims += of.multimodal
    assert claims <= 6  # of 40; with a rate of .05 more have a chance of .001


@pytest.mark.parametrize("decimals", [None, 1])
def test_two_equal_modes_are_always_claimed(decimals: int | None) -> None:
    for seed in range(20):
        x = mixture(0.5, 4, 1000, seed)
        of = find_modes(x if decimals is None else x.round(decimals), sensitive=False)
        assert of.multimodal
        assert of.n_modes == 2


def test_a_small_mode_is_found_by_the_sensitive_test_only() -> None:
    found = [find_modes(mixture(0.13, 4, 1000, seed)) for seed in range(20)]
    assert sum(of.sensitive_p < 0.05 for of in found) >= 15
    assert sum(of.p_value < 0.05 for of in found) <= 2
    bells = [find_modes(gaussian(1000, seed)) for seed in range(20)]
    assert sum(of.sensitive_p < 0.05 for of in bells) <= 4
    assert all(of.n_modes == 1 for of in bells)


def test_a_flat_top_is_a_suspect_at_most_and_never_two_modes() -> None:
    flat = [find_modes(np.random.default_rng(seed).uniform(size=1000)) for seed in range(20)]
    assert sum(of.n_modes > 1 for of in flat) <= 3  # at a rate of .05 more have a chance of .02


def test_an_atom_at_zero_is_no_mode() -> None:
    random = np.random.default_rng(0)
    x = np.where(random.random(2000) < 0.6, 0, random.normal(5, 1, 2000))
    of = find_modes(x)
    assert of.said == "values at exactly 0 + 1 mode"
    assert of.apart
    assert of.zeros == pytest.approx((x == 0).mean())
    assert of.n_modes == 1
    assert of.modes[0].at == pytest.approx(5, abs=0.4)
    assert of.modes[0].share == pytest.approx((x != 0).mean())
    assert not of.multimodal


def test_zeros_of_a_rounded_bell_are_no_atom() -> None:
    of = find_modes(gaussian(3000).round(1))
    assert of.zeros > 0.02
    assert not of.apart
    assert of.dithered
    assert of.said == "1 mode"


def test_rounding_changes_no_verdict() -> None:
    for x in (gaussian(1500), mixture(0.5, 4, 1500), mixture(0.3, 5, 1500)):
        plain = find_modes(x)
        for decimals in (3, 2, 1):
            of = find_modes(x.round(decimals))
            assert (of.multimodal, of.n_modes) == (plain.multimodal, plain.n_modes)
    half = torch.tensor(gaussian(3000)).half()  # ties of another kind: steps grow with the value
    assert not find_modes(half).multimodal


def test_a_saturated_unit_is_not_smeared_over_its_range() -> None:
    random = np.random.default_rng(1)
    x = np.tanh(random.normal(0, 4, 2000)).astype(np.float32)
    assert find_modes(x).multimodal


def test_shift_and_scale_change_nothing_but_places() -> None:
    x = mixture(0.5, 4, 1000)
    plain, moved = find_modes(x), find_modes(100 * x + 7)
    assert moved.n_modes == plain.n_modes
    assert moved.dip == pytest.approx(plain.dip, abs=1e-6)
    assert moved.bimodality == pytest.approx(plain.bimodality)
    for one, other in zip(plain.modes, moved.modes, strict=True):
        assert other.at == pytest.approx(100 * one.at + 7, abs=2)
        assert other.share == pytest.approx(one.share, abs=0.01)


def test_modes_partition_the_values() -> None:
    of = find_modes(mixture(0.3, 6, 2000))
    assert [mode.at for mode in of.modes] == pytest.approx([0, 6], abs=0.4)
    assert [mode.share for mode in of.modes] == pytest.approx([0.7, 0.3], abs=0.04)
    assert of.modes[0].low == -np.inf
    assert of.modes[0].high == of.modes[1].low
    assert of.modes[1].high == np.inf
    assert of.modes[0].prominence == pytest.approx(1)
    assert all(mode.stability >= 0.9 for mode in of.modes)


def test_three_modes_are_three_and_ripples_beside_a_sharp_mode_are_none() -> None:
    random = np.random.default_rng(0)
    three = np.concatenate([random.normal(at, 1, 600) for at in (0, 5, 10)])
    assert find_modes(three).n_modes == 3
    for _ in range(3):
        sharp = np.concatenate([random.normal(0, 0.1, 300), random.normal(5, 1.5, 1500)])
        assert find_modes(sharp).n_modes == 2


def test_what_cannot_be_tested_says_so() -> None:
    for values, state, zeros in (
        (np.zeros(500), "constant", 1.0),
        (np.full(500, 3.2), "constant", 0.0),
        (np.r_[np.zeros(500), 1.0, 2.0], "too few", 500 / 502),
        (np.arange(20.0), "too few", 1 / 20),
        (np.arange(600) % 7 * 1.0, "too few different", 86 / 600),
        ([1.5], "constant", 0.0),
    ):
        of = find_modes(values)
        assert of.state == state
        assert of.zeros == pytest.approx(zeros)
        assert (of.n_modes, of.p_value, of.multimodal) == (0, 1.0, False)
        assert of.said.endswith(".")
    with pytest.raises(ValueError, match="no values: give one for each digit"):
        find_modes([])
    with pytest.raises(ValueError, match="2 of 60 values are not finite"):
        find_modes(np.r_[np.ones(58), np.nan, np.inf])
    with pytest.raises(ValueError, match=r"shape \(60, 2, 2\): give one number for each digit"):
        find_modes(np.ones((60, 2, 2)))


def test_a_tensor_with_a_gradient_is_read_and_the_seed_decides() -> None:
    x = torch.tensor(mixture(0.5, 4, 3000), requires_grad=True)
    one, two = find_modes(x, seed=4), find_modes(x, seed=4)
    assert one.multimodal
    assert (one.dip, one.sensitive_p, one.modes) == (two.dip, two.sensitive_p, two.modes)
    assert x.grad is None


def test_a_layer_is_adjusted_over_the_units_that_can_be_tested() -> None:
    values = np.stack(
        [np.zeros(400), mixture(0.5, 5, 400), gaussian(400, 1), gaussian(400, 2)], axis=1
    )
    done: list[float] = []
    of = find_layer(values, on_progress=done.append)
    assert of.state.tolist() == ["constant", "tested", "tested", "tested"]
    assert of.claimed.tolist() == [False, True, False, False]
    assert of.q[1] == pytest.approx(3 * of.p[1])  # of three tested units, not of four
    assert of.q[0] == 1
    assert done == [0.25, 0.5, 0.75, 1.0]
    assert of.heights[0].max() == 0
    for unit in (1, 2, 3):
        assert of.heights[unit].sum() * of.step[unit] == pytest.approx(1, abs=0.02)
    with pytest.raises(ValueError, match=r"shape \(400,\): give \(digits, units\)"):
        find_layer(values[:, 0])


def test_the_critical_bandwidth_is_where_the_second_mode_goes() -> None:
    x = mixture(0.5, 4, 1000)
    width = critical_bandwidths(x[:, None], np.random.default_rng(0), draws=20).bandwidths[0]
    low, high = np.quantile(x, [0.01, 0.99])
    grid = np.linspace(low, high, 800)

    def modes(times: float) -> int:
        heights = np.exp(-0.5 * ((grid[:, None] - x) / (times * width)) ** 2).sum(1)
        return int(modes_inside(heights, slice(None)))

    assert modes(0.97) == 2
    assert modes(1.03) == 1
    p = critical_p_values(np.linspace(0, 1, 20), 700)
    assert (np.diff(p) >= 0).all()
    assert 0 < p[0] < 0.02
    assert p[-1] == 1
    with pytest.raises(ValueError, match="n is 20: give at least 50"):
        critical_p_values([0.1], 20)


def test_plateaus_and_ends_are_no_extra_modes() -> None:
    heights = np.array([[0, 1, 1, 0, 0, 2, 2, 2, 0], [3, 2, 1, 0, 0, 0, 1, 2, 3]], float)
    assert modes_inside(heights, slice(None)).tolist() == [2, 0]


def test_the_bimodality_coefficient_of_known_laws() -> None:
    assert bimodality_coefficient([0, 1, 2, 3, 4, 10]) == pytest.approx(0.3920308, abs=1e-6)
    random = np.random.default_rng(0)
    assert bimodality_coefficient(random.normal(size=400_000)) == pytest.approx(1 / 3, abs=0.01)
    assert bimodality_coefficient(random.random(400_000)) == pytest.approx(5 / 9, abs=0.01)
    skewed = bimodality_coefficient(random.exponential(size=400_000))
    assert skewed == pytest.approx(5 / 9, abs=0.02)
    with pytest.raises(ValueError, match="at least four that differ"):
        bimodality_coefficient([1, 1, 1, 1])


def test_bic_agrees_with_another_fit_of_two_gaussians() -> None:
    mixtures = pytest.importorskip("sklearn.mixture")
    for x in (mixture(0.5, 3, 400), mixture(0.3, 4, 400)):
        one, two = (
            mixtures.GaussianMixture(k, n_init=2, random_state=0, tol=1e-5, max_iter=2000)
            .fit(x[:, None])
            .bic(x[:, None])
            for k in (1, 2)
        )
        assert bic_gain(x) == pytest.approx(one - two, abs=0.5)
    with pytest.raises(ValueError, match="needs some spread"):
        bic_gain([2, 2, 2])


def modes_at(*borders: float) -> tuple[Mode, ...]:
    ends = (-np.inf, *borders, np.inf)
    return tuple(Mode(0, 1, 1, *pair, 0.5, 1) for pair in pairwise(ends))


def test_every_value_lives_in_one_mode_or_in_the_atom() -> None:
    values = [-2.0, 0.0, 0.4, 1.0, 3.0]
    assert members(values, modes_at(1.0), False).tolist() == [0, 0, 0, 1, 1]
    assert members(values, modes_at(1.0), True).tolist() == [0, ATOM, 0, 1, 1]
    assert members(values, modes_at(), False).tolist() == [0] * 5


def test_classes_of_a_mode_stand_beside_their_base_rate() -> None:
    where, labels = np.array([0] * 60 + [1] * 40), np.array([0] * 50 + [1] * 50)
    table = class_shares(where, labels, 2).set_index(["mode", "class"])
    assert table.loc[(0, 0), "share"] == pytest.approx(50 / 60)
    assert table.loc[(1, 0), "share"] == 0
    assert (table["base"] == 0.5).all()
    assert (table["low"] <= table["share"]).all()
    assert (table["high"] >= table["share"]).all()
    own, shuffled = class_information(where, labels)
    assert own > 0.5 > 0.1 > shuffled
    mixed = np.random.default_rng(0).permutation(where)
    assert class_information(mixed, labels)[0] < 0.05


def test_concepts_count_beyond_what_classes_explain() -> None:
    random = np.random.default_rng(0)
    labels = np.repeat([0, 1], 1000)
    where = np.where(random.random(2000) < np.where(labels == 0, 0.9, 0.1), 0, 1)
    of_class = (labels == 0) & (random.random(2000) < 0.5)  # more in mode 0, by its class alone
    of_mode = random.random(2000) < np.where(where == 0, 0.6, 0.4)
    never = np.zeros(2000, bool)
    present = np.stack([of_class, of_mode, never], 1)
    table = concept_shares(where, labels, present, ("by class", "by mode", "never"))
    rows = table.set_index(["mode", "concept"])
    assert "never" not in table["concept"].to_numpy()
    assert rows.loc[(0, "by class"), "share"] > rows.loc[(0, "by class"), "base"] + 0.1
    assert rows.loc[(0, "by class"), "q"] > 0.05
    assert rows.loc[(0, "by mode"), "q"] < 1e-6
    assert rows.loc[(0, "by mode"), "more"] > 0.03
    assert rows.loc[(1, "by mode"), "more"] < -0.03


def test_the_test_of_a_concept_is_that_of_draws_without_replacement() -> None:
    random = np.random.default_rng(1)
    labels, where = random.integers(0, 3, 600), random.integers(0, 2, 600)
    has = random.random(600) < 0.2 + 0.1 * labels + 0.1 * where
    drawn = [
        hypergeom(own.sum(), (own & has).sum(), (own & (where == 0)).sum())
        for own in (labels == label for label in range(3))
    ]
    expected = sum(float(of.mean()) for of in drawn)
    z = ((has & (where == 0)).sum() - expected) / np.sqrt(sum(float(of.var()) for of in drawn))
    ours = concept_shares(where, labels, has[:, None], ("it",)).iloc[0]
    assert ours["expected"] == pytest.approx(expected / (where == 0).sum())
    assert ours["p"] == pytest.approx(2 * norm.sf(abs(z)))


def found_on(values: Numbers, labels: NDArray[np.int64]) -> tuple[Modality, pd.DataFrame, str]:
    judged, within = find_modes(values), within_classes(values, labels, 3)
    where = members(values, judged.modes, judged.apart)
    return judged, within, verdict(judged, within, class_information(where, labels))


def test_two_classes_are_told_from_two_ways_of_writing_one() -> None:
    labels = np.random.default_rng(0).permutation(np.repeat([0, 1, 2], 400))
    noise = gaussian(1200, 5)
    style = np.random.default_rng(6).random(1200) < 0.5
    assert found_on(noise, labels)[2] == "one mode"
    _, within, said = found_on(noise + 5 * (labels == 0), labels)
    assert said == "classes"
    assert (within["q"] > 0.05).all()
    _, within, said = found_on(noise + 6 * ((labels == 1) & style), labels)
    assert said in ("ways of writing", "both")
    assert within.set_index("class")["q"].lt(0.05).to_dict() == {0: False, 1: True, 2: False}
    assert found_on(noise + 5 * style, labels)[2] == "ways of writing"


def test_a_class_without_digits_or_with_a_dead_unit_is_no_error() -> None:
    labels = np.array([0] * 80 + [1] * 80 + [2] * 5)
    values = np.concatenate([gaussian(80), np.zeros(80), gaussian(5)])
    table = within_classes(values, labels)
    assert table["class"].tolist() == [0, 1, 2]
    assert table["state"].tolist() == ["tested", "constant", "too few"]
    assert table["q"].tolist()[1:] == [1.0, 1.0]


# ---- what is said of a layer and of a unit


def layer_of(**columns: list[float]) -> LayerModes:
    """Four units, of which the last can't be tested; columns: what is not 1 or 0."""
    given = {name: np.array(values) for name, values in columns.items()}
    ones = ("p", "q", "sensitive_p", "sensitive_q", "bandwidth", "step")
    names = (*ones, "zeros", "apart", "dip", "modes", "bimodality", "first")
    filled = {name: np.full(4, float(name in ones)) for name in names} | given
    state = np.array(["tested"] * 3 + ["constant"])
    return LayerModes(state=state, heights=np.zeros((4, 9)), **filled)  # type: ignore[arg-type]


def test_units_come_in_the_order_of_their_evidence() -> None:
    layer = layer_of(
        p=[0.2, 0.01, 0.01, 0.0],
        dip=[0.1, 0.02, 0.03, 0.9],
        sensitive_p=[0.001, 0.5, 0.2, 0],
        zeros=[0.1, 0.3, 0.2, 1],
    )
    assert layer.order("evidence").tolist() == [2, 1, 0, 3]
    assert layer.order("sensitive").tolist() == [0, 2, 1, 3]
    assert layer.order("zeros").tolist() == [1, 2, 0, 3]
    assert layer.order("index").tolist() == [0, 1, 2, 3]


def test_claims_are_counted_and_those_confirmed() -> None:
    first = layer_of(q=[0.01, 0.04, 0.2, 1], sensitive_q=[0.01, 0.01, 0.04, 1])
    second = layer_of(p=[0.2, 0.01, 0.01, 1], q=[0.3, 0.03, 0.03, 1])
    found = ModesOfLayer(first, second, layer_of(), {})
    assert found.confirmed == 1  # the third is confirmed, but was not claimed
    assert found.counts().values.tolist() == [[2, 3, 3], [2, 0, 3], [0, 0, 3]]


def opened() -> UnitModes:
    """Two classes at two places, of which half the second has a concept; and 20 zeros."""
    random = np.random.default_rng(0)
    values = np.concatenate([random.normal(5, 1, 400), random.normal(15, 1, 400), np.zeros(200)])
    values, labels = values.astype(np.float32), np.repeat([1, 7, 7], [400, 400, 200])
    present = ((labels == 7) & (values > 0))[:, None]
    measured = Measured(
        ("crossed-7",), present.astype(np.float32), np.zeros((1000, 1, 98), np.uint8)
    )
    assert CONCEPTS["crossed-7"].placed
    return unit_modes({"discovery": values, "confirmation": values}, labels, measured, seed=0)


def test_a_unit_says_what_its_modes_hold() -> None:
    found = opened()
    assert found.agree
    assert found.found.apart
    assert modes_table(found.found)["at"].tolist() == pytest.approx([5, 15], abs=0.5)
    digits = found.digits_of(1, 24, seed=3)
    assert len(set(digits.tolist())) == 24
    assert (found.where[digits] == 1).all()
    assert (np.diff(found.values[digits]) >= 0).all()
    inside = np.flatnonzero(found.where == 1)
    assert set(digits) == set(np.random.default_rng(3).permutation(inside)[:24])
    assert sorted(found.digits_of(ATOM, 500, seed=0)) == list(range(800, 1000))
    beyond = found.beyond_classes(1)
    assert (beyond["q"] < 0.05).all()
    assert beyond["mode"].tolist() == sorted(set(beyond["mode"]))
    rare = found.classes.loc[found.classes["n"] < 30, "mode"]
    assert found.small == sorted(set(rare))
    wide = found.smoothed(200)
    assert wide.bandwidth == pytest.approx(2 * found.smoothed(100).bandwidth)
    assert found.smoothed(100).bandwidth == pytest.approx(found.found.density.bandwidth)  # type: ignore[union-attr]


def test_classes_with_modes_of_their_own_are_named_below_five_per_cent() -> None:
    within = pd.DataFrame(
        {"class": [1, 4, 7], "q": [0.05, 0.049, 0.2], "sensitive_q": [0.01, 0.9, 0.04]}
    )
    found = replace(opened(), within=within)
    assert (found.several, found.suspected) == ([4], [1, 7])
