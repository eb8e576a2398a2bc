"""Measures of digits, held against shapes whose measures are known, and published values."""

from __future__ import annotations

import numpy as np
import pytest

from core.data import load
from core.data.concepts.anatomy import Anatomy, blocks, orientations, spots
from core.data.strokes import draw

ANGLES = np.radians(np.arange(0, 180, 11))
MEASURES = ("area", "slant", "width", "height", "thickness", "length")
COUNTS = ("components", "holes", "ends", "junctions", "corners")
SIDES = np.mgrid[:28, :28] + 0.5  # rows and columns of the pixels' middles


def stroke(*points: tuple[float, float], thick: float = 3.0) -> np.ndarray:
    """A polygon through `points` (row, column), a round pen's, edges fading over a pixel."""
    places = np.moveaxis(SIDES, 0, 2)
    nearest = np.full((28, 28), np.inf)
    for start, stop in zip(np.array(points[:-1]), np.array(points[1:]), strict=True):
        way = stop - start
        share = ((places - start) @ way / max(way @ way, 1e-9)).clip(0, 1)
        far = np.hypot(*np.moveaxis(places - start - share[..., None] * way, 2, 0))
        nearest = np.minimum(nearest, far)
    return np.clip(thick / 2 - nearest + 0.5, 0, 1)


def bar(angle: float, *, thick: float = 3.0, length: float = 14.0) -> np.ndarray:
    """A bar through the middle, `angle` counterclockwise from the horizontal."""
    y, x = -np.sin(angle) * length / 2, np.cos(angle) * length / 2
    return stroke((14 - y, 14 - x), (14 + y, 14 + x), thick=thick)


def ring(row: float, column: float, radius: float, thick: float = 2.0) -> np.ndarray:
    far = abs(np.hypot(SIDES[0] - row, SIDES[1] - column) - radius)
    return np.clip(thick / 2 - far + 0.5, 0, 1)


def disk(row: float, column: float, radius: float) -> np.ndarray:
    return np.clip(radius - np.hypot(SIDES[0] - row, SIDES[1] - column) + 0.5, 0, 1)


def of(*images: np.ndarray) -> Anatomy:
    return Anatomy(np.stack(images))


def sheared(slope: float) -> np.ndarray:
    """A bar a pixel wide in rows 5..22 whose columns move `slope` to the right per row upwards."""
    image = np.zeros((28, 28))
    for row in range(5, 23):
        column = 14 + slope * (13.5 - row)
        whole = int(np.floor(column))
        image[row, whole], image[row, whole + 1] = 1 - (column - whole), column - whole
    return image


def apart(angles: np.ndarray, truth: float) -> np.ndarray:
    """How far angles are from `truth`, modulo half a turn, in degrees."""
    return np.degrees(abs((angles - truth + np.pi / 2) % np.pi - np.pi / 2))


@pytest.mark.parametrize(
    ("image", "pieces", "holes"),
    [
        (disk(14, 14, 7), 1, 0),
        (ring(14, 13, 6), 1, 1),
        (np.maximum(ring(9, 14, 4), ring(18, 14, 5)), 1, 2),
        (np.maximum(disk(7, 8, 3), disk(20, 19, 3)), 2, 0),
        (np.maximum(ring(8, 8, 4), disk(20, 19, 3)), 2, 1),
        (np.maximum(ring(14, 14, 9), disk(14, 14, 2)), 2, 1),
    ],
    ids=["disk", "ring", "8", "two disks", "ring and disk", "disk in a ring"],
)
def test_pieces_and_holes(image: np.ndarray, pieces: int, holes: int) -> None:
    anatomy = of(image, np.zeros((28, 28)), image.T)
    np.testing.assert_array_equal(anatomy.components, [pieces, 0, pieces])
    np.testing.assert_array_equal(anatomy.holes, [holes, 0, holes])


def test_where_a_hole_is_and_how_large() -> None:
    image = np.maximum(ring(8, 10, 4), ring(19, 16, 5.5))
    upper, lower = of(image).hole_boxes[0]
    assert upper[1] == pytest.approx(np.pi * 3**2, rel=0.08)
    assert lower[1] == pytest.approx(np.pi * 4.5**2, rel=0.08)
    assert upper[2] == pytest.approx(8, abs=0.2)
    assert lower[2] == pytest.approx(19, abs=0.2)


@pytest.mark.parametrize("thick", [2.0, 2.5, 3.0, 4.0, 5.0])
def test_thickness_of_bars_at_all_angles(thick: float) -> None:
    anatomy = of(*(bar(angle, thick=thick) for angle in ANGLES))
    assert abs(anatomy.thickness - thick).max() < 0.3


def test_thickness_is_by_distances_to_the_nearest_background_pixel() -> None:
    anatomy = Anatomy(draw([0, 3, 7], seed=1).images)
    for i, lines in enumerate(anatomy.skeleton.whole):
        outside = np.argwhere(~anatomy.binary[i])
        nearest = [np.hypot(*(outside - point).T).min() for point in np.argwhere(lines)]
        assert anatomy.thickness[i] == pytest.approx(2 * np.mean(nearest) / 4)


@pytest.mark.parametrize("slant", [-0.5, -0.3, -0.1, 0.0, 0.2, 0.4, 0.5])
def test_slant_of_bars(slant: float) -> None:
    image = bar(np.pi / 2 - slant, thick=2.5, length=18)
    assert of(image).slant[0] == pytest.approx(slant, abs=0.02)


def test_slant_of_a_bar_a_pixel_wide() -> None:
    assert of(sheared(0.5)).slant[0] == pytest.approx(0.46323, abs=0.005)
    assert of(sheared(-0.5)).slant[0] == pytest.approx(-0.46323, abs=0.005)


def test_slant_is_that_of_the_moments() -> None:
    grey = Anatomy(draw([2, 5], seed=3).images).grey
    y, x = np.mgrid[:112, :112]
    for one, slant in zip(grey, Anatomy(draw([2, 5], seed=3).images).slant, strict=True):
        dy, dx = y - np.average(y, weights=one), x - np.average(x, weights=one)
        assert slant == pytest.approx(np.arctan(-(one * dx * dy).sum() / (one * dy**2).sum()))


@pytest.mark.parametrize(("tall", "broad"), [(18, 3), (12, 8), (6, 16)])
def test_width_and_height_of_rectangles(tall: int, broad: int) -> None:
    image = np.zeros((28, 28))
    image[4 : 4 + tall, 5 : 5 + broad] = 1
    anatomy = of(image)
    assert anatomy.height[0] == pytest.approx(0.98 * tall, abs=0.8)
    assert anatomy.width[0] == pytest.approx(0.98 * broad, abs=0.9)  # splines spread an edge
    assert anatomy.area[0] == pytest.approx(tall * broad, rel=0.04)


def test_width_is_measured_along_the_slanted_rows() -> None:
    upright, leaning = bar(np.pi / 2, thick=3), bar(np.pi / 2 - 0.5, thick=3)
    width = of(upright, leaning).width
    assert width[1] == pytest.approx(width[0] / np.cos(0.5), abs=0.6)  # a level cut of the bar
    assert width[1] < 5  # its box is 9 pixels broad


def test_area_and_length_of_bars() -> None:
    anatomy = of(*(bar(angle, thick=3) for angle in ANGLES))
    np.testing.assert_allclose(anatomy.area, 14 * 3 + np.pi * 1.5**2, rtol=0.03)
    assert (abs(anatomy.length - 15) < 2).all()  # the skeleton ends in the pen's round ends


@pytest.mark.parametrize("angle", ANGLES)
def test_orientation_of_bars_at_many_angles(angle: float) -> None:
    image = bar(angle)
    middle = np.hypot(SIDES[0] - 14, SIDES[1] - 14) < 4
    found, coherence = orientations(image[None])
    ink = middle & (image > 0.5)
    assert found.min() >= 0
    assert found.max() < np.pi
    assert coherence.min() >= 0
    assert coherence.max() <= 1 + 1e-9
    assert apart(found[0, ink], angle).mean() < 2
    mean = np.angle(np.exp(2j * found[0, ink]).mean()) / 2
    assert apart(mean, angle) < 2
    assert np.nanmean(apart(of(image).orientation[0], angle)) < 5


@pytest.mark.parametrize("number", range(8))
def test_each_orientation_of_eight_falls_into_its_bin(number: int) -> None:
    orientation = of(bar(number * np.pi / 8)).orientation[0]
    bins = np.round(orientation[~np.isnan(orientation)] * 8 / np.pi) % 8
    assert (bins == number).mean() > 0.8


def test_orientation_is_known_on_ink_only() -> None:
    image = bar(0.4)
    anatomy = of(image, np.zeros((28, 28)))
    assert np.isnan(anatomy.orientation[~anatomy.ink]).all()
    assert not np.isnan(anatomy.orientation[0, 14, 14])


def test_corners_junctions_and_ends_of_shapes() -> None:
    seven = stroke((5, 7), (5, 19), (23, 12), thick=2)
    t = np.maximum(stroke((5, 5), (5, 22)), stroke((5, 14), (23, 14)))
    x = np.maximum(stroke((5, 6), (22, 21)), stroke((5, 21), (22, 6)))
    shapes = of(seven, t, x, ring(14, 14, 7), bar(1.2))
    np.testing.assert_array_equal(shapes.ends, [2, 3, 4, 0, 2])
    np.testing.assert_array_equal(shapes.junctions, [0, 1, 1, 0, 0])
    np.testing.assert_array_equal(shapes.corners, [1, 0, 0, 0, 0])


@pytest.mark.parametrize(("turn", "corners"), [(20, 0), (40, 0), (60, 0), (90, 1), (120, 1)])
def test_a_corner_turns_sharply(turn: float, corners: int) -> None:
    way = np.radians(turn)
    tip = 14 + 9 * np.sin(way), 11 + 9 * np.cos(way)
    assert of(stroke((14, 2), (14, 11), tip, thick=2)).corners[0] == corners


def test_corners_are_where_they_are_by_brute_force() -> None:
    skeleton = of(stroke((5, 7), (5, 19), (23, 12), thick=2)).skeleton
    lines, stops = np.argwhere(skeleton.lines[0]), np.argwhere(skeleton.ends | skeleton.junctions)
    expected = np.zeros((112, 112), bool)
    for point in lines:
        ways = [p - point for p in lines if 10 <= np.hypot(*(p - point)) <= 14]
        sharp = ways and np.hypot(*np.mean([w / np.hypot(*w) for w in ways], axis=0)) >= 0.5
        free = all(np.hypot(*(stop[1:] - point)) > 14 for stop in stops)
        expected[tuple(point)] = bool(sharp) and free
    assert expected.any()
    found = of(stroke((5, 7), (5, 19), (23, 12), thick=2)).corner_places[0]
    np.testing.assert_array_equal(found, expected)


@pytest.mark.filterwarnings("error")
def test_a_blank_image_measures_nothing() -> None:
    anatomy = of(np.zeros((28, 28)), bar(1.0))
    for name in (*MEASURES, *COUNTS):
        assert getattr(anatomy, name)[0] == 0, name
    for name in ("binary", "ink", "hole_pieces", "corner_places", "junction_places"):
        assert not getattr(anatomy, name)[0].any(), name
    assert anatomy.hole_boxes[0] == []
    assert np.isnan(anatomy.orientation[0]).all()


@pytest.mark.filterwarnings("error")
def test_full_and_noisy_images_measure_something_finite() -> None:
    noise = np.random.default_rng(0).random((20, 28, 28))
    dots = np.where(noise > 0.97, noise, 0)
    anatomy = Anatomy(np.concatenate([np.ones((1, 28, 28)), noise, dots]))
    for name in (*MEASURES, *COUNTS):
        values = getattr(anatomy, name)
        assert np.isfinite(values).all(), name
        assert values.shape == (41,)
    assert anatomy.area[0] == 28 * 28
    assert anatomy.holes[0] == 0


def test_grey_levels_may_be_faint() -> None:
    image = bar(1.0)
    strong, faint = of(image), of(0.3 * image)  # whose splines swing over 1 and are cut there
    for name in MEASURES:
        assert getattr(faint, name)[0] == pytest.approx(getattr(strong, name)[0], rel=0.06), name


@pytest.mark.parametrize("shape", [(28, 28), (3, 28, 27), (2, 3, 28, 28), (4, 784)])
def test_other_shapes_raise(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"images have shape .*: give \(n, 28, 28\)"):
        Anatomy(np.zeros(shape))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite_raise(value: float) -> None:
    image = np.zeros((1, 28, 28))
    image[0, 3, 3] = value
    with pytest.raises(ValueError, match="aren't finite: give grey levels"):
        Anatomy(image)


def test_a_channel_axis_is_left_out() -> None:
    images = draw([3, 8], seed=1).images
    assert len(Anatomy(images[:, None])) == 2
    np.testing.assert_array_equal(Anatomy(images[:, None]).area, Anatomy(images).area)


def test_images_taken_measure_the_same() -> None:
    anatomy = Anatomy(draw(np.arange(10), seed=4).images)
    index = np.array([7, 2, 2])
    before, alone = anatomy.take(index), Anatomy(anatomy.images[index])
    for name in (*MEASURES, *COUNTS):
        np.testing.assert_array_equal(getattr(before, name), getattr(anatomy, name)[index])
        np.testing.assert_array_equal(getattr(anatomy.take(index), name), getattr(alone, name))


def test_blocks_count_their_enlarged_pixels() -> None:
    enlarged = np.random.default_rng(2).random((3, 112, 112)) < 0.4
    for share in (1 / 16, 0.25, 0.5, 1.0):
        mean = enlarged.reshape(3, 28, 4, 28, 4).mean((2, 4))
        np.testing.assert_array_equal(blocks(enlarged, share), mean >= share)


def test_spots_are_three_by_three_pixels_of_the_same_image() -> None:
    enlarged = np.zeros((3, 112, 112), bool)
    enlarged[1, 41, 82] = True
    rows = np.argwhere(spots(enlarged))
    assert len(rows) == 9
    np.testing.assert_array_equal(rows.min(0), [1, 9, 19])
    np.testing.assert_array_equal(rows.max(0), [1, 11, 21])


@pytest.mark.parametrize("label", [0, 1, 3, 7])
def test_thickness_of_drawn_digits_is_the_pens(label: int) -> None:
    drawn = draw([label] * 150, seed=5, wobble=0)
    measured = Anatomy(drawn.images).thickness
    assert np.corrcoef(measured, drawn.parts.thickness)[0, 1] > 0.97
    assert abs(measured - drawn.parts.thickness).mean() < 0.2


def test_slant_of_drawn_ones_is_the_hands() -> None:
    drawn = draw([1] * 150, seed=5, wobble=0, with_parts={"serif": False, "base": False})
    measured = Anatomy(drawn.images).slant
    assert np.corrcoef(measured, drawn.parts.slant)[0, 1] > 0.97
    assert abs(measured - drawn.parts.slant).mean() < 0.06


@pytest.mark.parametrize("label", [2, 5, 8])
def test_a_shear_adds_to_the_tangent_of_the_slant(label: int) -> None:
    left, right = (draw([label] * 60, seed=6, wobble=0, slant=s, thickness=2) for s in (-0.2, 0.3))
    added = np.tan(Anatomy(right.images).slant) - np.tan(Anatomy(left.images).slant)
    truth = np.tan(0.3) + np.tan(0.2)
    assert added.mean() == pytest.approx(truth, rel=0.1)
    assert abs(added - truth).max() < 0.2


def test_holes_of_drawn_digits() -> None:
    labels = [1, 3, 7, 6, 8]
    drawn = draw(labels * 20, seed=7, wobble=0, thickness=2, width=1, slant=0)
    holes = Anatomy(drawn.images).holes.reshape(20, 5)
    assert (holes[:, :3] == 0).all()
    assert (holes[:, 3] == 1).all()
    assert (holes[:, 4] >= 1).all()  # some forms of 8 stay open at the top
    assert (holes[:, 4] == 2).mean() > 0.6


@pytest.mark.mnist
def test_first_digit_measures_what_morpho_mnist_published() -> None:
    first = Anatomy(load("mnist", "train").images[:1].numpy())
    published = {  # value, relative difference
        "area": (107.3125, 0.01),
        "length": (50.2665, 0.1),
        "thickness": (2.46066, 0.1),
        "slant": (0.231074, 0.01),
        "width": (14.5396, 0.01),
        "height": (19.8490, 0.01),
    }
    for name, (value, near) in published.items():
        assert getattr(first, name)[0] == pytest.approx(value, rel=near), name
