"""What can be measured on a written digit: how much ink, how thick, slanted, long, where it ends.

The measures are those of Morpho-MNIST (Castro et al. 2019, JMLR 20(178), arXiv:1809.10780): the
image is enlarged four times with cubic splines and cut at half its largest grey level. Exact from
pixels: area, slant, width, height, holes, components. They depend on the skeleton and so on the
way it is made: thickness, length, ends, junctions, corners.

Axes: (n, height, width) of 28 x 28 pixels, ink is 1, row 0 on top. Lengths are in those pixels,
angles in radians, positive slants lean to the right.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from core.data.concepts.thinning import Skeletons, skeletons

__all__ = ["ENLARGED", "SIZE", "Anatomy", "orientations"]

Numbers = NDArray[np.float64]
Whole = NDArray[np.int64]
Flags = NDArray[np.bool_]

SIZE = 28
ENLARGED = 4  # times
TRIMMED = 0.02  # share of the ink left out of width and of height
SPUR = 2.5  # pixels; shorter branches of the skeleton come from rough edges
FINE_SPUR = 0.75  # pixels; a bar may stick out no further than this from a thick stem's skeleton
COHERENT = 0.5  # of the structure tensor, 0..1: above it a pixel has one orientation
_SMALLEST_HOLE = 8  # of the enlarged pixels, half a pixel
_NEAR = 1.5  # pixels: junctions nearer than this, or than the pen is thick, are one
_TURN = (2.5, 3.5)  # pixels along which a corner turns
_SHARP = 0.5  # sine of half the turn; a skeleton cuts corners: half of all 70-degree turns pass
_FOUR = np.zeros((3, 3, 3), bool)  # neighbours in the plane of an image
_FOUR[1] = [[0, 1, 0], [1, 1, 1], [0, 1, 0]]
_EIGHT = np.zeros((3, 3, 3), bool)
_EIGHT[1] = True


class Anatomy:
    """Measurements of n images, (n,) unless said otherwise, each made when first asked for."""

    def __init__(self, images: ArrayLike) -> None:
        """images: (n, 28, 28) or (n, 1, 28, 28) in 0..1. Raises `ValueError` for other shapes."""
        given = np.asarray(images, dtype=np.float64)
        if given.ndim == 4 and given.shape[1] == 1:
            given = given[:, 0]
        if given.ndim != 3 or given.shape[1:] != (SIZE, SIZE):
            raise ValueError(
                f"images have shape {given.shape}: give (n, 28, 28) or (n, 1, 28, 28)."
            )
        if not np.isfinite(given).all():
            raise ValueError("images hold values that aren't finite: give grey levels in 0..1.")
        self.images = given

    def __len__(self) -> int:
        """How many images."""
        return len(self.images)

    def take(self, index: Whole) -> Anatomy:
        """The images at `index`, with what was measured of them already."""
        some = Anatomy(self.images[index])
        for name in ("grey", "binary", "skeleton", "thickness"):
            if name in self.__dict__:
                some.__dict__[name] = self.__dict__[name][index]
        return some

    @cached_property
    def grey(self) -> Numbers:
        """The images enlarged, (n, 112, 112)."""
        return np.clip(_ENLARGE @ self.images @ _ENLARGE.T, 0, 1)

    @cached_property
    def binary(self) -> Flags:
        """The enlarged images cut at half their largest grey level; a blank one has no ink."""
        return _inked(self.grey)

    @cached_property
    def skeleton(self) -> Skeletons:
        """Skeletons of the enlarged images, with and without spurs."""
        return skeletons(self.binary, round(SPUR * ENLARGED))

    @cached_property
    def fine_skeleton(self) -> Skeletons:
        """The same with all spurs but the shortest."""
        return skeletons(self.skeleton.whole, round(FINE_SPUR * ENLARGED))

    @cached_property
    def ink(self) -> Flags:
        """Where there is ink, (n, 28, 28)."""
        return _inked(self.images)

    @cached_property
    def area(self) -> Numbers:
        """Ink in square pixels."""
        found: Numbers = self.binary.sum((1, 2)) / ENLARGED**2
        return found

    @cached_property
    def slant(self) -> Numbers:
        """The angle that undoes the shear of the second moments, arctan(-mu11 / mu02)."""
        return np.arctan(self._shear)

    @cached_property
    def height(self) -> Numbers:
        """Rows that hold the ink, a hundredth of it left out above and below."""
        rows = self.grey.sum(2)
        return _span(np.broadcast_to(_LINE, rows.shape), rows)

    @cached_property
    def width(self) -> Numbers:
        """Breadth of the ink along its slanted rows, a hundredth of it left out on each side."""
        n = len(self)
        upright = _LINE[None, None] + self._shear[:, None, None] * _LINE[None, :, None]
        return _span(upright.reshape(n, -1), self.grey.reshape(n, -1))

    @cached_property
    def thickness(self) -> Numbers:
        """Twice the mean distance of the skeleton to the background; 0 for a blank image."""
        points = _points(self.skeleton.whole)
        total = np.bincount(points[0], _depths(self.binary, points), minlength=len(self))
        several = np.bincount(points[0], minlength=len(self))
        found: Numbers = 2 * total / np.maximum(several, 1) / ENLARGED
        return found

    @cached_property
    def length(self) -> Numbers:
        """Length of the skeleton, steps along diagonals counting as the root of two."""
        s = self.skeleton.whole
        straight = (s[:, :, 1:] & s[:, :, :-1]).sum((1, 2)) + (s[:, 1:] & s[:, :-1]).sum((1, 2))
        falling = (s[:, 1:, 1:] & s[:, :-1, :-1]).sum((1, 2))
        rising = (s[:, 1:, :-1] & s[:, :-1, 1:]).sum((1, 2))
        found: Numbers = (straight + np.sqrt(2) * (falling + rising)) / ENLARGED
        return found

    @cached_property
    def components(self) -> Whole:
        """Separate pieces of ink, touching at corners counted as one."""
        return _counts(self.binary, _EIGHT)

    @cached_property
    def holes(self) -> Whole:
        """Pieces of background that ink encloses, of half a pixel at least."""
        return np.array([len(each) for each in self.hole_boxes], dtype=np.int64)

    @cached_property
    def hole_pieces(self) -> NDArray[np.int32]:
        """The number of the hole at each enlarged pixel, 0 where there is none."""
        return _enclosed(self.binary, _SMALLEST_HOLE)

    @cached_property
    def hole_boxes(self) -> list[list[tuple[int, float, float]]]:
        """For each image its holes: number, area in square pixels, row of the centre in 0..28."""
        found: list[list[tuple[int, float, float]]] = [[] for _ in range(len(self))]
        pieces = self.hole_pieces
        at, rows, _ = _points(pieces > 0)
        numbers = pieces[pieces > 0]
        sizes = np.bincount(numbers)
        centres = np.bincount(numbers, rows + 0.5) / np.maximum(sizes, 1) / ENLARGED
        for number in np.unique(numbers):
            image = at[np.argmax(numbers == number)]
            found[image].append((int(number), sizes[number] / ENLARGED**2, centres[number]))
        return found

    @cached_property
    def ends(self) -> Whole:
        """Ends of strokes."""
        return _counts(self.skeleton.ends, _EIGHT)

    @cached_property
    def junctions(self) -> Whole:
        """Places where three or more strokes meet."""
        return _counts(self.junction_places, _EIGHT)

    @cached_property
    def junction_places(self) -> Flags:
        """Junction pixels, enlarged, joined where they are nearer than the pen is thick."""
        return np.stack(
            [
                _spread(one, max(_NEAR, pen) * ENLARGED / 2)
                for one, pen in zip(self.skeleton.junctions, self.thickness, strict=True)
            ]
        )

    @cached_property
    def corners(self) -> Whole:
        """Places where a stroke turns by about 70 degrees or more."""
        return _counts(self.corner_places, _EIGHT)

    @cached_property
    def corner_places(self) -> Flags:
        """Skeleton pixels, enlarged, at which a stroke turns by about 70 degrees or more."""
        return _corners(self.skeleton.lines, self.skeleton.ends | self.skeleton.junctions)

    @cached_property
    def orientation(self) -> Numbers:
        """Angle of the stroke at each inked pixel, (n, 28, 28): see `orientations`; else nan."""
        angle, coherence = orientations(self.images)
        return np.where(self.ink & (coherence > COHERENT), angle, np.nan)

    @cached_property
    def _shear(self) -> Numbers:
        """Columns that the ink moves to the right for each row upwards."""
        rows, columns = self.grey.sum(2), self.grey.sum(1)
        total = rows.sum(1)
        y, x = _ratio(_moment(rows, 1), total), _ratio(_moment(columns, 1), total)
        both = _moment(self.grey @ _LINE, 1) - total * x * y
        return _ratio(-both, _moment(rows, 2) - total * y * y)


def orientations(images: Numbers) -> tuple[Numbers, Numbers]:
    """Angle of the strokes in 0..pi, counterclockwise from the horizontal, and coherence in 0..1.

    images: (n, height, width). From the structure tensor of the gradients of Gaussians of one
    pixel, itself smoothed by one of one pixel (Bigün & Granlund 1987).
    """
    down = ndimage.gaussian_filter(images, (0, 1, 1), order=(0, 1, 0))
    right = ndimage.gaussian_filter(images, (0, 1, 1), order=(0, 0, 1))
    xx, xy, yy = (
        ndimage.gaussian_filter(product, (0, 1, 1))
        for product in (right * right, -right * down, down * down)  # y grows upwards here
    )
    angle = (np.arctan2(2 * xy, xx - yy) / 2 + np.pi / 2) % np.pi  # across the gradient
    return angle, _ratio(np.hypot(xx - yy, 2 * xy), xx + yy)


def blocks(enlarged: Flags, share: float = 0.5) -> Flags:
    """(n, 28, 28): whether at least `share` of each pixel's enlarged pixels are set."""
    columns = enlarged.view(np.uint8).reshape(-1, SIZE, ENLARGED, SIZE * ENLARGED).sum(2, np.uint8)
    found: Flags = columns.reshape(-1, SIZE, SIZE, ENLARGED).sum(3) >= share * ENLARGED**2
    return found


def spots(enlarged: Flags) -> Flags:
    """(n, 28, 28): the 3 x 3 pixels around each piece of the enlarged flags."""
    found: Flags = ndimage.binary_dilation(blocks(enlarged, 1 / ENLARGED**2), _EIGHT)
    return found


def _inked(grey: Numbers) -> Flags:
    """Pixels of half an image's largest grey level at least; none of a blank image."""
    most = grey.max((1, 2), keepdims=True, initial=0)
    found: Flags = (grey >= most / 2) & (most > 0)
    return found


def _depths(binary: Flags, points: tuple[Whole, ...]) -> Numbers:
    """Distances to the nearest background of the inked `points` (image, row, column).

    Along each row first, then over ever more rows up and down, until none can be nearer. Twice the
    image's side in an image that is all ink: what is outside it isn't background.
    """
    image, row, column = points
    along = _along_rows(binary)
    found = along[points] ** 2
    for step in range(1, len(along[0])):
        if (found <= step**2).all():
            break
        for other in (row - step, row + step):
            there = (other >= 0) & (other < len(along[0]))
            over = along[image[there], other[there], column[there]] ** 2 + step**2
            found[there] = np.minimum(found[there], over)
    return np.sqrt(found)


def _along_rows(binary: Flags) -> NDArray[np.int32]:
    """How many columns each pixel is from the nearest background of its row, or from none."""
    width = binary.shape[2]
    columns, none = np.arange(width, dtype=np.int32), np.int32(2 * width)
    left = np.maximum.accumulate(np.where(binary, -none, columns), axis=2)
    right = np.minimum.accumulate(np.where(binary, width + none, columns)[..., ::-1], axis=2)
    np.minimum(columns - left, right[..., ::-1] - columns, out=left)
    found: NDArray[np.int32] = np.minimum(left, none)
    return found


def _points(flags: Flags) -> tuple[Whole, ...]:
    """Where flags are set, as `np.nonzero` but sooner."""
    return np.unravel_index(np.flatnonzero(flags), flags.shape)


def _enlargement() -> Numbers:
    """(112, 28): cubic splines, smoothed as an image pyramid is, by a third of the enlargement."""
    splines = ndimage.zoom(
        np.eye(SIZE), (ENLARGED, 1), order=3, mode="grid-constant", grid_mode=True
    )
    found: Numbers = ndimage.gaussian_filter1d(splines, ENLARGED / 3, axis=0)
    return found


_ENLARGE = _enlargement()
_LINE = np.arange(SIZE * ENLARGED, dtype=np.float64)


def _span(values: Numbers, weights: Numbers) -> Numbers:
    """In pixels, the breadth of `values` (n, …) without half of `TRIMMED` on both sides."""
    found = np.zeros(len(weights))
    for i, (value, weight) in enumerate(zip(values, weights, strict=True)):
        inked = weight > 0
        order = value[inked].argsort()
        grown, sorted_values = weight[inked][order].cumsum(), value[inked][order]
        if len(grown):
            low, high = np.searchsorted(grown / grown[-1], (TRIMMED / 2, 1 - TRIMMED / 2))
            found[i] = sorted_values[high] - sorted_values[low]
    return found / ENLARGED


def _enclosed(binary: Flags, smallest: int) -> NDArray[np.int32]:
    """Numbers of the background pieces, of `smallest` pixels at least, that touch no border."""
    open_ = np.pad(~binary, ((0, 0), (1, 1), (1, 1)), constant_values=True)
    pieces, count = ndimage.label(open_, _FOUR)
    keep = np.bincount(pieces.ravel(), minlength=count + 1) >= smallest
    keep[np.unique(pieces[:, 0, 0])] = False  # the padding makes one piece of all that is outside
    keep[0] = False
    inside: NDArray[np.int32] = np.where(keep[pieces], pieces, 0)[:, 1:-1, 1:-1]
    return inside


def _counts(flags: Flags, structure: Flags) -> Whole:
    """How many connected pieces each image has."""
    pieces, _ = ndimage.label(flags, structure)  # numbered image after image
    last = np.maximum.accumulate(pieces.reshape(len(pieces), -1).max(1, initial=0))
    return np.diff(last, prepend=0).astype(np.int64)


def _spread(flags: Flags, radius: float) -> Flags:
    """Every pixel within `radius` of a set one."""
    if not flags.any():
        return flags
    near: Flags = ndimage.distance_transform_edt(~flags) <= radius
    return near


def _corners(lines: Flags, stops: Flags) -> Flags:
    """Pixels of skeletons that turn sharply, away from ends and junctions (`stops`)."""
    found = np.zeros_like(lines)
    padded = np.pad(lines, ((0, 0), (_REACH, _REACH), (_REACH, _REACH)))
    around = sliding_window_view(padded, _RING.shape[:2], axis=(1, 2))
    weights = _RING.reshape(-1, 3)
    for i, line in enumerate(lines):
        y, x = _points(line)
        halts = stops[i, y, x]
        near = (y[:, None] - y[halts]) ** 2 + (x[:, None] - x[halts]) ** 2
        free = (near > (_TURN[1] * ENLARGED) ** 2).all(1)
        y, x = y[free], x[free]
        sums = around[i, y, x].reshape(len(y), len(weights)) @ weights
        turn = np.hypot(sums[:, 0], sums[:, 1]) / np.maximum(sums[:, 2], 1)
        found[i, y, x] = turn >= _SHARP
    return found


def _ring() -> Numbers:
    """(29, 29, 3): the unit vector (y, x) to each place on the ring a corner turns on, and a 1."""
    away = np.moveaxis(np.mgrid[-_REACH : _REACH + 1, -_REACH : _REACH + 1].astype(float), 0, 2)
    far = np.hypot(away[..., 0], away[..., 1])[..., None]
    on = (far >= _TURN[0] * ENLARGED) & (far <= _TURN[1] * ENLARGED)
    found: Numbers = np.where(on, np.concatenate([away / np.maximum(far, 1), on], axis=2), 0)
    return found


_REACH = round(_TURN[1] * ENLARGED)
_RING = _ring()


def _moment(values: Numbers, power: int) -> Numbers:
    """Sum of `values` (n, 112) times their places to `power`; a product of matrices would round
    an image's moment differently among other images."""
    found: Numbers = (values * _LINE**power).sum(1)
    return found


def _ratio(above: Numbers, below: Numbers) -> Numbers:
    """above / below, 0 where below is 0."""
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)
