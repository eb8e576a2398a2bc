"""How much the pixels that units mark overlap with those of concepts, over a whole data set.

Intersection over union of Bau et al. (2017, arXiv:1704.05796): pixels are summed over all images
before the ratio is taken. Images are counted in blocks, so that intervals can be had by drawing
blocks anew, in memory that doesn't grow with the data.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

__all__ = ["Counted", "Overlaps", "count", "iou"]

from core.data.concepts.anatomy import SIZE

Whole = NDArray[np.int64]
Numbers = NDArray[np.float64]
Words = NDArray[np.uint64]

BLOCKS = 100


@dataclass(frozen=True)
class Overlaps:
    """Pixels counted over n images of `pixels` pixels, in blocks of images.

    both: (blocks, units, concepts). units: (blocks, units). concepts: (blocks, concepts).
    """

    both: Whole
    units: Whole
    concepts: Whole
    n: int
    pixels: int

    @property
    def iou(self) -> Numbers:
        """(units, concepts): intersection over union; 0 where neither has a pixel."""
        return iou(self.both.sum(0), self.units.sum(0)[:, None], self.concepts.sum(0)[None])

    @property
    def ceiling(self) -> Numbers:
        """(units, concepts): the most that the iou could be, given how many pixels each marks."""
        unit, concept = self.units.sum(0)[:, None], self.concepts.sum(0)[None]
        return _ratio(np.minimum(unit, concept), np.maximum(unit, concept))

    @property
    def coverage(self) -> tuple[Numbers, Numbers]:
        """The share of all pixels that each unit and each concept marks."""
        every = self.n * self.pixels
        return self.units.sum(0) / every, self.concepts.sum(0) / every

    def null(self, shuffled: Numbers, expected: Numbers) -> tuple[Numbers, Numbers]:
        """What image-shuffled masks give: p-values, and the 99 % quantile of the iou.

        Both (units, concepts). shuffled: (draws, units, concepts), common pixels when each unit's
        masks are laid on other images. expected: (units, concepts), their exact mean. The p-value
        is one-sided, from Student's t, for the spread is estimated from the draws.
        """
        draws = len(shuffled)
        spread = np.sqrt(np.square(shuffled - expected).mean(0))
        both = self.both.sum(0)
        far = np.divide(both - expected, spread, out=np.zeros_like(spread), where=spread > 0)
        most = expected + student.ppf(0.99, draws) * spread
        unit, concept = self.units.sum(0)[:, None], self.concepts.sum(0)[None]
        return student.sf(far, draws), iou(
            np.minimum(most, np.minimum(unit, concept)), unit, concept
        )

    def interval(self, draws: int, seed: int, level: float = 0.95) -> tuple[Numbers, Numbers]:
        """Lower and upper bound of the iou by bootstrap over blocks, each (units, concepts)."""
        blocks = len(self.both)
        drawn = np.random.default_rng(seed).multinomial(blocks, np.full(blocks, 1 / blocks), draws)
        both = np.tensordot(drawn, self.both, 1)
        units, concepts = drawn @ self.units, drawn @ self.concepts
        values = iou(both, units[:, :, None], concepts[:, None])
        low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2], axis=0)
        return low, high


@dataclass(frozen=True)
class Counted:
    """Overlaps, and what laying each unit's masks on other images gives: see `Overlaps.null`."""

    overlaps: Overlaps
    shuffled: Numbers
    expected: Numbers


def count(batches: Iterable[tuple[Words, Words]], *, shuffles: int, seed: int) -> Counted:
    """The overlaps of units and concepts whose masks come in batches, packed.

    A batch is the words (images, units, words) of the units and (images, concepts, words) of the
    concepts. Masks are shuffled among the images of a batch, which come in no order.

    Raises `ValueError` where there is no image.
    """
    generator = np.random.default_rng(seed)
    total: list[NDArray[Any]] = []
    n = 0
    for unit, concept in batches:
        blocks = (n + np.arange(len(unit))) % BLOCKS
        orders = [generator.permutation(len(unit)) for _ in range(shuffles)]
        some = [
            _by_block(np.stack([*_both(unit, concept)], axis=1), blocks),
            _by_block(np.bitwise_count(unit).sum(-1, dtype=np.int64), blocks),
            _by_block(np.bitwise_count(concept).sum(-1, dtype=np.int64), blocks),
            np.array([_total(unit[order], concept) for order in orders]),
            _frequencies(unit) @ _frequencies(concept).T / len(unit),
        ]
        total = [a + b for a, b in zip(total, some, strict=True)] if total else some
        n += len(unit)
    if not total:
        raise ValueError("there are no images to compare masks on: pass at least one.")
    both, units, concepts = (each[: min(n, BLOCKS)] for each in total[:3])
    return Counted(Overlaps(both, units, concepts, n, SIZE * SIZE), total[3], total[4])


def _frequencies(words: Words) -> Numbers:
    """In how many images each pixel is marked, (units or concepts, 784)."""
    bits = np.unpackbits(words.view(np.uint8), axis=-1, count=SIZE * SIZE)
    often: Numbers = bits.sum(0, dtype=np.float64)
    return often


def iou(both: Whole, unit: Whole, concept: Whole) -> Numbers:
    """Intersection over union from the number of pixels in both and in each."""
    return _ratio(both, unit + concept - both)


def _both(unit: Words, concept: Words) -> Iterator[Whole]:
    """For each unit, pixels in both masks, (images, concepts)."""
    words = np.ascontiguousarray(np.moveaxis(concept, 2, 0))
    for index in range(unit.shape[1]):
        active = np.flatnonzero(unit[:, index].any(1))  # often few
        common = np.zeros((len(active), concept.shape[1]), dtype=np.uint16)
        for at, word in enumerate(words):  # a word at a time stays in the cache
            common += np.bitwise_count(unit[active, index, at, None] & word[active])
        found = np.zeros(concept.shape[:2], dtype=np.int64)
        found[active] = common
        yield found


def _total(unit: Words, concept: Words) -> Numbers:
    """(units, concepts): pixels in both masks, over all images."""
    return np.array([common.sum(0) for common in _both(unit, concept)], dtype=np.float64)


def _by_block(counts: Whole, blocks: Whole) -> Whole:
    """Counts (images, …) summed by block, (BLOCKS, …)."""
    found = np.zeros((BLOCKS, *counts.shape[1:]), dtype=np.int64)
    np.add.at(found, blocks, counts)
    return found


def _ratio(above: NDArray[np.generic], below: NDArray[np.generic]) -> Numbers:
    """above / below, 0 where below is 0."""
    top, bottom = np.broadcast_arrays(np.asarray(above, np.float64), np.asarray(below, np.float64))
    found: Numbers = np.divide(top, bottom, out=np.zeros(top.shape), where=bottom != 0)
    return found
