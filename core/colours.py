"""The colours of charts, maps, pictures and text: each says the same wherever it is seen.

`CLASSES` are ten that eyes of every kind can tell apart, and from light and from dark paper. The
least difference (CIEDE2000) of any two, and from either paper, and the least contrast (WCAG 2):

    vision         two classes   light paper   dark paper
    normal               14.20          32.6         33.7
    protanopia           12.68          27.8         26.0
    deuteranopia         12.67          29.9         27.0
    tritanopia           12.73          27.8         29.7
    contrast                            3.02         3.07

Each vision but the first is simulated by the matrices of Machado, Oliveira & Fernandes (2009) at
severity 1. Simulated annealing over sRGB made the least of these differences as large as it could,
with a contrast of 3 to both papers and a chroma of 22, so that no class is grey like a control. Of
their orders one was taken in which digits that are alike, such as 4 and 9, are 21 apart or more.

`SERIES` were found in the same way around the blue of this model, the orange of what is marked and
the grey of controls: 13.7 apart or more, and the first four 15.2.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "ABOVE",
    "BELOW",
    "BOTH",
    "CLASSES",
    "CONCEPT",
    "CONTROL",
    "DARK_PAPER",
    "EDGE",
    "INCONCLUSIVE",
    "INK",
    "LIGHT_INK",
    "LINE_AT_ZERO",
    "MARK",
    "MODEL",
    "NEITHER",
    "NOT_SUPPORTED",
    "PAPER",
    "SERIES",
    "SUPPORTED",
    "UNIT",
    "WORDS",
    "contrast",
    "legible",
    "many",
    "paler",
    "rgb",
]

Colours = NDArray[np.float64]

PAPER, INK = "#ffffff", "#111827"
DARK_PAPER, LIGHT_INK = "#0f1420", "#e5e9f0"  # of the dark theme
EDGE = "#cbd5e1"  # around cells, and where there is no value
WORDS = "#64748b"  # read on light and on dark paper
LINE_AT_ZERO = "#475569"
MODEL, CONTROL, MARK = "#2563eb", "#94a3b8", "#ea580c"  # this model, its controls, what is marked
SUPPORTED, NOT_SUPPORTED, INCONCLUSIVE = "#15803d", "#1d4ed8", "#a16207"  # of verdicts, in text
NEITHER = "#a1a1aa"  # between two ends, such as two tasks
BELOW, ABOVE = "#2166ac", "#b2182b"  # the ends of ColorBrewer's RdBu: less and more than the middle
UNIT, CONCEPT, BOTH = "#f97316", "#3b82f6", "#7e22ce"  # pixels of masks
SERIES = ("#2563eb", "#ea580c", "#ba008b", "#1a7250", "#39a761", "#c80000", "#b36686")
CLASSES = (
    "#8c9767", "#5a7445", "#cc170d", "#4e998a", "#b480b8",
    "#9e9800", "#98428e", "#7b25fe", "#9b6eff", "#017667",
)  # fmt: skip

_GAMMA, _FOOT = 2.4, 0.04045  # of sRGB, IEC 61966-2-1
_LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
_FLARE = 0.05  # WCAG 2, of the light that any screen reflects


def rgb(colour: str) -> Colours:
    """Red, green and blue in 0..255 of a colour such as "#2563eb"."""
    return np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)], dtype=np.float64)


def contrast(first: ArrayLike, second: ArrayLike) -> Colours:
    """WCAG 2's ratio, from 1 to 21, of colours (..., 3) in 0..255."""
    one, other = _luminance(first) + _FLARE, _luminance(second) + _FLARE
    ratio: Colours = np.maximum(one, other) / np.minimum(one, other)
    return ratio


def legible(grounds: ArrayLike) -> list[str]:
    """For each ground (n, 3) in 0..255, ink or paper: whichever has more contrast with it.

    Ink where the ground isn't a number.
    """
    on = np.asarray(grounds, dtype=np.float64)
    light = contrast(on, rgb(PAPER)) > contrast(on, rgb(INK))
    return [PAPER if paper else INK for paper in light]


def many(n: int) -> list[str]:
    """Colours for `n` things that aren't classes: the ten, and then the same ten half as strong."""
    turns = [*CLASSES, *(shade for colour in CLASSES for shade in paler(colour, (0.5,)))]
    return [turns[at % len(turns)] for at in range(n)]


def paler(colour: str, shares: Sequence[float]) -> list[str]:
    """The colour mixed with paper: for each share, so much of it, from 0 to 1."""
    return [_hex(share * rgb(colour) + (1 - share) * rgb(PAPER)) for share in shares]


def _luminance(colours: ArrayLike) -> Colours:
    """Relative luminance in 0..1, (...,), of colours (..., 3) in 0..255."""
    share = np.asarray(colours, dtype=np.float64) / 255
    light = np.where(share <= _FOOT, share / 12.92, ((share + 0.055) / 1.055) ** _GAMMA)
    found: Colours = light @ _LUMINANCE
    return found


def _hex(colour: Colours) -> str:
    """The colour as charts and stylesheets write it."""
    return "#" + "".join(f"{round(part):02x}" for part in colour.tolist())
