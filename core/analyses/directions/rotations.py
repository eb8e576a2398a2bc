"""The axes of a rotated layer: what its best unit is to be compared with.

A layer holds as much in any rotated basis as in its own. If a random rotation has an axis
that tells a concept as well as the best unit does, the layer carries the concept and no unit is
devoted to it. Rotations are uniform on the orthogonal group: QR of a Gaussian matrix, columns times
the signs of R's diagonal (Mezzadri 2007, arXiv:math-ph/0609050).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.arguments import seeded, whole
from core.statistics.ranking import Answers

__all__ = ["Axis", "best_axis", "rotated_axes", "rotation"]

Numbers = NDArray[np.float64]
Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Axis:
    """The column of activations that tells a concept best, and what it reaches on other digits.

    sign: 1 where it is higher with the concept, -1 where it is lower. chosen, judged: AUC with that
    sign, on the digits on which it was chosen and on those on which it is judged.
    """

    index: int
    sign: int
    chosen: float
    judged: float


def rotation(units: int, generator: np.random.Generator) -> Numbers:
    """(units, units): orthogonal, uniform."""
    q, r = np.linalg.qr(generator.standard_normal((whole(units, "units", 1), units)))
    signs = np.where(np.diag(r) < 0, -1.0, 1.0)
    found: Numbers = q * signs
    return found


def best_axis(known: Floats, present: Flags, judged: Floats, judged_present: Flags) -> Axis:
    """The best of the columns of `known` (n, axes), judged by the same column of `judged`."""
    areas = Answers.of(known).auc(present[:, None])[:, 0]
    index = int(np.abs(areas - 0.5).argmax())
    sign = 1 if areas[index] >= 0.5 else -1
    other = Answers.of(judged[:, [index]]).auc(judged_present[:, None])[0, 0]
    chosen, found = (float(area if sign > 0 else 1 - area) for area in (areas[index], other))
    return Axis(index, sign, chosen, found)


def rotated_axes(
    known: Floats,
    present: Flags,
    judged: Floats,
    judged_present: Flags,
    *,
    draws: int,
    seed: int = 0,
) -> Iterator[tuple[Axis, Floats]]:
    """The best axis of each of `draws` rotations, and its values on the judged digits (n,).

    known, judged: activations (n, units) of the two halves.
    """
    generator = np.random.default_rng(seeded(seed))
    for _ in range(whole(draws, "draws", 1)):
        turned = rotation(known.shape[1], generator).astype(np.float32)
        areas = _areas(turned.T @ known.T, present)
        index = int(np.abs(areas - 0.5).argmax())
        sign = 1 if areas[index] >= 0.5 else -1
        values = (sign * (judged @ turned[:, index])).astype(np.float32)
        chosen = float(areas[index] if sign > 0 else 1 - areas[index])
        reached = float(Answers.of(values[:, None]).auc(judged_present[:, None])[0, 0])
        yield Axis(index, sign, chosen, reached), values


def _areas(values: Floats, present: Flags) -> Numbers:
    """(axes,): the AUC of each row of `values` (axes, n), of which rotated ones have no ties.

    Ranks alone, a third of the time of `Answers`, which has all of them and counts ties.
    """
    inside = int(present.sum())
    places = np.argsort(np.ascontiguousarray(values), axis=1)
    sums = present[places] @ np.arange(1, len(present) + 1, dtype=np.float64)
    found: Numbers = (sums - inside * (inside + 1) / 2) / (inside * (len(present) - inside))
    return found
