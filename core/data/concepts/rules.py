"""Rules that find a part of a written digit: crossbar and hook of a 7, loop of a 2, and others.

A rule gives each image a score in 0..1, the part being there from 0.5 up, and its pixels. Three
rules have weights that were fitted to labels made by eye: see `core.data.concepts.by_eye`, whose
other half judges them.

Axes: masks bool (n, 28, 28). Lengths in pixels; places along a digit in shares of its height,
0 on top.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from core.data.concepts.anatomy import ENLARGED, SIZE, Anatomy, blocks

__all__ = ["RULES", "Found"]

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]

_BAND = (0.25, 0.8)  # of the height: where a crossbar may be
_GAP = 0.5  # pixels sideways between a run of ink and the one it goes on with
_PLANE = np.ones((3, 3), bool)

# Logistic regression on the labels by eye that are for fitting: the constant, then a weight for
# the arm to the left, to the right, the shorter one, how far apart they are in rows, how far
# strokes end to the left, to the right, the shorter of these, and whether the stem has a junction.
_CROSSBAR = (-8.2, 1.37, 0.98, 0.76, -1.01, 0.3, 1.82, 0.68, 1.75)
# The same for the way from the left end of the top bar: climbed within 2, 4, 7 pixels, and right.
_HOOK = (1.96, -0.34, 2.47, -0.45, -0.94)
_LOOP = 0.1  # of the darkest ink: how much lighter a loop's inside is, fitted to the same labels
_CLOSED = 0.15  # the same for a closed 4: 7 % of MNIST's fours
_STEM = (0.45, 0.8)  # of the height: where a 1 is nothing but its stem
_FLARE = 2.4  # half stems that a serif or base reaches from the stem's line


@dataclass(frozen=True)
class Found:
    """What a rule says of n images: scores (n,) in 0..1 and masks (n, 28, 28)."""

    scores: Numbers
    masks: Flags


Rule: TypeAlias = Callable[[Anatomy], Found]


@dataclass(frozen=True)
class _Stem:
    """The stroke followed from the lowest row of a digit upwards, in enlarged pixels.

    left, right: (rows,), its edges, nan above its end. top, bottom: first and last row of the ink.
    line: (rows,), the straight line through its lower half.
    """

    left: Numbers
    right: Numbers
    top: int
    bottom: int
    line: Numbers

    @property
    def height(self) -> int:
        """Rows of the digit."""
        return self.bottom - self.top + 1


def crossbar(anatomy: Anatomy) -> Found:
    """A stroke through the stem that sticks out on both sides of it."""
    fine, pens = anatomy.fine_skeleton, anatomy.thickness
    scores = np.zeros(len(anatomy))
    masks = np.zeros((len(anatomy), SIZE * ENLARGED, SIZE * ENLARGED), bool)
    for i, binary in enumerate(anatomy.binary):
        stem = _followed(binary)
        if stem is None:
            continue
        (left, at_left), (right, at_right) = _arms(stem)
        whole = _with_stem(binary, stem)
        marks = fine.ends[i] & whole, fine.junctions[i] & whole
        features = _crossing(stem, (left, right), at_left - at_right, marks, pens[i])
        scores[i] = _logistic(_CROSSBAR, features)
        masks[i] = _bar(binary, stem, (at_left, at_right), pens[i])
    return Found(scores, blocks(masks) & (scores >= 0.5)[:, None, None])


def _followed(binary: Flags) -> _Stem | None:
    """The stem of a digit (height, width); None where there is too little ink."""
    rows = np.flatnonzero(binary.any(1))
    if len(rows) < 4 * ENLARGED:
        return None
    left, right = np.full((2, len(binary)), np.nan)
    runs = _runs(binary)
    run: tuple[int, int] | None = None
    for row in rows[::-1]:  # rows without ink are skipped, so a broken stem is followed on
        run = _next_run(runs[row], run)
        if run is None:
            break
        left[row], right[row] = run
    top, bottom = int(rows[0]), int(rows[-1])
    lower = np.arange(len(binary)) > top + 0.45 * (bottom - top + 1)
    lower &= ~np.isnan(left)
    if lower.sum() < 2:
        return None
    slope = np.polyfit(np.flatnonzero(lower), ((left + right) / 2)[lower], 1)
    return _Stem(left, right, top, bottom, slope[0] * np.arange(len(binary)) + slope[1])


def _runs(binary: Flags) -> list[list[tuple[int, int]]]:
    """For each row its runs of ink, first and past-last column."""
    steps = np.diff(np.pad(binary, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    rows, starts = np.nonzero(steps == 1)
    found: list[list[tuple[int, int]]] = [[] for _ in binary]
    for row, start, stop in zip(rows, starts, np.nonzero(steps == -1)[1], strict=True):
        found[row].append((int(start), int(stop)))
    return found


def _next_run(runs: list[tuple[int, int]], below: tuple[int, int] | None) -> tuple[int, int] | None:
    """The one of a row's runs of ink that goes on with the one below it.

    The longest one where there is none below; None where no run is near it.
    """
    if below is None:
        return max(runs, key=lambda run: run[1] - run[0], default=None)
    near = _GAP * ENLARGED
    touching = [run for run in runs if run[0] < below[1] + near and run[1] > below[0] - near]
    return min(touching, key=lambda run: abs(sum(run) - sum(below)), default=None)


def _arms(stem: _Stem) -> tuple[tuple[float, int], tuple[float, int]]:
    """How far the ink sticks out of the stem to the left and to the right, and in which rows."""
    rows = range(int(stem.top + _BAND[0] * stem.height), int(stem.top + _BAND[1] * stem.height))
    return _peak(stem.line - stem.left, rows), _peak(stem.right - stem.line, rows)


def _peak(profile: Numbers, rows: range) -> tuple[float, int]:
    """The highest prominence of a profile in pixels, and its row.

    Prominence: the drop on the side where the profile falls less before it rises higher.
    """
    known = np.where(np.isnan(profile), np.inf, profile)
    index, own = np.arange(len(known)), np.array(rows)[:, None]
    higher = known > known[own]
    first = np.where(higher & (index < own), index, -1).max(1, keepdims=True)  # higher ones around
    last = np.where(higher & (index > own), index, len(known)).min(1, keepdims=True)
    above = np.where((index > first) & (index <= own), known, np.inf).min(1)
    below = np.where((index < last) & (index >= own), known, np.inf).min(1)
    drop = np.nan_to_num(profile[rows] - np.maximum(above, below))
    best = int(drop.argmax())
    return float(drop[best]) / ENLARGED, rows[best]


def _crossing(
    stem: _Stem,
    arms: tuple[float, float],
    apart: int,
    marks: tuple[Flags, Flags],
    pen: float,
) -> Numbers:
    """The features that tell a crossbar, (8,): see `_CROSSBAR`; marks: ends and junctions."""
    left, right = _end_distances(stem, marks[0])
    share, beside = _places(stem, marks[1])
    near = (share > _BAND[0]) & (share < _BAND[1]) & (np.abs(beside) < 1.5 * max(pen, 1.5))
    limits = (4, 4, 3, 4, 5, 5, 4, 1)
    values = (*arms, min(arms), abs(apart) / ENLARGED, left, right, min(left, right), near.any())
    return np.minimum(np.array(values, dtype=np.float64), limits)


def _end_distances(stem: _Stem, ends: Flags) -> tuple[float, float]:
    """How far strokes end to the left and to the right of the stem's line, within the band."""
    share, beside = _places(stem, ends)
    beside = beside[(share > _BAND[0]) & (share < _BAND[1])]
    return float(np.max(-beside, initial=0)), float(np.max(beside, initial=0))


def _places(stem: _Stem, flags: Flags) -> tuple[Numbers, Numbers]:
    """Of each set pixel: its place along the height, and pixels to the right of the stem's line."""
    rows, columns = np.nonzero(flags)
    return (rows - stem.top) / stem.height, (columns + 0.5 - stem.line[rows]) / ENLARGED


def _with_stem(binary: Flags, stem: _Stem) -> Flags:
    """The pieces of ink that the stem runs through."""
    pieces, _ = ndimage.label(binary, _PLANE)
    rows = np.flatnonzero(~np.isnan(stem.left))
    return np.isin(pieces, np.unique(pieces[rows, stem.left[rows].astype(int)]))


def _bar(binary: Flags, stem: _Stem, rows: tuple[int, int], pen: float) -> Flags:
    """The ink of a crossbar that sticks out at `rows` on the left and on the right.

    All ink within half a pen's thickness of the straight line between its tips.
    """
    ends = np.array([(rows[0], stem.left[rows[0]]), (rows[1], stem.right[rows[1]] - 1)])
    along = ends[1] - ends[0]
    points = np.argwhere(binary)
    share = ((points - ends[0]) @ along / (along @ along + 1e-9)).clip(0, 1)
    far = np.hypot(*(points - ends[0] - share[:, None] * along).T)
    bar = np.zeros_like(binary)
    bar[tuple(points[far <= 0.6 * pen * ENLARGED].T)] = True
    return bar


def hook(anatomy: Anatomy) -> Found:
    """The left end of the top bar turned down."""
    fine = anatomy.fine_skeleton
    scores, masks = np.zeros(len(anatomy)), np.zeros(anatomy.binary.shape, bool)
    for i, lines in enumerate(fine.lines):
        features, masks[i] = _hooking(lines, fine.ends[i], anatomy.binary[i])
        scores[i] = _logistic(_HOOK, features) if lines.any() else 0.0
    return Found(scores, blocks(masks) & (scores >= 0.5)[:, None, None])


def _hooking(lines: Flags, ends: Flags, binary: Flags) -> tuple[Numbers, Flags]:
    """The features that tell a hook, (4,), and its ink: see `_HOOK`.

    Along the skeleton from the left end of the upper half, how far one climbs within 2, 4 and 7
    pixels of way, and how far to the right one then is.
    """
    rows, columns = np.nonzero(ends)
    inked = np.flatnonzero(binary.any(1))
    upper = rows < (inked[0] + 0.6 * (inked[-1] - inked[0]) if len(inked) else 0)
    if not upper.any():
        return np.zeros(4), np.zeros_like(lines)
    first = np.flatnonzero(upper)[columns[upper].argmin()]
    start = (int(rows[first]), int(columns[first]))
    way = _way(lines, start, 7 * ENLARGED)
    climbed = (start[0] - way[:, 0]) / ENLARGED
    reached = [climbed[: k * ENLARGED + 1].max() for k in (2, 4, 7)]
    right = (way[-1, 1] - start[1]) / ENLARGED
    mask = np.zeros_like(lines)
    mask[tuple(way[: int(climbed.argmax()) + 1].T)] = True
    return np.array([*reached, right]), ndimage.binary_dilation(mask, _PLANE, 4) & binary


def _way(lines: Flags, start: tuple[int, int], steps: int) -> NDArray[np.int64]:
    """Pixels (steps + 1, yx) along a skeleton from its end `start`, fewer where it ends."""
    way, seen = [start], {start}
    for _ in range(steps):
        y, x = way[-1]
        around = [(y + dy, x + dx) for dy, dx in _STEPS]
        new = [at for at in around if at not in seen and _set(lines, at)]
        if not new:
            break
        seen |= {*new}
        way.append(new[0])
    return np.array(way)


_STEPS = ((0, 1), (-1, 0), (1, 0), (0, -1), (-1, 1), (-1, -1), (1, 1), (1, -1))


def _set(flags: Flags, at: tuple[int, int]) -> bool:
    """Whether a pixel is in the image and set."""
    return 0 <= at[0] < len(flags) and 0 <= at[1] < flags.shape[1] and bool(flags[at])


def loop(anatomy: Anatomy) -> Found:
    """Background in the lower half that ink encloses, be it lightly."""
    depth = _basins(anatomy.grey)
    middle = _middles(anatomy.binary)
    rows = np.arange(SIZE * ENLARGED)[None, :, None]
    depth = np.where(rows >= middle[:, None, None], depth, 0)
    return _enclosed(anatomy, depth, _LOOP)


def closed(anatomy: Anatomy) -> Found:
    """Background that ink encloses."""
    return _enclosed(anatomy, _basins(anatomy.grey), _CLOSED)


def _basins(grey: Numbers) -> Numbers:
    """How much lighter each pixel is than the ink around it, in shares of the darkest ink."""
    found: Numbers = (_filled(grey) - grey) / np.maximum(grey.max((1, 2), keepdims=True), 1e-9)
    return found


def _filled(grey: Numbers) -> Numbers:
    """The images with their light basins filled to the brim.

    A pixel becomes as dark as the darkest that it must cross, by the best way of steps to its eight
    neighbours, to the image's border (grey reconstruction: Vincent 1993, IEEE TIP 2(2)). Swept
    down, up, right and left until nothing changes.
    """
    found = grey.copy()
    found[:, 1:-1, 1:-1] = grey.max((1, 2), keepdims=True)
    busy = np.arange(len(grey))
    while len(busy):
        level = found[busy]
        for lines in (1, 2):  # rows, then columns
            down = np.moveaxis(level, lines, 0).copy()
            brim = np.moveaxis(grey[busy], lines, 0).copy()
            _sweep(down, brim)
            _sweep(down[::-1], brim[::-1])
            level = np.moveaxis(down, 0, lines)
        changed = (level != found[busy]).any((1, 2))
        found[busy] = level
        busy = busy[changed]
    return found


def _sweep(level: Numbers, brim: Numbers) -> None:
    """Lets `level` (lines, n, places) sink from each line to the next, no lower than `brim`."""
    for before, here, least in zip(level[:-1], level[1:], brim[1:], strict=True):
        low = before.copy()
        np.minimum(low[:, 1:], before[:, :-1], out=low[:, 1:])
        np.minimum(low[:, :-1], before[:, 1:], out=low[:, :-1])
        np.maximum(low, least, out=low)
        np.minimum(here, low, out=here)


def _enclosed(anatomy: Anatomy, depth: Numbers, least: float) -> Found:
    """Digits with a basin of depth `least` at least, and the ink around it."""
    scores = _rising(depth.max((1, 2)), least)
    inside = depth >= least / 2
    ring = np.stack([ndimage.binary_dilation(one, _PLANE, 2 * ENLARGED) for one in inside])
    masks = blocks(ring & anatomy.binary) & (scores >= 0.5)[:, None, None]
    return Found(scores, masks)


def _middles(binary: Flags) -> Numbers:
    """The row in the middle of the ink, (n,)."""
    rows: Flags = np.any(binary, axis=2)
    first = rows.argmax(1)
    last = binary.shape[1] - 1 - rows[:, ::-1].argmax(1)
    found: Numbers = (first + last) / 2
    return found


def serif(anatomy: Anatomy) -> Found:
    """The upper left of a 1 breaks out of its stem."""
    return _flared(anatomy, slice(0.0, 0.4), left_only=True)


def base(anatomy: Anatomy) -> Found:
    """The foot of a 1 is broader than its stem."""
    return _flared(anatomy, slice(0.85, 1.0), left_only=False)


def _flared(anatomy: Anatomy, part: slice, *, left_only: bool) -> Found:
    """Digits whose ink in `part` of their height is more than twice as broad as their stem."""
    farthest, masks = np.zeros(len(anatomy)), np.zeros(anatomy.binary.shape, bool)
    for i, binary in enumerate(anatomy.binary):
        share, beside = _beside_stem(binary)
        reach = -beside if left_only else np.abs(beside)
        out = (share >= part.start) & (share <= part.stop)
        farthest[i] = np.max(reach[out], initial=0)
        masks[i][binary] = out & (reach > 1)
    scores = _rising(farthest, _FLARE)
    return Found(scores, blocks(masks) & (scores >= 0.5)[:, None, None])


def _beside_stem(binary: Flags) -> tuple[Numbers, Numbers]:
    """Of each inked pixel: its place along the height, and half stems to the right of the stem."""
    inked = np.flatnonzero(binary.any(1))
    if not len(inked):
        return np.zeros(0), np.zeros(0)
    top, height = inked[0], inked[-1] - inked[0] + 1
    first, last = (int(top + share * height) for share in _STEM)
    stem = binary[first : last + 1]
    half = max(float(np.median(stem.sum(1))) / 2, 1.0)
    rows, columns = np.nonzero(binary)
    return (rows - top) / height, (columns + 0.5 - _line(stem, first, len(binary))[rows]) / half


def _line(stem: Flags, first: int, rows: int) -> Numbers:
    """The straight line, a column for each of `rows`, through the ink of `stem`'s rows."""
    y, x = np.nonzero(stem)
    if len(np.unique(y)) < 2:
        return np.full(rows, x.mean() if len(x) else 0.0)
    slope = np.polyfit(y + first, x + 0.5, 1)
    found: Numbers = slope[0] * np.arange(rows) + slope[1]
    return found


def _logistic(weights: tuple[float, ...], features: Numbers) -> float:
    """The probability that logistic regression gives; the first weight is the constant."""
    return float(1 / (1 + np.exp(-(weights[0] + features @ weights[1:]))))


def _rising(values: Numbers, least: float) -> Numbers:
    """0.5 at `least`, and 0..1 around it."""
    return values / (values + least)


RULES: dict[str, Rule] = {
    "crossbar": crossbar,
    "hook": hook,
    "loop": loop,
    "closing": closed,
    "serif": serif,
    "base": base,
}
