"""What each dimension of a capsule stands for: what it draws, and what it goes along with.

Sabour et al. (2017) shifted one dimension of a digit's capsule, decoded it, and saw it lean,
thicken or widen. Here that is measured: what a shift does to slant, thickness, width, height and
ink of the decoded digit (an intervention on the capsule, whose effect the decoder shows), and how
the dimension of the capsules of real digits goes along with the same properties (none).
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from core.data.concepts.anatomy import Anatomy
from core.statistics import middle_ranks

__all__ = [
    "PROPERTIES",
    "STEPS",
    "Drawn",
    "drawn",
    "going_along",
    "measured",
    "purity",
    "random_axes",
]

Numbers = NDArray[np.float64]
Decode = Callable[[Tensor], Tensor]  # poses (n, 16) of one class -> digits (n, 1, 28, 28)

PROPERTIES = ("slant", "thickness", "width", "height", "ink")
STEPS = (-0.25, -0.1, 0.0, 0.1, 0.25)  # shifts at which decoded digits are measured
_CHUNK = 192  # images measured at once
_SHUFFLES = 500
_LEVEL = 0.95


@dataclass(frozen=True)
class Drawn:
    """What shifts along axes do to decoded digits, mean over digits: (axes, `PROPERTIES`).

    effect: from a shift of −.25 to one of +.25, by a straight line through all `STEPS`, in standard
    deviations of the property over real digits of the class. monotony: Spearman's correlation of
    shift and property within a digit. null: what the largest |monotony| of all axes and properties
    stays below in 95 % of shuffles of each digit's shifts.
    """

    effect: Numbers
    monotony: Numbers
    null: float


def measured(images: ArrayLike) -> Numbers:
    """(n, `PROPERTIES`) of images (n, 1, 28, 28) or (n, 28, 28): radians, pixels, square pixels.

    ink is the area of the digit. The others are those of `core.data.concepts.anatomy`.
    """
    given = np.asarray(images, dtype=np.float64).reshape(-1, 28, 28)

    def one(some: Numbers) -> Numbers:
        of = Anatomy(some)
        return np.stack([of.slant, of.thickness, of.width, of.height, of.area], 1)

    with ThreadPoolExecutor(2) as pool:
        parts = [given[at : at + _CHUNK] for at in range(0, len(given), _CHUNK)]
        return np.concatenate(list(pool.map(one, parts)))


def random_axes(dimensions: int, generator: np.random.Generator) -> Numbers:
    """As many axes at right angles of one another, turned at random (uniformly, by QR)."""
    q, r = np.linalg.qr(generator.standard_normal((dimensions, dimensions)))
    turned: Numbers = q * np.sign(np.diag(r))
    return turned


def drawn(
    decode: Decode,
    poses: ArrayLike,
    spread: ArrayLike,
    directions: Numbers,
    generator: np.random.Generator,
) -> Drawn:
    """What a shift along each of `directions` (axes, dimensions) does to the decoded digits.

    poses: (n, dimensions), capsules of real digits of one class. spread: (`PROPERTIES`,), standard
    deviation over real digits of the class.
    """
    values = _shifted(decode, np.asarray(poses, dtype=np.float64), directions)
    steps = np.array(STEPS)
    slope = np.einsum("nasp,s->nap", values, steps) / np.square(steps).sum()
    ranks = _ranked(values)
    by_step = _ranked(steps[:, None])[:, 0]
    return Drawn(
        effect=slope.mean(0) * (steps[-1] - steps[0]) / np.asarray(spread),
        monotony=np.einsum("nasp,s->ap", ranks, by_step) / len(values),
        null=_shuffled_steps(ranks, by_step, generator),
    )


def going_along(
    poses: ArrayLike, values: ArrayLike, generator: np.random.Generator
) -> tuple[Numbers, float]:
    """Spearman's correlation of each dimension with each property, and what chance reaches.

    poses: (n, dimensions). values: (n, properties). The second is what the largest of all
    |correlations| stays below in 95 % of permutations of the digits.
    """
    left, right = (_ranked(np.asarray(of, dtype=np.float64)) for of in (poses, values))
    orders = (generator.permutation(len(left)) for _ in range(_SHUFFLES))
    most = [np.abs(left[order].T @ right).max() for order in orders]
    return left.T @ right, float(np.quantile(most, _LEVEL))


def purity(effect: ArrayLike) -> Numbers:
    """(axes,): the share of the largest squared effect among all of an axis; 1: one property only.

    effect: (axes, properties), in standard deviations. 0 for an axis that does nothing.
    """
    square = np.square(np.asarray(effect, dtype=np.float64))
    total = square.sum(-1)
    share: Numbers = np.divide(square.max(-1), total, out=np.zeros_like(total), where=total > 0)
    return share


def _shifted(decode: Decode, poses: Numbers, directions: Numbers) -> Numbers:
    """Properties of decoded digits, (n, axes, steps, properties), each digit less its unshifted."""
    steps = np.array([step for step in STEPS if step])
    moved = poses[:, None, None] + steps[:, None] * directions[:, None]
    every = np.concatenate([poses, moved.reshape(-1, poses.shape[1])])
    with torch.no_grad():
        images = decode(torch.from_numpy(every).float())
    found = measured(images.numpy())
    still = found[: len(poses), None, None]
    values = found[len(poses) :].reshape(*moved.shape[:3], -1) - still
    whole: Numbers = np.insert(values, STEPS.index(0.0), 0.0, axis=2)
    return whole


def _ranked(values: Numbers) -> Numbers:
    """Ranks along the last but one axis, centred, of length 1: their products are correlations.

    What doesn't vary is 0 and correlates with nothing.
    """
    ranks = middle_ranks(values, axis=-2)
    ranks = ranks - ranks.mean(-2, keepdims=True)
    length = np.linalg.norm(ranks, axis=-2, keepdims=True)
    unit: Numbers = np.divide(ranks, length, out=np.zeros_like(ranks), where=length > 0)
    return unit


def _shuffled_steps(ranks: Numbers, by_step: Numbers, generator: np.random.Generator) -> float:
    """What the largest |monotony| stays below when each digit's shifts are shuffled."""
    n, many = ranks.shape[:2]
    most = np.zeros(_SHUFFLES)
    for at in range(_SHUFFLES):
        order = generator.permuted(np.broadcast_to(by_step, (n, many, len(by_step))), axis=-1)
        most[at] = np.abs(np.einsum("nasp,nas->ap", ranks, order)).max() / n
    return float(np.quantile(most, _LEVEL))
