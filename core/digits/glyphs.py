"""The pen strokes of the ten digits: knots that a smooth pen passes through, with named parts.

The forms are written down as text, so that adding one is adding a few lines to its digit:

    form curved 0.4 crossbar 0.13 hook 0.2
    top-bar 0,10 28,6 52,1 stem 62,10 56,34 48,64 44,100
    crossbar 24,54 50,52 76,50

A `form` line gives the name, the share of the digit, and for each optional part the probability
that the form is written with it; every form of a digit has the same optional parts, so that any
digit can be drawn with and without them. Then comes a line for each stroke: a word begins a part at
the knot before it, "x,y" is a knot in hundredths of the digit's height (x right, y down), "/"
makes the knot before it a corner, a final "o" closes a ring, and a line that begins with a knot
goes on with the stroke above. Equal knots of one form move together. The forms and their shares
were matched by eye to MNIST's training images (LeCun et al. 1998).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

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
    """The forms that `text` writes down, as the head of this module says."""
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


_ZERO = """
form oval 0.5 slash 0.03
ring 34,0 10,17 0,52 10,88 34,100 60,85 70,48 58,12 o
slash 70,8 35,50 2,95
form wide 0.3 slash 0.03
ring 46,0 14,14 0,52 12,88 44,100 78,86 92,48 78,14 o
slash 88,5 45,50 4,95
form open 0.2 slash 0.03
ring 50,3 28,4 8,25 0,58 10,90 34,100 62,84 72,46 60,10 40,0 30,10
slash 70,8 35,50 2,95
"""

_ONE = """
form plain 0.9 serif 0.06 base 0.01
stem 30,0 30,50 30,100
serif 30,0 20,12 7,22
base 3,100 30,100 58,99
form printed 0.1 serif 0.85 base 0.7
stem 36,0 35,50 35,100
serif 36,0 22,13 3,26
base 0,100 35,100 72,99
"""

_TWO = """
form round 0.3 loop 0.3
arch 8,24 20,6 42,0 62,12 62,36 diagonal 42,66 8,92 / foot 40,93 80,96
loop 8,92 -6,97 -12,87 -2,79 12,83 8,92
form looping 0.15 loop 0.75
arch 14,18 28,3 50,0 64,14 58,42 diagonal 42,70 22,90 / foot 42,90 62,100 86,92
loop 22,90 8,99 -4,92 3,80 16,81 22,90
form curling 0.1 loop 0.9
arch 6,34 8,12 34,0 58,10 60,38 diagonal 50,62 36,78 / foot 58,86 84,84
loop 36,78 22,96 2,98 -8,84 4,70 20,70 36,78
form swinging 0.2 loop 0.95
arch 8,22 18,5 40,0 58,12 58,40 diagonal 47,64 32,82 / foot 54,90 76,98
loop 32,82 20,98 0,100 -8,84 4,70 20,73 32,82
form wide 0.15 loop 0.3
arch 16,12 30,2 52,2 64,18 50,44 diagonal 28,68 0,90 / foot 30,84 70,94 104,100
loop 0,90 -16,95 -22,82 -8,73 4,79 0,90
form zed 0.1 loop 0.1
arch 4,10 30,3 56,2 66,14 diagonal 50,42 26,70 4,96 / foot 40,95 76,94
loop 4,96 -8,99 -14,90 -6,82 6,86 4,96
"""

_THREE = """
form round 0.55
upper-bowl 8,14 25,2 50,3 58,19 44,38 24,46 / lower-bowl 48,50 64,68 54,92 28,100 0,90
form waved 0.13
upper-bowl 2,20 22,4 46,4 50,20 36,38 20,44 / lower-bowl 40,44 54,58 50,82 32,100 20,98
form flowing 0.2
upper-bowl 8,10 30,0 52,5 56,20 42,36 27,43 lower-bowl 40,48 56,60 58,80 36,97 10,100 -6,92
form flat 0.12
top-bar 4,3 30,2 60,0 / diagonal 42,20 26,40 / lower-bowl 50,46 64,66 52,92 26,100 0,90
"""

_FOUR = """
form upright 0.4 closing 0.01
arm 10,6 6,30 3,55 / bar 30,56 56,53 76,50
stem 58,0 56,25 56,53 53,100
closing 10,6 35,3 58,0
form cursive 0.32 closing 0.01
arm 18,4 10,26 5,46 bar 14,56 36,50 56,38 / stem 58,6
stem 56,38 52,70 48,100
closing 18,4 38,3 58,6
form wide 0.2 closing 0.01
arm 6,10 3,32 2,54 / bar 26,54 50,50 66,47
stem 68,0 60,25 50,50 36,100
closing 6,10 35,4 68,0
form pointed 0.08 closing 0.5
arm 34,20 18,38 0,60 / bar 25,61 48,60 74,58
stem 52,0 50,25 48,60 46,100
closing 34,20 43,10 52,0
"""

_FIVE = """
form cornered 0.4
top-bar 64,3 40,3 16,5 / stem 12,24 10,44 / bowl 34,38 58,50 62,74 46,95 20,100 0,90
form separate 0.2
stem 20,5 14,24 10,42 / bowl 36,42 56,56 56,78 38,96 18,100 0,94
top-bar 24,7 50,5 82,0
form short 0.2
top-bar 90,0 62,4 36,8 / stem 28,22 18,38 / bowl 36,40 48,56 44,78 26,95 4,100
form snake 0.2
top-bar 78,0 50,5 26,12 stem 14,26 22,42 bowl 42,52 54,68 46,88 24,98 0,92
"""

_SIX = """
form flowing 0.35
stem 42,0 20,22 6,50 bowl 3,78 20,99 44,90 54,70 42,54 20,64 8,84
form wide 0.2
stem 62,0 32,16 10,46 bowl 4,76 22,98 52,92 66,70 52,50 28,54 8,72
form upright 0.25
stem 16,0 6,30 0,62 bowl 8,90 32,100 58,88 66,64 48,50 28,62 22,92
form spiral 0.1
stem 46,0 22,14 6,44 bowl 4,76 24,99 54,92 64,66 46,46 24,58 26,80 44,82
form circle 0.1
stem 26,0 10,30 2,72
bowl 2,72 10,94 28,100 48,88 52,68 40,52 20,52 2,72
"""

_SEVEN = """
form straight 0.45 crossbar 0.13 hook 0.2
top-bar 0,7 30,6 64,3 / stem 50,32 36,62 24,100
crossbar 14,53 39,51 66,49
hook 0,7 -2,16 -3,26
form curved 0.4 crossbar 0.13 hook 0.2
top-bar 0,10 28,6 52,1 stem 62,10 56,34 48,64 44,100
crossbar 24,54 50,52 76,50
hook 0,10 0,19 -1,28
form wavy 0.15 crossbar 0.13 hook 0.2
top-bar 6,8 22,14 40,12 60,2 / stem 46,34 34,66 24,100
crossbar 14,53 39,51 66,49
hook 6,8 2,18 -1,30
"""

_EIGHT = """
form one-stroke 0.3
upper-loop 58,12 36,0 12,10 12,30 33,48 lower-loop 50,68 44,92 22,100 6,88 12,68
  33,48 upper-loop 54,30 58,12
form open 0.3
upper-loop 56,14 36,2 12,12 14,32 34,50 lower-loop 44,70 36,94 18,100 6,86 16,66
  34,50 upper-loop 56,26 72,4
form small-foot 0.2
upper-loop 54,10 30,0 4,14 8,36 30,50 lower-loop 42,72 36,94 22,100 12,86 18,66 34,46 upper-loop
  54,28 54,10
form narrow 0.1
upper-loop 62,8 46,0 26,12 30,34 40,52 lower-loop 46,76 34,96 18,100 10,86 22,68 40,52
  upper-loop 58,30 62,8
form circles 0.1
upper-loop 30,46 10,34 10,10 30,0 50,10 50,34 o
lower-loop 30,46 6,60 6,88 30,100 54,88 54,60 o
"""

_NINE = """
form straight 0.1
bowl 50,10 30,0 8,12 2,34 20,46 42,34 50,10 / stem 47,50 42,100
form flowing 0.1
bowl 50,8 26,2 6,20 6,38 26,42 46,26 52,10 / stem 46,44 34,74 20,100
form swung 0.15
bowl 62,5 40,0 16,8 3,27 14,42 36,36 54,12 / stem 46,48 36,76 28,100
form apart 0.15
bowl 48,8 24,3 3,20 8,42 32,42 50,24
stem 53,6 48,52 42,100
form shouldered 0.15
bowl 48,26 36,42 16,46 2,30 10,8 30,0 47,8 stem 50,30 47,64 43,100
form circle 0.2
bowl 46,26 38,46 20,53 3,40 4,15 22,0 42,6 o
stem 46,26 44,62 40,100
form tall 0.1
bowl 44,14 28,0 8,14 2,36 14,52 32,44 44,14 / stem 44,52 46,100
form curved 0.05
bowl 52,12 30,0 8,12 6,34 24,44 44,34 52,12 / stem 54,50 48,84 tail 28,100 6,90
"""

GLYPHS: tuple[tuple[Form, ...], ...] = tuple(
    map(_read, (_ZERO, _ONE, _TWO, _THREE, _FOUR, _FIVE, _SIX, _SEVEN, _EIGHT, _NINE))
)


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
