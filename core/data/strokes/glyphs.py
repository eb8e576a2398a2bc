"""The forms of the ten digits, read from their text: pen strokes through knots, with named parts.

`core.data.strokes.forms` holds the text and says how to read it; `plan` makes a form ready to be
drawn.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from core.data.strokes.forms import FORMS

Array = NDArray[np.float64]
Point = tuple[float, float]

_STEP = 0.035  # between stroke points, in digit heights: .7 px, so the pen field is exact to 1 %
MOST_KNOTS = 24  # of a form; the random numbers of a digit reserve two for each
BENDINGS = 7  # smooth functions that a form is bent by

PARTS: tuple[str, ...] = (
    "ring",  # 0: the whole oval
    "slash",  # 0: bar through the oval, optional
    "stem",  # 1, 4, 5, 6, 7, 9: the upright
    "serif",  # 1: flag at the top, optional
    "base",  # 1: bar at the foot, optional
    "arch",  # 2: the bent top
    "diagonal",  # 2, 3: the way down to the left
    "foot",  # 2: the bar at the bottom
    "loop",  # 2: loop where diagonal and foot meet, optional
    "upper-bowl",  # 3: round top
    "lower-bowl",  # 3: round bottom
    "arm",  # 4: the short left stroke
    "bar",  # 4: from the arm across the stem
    "closing",  # 4: roof from arm to stem, closes the hole, optional
    "top-bar",  # 3 (flat form), 5, 7
    "bowl",  # 5, 6, 9
    "crossbar",  # 7: bar through the stem, optional
    "hook",  # 7: downstroke at the left end of the top bar, optional
    "upper-loop",  # 8
    "lower-loop",  # 8
    "tail",  # 9: the bent end of the stem in the curved form
)

OPTIONAL: tuple[str, ...] = ("slash", "serif", "base", "loop", "closing", "crossbar", "hook")


@dataclass(frozen=True)
class Stroke:
    """One pen movement through `knots`; `spans` name its parts as (part, first knot, last knot).

    The pen is smooth but at `corners` (knot numbers); a `closed` stroke ends where it began,
    without a corner.
    """

    knots: tuple[Point, ...]
    spans: tuple[tuple[str, int, int], ...]
    corners: tuple[int, ...] = ()
    closed: bool = False


@dataclass(frozen=True)
class Form:
    """One way to write a digit: its strokes, its share of the class, and its optional parts.

    `optional` maps an optional part to the probability that this form is written with it.
    """

    name: str
    share: float
    strokes: tuple[Stroke, ...]
    optional: dict[str, float] = field(default_factory=dict)


def _stroke(text: str) -> Stroke:
    """The stroke that `text` writes down, in hundredths of the glyph's height.

    "top-bar 0,7 64,3 / stem 24,100" goes through the knots (0, .07), (.64, .03) and (.24, 1), with
    the stem beginning at the second, which is a corner.
    """
    knots: list[Point] = []
    begins: list[tuple[str, int]] = []
    corners: list[int] = []
    words = text.split()
    closed = words[-1] == "o"
    for word in words[: -1 if closed else None]:
        if "," in word:
            x, y = word.split(",")
            knots.append((int(x) / 100, int(y) / 100))
        elif word == "/":
            corners.append(len(knots) - 1)
        else:
            begins.append((word, max(len(knots) - 1, 0)))
    if closed:
        knots.append(knots[0])
    ends = [*(first for _, first in begins[1:]), len(knots) - 1]
    spans = tuple((part, first, last) for (part, first), last in zip(begins, ends, strict=True))
    return Stroke(tuple(knots), spans, tuple(corners), closed)


def _read(text: str) -> tuple[Form, ...]:
    """The forms that `text` writes down, as the head of `core.data.strokes.forms` says."""
    forms = []
    for block in text.split("form ")[1:]:
        header, *lines = block.strip().splitlines()
        name, share, *chances = header.split()
        strokes: list[str] = []
        for line in lines:
            if line.strip()[0].isalpha():
                strokes.append(line)
            else:
                strokes[-1] += " " + line
        optional = dict(zip(chances[::2], map(float, chances[1::2]), strict=True))
        forms.append(Form(name, float(share), tuple(map(_stroke, strokes)), optional))
    return tuple(forms)


GLYPHS: tuple[tuple[Form, ...], ...] = tuple(map(_read, FORMS))


def parts_of(label: int) -> tuple[str, ...]:
    """The parts that some form of digit `label` has, in the order of `PARTS`."""
    spans = (span for form in GLYPHS[label] for stroke in form.strokes for span in stroke.spans)
    names = {part for part, _, _ in spans}
    return tuple(part for part in PARTS if part in names)


@dataclass(frozen=True)
class Plan:
    """A form made ready: its knots and the short segments of its strokes, sorted by part."""

    knots: Array  # (knots, xy)
    bendings: Array  # (knots, bendings)
    starts: Array  # (segments, knots): weights of the knots in each segment's start
    ends: Array  # (segments, knots)
    slices: tuple[tuple[int, slice], ...]  # (part, its segments)
    parts: NDArray[np.int64]  # (segments,): the part of each segment


@cache
def plan(label: int, form: int) -> Plan:
    """The plan of one form."""
    strokes = GLYPHS[label][form].strokes
    points = list(dict.fromkeys(point for stroke in strokes for point in stroke.knots))
    if len(points) > MOST_KNOTS:
        raise ValueError(
            f"a form of {label} has {len(points)} knots: draw it with {MOST_KNOTS} at most."
        )
    knots = np.array(points)
    segments = [part for stroke in strokes for part in _segments(stroke, points)]
    segments.sort(key=lambda segment: segment[0])
    parts = np.array([part for part, _, _ in segments])
    found = [(int(part), np.flatnonzero(parts == part)) for part in np.unique(parts)]
    return Plan(
        knots=knots,
        bendings=_bendings(knots),
        starts=np.array([start for _, start, _ in segments]),
        ends=np.array([end for _, _, end in segments]),
        slices=tuple((part, slice(at[0], at[-1] + 1)) for part, at in found),
        parts=parts,
    )


def _segments(stroke: Stroke, points: list[Point]) -> list[tuple[int, Array, Array]]:
    """The short segments of `stroke` as (part, weights of start, weights of end) over `points`.

    A smooth piece is a cubic spline through its knots over the square root of their distances
    (centripetal, Lee 1989), which is linear in the knots.
    """
    rows = np.eye(len(points))[[points.index(point) for point in stroke.knots]]
    steps = np.hypot(*np.diff(np.array(stroke.knots), axis=0).T)
    time = np.concatenate([[0.0], np.cumsum(np.sqrt(steps))])
    curve: dict[int, CubicSpline] = {}  # the smooth piece of each interval between knots
    breaks = [0, *stroke.corners, len(time) - 1]
    for first, last in pairwise(breaks):
        at, through = time[first : last + 1], rows[first : last + 1]
        piece = CubicSpline(at, through, bc_type="periodic" if stroke.closed else "natural")
        curve.update(dict.fromkeys(range(first, last), piece))
    segments = []
    for part, first, last in stroke.spans:
        for j in range(first, last):
            count = int(np.ceil(steps[j] / _STEP))
            dots = curve[j](np.linspace(time[j], time[j + 1], count + 1))
            segments += [(PARTS.index(part), *ends) for ends in pairwise(dots)]
    return segments


def _bendings(knots: Array) -> Array:
    """Smooth functions of position at `knots`, (knots, bendings), each between about -1 and 1."""
    u, v = 3 * knots[:, 0] - 1, 2 * knots[:, 1] - 1  # about -1..1 over a digit .67 wide
    half, full = np.pi / 2, np.pi
    across, down = np.cos(half * u), np.cos(half * v)
    fine = np.sin(full * u) / 2, np.sin(full * v) / 2  # halved, or rings grow corners
    waves = (across, down, *fine, u * v, u * down, v * across)
    return np.stack(waves, axis=1)
