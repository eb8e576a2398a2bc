"""What stands for removed units, held against loops, closed forms and the definitions."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, one_hot

from core.activations import collect, run
from core.data import DataSet
from core.interventions.erasing import Moments, leace, projection
from core.interventions.operators import KINDS
from core.interventions.optimal import ConstantSearch
from core.interventions.removal import Removal
from tests.networks import built
from tests.test_ablation import Planted, digits_for, planted
from tests.test_activations import same, state

CASES = [
    ("hidden", (7,)),
    ("hidden", (12,)),
    ("hidden", (2, 7, 13)),
    ("conv_1", (3,)),
    ("conv_1", (0, 5, 9)),
    ("linear_2", (4,)),
]


def case(layer: str, strokes: DataSet) -> tuple[torch.nn.Module, DataSet]:
    """A network that has the layer, and digits."""
    if layer == "hidden":
        return planted("pair", noise=5), digits_for(300, noise=0.6)
    return built("lenet5"), strokes.take(slice(300))


def losses(kind: str, layer: str, units: tuple[int, ...], strokes: DataSet) -> tuple[float, float]:
    """Mean loss on the digits that the operator was fitted on, intact and without the units."""
    model, digits = case(layer, strokes)
    removal = Removal(model, digits, layer, kind, present=(digits.labels == 7).numpy())
    found = [of.nll.mean(dtype=np.float64) for of in (removal.intact, removal.without(units))]
    return float(found[0]), float(found[1])


# The optimal constant


@pytest.mark.parametrize(("layer", "units"), CASES)
def test_where_it_is_fitted_the_optimal_constant_never_loses_more(
    strokes: DataSet, layer: str, units: tuple[int, ...]
) -> None:
    by_kind = {kind: losses(kind, layer, units, strokes)[1] for kind in ("zero", "mean", "optimal")}
    assert by_kind["optimal"] <= min(by_kind["zero"], by_kind["mean"]) + 1e-6


def test_of_more_digits_than_are_searched_all_choose() -> None:
    model, digits = planted("pair", noise=5), digits_for(1300, noise=0.6)
    for units in ([7], [12], [3, 14]):
        zero, mean, best = (
            Removal(model, digits, "hidden", kind).without(units).nll.mean(dtype=np.float64)
            for kind in ("zero", "mean", "optimal")
        )
        assert best <= min(zero, mean) + 1e-7


def test_a_constant_unit_costs_nothing() -> None:
    model, digits = planted(noise=3), digits_for(200, noise=0.5)
    model.hidden.weight[12], model.hidden.bias[12] = 0, 0.75
    model.out.weight[:, 12] = 0  # all classes alike: no constant is better than another
    removal = Removal(model, digits, "hidden", "optimal")
    cost = removal.without([12]).nll.mean() - removal.intact.nll.mean()
    assert cost == pytest.approx(0, abs=1e-6)
    model.out.weight[7, 12], model.out.bias[7] = 2, -1.5  # needed at its own value
    removal = Removal(model, digits, "hidden", "optimal")
    assert torch.allclose(removal.without([12]).logits, removal.intact.logits, atol=1e-3)
    assert Removal(model, digits, "hidden").without([12]).nll.mean() > removal.intact.nll.mean()


def test_the_constant_of_one_unit_is_that_of_a_fine_grid() -> None:
    model, digits = planted(noise=5), digits_for(300, noise=0.6)
    values = collect(model, digits.images, "hidden")
    search = ConstantSearch(model, digits, "hidden", values, rectified=True)
    for unit in (7, 13):
        grid = torch.linspace(0, max(float(values[:, unit].max()), 0), 100)
        expected = []
        for constant in grid.tolist():
            logits = run(model, digits.images, {("hidden", unit): constant})
            expected.append(float(cross_entropy(logits, digits.labels)))
        found = search.constants([unit])
        assert search.loss([unit], found) <= min(expected) + 1e-6
        assert abs(float(found[0]) - float(grid[int(np.argmin(expected))])) <= float(grid[1])


class Linear(Planted):
    """The planted network without its ReLU."""

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.out(self.hidden(images.flatten(1)))
        return logits


@pytest.mark.parametrize("units", [(3,), (1, 4), (0, 2, 5)])
def test_for_squared_loss_it_is_the_regression_of_the_residual(units: tuple[int, ...]) -> None:
    generator = torch.Generator().manual_seed(sum(units))
    model = Linear(
        torch.randn(6, 784, generator=generator) / 28, torch.randn(10, 6, generator=generator)
    )
    images = torch.rand(150, 1, 28, 28, generator=generator)
    digits = DataSet(images, torch.arange(150) % 10, "strokes", "test")
    values = collect(model, images, "hidden")

    def squared(logits: Tensor, labels: Tensor) -> Tensor:
        return ((logits - one_hot(labels, 10)) ** 2).sum()

    search = ConstantSearch(model, digits, "hidden", values, rectified=False, loss=squared)
    rest = run(model, images, {("hidden", unit): 0.0 for unit in units})
    residual = (one_hot(digits.labels, 10) - rest).double().mean(0)
    read = model.out.weight[:, list(units)].double()
    expected = torch.linalg.lstsq(read, residual[:, None]).solution[:, 0]
    # as for any constant, no further than the unit itself goes
    low, high = search.lowest[list(units)].double(), search.highest[list(units)].double()
    inside = bool(((expected > low) & (expected < high)).all())
    found = search.constants(units).double()
    assert search.loss(units, found.float()) <= search.loss(units, expected.float()) + 1e-4 or (
        not inside
    )
    if inside:
        torch.testing.assert_close(found, expected, atol=0.02, rtol=0.01)
    assert ((found >= low - 1e-6) & (found <= high + 1e-6)).all()


# Means and donors


def test_the_mean_of_a_class_is_that_of_its_own_digits(strokes: DataSet) -> None:
    model, digits, reference = built("lenet5"), strokes.take(slice(60)), strokes.take(slice(60, 99))
    reference = reference.take(reference.labels != 4)
    maps = collect(model, reference.images, "conv_1").relu()
    removal = Removal(model, digits, "conv_1", "class-mean", reference=reference)
    found = removal.without([2, 11]).logits
    for at in range(0, 60, 7):
        own = reference.labels == digits.labels[at]
        mean = maps[own].mean(0) if own.any() else maps.mean(0)  # no four is known
        edits = {("conv_1", u): (lambda v, u=u, m=mean: m[u].expand_as(v)) for u in (2, 11)}  # type: ignore[misc]
        expected = run(model, digits.images[at : at + 1], edits)[0]  # type: ignore[arg-type]
        torch.testing.assert_close(found[at], expected, atol=1e-5, rtol=1e-5)


def test_a_donor_of_the_class_is_another_digit_of_it() -> None:
    model, digits = planted(noise=8), digits_for(100, noise=0.5)
    logits = Removal(model, digits, "hidden").intact.logits
    other = Removal(model, digits, "hidden", "resample-class", seed=1).keeping([]).logits
    donors = torch.cdist(other, logits).argmin(1)
    assert torch.equal(digits.labels[donors], digits.labels)
    assert not (donors == torch.arange(100)).any()
    assert sorted(donors.tolist()) == list(range(100))


# Erasing


def samples(n: int = 400, units: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """Correlated activations, and a concept that shifts some of them."""
    generator = np.random.default_rng(0)
    present = generator.random(n) < 0.3
    values = generator.normal(size=(n, units)) @ generator.normal(size=(units, units))
    values[:, :3] += 1.5 * present[:, None]
    return values, present


def across(values: np.ndarray, present: np.ndarray) -> np.ndarray:
    """The covariance of each unit with the concept."""
    centred: np.ndarray = (values - values.mean(0)).T @ (present - present.mean()) / len(values)
    return centred


def test_after_leace_no_unit_goes_along_with_the_concept() -> None:
    values, present = samples()
    erased = leace(values, present)(values)
    assert np.abs(across(values, present)).max() > 0.1
    assert np.abs(across(erased, present)).max() < 1e-8
    assert erased.mean(0) == pytest.approx(values.mean(0))


def test_leace_changes_least_in_mahalanobis_norm() -> None:
    values, present = samples()
    inverse = np.linalg.inv(np.cov(values.T))

    def moved(erased: np.ndarray) -> float:
        change = erased - values
        return float(np.einsum("ni,ij,nj->n", change, inverse, change).mean())

    by_projection = projection(across(values, present), values.mean(0))(values)
    assert np.abs(across(by_projection, present)).max() < 1e-8
    assert moved(leace(values, present)(values)) < 0.9 * moved(by_projection)


def test_of_some_units_it_is_that_of_these_units_alone() -> None:
    values, present = samples()
    some = Moments.of(values, present).eraser([4, 1])
    alone = leace(values[:, [4, 1]], present)
    np.testing.assert_allclose(some.removed, alone.removed, atol=1e-10)
    np.testing.assert_allclose(some.mean, alone.mean)


def test_a_removed_unit_is_left_with_its_mean_and_several_with_what_tells_nothing() -> None:
    model, digits = planted(noise=5), digits_for(400, noise=0.6)
    present = (digits.labels == 7).numpy()
    removal = Removal(model, digits, "hidden", "erase", present=present)
    one = removal.without([7]).logits
    mean = float(collect(model, digits.images, "hidden")[:, 7].mean())
    torch.testing.assert_close(one, run(model, digits.images, {("hidden", 7): mean}))
    seen: list[np.ndarray] = []
    edit = removal._operator.edit([7, 12, 13])
    seen.append(edit(removal.values, slice(None))[:, [7, 12, 13]].double().numpy())
    assert np.abs(across(seen[0], present)).max() < 1e-6
    assert seen[0].std(0)[1:].min() > 0.01  # and what else they say is left


def test_of_maps_the_mean_over_positions_tells_nothing(strokes: DataSet) -> None:
    model, digits = built("lenet5"), strokes.take(slice(200))
    present = (digits.labels == 3).numpy()
    removal = Removal(model, digits, "conv_1", "erase", present=present)
    maps = removal._operator.edit([1, 6])(removal.values, slice(None))[:, [1, 6]]
    assert maps.shape == (200, 2, 8, 8)
    before = removal.values[:, [1, 6]].mean((2, 3)).double().numpy()
    assert np.abs(across(before, present)).max() > 1e-3
    assert np.abs(across(maps.mean((2, 3)).double().numpy(), present)).max() < 1e-6


def test_what_is_to_be_erased_has_to_be_said() -> None:
    digits = digits_for(40)
    with pytest.raises(ValueError, match="which digits have the concept"):
        Removal(planted(), digits, "hidden", "erase")
    with pytest.raises(ValueError, match="40 of 40 digits have the concept: give some of both"):
        Removal(planted(), digits, "hidden", "erase", present=np.ones(40, bool))


@pytest.mark.parametrize(
    ("name", "layer"), [("gru", "hidden"), ("attention", "heads_1"), ("mixture", "gate")]
)
def test_every_operator_removes_from_any_architecture_and_leaves_the_network_as_it_was(
    strokes: DataSet, name: str, layer: str
) -> None:
    model, digits = built(name), strokes.take(slice(20))
    before, losses = copy.deepcopy(state(model)), {}
    for kind in KINDS:
        removal = Removal(model, digits, layer, kind, present=(digits.labels == 3).numpy())
        losses[kind] = removal.without([0, 1]).nll.mean()
    assert np.isfinite(list(losses.values())).all()
    assert losses["optimal"] <= min(losses["zero"], losses["mean"]) + 1e-6
    assert same(before, state(model))


@pytest.mark.parametrize("kind", KINDS)
def test_a_network_without_numbers_is_removed_from_all_the_same(kind: str) -> None:
    model, digits = planted(noise=3), digits_for(60, noise=0.5)
    model.hidden.weight[12] = torch.nan
    removal = Removal(model, digits, "hidden", kind, present=(digits.labels == 7).numpy())
    removal.without([12]), removal.without([3, 12])


# Each unit alone


@pytest.mark.parametrize("kind", KINDS)
def test_what_stands_for_each_unit_is_what_removing_it_alone_puts_there(kind: str) -> None:
    model, digits = planted("pair", noise=5), digits_for(60, noise=0.6)
    removal = Removal(model, digits, "hidden", kind, present=(digits.labels == 7).numpy())
    some = removal.on(np.arange(60) % 2 == 0)
    for of in (removal, some):
        assert of.instead.shape == of.values.shape
        for unit in (0, 7, 15):
            held = of.values.clone()
            held[:, unit] = of.instead[:, unit]
            logits = of.under(lambda values, rows, held=held: held[rows]).logits
            torch.testing.assert_close(logits, of.without([unit]).logits)
