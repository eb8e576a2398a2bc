"""Rows of small pictures from arrays, ready for the grid that is clicked."""

from __future__ import annotations

from collections.abc import Sequence

from core import pictures
from core.pictures import Bytes
from core.runtime.drawings import drawn_once
from pages.kit.grid import Grid

__all__ = ["gallery"]

_ACROSS = 32  # pictures a row of the sheet; the screen's rows follow its width


@drawn_once
def gallery(tiles: Bytes, alts: Sequence[str], captions: Sequence[str] = ()) -> Grid:
    """A grid of tiles (n, height, width, 3), each with its words."""
    across = min(_ACROSS, len(tiles))
    height, width = (int(side) for side in tiles.shape[1:3])
    return Grid(
        png=pictures.png(pictures.sheet(tiles, across)),
        count=len(tiles),
        tile=(height, width),
        across=across,
        alts=tuple(alts),
        captions=tuple(captions),
    )
