"""The stroke renderer, held against measured moments, its own masks, and counterfactual pairs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from core.data.strokes import BOX, CENTRE, OPTIONAL, PARTS, Rendered, draw, generate, parts_of
from core.data.strokes.glyphs import GLYPHS

OWNERS = {"slash": 0, "serif": 1, "base": 1, "loop": 2, "closing": 4, "crossbar": 7, "hook": 7}
FAINT = 0.05  # the pen field of doubled strokes spreads by up to this much ink
ROWS, COLUMNS = np.mgrid[:28, :28]


@pytest.fixture(scope="module")
def many() -> Rendered:
    return generate(2000, seed=3)


def centre(image: np.ndarray) -> tuple[float, float]:
    """Row and column of the centre of mass."""
    return float((image * ROWS).sum() / image.sum()), float((image * COLUMNS).sum() / image.sum())


def slant(image: np.ndarray) -> float:
    """Slant in radians by moments, as Morpho-MNIST defines it."""
    row, column = centre(image)
    mu11 = (image * (ROWS - row) * (COLUMNS - column)).sum()
    return float(np.arctan(-mu11 / (image * (ROWS - row) ** 2).sum()))


def sides(mask: np.ndarray) -> tuple[int, int]:
    """Height and width of the box around a mask."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1


def bare_one(thickness: float, slant: float) -> Rendered:
    """A plain one: a straight bar, without serif and base."""
    off = {"serif": False, "base": False}
    return draw(np.ones(1), with_parts=off, wobble=0, thickness=thickness, slant=slant)


def test_the_measure_of_slant_on_a_sheared_bar() -> None:
    bar = np.zeros((28, 28))
    for row in range(5, 23):
        at = 13.5 - 0.5 * (row - 13.5)
        left = int(np.floor(at))
        bar[row, left], bar[row, left + 1] = 1 - (at - left), at - left
    assert slant(bar) == pytest.approx(0.46323, abs=0.005)
    assert slant(bar[::-1]) == pytest.approx(-0.46323, abs=0.005)


def test_shapes_types_and_range(many: Rendered) -> None:
    assert many.images.shape == (2000, 28, 28)
    assert many.images.dtype == np.float32
    assert many.images.min() == 0
    assert many.images.max() == 1
    assert many.labels.dtype == np.int64
    assert many.parts.codes.dtype == np.uint32
    for values in (many.parts.thickness, many.parts.slant, many.parts.width):
        assert values.dtype == np.float32
        assert values.shape == (2000,)
    assert np.array_equal(np.bincount(many.labels), np.full(10, 200))


def test_same_seed_same_bits_whatever_the_number() -> None:
    first, again, other = generate(60, seed=5), generate(25, seed=5), generate(25, seed=6)
    assert np.array_equal(first.images[:25], again.images)
    assert np.array_equal(first.labels[:25], again.labels)
    assert np.array_equal(first.parts.codes[:25], again.parts.codes)
    assert not np.array_equal(again.images, other.images)


def test_nothing_touches_the_global_random_state() -> None:
    before = np.random.get_state()[1].copy()  # type: ignore[index]
    generate(10)
    assert np.array_equal(before, np.random.get_state()[1])  # type: ignore[index]


@pytest.mark.parametrize("name", OPTIONAL)
def test_a_pair_differs_within_the_part_alone(name: str) -> None:
    labels = np.full(60, OWNERS[name])
    others = {part: False for part in OPTIONAL if OWNERS[part] == OWNERS[name] and part != name}
    plain = draw(labels, seed=2, with_parts={**others, name: False})
    drawn = draw(labels, seed=2, with_parts={**others, name: True})
    mask = drawn.parts.masks(name)
    around = ndimage.binary_dilation(mask, np.ones((1, 3, 3), bool))
    changed = drawn.images != plain.images
    assert changed.any(axis=(1, 2)).mean() > 0.9  # the rest is hidden behind a thick pen
    assert not (changed & ~around).any()
    assert (drawn.images >= plain.images).all()
    assert mask.any(axis=(1, 2)).all()
    chance = draw(labels, seed=2, with_parts=others)  # neither on nor off moves the digit
    for drawn_by_chance, same in ((True, drawn), (False, plain)):
        which = chance.parts.has(name) == drawn_by_chance
        assert np.array_equal(chance.images[which], same.images[which])
    assert not plain.parts.masks(name).any()
    for part in PARTS:
        if part != name:
            assert np.array_equal(drawn.parts.masks(part), plain.parts.masks(part))


@pytest.mark.parametrize("thickness", [1.5, 2.5, 4.0])
@pytest.mark.parametrize("angle", [-0.4, 0.0, 0.3])
def test_pen_settings_are_measured_back(thickness: float, angle: float) -> None:
    one = bare_one(thickness=thickness, slant=angle)
    image = one.images[0].astype(float)
    assert slant(image) == pytest.approx(angle, abs=0.02)
    middle = image[CENTRE - 5 : CENTRE + 5].sum(axis=1).mean()  # across the stem, along a row
    assert middle * np.cos(angle) == pytest.approx(thickness, abs=0.3)
    assert one.parts.thickness[0] == np.float32(thickness)
    assert one.parts.slant[0] == np.float32(angle)


def test_width_widens_across_not_down() -> None:
    narrow, wide = (draw(np.zeros(1), wobble=0, slant=0, width=w).images[0] for w in (0.6, 0.95))
    assert sides(narrow > 0.5)[0] >= BOX - 2
    assert sides(wide > 0.5)[0] >= BOX - 2
    assert sides(wide > 0.5)[1] > 1.2 * sides(narrow > 0.5)[1]


@pytest.mark.parametrize(
    ("name", "lies"),
    [("crossbar", True), ("base", True), ("foot", True), ("stem", False), ("hook", False)],
)
def test_bars_lie_and_stems_stand(name: str, lies: bool) -> None:
    label = {"foot": 2, "stem": 1}.get(name) or OWNERS[name]
    forced = {name: True} if name in OPTIONAL else None
    digits = draw(np.full(30, label), with_parts=forced, wobble=0, slant=0, width=1, thickness=1.5)
    for mask in digits.parts.masks(name):
        height, width = sides(mask)
        assert (width > height) == lies


def test_the_top_of_a_seven_is_above_and_its_stem_leans_right() -> None:
    seven = draw(np.full(5, 7), wobble=0, slant=0, width=1)
    for bar, stem in zip(seven.parts.masks("top-bar"), seven.parts.masks("stem"), strict=True):
        assert centre(bar)[0] < centre(stem)[0] - 3
        assert slant(stem) > 0.1


def test_centred_by_mass_in_the_box(many: Rendered) -> None:
    for image in many.images:
        row, column = centre(image)
        assert abs(row - CENTRE) <= 0.51  # whole-pixel shift, as MNIST: 14.0 +- .5
        assert abs(column - CENTRE) <= 0.51
        assert max(sides(image > FAINT)) <= BOX
    full = [max(sides(image > FAINT)) == BOX for image in many.images]
    assert np.mean(full) > 0.99  # no part that is absent takes room


def test_every_part_occurs_and_is_drawn_exactly_where_present(many: Rendered) -> None:
    for name in PARTS:
        present = many.parts.has(name)
        assert present.any(), name
        assert np.array_equal(many.parts.masks(name).any(axis=(1, 2)), present), name
        assert set(many.labels[present]) <= {d for d in range(10) if name in parts_of(d)}


def test_the_masks_cover_the_ink(many: Rendered) -> None:
    covered = many.parts.codes != 0
    assert (many.images[covered] >= 0.49).all()
    assert (covered | (many.images < 0.5)).mean() > 0.999  # crossing strokes add at their corners


def test_every_form_occurs_with_its_class(many: Rendered) -> None:
    names = {f"{label} {form.name}" for label in range(10) for form in GLYPHS[label]}
    assert set(many.parts.variant) == names
    assert all(v.startswith(f"{d} ") for v, d in zip(many.parts.variant, many.labels, strict=True))


@pytest.mark.parametrize("label", range(10))
def test_every_form_has_the_optional_parts_of_its_class(label: int) -> None:
    own = {part for part in parts_of(label) if part in OPTIONAL}
    for form in GLYPHS[label]:
        drawn = {part for stroke in form.strokes for part, _, _ in stroke.spans}
        assert own == set(form.optional) == drawn & set(OPTIONAL)
        assert all(0 < chance < 1 for chance in form.optional.values())
    assert sum(form.share for form in GLYPHS[label]) == pytest.approx(1)


def test_closing_a_four_and_looping_a_two_make_a_hole() -> None:
    for label, name in ((4, "closing"), (2, "loop")):
        share = []
        for on in (False, True):
            digits = draw(np.full(60, label), with_parts={name: on}, thickness=1.3, width=1.2)
            ink = digits.images > 0.4
            share.append(np.mean([ndimage.binary_fill_holes(i).sum() > i.sum() for i in ink]))
        assert share[0] < 0.2
        assert share[1] > 0.6


def test_taking_digits_keeps_everything_together(many: Rendered) -> None:
    index = np.array([5, 1, 7])
    few = many.parts[index]
    assert len(few) == 3
    assert few.names == PARTS
    assert np.array_equal(few.masks("stem"), many.parts.masks("stem")[index])
    assert np.array_equal(few.variant, many.parts.variant[index])
    assert np.array_equal(few.slant, many.parts.slant[index])
    assert len(many.parts.take(many.labels == 7)) == 200


@pytest.mark.parametrize(
    ("labels", "settings", "text"),
    [
        ([3, 10], {}, "label `10` is not a digit: valid are 0 to 9"),
        ([-1], {}, "label `-1` is not a digit"),
        ([2.5], {}, "label `2.5` is not a digit"),
        ([], {}, r"labels have shape \(0,\): pass n >= 1"),
        ([7], {"with_parts": {"wing": True}}, "`wing` is not a part: choose one of ring, slash"),
        ([7], {"with_parts": {"stem": False}}, "`stem` can't be switched.*choose of slash"),
        ([7, 3], {"with_parts": {"crossbar": True}}, "digit 3 has no `crossbar`.*none; leave"),
        ([1], {"with_parts": {"hook": True}}, "digit 1 has no `hook`.*serif, base"),
        ([1], {"thickness": 9.0}, "thickness is `9.0`: give a number from 1.3 to"),
        ([1], {"slant": 1.5}, "slant is `1.5`: give a number from -0.8 to 0.8"),
        ([1], {"width": float("nan")}, "width is `nan`"),
        ([1], {"wobble": -1.0}, "wobble is `-1.0`: give a number from 0.0 to"),
    ],
)
def test_wrong_orders_say_what_is_right(
    labels: list[float], settings: dict[str, Any], text: str
) -> None:
    with pytest.raises(ValueError, match=text):
        draw(np.array(labels), **settings)


def test_wrong_number_and_wrong_mask_say_what_is_right(many: Rendered) -> None:
    with pytest.raises(ValueError, match="n is `0`: give a whole number of at least 1"):
        generate(0)
    with pytest.raises(ValueError, match="`wing` is not a part: choose one of ring"):
        many.parts.masks("wing")
