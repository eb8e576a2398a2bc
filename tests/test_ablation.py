"""Units taken away from networks whose answer is known, and the verdicts that follow."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.stats import kstest
from torch import Tensor, nn

from core.activations import Edit, behind, collect, run
from core.claims import ask, units_of
from core.claims.detection import Detection, detection, scores
from core.claims.evidence import Controls, Evidence
from core.claims.trial import Claim, Half, Trial
from core.claims.verdicts import conditional, everywhere, necessary, sufficient
from core.data import DataSet, members
from core.data.concepts import CONCEPTS, Measured
from core.interventions.bootstrap import MEASURES, Change, Resamples, changes, never_certain
from core.interventions.controls import outgoing_norms, p_value, random_sets, strengths
from core.interventions.operators import KINDS
from core.interventions.removal import Outcome, Removal
from core.statistics.ranking import comparable, within_classes
from tests.networks import KINDS as NETWORKS
from tests.networks import built
from tests.test_activations import same, state

Flags = NDArray[np.bool_]


class Planted(nn.Module):
    """Hidden units of which each sees some pixels, and classes that each add up some of them."""

    layers = ("hidden", "out")

    def __init__(self, sees: Tensor, tells: Tensor) -> None:
        """sees: (units, 784). tells: (10, units)."""
        super().__init__()
        self.hidden, self.out = nn.Linear(784, len(sees)), nn.Linear(len(sees), 10)
        with torch.no_grad():
            self.hidden.weight.copy_(sees)
            self.hidden.bias.zero_()
            self.out.weight.copy_(tells)
            self.out.bias.zero_()
        self.requires_grad_(False).eval()

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.out(self.hidden(images.flatten(1)).relu())
        return logits


def planted(kind: str = "alone", *, noise: int = 0, seed: int = 0) -> Planted:
    """A network that reads each class off one pixel, with unit c for class c, and unit 10.

    kind: "alone", in which unit 10 is idle; "pair", in which it is a copy of unit 7; "decoy", in
    which it sees what unit 7 sees and tells nobody. noise: further units of random weights.
    """
    generator = torch.Generator().manual_seed(seed)
    sees, tells = torch.zeros(11 + noise, 784), torch.zeros(10, 11 + noise)
    for digit in range(10):
        sees[digit, 29 * digit], tells[digit, digit] = 1, 4
    if kind != "alone":
        sees[10] = sees[7]
    if kind == "pair":
        tells[7, 10] = 4
    sees[11:] = 0.02 * torch.randn(noise, 784, generator=generator)
    tells[:, 11:] = 0.3 * torch.randn(10, noise, generator=generator)
    model = Planted(sees, tells)
    model.hidden.bias[:11] = -0.2  # above the noise of `digits_for`
    if noise:
        model.out.bias[0] = 0.5  # is said of what no unit tells, whatever the noise
    return model


def digits_for(n: int, *, noise: float = 0.0, seed: int = 0) -> DataSet:
    """The classes by turns, each with one bright pixel of its own, (c, c), among dim noise."""
    labels = torch.arange(n) % 10
    generator = torch.Generator().manual_seed(seed)
    images = noise * torch.rand(n, 1, 28, 28, generator=generator)
    images[torch.arange(n), 0, labels, labels] = 1
    return DataSet(images, labels, "strokes", "test")


def known(present: Flags | Tensor, concept: str = "class-7") -> Measured:
    """What `measure` would say if it said this."""
    flags = np.asarray(present)
    placed = int(CONCEPTS[concept].placed)
    packed = np.zeros((len(flags), placed, 98), np.uint8)
    return Measured((concept,), flags[:, None].astype(np.float32), packed)


def recall(outcome: Outcome) -> list[float]:
    """Of every class."""
    labels = outcome.labels.numpy()
    return [float(outcome.right[labels == digit].mean()) for digit in range(10)]


def threes(digits: DataSet) -> Flags:
    """(n,): which digits are threes."""
    return (digits.labels == 3).numpy()


class Unstaged(nn.Module):
    """A model's submodules under its forward pass, and no stages to run one by one."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.inner = model
        self.layers = tuple(f"inner.{name}" for name in model.layers)  # type: ignore[union-attr]

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.inner(images)
        return logits


# What a removal does


def test_a_class_that_one_unit_tells_is_lost_with_it_and_no_other_changes() -> None:
    removal = Removal(planted(), digits_for(200), "hidden")
    for digit in range(10):
        assert recall(removal.intact) == [1.0] * 10
        expected = [1.0] * 10
        expected[digit] = float(np.float32(0.1))  # all logits are 0: chance
        assert recall(removal.without([digit])) == expected


def test_of_two_copies_one_is_not_missed_and_both_are() -> None:
    removal = Removal(planted("pair"), digits_for(200), "hidden")
    assert recall(removal.without([7])) == recall(removal.without([10])) == [1.0] * 10
    assert recall(removal.without([7, 10]))[7] == pytest.approx(0.1)
    assert recall(removal.without([7, 10]))[8] == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_unit_that_nobody_reads_changes_nothing(kind: str) -> None:
    digits = digits_for(60, noise=0.5)
    present = (digits.labels == 7).numpy()
    removal = Removal(planted("decoy", noise=5), digits, "hidden", kind, present=present)
    assert torch.equal(removal.without([10]).logits, removal.intact.logits)
    assert not torch.equal(removal.without([7]).logits, removal.intact.logits)


def test_the_mean_of_a_constant_unit_is_that_unit() -> None:
    model = planted(noise=3)
    model.hidden.weight[12], model.hidden.bias[12] = 0, 0.75
    removal = Removal(model, digits_for(64, noise=0.5), "hidden", "mean")
    assert torch.equal(removal.without([12]).logits, removal.intact.logits)
    assert not torch.equal(removal.without([11]).logits, removal.intact.logits)
    zeroed = Removal(model, digits_for(64, noise=0.5), "hidden").without([12])
    expected = removal.intact.logits - 0.75 * model.out.weight[:, 12]
    torch.testing.assert_close(zeroed.logits, expected)


def test_a_unit_resampled_from_its_own_digit_is_as_it_was() -> None:
    model, digits = planted(noise=3), digits_for(60, noise=0.5)
    own = Removal(model, digits, "hidden", "resample", donors=torch.arange(60))
    assert torch.equal(own.without([1, 7, 12]).logits, own.intact.logits)


def test_all_units_are_resampled_from_one_other_digit_each() -> None:
    removal = Removal(planted(noise=8), digits_for(60, noise=0.5), "hidden", "resample", seed=3)
    logits, other = removal.intact.logits, removal.keeping([]).logits
    donors = torch.cdist(other, logits).argmin(1)
    torch.testing.assert_close(other, logits[donors])
    assert sorted(donors.tolist()) == list(range(60))
    assert not (donors == torch.arange(60)).any()
    again, another = (
        Removal(planted(noise=8), digits_for(60, noise=0.5), "hidden", "resample", seed=seed)
        for seed in (3, 4)
    )
    assert torch.equal(again.keeping([]).logits, other)
    assert not torch.equal(another.keeping([]).logits, other)


@pytest.mark.parametrize("staged", [True, False])
@pytest.mark.parametrize("layer", ["conv_1", "linear_0", "linear_2"])
def test_a_removal_is_what_editing_on_the_way_gives(
    strokes: DataSet, layer: str, staged: bool
) -> None:
    whole = built("lenet5", seed=1)
    model, name = (whole, layer) if staged else (Unstaged(whole), f"inner.{layer}")
    digits, reference = strokes.take(slice(600)), strokes.take(slice(700, 1000))  # two batches
    donors = torch.arange(600).roll(7)
    values = collect(whole, reference.images, layer)
    mean = (values if layer == "linear_2" else values.relu()).mean(0)

    def edits(kind: str, unit: int) -> Edit:
        if kind == "mean":
            return lambda own: mean[unit].expand_as(own)
        return 0.0 if kind == "zero" else lambda own: own[donors]

    for kind in ("zero", "mean", "resample"):
        removal = Removal(model, digits, name, kind, reference=reference, donors=donors)
        expected = run(whole, digits.images, {(layer, u): edits(kind, u) for u in (0, 3, 9)})
        found = removal.without((0, 3, 9)).logits
        torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-6)
        assert not torch.allclose(removal.without([1]).logits, expected, atol=1e-5)
        assert removal.units == len(mean)


def test_without_a_reference_the_mean_is_of_the_digits_themselves(strokes: DataSet) -> None:
    model, digits = built("lenet5"), strokes.take(slice(100))
    expected = run(model, digits.images, {("conv_1", 4): "mean"})
    found = Removal(model, digits, "conv_1", "mean").without([4]).logits
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_keeping_some_is_removing_the_rest(strokes: DataSet, kind: str) -> None:
    digits = strokes.take(slice(50))
    removal = Removal(built("lenet5"), digits, "conv_1", kind, present=threes(digits))
    rest = [unit for unit in range(16) if unit not in (2, 11)]
    assert torch.equal(removal.keeping([2, 11]).logits, removal.without(rest).logits)
    assert torch.equal(removal.keeping(range(16)).logits, removal.intact.logits)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("staged", [True, False])
def test_some_digits_lose_what_they_lose_among_all(
    strokes: DataSet, kind: str, staged: bool
) -> None:
    whole = built("lenet5")
    model, layer = (whole, "conv_1") if staged else (Unstaged(whole), "inner.conv_1")
    digits = strokes.take(slice(600))
    removal = Removal(model, digits, layer, kind, present=threes(digits))
    rows = np.arange(600) % 7 == 3
    before = removal.intact.logits  # cached, and not to be mistaken for that of the rows
    some = removal.on(rows)
    for part, of in ((some.intact, removal.intact), (some.without([5]), removal.without([5]))):
        torch.testing.assert_close(part.logits, of.logits[rows], atol=1e-6, rtol=1e-5)
        assert torch.equal(part.labels, of.labels[rows])
    assert torch.equal(removal.intact.logits, before)
    assert some.units == 16


@pytest.mark.parametrize("name", NETWORKS)
def test_the_model_is_as_it_was(strokes: DataSet, name: str) -> None:
    model = built(name).requires_grad_(True).train()
    before = copy.deepcopy(state(model))
    for layer in model.layers:
        removal = Removal(model, strokes.take(slice(20)), layer, "mean")
        last = removal.units - 1
        removal.without({0, min(1, last)}), removal.keeping([last])
        with pytest.raises(ValueError, match="has no unit"):
            removal.without([9999])
    assert same(before, state(model))
    assert not removal.intact.logits.requires_grad


def test_a_unit_that_the_layer_has_not_is_named(strokes: DataSet) -> None:
    removal = Removal(built("lenet5"), strokes.take(slice(5)), "linear_1")
    for wrong in (84, -1):
        with pytest.raises(ValueError, match=rf"linear_1 has no unit {wrong}: choose 0 to 83;"):
            removal.without([3, wrong])
        with pytest.raises(ValueError, match="another"):
            removal.keeping([wrong])
    with pytest.raises(ValueError, match="`noise` is not a kind of ablation: choose zero, mean"):
        Removal(built("lenet5"), strokes, "linear_1", "noise")
    with pytest.raises(ValueError, match="`linear_9` is not a layer"):
        Removal(built("lenet5"), strokes, "linear_9")


@pytest.mark.parametrize("staged", [True, False])
def test_gradients_flow_through_what_lies_behind_a_layer(strokes: DataSet, staged: bool) -> None:
    whole, images = built("lenet5").double(), strokes.images[:3].double()
    model, layer = (whole, "linear_0") if staged else (Unstaged(whole), "inner.linear_0")
    follow = behind(model, layer, images)
    values = collect(whole, images, "linear_0").requires_grad_()
    torch.testing.assert_close(follow(values), whole(images))
    (gradient,) = torch.autograd.grad(follow(values)[:, 7].sum(), values)
    step = torch.zeros_like(values)
    unit = int(gradient[1].abs().argmax())
    step[1, unit] = 1e-5
    up, down = (follow(values.detach() + sign * step)[1, 7].item() for sign in (1, -1))
    assert gradient[1, unit].item() == pytest.approx((up - down) / 2e-5, rel=1e-4)
    assert gradient[1, unit].item() != 0
    assert all(weight.grad is None for weight in whole.parameters())


def test_a_model_without_stages_is_run_whole_on_images() -> None:
    with pytest.raises(ValueError, match="isn't made of stages: give the images too"):
        behind(planted(), "hidden")


# What a model says of a digit


def test_classes_that_tie_share_the_answer() -> None:
    says = Outcome(torch.tensor([[2.0, 2, 0], [1, 3, 3], [0, 1, 0]]), torch.tensor([0, 0, 1]))
    assert says.shares.tolist() == [[0.5, 0.5, 0], [0, 0.5, 0.5], [0, 1, 0]]
    assert says.right.tolist() == [0.5, 0, 1]


def test_margin_and_likelihood_are_those_by_hand() -> None:
    says = Outcome(torch.tensor([[1.0, 3, 2], [1, 3, 2]]), torch.tensor([1, 2]))
    assert says.margin.tolist() == [1, -1]
    total = np.exp([1, 3, 2]).sum()
    assert says.nll == pytest.approx([-np.log(np.exp(3) / total), -np.log(np.exp(2) / total)])


# What it changes


def outcomes(n: int = 200, *, seed: int = 0, shift: float = 0.0) -> tuple[Outcome, Outcome]:
    """Random answers before and after, the right class's logit raised by `shift` after."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(n) % 10
    before = torch.randn(n, 10, generator=generator) + torch.eye(10)[labels]
    after = before + torch.randn(n, 10, generator=generator) + shift * torch.eye(10)[labels]
    return Outcome(before, labels), Outcome(after, labels)


def test_changes_are_after_less_before() -> None:
    before, after = outcomes(shift=-0.3)
    groups = {"even": np.arange(200) % 2 == 0, "none": np.zeros(200, bool)}
    found = changes(before, after, groups, Resamples(np.zeros(200, np.int64), 50, seed=0))
    assert [(each.group, each.measure) for each in found] == [("even", of) for of in MEASURES]
    right = [
        [int(of.logits[i].argmax()) == int(of.labels[i]) for i in range(0, 200, 2)]
        for of in (before, after)
    ]
    accuracy, margin, nll = found
    assert accuracy.n == margin.n == nll.n == 100
    assert (accuracy.before, accuracy.after) == pytest.approx(tuple(np.mean(right, axis=1)))
    assert accuracy.lost == sum(a and not b for a, b in zip(*right, strict=True))
    assert accuracy.gained == sum(b and not a for a, b in zip(*right, strict=True))
    assert accuracy.lost > accuracy.gained > 0
    assert accuracy.change == pytest.approx((accuracy.gained - accuracy.lost) / 100)
    own = [(of.logits.log_softmax(1)[i, i % 10], i) for of in (before, after) for i in range(200)]
    nlls = [float(-value) for value, i in own if i % 2 == 0]
    assert nll.change == pytest.approx(np.mean(nlls[100:]) - np.mean(nlls[:100]), rel=1e-4)
    assert nll.change > 0 > margin.change
    for each in found:
        assert each.change == pytest.approx(each.after - each.before, abs=1e-6)
        assert each.low < each.change < each.high


def test_the_interval_is_that_of_a_paired_and_stratified_bootstrap() -> None:
    before, after = outcomes(shift=-0.3)
    strata, everything = np.arange(200) % 4, {"all": np.ones(200, bool)}
    margin = changes(before, after, everything, Resamples(strata, 4000, seed=0))[1]
    generator, drawn = np.random.default_rng(1), []
    difference = after.margin - before.margin
    for _ in range(4000):
        rows = [generator.choice(np.flatnonzero(strata == each), 50) for each in range(4)]
        drawn.append(difference[np.concatenate(rows)].mean())
    assert (margin.low, margin.high) == pytest.approx(
        tuple(np.quantile(drawn, [0.025, 0.975])), abs=0.012
    )


@pytest.mark.parametrize("shift", [0.0, -0.8])
def test_intervals_cover_the_truth(shift: float) -> None:
    truth = changes(
        *outcomes(40_000, seed=99, shift=shift),
        {"all": np.ones(40_000, bool)},
        Resamples(np.zeros(40_000, np.int64), 2, seed=0),
    )
    hits = np.zeros(3)
    for seed in range(100):
        resamples = Resamples(np.arange(200) % 10, 300, seed=seed)
        pair = outcomes(seed=seed, shift=shift)
        found = changes(*pair, {"all": np.ones(200, bool)}, resamples)
        hits += [a.low <= t.change <= a.high for a, t in zip(found, truth, strict=True)]
    assert (hits >= 89).all()  # of 95 expected; 88 or fewer have a chance of 0.4 %
    assert hits[1:].max() < 100


def test_one_seed_has_one_interval() -> None:
    pair, everything = outcomes(), {"all": np.ones(200, bool)}
    strata = np.arange(200) % 10
    first, again, other = (
        changes(*pair, everything, Resamples(strata, 100, seed=seed)) for seed in (5, 5, 6)
    )
    assert first == again
    assert first[1].low != other[1].low
    assert first[1].change == other[1].change


def test_each_draw_keeps_the_size_of_each_stratum() -> None:
    strata = np.array([0, 0, 0, 1, 1, 2, 0])
    resamples = Resamples(strata, 300, seed=0)
    counts = resamples.counts(np.ones(7, bool))
    assert counts.shape == (300, 7)
    for each, size in ((0, 4), (1, 2), (2, 1)):
        assert (counts[:, strata == each].sum(1) == size).all()
    assert counts[:, 0].std() > 0.5
    assert np.array_equal(resamples.counts(strata == 1), counts[:, strata == 1])
    values = np.random.default_rng(0).normal(size=(7, 2))
    rows = strata != 1
    by_hand = [(c[rows, None] * values[rows]).sum(0) / c[rows].sum() for c in counts]
    np.testing.assert_allclose(resamples.means(values, rows), by_hand, rtol=1e-5, atol=1e-6)


def test_what_was_never_seen_may_still_be() -> None:
    none, gained, both = np.zeros(59), np.eye(59)[0], np.eye(59)[0] - np.eye(59)[1]
    bound = 1 - 0.05 ** (1 / 59)
    assert bound == pytest.approx(0.05, abs=0.001)
    assert never_certain(np.zeros(2), none) == pytest.approx([-bound, bound])
    assert never_certain(np.zeros(2), gained) == pytest.approx([-bound, 0])
    assert never_certain(np.zeros(2), -gained) == pytest.approx([0, bound])
    assert never_certain(np.array([-0.1, 0.1]), both) == pytest.approx([-0.1, 0.1])


# Sets to compare with


def test_controls_are_others_of_like_strength_and_none_twice() -> None:
    strength = np.concatenate([np.linspace(1, 1.1, 40), np.linspace(100, 110, 40)])
    chosen = [0, 5, 77]
    sets = random_sets(strength, chosen, 300, np.random.default_rng(0))
    assert sets.shape == (300, 3)
    assert not np.isin(sets, chosen).any()
    assert all(len(set(each)) == 3 for each in sets.tolist())
    assert (sets[:, :2] < 40).all()
    assert (sets[:, 2] >= 40).all()
    assert (sets[:, 2] >= 56).all()  # the 20 nearest to unit 77 are 59 to 79 and not it
    assert len({tuple(each) for each in sets.tolist()}) > 250
    again = random_sets(strength, chosen, 300, np.random.default_rng(0))
    assert np.array_equal(sets, again)


def test_each_of_the_nearest_units_is_drawn_as_often() -> None:
    sets = random_sets(np.arange(1.0, 101), [50], 4000, np.random.default_rng(0))
    counts = np.bincount(sets[:, 0], minlength=100)
    assert (counts > 0).sum() == 20
    assert counts[counts > 0].min() > 140  # of 200
    assert set(np.flatnonzero(counts)) <= set(range(38, 64))


def test_there_are_no_controls_where_too_few_units_are_left() -> None:
    generator = np.random.default_rng(0)
    assert random_sets(np.ones(5), [0, 1, 2], 10, generator).shape == (0, 3)
    half = random_sets(np.array([1.0, 0, 2, 3]), [0, 1], 10, generator)
    assert np.sort(half, axis=1).tolist() == [[2, 3]] * 10


def norms_by_loops(weight: Tensor, units: int) -> list[float]:
    """Of a weight (out, units) or (out, units, height, width), or (out, units times positions)."""
    positions = weight[0].numel() // units
    found = []
    for unit in range(units):
        flat = weight.flatten(1)[:, unit * positions : (unit + 1) * positions]
        found.append(sum(float(value) ** 2 for value in flat.flatten()) ** 0.5)
    return found


@pytest.mark.parametrize(
    ("layer", "later", "units"),
    [("conv_0", "conv_1", 6), ("conv_1", "linear_0", 16), ("linear_1", "linear_2", 84)],
)
def test_outgoing_norms_are_of_the_weights_that_read_a_unit(
    layer: str, later: str, units: int
) -> None:
    model = built("lenet5")
    weight = model.state_dict()[f"{later}.weight"]
    expected = norms_by_loops(weight, units)
    assert outgoing_norms(model, layer, units) == pytest.approx(expected, rel=1e-5)
    assert len(set(expected)) == units
    with torch.no_grad():
        weight.unflatten(1, (units, -1))[:, 2] = 0
    assert np.flatnonzero(outgoing_norms(model, layer, units) == 0).tolist() == [2]


def test_units_that_no_matrix_reads_have_a_norm_of_one() -> None:
    assert outgoing_norms(built("lenet5"), "linear_2", 10).tolist() == [1] * 10


def test_strength_is_mean_activation_times_outgoing_norm(strokes: DataSet) -> None:
    model = built("lenet5")
    maps = collect(model, strokes.images[:40], "conv_1")
    norms = outgoing_norms(model, "conv_1", 16)
    expected = [float(maps[:, unit].clamp(min=0).mean()) * norms[unit] for unit in range(16)]
    assert strengths(model, "conv_1", maps) == pytest.approx(expected, rel=1e-5)
    logits = collect(model, strokes.images[:40], "linear_2")
    means = logits.abs().mean(0).tolist()
    assert strengths(model, "linear_2", logits) == pytest.approx(means, rel=1e-5)


def test_a_p_value_counts_the_claim_itself() -> None:
    controls = np.array([0.1, 0.2, 0.3, 0.4])
    assert p_value(0.3, controls) == 3 / 5  # 0.3 and 0.4 are at least as large
    assert p_value(1, controls) == 1 / 5
    assert p_value(-1, controls) == 1
    assert p_value(1, np.empty(0)) == 1


@pytest.mark.parametrize("size", [1, 3])
def test_random_units_have_uniform_p_values(size: int) -> None:
    generator, choose = torch.Generator().manual_seed(size), np.random.default_rng(size)
    found = []
    for seed in range(12):
        sees = torch.randn(60, 784, generator=generator) / 28
        model = Planted(sees, torch.randn(10, 60, generator=generator))
        images = torch.rand(300, 1, 28, 28, generator=generator) - 0.5
        digits = DataSet(images, torch.arange(300) % 10, "strokes", "test")
        half = Half(digits, (digits.labels == 3).numpy())
        for _ in range(5):
            units = tuple(sorted(choose.choice(60, size, replace=False).tolist()))
            claim = Claim("hidden", units, "class-3", 3, "zero", 49, 10, seed)
            controls = Trial(model, claim, half, half).removed_controls(lambda done, text: None)
            found.append(controls.p_value)
    assert len(found) == 60
    assert kstest(found, "uniform").pvalue > 0.01


# Telling digits with a concept from others


def test_a_score_is_the_mean_of_standard_scores() -> None:
    reference = torch.tensor([[0.0, 10], [2, 30], [4, 20], [-8, 20]])
    values = torch.tensor([[3.0, 40], [-5, 20]])
    passed = reference.clamp(min=0)
    expected = [
        sum((max(float(row[u]), 0) - passed[:, u].mean()) / passed[:, u].std() for u in (0, 1)) / 2
        for row in values
    ]
    assert scores(values, [0, 1], reference, True) == pytest.approx(np.array(expected))
    plain = scores(values, [0], reference, False)
    assert plain == pytest.approx((values[:, 0] - reference[:, 0].mean()) / reference[:, 0].std())
    assert scores(values, [0], torch.ones(4, 1), True) == pytest.approx([2, -1])  # no spread


def test_of_a_map_the_largest_value_counts() -> None:
    maps = torch.zeros(3, 2, 2, 3)
    maps[0, 1, 1, 2], maps[1, 1, 0, 0], maps[2, 1, 0, 1] = 2, 4, -9
    flat = torch.tensor([[2.0], [4], [0]])
    assert np.array_equal(scores(maps, [1], maps, True), scores(flat, [0], flat, True))


def test_only_classes_with_both_kinds_are_comparable() -> None:
    labels = np.array([1, 1, 7, 7, 3, 3])
    present = np.array([1, 0, 1, 1, 0, 0], bool)
    assert comparable(labels, present).tolist() == [True, True] + [False] * 4


def test_within_a_class_the_class_says_nothing() -> None:
    labels = np.arange(400) % 2
    present = np.arange(400) < 80  # of each class
    noise = np.random.default_rng(0).normal(size=400)
    rows, draws = np.ones(400, bool), np.ones((5, 400), np.float32)
    by_class = within_classes((100 * labels + noise).astype(np.float32), labels)
    assert by_class[labels == 0].mean() == pytest.approx(by_class[labels == 1].mean())
    signal = within_classes((100 * labels + noise + 10 * present).astype(np.float32), labels)
    assert detection(signal, present, rows, draws).auc == 1
    assert detection(by_class, present, rows, draws).auc == pytest.approx(0.5, abs=0.1)


def test_detection_is_that_of_all_pairs() -> None:
    generator = np.random.default_rng(0)
    present = generator.random(120) < 0.3
    score = (generator.integers(0, 6, 120) + present).astype(np.float32)
    rows = np.arange(120) % 5 != 0
    resamples = Resamples(present.astype(np.int64), 500, seed=0)
    found = detection(score, present, rows, resamples.counts(rows))
    inside, outside = score[rows & present], score[rows & ~present]
    wins = [(a > b) + 0.5 * (a == b) for a in inside for b in outside]
    assert found.auc == pytest.approx(np.mean(wins))
    assert 0.5 < found.low < found.auc < found.high < 1
    assert (found.present, found.absent) == (len(inside), len(outside))
    assert found.base == pytest.approx(len(inside) / (len(inside) + len(outside)))
    assert found.precision > found.base
    assert found.p_value < 0.05
    backwards = detection(-score, present, rows, resamples.counts(rows))
    assert backwards.auc == pytest.approx(1 - found.auc)


# From statistics to verdicts


def loss(value: float, low: float, high: float, *, n: int = 100) -> Change:
    """A change of accuracy by which this is lost."""
    return Change("class-7", "accuracy", n, 0.9, 0.9 - value, -value, -high, -low, 0, 0)


def compared(p: float, sets: int = 99) -> Controls:
    return Controls("loss", 1.0, (0.0,) * sets, sets, p)


def area(low: float, high: float, *, precision: float = 0.9, n: int = 100) -> Detection:
    return Detection((low + high) / 2, low, high, 0.001, precision, 0.1, n, 200)


@pytest.mark.parametrize(
    ("change", "controls", "verdict", "why"),
    [
        (loss(0.5, 0.4, 0.6), compared(0.01), "supported", "control sets costs less"),
        (loss(0.5, 0.4, 0.6), compared(0.05), "supported", "p = 0.050, 99 sets"),
        (loss(0.5, 0.4, 0.6), compared(0.06), "not supported", "control sets costs as much"),
        (loss(0.02, -0.01, 0.09), compared(0.01), "not supported", "10% is excluded"),
        (loss(-0.5, -0.6, -0.4), compared(0.01), "not supported", "10% is excluded"),
        (loss(0.2, 0.09, 0.3), compared(0.01), "inconclusive", "neither shown nor excluded"),
        (loss(0.2, 0.09, 0.3), compared(0.5), "inconclusive", "neither shown nor excluded"),
        (loss(0.5, 0.4, 0.6), compared(1, sets=0), "inconclusive", "no other units"),
        (loss(0.0, -0.01, 0.01), compared(1, sets=0), "not supported", "10% is excluded"),
        (loss(0.5, 0.4, 0.6, n=29), compared(0.01), "inconclusive", "Only 29 digits"),
        (loss(0.5, 0.4, 0.6, n=30), compared(0.01), "supported", "control sets costs less"),
    ],
)
def test_necessary(change: Change, controls: Controls, verdict: str, why: str) -> None:
    found = necessary(change, controls)
    assert (found.verdict, found.n) == (verdict, change.n)
    assert why in found.reason
    assert (found.value, found.low, found.high) == (-change.change, -change.high, -change.low)


@pytest.mark.parametrize(
    ("kept", "low", "high", "n", "controls", "verdict", "why"),
    [
        (0.9, 0.8, 1.0, 50, compared(0.01), "supported", "control sets alone keep less"),
        (0.9, 0.8, 1.0, 50, compared(0.05), "supported", "control sets alone keep less"),
        (0.9, 0.8, 1.0, 50, compared(0.06), "not supported", "control sets alone keep as much"),
        (0.5, 0.4, 0.74, 50, compared(0.01), "not supported", "75% is excluded"),
        (0.8, 0.7, 0.9, 50, compared(0.01), "inconclusive", "neither shown nor excluded"),
        (0.9, 0.8, 1.0, 50, compared(1, sets=0), "inconclusive", "no other units"),
        (0.9, 0.8, 1.0, 29, compared(0.01), "inconclusive", "at least 30 are needed"),
        (0.9, 0.8, 1.0, 30, compared(0.01), "supported", "90% of the network's ability"),
    ],
)
def test_sufficient(
    kept: float, low: float, high: float, n: int, controls: Controls, verdict: str, why: str
) -> None:
    found = sufficient(kept, low, high, n, controls)
    assert (found.verdict, found.value, found.low, found.high, found.n) == (
        *(verdict, kept, low, high),
        n,
    )
    assert why in found.reason


@pytest.mark.parametrize(
    ("found", "verdict", "why"),
    [
        (area(0.81, 0.9), "supported", "a detector needs 0.8."),
        (area(0.6, 0.79), "not supported", "which is excluded"),
        (area(0.1, 0.2), "not supported", "which is excluded"),
        (area(0.7, 0.9), "inconclusive", "neither reached nor excluded"),
        (area(0.81, 0.9, n=29), "inconclusive", "Only 29 digits"),
        (None, "inconclusive", "No class has digits both with and without the concept"),
    ],
)
def test_conditional(found: Detection | None, verdict: str, why: str) -> None:
    assert conditional(found).verdict == verdict
    assert why in conditional(found).reason


@pytest.mark.parametrize(
    ("found", "verdict", "why"),
    [
        (area(0.91, 0.99), "supported", "average precision 0.90 (chance 0.10)"),
        (area(0.91, 0.99, precision=0.49), "not supported", "average precision above 0.5"),
        (area(0.81, 0.89), "not supported", "which is excluded"),
        (area(0.85, 0.95), "inconclusive", "neither reached nor excluded"),
        (area(0.91, 0.99, n=29), "inconclusive", "Only 29 digits"),
    ],
)
def test_everywhere(found: Detection, verdict: str, why: str) -> None:
    assert everywhere(found).verdict == verdict
    assert why in everywhere(found).reason


# Asking


def asked(
    model: nn.Module,
    units: Iterable[int],
    digits: DataSet,
    *,
    concept: str = "class-7",
    present: Flags | None = None,
    **how: int | str,
) -> Evidence:
    """The evidence, with fewer controls and draws than a page asks for."""
    flags = (digits.labels == 7).numpy() if present is None else present
    few = {"controls": 30, "draws": 100, "baselines": False, **how}
    chosen = [("hidden", unit) for unit in units]
    return ask(model, digits, chosen, concept, measured=known(flags, concept), **few)  # type: ignore[arg-type]


def found_in_seeds(kind: str, units: Sequence[int]) -> dict[str, set[str]]:
    """The verdicts on 20 planted networks, each with weights, digits and controls of its own."""
    found: dict[str, set[str]] = {}
    for seed in range(20):
        digits = digits_for(640, noise=0.1, seed=seed)
        evidence = asked(planted(kind, noise=13, seed=seed), units, digits, seed=seed)
        for name, verdict in evidence.verdicts.items():
            found.setdefault(name, set()).add(verdict)
    return found


def test_a_unit_that_alone_tells_a_class_carries_it() -> None:
    found = found_in_seeds("alone", [7])
    assert found["necessary"] == found["sufficient"] == found["global detector"] == {"supported"}
    assert found["conditional detector"] == {"inconclusive"}  # all sevens are of class 7


def test_neither_of_two_copies_is_necessary_and_both_are() -> None:
    assert found_in_seeds("pair", [7])["necessary"] == {"not supported"}
    both = found_in_seeds("pair", [7, 10])
    assert both["necessary"] == both["sufficient"] == {"supported"}


def test_a_unit_that_only_goes_along_with_a_class_does_not_carry_it() -> None:
    found = found_in_seeds("decoy", [10])
    assert found["necessary"] == found["sufficient"] == {"not supported"}
    assert found["global detector"] == {"supported"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_of_ablation_finds_the_unit_whose_information_it_takes(kind: str) -> None:
    digits, model = digits_for(800, noise=0.1), planted(noise=13)
    evidence = asked(model, [7], digits, operator=kind, controls=19)
    # The class is known to the means and donors of the class, and a network of which only one class
    # is no longer seen does best to say that class of whatever looks like no other.
    leaves_the_class = kind in ("class-mean", "resample-class", "optimal")
    assert evidence.verdict == ("not supported" if leaves_the_class else "supported")
    assert evidence.ablation == kind
    assert asked(model, [12], digits, operator=kind).verdict == "not supported"


def test_no_constant_helps_where_two_classes_are_told_by_the_unit_alone() -> None:
    model, digits = planted(noise=13), digits_for(800, noise=0.1)
    model.out.weight[:, 0], model.out.bias[0] = 0, 2  # zeros are what no unit tells,
    assert asked(model, [7], digits, operator="optimal").verdict == "supported"  # as sevens are now


def crossed(n: int) -> tuple[DataSet, Flags, Planted]:
    """Sevens of which some have a bar, and a unit, 10, that sees it and tells nobody."""
    digits = digits_for(n, noise=0.1)
    present = (digits.labels == 7).numpy() & (np.arange(n) % 3 == 0)
    digits.images[torch.from_numpy(present), 0, 14, 2] = 1
    model = planted("decoy", noise=13)
    model.hidden.weight[10] = 0
    model.hidden.weight[10, 14 * 28 + 2] = 1
    return digits, present, model


def test_a_unit_that_sees_a_part_is_a_detector_within_its_class() -> None:
    digits, present, model = crossed(2000)
    bar = asked(model, [10], digits, concept="crossed-7", present=present)
    assert bar.verdicts["conditional detector"] == "supported"
    assert bar.verdict == "not supported"
    assert bar.n == present[members("confirmation", digits.labels).numpy()].sum() >= 30
    seven = asked(model, [7], digits, concept="crossed-7", present=present)
    assert seven.verdicts["conditional detector"] == "not supported"
    assert seven.verdict == "supported"
    assert seven.change("class-7, not crossed-7").change < -0.9


def test_the_groups_are_the_concept_its_class_every_class_and_the_rest() -> None:
    digits, present, model = crossed(800)
    evidence = asked(model, [7], digits, concept="crossed-7", present=present)
    there = present[members("confirmation", digits.labels).numpy()]
    sizes = {each.group: each.n for each in evidence.changes}
    assert sizes == {
        "crossed-7": there.sum(),
        "class-7, not crossed-7": 40 - there.sum(),
        **{f"class-{digit}": 40 for digit in range(10)},
        "all other digits": 400 - there.sum(),
    }
    assert (evidence.discovery, evidence.confirmation, evidence.n) == (400, 400, there.sum())
    assert evidence.effect == evidence.change("crossed-7").change < -0.9
    assert evidence.change("class-3").change == 0
    assert evidence.change("class-7").lost > 36


def test_effects_are_measured_on_the_confirmation_digits_alone() -> None:
    digits, model = digits_for(800, noise=0.1), planted(noise=13)
    expected = asked(model, [7, 12], digits)
    other = DataSet(digits.images.clone(), digits.labels, "strokes", "test")
    other.images[members("discovery", digits.labels)] *= 0.9
    assert asked(model, [7, 12], other).changes == expected.changes
    by_mean = [asked(model, [7, 12], of, operator="mean").changes for of in (digits, other)]
    assert by_mean[0] != by_mean[1]  # the mean is that of discovery
    confirmation = digits.take(members("confirmation", digits.labels))
    removal = Removal(model, confirmation, "hidden")
    nll = removal.without([7, 12]).nll - removal.intact.nll
    sevens = (confirmation.labels == 7).numpy()
    assert expected.change("class-7", "nll").change == pytest.approx(nll[sevens].mean(), rel=1e-4)
    assert expected.controls.own == pytest.approx(nll[sevens].mean(), rel=1e-4)


def test_what_is_kept_is_the_share_of_youdens_j() -> None:
    digits, model = digits_for(800), planted()
    evidence = asked(model, [7], digits)
    removal = Removal(model, digits.take(members("confirmation", digits.labels)), "hidden")
    sevens = removal.digits.labels.numpy() == 7
    whole, kept = (
        float(of.shares[sevens, 7].mean() - of.shares[~sevens, 7].mean())
        for of in (removal.intact, removal.keeping([7]))
    )
    assert evidence.findings["sufficient"].value == pytest.approx(kept / whole, abs=1e-6)
    assert kept < whole
    bad = asked(model, [3], digits).findings["sufficient"]
    assert bad.value == pytest.approx(0, abs=0.05)


def test_progress_goes_up_to_the_end() -> None:
    seen: list[tuple[float, str]] = []
    digits = digits_for(800)
    ask(
        planted(),
        digits,
        [("hidden", 7)],
        "class-7",
        measured=known(digits.labels == 7),
        controls=5,
        draws=20,
        on_progress=lambda done, text: seen.append((done, text)),
    )
    fractions = [done for done, _ in seen]
    assert fractions == sorted(fractions)
    assert (fractions[0], fractions[-1] <= 1) == (0, True)
    assert all(text for _, text in seen)


def test_units_may_be_named_in_three_ways() -> None:
    model = built("lenet5")
    assert units_of(model, ["lenet5/linear_0/58", ("linear_0", 3)]) == ("linear_0", (3, 58))
    assert units_of(model, [("linear_0", 3), ("linear_0", 3)]) == ("linear_0", (3,))


@pytest.mark.parametrize(
    ("units", "said"),
    [
        ([("linear_0", 120)], r"linear_0 has no unit 120: choose 0 to 119"),
        ([("linear_0", -1)], r"linear_0 has no unit -1: choose 0 to 119"),
        (["lenet5/linear_0/3", "lenet5/linear_1/4"], r"of linear_0 and linear_1: ask .* one layer"),
        (["mlp/linear_0/3"], r"`mlp/linear_0/3` is not a unit of this model, which is lenet5"),
        ([("linear_9", 3)], r"`linear_9` is not a layer of this model: choose one of conv_0"),
        (["58"], r"`58` is not a unit: write model/layer/index"),
        ([], r"no units are named: give at least one"),
        ([("conv_0", unit) for unit in range(6)], r"these are all 6 units of conv_0"),
    ],
)
def test_units_that_cannot_be_meant_are_refused(units: list[str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        ask(built("lenet5"), digits_for(40), units, "class-7")


def test_a_question_that_cannot_be_answered_is_refused() -> None:
    model, digits = planted(), digits_for(40)
    sevens = known(digits.labels == 7)
    with pytest.raises(ValueError, match="`class-11` is not a concept: choose one of"):
        ask(model, digits, [("hidden", 7)], "class-11")
    with pytest.raises(ValueError, match="`noise` is not a kind of ablation"):
        ask(model, digits, [("hidden", 7)], "class-7", operator="noise", measured=sevens)
    with pytest.raises(ValueError, match="20 digits and concepts of 40"):
        ask(model, digits.take(slice(20)), [("hidden", 7)], "class-7", measured=sevens)
    with pytest.raises(ValueError, match="class-7 is in 1 and 0 digits"):
        ask(model, digits.take(slice(10)), [("hidden", 7)], "class-7")


def test_a_claim_on_few_digits_is_inconclusive() -> None:
    evidence = asked(planted(), [7], digits_for(200))
    assert evidence.n == 10
    assert set(evidence.verdicts.values()) == {"inconclusive"}


def test_concepts_that_are_not_given_are_measured(strokes: DataSet) -> None:
    digits, few = strokes.take(slice(300)), {"controls": 5, "draws": 20}
    assert digits.parts is not None
    model, units = built("lenet5"), [("linear_0", 3)]
    evidence = ask(model, digits, units, "crossed-7", controls=5, draws=20)
    bars = digits.parts.has("crossbar") & (digits.labels == 7).numpy()
    assert evidence.n == bars[members("confirmation", digits.labels).numpy()].sum() > 0
    given = known(bars, "crossed-7")
    assert ask(model, digits, units, "crossed-7", measured=given, **few) == evidence  # type: ignore[arg-type]


def test_a_question_leaves_the_model_alone() -> None:
    model, digits = built("lenet5").train(), digits_for(200)
    before = copy.deepcopy(state(model))
    ask(model, digits, [("conv_1", 2)], "class-7", measured=known(digits.labels == 7), controls=3)
    with pytest.raises(ValueError, match="stop"):
        ask(model, digits, [("conv_1", 2)], "class-7", on_progress=stop)
    assert same(before, state(model))


def stop(done: float, text: str) -> None:
    if done > 0.2:
        raise ValueError("stop")
