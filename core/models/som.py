"""A self-organizing map: 20 x 20 cells, each with a digit of its own, neighbours with similar ones.

Kohonen (1982, Biological Cybernetics 43:59), by the batch rule (Kohonen 2001, section 3.6).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from core.data import DataSet
from core.models.inspectable import Layer, SelfOrganizing, Stages
from core.models.prototypes import (
    Gaussians,
    means,
    nearest,
    random_digits,
    squared_distances,
)
from core.models.settings import DIGITS, DataFormat, Settings, Sizes, setting

__all__ = [
    "ROWS",
    "SOM",
    "SOMSettings",
    "batch_step",
    "cell_name",
    "neighbourhood",
    "places",
    "radius",
]

ROWS = COLUMNS = 20
CLASSES = 10
LAST_RADIUS = 0.5  # cells: at the end hardly more than the cell itself learns
SILENT = 1e-30  # a smaller response counts as this; no pixels in 0..1 are so far from a cell
_UNREACHED = 1e-12  # digits' worth: a cell that no digit is near to stays as it is
_AT_ONCE = 5000  # digits whose distances are held together


def cell_name(index: int, columns: int) -> str:
    """Where a cell is: cells are counted row by row."""
    return f"row {index // columns}, column {index % columns}"


@dataclass(frozen=True)
class SOMSettings(Settings):
    """Of a self-organizing map."""

    architecture = "som"
    title = "Self-organizing map"

    rows: int = setting(ROWS, "Rows", low=2, high=40, step=1, unit="cells", help="Of the map.")
    columns: int = setting(
        COLUMNS, "Columns", low=2, high=40, step=1, unit="cells", help="Of the map."
    )
    epochs: int = 40

    @property
    def cells(self) -> int:
        """Of the map."""
        return self.rows * self.columns

    def sizes(self, data: DataFormat) -> Sizes:
        """The cells' weights, and the width of their response."""
        return self.cells * data.pixels, 1

    def describe(self, data: DataFormat = DIGITS) -> tuple[Layer, ...]:
        """The map and the logits."""
        return (
            Layer(
                "map",
                self.cells,
                rectified=False,
                bounds=(0.0, 1.0),
                read="response, 0 to 1",
                named=partial(cell_name, columns=self.columns),
            ),
            Layer(
                "logits",
                data.classes,
                rectified=False,
                bounds=(0.0, -math.log(SILENT)),
                read="log response of the label's best cell, 69 at most",
            ),
        )

    def network(self, data: DataFormat = DIGITS) -> SOM:
        """The network."""
        return SOM(self, data)


class Labelled(nn.Module):
    """The score of each class: the logarithm of the largest response of any cell of its label.

    It is counted from the logarithm of `SILENT`, so 0 says that none of them responds. The best
    class is the label of the best-matching cell.
    """

    labels: Tensor

    def __init__(self, cells: int, classes: int = CLASSES) -> None:
        """Labels drawn at random, until they are learned."""
        super().__init__()
        self.classes = classes
        self.register_buffer("labels", torch.randint(classes, (cells,)))

    def forward(self, responses: Tensor) -> Tensor:
        """(batch, classes), from 0 up, of responses (batch, cells); 0 for a class without cells."""
        logs = responses.clamp(min=SILENT).log() - math.log(SILENT)
        none = torch.zeros_like(logs[:, :1]).expand(-1, self.classes)
        scores: Tensor = none.scatter_reduce(1, self.labels.expand_as(logs), logs, "amax")
        return scores


class SOM(SelfOrganizing):
    """784 pixels -> 20 x 20 cells -> 10; 313,601 parameters, none learned by gradient descent.

    Cell k has weights wₖ and a place rₖ on the map. b(x) is the best-matching cell. At each epoch

        wₖ ← Σₓ h(k, b(x)) x / Σₓ h(k, b(x))     h(k, j) = exp(−‖rₖ − rⱼ‖² / 2σ²)

    while σ shrinks from half of the map to half of a cell. A cell's response is
    exp(−‖x − wₖ‖² / 2q²), q the quantization error: the mean distance of a digit to its best cell.
    A cell's label is the class of most of the digits that it matches best, or of the digit nearest
    to it where it matches none.
    """

    name = "som"
    settings: SOMSettings

    def __init__(self, settings: SOMSettings, data: DataFormat = DIGITS) -> None:
        super().__init__()
        self.settings, self.described, self.data = settings, settings.describe(data), data
        self.map = Gaussians(settings.cells, data.pixels)
        self.logits = Labelled(settings.cells, data.classes)

    def stages(self) -> Stages:
        """Input to output."""
        return {"map": self.map, "logits": self.logits}

    def portrait(self) -> Tensor:
        """The weights of the cells, each in its place, as the mean over channels."""
        tiles = self.map.prototypes.detach().clamp(0, 1).unflatten(1, self.data.shape).mean(1)
        grid: Tensor = tiles.unflatten(0, (self.settings.rows, self.settings.columns))
        return grid

    def organize(self, digits: DataSet, epochs: int, generator: torch.Generator) -> Iterator[float]:
        """The batch rule from digits drawn at random; after each epoch the quantization error."""
        rows, columns = self.settings.rows, self.settings.columns
        images, at = digits.images.flatten(1), places(rows, columns)
        weights = random_digits(images, len(at), generator)
        owners = nearest(images, weights)[1]
        for epoch in range(epochs):
            near = neighbourhood(at, radius(epoch, epochs, max(rows, columns)))
            weights = batch_step(images, owners, weights, near)
            distances, owners = nearest(images, weights)
            self.map.settle(weights, distances.mean())
            self.logits.labels.copy_(
                majority(images, digits.labels, owners, weights, self.data.classes)
            )
            yield float(distances.mean())


def places(rows: int, columns: int) -> Tensor:
    """(cells, 2): row and column of each cell, counted row by row."""
    return torch.cartesian_prod(torch.arange(rows), torch.arange(columns)).float()


def neighbourhood(at: Tensor, sigma: float) -> Tensor:
    """(cells, cells): exp(−‖rₖ − rⱼ‖² / 2σ²), 1 for a cell itself; as σ → 0 for it alone."""
    squares = (at[:, None] - at).square().sum(-1)
    return (-squares / (2 * max(sigma, 1e-6) ** 2)).exp()


def radius(epoch: int, epochs: int, side: int) -> float:
    """σ at an epoch, from half of the map to `LAST_RADIUS`, by the same factor each time.

    side: cells along the map's longer side.
    """
    first = side / 2
    return float(first * (LAST_RADIUS / first) ** (epoch / max(epochs - 1, 1)))


def batch_step(vectors: Tensor, owners: Tensor, weights: Tensor, near: Tensor) -> Tensor:
    """(cells, size): the mean of all vectors, each weighted by how near its cell is on the map.

    owners: int64 (n,), each vector's best-matching cell. near: (cells, cells), `neighbourhood`.
    With σ → 0 it is a step of k-means.
    """
    sums, counts = means(vectors, owners, len(weights))
    near = near.to(vectors)
    total = (near @ counts)[:, None]
    return torch.where(total > _UNREACHED, near @ sums / total.clamp(min=_UNREACHED), weights)


def majority(
    vectors: Tensor, labels: Tensor, owners: Tensor, weights: Tensor, classes: int = CLASSES
) -> Tensor:
    """int64 (cells,): the class of most of a cell's own vectors, the lower one where two are equal.

    For a cell without any, the class of the vector nearest to it.
    """
    votes = torch.zeros(len(weights), classes, device=vectors.device)
    votes = votes.index_put((owners, labels), votes.new_ones(len(labels)), accumulate=True)
    found = votes.argmax(1)
    empty = votes.sum(1) == 0
    if empty.any():
        squares = [squared_distances(some, weights[empty]) for some in vectors.split(_AT_ONCE)]
        found[empty] = labels[torch.cat(squares).argmin(0)]
    return found
