"""A grid of small pictures from one PNG sheet, where a person picks one by mouse or keyboard.

A thousand pictures are one message and a few canvases, where `st.image` makes thousands of nodes.
The sheet is read left to right, top to bottom, `across` pictures a row, without gaps.

    grid = Grid(png, count=30, tile=(28, 28), across=6, alts=alts, captions=captions)
    picked = image_grid(grid, key="units", label="Units of lenet5/linear_0", selected=unit)
    if picked is not None:
        st.session_state.unit = picked
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import streamlit as st

from pages.kit import files

_HERE = Path(__file__).parent
_HTML = """
<div class="frame">
  <div class="grid" role="listbox" tabindex="0">
    <div class="ruler"></div>
    <div class="ring hovered" hidden></div>
    <div class="ring chosen" hidden></div>
    <div class="sheet" aria-hidden="true"></div>
    <div class="ring active" role="option"></div>
  </div>
</div>
<div class="tip" popover="manual" aria-hidden="true" hidden></div>
<p class="problem" role="alert" hidden></p>
"""
_COMPONENT = st.components.v2.component(
    "image_grid",
    html=_HTML,
    css=(_HERE / "grid.css").read_text(encoding="utf-8"),
    js=(_HERE / "grid.js").read_text(encoding="utf-8"),
)


@dataclass(frozen=True)
class Grid:
    """The pictures of a grid: a PNG sheet, how it is cut, and the words for each picture.

    `tile` is (height, width) in sheet pixels. `alts` names every picture in full and is shown on
    hover and read aloud; `captions` is the short text under each, and empty for a grid without.

    Raises `ValueError` when the parts don't belong together, such as a sheet of another size.
    """

    png: bytes
    count: int
    tile: tuple[int, int]
    across: int
    alts: tuple[str, ...]
    captions: tuple[str, ...] = ()

    @cached_property
    def name(self) -> str:
        """The sheet's name as a file: a hash, made once for all who are shown the grid."""
        return files.name_of(self.png)

    def __post_init__(self) -> None:
        height, width = self.tile
        for name, value in {
            "count": self.count,
            "tile height": height,
            "tile width": width,
            "across": self.across,
        }.items():
            if value < 1:
                raise ValueError(f"{name} is {value}: it must be 1 or more.")
        if len(self.alts) != self.count:
            raise ValueError(
                f"alts has {len(self.alts)} texts for {self.count} pictures: give one for each."
            )
        if self.captions and len(self.captions) != self.count:
            raise ValueError(
                f"captions has {len(self.captions)} texts for {self.count} pictures: "
                "give one for each, or none at all."
            )
        expected = (-(-self.count // self.across) * height, self.across * width)
        if (found := _sheet_size(self.png)) != expected:
            raise ValueError(
                f"png is {found[0]} x {found[1]} pixels (height x width): {self.count} pictures of "
                f"{height} x {width}, {self.across} across, need {expected[0]} x {expected[1]}."
            )


def image_grid(
    grid: Grid,
    *,
    key: str,
    label: str,
    selected: int | None = None,
    marked: Collection[int] = (),
    mark: str = "marked",
    scale: int = 2,
    max_height: int | None = None,
    on_pick: Callable[[int], object] | None = None,
    addresses: Sequence[str | None] = (),
) -> int | None:
    """The picture picked just now, on the one rerun that follows the pick; None on every other.

    `label` says which pictures these are, such as "Units of lenet5/linear_0, most selective first".
    It is read aloud, and it ties a pick to its grid: one made under another label, because the page
    changed meanwhile, is dropped rather than taken for a picture of this grid.

    `selected` is ringed, but for the rerun after a pick, when the picked one is: so keep the answer
    and pass it as `selected` next time. `marked` pictures carry a dot, whose meaning in a word is
    `mark`. `scale` is screen pixels a sheet pixel, less where a picture would be wider than the
    page. `max_height` in pixels makes the grid scroll inside itself. `on_pick(index)` runs before
    the page does. Inside `st.form` Streamlit sends no picks. `addresses` are what the pictures lead
    to, one for each: the middle button, or a click with Ctrl or ⌘, opens it in a new tab.

    Raises `ValueError` when `selected` or `marked` is not an index of the grid, or addresses lack.
    """
    _check_indices("selected", () if selected is None else (selected,), grid.count)
    _check_indices("marked", marked, grid.count)
    if addresses and len(addresses) != grid.count:
        raise ValueError(
            f"addresses has {len(addresses)} texts for {grid.count} pictures: give one for each."
        )
    if scale < 1:
        raise ValueError(f"scale is {scale}: it must be 1 or more.")

    def picked() -> int | None:
        state = st.session_state.get(key)
        return picked_index(state.get("picked") if state else None, grid.count, label)

    def answer() -> None:
        if on_pick is not None and (index := picked()) is not None:
            on_pick(index)

    now = picked()
    ringed = selected if now is None else now
    _COMPONENT(
        key=key,
        data={
            "sheet": files.address(grid.png, grid.name),
            "count": grid.count,
            "tile": grid.tile,
            "across": grid.across,
            "alts": grid.alts,
            "captions": grid.captions,
            "label": label,
            # NumPy's integers are no JSON, and Streamlit would then send the whole as one text.
            "selected": None if ringed is None else int(ringed),
            "marked": sorted(int(index) for index in marked),
            "mark": mark,
            "scale": scale,
            "max_height": max_height,
            "addresses": list(addresses),
        },
        on_picked_change=answer,
    )
    return now


def picked_index(sent: object, count: int, label: str) -> int | None:
    """The index that a browser sent, or None unless it is a picture of the grid of this label."""
    if not isinstance(sent, dict) or sent.get("label") != label:
        return None
    index = sent.get("index")
    if not isinstance(index, int) or isinstance(index, bool):
        return None
    return index if 0 <= index < count else None


def _check_indices(name: str, indices: Collection[int], count: int) -> None:
    for index in indices:
        if not 0 <= index < count:
            raise ValueError(f"{name} has {index}: the grid has pictures 0 to {count - 1}.")


def _sheet_size(png: bytes) -> tuple[int, int]:
    """Height and width of a PNG, from its header."""
    if png[:8] != b"\x89PNG\r\n\x1a\n" or png[12:16] != b"IHDR" or len(png) < 24:
        raise ValueError(f"png starts with {png[:8]!r}: it must be the bytes of a PNG file.")
    width, height = struct.unpack(">II", png[16:24])
    return int(height), int(width)
