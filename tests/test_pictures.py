"""Pictures: values by hand, nothing scaled or turned behind one's back."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from core.pictures import INK, PAPER, enlarged, ink, outlined, png, sheet, signed, stretched


def test_ink_is_dark_and_out_of_range_is_clipped() -> None:
    drawn = ink(np.array([[[0.0, 1.0, 2.0, -1.0]]]))
    assert drawn.shape == (1, 1, 4, 3)
    assert (drawn[0, 0, 0] == PAPER).all()
    assert (drawn[0, 0, 1:3] == INK).all()
    assert (drawn[0, 0, 3] == PAPER).all()


def test_stretching_a_blank_image_gives_paper_and_no_warning() -> None:
    drawn = stretched(np.stack([np.zeros((2, 2)), np.eye(2) / 4]))
    assert (drawn[0] == PAPER).all()
    assert (drawn[1, 0, 0] == INK).all()


def test_signed_values_have_one_scale() -> None:
    drawn = signed(np.array([[[-2.0, -1.0, 0.0, 1.0, np.nan]]]), 1.0)[0, 0]
    assert (drawn[0] == drawn[1]).all()
    assert drawn[1, 2] > drawn[1, 0], "below zero is blue"
    assert (drawn[2] == PAPER).all()
    assert drawn[3, 0] > drawn[3, 2], "above zero is red"
    assert len(set(drawn[4].tolist())) > 1
    with pytest.raises(ValueError, match="above 0"):
        signed(np.zeros((1, 2, 2)), 0.0)


def test_a_sheet_is_read_left_to_right_then_down() -> None:
    tiles = np.arange(5, dtype=np.uint8)[:, None, None, None] * np.ones((1, 2, 3, 3), np.uint8)
    picture = sheet(tiles, 3)
    assert picture.shape == (4, 9, 3)
    assert picture[0, ::3, 0].tolist() == [0, 1, 2]
    assert picture[2, ::3, 0].tolist() == [3, 4, 255]
    opened = np.asarray(Image.open(io.BytesIO(png(picture))))
    assert (opened == picture).all()


def test_an_outline_frames_rows_and_columns_in_their_places() -> None:
    blank = np.full((1, 6, 8, 3), 255, np.uint8)
    drawn = outlined(blank, [[1, 3, 2, 6]], 2)[0]
    framed = (drawn != 255).any(-1)
    rows, columns = np.flatnonzero(framed.any(1)), np.flatnonzero(framed.any(0))
    assert (rows[0], rows[-1]) == (2, 5)
    assert (columns[0], columns[-1]) == (6, 13)
    assert not framed[3:5, 7:13].any()
    assert outlined(blank, [[-3, -3, 20, 20]], 2).shape == (1, 12, 16, 3)


def test_enlarging_repeats_pixels() -> None:
    tiles = np.arange(6, dtype=np.uint8).reshape(1, 2, 3, 1).repeat(3, axis=3)
    assert enlarged(tiles, 2)[0, :, :, 0].tolist() == [
        [0, 0, 1, 1, 2, 2],
        [0, 0, 1, 1, 2, 2],
        [3, 3, 4, 4, 5, 5],
        [3, 3, 4, 4, 5, 5],
    ]
