"""Handwritten sevens with a crossbar pasted on, or erased, everything else bit by bit the same.

A seven's stem is its long lower stroke: in each row one run of ink, followed from the bottom up. A
robust parabola tells rows where only the stem is from rows where a bar sticks out of it. The pen's
width and softness are fitted to the clean rows, and both edits draw with that pen: `paste` a bar
with position, slope and arms drawn as in MNIST's crossed training sevens, `erase` the stem's edges,
interpolated between the clean rows above and below the bar.

Axes: (digits, height, width). Images are float32 in 0..1, ink is 1. x is a column, y a row, of
pixel centres; a slope is columns a row for the stem, rows a column for the bar.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import binary_dilation, label

__all__ = ["Bars", "erase", "paste"]

Array = NDArray[np.float64]
Pixels = NDArray[np.float32]
Mask = NDArray[np.bool_]

SIZE = 28  # pixels a side
_TOUCHING = np.ones((3, 3), bool)  # pixels that meet at a corner belong together
_LEAST_HEIGHT = 10  # pixels: in a lower digit stem and bar can't be told apart
_INK = 0.2  # least grey level of a stroke; below are specks and edges
_SLACK = 0.8  # pixels an edge may leave the fitted stem: hands wobble about 0.3
_BAND = (0.28, 0.85)  # of the height from the top: where crossbars are
_LEAST_ARMS = (0.9, 0.7)  # pixels a bar sticks out at least, left and right
_LEAST_CLEAN = 5  # rows: the parabola and its width have five numbers
_LEAST_TOP = 2.0  # pixels of ink; with less a seven is a 1
_FADES = (1.0, 1.15, 1.3, 1.5)  # pixels from full ink to none; MNIST's are 1.1 on average
_GREY = 255  # levels of MNIST

# How crossbars are written, measured on 96 crossed sevens of MNIST's training set: mean, standard
# deviation, least and most. Lengths are pixels of a digit that is fitted into 20 x 20.
_PLACE = (0.53, 0.07, 0.42, 0.68)  # of the height from the top
_SLOPE = (-0.085, 0.12, -0.35, 0.2)  # rows a column; below 0 it rises to the right
_REACH = ((6.5, 2.0, 3.4, 11.0), (5.9, 1.8, 3.2, 10.0))  # pixels from the stem's middle
_THICKNESS = (0.9, 0.13, 0.62, 1.2)  # of the stem's
_TAPER = (0.18, 0.2)  # of the thickness, lost on the way to the right: mean, standard deviation
_BEND = 0.5  # pixels, standard deviation of the bar's sag
_WOBBLE = 0.16  # pixels, standard deviation of each edge
_STICKS_OUT = 2.0  # pixels beyond the stem's edge, at least
_WIDEST = 22  # pixels: MNIST's box, and two for the new ink
_TRIES = 12  # bars drawn at most, until one has room
_MARGIN = 1  # pixel: bars end before the image's border


@dataclass(frozen=True)
class Bars:
    """Edited digits.

    images: float32 (n, height, width) in 0..1. masks: bool (n, height, width), the bar's pixels,
    where ink was added or removed; elsewhere the image is as it was, bit by bit. edited: bool (n,),
    False where no clear stem, or no bar to erase, was found: there the image is as it was.
    """

    images: Pixels
    masks: Mask
    edited: Mask

    def __len__(self) -> int:
        """How many digits."""
        return len(self.images)


def paste(images: ArrayLike, *, seed: int = 0) -> Bars:
    """Sevens with a crossbar written by the same pen; digit i depends on it, `seed` and i.

    images: (n, 28, 28) in 0..1, plain sevens. A seven that has a bar already stays as it is.

    Raises `ValueError` for another shape, or values that are not in 0..1.
    """
    return _edited(
        _checked(images), lambda image, i: _pasted(image, np.random.default_rng([seed, i]))
    )


def erase(images: ArrayLike) -> Bars:
    """Sevens without their crossbar: arms removed, the stem's edges and grey levels restored.

    images: (n, 28, 28) in 0..1, crossed sevens.

    Raises `ValueError` for another shape, or values that are not in 0..1.
    """
    return _edited(_checked(images), lambda image, i: _erased(image))


def _checked(images: ArrayLike) -> Pixels:
    """`images` as float32 (n, 28, 28), or `ValueError`."""
    given = np.asarray(images, dtype=np.float32)
    if given.ndim != 3 or given.shape[1:] != (SIZE, SIZE):
        raise ValueError(
            f"images have shape {given.shape}: valid is (n, {SIZE}, {SIZE}); "
            "drop the channel axis, as in digits.images[:, 0].numpy()."
        )
    wrong = given[~((given >= 0) & (given <= 1))]
    if wrong.size:
        raise ValueError(f"a pixel is {wrong[0]}: valid is 0 to 1; divide the bytes by 255.")
    return given


def _edited(images: Pixels, edit: Callable[[Array, int], Array | None]) -> Bars:
    """`images` edited one by one; `edit` gives the new image, or None to leave it."""
    new, done = images.copy(), np.zeros(len(images), bool)
    for i, image in enumerate(images):
        drawn = edit(image.astype(np.float64), i)
        if drawn is not None:
            # whole grey levels, as everywhere in MNIST, but only where the edit changed something
            grey = (np.rint(drawn * _GREY) / _GREY).astype(np.float32)
            new[i] = np.where(np.abs(drawn - image) > 0.5 / _GREY, grey, image)
            done[i] = bool((new[i] != image).any())
    return Bars(new, new != images, done)


@dataclass(frozen=True)
class _Stem:
    """A seven's stem.

    rows: int (r,), from the digit's top to its bottom. edges: (2, r) columns of the left and right
    edge of the ink, at half its level. fitted: (2, r) the same of a smooth stem. clean: bool
    (2, r), where an edge is the stem's own. fade: pixels from full ink to none.
    """

    rows: NDArray[np.int64]
    edges: Array
    fitted: Array
    clean: Mask
    fade: float = 1.0

    @property
    def height(self) -> Array:
        """Place of each row between top, 0, and bottom, 1; (r,)."""
        down: Array = (self.rows - self.rows[0]) / (self.rows[-1] - self.rows[0])
        return down

    @property
    def arms(self) -> Array:
        """Pixels that ink sticks out of the smooth stem where bars are, left and right, (2, r)."""
        out = np.stack([self.fitted[0] - self.edges[0], self.edges[1] - self.fitted[1]])
        inside = (self.height > _BAND[0]) & (self.height < _BAND[1])
        arms: Array = np.clip(out, 0, None) * inside
        return arms

    @property
    def crossed(self) -> bool:
        """Whether ink sticks out on both sides."""
        left, right = self.arms.max(axis=1)
        return bool(left > _LEAST_ARMS[0] and right > _LEAST_ARMS[1])


def _stem(image: Array) -> _Stem | None:
    """The stem of a seven, or None where there is no clear one."""
    body = _largest(image)
    inked = np.flatnonzero(body.max(axis=1) > _INK)
    if len(inked) < _LEAST_HEIGHT:
        return None
    level = 0.5 * float(np.median(body.max(axis=1)[inked]))
    rows, edges = _traced(body, inked, level)
    if len(rows) < 0.75 * len(inked):
        return None
    fitted = _fitted(rows, edges)
    if fitted is None:
        return None
    clean = np.abs(edges - fitted) < _SLACK
    return _with_fade(body, _Stem(rows, edges, fitted, clean))


def _largest(image: Array) -> Array:
    """`image` without specks: its component with the most ink."""
    named, count = label(image > _INK, _TOUCHING)
    if count == 0:
        return np.zeros_like(image)
    mass = np.bincount(named.ravel(), image.ravel())
    mass[0] = 0
    return image * binary_dilation(named == mass.argmax(), _TOUCHING)


def _runs(row: Array, level: float) -> Array:
    """Left and right ends of the runs of ink of at least `level` in a row, (runs, 2) columns."""
    ink = np.concatenate([[0.0], row, [0.0]])
    on = ink >= level
    up, down = np.flatnonzero(~on[:-1] & on[1:]), np.flatnonzero(on[:-1] & ~on[1:])
    left = up + (level - ink[up]) / (ink[up + 1] - ink[up]) - 1
    right = down + (ink[down] - level) / (ink[down] - ink[down + 1]) - 1
    return np.stack([left, right], axis=1)


def _traced(body: Array, inked: NDArray[np.int64], level: float) -> tuple[NDArray[np.int64], Array]:
    """Rows and edges (2, rows) of the run of ink that leads up from the bottom."""
    rows: list[int] = []
    edges: list[Array] = []
    own: list[tuple[float, float, float]] = []  # row, middle, width of runs as wide as the stem
    for y in inked[::-1]:
        runs = _runs(body[y], level)
        if not len(runs):
            if rows:
                break
            continue
        if own:
            x = _ahead(np.array(own[-5:]), y)
            away = np.maximum(runs[:, 0] - x, x - runs[:, 1]).clip(0)
            run = runs[away.argmin()]
            if away.min() > 4:
                break
        else:
            run = runs[np.diff(runs)[:, 0].argmax()]
        rows.append(int(y))
        edges.append(run)
        width = run[1] - run[0]
        if not own or width <= 1.3 * np.median([w for _, _, w in own]) + 0.8:
            own.append((float(y), float(run.mean()), float(width)))
    return np.array(rows[::-1], np.int64), np.array(edges[::-1]).reshape(-1, 2).T


def _ahead(own: Array, y: float) -> float:
    """Column where the stem with latest rows `own` (r, 3) should be in row `y`."""
    down = own[:, 0] - own[:, 0].mean()
    slope = float(down @ own[:, 1] / max(down @ down, 1e-9)) if len(own) > 2 else 0.0
    # a seven leans right, by up to 60 degrees
    return float(own[:, 1].mean() + np.clip(slope, -1.7, 0.8) * (y - own[:, 0].mean()))


def _fitted(rows: NDArray[np.int64], edges: Array) -> Array | None:
    """Edges (2, r) of the stem alone: a parabola of evenly changing width, robust."""
    down = (rows - rows.mean()) / (rows[-1] - rows[0])
    width = edges[1] - edges[0]
    typical = np.quantile(width[down > -0.2], 0.4)
    own = width <= 1.3 * typical + 0.7
    if own.sum() < _LEAST_CLEAN:
        return None
    early = np.where(down < down[0] + 0.15, 0.3, 1.0)  # the top bar is there, seldom the stem alone
    bend = np.stack([np.ones_like(down), down, down**2, 0 * down, 0 * down], axis=1)
    half = np.stack([0 * down, 0 * down, 0 * down, np.full_like(down, 0.5), 0.5 * down], axis=1)
    design = np.concatenate([bend - half, bend + half])
    weight = np.tile(np.where(own, early, 0), 2) + 1e-4
    target, early = edges.ravel(), np.tile(early, 2)
    stiff = np.diag([0, 0, 0.3, 0, 0.5])
    for scale in np.linspace(2.0, 1.2, 10):  # pixels: Tukey's biweight, narrowing
        normal = design.T @ (weight[:, None] * design) + stiff
        solved = np.linalg.solve(normal, design.T @ (weight * target))
        weight = np.clip(1 - ((target - design @ solved) / scale) ** 2, 0, 1) ** 2 * early + 1e-4
    fitted: Array = (design @ solved).reshape(2, -1)
    return fitted


def _with_fade(body: Array, stem: _Stem) -> _Stem:
    """`stem` with the fade that draws its clean rows best."""
    at = np.flatnonzero(stem.clean.all(axis=0))
    if not len(at):
        return stem
    middle, width = stem.edges.mean(axis=0)[at, None], np.diff(stem.edges, axis=0)[0, at, None]
    near = np.abs(np.arange(SIZE) - middle) < 1.5 + width
    ink = body[stem.rows[at]]
    errors = [
        float((((_drawn(stem.rows, stem.edges, fade)[at] - ink) * near) ** 2).sum())
        for fade in _FADES
    ]
    return replace(stem, fade=_FADES[int(np.argmin(errors))])


def _drawn(rows: NDArray[np.int64], edges: Array, fade: float) -> Array:
    """Ink (r, width) of a stem with these `edges` (2, r)."""
    inside = ((np.arange(5) + 0.5) / 5 - 0.5) * fade
    y = rows[:, None] + inside
    left, right = (np.interp(y, rows, e)[..., None] for e in edges)
    x = np.arange(SIZE)
    reach = np.minimum(x + fade / 2, right) - np.maximum(x - fade / 2, left)
    ink: Array = np.clip(reach / fade, 0, 1).mean(axis=1)
    return ink


def _pasted(image: Array, chance: np.random.Generator) -> Array | None:
    """`image` with a crossbar, or None where there is no plain stem or no room for a bar."""
    stem = _stem(image)
    if stem is None or stem.crossed:
        return None
    others = _beside(image, stem)
    for _ in range(_TRIES):
        bar = _written(image, stem, chance)
        if bar is not None and not (others & (bar > 0)).any():
            # two strokes cover a pixel like chance; full ink is the digit's own grey, seldom 1
            both = 1 - (1 - image) * (1 - bar)
            new: Array = np.maximum(image, np.minimum(both, _full(image)))
            seen = _stem(new)
            if seen is not None and seen.crossed:
                return new
    return None


def _full(image: Array) -> Array:
    """Grey level of full ink in each row, (height, 1): in MNIST 250 to 255, alike along a row."""
    deep = np.where(image > 0.96, image, np.nan)
    whole = np.nanmedian(deep) if np.isfinite(deep).any() else image.max()
    return np.array(
        [np.nanmedian(row) if np.isfinite(row).any() else whole for row in deep]
    ).reshape(-1, 1)


def _beside(image: Array, stem: _Stem) -> Mask:
    """Pixels (height, width) of or next to ink other than the stem's, which no bar may meet."""
    left, right = (np.interp(np.arange(SIZE), stem.rows, e)[:, None] for e in stem.fitted)
    x = np.arange(SIZE)
    away = (x < left - 1.5) | (x > right + 1.5)
    near: Mask = binary_dilation((image > _INK) & away, _TOUCHING) & away
    return near


def _written(image: Array, stem: _Stem, chance: np.random.Generator) -> Array | None:
    """Ink of a random crossbar on `stem`, (height, width), or None where it has no room."""
    place, slope, *reach, thickness = (
        float(np.clip(mean + spread * chance.standard_normal(), low, high))
        for mean, spread, low, high in (_PLACE, _SLOPE, *_REACH, _THICKNESS)
    )
    middle, width = stem.edges.mean(axis=0), stem.fitted[1] - stem.fitted[0]
    lean = np.gradient(stem.fitted.mean(axis=0), stem.rows)
    y = stem.rows[0] + place * (stem.rows[-1] - stem.rows[0])
    x, wide, across = (float(np.interp(y, stem.rows, v)) for v in (middle, width, lean))
    pen = wide / np.hypot(1, across)  # across the stem, not along the row
    ends = _ends(image, x, [max(r, wide / 2 + _STICKS_OUT) for r in reach])
    if min(ends) < wide / 2 + _STICKS_OUT:
        return None
    return _bar((x, y), slope, ends, thickness * pen / 2, stem.fade, chance)


def _ends(image: Array, x: float, reach: list[float]) -> tuple[float, float]:
    """How far a bar at column `x` goes left and right, kept in the image and the digit's box."""
    inked = np.flatnonzero(_largest(image).max(axis=0) > _INK)
    left = max(x - reach[0], _MARGIN, inked[-1] + 1 - _WIDEST)
    right = min(x + reach[1], SIZE - 1 - _MARGIN, inked[0] - 1 + _WIDEST)
    return x - left, right - x


def _bar(
    at: tuple[float, float],
    slope: float,
    ends: tuple[float, float],
    radius: float,
    fade: float,
    chance: np.random.Generator,
) -> Array:
    """Ink (height, width) of a bar through `at` (x, y)."""
    grid = np.arange(SIZE)[:, None] + ((np.arange(6) + 0.5) / 6 - 0.5) * fade
    points = grid.ravel()
    run = np.hypot(1, slope)
    dx, dy = points[None, :] - at[0], points[:, None] - at[1]
    along, off = (dx + slope * dy) / run, (dy - slope * dx) / run
    knots = np.linspace(-ends[0], ends[1], 8)
    sag = chance.normal(0, _BEND)
    upper, lower = _shape(knots, radius, chance)
    unit = (along + ends[0]) / (ends[0] + ends[1])
    bow = sag * (4 * unit * (1 - unit) - 0.5)
    end = np.minimum(along + ends[0], ends[1] - along)
    cap = np.sqrt(np.clip(1 - np.clip(1 - end / radius, 0, None) ** 2, 0, 1)) * (end > 0)
    up, down = np.interp(along, knots, upper), np.interp(along, knots, lower)
    inside = (off - bow > -up * cap) & (off - bow < down * cap)
    ink: Array = inside.reshape(SIZE, 6, SIZE, 6).mean(axis=(1, 3))
    return ink


def _shape(knots: Array, radius: float, chance: np.random.Generator) -> tuple[Array, Array]:
    """Distances of a bar's upper and lower edge from its line, at `knots`."""
    unit = (knots - knots[0]) / (knots[-1] - knots[0])
    taper = radius * (1 + chance.normal(*_TAPER) * (0.5 - unit))
    upper, lower = (
        np.clip(taper + chance.normal(0, _WOBBLE, len(knots)), 0.4, None) for _ in range(2)
    )
    return upper, lower


def _erased(image: Array) -> Array | None:
    """`image` without its crossbar, or None where none is found."""
    stem = _stem(image)
    if stem is None or not stem.crossed:
        return None
    zones = np.stack([_zone(stem.clean[k], stem.arms[k]) for k in (0, 1)])
    own = stem.clean & ~zones
    if own.sum(axis=1).min() < _LEAST_CLEAN:
        return None
    restored = _restored(stem, own, zones)
    drawn, new = np.zeros_like(image), image
    drawn[stem.rows] = _drawn(stem.rows, restored, stem.fade)
    for side in (0, 1):
        gone = _arm(image, stem, restored, drawn, zones[side], side)
        if gone is None:
            return None
        new = np.where(gone, np.minimum(new, drawn), new)
    # a bar that runs into the top's end took the top with it: what is left is a 1
    return new if _topped(new, stem) else None


def _restored(stem: _Stem, own: Mask, zones: Mask) -> Array:
    """Edges (2, r) of the stem: measured ones, and in `zones` what the rows around tell."""
    off = stem.edges - stem.fitted
    around = [np.interp(stem.rows, stem.rows[own[k]], off[k, own[k]]) for k in (0, 1)]
    restored: Array = np.where(zones, stem.fitted + np.stack(around), stem.edges)
    return restored


def _topped(image: Array, stem: _Stem) -> bool:
    """Whether a seven's top is there: some pixels of ink left of the stem's upper half."""
    upper = stem.rows[: len(stem.rows) // 2]
    left = stem.fitted[0][: len(upper), None] - 1.5
    ink = image[upper] * (np.arange(SIZE) < left)
    return bool(ink.sum() > _LEAST_TOP)


def _zone(clean: Mask, arm: Array) -> Mask:
    """Rows (r,) in which an arm leaves the stem, with one more above and below."""
    named, _ = label(~clean | (arm > 0.5))
    zone: Mask = binary_dilation(named == named[arm.argmax()])
    return zone


def _arm(
    image: Array, stem: _Stem, restored: Array, drawn: Array, zone: Mask, side: int
) -> Mask | None:
    """Pixels (height, width) of one arm, 0 the left and 1 the right; None if it joins the top."""
    x, sign, rows = np.arange(SIZE), 1 if side else -1, stem.rows
    beyond = sign * (x - restored[side][:, None])
    ours = sign * (x - restored.mean(axis=0)[:, None]) > -0.5
    more = image[rows] - drawn[rows] > 0.02
    part, seed = np.zeros((2, *image.shape), bool)
    # well beyond the edge all ink is loose; nearer only where an arm leaves, what no stem explains
    part[rows] = (beyond > 1.2) & (image[rows] > 0) | zone[:, None] & ours & more
    seed[rows] = zone[:, None] & (beyond > 0.5) & more
    named, _ = label(part, _TOUCHING)
    gone: Mask = np.isin(named, np.setdiff1d(named[seed], [0]))
    band = _band(stem, zone, side)
    gone &= band | _adrift(image, gone & band, gone)
    high = np.flatnonzero(gone.any(axis=1))
    if not len(high) or high[0] < stem.rows[0] + 0.15 * len(stem.rows):
        return None
    return gone


def _adrift(image: Array, cut: Mask, gone: Mask) -> Mask:
    """Pixels of `gone` that hang on to nothing once `cut` is cut out: the ends of a bent bar."""
    left = (image > 0) & ~cut
    named, _ = label(left, _TOUCHING)
    mass = np.bincount(named.ravel(), (image * left).ravel())
    adrift: Mask = gone & (named != mass.argmax())
    return adrift


def _band(stem: _Stem, zone: Mask, side: int) -> Mask:
    """Pixels (height, width) where one arm of a nearly straight bar can be.

    What is joined to the bar but outside is the digit's own: its top, or a hook that hangs from it.
    """
    arms = stem.arms
    roots = [float(arms[k] @ stem.rows / arms[k].sum()) for k in (0, 1)]
    x = [float(np.interp(roots[k], stem.rows, stem.fitted[k])) for k in (0, 1)]
    slope = np.clip((roots[1] - roots[0]) / max(x[1] - x[0], 1.0), -0.5, 0.5)
    across = np.arange(SIZE) - x[side]
    middle = roots[side] + slope * across
    half = zone.sum() / 2 + 1 + 0.3 * np.clip(np.abs(across) - 1, 0, None)
    band: Mask = np.abs(np.arange(SIZE)[:, None] - middle) < half
    return band
