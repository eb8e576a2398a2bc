"""Digits drawn stroke by stroke, with every part known exactly: images, part masks, pen settings.

A digit is a form of `core.data.strokes.glyphs`, bent by a smooth random warp, slanted, drawn with a
round pen, fitted into 20 x 20 pixels and shifted by whole pixels until its centre of mass is within
half a pixel of pixel (14, 14), as MNIST does (LeCun et al. 1998). Fit and shift look at the parts
that chance gave the digit, whatever parts the caller then forces on or off: so switching a part
changes only pixels that it reaches.

The pen: for stroke points p with lengths l, F = sum l * sqrt(a/pi) * exp(-a * |pixel - p|^2) is
exp(-a * d^2) at distance d from a straight line, so sqrt(-log F / a) is a smooth distance, and it
splits into a row and a column factor: one small matrix product a part.

Axes: (digits, height, width). Images are float32 in 0..1, ink is 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from core.arguments import real, seeded, whole
from core.data.strokes.glyphs import (
    BENDINGS,
    GLYPHS,
    MOST_KNOTS,
    OPTIONAL,
    PARTS,
    Form,
    Plan,
    parts_of,
    plan,
)
from core.text import literal

__all__ = ["OPTIONAL", "PARTS", "Parts", "Rendered", "draw", "generate", "parts_of"]

Array = NDArray[np.float64]
Pixels = NDArray[np.float32]
Value = TypeVar("Value", bound=np.generic)

SIZE, BOX = 28, 20  # pixels: the image, and the box a digit is fitted into, as in MNIST
CENTRE = 14  # pixel row and column: MNIST's mean centre of mass, measured on its training set
_MARGIN = 5  # pixels of canvas around the image, so that the shift by mass cuts off nothing
_CANVAS = SIZE + 2 * _MARGIN
_PIXEL = np.arange(_CANVAS, dtype=np.float32)
_MIDDLE = (_CANVAS - 1) / 2
_SHARPNESS = 3.0  # a of the pen field, per square pixel; see _REACH
_REACH = 41.0  # a * d^2 at which a factor stops falling: 3.7 px, more than the thickest pen and its
# edge reach; the product of two such factors is still a normal float32, and subnormals are slow
_NONE = 1e-36  # a pen field that is nothing; its logarithm is finite in float32
_CHUNK = 256  # digits rendered at once, so that the work fits in the processor cache

# Spread of the handwriting, matched to MNIST's training images: each class's mean and spread of
# ink, width, height and slant, and the histogram of grey levels.
THICKNESS = (1.3, 5.3)  # pixels, the thinnest and the thickest pen
_THICKNESS_MEDIAN, _THICKNESS_SPREAD = 2.4, 0.28  # pixels; standard deviation of the logarithm
SLANT_LIMIT = 0.8  # radians either way
_SLANT_MEAN, _SLANT_SPREAD = 0.13, 0.22  # radians
_WIDTH_SPREAD = 0.2  # standard deviation of the width's logarithm
_ROTATION_SPREAD = 0.08  # radians
_WARP_SPREAD = 0.055  # glyph heights, of each smooth bending
_KNOT_SPREAD = 0.025  # glyph heights, of each knot
_PRESS_SPREAD = 0.12  # of the thickness's logarithm, from the middle of the box to its border
_EDGE = (1.0, 1.5)  # pixels from full ink to none; 1 is an ideal box-filtered edge

_COLUMNS = 8 + len(OPTIONAL) + 2 * BENDINGS + 2 * MOST_KNOTS  # random numbers a digit


@dataclass(frozen=True)
class Parts:
    """What was drawn in each of n digits, and where.

    names: the parts, `PARTS`. present: bool (n, parts). codes: uint32 (n, height, width), bit k set
    where part k covers at least half a pixel's ink. thickness: pixels between the two edges of the
    stroke at half ink, in the middle of the box. slant: radians, positive leaning right, arctan of
    the shear, the sign of Morpho-MNIST's arctan(-mu11/mu02) (Castro et al. 2018, arXiv:1809.10780).
    width: factor on the form's natural width. variant: name of the form, such as "7 curved".
    """

    names: tuple[str, ...]
    present: NDArray[np.bool_]
    codes: NDArray[np.uint32]
    thickness: Pixels
    slant: Pixels
    width: Pixels
    variant: NDArray[np.str_]

    def __len__(self) -> int:
        """How many digits."""
        return len(self.present)

    def has(self, name: str) -> NDArray[np.bool_]:
        """Which digits were drawn with part `name`, bool (n,). Raises `ValueError` if unknown."""
        return self.present[:, _part(name)]

    def masks(self, name: str) -> NDArray[np.bool_]:
        """Where part `name` is, bool (n, height, width). Raises `ValueError` if unknown."""
        return (self.codes >> np.uint32(_part(name)) & np.uint32(1)).astype(bool)

    def take(self, index: NDArray[np.int64] | NDArray[np.bool_] | slice) -> Parts:
        """The digits at `index`, in its order."""
        arrays = {f.name: getattr(self, f.name)[index] for f in fields(self) if f.name != "names"}
        return Parts(names=self.names, **arrays)

    def __getitem__(self, index: NDArray[np.int64] | NDArray[np.bool_] | slice) -> Parts:
        """The digits at `index`, as `take`."""
        return self.take(index)


@dataclass(frozen=True)
class Rendered:
    """Digits: images float32 (n, height, width) in 0..1, labels int64 (n,), and their parts."""

    images: Pixels
    labels: NDArray[np.int64]
    parts: Parts


def generate(n: int, *, seed: int = 0) -> Rendered:
    """`n` random digits, each ten in a row holding every class once.

    Digit i depends on `seed` and i alone. Raises `ValueError` when `n` is below 1.
    """
    n, seed = whole(n, "n", 1), seeded(seed)
    order = np.random.default_rng([seed, 1]).random((-(-n // 10), 10))
    return draw(order.argsort(axis=1).ravel()[:n], seed=seed)


def draw(
    labels: ArrayLike,
    *,
    seed: int = 0,
    with_parts: Mapping[str, bool] | None = None,
    thickness: float | None = None,
    slant: float | None = None,
    width: float | None = None,
    wobble: float = 1.0,
) -> Rendered:
    """One digit for each of `labels`; digit i depends on `seed`, i, its label and the options.

    with_parts: optional parts to force on (True) or off; the rest of the digit, its size and its
    place stay bit by bit, so two calls with the same seed make counterfactual pairs.
    thickness (pixels), slant (radians), width (factor): the same for all; random when None.
    wobble: factor on warp, rotation and knot noise; 0 draws the bare form.

    Raises `ValueError` for labels outside 0..9 or none, a part that is unknown, not optional or
    not of every label's class, and settings out of range.
    """
    digits, seed = _checked_labels(labels), seeded(seed)
    forced = dict(with_parts or {})
    _check_parts(forced, digits)
    thickness, slant, width, wobble = _checked_pen(thickness, slant, width, wobble)
    chance = np.random.default_rng([seed, 0]).random((len(digits), _COLUMNS))
    pens = _pens(chance, thickness, slant, width, wobble)
    return _render(digits, _forms(digits, chance[:, 0]), pens, forced)


def _part(name: str) -> int:
    """The number of part `name` in `PARTS`."""
    if name not in PARTS:
        raise ValueError(f"{literal(name)} is not a part: choose one of {', '.join(PARTS)}.")
    return PARTS.index(name)


def _checked_labels(labels: ArrayLike) -> NDArray[np.int64]:
    """`labels` as int64 (n,), or `ValueError`."""
    given = np.asarray(labels)
    if given.ndim != 1 or given.size < 1:
        raise ValueError(f"labels have shape {given.shape}: pass n >= 1 labels, such as [7, 7].")
    wrong = given[~np.isin(given, np.arange(10))]
    if wrong.size:
        raise ValueError(
            f"label {literal(wrong[0])} is not a digit: valid are 0 to 9; correct the labels."
        )
    return given.astype(np.int64)


def _check_parts(forced: Mapping[str, bool], labels: NDArray[np.int64]) -> None:
    """Raises `ValueError` unless each forced part is optional in the class of every label."""
    for name in forced:
        _part(name)
        if name not in OPTIONAL:
            raise ValueError(
                f"{literal(name)} can't be switched: it is no optional part; "
                f"choose of {', '.join(OPTIONAL)}."
            )
        for label in np.unique(labels):
            own = [part for part in parts_of(label) if part in OPTIONAL]
            if name not in own:
                raise ValueError(
                    f"digit {label} has no {literal(name)}: its optional parts are "
                    f"{', '.join(own) or 'none'}; leave {literal(name)} out or draw other labels."
                )


def _checked_pen(
    thickness: float | None, slant: float | None, width: float | None, wobble: float
) -> tuple[float | None, float | None, float | None, float]:
    """The settings as numbers, or `ValueError` for one out of its range."""
    limits = {
        "thickness": (thickness, *THICKNESS),
        "slant": (slant, -SLANT_LIMIT, SLANT_LIMIT),
        "width": (width, 0.3, 3.0),
    }
    pen, lean, wide = (
        None if value is None else real(value, name, low, high)
        for name, (value, low, high) in limits.items()
    )
    return pen, lean, wide, real(wobble, "wobble", 0.0, 2.0)


@dataclass(frozen=True)
class _Pens:
    """The random numbers of n digits, as settings of pen and hand."""

    thickness: Array  # (n,) pixels
    edge: Array  # (n,) pixels
    press: Array  # (n, xy) change of the thickness's logarithm, from middle to border
    slant: Array  # (n,) radians
    width: Array  # (n,) factor
    rotation: Array  # (n,) radians
    chance: Array  # (n, optional parts) uniform
    bend: Array  # (n, bendings, xy) glyph heights
    shake: Array  # (n, knots, xy) glyph heights

    def take(self, index: NDArray[np.int64]) -> _Pens:
        """The settings of the digits at `index`."""
        return _Pens(*(getattr(self, f.name)[index] for f in fields(self)))


def _pens(
    chance: Array, thickness: float | None, slant: float | None, width: float | None, wobble: float
) -> _Pens:
    """Settings from uniform numbers `chance` (n, _COLUMNS), columns in the same order always."""
    n = len(chance)
    bends_at = 8 + len(OPTIONAL)
    shakes_at = bends_at + 2 * BENDINGS
    normal = ndtri(np.clip(chance, 1e-9, 1 - 1e-9))  # finite also where chance is 0
    pen = np.clip(_THICKNESS_MEDIAN * np.exp(_THICKNESS_SPREAD * normal[:, 1]), *THICKNESS)
    lean = np.clip(_SLANT_MEAN + _SLANT_SPREAD * normal[:, 2], -SLANT_LIMIT, SLANT_LIMIT)
    return _Pens(
        thickness=pen if thickness is None else np.full(n, float(thickness)),
        slant=lean if slant is None else np.full(n, float(slant)),
        width=np.exp(_WIDTH_SPREAD * normal[:, 3]) if width is None else np.full(n, float(width)),
        rotation=wobble * _ROTATION_SPREAD * normal[:, 4],
        edge=_EDGE[0] + (_EDGE[1] - _EDGE[0]) * chance[:, 5],
        press=wobble * _PRESS_SPREAD * normal[:, 6:8],
        chance=chance[:, 8:bends_at],
        bend=wobble * _WARP_SPREAD * normal[:, bends_at:shakes_at].reshape(n, BENDINGS, 2),
        shake=wobble * _KNOT_SPREAD * normal[:, shakes_at:].reshape(n, MOST_KNOTS, 2),
    )


def _forms(labels: NDArray[np.int64], chance: Array) -> NDArray[np.int64]:
    """The number of each digit's form within its class, (n,), drawn by the forms' shares."""
    chosen = np.zeros(len(labels), np.int64)
    for label in np.unique(labels):
        share = np.cumsum([form.share for form in GLYPHS[label]])
        mine = labels == label
        chosen[mine] = np.searchsorted(share[:-1] / share[-1], chance[mine], side="right")
    return chosen


def _render(
    labels: NDArray[np.int64], forms: NDArray[np.int64], pens: _Pens, forced: Mapping[str, bool]
) -> Rendered:
    """The digits drawn, form by form and chunk by chunk."""
    n = len(labels)
    images = np.zeros((n, SIZE, SIZE), np.float32)
    codes = np.zeros((n, SIZE, SIZE), np.uint32)
    own, present = np.zeros((2, n, len(PARTS)), bool)  # parts by chance, and with the forced ones
    variant = np.empty(n, dtype="U16")
    for label, number in np.unique(np.stack([labels, forms], axis=1), axis=0):
        form, shape = GLYPHS[label][number], plan(int(label), int(number))
        mine = np.flatnonzero((labels == label) & (forms == number))
        variant[mine] = f"{label} {form.name}"
        own[mine] = present[mine] = _presence(form, shape, pens.chance[mine])
        for name, on in forced.items():
            present[mine, _part(name)] = on
        for chunk in np.split(mine, range(_CHUNK, len(mine), _CHUNK)):
            hand = pens.take(chunk)
            images[chunk], codes[chunk] = _ink(shape, hand, own[chunk], present[chunk])
    pen, slant, width = (v.astype(np.float32) for v in (pens.thickness, pens.slant, pens.width))
    return Rendered(images, labels, Parts(PARTS, present, codes, pen, slant, width, variant))


def _presence(form: Form, shape: Plan, chance: Array) -> NDArray[np.bool_]:
    """Which parts chance gives each digit of one form, bool (n, parts)."""
    present = np.zeros((len(chance), len(PARTS)), bool)
    for part, _ in shape.slices:
        name = PARTS[part]
        if name in OPTIONAL:
            present[:, part] = chance[:, OPTIONAL.index(name)] < form.optional[name]
        else:
            present[:, part] = True
    return present


def _ink(
    shape: Plan, pens: _Pens, own: NDArray[np.bool_], present: NDArray[np.bool_]
) -> tuple[Pixels, NDArray[np.uint32]]:
    """Images and part codes of digits of one form, both (n, height, width).

    `own` parts (n, parts) decide fit and shift, `present` ones are drawn.
    """
    middles, lengths = _placed(shape, pens, own)
    rows, columns = _factors(middles, lengths)
    body, frame, extra = np.zeros((3, len(own), _CANVAS, _CANVAS), np.float32)
    codes = np.zeros(body.shape, np.uint32)
    edge = pens.edge.astype(np.float32)[:, None, None]
    radius = _radius(pens, _PIXEL - _MIDDLE, _PIXEL[:, None] - _MIDDLE)
    half = np.exp(-_SHARPNESS * radius**2)  # field at half ink
    for part, at in shape.slices:
        used = np.flatnonzero(own[:, part] | present[:, part])
        drawn = present[used, part, None, None]
        field = rows[used, :, at] @ columns[used, at]
        codes[used] |= (drawn & (field >= half[used])) * np.uint32(1 << part)
        if PARTS[part] in OPTIONAL:
            ink = _coverage(field, radius[used], edge[used])
            frame[used] = np.maximum(frame[used], ink * own[used, part, None, None])
            extra[used] = np.maximum(extra[used], ink * drawn)
        else:
            body += field
    body = _coverage(body, radius, edge)
    corner = _corner(np.maximum(body, frame))
    return _cropped(np.maximum(body, extra), corner), _cropped(codes, corner)


def _placed(shape: Plan, pens: _Pens, own: NDArray[np.bool_]) -> tuple[Array, Array]:
    """Segments in canvas pixels: middles (n, segments, xy) and lengths (n, segments)."""
    starts, ends = _written(shape, pens)
    fitted = own[:, shape.parts, None]  # the segments that decide the fit into the box
    low, high = _bounds(starts, ends, fitted)
    size = np.maximum(high - low, 1e-9)
    room = BOX - (pens.edge - 1)[:, None]  # an edge of 1 px fades out at the box's border
    even = (room[:, 0] - pens.thickness) / size.max(axis=1)  # the scale if the pen were even
    starts, ends = ((at - (low + high)[:, None] / 2) * even[:, None, None] for at in (starts, ends))
    low, high = _inked(starts, ends, pens, fitted)
    change = 1 + ((room - (high - low)) / size).min(axis=1)[:, None, None] / even[:, None, None]
    middles = (starts + ends) / 2 * change + _MIDDLE - (low + high)[:, None] / 2
    return middles, np.hypot(*np.moveaxis(ends - starts, -1, 0)) * change[..., 0]


def _inked(
    starts: Array, ends: Array, pens: _Pens, fitted: NDArray[np.bool_]
) -> tuple[Array, Array]:
    """Bounds of the ink along the `fitted` segments, in pixels from the middle, both (n, xy)."""
    middles = (starts + ends) / 2
    radius = _radius(pens, middles[..., :1], middles[..., 1:])
    grown = (radius + 1) * pens.press[:, None] / (BOX / 2)  # where the ink's edge fades out
    low, _ = _bounds(starts - radius * np.exp(-grown), ends - radius * np.exp(-grown), fitted)
    _, high = _bounds(starts + radius * np.exp(grown), ends + radius * np.exp(grown), fitted)
    return low, high


def _written(shape: Plan, pens: _Pens) -> tuple[Array, Array]:
    """Both ends of each segment as the hand writes them, (n, segments, xy) in glyph heights."""
    knots = shape.knots + pens.shake[:, : len(shape.knots)]
    knots = knots + shape.bendings @ pens.bend
    x, y = knots[..., 0] * pens.width[:, None], knots[..., 1] - 0.5
    cos, sin = np.cos(pens.rotation)[:, None], np.sin(pens.rotation)[:, None]
    x, y = cos * x - sin * y, sin * x + cos * y
    knots = np.stack([x - np.tan(pens.slant)[:, None] * y, y], axis=-1)
    return shape.starts @ knots, shape.ends @ knots


def _bounds(starts: Array, ends: Array, fitted: NDArray[np.bool_]) -> tuple[Array, Array]:
    """Lowest and highest coordinates of the `fitted` segments, both (n, xy)."""
    low: Array = np.minimum(starts, ends).min(axis=1, where=fitted, initial=np.inf)
    high: Array = np.maximum(starts, ends).max(axis=1, where=fitted, initial=-np.inf)
    return low, high


def _factors(middles: Array, lengths: Array) -> tuple[Pixels, Pixels]:
    """Row and column factors of the pen field: (n, height, segments) and (n, segments, width)."""
    x, y = np.moveaxis(middles.astype(np.float32), -1, 0)
    down = np.float32(_SHARPNESS) * (_PIXEL[:, None] - y[:, None, :]) ** 2
    across = np.float32(_SHARPNESS) * (_PIXEL - x[..., None]) ** 2
    for far in (down, across):
        np.minimum(far, np.float32(_REACH), out=far)
    weight = (lengths * np.sqrt(_SHARPNESS / np.pi)).astype(np.float32)
    return np.exp(-down), np.exp(-across) * weight[..., None]


def _coverage(field: Pixels, radius: Pixels, edge: Pixels) -> Pixels:
    """Ink in 0..1 of a pen field: full within the pen's radius, fading over its edge."""
    distance = np.sqrt(np.maximum(-np.log(np.maximum(field, _NONE)), 0) / _SHARPNESS)
    ink: Pixels = np.clip((radius - distance) / edge + np.float32(0.5), 0, 1)
    return ink


def _radius(pens: _Pens, x: NDArray[Any], y: NDArray[Any]) -> Pixels:
    """Half the pen's thickness at pixels right and down of the middle: a hand presses unevenly."""
    press = (pens.press[:, :1, None] * x + pens.press[:, 1:, None] * y) / (BOX / 2)
    radius: Pixels = np.clip(pens.thickness[:, None, None] * np.exp(press), *THICKNESS) / 2
    return radius.astype(np.float32)


def _corner(body: Pixels) -> NDArray[np.int64]:
    """Top and left of the crop that puts each digit's centre of mass nearest `CENTRE`, (n, 2)."""
    pixel = np.arange(_CANVAS)
    mass = body.sum(axis=(1, 2), dtype=np.float64)
    down, across = body.sum(axis=2) @ pixel / mass, body.sum(axis=1) @ pixel / mass
    corner: NDArray[np.int64] = np.rint(np.stack([down, across], axis=1)).astype(np.int64) - CENTRE
    return corner.clip(0, 2 * _MARGIN)


def _cropped(canvas: NDArray[Value], corner: NDArray[np.int64]) -> NDArray[Value]:
    """The image within each canvas, from its `corner`."""
    pixel = np.arange(SIZE)
    rows, columns = corner[:, :1] + pixel, corner[:, 1:] + pixel
    digits = np.arange(len(canvas))[:, None, None]
    image: NDArray[Value] = canvas[digits, rows[:, :, None], columns[:, None, :]]
    return image
