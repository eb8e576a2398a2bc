"""How well a map of cells keeps what is alike together, and what one digit does on it.

Quantization error: mean distance of a digit to its best cell. Topographic error: share of digits
whose best and second cell aren't neighbours (Kiviluoto 1996, Proc. ICNN 1:294).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.activations import run
from core.models.inspectable import Inspectable
from core.models.prototypes import squared_distances

__all__ = [
    "Measures",
    "Path",
    "best_two",
    "by_columns",
    "distance_map",
    "measures",
    "path",
    "shuffled",
    "telling_pixels",
    "topographic_error",
]

Numbers = NDArray[np.float64]
Whole = NDArray[np.int64]
_AT_ONCE = 2000  # digits whose distances are held together


@dataclass(frozen=True)
class Measures:
    """A map on some digits. hits: (cells,), how many digits match each cell best.

    quantization: a distance between images. error4, error8: topographic errors, 0..1, among 4 and
    8 neighbours. accuracy: of the best cell's label, 0..1.
    """

    quantization: float
    error4: float
    error8: float
    accuracy: float
    hits: Whole

    def numbers(self) -> list[float]:
        """All but the hits, in order."""
        return [self.quantization, self.error4, self.error8, self.accuracy]


@dataclass(frozen=True)
class Path:
    """One digit on the map: from its distances to the answer.

    distances, responses: (cells,). first, second: the best cells. best: (classes,), the best cell
    of each label, -1 where there is none; scores: (classes,), log response of that cell, counted
    from `core.models.som.SILENT`.
    """

    distances: Numbers
    responses: Numbers
    first: int
    second: int
    best: Whole
    scores: Numbers
    answer: int

    @property
    def strongest(self) -> Numbers:
        """(classes,): the response of the best cell of each label, 0 where there is none."""
        return np.where(self.best >= 0, self.responses[self.best], 0.0)


def measures(
    weights: Tensor, labels: Tensor, images: Tensor, classes: Tensor, columns: int
) -> Measures:
    """The map of these weights (cells, pixels) and labels (cells,) on images of classes (n,).

    columns: of the map, whose cells are counted row by row.
    """
    firsts, seconds, distances = [], [], []
    for some in images.flatten(1).split(_AT_ONCE):
        squares = squared_distances(some, weights).numpy()
        first, second = best_two(squares)
        firsts.append(first)
        seconds.append(second)
        distances.append(np.sqrt(squares[np.arange(len(first)), first]))
    first, second = np.concatenate(firsts), np.concatenate(seconds)
    return Measures(
        float(np.concatenate(distances).mean(dtype=np.float64)),
        topographic_error(first, second, columns=columns, neighbours=4),
        topographic_error(first, second, columns=columns, neighbours=8),
        float((labels.numpy()[first] == classes.numpy()).mean()),
        np.bincount(first, minlength=len(weights)),
    )


def best_two(distances: NDArray[np.float32]) -> tuple[Whole, Whole]:
    """The nearest and the second nearest cell of each row of (n, cells)."""
    two = np.argpartition(distances, 1, axis=1)[:, :2]
    order = np.take_along_axis(distances, two, 1).argsort(1, kind="stable")
    both = np.take_along_axis(two, order, 1)
    return both[:, 0], both[:, 1]


def topographic_error(first: Whole, second: Whole, *, columns: int, neighbours: int) -> float:
    """Share of digits whose two best cells (n,) aren't neighbours, of cells counted row by row.

    neighbours: 4, cells that share a side, or 8, also those that share a corner; else `ValueError`.
    """
    if neighbours not in (4, 8):
        raise ValueError(f"{neighbours} neighbours: choose 4 or 8.")
    apart = np.abs(np.stack(np.divmod(first, columns)) - np.stack(np.divmod(second, columns)))
    steps = apart.max(0) if neighbours == 8 else apart.sum(0)
    return float((steps > 1).mean())


def shuffled(weights: Tensor, labels: Tensor, seed: int) -> tuple[Tensor, Tensor]:
    """The same cells with their labels, each at a random place: the topology is gone."""
    order = torch.randperm(len(weights), generator=torch.Generator().manual_seed(seed))
    return weights[order], labels[order]


def distance_map(weights: Tensor, columns: int) -> Numbers:
    """(rows, columns): each cell's mean distance to the cells that share a side (Ultsch 1990)."""
    grid = weights.double().numpy().reshape(-1, columns, weights.shape[1])
    total, count = np.zeros(grid.shape[:2]), np.zeros(grid.shape[:2])
    for axis in (0, 1):
        apart = np.linalg.norm(np.diff(grid, axis=axis), axis=2)
        for before in (True, False):
            one = [slice(None), slice(None)]
            one[axis] = slice(None, -1) if before else slice(1, None)
            total[tuple(one)] += apart
            count[tuple(one)] += 1
    found: Numbers = total / count
    return found


def by_columns(weights: Tensor, images: Tensor, columns: int) -> float:
    """How often a wrong search for the best cell gets its row right, 0..1.

    It takes each row's nearest column, and then the row whose *number* of that column is smallest,
    where it should be the smallest distance.
    """
    squares = squared_distances(images.flatten(1), weights)
    nearest_column = squares.view(len(images), -1, columns).argmin(2)
    right = squares.argmin(1) // columns
    return float((nearest_column.argmin(1) == right).double().mean())


def telling_pixels(weights: Tensor, count: int) -> Whole:
    """Pixels (count,) that differ most over the map and least resemble those before them.

    One after the other: the pixel with the most variance that those chosen don't explain.
    """
    left = weights.double() - weights.double().mean(0)
    chosen = []
    for _ in range(count):
        power = left.square().sum(0)
        pixel = int(power.argmax())
        chosen.append(pixel)
        way = left[:, pixel] / power[pixel].sqrt().clamp(min=1e-12)
        left = left - way[:, None] * (way @ left)
    return np.array(chosen, dtype=np.int64)


def path(model: Inspectable, image: Tensor) -> Path:
    """What a trained map does with one image (1, 1, 28, 28)."""
    weights = model.get_parameter("map.prototypes")
    labels = model.get_buffer("logits.labels").numpy()
    squares = squared_distances(image.flatten(1), weights)
    width = model.get_parameter("map.log_width").exp()
    responses = (-squares / (2 * width.square())).exp()[0].double().numpy()
    first, second = (int(of[0]) for of in best_two(squares.numpy()))
    scores = run(model, image)[0].double().numpy()
    best = [_best(responses, labels == each) for each in range(len(scores))]
    return Path(
        squares[0].double().sqrt().numpy(),
        responses,
        first,
        second,
        np.array(best, dtype=np.int64),
        scores,
        int(scores.argmax()),
    )


def _best(responses: Numbers, own: NDArray[np.bool_]) -> int:
    """The cell with the largest response among `own`, -1 without any."""
    return int(np.where(own, responses, -1).argmax()) if own.any() else -1
