"""Dissection against plain loops, scikit-learn, scipy, units planted by hand and units of noise."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import fisher_exact, mannwhitneyu, norm
from sklearn.metrics import average_precision_score, roc_auc_score
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, grid_sample

from core.activations import collect, layer_of
from core.analyses.dissection import (
    DETECTOR,
    Dissection,
    Sample,
    dissect,
    dissect_layer,
    unit_masks,
)
from core.analyses.dissection.detectors import NONE, as_many, networks, units_table
from core.analyses.dissection.levels import levels
from core.analyses.dissection.masks import Upsampling, as_words, marked, pack
from core.analyses.dissection.pixels import Overlaps, count, iou
from core.data import DataSet
from core.data.concepts import Measured, measure
from core.models.inspectable import Inspectable, Layer, ReceptiveField
from core.models.registry import build
from core.statistics.ranking import Answers, auc_interval, average_precision, chance
from tests.labs import again, assert_same

PLACED = ("crossed-7", "orientation-0", "ink", "hole", "top", "border")
WHOLE = ("no-hole", "heavy", "slanted-right", "class-7", "even")
NAMES = PLACED + WHOLE
SHARES = (0.005, 0.01, 0.02, 0.123, 0.5)
HALF = 600
Known = tuple[DataSet, Measured]


class Maps(nn.Module):
    """Maps of random filters of the image, or the image itself for a size of 1; not Inspectable."""

    layers = ("maps", "out")

    def __init__(self, units: int = 1, size: int = 1, stride: int = 1) -> None:
        super().__init__()
        self.maps = nn.Conv2d(1, units, size, stride)
        self.out = nn.Linear(units, 10)
        weights = torch.randn(units, 1, size, size, generator=torch.Generator().manual_seed(0))
        with torch.no_grad():
            self.maps.weight.copy_(torch.ones(units, 1, 1, 1) if size == 1 else weights)
            self.maps.bias.zero_()

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.out(self.maps(images).relu().amax((2, 3)))
        return logits


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture(scope="module")
def known(strokes: DataSet) -> Known:
    digits = strokes.take(slice(2 * HALF))
    return digits, measure(digits.images, digits.labels, NAMES, parts=digits.parts)


@pytest.fixture(scope="module")
def samples(known: Known) -> tuple[Sample, Sample]:
    first, second = (slice(at, at + HALF) for at in (0, HALF))
    return part(known, first), part(known, second)


@pytest.fixture(scope="module")
def tables(trained: Inspectable, known: Known) -> dict[str, pd.DataFrame]:
    return {layer: dissect(trained, *swap(known, layer)) for layer in ("conv_0", "linear_2")}


@pytest.fixture(scope="module")
def full(trained: Inspectable, samples: tuple[Sample, Sample]) -> Dissection:
    return dissect_layer(trained, build("lenet5"), *samples, "conv_1", level=0.02)


def swap(known: Known, layer: str) -> tuple[DataSet, str, Measured]:
    """The first arguments of `dissect` after the model."""
    return known[0], layer, known[1]


def part(known: Known, index: slice | np.ndarray) -> Sample:
    """Some of the digits with what is in them."""
    at = index if isinstance(index, slice) else torch.from_numpy(index)
    return Sample(known[0].take(at), known[1].take(index))


def shown(sample: Sample, images: Tensor) -> Sample:
    """A sample that shows other images than its concepts were measured on."""
    digits = DataSet(images, sample.digits.labels, "planted", "test")
    return Sample(digits, sample.measured)


def halves(labels: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """The digits of each class in turns: first, third, … and second, fourth, …"""
    turns: dict[int, int] = {}
    sides: tuple[list[int], list[int]] = ([], [])
    for index, label in enumerate(labels.tolist()):
        sides[turns.get(label, 0) % 2].append(index)
        turns[label] = turns.get(label, 0) + 1
    return np.array(sides[0]), np.array(sides[1])


def split(values: Tensor, *sizes: int) -> Callable[[], Sequence[Tensor]]:
    """The values in batches of some sizes."""
    return lambda: values.split(list(sizes) or len(values))


def interpolated(maps: Tensor, field: ReceptiveField) -> Tensor:
    """(n, units, 28, 28) by torch's own interpolation; nan where no neuron is near."""
    height, width = maps.shape[2:]
    at = torch.arange(28.0)
    y, x = ((at - field.offset) / field.stride for _ in "yx")
    ends = (
        (2 * y / (height - 1) - 1)[:, None].expand(28, 28),
        (2 * x / (width - 1) - 1).expand(28, 28),
    )
    grid = torch.stack([ends[1], ends[0]], -1).expand(len(maps), 28, 28, 2)
    up = grid_sample(maps, grid, align_corners=True, padding_mode="border")
    for axis, place, size in ((2, y, height), (3, x, width)):
        far = (place < -0.5) | (place > size - 0.5)
        up.index_fill_(axis, far.nonzero()[:, 0], torch.nan)
    return up


def by_hand(
    model: nn.Module, layer: str, choose: Sample, judge: Sample, level: float
) -> np.ndarray:
    """The iou on `judge` of each unit and concept, (units, concepts), a pair at a time."""
    of = layer_of(model, layer)
    assert of.field is not None
    first, second = (collect(model, each.digits.images, layer).relu() for each in (choose, judge))
    concepts = judge.measured.placed_masks()
    found = np.zeros((first.shape[1], concepts.shape[1]))
    for unit in range(first.shape[1]):
        ordered = np.sort(first[:, unit].numpy().ravel())[::-1]
        limit = ordered[round(level * len(ordered))]
        mask = (interpolated(second[:, unit : unit + 1], of.field)[:, 0] > float(limit)).numpy()
        for at in range(concepts.shape[1]):
            both, either = (mask & concepts[:, at]).sum(), (mask | concepts[:, at]).sum()
            found[unit, at] = both / either if either else 0
    return found


def grid_of(rows: pd.DataFrame, column: str) -> np.ndarray:
    """A column as (units, concepts)."""
    return rows[column].to_numpy().reshape(rows["index"].nunique(), -1)


# Levels


@pytest.mark.parametrize("share", SHARES)
def test_a_level_has_its_share_above_it(share: float, random: np.random.Generator) -> None:
    scale = 10.0 ** np.array([-3, 0, 4])
    values = random.normal([0, -2, 1], size=(501, 7, 3, 3)) * scale
    values = np.moveaxis(values, 3, 1).astype(np.float32)  # (501, units, 7, 3)
    found = levels(split(torch.from_numpy(values)), share)
    n = values[:, 0].size
    assert found.shape == (3,)
    assert found.dtype == np.float32
    for unit in range(3):
        flat = values[:, unit].ravel()
        assert abs((flat > found[unit]).mean() - share) <= 1 / n
        exact = np.partition(flat, n - 1 - int(share * n))[n - 1 - int(share * n)]
        assert found[unit] in (exact, np.nextafter(exact, np.float32(-np.inf)))


def test_levels_are_the_same_bits_in_any_batches(random: np.random.Generator) -> None:
    values = torch.from_numpy(random.normal(size=(300, 4, 5, 2)).astype(np.float32))
    whole = levels(split(values), 0.03)
    assert levels(split(values, 1, 7, 92, 200), 0.03).tobytes() == whole.tobytes()
    assert levels(split(values[torch.randperm(300)], 150, 150), 0.03).tobytes() == whole.tobytes()
    flat = values.movedim(1, 3).reshape(-1, 4)  # a dense layer's
    assert levels(split(flat, 1000, 2000), 0.03).tobytes() == whole.tobytes()


def test_levels_are_exact_from_the_smallest_to_the_largest_float() -> None:
    ordered = np.array(
        [-3e38, -1, -1e-38, -1e-45, 0, 1e-45, 1e-38, 1, np.nextafter(np.float32(1), 2), 3e38],
        dtype=np.float32,
    )
    values = torch.from_numpy(ordered[np.random.default_rng(0).permutation(10)])[:, None]
    for above in range(1, 10):
        assert (ordered > levels(split(values), above / 10)).sum() == above


def test_negative_zero_is_zero() -> None:
    values = torch.tensor([0.0, -0.0, -0.0, 0.0, 1.0, -1.0])[:, None]
    assert (values.numpy() > levels(split(values), 1 / 6)).sum() == 1
    assert (values.numpy() > levels(split(values), 5 / 6)).sum() == 5


def test_the_zeros_of_a_relu_are_never_above(random: np.random.Generator) -> None:
    values = np.maximum(random.normal(-1.28, 1, size=(5000, 1)), 0).astype(np.float32)
    positive = (values > 0).sum()
    assert 400 < positive < 600
    for share in (0.005, 0.05):
        found = levels(split(torch.from_numpy(values)), share)
        assert (values > found).sum() == share * 5000
    for share in (0.2, 0.4):  # more than is positive
        assert (values > levels(split(torch.from_numpy(values)), share)).sum() == positive


def test_a_binary_map_has_its_ones_above_its_share() -> None:
    for n, ones in itertools.product((49, 100, 784), (1, 7, 29, 48)):
        values = torch.zeros(n, 1)
        values[:ones] = 1
        found = levels(split(values), ones / n)
        assert (values.numpy() > found)[:, 0].nonzero()[0].tolist() == list(range(ones))


@pytest.mark.parametrize("share", [*SHARES, 0.25])
def test_a_dead_unit_is_never_above(share: float) -> None:
    for constant in (0.0, 3.0, -2.0):
        values = torch.full((40, 2, 3, 3), constant)
        assert not (values[:, 0].numpy() > levels(split(values), share)[0]).any()


@pytest.mark.parametrize("share", [0, 1, -1, 2, float("nan")])
def test_a_share_out_of_range_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match=rf"level (is )?`{share}`( is out of range)?: give"):
        levels(split(torch.ones(3, 1)), share)


def test_no_data_has_no_level() -> None:
    with pytest.raises(ValueError, match="pass at least one image"):
        levels(list, 0.1)


# Masks


@pytest.mark.parametrize("layer", ["conv_0", "conv_1"])
def test_a_delta_peaks_at_the_centre_of_its_receptive_field(layer: str) -> None:
    of = layer_of(build("lenet5"), layer)
    assert of.map is not None
    assert of.field is not None
    up = Upsampling(of, *of.map)
    for row, column in itertools.product(range(of.map[0]), (0, 3, of.map[1] - 1)):
        delta = torch.zeros(1, 1, *of.map)
        delta[0, 0, row, column] = 1
        image = up(delta)[0, 0]
        peak = (image == image.max()).nonzero().double()
        centre = torch.tensor([of.field.offset + of.field.stride * at for at in (row, column)])
        assert (peak - centre).abs().max() <= 0.5
        if 0 < row < of.map[0] - 1 and column == 3:
            weight = image.clamp(min=0).double()
            places = torch.arange(28).double()
            middle = torch.stack([weight.sum(1) @ places, weight.sum(0) @ places]) / weight.sum()
            torch.testing.assert_close(middle, centre.double())


def test_maps_are_interpolated_as_torch_does_with_height_and_width_in_place() -> None:
    maps = torch.randn(2, 3, 9, 5, generator=torch.Generator().manual_seed(0))
    for field in (ReceptiveField(4, 2, 6.5), ReceptiveField(5, 3, 2.0), ReceptiveField(3, 1, 0.0)):
        layer = Layer("maps", 3, (9, 5), field)
        ours, other = Upsampling(layer, 9, 5)(maps), interpolated(maps, field)
        assert torch.equal(ours.isneginf(), other.isnan())
        torch.testing.assert_close(
            ours.nan_to_num(neginf=0), other.nan_to_num(0), rtol=0, atol=1e-5
        )


def test_a_layer_without_a_field_is_spread_evenly() -> None:
    maps = torch.randn(1, 2, 14, 7, generator=torch.Generator().manual_seed(0))
    ours = Upsampling(Layer("maps", 2), 14, 7)(maps)
    other = torch.nn.functional.interpolate(maps, (28, 28), mode="bilinear", align_corners=False)
    torch.testing.assert_close(ours, other)


def test_pixels_without_a_neuron_near_are_never_marked() -> None:
    up = Upsampling(layer_of(build("lenet5"), "conv_1"), 8, 8)
    found = marked(torch.ones(1, 1, 8, 8), np.array([-1e30], np.float32), up)[0, 0]
    expected = np.zeros((28, 28), bool)
    expected[6:22, 6:22] = True
    np.testing.assert_array_equal(found, expected)


def test_packed_masks_keep_every_pixel(random: np.random.Generator) -> None:
    masks = random.random((3, 2, 28, 28)) < 0.3
    words = pack(masks)
    assert words.shape == (3, 2, 13)
    np.testing.assert_array_equal(np.bitwise_count(words).sum(-1), masks.sum((2, 3)))
    np.testing.assert_array_equal(as_words(np.packbits(masks.reshape(3, 2, -1), axis=2)), words)


# Overlaps by pixels


def masks_of(*images: Sequence[int]) -> np.ndarray:
    """Masks (images, 1, 28, 28) of the pixels of these numbers."""
    masks = np.zeros((len(images), 784), bool)
    for mask, pixels in zip(masks, images, strict=True):
        mask[list(pixels)] = True
    return masks.reshape(-1, 1, 28, 28)


def overlaps(units: np.ndarray, concepts: np.ndarray, batch: int = 500) -> Overlaps:
    """Counted in batches."""
    pairs = (
        (pack(units[at : at + batch]), pack(concepts[at : at + batch]))
        for at in range(0, len(units), batch)
    )
    return count(pairs, shuffles=0, seed=0).overlaps


def test_intersection_over_union_by_hand() -> None:
    six, five = masks_of(range(6), []), masks_of([3, 4, 5, 700, 783], [])
    assert overlaps(six, five).iou.tolist() == [[0.375]]
    assert iou(np.array([3]), np.array([6]), np.array([5])).tolist() == [0.375]
    spread = masks_of([0, 1], [2, 3], [4, 5]), masks_of([1, 9], [2, 3], [10])  # over the data set
    assert overlaps(*spread, batch=2).iou.tolist() == [[0.375]]
    assert overlaps(masks_of([]), masks_of([])).iou.tolist() == [[0]]


def test_the_ceiling_of_a_small_unit() -> None:
    unit, concept = np.zeros((2, 125 * 784), bool)
    unit[:490], concept[:12_054] = True, True  # 0.5 % and 12.3 %
    found = overlaps(*(each.reshape(125, 1, 28, 28) for each in (unit, concept)))
    assert [float(of[0]) for of in found.coverage] == pytest.approx([0.005, 0.123])
    assert found.ceiling[0, 0] == pytest.approx(0.0406504, abs=1e-7)
    assert found.iou[0, 0] == pytest.approx(0.0406504, abs=1e-7)


def test_counts_equal_a_plain_loop_and_never_pass_the_ceiling(random: np.random.Generator) -> None:
    units = random.random((230, 4, 28, 28)) < random.random((1, 4, 1, 1)) ** 3
    concepts = random.random((230, 5, 28, 28)) < random.random((1, 5, 1, 1)) ** 3
    concepts[:, 0] = units[:, 0] & (random.random((230, 28, 28)) < 0.5)
    found = overlaps(units, concepts, batch=60)
    assert (found.n, found.pixels, len(found.both)) == (230, 784, 100)
    for unit, concept in itertools.product(range(4), range(5)):
        a, b = units[:, unit], concepts[:, concept]
        assert found.both.sum(0)[unit, concept] == (a & b).sum()
        assert found.iou[unit, concept] == (a & b).sum() / (a | b).sum()
        for block in (0, 29, 30, 99):
            mine = slice(block, None, 100)
            assert found.both[block, unit, concept] == (a & b)[mine].sum()
            assert found.units[block, unit] == a[mine].sum()
    assert (found.iou <= found.ceiling + 1e-12).all()
    assert found.iou[0, 0] == pytest.approx(found.ceiling[0, 0])


def test_intervals_contain_the_value_and_narrow(random: np.random.Generator) -> None:
    def drawn(n: int) -> tuple[np.ndarray, np.ndarray]:
        shift = random.random((n, 2, 1, 1)) * 0.4
        units = random.random((n, 2, 28, 28)) < shift
        return units, units[:, ::-1] & (random.random((n, 2, 28, 28)) < 0.5)

    widths = []
    for n in (40, 250, 4000):
        found = overlaps(*drawn(n))
        low, high = found.interval(400, 0)
        assert (low <= found.iou).all()
        assert (found.iou <= high).all()
        again = found.interval(400, 0)
        np.testing.assert_array_equal(again, (low, high))
        widths.append((high - low).mean())
    assert widths[1] / widths[2] == pytest.approx(4, rel=0.35)
    assert widths[0] > 1.7 * widths[1]


def test_an_interval_is_as_wide_as_by_drawing_images(random: np.random.Generator) -> None:
    units = random.random((300, 1, 28, 28)) < random.random((300, 1, 1, 1)) * 0.3
    concepts = units & (random.random((300, 1, 28, 28)) < random.random((300, 1, 1, 1)))
    both, either = (each.sum((1, 2, 3)) for each in (units & concepts, units | concepts))
    values = [
        both[index].sum() / either[index].sum() for index in random.integers(0, 300, (2000, 300))
    ]
    low, high = overlaps(units, concepts).interval(2000, 0)
    wide = np.subtract(*np.quantile(values, [0.975, 0.025]))
    assert (high - low)[0, 0] == pytest.approx(wide, rel=0.3)


def test_the_expectation_of_shuffled_masks_is_exact(random: np.random.Generator) -> None:
    units = random.random((9, 2, 28, 28)) < random.random((9, 1, 1, 1))
    concepts = random.random((9, 3, 28, 28)) < random.random((9, 1, 1, 1))
    batches = [slice(0, 5), slice(5, 9)]
    pairs = [(pack(units[at]), pack(concepts[at])) for at in batches]
    found = count(pairs, shuffles=400, seed=0)
    expected = np.zeros((2, 3))
    for at in batches:
        orders = list(itertools.permutations(range(at.start, at.stop)))
        flat = concepts[at].reshape(len(orders[0]), 3, -1).astype(float)
        for order in orders:
            mixed = units[list(order)].reshape(len(order), 2, -1).astype(float)
            expected += np.einsum("nup,ncp->uc", mixed, flat) / len(orders)
    np.testing.assert_allclose(found.expected, expected)
    assert found.shuffled.shape == (400, 2, 3)
    error = found.shuffled.std(0) / np.sqrt(400)
    assert (np.abs(found.shuffled.mean(0) - expected) < 4 * error).all()


def test_p_values_of_unrelated_masks_are_uniform(random: np.random.Generator) -> None:
    places = np.zeros((28, 28))
    places[4:24, 4:24] = 0.6  # both lie in the middle, which is no relation
    units = random.random((400, 40, 28, 28)) < places * random.random((400, 40, 1, 1))
    concepts = random.random((400, 10, 28, 28)) < places * random.random((400, 10, 1, 1))
    found = count([(pack(units), pack(concepts))], shuffles=20, seed=0)
    p_value, null = found.overlaps.null(found.shuffled, found.expected)
    for below in (0.05, 0.25, 0.5):
        assert (p_value < below).mean() == pytest.approx(below, abs=0.08)
    assert (found.overlaps.iou > null).mean() < 0.05
    related = np.concatenate([concepts[:, :1], units[:, :1]], 1)
    found = count([(pack(related), pack(concepts))], shuffles=20, seed=0)
    p_value, null = found.overlaps.null(found.shuffled, found.expected)
    assert p_value[0, 0] < 1e-9
    assert null[0, 0] < 0.9 * found.overlaps.iou[0, 0]


def test_no_image_has_no_overlap() -> None:
    with pytest.raises(ValueError, match="pass at least one"):
        count([], shuffles=1, seed=0)


# One number an image


@pytest.fixture
def tied(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Activations (400, 5) with many ties, and concepts (400, 4)."""
    values = np.maximum(random.normal(size=(400, 5)).round(1), 0).astype(np.float32)
    present = random.random((400, 4)) < [0.5, 0.1, 0.9, 0.02]
    values[:, 2] += 0.5 * present[:, 1]
    return values, present


def test_the_auc_of_a_known_answer() -> None:
    values = np.array([3, 0, 0, 0, 0, 0, 1], np.float32)[:, None]
    present = np.array([1, 1, 1, 0, 0, 0, 0], bool)[:, None]
    assert Answers.of(values).auc(present)[0, 0] == pytest.approx(0.5833333)


def test_image_figures_equal_those_of_scikit_learn_and_scipy(
    tied: tuple[np.ndarray, np.ndarray],
) -> None:
    values, present = tied
    answers = Answers.of(values)
    auc, precision = answers.auc(present), answers.average_precision(present)
    p_value = answers.p_values(auc, present)
    for unit, concept in itertools.product(range(5), range(4)):
        a, of = values[:, unit], present[:, concept]
        assert auc[unit, concept] == pytest.approx(roc_auc_score(of, a), abs=1e-12)
        assert precision[unit, concept] == pytest.approx(average_precision_score(of, a), abs=1e-12)
        exact = a.astype(np.float64)
        test = mannwhitneyu(exact[of], exact[~of], method="asymptotic", use_continuity=False)
        assert p_value[unit, concept] == pytest.approx(test.pvalue, rel=1e-9)


def test_image_figures_of_constants_say_nothing() -> None:
    values = np.array([[0, 1], [0, 2], [0, 3], [0, 4]], np.float32)
    present = np.array([[0, 1, 1], [0, 1, 0], [0, 1, 0], [0, 1, 1]], bool)
    answers = Answers.of(values)
    auc = answers.auc(present)
    assert auc.tolist() == [[0.5] * 3] * 2
    assert answers.p_values(auc, present).tolist() == [[1.0] * 3] * 2
    assert average_precision(values[:, 0], present).tolist() == [0, 1, 0.5]


def test_chance_is_fishers_exact_test(random: np.random.Generator) -> None:
    n = 60
    unit, concept = random.random((n, 5)) < 0.3, random.random((n, 6)) < 0.4
    unit[:, 3], concept[:, 4], concept[:, 5] = False, False, True
    concept[:, 0] = unit[:, 0]
    both = unit.astype(int).T @ concept.astype(int)
    p_value, most = chance(both, unit.sum(0)[:, None], concept.sum(0)[None], n)
    for u, c in itertools.product(range(5), range(6)):
        a, b = unit[:, u], concept[:, c]
        table = [[(a & b).sum(), (a & ~b).sum()], [(~a & b).sum(), (~a & ~b).sum()]]
        expected = fisher_exact(table, alternative="greater").pvalue
        assert p_value[u, c] == pytest.approx(expected, rel=1e-9)
    mixed = np.array([(random.permutation(unit[:, 1]) & concept[:, 1]).sum() for _ in range(4000)])
    assert (mixed <= most[1, 1]).mean() >= 0.985
    assert (mixed <= most[1, 1] - 1).mean() < 0.995


def test_auc_intervals_cover(random: np.random.Generator) -> None:
    present = np.arange(160) % 2 == 0
    true, hits = norm.cdf(1 / np.sqrt(2)), 0
    for _ in range(100):
        values = (random.normal(size=160) + present).astype(np.float32)
        drawn = random.multinomial(160, np.full(160, 1 / 160), 200)
        low, high = auc_interval(values, present, drawn)
        assert low <= roc_auc_score(present, values) <= high
        hits += low <= true <= high
    assert hits >= 87
    coarse = np.maximum(values.round(), 0)
    drawn = random.multinomial(160, np.full(160, 1 / 160), 50)
    resampled = [
        roc_auc_score(np.repeat(present, times), np.repeat(coarse, times)) for times in drawn
    ]
    expected = np.quantile(resampled, [0.025, 0.975])
    np.testing.assert_allclose(auc_interval(coarse, present, drawn), expected, rtol=1e-5)
    assert np.isnan(auc_interval(coarse, np.ones(160, bool), drawn)).all()


# Planted units and units of noise


@pytest.mark.parametrize("name", ["ink", "hole", "orientation-0"])
def test_a_unit_that_is_a_concept_has_an_iou_of_one(known: Known, name: str) -> None:
    digits, measured = known
    masks = measured.masks[:, measured.names.index(name)]
    planted = DataSet(
        torch.from_numpy(masks[:, None].astype(np.float32)), digits.labels, "planted", "test"
    )
    table = dissect(Maps(), planted, "maps", measured, level=float(masks.mean()))
    row = table[(table["concept"] == name) & (table["kind"] == "pixels")].iloc[0]
    assert row["unit"] == "maps/maps/0"
    assert row[["iou", "low", "high", "ceiling", "of_ceiling"]].tolist() == pytest.approx([1.0] * 5)
    assert row["rank"] == 1
    assert row["null"] < 0.9
    assert row["q_value"] < 1e-6
    assert row["detector"]
    assert table[table["kind"] == "pixels"]["detector"].sum() == 1


def test_at_its_concepts_size_a_units_overlap_shows(known: Known) -> None:
    digits, measured = known
    masks = measured.masks[:, measured.names.index("hole")]
    sure = np.random.default_rng(0).random(masks.shape)  # no two pixels are alike
    maps = torch.from_numpy((masks * (1 + sure))[:, None].astype(np.float32))
    planted = DataSet(maps, digits.labels, "planted", "test")
    table = dissect(Maps(), planted, "maps", measured, level=0.001)
    row = table[(table["rank"] == 1) & (table["kind"] == "pixels")].iloc[0]
    assert row["concept"] == "hole"
    assert row["iou"] < 0.1
    assert row["matched"] > 0.9


def test_a_unit_that_is_a_place_detects_nothing(samples: tuple[Sample, Sample]) -> None:
    masks = [of.measured.masks[:, NAMES.index("top")] for of in samples]
    planted = [
        shown(of, torch.from_numpy(mask[:, None].astype(np.float32)))
        for of, mask in zip(samples, masks, strict=True)
    ]
    found = dissect_layer(Maps(), None, *planted, "maps", level=float(masks[0].mean()))
    row = found.pixels.set_index("concept").loc["top"]
    assert row[["iou", "null"]].tolist() == pytest.approx([1, 1])
    assert not found.pixels["detector"].any()
    assert not found.images["detector"].any()


def test_a_concept_met_less_often_than_by_chance_is_not_chosen(
    samples: tuple[Sample, Sample],
) -> None:
    planted = []
    for of in samples:
        images = torch.ones(HALF, 1, 28, 28)
        has = of.measured.present()[:, NAMES.index("hole")]
        images[torch.from_numpy(has), :, 14:] = 0  # everything, but half of the digits with a hole
        planted.append(shown(of, images))
    level = float(planted[0].digits.images.mean())
    found = dissect_layer(Maps(), None, *planted, "maps", level=level)
    row = found.pixels.set_index("concept").loc["hole"]
    assert row["iou"] > 0
    assert row[["found", "rank"]].tolist() == [0, 0]


def test_a_planted_unit_is_found_from_the_image(strokes: DataSet) -> None:
    digits = strokes.take(slice(400))
    binary = DataSet((digits.images >= 0.5).float(), digits.labels, "planted", "test")
    level = float(binary.images.mean())
    table = dissect(Maps(), binary, "maps", ["ink", "hole"], level=level).set_index("concept")
    assert table.loc["ink", "iou"] == 1
    assert table.loc["hole", "iou"] < 0.01
    assert not table.loc["hole", "detector"]


@pytest.fixture(scope="module")
def noise(samples: tuple[Sample, Sample]) -> dict[str, tuple[Sample, Sample]]:
    """Samples that show images which have nothing to do with what is in them."""
    generator = torch.Generator().manual_seed(5)
    few = [Sample(of.digits.take(slice(300)), of.measured.take(slice(300))) for of in samples]
    smooth = [
        shown(of, avg_pool2d(torch.rand(300, 1, 32, 32, generator=generator), 5, 1)) for of in few
    ]
    shuffled = [shown(of, of.digits.images[torch.randperm(300, generator=generator)]) for of in few]
    return {"smooth": (smooth[0], smooth[1]), "shuffled": (shuffled[0], shuffled[1])}


@pytest.mark.parametrize("kind", ["smooth", "shuffled"])
def test_noise_has_no_detectors(noise: dict[str, tuple[Sample, Sample]], kind: str) -> None:
    found = dissect_layer(Maps(100, 5, 3), None, *noise[kind], "maps", level=0.2)
    for rows in (found.pixels, found.images):
        assert rows["index"].nunique() == 100
        assert rows[rows["detector"]]["index"].nunique() <= 5
        assert rows[["iou", "p_value", "q_value", "null"]].notna().to_numpy().all()
        best = rows[rows["concept"] != "top"].groupby("index")["iou"].max()
        assert (best > DETECTOR).sum() > 60  # which alone would have called them detectors


def test_dead_units_are_no_detectors(samples: tuple[Sample, Sample]) -> None:
    model = Maps(3, 5, 3)
    with torch.no_grad():
        model.maps.weight[1], model.maps.bias[1] = 0, -1  # never
        model.maps.weight[2], model.maps.bias[2] = 0, 1  # always the same
    found = dissect_layer(model, None, *samples, "maps", level=0.1)
    for rows in (found.pixels, found.images):
        silent = rows[rows["index"] > 0]
        assert not silent["detector"].any()
        assert (silent["rank"] == 0).all()
        assert (silent["iou"] == 0).all()
        assert (
            silent[["iou", "ceiling", "of_ceiling", "p_value", "q_value"]].notna().to_numpy().all()
        )


@pytest.mark.parametrize("where", ["choose", "judge", "both"])
@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_concept_that_all_or_no_digits_have_is_nobodys(
    samples: tuple[Sample, Sample], where: str, value: float
) -> None:
    def flattened(sample: Sample, side: str) -> Sample:
        if where not in (side, "both"):
            return sample
        of = sample.measured
        scores, packed = of.scores.copy(), of.packed.copy()
        for name in ("hole", "even"):
            scores[:, of.names.index(name)] = value
        packed[:, of.placed.index("hole")] = 255 * int(value)
        return Sample(sample.digits, Measured(of.names, scores, packed))

    pair = [flattened(*each) for each in zip(samples, ("choose", "judge"), strict=True)]
    found = dissect_layer(Maps(4, 5, 3), None, *pair, "maps", level=0.1)
    for rows in (found.pixels, found.images):
        numbers = rows[["found", "iou", "p_value", "q_value", "ceiling", "of_ceiling"]]
        assert numbers.notna().to_numpy().all()
        flat = rows[rows["concept"].isin(("hole", "even"))]
        if where != "choose" or value == 0:
            assert not flat["detector"].any()


# A trained network


def test_table_of_a_layer(tables: dict[str, pd.DataFrame]) -> None:
    columns = ["unit", "concept", "iou", "low", "high", "null", "ceiling", "of_ceiling", "detector"]
    for layer, table in tables.items():
        units = {"conv_0": 6, "linear_2": 10}[layer]
        assert len(table) == units * len(NAMES)
        assert set(columns) <= set(table.columns)
        assert set(table["unit"]) == {f"lenet5/{layer}/{index}" for index in range(units)}
        assert not table[["unit", "concept"]].duplicated().any()
        known = table.dropna(subset=["low", "high"])
        assert len(known) >= (table["rank"] > 0).sum()
        assert (known["low"] <= known["iou"] + 1e-12).all()
        assert (known["iou"] <= known["high"] + 1e-12).all()
        assert (table["iou"] <= table["ceiling"] + 1e-12).all()
        assert table.groupby(["index", "kind"])["detector"].sum().max() <= 1
        assert (table["rank"] == 1).sum() <= 2 * units
        for _, rows in table[table["rank"] > 0].groupby(["index", "kind"]):
            ordered = rows.sort_values("rank")
            assert ordered["rank"].is_unique
            assert ordered["rank"].max() <= 3
            assert ordered["found"].is_monotonic_decreasing
            if layer == "linear_2" or rows["kind"].iloc[0] == "pixels":
                assert ordered["rank"].tolist() == list(range(1, len(rows) + 1))
    assert set(tables["linear_2"]["kind"]) == {"images"}
    kinds = tables["conv_0"].groupby("kind")["concept"].agg(set)
    assert kinds["pixels"] == set(PLACED)
    assert kinds["images"] == set(WHOLE)


def test_a_logit_answers_to_its_class(tables: dict[str, pd.DataFrame]) -> None:
    table = tables["linear_2"]
    seven = table[(table["unit"] == "lenet5/linear_2/7") & (table["concept"] == "class-7")].iloc[0]
    assert seven["auc"] > 0.9
    assert seven["auc_p"] < 1e-6
    assert seven["precision"] > 5 * seven["base"]


@pytest.mark.parametrize("layer", ["conv_0", "conv_1"])
def test_pixels_equal_a_plain_loop(
    trained: Inspectable, samples: tuple[Sample, Sample], layer: str
) -> None:
    found = dissect_layer(trained, None, *samples, layer, level=0.02).pixels
    assert found["concept"].tolist()[: len(PLACED)] == list(samples[1].measured.placed)
    expected = by_hand(trained, layer, *samples, 0.02)
    np.testing.assert_allclose(grid_of(found, "iou"), expected, atol=1e-4)
    chosen = by_hand(trained, layer, samples[0], samples[0], 0.02)
    ours = grid_of(found, "found")
    np.testing.assert_allclose(ours[ours > 0], chosen[ours > 0], atol=1e-4)


def test_images_equal_a_plain_loop(trained: Inspectable, samples: tuple[Sample, Sample]) -> None:
    choose, judge = samples
    rows = dissect_layer(trained, None, choose, judge, "conv_1", level=0.1).images
    first, second = (
        collect(trained, each.digits.images, "conv_1").relu().amax((2, 3)).numpy()
        for each in samples
    )
    present, labels = judge.measured.present(), judge.digits.labels.numpy()
    for unit, at in itertools.product((0, 7, 15), range(len(NAMES))):
        row = rows[(rows["index"] == unit) & (rows["concept"] == NAMES[at])].iloc[0]
        limit = np.sort(first[:, unit])[::-1][HALF // 10]
        a, of = second[:, unit] > limit, present[:, at]
        assert row["n"] == of.sum()
        assert row["iou"] == pytest.approx((a & of).sum() / (a | of).sum())
        table = [[(a & of).sum(), (a & ~of).sum()], [(~a & of).sum(), (~a & ~of).sum()]]
        test = fisher_exact(table, alternative="greater")
        assert row["p_value"] == pytest.approx(test.pvalue, rel=1e-6)
        before, had = first[:, unit] > limit, choose.measured.present()[:, at]
        more = (before & had).sum() > before.sum() * had.sum() / HALF  # than by chance
        expected = (before & had).sum() / (before | had).sum() if more else 0
        assert row["found"] == pytest.approx(expected)
        mixed = of.all() or not of.any()
        auc = 0.5 if mixed else roc_auc_score(of, second[:, unit])
        assert row["auc"] == pytest.approx(auc)
        if NAMES[at] == "crossed-7":
            sevens = labels == 7
            within = roc_auc_score(of[sevens], second[sevens, unit])
            assert row["auc_within"] == pytest.approx(within)
        else:
            assert np.isnan(row["auc_within"])
        if row["rank"] == 1:
            assert row["auc_low"] <= row["auc"] <= row["auc_high"]


def test_discovery_and_confirmation_are_disjoint_halves_of_each_class(
    trained: Inspectable, known: Known, tables: dict[str, pd.DataFrame]
) -> None:
    first, second = halves(known[0].labels)
    assert set(first).isdisjoint(second)
    assert len(first) + len(second) == 2 * HALF
    found = dissect_layer(trained, None, part(known, first), part(known, second), "linear_2")
    pd.testing.assert_frame_equal(
        found.images, tables["linear_2"].drop(columns=["unit", "kind"]), check_dtype=False
    )


def test_what_is_chosen_depends_on_the_first_half_alone(
    trained: Inspectable, samples: tuple[Sample, Sample]
) -> None:
    choose, judge = samples
    order = torch.randperm(HALF, generator=torch.Generator().manual_seed(0))
    images, labels = judge.digits.images, judge.digits.labels
    other = Sample(DataSet(images[order].flip(2), labels[order], "planted", "test"), judge.measured)
    one, two = (dissect_layer(trained, None, choose, of, "conv_0") for of in (judge, other))
    np.testing.assert_array_equal(one.levels, two.levels)
    np.testing.assert_array_equal(one.image_levels, two.image_levels)
    for name in ("pixels", "images"):
        chosen, again = getattr(one, name), getattr(two, name)
        pd.testing.assert_frame_equal(
            chosen[["concept", "rank", "found"]], again[["concept", "rank", "found"]]
        )
        assert (chosen["iou"] != again["iou"]).any()


def test_a_seed_gives_the_same_table(
    trained: Inspectable, known: Known, tables: dict[str, pd.DataFrame]
) -> None:
    again = dissect(trained, *swap(known, "conv_0"))
    pd.testing.assert_frame_equal(again, tables["conv_0"])
    other = dissect(trained, *swap(known, "conv_0"), seed=1)
    assert (other["low"] != tables["conv_0"]["low"]).any()
    for name in ("iou", "found", "rank", "auc"):
        pd.testing.assert_series_equal(other[name], again[name])


def test_the_model_is_left_as_it_was(trained: Inspectable, known: Known) -> None:
    hooks = [(dict(m._forward_hooks), dict(m._forward_pre_hooks)) for m in trained.modules()]
    before = {name: value.clone() for name, value in trained.state_dict().items()}
    flags = [module.training for module in trained.modules()]
    generator = torch.get_rng_state()
    dissect(trained, *swap(known, "linear_1"))
    with pytest.raises(ValueError, match="out of range"):
        dissect(trained, *swap(known, "conv_1"), level=0)
    assert hooks == [
        (dict(m._forward_hooks), dict(m._forward_pre_hooks)) for m in trained.modules()
    ]
    assert all(torch.equal(before[name], value) for name, value in trained.state_dict().items())
    assert flags == [module.training for module in trained.modules()]
    assert all(parameter.grad is None for parameter in trained.parameters())
    assert torch.equal(generator, torch.get_rng_state())


def test_as_many_digits_as_a_map_is_wide(trained: Inspectable, known: Known) -> None:
    few = part(known, slice(0, 24)), part(known, slice(24, 48))
    found = dissect_layer(trained, None, *few, "conv_0", level=0.05).pixels
    np.testing.assert_allclose(
        grid_of(found, "iou"), by_hand(trained, "conv_0", *few, 0.05), atol=1e-3
    )


def test_too_few_digits_are_refused(trained: Inspectable, known: Known) -> None:
    digits = known[0]
    different = np.array([digits.labels.tolist().index(label) for label in (0, 1, 2)])
    for index in (np.arange(0), np.arange(1), different):
        few = part(known, index)
        with pytest.raises(ValueError, match=r"too few|pass at least"):
            dissect(trained, few.digits, "conv_0", few.measured)


@pytest.mark.parametrize("level", [0, 1, -1, 2, float("nan")])
@pytest.mark.parametrize("layer", ["conv_1", "linear_0"])
def test_a_level_out_of_range_is_refused(
    trained: Inspectable, known: Known, level: float, layer: str
) -> None:
    with pytest.raises(ValueError, match=rf"level (is )?`{level}`( is out of range)?: give"):
        dissect(trained, *swap(known, layer), level=level)


def test_what_is_unknown_is_refused(trained: Inspectable, strokes: DataSet, known: Known) -> None:
    with pytest.raises(ValueError, match="`conv_9` is not a layer of this model: choose one of"):
        dissect(trained, *swap(known, "conv_9"))
    with pytest.raises(ValueError, match="`whiskers` is no concept: choose one of"):
        dissect(trained, strokes.take(slice(40)), "conv_0", ["ink", "whiskers"])
    with pytest.raises(ValueError, match="is the text `ink`"):
        dissect(trained, strokes.take(slice(40)), "conv_0", "ink")


def test_concepts_of_other_digits_are_refused(trained: Inspectable, known: Known) -> None:
    digits, measured = known
    with pytest.raises(ValueError, match=r"digits"):
        dissect(trained, digits.take(slice(100)), "conv_0", measured)


def test_no_concepts_are_refused(trained: Inspectable, known: Known) -> None:
    with pytest.raises(ValueError, match="concept"):
        dissect(trained, known[0].take(slice(100)), "linear_0", [])


def test_controls_are_the_untrained_network_and_random_mixtures(full: Dissection) -> None:
    assert len(full.controls) == 6
    assert set(full.controls["network"]) == {"trained", "rotated", "untrained"}
    rows = full.controls.set_index(["network", "kind"])
    for kind in ("pixels", "images"):
        own = getattr(full, kind)
        mine = own[own["detector"]]
        assert rows.loc[("trained", kind), "detectors"] == len(mine)
        assert rows.loc[("trained", kind), "unique"] == mine["concept"].nunique()
    assert rows["iou"].nunique() == 6


def test_the_untrained_network_is_measured_the_same_way(
    full: Dissection, samples: tuple[Sample, Sample]
) -> None:
    alone = dissect_layer(build("lenet5"), None, *samples, "conv_1", level=0.02)
    rows = full.controls.set_index(["network", "kind"])
    own = alone.controls.set_index(["network", "kind"])
    assert set(alone.controls["network"]) == {"trained", "rotated"}
    for kind in ("pixels", "images"):
        expected = own.loc[("trained", kind)]
        assert rows.loc[("untrained", kind)].tolist() == expected.tolist()


def test_progress_is_told_and_an_exception_ends_it(
    trained: Inspectable, samples: tuple[Sample, Sample]
) -> None:
    told: list[tuple[float, str]] = []

    def stop(fraction: float, text: str) -> None:
        told.append((fraction, text))
        if len(told) == 2:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        dissect_layer(trained, None, *samples, "linear_2", on_progress=stop)
    assert [fraction for fraction, _ in told] == sorted(fraction for fraction, _ in told)
    assert all(0 <= fraction <= 1 and text for fraction, text in told)


def test_masks_of_one_unit(
    trained: Inspectable, full: Dissection, samples: tuple[Sample, Sample]
) -> None:
    images = samples[1].digits.images
    masks = unit_masks(trained, images, "conv_1", 5, float(full.levels[5]))
    assert masks.shape == (HALF, 28, 28)
    rows = full.pixels[full.pixels["index"] == 5]
    concepts = samples[1].measured.placed_masks()
    for at, value in enumerate(rows["iou"]):
        of = concepts[:, at]
        assert value == pytest.approx((masks & of).sum() / max((masks | of).sum(), 1))
    with pytest.raises(ValueError, match="linear_0 is a dense layer"):
        unit_masks(trained, images[:2], "linear_0", 5, 0.0)


def test_a_dissection_comes_back_from_the_store(full: Dissection) -> None:
    back = again(full)
    assert (back.layer, back.level) == ("conv_1", 0.02)
    assert_same(back, full)
    for name in ("pixels", "images", "controls"):
        one, two = getattr(full, name), getattr(back, name)
        assert list(one.columns) == list(two.columns)
        pd.testing.assert_frame_equal(one, two, check_dtype=False)
        assert [str(of) for of in two["detector"].unique()] if name != "controls" else True


def test_a_dense_layer_comes_back_from_the_store(
    trained: Inspectable, samples: tuple[Sample, Sample]
) -> None:
    found = dissect_layer(trained, None, *samples, "linear_2")
    assert found.pixels.empty
    back = again(found)
    assert back.pixels.empty
    pd.testing.assert_frame_equal(back.images, found.images, check_dtype=False)


def test_a_dead_layer_is_reported_and_kept(samples: tuple[Sample, Sample]) -> None:
    class Dead(Maps):
        def __init__(self) -> None:
            super().__init__()
            self.maps.weight.data.zero_()

    found = dissect_layer(Dead(), Dead(), *samples, "maps")
    for rows in (found.pixels, found.images):
        assert not rows["detector"].any()
        assert (rows["rank"] == 0).all()
        assert rows[["iou", "p_value", "q_value"]].notna().all(axis=None)
    assert (found.controls["detectors"] == 0).all()
    assert_same(again(found), found)
    assert as_many(networks(found, "pixels")) == []  # no detectors in either
    table = units_table("lenet5", "conv_0", "pixels", found.pixels)
    assert (table["responds to"] == NONE).all()


@pytest.mark.parametrize(
    ("trained", "untrained", "rotated", "expected"),
    [
        (5, 5, 4, ["untrained"]),
        (5, 4, 6, ["rotated"]),
        (5, 9, 5, ["untrained", "rotated"]),
        (5, 4, 4, []),
        (0, 3, 3, []),
        (2, None, 2, ["rotated"]),
    ],
)
def test_controls_with_as_many_detectors_are_named(
    trained: int, untrained: int | None, rotated: int, expected: list[str]
) -> None:
    counts = {"trained": trained, "untrained": untrained, "rotated": rotated}
    known = {name: count for name, count in counts.items() if count is not None}
    table = pd.DataFrame({"detectors": list(known.values())}, index=list(known))
    assert as_many(table) == expected
