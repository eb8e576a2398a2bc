"""Pasted and erased crossbars, held against generated sevens whose bars are known exactly."""

from __future__ import annotations

import numpy as np
import pytest

from core.data.concepts.crossbars import Bars, erase, paste
from core.data.strokes import Rendered, draw

N = 40


def sevens(crossed: bool) -> Rendered:
    return draw([7] * N, seed=11, with_parts={"crossbar": crossed, "hook": False})


@pytest.fixture(scope="module")
def plain() -> np.ndarray:
    return sevens(False).images


@pytest.fixture(scope="module")
def crossed() -> Rendered:
    return sevens(True)


@pytest.fixture(scope="module")
def pasted(plain: np.ndarray) -> Bars:
    return paste(plain, seed=3)


@pytest.fixture(scope="module")
def erased(crossed: Rendered) -> Bars:
    return erase(crossed.images)


def upright(bar: str = "") -> np.ndarray:
    """A seven by hand: rows 4..23, a stem in columns 15..17, perhaps with a bar in rows 13..14."""
    image = np.zeros((1, 28, 28), np.float32)
    image[0, 4:6, 7:18] = 1
    image[0, 4:24, 15:18] = 1
    if "left" in bar:
        image[0, 13:15, 10:15] = 1
    if "right" in bar:
        image[0, 13:15, 18:23] = 1
    return image


def test_erase_gives_back_a_seven_drawn_by_hand_pixel_by_pixel() -> None:
    bars = erase(upright("left right"))
    assert bars.edited.all()
    np.testing.assert_array_equal(bars.images, upright())
    np.testing.assert_array_equal(bars.masks, upright("left right") != upright())


@pytest.mark.parametrize("bar", ["left", "right", ""])
def test_an_arm_on_one_side_is_no_crossbar(bar: str) -> None:
    bars = erase(upright(bar))
    assert not bars.edited.any()
    np.testing.assert_array_equal(bars.images, upright(bar))


def test_a_pasted_bar_is_wider_than_high_crosses_the_stem_and_lies_in_the_middle() -> None:
    bars = paste(np.repeat(upright(), N, axis=0), seed=5)
    assert bars.edited.all()
    for mask in bars.masks:
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        assert np.ptp(columns) > np.ptp(rows)
        assert columns[0] <= 13
        assert columns[-1] >= 19
        assert 10 <= rows.mean() <= 19
    assert not np.array_equal(bars.masks[0], bars.masks[1])  # each seven has its own bar


@pytest.mark.parametrize("edit", ["pasted", "erased"])
def test_outside_its_mask_an_image_stays_bit_by_bit(
    edit: str, plain: np.ndarray, crossed: Rendered, request: pytest.FixtureRequest
) -> None:
    bars, before = request.getfixturevalue(edit), plain if edit == "pasted" else crossed.images
    assert bars.images.dtype == np.float32
    assert bars.images.shape == bars.masks.shape == before.shape
    np.testing.assert_array_equal(bars.images[~bars.masks], before[~bars.masks])
    np.testing.assert_array_equal(bars.masks, bars.images != before)
    np.testing.assert_array_equal(bars.masks.any(axis=(1, 2)), bars.edited)
    assert bars.images.min() >= 0
    assert bars.images.max() <= 1
    assert len(bars) == N


def test_most_generated_sevens_can_be_edited(pasted: Bars, erased: Bars) -> None:
    assert pasted.edited.mean() > 0.7
    assert erased.edited.mean() > 0.6


def test_paste_adds_ink_and_erase_takes_it_away(
    pasted: Bars, erased: Bars, plain: np.ndarray, crossed: Rendered
) -> None:
    assert (pasted.images[pasted.masks] > plain[pasted.masks]).all()
    assert (erased.images[erased.masks] < crossed.images[erased.masks]).all()


def test_erase_takes_away_the_drawn_bar_and_little_else(erased: Bars, crossed: Rendered) -> None:
    bare = sevens(False).images
    at = erased.edited
    bar, left = (np.abs(i[at] - bare[at]).sum() for i in (crossed.images, erased.images))
    assert left < 0.25 * bar


def test_paste_then_erase_gives_nearly_the_seven_as_it_was(pasted: Bars, plain: np.ndarray) -> None:
    back = erase(pasted.images)
    both = pasted.edited & back.edited
    assert both.sum() > 0.8 * pasted.edited.sum()
    mask = pasted.masks & both[:, None, None]
    assert (
        np.abs(back.images - plain)[mask].mean() < 0.12 * np.abs(pasted.images - plain)[mask].mean()
    )


def test_the_same_seed_gives_the_same_bits_whatever_else_is_in_the_batch(
    plain: np.ndarray, pasted: Bars
) -> None:
    np.testing.assert_array_equal(paste(plain[:3], seed=3).images, pasted.images[:3])
    assert not np.array_equal(paste(plain[:3], seed=4).images, pasted.images[:3])


def test_the_images_given_stay_as_they_were(plain: np.ndarray) -> None:
    given = plain[:3].copy()
    paste(given)
    erase(given)
    np.testing.assert_array_equal(given, plain[:3])


def test_a_crossed_seven_is_not_crossed_twice() -> None:
    assert not paste(upright("left right")).edited.any()


@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("edit", [paste, erase])
def test_a_constant_image_stays(edit: object, level: float) -> None:
    image = np.full((2, 28, 28), level, np.float32)
    bars = edit(image)  # type: ignore[operator]
    assert not bars.edited.any()
    assert not bars.masks.any()
    np.testing.assert_array_equal(bars.images, image)


@pytest.mark.parametrize("edit", [paste, erase])
def test_noise_and_no_images_at_all_do_not_raise(edit: object) -> None:
    noise = np.random.default_rng(0).random((20, 28, 28)) ** 3
    assert len(edit(noise)) == 20  # type: ignore[operator]
    assert len(edit(np.zeros((0, 28, 28)))) == 0  # type: ignore[operator]


@pytest.mark.parametrize("edit", [paste, erase])
@pytest.mark.parametrize("shape", [(28, 28), (2, 1, 28, 28), (2, 28, 27)])
def test_another_shape_raises(edit: object, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"shape .* valid is \(n, 28, 28\); drop"):
        edit(np.zeros(shape))  # type: ignore[operator]


@pytest.mark.parametrize("value", [-0.5, 255.0, np.nan])
def test_values_out_of_range_raise(value: float) -> None:
    with pytest.raises(ValueError, match=r"valid is 0 to 1; divide"):
        paste(np.full((1, 28, 28), value))
