"""The picture in the browser's tab."""

from __future__ import annotations

from core import pictures
from core.data.strokes import draw
from core.runtime.drawings import drawn_once

__all__ = ["tab_icon"]


@drawn_once
def tab_icon() -> bytes:
    """A seven with a crossbar, as a PNG."""
    seven = draw([7], seed=3, with_parts={"crossbar": True})
    return pictures.png(pictures.ink(seven.images)[0])
