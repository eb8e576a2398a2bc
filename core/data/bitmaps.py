"""Ten digits as bitmaps of 7 x 12 pixels, the form in which LeNet-5's output layer knew them.

LeCun, Bottou, Bengio & Haffner (1998, Proc. IEEE 86:2278, section II-B) gave each class a bitmap of
84 values, +1 for ink and -1 for paper, as its target code. These were drawn for this project.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["BITMAPS", "COLUMNS", "ROWS"]

ROWS, COLUMNS = 12, 7
_DRAWN = """
.#####.  ...#...  .#####.  .#####.  ....##.  #######  ..####.  #######  .#####.  .#####.
##...##  ..##...  ##...##  ##...##  ...###.  ##.....  .##....  .....##  ##...##  ##...##
##...##  .###...  ##...##  .....##  ...###.  ##.....  ##.....  .....##  ##...##  ##...##
##...##  ...#...  .....##  .....##  ..#.##.  ##.....  ##.....  ....##.  ##...##  ##...##
##...##  ...#...  .....##  .....##  ..#.##.  ######.  ##.....  ....##.  .##.##.  ##...##
##...##  ...#...  ....##.  ..####.  .#..##.  .....##  ######.  ...##..  ..###..  ##...##
##...##  ...#...  ...##..  .....##  .#..##.  .....##  ##...##  .#####.  .##.##.  .######
##...##  ...#...  ..##...  .....##  #######  .....##  ##...##  ..##...  ##...##  .....##
##...##  ...#...  .##....  .....##  ....##.  .....##  ##...##  ..##...  ##...##  .....##
##...##  ...#...  ##.....  .....##  ....##.  ##...##  ##...##  .##....  ##...##  .....##
##...##  ...#...  ##.....  ##...##  ....##.  ##...##  ##...##  .##....  ##...##  ....##.
.#####.  .#####.  #######  .#####.  ....##.  .#####.  .#####.  .##....  .#####.  .####..
"""


def _read(text: str) -> NDArray[np.float32]:
    """(classes, rows, columns), 1 for ink and -1 for paper."""
    rows = [line.split() for line in text.strip().splitlines()]
    ink = np.array([[[mark == "#" for mark in of] for of in row] for row in rows])
    return np.where(ink.swapaxes(0, 1), 1, -1).astype(np.float32)


BITMAPS: NDArray[np.float32] = _read(_DRAWN)
