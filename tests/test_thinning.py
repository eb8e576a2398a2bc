"""Skeletons, held against scikit-image's one by one and against shapes with known ends."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage
from skimage import morphology

from core.data.concepts.thinning import Skeletons, skeletons, thin
from core.data.strokes import draw

EIGHT = np.ones((3, 3), bool)


def blobs(n: int, height: int = 40, width: int = 33) -> np.ndarray:
    noise = np.random.default_rng(5).random((n, height, width))
    return np.stack([ndimage.gaussian_filter(one, 1.5) for one in noise]) > 0.5


def by_scikit_image(binary: np.ndarray) -> np.ndarray:
    return np.stack([morphology.thin(one) for one in binary])


def strokes(*bars: tuple[slice, slice]) -> np.ndarray:
    """One image (1, 60, 50) of rectangles, taller than broad so that axes can't be swapped."""
    image = np.zeros((1, 60, 50), bool)
    for rows, columns in bars:
        image[0, rows, columns] = True
    return image


def several(flags: np.ndarray) -> int:
    """Pieces of pixels, near ones joined."""
    return int(ndimage.label(ndimage.binary_dilation(flags, EIGHT, 2), EIGHT)[1])


def ends_and_junctions(found: Skeletons) -> tuple[int, int]:
    return several(found.ends[0]), several(found.junctions[0])


@pytest.mark.parametrize("n", [1, 2, 63, 64, 65, 150])
def test_thin_is_that_of_scikit_image_bit_for_bit(n: int) -> None:
    binary = blobs(n)
    np.testing.assert_array_equal(thin(binary), by_scikit_image(binary))


def test_thin_of_drawn_digits_is_that_of_scikit_image() -> None:
    binary = draw(np.arange(130) % 10, seed=2).images > 0.5
    enlarged = binary.repeat(4, axis=1).repeat(4, axis=2)
    np.testing.assert_array_equal(thin(enlarged), by_scikit_image(enlarged))


@pytest.mark.parametrize("density", [0.02, 0.5, 0.9])
def test_thin_of_noise_up_to_the_border_is_that_of_scikit_image(density: float) -> None:
    binary = np.random.default_rng(1).random((70, 12, 17)) < density
    np.testing.assert_array_equal(thin(binary), by_scikit_image(binary))


@pytest.mark.parametrize("ink", [False, True])
def test_images_that_are_all_background_or_all_ink(ink: bool) -> None:
    binary = np.full((3, 20, 15), ink)
    np.testing.assert_array_equal(thin(binary), by_scikit_image(binary))
    found = skeletons(binary, 1)
    assert found.lines.any() == ink
    assert not found.junctions.any()


def test_an_image_has_the_same_skeleton_alone_and_among_others() -> None:
    binary = blobs(100)
    every = skeletons(binary, 4)
    for index in (0, 63, 64, 99):
        alone = skeletons(binary[index : index + 1], 4)
        for name in ("whole", "lines", "ends", "junctions"):
            np.testing.assert_array_equal(getattr(alone, name)[0], getattr(every, name)[index])


def test_a_skeleton_is_its_own_skeleton() -> None:
    binary = blobs(70)
    whole = thin(binary)
    np.testing.assert_array_equal(thin(whole), whole)
    np.testing.assert_array_equal(skeletons(whole, 5).lines, skeletons(binary, 5).lines)


def test_lines_are_a_part_of_the_whole_as_ends_and_junctions_are_of_the_lines() -> None:
    found = skeletons(blobs(80), 3)
    assert not (found.lines & ~found.whole).any()
    assert not ((found.ends | found.junctions) & ~found.lines).any()
    assert not (found.ends & found.junctions).any()


def test_without_spurs_to_prune_the_lines_are_the_whole() -> None:
    found = skeletons(blobs(20), 0)
    np.testing.assert_array_equal(found.lines, found.whole)


def test_images_are_taken_by_index() -> None:
    found = skeletons(blobs(5), 3)
    np.testing.assert_array_equal(found[np.array([3, 1])].ends, found.ends[[3, 1]])


@pytest.mark.parametrize(("spur", "stays"), [(2, True), (4, True), (8, False), (12, False)])
def test_a_spur_of_six_pixels_goes_when_longer_ones_may(spur: int, stays: bool) -> None:
    line = strokes((slice(5, 55), slice(25, 26)), (slice(30, 31), slice(26, 32)))
    found = skeletons(line, spur)
    assert found.lines[0, 30, 28:32].any() == stays
    assert ends_and_junctions(found) == ((3, 1) if stays else (2, 0))
    assert found.lines[0, [5, 20, 40, 54], 25].all()  # the line itself keeps its length


def test_a_line_keeps_its_ends_where_they_are() -> None:
    found = skeletons(strokes((slice(7, 50), slice(20, 21))), 10)
    np.testing.assert_array_equal(np.argwhere(found.ends[0]), [[7, 20], [49, 20]])


def test_a_t_has_three_ends_and_one_junction() -> None:
    t = strokes((slice(10, 15), slice(5, 45)), (slice(10, 55), slice(23, 28)))
    found = skeletons(t, 6)
    assert ends_and_junctions(found) == (3, 1)
    (junction,) = ndimage.center_of_mass(found.junctions[0], found.junctions[0], [1])
    assert abs(np.array(junction) - (12, 25)).max() < 3


@pytest.mark.parametrize("centre", [29, 29.5], ids=["odd", "even"])
def test_an_x_has_four_ends_and_one_junction(centre: float) -> None:
    y, x = np.mgrid[:60, :60]
    ink = (abs(x - y) <= 2) | (abs(x + y - 2 * centre) <= 2)
    found = skeletons((ink & (abs(y - centre) < 20))[None], 6)
    assert ends_and_junctions(found) == (4, 1)


def test_a_piece_shorter_than_two_spurs_has_no_lines() -> None:
    dash = strokes((slice(20, 21), slice(10, 20)))
    assert skeletons(dash, 4).lines.sum() == 10
    assert not skeletons(dash, 5).lines.any()


def test_a_seven_has_two_ends_and_no_junction() -> None:
    seven = strokes((slice(8, 13), slice(8, 40)), (slice(8, 55), slice(35, 40)))
    found = skeletons(seven, 6)
    assert ends_and_junctions(found) == (2, 0)
    top_left, foot = np.argwhere(found.ends[0])
    assert abs(top_left - (10, 8)).max() <= 3
    assert abs(foot - (54, 37)).max() <= 3


def test_a_ring_has_neither_ends_nor_junctions() -> None:
    y, x = np.mgrid[:60, :50]
    far = np.hypot(y - 30, x - 24)
    found = skeletons(((far > 14) & (far < 20))[None], 8)
    assert ends_and_junctions(found) == (0, 0)
    assert found.lines.sum() == pytest.approx(2 * np.pi * 17, rel=0.15)


def test_a_dot_is_one_pixel_without_ends() -> None:
    dot = np.zeros((1, 9, 9), bool)
    dot[0, 4, 4] = True
    found = skeletons(dot, 3)
    np.testing.assert_array_equal(found.whole, dot)
    assert ends_and_junctions(found) == (0, 0)
