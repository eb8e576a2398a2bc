"""Concepts of digits: what `measure` gives, parts that are known, and rules that find them."""

from __future__ import annotations

import threading
from functools import cache

import numpy as np
import pytest
from scipy import ndimage
from skimage.morphology import reconstruction

from core.data import load
from core.data.concepts import CONCEPTS, Measured, measure
from core.data.concepts.anatomy import Anatomy
from core.data.concepts.by_eye import LABELLED, ROLES, Agreement, agreement, labels
from core.data.concepts.rules import RULES, Found, _filled
from core.data.strokes import OPTIONAL, Rendered, draw, generate

N = 300  # digits for each rule
NAMED = (
    *("crossed-7", "hooked-7", "looped-2", "closed-4", "serifed-1", "based-1", "slashed-0"),
    *("ink", "hole", "endpoint", "junction", "corner", "orientation-0", "orientation-157"),
    *("top", "centre", "border", "heavy", "thin", "slanted-right", "upright", "wide", "tall"),
    *("no-hole", "one-hole", "two-holes", "broken", "class-0", "class-7", "even", "five-or-more"),
)


@pytest.fixture(scope="module")
def digits() -> Rendered:
    return generate(60, seed=9)


@pytest.fixture(scope="module")
def measured(digits: Rendered) -> Measured:
    return measure(digits.images, digits.labels)


def test_concepts_are_named_for_what_they_are() -> None:
    assert set(NAMED) <= set(CONCEPTS)
    assert all(name == concept.name for name, concept in CONCEPTS.items())
    assert CONCEPTS["crossed-7"].text == "crossed 7"
    assert len({concept.about for concept in CONCEPTS.values()}) == len(CONCEPTS)


def test_every_optional_part_is_one_concept() -> None:
    parts = [concept.part for concept in CONCEPTS.values() if concept.part]
    assert set(OPTIONAL) <= set(parts)
    assert len(parts) == len(set(parts))


def test_what_is_measured_has_a_way_to_be_found() -> None:
    for concept in CONCEPTS.values():
        assert concept.generated == (concept.find is None), concept.name
        assert concept.exactness in ("pixels", "skeleton", "rule")


def test_shapes_and_ranges(measured: Measured) -> None:
    every = tuple(name for name, of in CONCEPTS.items() if not of.generated)
    assert measured.names == every
    assert len(measured) == 60
    assert measured.scores.shape == (60, len(every))
    assert measured.scores.dtype == np.float32
    assert measured.scores.min() >= 0
    assert measured.scores.max() <= 1
    assert measured.masks.shape == (60, len(every), 28, 28)
    np.testing.assert_array_equal(measured.present(), measured.scores >= 0.5)


def test_masks_are_where_concepts_are_placed_only(measured: Measured) -> None:
    for column, name in enumerate(measured.names):
        masks = measured.masks[:, column]
        if not CONCEPTS[name].placed:
            assert not masks.any(), name
        elif CONCEPTS[name].category in ("part", "stroke"):  # nowhere where it isn't present
            np.testing.assert_array_equal(
                masks.any((1, 2)) & ~measured.present()[:, column], False, err_msg=name
            )


def test_masks_come_back_as_they_were_packed(measured: Measured, digits: Rendered) -> None:
    anatomy = Anatomy(digits.images)
    ink = measured.masks[:, measured.names.index("ink")]
    np.testing.assert_array_equal(ink, anatomy.ink)
    at = measured.placed.index("ink")
    np.testing.assert_array_equal(measured.placed_masks()[:, at], ink)
    np.testing.assert_array_equal(measured.placed_masks(slice(5, 9))[:, at], ink[5:9])
    assert measured.packed.shape == (60, len(measured.placed), 98)


def test_places_are_rows_and_columns(measured: Measured) -> None:
    masks = {name: measured.masks[0, measured.names.index(name)] for name in measured.placed}
    top, left = masks["top"], masks["left"]
    assert top[0].all()
    assert not top[9:].any()
    np.testing.assert_array_equal(left, top.T)
    np.testing.assert_array_equal(sum(masks[name] * 1 for name in ("top", "middle", "bottom")), 1)
    columns = ("left", "middle-columns", "right")
    np.testing.assert_array_equal(sum(masks[name] * 1 for name in columns), 1)
    assert masks["centre"].sum() == 64
    assert masks["border"].sum() == 28 * 28 - 20 * 20


def test_classes_are_the_labels(measured: Measured, digits: Rendered) -> None:
    for digit in range(10):
        is_it = measured.only([f"class-{digit}"]).present()[:, 0]
        np.testing.assert_array_equal(is_it, digits.labels == digit)
    even = measured.only(["even"]).present()[:, 0]
    np.testing.assert_array_equal(even, digits.labels % 2 == 0)


def test_holes_are_exclusive_and_sizes_are_ordered(measured: Measured, digits: Rendered) -> None:
    assert (measured.only(["no-hole", "one-hole", "two-holes"]).scores.sum(1) == 1).all()
    area, heavy = Anatomy(digits.images).area, measured.only(["heavy", "light"]).scores
    np.testing.assert_array_equal(heavy[:, 0] >= 0.5, area >= 124)
    np.testing.assert_array_equal(heavy[:, 1] >= 0.5, area <= 77)


def test_a_level_bar_has_orientation_0_and_an_upright_one_90() -> None:
    bars = np.zeros((2, 28, 28), np.float32)
    bars[0, 13:16, 5:23] = bars[1, 5:23, 13:16] = 1
    found = measure(bars, [1, 1], ["orientation-0", "orientation-90"])
    np.testing.assert_array_equal(found.present(), [[True, False], [False, True]])


def test_only_and_take_pick_concepts_and_digits(measured: Measured) -> None:
    names = ("class-7", "hole", "heavy", "crossed-7")
    some = measured.only(names).take(np.array([8, 3]))
    assert some.names == names
    assert some.placed == ("hole", "crossed-7")
    columns = [measured.names.index(name) for name in names]
    np.testing.assert_array_equal(some.scores, measured.scores[[8, 3]][:, columns])
    np.testing.assert_array_equal(some.masks, measured.masks[[8, 3]][:, columns])
    assert len(measured.take(slice(5))) == 5
    with pytest.raises(ValueError, match="`hole` is no concept: choose one of ink"):
        measured.only(["ink"]).only(["hole"])


def test_names_choose_what_is_measured(measured: Measured, digits: Rendered) -> None:
    names = ["hooked-7", "thick", "corner"]
    alone, among = measure(digits.images, digits.labels, names), measured.only(names)
    np.testing.assert_array_equal(alone.scores, among.scores)
    np.testing.assert_array_equal(alone.packed, among.packed)
    twice = measure(digits.images, digits.labels, ["thick", "corner", "corner"])
    np.testing.assert_array_equal(twice.scores, among.scores[:, [1, 2, 2]])
    nothing = measure(digits.images, digits.labels, ["even"])
    assert nothing.packed.shape == (60, 0, 98)
    assert not nothing.masks.any()


def test_a_digit_measures_the_same_alone_and_among_many() -> None:
    many = generate(300, seed=12)
    every = measure(many.images, many.labels)
    again = measure(many.images, many.labels)
    np.testing.assert_array_equal(again.scores, every.scores)
    np.testing.assert_array_equal(again.packed, every.packed)
    for index in (0, 64, 192, 299):
        alone = measure(many.images[index, None], many.labels[index, None])
        np.testing.assert_array_equal(alone.scores[0], every.scores[index])
        np.testing.assert_array_equal(alone.packed[0], every.packed[index])


def test_images_may_have_a_channel_axis(digits: Rendered, measured: Measured) -> None:
    found = measure(digits.images[:5, None], digits.labels[:5].tolist())
    np.testing.assert_array_equal(found.scores, measured.scores[:5])


def test_parts_of_generated_digits_are_taken_as_known() -> None:
    drawn = generate(250, seed=3)
    found = measure(drawn.images, drawn.labels, parts=drawn.parts)
    assert found.names == tuple(CONCEPTS)
    for column, name in enumerate(found.names):
        part = CONCEPTS[name].part
        if part is not None:
            np.testing.assert_array_equal(found.present()[:, column], drawn.parts.has(part))
            np.testing.assert_array_equal(found.masks[:, column], drawn.parts.masks(part))


def test_progress_rises_to_one(digits: Rendered) -> None:
    seen: list[float] = []
    images, classes = np.repeat(digits.images, 15, axis=0), np.repeat(digits.labels, 15)
    measure(images, classes, ["ink"], on_progress=seen.append)
    assert len(seen) > 2
    assert seen == sorted(set(seen))
    assert seen[-1] == 1.0
    assert seen[0] > 0


def test_stopping_from_on_progress_leaves_no_thread(digits: Rendered) -> None:
    def stop(share: float) -> None:
        raise InterruptedError(f"stopped at {share}")

    before = threading.active_count()
    images, classes = np.repeat(digits.images, 20, axis=0), np.repeat(digits.labels, 20)
    with pytest.raises(InterruptedError):
        measure(images, classes, ["ink"], on_progress=stop)
    assert threading.active_count() <= before


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["crossed-9"], "`crossed-9` is no concept: choose one of crossed-7"),
        ("ink", r"names is the text `ink`: give a list, such as \['ink'\]"),
        (["slashed-0"], "`slashed-0` is known of generated digits only: choose one of"),
    ],
)
def test_wrong_names_raise(digits: Rendered, names: list[str] | str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        measure(digits.images, digits.labels, names)


def test_wrong_lengths_and_shapes_raise(digits: Rendered) -> None:
    with pytest.raises(ValueError, match="there are 3 images and 2 labels: give one each"):
        measure(digits.images[:3], digits.labels[:2])
    with pytest.raises(ValueError, match="there are 0 images and 0 labels"):
        measure(digits.images[:0], digits.labels[:0])
    with pytest.raises(ValueError, match="3 images and parts of 60: give the same digits' parts"):
        measure(digits.images[:3], digits.labels[:3], parts=digits.parts)
    with pytest.raises(ValueError, match="images have shape"):
        measure(digits.images[:3, :, :20], digits.labels[:3])


@pytest.mark.filterwarnings("error")
def test_blank_full_and_noisy_images_have_scores_in_range() -> None:
    noise = np.random.default_rng(0).random((40, 28, 28))
    level = np.zeros((1, 28, 28))
    level[0, 20] = 1
    images = np.concatenate([np.zeros((1, 28, 28)), np.ones((1, 28, 28)), noise, level])
    images[20:42] *= images[20:42] > 0.95
    for digit in (0, 1, 2, 4, 7):
        found = measure(images, np.full(len(images), digit))
        assert found.scores.min() >= 0
        assert found.scores.max() <= 1
        parts = found.only([name for name in found.names if CONCEPTS[name].category == "part"])
        assert not parts.present()[0].any()


@cache
def twins(label: int, part: str) -> tuple[Rendered, Rendered]:
    """The same digits with the part and without."""
    chosen = [label] * N
    first, second = (draw(chosen, seed=21, with_parts={part: on}) for on in (True, False))
    return first, second


@cache
def found_in_twins(label: int, part: str) -> tuple[Found, Found]:
    first, second = (RULES[part](Anatomy(drawn.images)) for drawn in twins(label, part))
    return first, second


def present_in_twins(label: int, part: str) -> tuple[np.ndarray, np.ndarray]:
    first, second = (found.scores >= 0.5 for found in found_in_twins(label, part))
    return first, second


def precision_and_recall(there: np.ndarray, absent: np.ndarray) -> tuple[float, float]:
    return there.sum() / max(there.sum() + absent.sum(), 1), float(there.mean())


def sticks_out(with_bar: np.ndarray, without: np.ndarray) -> bool:
    """Whether a bar adds two pieces of ink, of four pixels at least: one on each side."""
    added = (with_bar - without).clip(0)
    pieces, count = ndimage.label(added > 0.25, np.ones((3, 3)))
    sizes = sorted(ndimage.sum(added, pieces, range(1, count + 1)))
    return count >= 2 and sizes[-2] >= 4


def test_crossbars_that_stick_out_of_drawn_sevens_are_found() -> None:
    crossed, plain = twins(7, "crossbar")
    seen = np.array([sticks_out(*pair) for pair in zip(crossed.images, plain.images, strict=True)])
    assert seen.mean() > 0.6
    there, absent = present_in_twins(7, "crossbar")
    precision, recall = precision_and_recall(there[seen], absent)
    assert precision >= 0.95
    assert recall >= 0.93
    assert precision_and_recall(there, absent)[1] > 0.8  # short bars too


def test_loops_with_a_hole_are_found_in_drawn_twos() -> None:
    looped, plain = twins(2, "loop")
    open_ = Anatomy(looped.images).holes > Anatomy(plain.images).holes
    assert open_.mean() > 0.3
    there, absent = present_in_twins(2, "loop")
    precision, recall = precision_and_recall(there[open_], absent)
    assert precision >= 0.9
    assert recall >= 0.95


@pytest.mark.parametrize(
    ("label", "part", "precise", "recalled"),
    [
        (4, "closing", 0.9, 0.95),
        (7, "hook", 0.8, 0.65),
        (1, "base", 0.95, 0.95),
        (1, "serif", 0.8, 0.7),
    ],
)
def test_other_parts_of_drawn_digits(
    label: int, part: str, precise: float, recalled: float
) -> None:
    precision, recall = precision_and_recall(*present_in_twins(label, part))
    assert precision >= precise
    assert recall >= recalled


@pytest.mark.parametrize(("label", "part"), [(7, "crossbar"), (7, "hook"), (2, "loop")])
def test_masks_of_rules_lie_on_the_part_that_was_drawn(label: int, part: str) -> None:
    found, truth = found_in_twins(label, part)[0], twins(label, part)[0].parts.masks(part)
    mine = found.scores >= 0.5
    either = (found.masks | truth)[mine].sum((1, 2))
    overlap = (found.masks & truth)[mine].sum((1, 2)) / np.maximum(either, 1)
    turned = (found.masks.transpose(0, 2, 1) & truth)[mine].sum((1, 2)) / np.maximum(either, 1)
    assert overlap.mean() > 0.4
    assert overlap.mean() > 2 * turned.mean()


@pytest.mark.parametrize("part", RULES)
def test_rules_say_nothing_of_a_blank_image_and_mark_only_what_they_find(part: str) -> None:
    images = np.concatenate([np.zeros((1, 28, 28)), draw([7, 2, 4, 1] * 10, seed=2).images])
    found = RULES[part](Anatomy(images))
    assert found.scores[0] < 0.5
    assert not found.masks[found.scores < 0.5].any()
    assert found.masks.shape == (41, 28, 28)


@pytest.mark.filterwarnings("ignore:Setting the shape:DeprecationWarning")  # of scikit-image
def test_basins_are_filled_as_scikit_image_does() -> None:
    spiral = np.zeros((1, 28, 28))
    for radius in np.linspace(0, 12, 600):
        y, x = 14 + radius * np.sin(2 * radius), 14 + radius * np.cos(2 * radius)
        spiral[0, int(y), int(x)] = 0.5 + radius / 24
    noise = np.random.default_rng(4).random((3, 28, 28))
    images = np.concatenate([spiral, noise, draw([4, 2, 8], seed=3).images])
    for image, filled in zip(images, _filled(images), strict=True):
        seed = image.copy()
        seed[1:-1, 1:-1] = image.max()
        np.testing.assert_array_equal(filled, reconstruction(seed, image, method="erosion"))


@pytest.mark.parametrize("name", LABELLED)
def test_labels_by_eye_are_disjoint_indices(name: str) -> None:
    kinds = {role: labels(name, role) for role in ROLES}
    for label in kinds.values():
        both = np.concatenate([label.present, label.absent])
        assert len(np.unique(both)) == len(both)
        assert both.min() >= 0
        assert both.max() < 60_000
        assert len(label.present) >= 80
        assert 0 <= label.doubtful < len(both) / 4
    fit, judge = (np.concatenate([kinds[role].present, kinds[role].absent]) for role in ROLES)
    assert not np.intersect1d(fit, judge).size


def test_labels_that_were_not_made_raise() -> None:
    with pytest.raises(ValueError, match="`closed-4` for `fit` was not labelled: choose one of"):
        labels("closed-4", "fit")
    with pytest.raises(ValueError, match="`crossed-7` for `test` was not labelled"):
        labels("crossed-7", "test")


def test_precision_and_recall_by_hand() -> None:
    counts = Agreement(hits=6, false=2, missed=3, none=9)
    assert counts.precision == 0.75
    assert counts.recall == pytest.approx(2 / 3)
    assert np.isnan(Agreement(hits=0, false=0, missed=3, none=9).precision)


@pytest.mark.mnist
@pytest.mark.parametrize("name", LABELLED)
def test_labels_by_eye_are_of_the_right_class(name: str) -> None:
    classes = load("mnist", "train").labels.numpy()
    for role in ROLES:
        of = labels(name, role)
        assert (classes[np.concatenate([of.present, of.absent])] == LABELLED[name][0]).all()


@pytest.mark.mnist
@pytest.mark.parametrize(
    ("name", "least"), [("crossed-7", 0.95), ("hooked-7", 0.9), ("looped-2", 0.95)]
)
def test_rules_agree_with_the_eye_on_digits_they_were_not_fitted_to(
    name: str, least: float
) -> None:
    found = agreement(name, load("mnist", "train").images.numpy())
    of = labels(name, "judge")
    assert found.hits + found.missed == len(of.present)
    assert found.false + found.none == len(of.absent)
    assert found.precision >= least
    assert found.recall >= least
