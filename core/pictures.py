"""Numbers -> pictures: digits in ink, signed images around a middle, and sheets of many of them.

Ink is dark on light paper, as Bau (2016) printed it, in the light and in the dark theme: a digit
turned inside out is another picture. Signed values run from blue over white to red, on a scale that
is given, so that two pictures can be compared.
"""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from core import colours

__all__ = [
    "Bytes",
    "barred",
    "beside",
    "enlarged",
    "hatched",
    "ink",
    "outlined",
    "overlaid",
    "png",
    "sheet",
    "signed",
    "sized",
    "stretched",
]

Bytes = NDArray[np.uint8]

PAPER, INK = colours.rgb(colours.PAPER), colours.rgb(colours.INK)
_BELOW, _ABOVE = colours.rgb(colours.BELOW), colours.rgb(colours.ABOVE)
_OUTLINE = colours.rgb(colours.MARK)
_UNIT, _CONCEPT, _BOTH = (colours.rgb(of) for of in (colours.UNIT, colours.CONCEPT, colours.BOTH))
_TINT = 0.6  # of a mask's colour on its pixels
_NOTHING = colours.rgb(colours.EDGE)  # where there is no value


def ink(images: ArrayLike) -> Bytes:
    """Images in 0..1, (n, height, width), as ink on paper: (n, height, width, 3), clipped."""
    share = np.nan_to_num(np.clip(np.asarray(images, dtype=np.float64), 0, 1))[..., None]
    return _bytes(PAPER + share * (INK - PAPER))


def stretched(images: ArrayLike) -> Bytes:
    """`ink` with each image's largest value made full ink; an image without any stays blank."""
    values = np.nan_to_num(np.asarray(images, dtype=np.float64))
    most = values.max(axis=(1, 2), keepdims=True)
    return ink(np.divide(values, most, out=np.zeros_like(values), where=most > 0))


def signed(images: ArrayLike, limit: float) -> Bytes:
    """Values (n, height, width) from blue at -limit over white at 0 to red at +limit, clipped.

    What isn't a number is grey. Raises `ValueError` when `limit` isn't above 0.
    """
    if not limit > 0:
        raise ValueError(f"limit is {limit}: give the value that is full red, above 0.")
    values = np.asarray(images, dtype=np.float64)[..., None] / limit
    share = np.clip(np.nan_to_num(values), -1, 1)
    ends = np.where(share < 0, _BELOW, _ABOVE)
    return _bytes(np.where(np.isnan(values), _NOTHING, PAPER + np.abs(share) * (ends - PAPER)))


def hatched(tiles: Bytes, missing: ArrayLike) -> Bytes:
    """The tiles, with grey stripes in place of those that are `missing`, bool (n,)."""
    rows, columns = np.indices(tiles.shape[1:3])
    stripes = np.where((rows + columns) % 6 < 2, _NOTHING[:, None, None], PAPER[:, None, None])
    drawn = tiles.copy()
    drawn[np.asarray(missing, dtype=bool)] = np.moveaxis(stripes, 0, -1)
    return drawn


def enlarged(tiles: Bytes, times: int) -> Bytes:
    """Each pixel of (n, height, width, 3) as a square of `times` pixels."""
    return tiles.repeat(times, axis=1).repeat(times, axis=2)


def outlined(tiles: Bytes, boxes: ArrayLike, times: int) -> Bytes:
    """`enlarged` tiles with a frame around each box, in orange.

    boxes: (n, 4), first row, first column, last row and last column in pixels before enlarging;
    what reaches over the border is cut off.
    """
    drawn = enlarged(tiles, times)
    height, width = drawn.shape[1:3]
    edges = np.asarray(boxes) * times + np.array([0, 0, times - 1, times - 1])
    top, left, bottom, right = np.clip(edges, 0, np.array([height, width] * 2) - 1).T
    rows, columns = np.arange(height)[:, None], np.arange(width)
    for tile, t, l, b, r in zip(drawn, top, left, bottom, right, strict=True):  # noqa: E741
        inside = (rows >= t) & (rows <= b) & (columns >= l) & (columns <= r)
        inner = (rows > t) & (rows < b) & (columns > l) & (columns < r)
        tile[inside & ~inner] = _OUTLINE
    return drawn


def sized(tiles: Bytes, side: int) -> Bytes:
    """(n, height, width, 3) as squares of `side` pixels, each the nearest one's colour.

    Tiles that are no squares keep their shape within it, on paper.
    """
    height, width = tiles.shape[1:3]
    drawn = np.full((len(tiles), side, side, 3), 255, dtype=np.uint8)
    tall, wide = (max(1, side * length // max(height, width)) for length in (height, width))
    rows, columns = np.arange(tall) * height // tall, np.arange(wide) * width // wide
    top, left = (side - tall) // 2, (side - wide) // 2
    drawn[:, top : top + tall, left : left + wide] = tiles[:, rows][:, :, columns]
    return drawn


def beside(first: Bytes, second: Bytes, gap: int) -> Bytes:
    """Each of both rows of tiles, as high as the other, side by side with paper between them."""
    paper = np.full((len(first), first.shape[1], gap, 3), 255, dtype=np.uint8)
    return np.concatenate([first, paper, second], axis=2)


def barred(tiles: Bytes, values: ArrayLike, limit: float, height: int) -> Bytes:
    """The tiles with a bar below each: from its middle to the right in red for a value above 0.

    To the left in blue for one below. limit: the value of a whole side, above 0. height: of the
    bar, in pixels; as much paper again stands around it.
    """
    share = np.clip(np.asarray(values, dtype=np.float64) / limit, -1, 1)
    n, _, width = tiles.shape[:3]
    strip = np.full((n, 2 * height, width, 3), 255, dtype=np.uint8)
    middle, top = width // 2, height // 2
    strip[:, :, middle] = _bytes(_NOTHING)
    for bar, length in zip(strip, np.round(share * middle).astype(int).tolist(), strict=True):
        first, last = sorted((middle, middle + length))
        bar[top : top + height, first:last] = _bytes(_ABOVE if length > 0 else _BELOW)
    return np.concatenate([tiles, strip], axis=1)


def overlaid(images: ArrayLike, unit: ArrayLike, concept: ArrayLike, times: int) -> Bytes:
    """Images as `ink`, enlarged, pixels of the unit orange, of the concept blue, of both purple.

    images: (n, height, width) in 0..1. unit, concept: bool (n, height, width).
    """
    of_unit, of_concept = np.asarray(unit, dtype=bool), np.asarray(concept, dtype=bool)
    drawn = ink(images).astype(np.float64)
    for mask, colour in (
        (of_unit & ~of_concept, _UNIT),
        (of_concept & ~of_unit, _CONCEPT),
        (of_unit & of_concept, _BOTH),
    ):
        drawn[mask] += _TINT * (colour - drawn[mask])
    return enlarged(_bytes(drawn), times)


def sheet(tiles: Bytes, across: int) -> Bytes:
    """Tiles (n, height, width, 3) side by side, `across` a row without gaps: (rows, columns, 3)."""
    n, height, width = tiles.shape[:3]
    down = -(-n // across)
    filled = np.full((down * across, height, width, 3), 255, dtype=np.uint8)
    filled[:n] = tiles
    grid = filled.reshape(down, across, height, width, 3).swapaxes(1, 2)
    return grid.reshape(down * height, across * width, 3)


def png(picture: Bytes) -> bytes:
    """A picture (height, width, 3) as a PNG file."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG", compress_level=1)
    return file.getvalue()


def _bytes(values: NDArray[np.float64]) -> Bytes:
    """Colours in 0..255, rounded."""
    return values.round().astype(np.uint8)
