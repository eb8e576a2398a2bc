"""Interventions against loops over single images, and their table of effects against a loop."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.stats import binomtest
from torch import Tensor, nn

from core.activations import collect, run
from core.data import DataSet
from core.interventions.answers import accuracy, accuracy_row, are_correct, class_changes, correct
from core.interventions.controls import (
    of_each_set,
    random_sets,
    random_units,
    range_of,
    range_of_others,
    spread,
)
from core.interventions.donors import derangement, shuffled, within_groups
from core.interventions.edits import (
    Edits,
    exchanged,
    held,
    held_in_turn,
    replaced,
    unit_indices,
)
from core.interventions.effects import EffectTable, PairedChange
from core.interventions.removal import Removal
from core.statistics import wilson_interval

CLASSES, UNITS, IMAGES = 3, 6, 90
Flags = NDArray[np.bool_]


class Small(nn.Module):
    """Somebody else's network: two layers, three classes, and nothing that a model of ours has."""

    layers = ("hidden", "out")

    def __init__(self, turned: Tensor | None = None) -> None:
        """turned: orthogonal (units, units), by which the hidden layer is rotated and back."""
        super().__init__()
        generator = torch.Generator().manual_seed(4)
        turn = torch.eye(UNITS) if turned is None else turned
        self.hidden, self.out = nn.Linear(784, UNITS), nn.Linear(UNITS, CLASSES)
        with torch.no_grad():
            self.hidden.weight.copy_(turn @ torch.randn(UNITS, 784, generator=generator))
            self.hidden.bias.zero_()
            self.out.weight.copy_(torch.randn(CLASSES, UNITS, generator=generator) @ turn.T)
            self.out.bias.zero_()
        self.requires_grad_(False).eval()

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.out(self.hidden(images.flatten(1)))
        return logits


@pytest.fixture(scope="module")
def images() -> DataSet:
    """Noise, with labels that the network gives to two in three."""
    shown = torch.randn(IMAGES, 1, 28, 28, generator=torch.Generator().manual_seed(1)).abs()
    shown = shown.clamp(max=1)
    said = Small()(shown).argmax(1)
    labels = torch.where(torch.arange(IMAGES) % 3 == 0, torch.arange(IMAGES) // 3 % CLASSES, said)
    return DataSet(shown, labels, "noise", "test")


def one_by_one(model: nn.Module, images: DataSet, edit: Callable[[Tensor], Tensor]) -> list[bool]:
    """Whether each image is correct, by hand: the hidden activations edited, image by image."""
    found = []
    for image, label in zip(images.images, images.labels.tolist(), strict=True):
        hidden = edit(model.hidden(image.flatten()).clone())  # type: ignore[operator]
        logits = model.out(hidden).tolist()  # type: ignore[operator]
        found.append(logits.index(max(logits)) == label)
    return found


def without(*units: int) -> Callable[[Tensor], Tensor]:
    """Hidden activations (units,) with some at 0."""

    def edit(hidden: Tensor) -> Tensor:
        hidden[list(units)] = 0
        return hidden

    return edit


# Which images are correct


def test_an_image_is_correct_where_its_class_has_the_highest_logit() -> None:
    logits = torch.tensor([[1.0, 2, 3], [3, 2, 1], [1, 3, 2], [2, 2, 1]])
    assert are_correct(logits, torch.tensor([2, 2, 1, 0])).tolist() == [True, False, True, True]
    assert accuracy_row(3, 4) == dict(
        zip(("accuracy", "low", "high"), (0.75, *wilson_interval(3, 4)), strict=True)
    )


def test_correct_under_an_edit_is_what_a_loop_finds(images: DataSet) -> None:
    model = Small()
    for units in ((), (0,), (1, 4), tuple(range(UNITS))):
        expected = one_by_one(model, images, without(*units))
        edits: Edits = held([("hidden", unit) for unit in units], 0.0)
        assert correct(model, images, edits).tolist() == expected
        assert accuracy(model, images, edits) == pytest.approx(np.mean(expected))


def test_class_changes_are_what_a_loop_counts(images: DataSet) -> None:
    model, parts = Small(), [(0,), (2, 5), (), (1, 3)]
    edits: list[Edits] = [held([("hidden", unit) for unit in part], 0.0) for part in parts]
    found = class_changes(model, images, edits)
    before = one_by_one(model, images, without())
    for at, part in enumerate(parts):
        after = one_by_one(model, images, without(*part))
        for label in range(CLASSES):
            mine = [
                (b, a)
                for b, a, of in zip(before, after, images.labels.tolist(), strict=True)
                if of == label
            ]
            assert found.lost[at, label] == sum(b and not a for b, a in mine)
            assert found.won[at, label] == sum(a and not b for b, a in mine)
            assert found.n[label] == len(mine)
            change = np.mean([a for _, a in mine]) - np.mean([b for b, _ in mine])
            assert found.change[at, label] == pytest.approx(change)
    assert found.lost[:, :CLASSES].sum() > found.won.sum() > 0, "or a flipped sign isn't seen"
    assert not found.n[CLASSES:].any()
    assert not found.change[:, CLASSES:].any(), "no images, no change"


# Edits and donors


def test_a_unit_is_held_at_a_number_or_at_its_mean(images: DataSet) -> None:
    model = Small()
    values = collect(model, images.images, "hidden")
    for value in (0.0, -1.5):
        expected = values.clone()
        expected[:, 2] = value
        found = run(model, images.images, held([("hidden", 2)], value))
        torch.testing.assert_close(found, model.out(expected))
    mean = values.relu().mean(0)  # read after the ReLU that is taken to follow
    expected = values.clone()
    expected[:, 2] = mean[2]
    found = run(model, images.images, held([("hidden", 2)], "mean"))
    torch.testing.assert_close(found, model.out(expected))


def test_exchanged_units_are_all_of_the_same_other_image(images: DataSet) -> None:
    model, donors = Small(), derangement(IMAGES, 3)
    every = [("hidden", unit) for unit in range(UNITS)]
    found = run(model, images.images, exchanged(every, donors))
    torch.testing.assert_close(found, model(images.images)[donors])
    assert not torch.allclose(found, model(images.images))


def test_only_the_named_units_are_replaced() -> None:
    values, instead = torch.arange(24.0).reshape(2, 3, 2, 2), -torch.ones(2, 3, 2, 2)
    found = replaced(values, [2, 0], instead)
    assert (found[:, [0, 2]] == -1).all()
    assert torch.equal(found[:, 1], values[:, 1])
    assert (replaced(values, [1], 7.0)[:, 1] == 7).all()
    assert torch.equal(replaced(values, [], instead), values)
    assert values[0, 0, 0, 1] == 1, "what was given stays"


@pytest.mark.parametrize("shape", [(1, 4), (1, 4, 3, 1)])
def test_held_in_turn_has_each_unit_held_in_a_copy_of_its_own(shape: tuple[int, ...]) -> None:
    values = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    found = held_in_turn(values, 9.0)
    assert found.shape == (4, *shape[1:])
    for copy in range(4):
        for unit in range(4):
            expected = torch.full_like(values[0, unit], 9) if copy == unit else values[0, unit]
            assert torch.equal(found[copy, unit], expected)


def test_units_are_sorted_checked_and_none_twice() -> None:
    assert unit_indices([5, 2, 5], "hidden", 6) == [2, 5]
    for wrong in (6, -1):
        with pytest.raises(ValueError, match=rf"hidden has no unit {wrong}: choose 0 to 5"):
            unit_indices([0, wrong], "hidden", 6)
    with pytest.raises(ValueError, match="index of a unit"):
        unit_indices([0.5], "hidden", 6)  # type: ignore[list-item]


def test_donors_are_others_each_once() -> None:
    groups = np.arange(60) % 7
    for donors in (derangement(60, 2).numpy(), within_groups(groups, 2)):
        assert sorted(donors) == list(range(60))
        assert (donors != np.arange(60)).all()
    np.testing.assert_array_equal(groups[within_groups(groups, 2)], groups)
    assert (groups[derangement(60, 2)] != groups).any()
    order = shuffled(60, torch.Generator().manual_seed(0))
    assert sorted(order.tolist()) == list(range(60))
    assert order.tolist() != list(range(60))


def test_a_direction_is_removed_as_a_unit_is(images: DataSet) -> None:
    """What unit 2 does in a network is done by a direction in the same network rotated."""
    turn = torch.linalg.qr(torch.randn(UNITS, UNITS, generator=torch.Generator().manual_seed(7)))[0]
    plain, turned = (Removal(model, images, "hidden") for model in (Small(), Small(turn)))
    direction = turn[:, 2]
    torch.testing.assert_close(turned.intact.logits, plain.intact.logits, atol=1e-3, rtol=1e-3)

    def projected(values: Tensor, rows: slice) -> Tensor:
        return values - (values @ direction)[:, None] * direction

    found = turned.under(projected).logits
    torch.testing.assert_close(found, plain.without([2]).logits, atol=1e-3, rtol=1e-3)
    assert not torch.allclose(found, plain.intact.logits, atol=1e-1)
    other = collect(turned.model, images.images.flip(0), "hidden")
    patched = turned.under(lambda values, rows: other[rows]).logits
    torch.testing.assert_close(patched, turned.intact.logits.flip(0))


def test_each_unit_is_removed_alone(images: DataSet) -> None:
    removal = Removal(Small(), images, "hidden")
    for unit, outcome in enumerate(removal.each_alone()):
        assert torch.equal(outcome.logits, removal.without([unit]).logits)
        assert outcome.right.tolist() == one_by_one(removal.model, images, without(unit))
    assert unit == UNITS - 1


# Paired changes


def test_lost_and_won_are_counted_by_image_and_class() -> None:
    labels = np.array([0, 0, 0, 0, 1, 1, 1])
    before = np.array([1, 1, 0, 0, 1, 0, 0], bool)
    after = np.array([[0, 1, 1, 1, 0, 0, 1], [1, 1, 0, 0, 1, 0, 0]], bool)
    found = PairedChange.by_class(before, after, labels, 3)
    assert found.lost.tolist() == [[1, 1, 0], [0, 0, 0]]
    assert found.won.tolist() == [[2, 1, 0], [0, 0, 0]]
    assert found.n.tolist() == [4, 3, 0]
    assert found.change.tolist() == [[0.25, 0, 0], [0, 0, 0]]
    both = found.overall
    assert (both.lost.tolist(), both.won.tolist(), int(both.n)) == ([2, 0], [3, 0], 7)
    whole = PairedChange.between(before, after)
    for one, other in ((whole.lost, both.lost), (whole.won, both.won), (whole.n, both.n)):
        np.testing.assert_array_equal(one, other)
    assert found.reshaped(2, 1).lost.shape == (2, 1, 3)


def test_answers_that_share_a_tie_are_lost_where_they_become_less() -> None:
    found = PairedChange.between([1.0, 0.5, 0.5, 0.0], [0.5, 1.0, 0.5, 0.0])
    assert (int(found.lost), int(found.won), int(found.n)) == (1, 1, 4)


def test_the_interval_is_bonett_and_prices() -> None:
    found = PairedChange(np.array(40), np.array(5), np.array(100))
    down, up = 41 / 102, 6 / 102
    half = 1.959964 * math.sqrt((down + up - (up - down) ** 2) / 102)
    assert found.interval == pytest.approx((up - down - half, up - down + half), abs=1e-6)
    assert float(found.change) == -0.35
    assert found.p_value == binomtest(5, 45).pvalue
    assert PairedChange(*map(np.array, (0, 0, 9))).p_value == 1
    columns = found.columns()
    assert columns["change low"] < columns["change"] < columns["change high"]


# The table of effects


def planted(parts: int = 3, classes: int = 4, n: int = 200) -> tuple[PairedChange, PairedChange]:
    """On discovery each part hurts the class of its own number, on confirmation the next."""
    lost = np.ones((2, parts, classes), np.int64)
    for part in range(parts):
        lost[0, part, part] = lost[1, part, (part + 1) % classes] = 150
    won, count = np.full_like(lost[0], 2), np.full(classes, n)
    return PairedChange(lost[0], won, count), PairedChange(lost[1], won, count)


def table_of(discovery: PairedChange, confirmation: PairedChange) -> EffectTable:
    """Beside the other parts."""
    parts = {"part": np.arange(len(discovery.lost)) + 10}
    return EffectTable(parts, discovery, confirmation, range_of_others(confirmation.change))


def test_the_table_has_a_row_for_each_part_and_class() -> None:
    discovery, confirmation = planted()
    table = table_of(discovery, confirmation).table()
    assert len(table) == 3 * 4
    for row in table.itertuples(index=False):
        part, label = row[0] - 10, row[1]
        expected = {}
        for name, half in (("discovery", discovery), ("change", confirmation)):
            expected[name] = (half.won[part, label] - half.lost[part, label]) / 200
        down, up = ((half[part, label] + 1) / 202 for half in (confirmation.lost, confirmation.won))
        error = 1.959964 * math.sqrt((down + up - (up - down) ** 2) / 202)
        others = [
            (confirmation.won[other, label] - confirmation.lost[other, label]) / 200
            for other in range(3)
            if other != part
        ]
        assert row[2:] == pytest.approx(
            (
                200,
                confirmation.lost[part, label],
                2,
                expected["discovery"],
                expected["change"],
                up - down - error,
                up - down + error,
                min(others),
                max(others),
            ),
            abs=1e-6,
        )
    assert table["change"].min() < -0.7, "a loss is below 0"


def test_the_class_is_chosen_on_one_half_and_judged_on_the_other() -> None:
    discovery, confirmation = planted()
    chosen = table_of(discovery, confirmation).specialties()
    assert chosen["part"].tolist() == [10, 11, 12]
    assert chosen["class"].tolist() == [0, 1, 2], "what confirmation hurts most is class 1, 2, 3"
    assert (chosen["discovery"] < -0.7).all()
    assert chosen["change"].abs().max() < 0.01, "judged where it doesn't hurt"
    assert not chosen["needed"].any()
    again = table_of(discovery, discovery).specialties()
    assert again["needed"].all()


def test_what_every_control_does_as_well_is_not_needed() -> None:
    discovery, _ = planted()
    alike = PairedChange(discovery.lost[[0, 0, 0]], discovery.won, discovery.n)
    chosen = table_of(alike, alike).specialties()
    assert (chosen["high"] < 0).all(), "each part's class is hurt"
    assert not chosen["needed"].any(), "but by any other part as well"
    nothing = (np.zeros((3, 4)), np.zeros((3, 4)))
    assert EffectTable({}, alike, alike, nothing).specialties()["needed"].all()
    for lowest in (-1.0, -0.7):  # below the change, and within its interval
        one = EffectTable({}, alike, alike, (np.full((3, 4), lowest), nothing[1])).specialties()
        assert (one["change"] < -0.7).all()
        assert not one["needed"].any(), "the whole interval must be below every control"


# Controls


def test_the_controls_range_is_that_of_the_others() -> None:
    changes = np.random.default_rng(0).normal(size=(5, 3))
    low, high = range_of_others(changes)
    for part in range(5):
        others = [changes[other] for other in range(5) if other != part]
        np.testing.assert_array_equal(low[part], np.min(others, axis=0))
        np.testing.assert_array_equal(high[part], np.max(others, axis=0))
    assert (low > changes).any(), "a part isn't its own control"
    for found, expected in zip(range_of(changes), (changes.min(0), changes.max(0)), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_the_spread_of_controls_is_the_middle_95_percent() -> None:
    assert spread(np.arange(201.0)[::-1]) == (5, 100, 195)


def test_equal_sets_are_measured_once() -> None:
    asked, numbers = [], []

    def effect(units: tuple[int, ...]) -> int:
        asked.append(units)
        return sum(units)

    sets = np.array([[2, 1], [0, 3], [1, 2]])
    assert of_each_set(effect, sets, numbers.append) == ([3, 3, 3], 2)
    assert asked == [(1, 2), (0, 3)]
    assert numbers == [0, 1, 2]


def test_random_units_are_drawn_among_the_given_ones() -> None:
    generator, units = np.random.default_rng(0), [("a", 1), ("b", 2), ("b", 7), ("c", 0)]
    drawn = [random_units(units, 2, generator) for _ in range(200)]
    assert all(len(set(each)) == 2 and set(each) <= set(units) for each in drawn)
    counts = [sum(unit in each for each in drawn) for unit in units]
    assert min(counts) > 70, "100 are expected of each"


def test_controls_are_drawn_among_as_many_nearest_as_asked() -> None:
    strength = np.exp(np.arange(100) / 10)
    few = random_sets(strength, [50], 300, np.random.default_rng(0), nearest=4)
    assert set(few.ravel().tolist()) == {48, 49, 51, 52}
    twenty = random_sets(strength, [50], 300, np.random.default_rng(0))
    assert set(twenty.ravel().tolist()) == set(range(40, 61)) - {50}
