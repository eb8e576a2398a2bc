"""A network of radial basis functions: 300 centres that answer to what is near, and a linear layer.

Broomhead & Lowe (1988, Complex Systems 2:321); centres by k-means and then a linear fit, as Moody &
Darken (1989, Neural Computation 1:281).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss, one_hot, pad

from core.data import DataSet
from core.models.inspectable import Layer, SelfOrganizing, Stages
from core.models.prototypes import Gaussians, means, nearest, random_digits
from core.models.settings import DIGITS, DataFormat, Settings, Sizes, dense, setting, summed

__all__ = ["RBF", "RBFSettings", "k_means_step", "read_out"]

CENTRES, CLASSES = 300, 10
COLUMNS = 20  # of the centres' portrait
RIDGE = 0.01  # on each squared weight, beside a squared error summed over all digits
_AT_ONCE = 5000  # digits whose responses are held together


@dataclass(frozen=True)
class RBFSettings(Settings):
    """Of a network of radial basis functions. width_factor: σ in mean distances to a centre."""

    architecture = "rbf"
    title = "Radial basis functions"

    centres: int = setting(
        CENTRES, "Centres", low=10, high=1000, step=10, help="Found by k-means, without labels."
    )
    width_factor: float = setting(
        1.0,
        "Width factor",
        low=0.1,
        high=10.0,
        step=0.1,
        help="σ of all centres, in mean distances of a digit to its nearest centre.",
    )
    epochs: int = 15

    def sizes(self, data: DataFormat) -> Sizes:
        """The centres, their width, and the logits."""
        return summed((self.centres * data.pixels, 1), dense(self.centres, data.classes))

    def describe(self, data: DataFormat = DIGITS) -> tuple[Layer, ...]:
        """The centres and the logits."""
        read = "fitted to 1 for the class, 0 for others"
        return (
            Layer(
                "centres",
                self.centres,
                rectified=False,
                bounds=(0.0, 1.0),
                read="response φ, 0 to 1",
            ),
            Layer("logits", data.classes, rectified=False, read=read),
        )

    def network(self, data: DataFormat = DIGITS) -> RBF:
        """The network."""
        return RBF(self, data)


class RBF(SelfOrganizing):
    """784 pixels -> 300 centres -> 10; 238,211 parameters, none learned by gradient descent.

        φₖ(x) = exp(−‖x − cₖ‖² / 2σ²)
        y = Wφ + b

    The centres c come from k-means, which sees no labels; σ is the mean distance of a digit to its
    nearest centre; W and b are fitted to labels as 0 and 1 by ridge regression.
    """

    name = "rbf"
    settings: RBFSettings

    def __init__(self, settings: RBFSettings, data: DataFormat = DIGITS) -> None:
        super().__init__()
        self.settings, self.described, self.data = settings, settings.describe(data), data
        self.centres = Gaussians(settings.centres, data.pixels)
        self.logits = nn.Linear(settings.centres, data.classes)

    def stages(self) -> Stages:
        """Input to output."""
        return {"centres": self.centres, "logits": self.logits}

    def objective(self, images: Tensor, labels: Tensor) -> Tensor:
        """The mean squared error that the linear layer is fitted by."""
        logits = self(images)
        return mse_loss(logits, one_hot(labels, self.data.classes).to(logits.dtype))

    def portrait(self) -> Tensor:
        """The centres in rows of 20, as the mean over channels; the last row is filled up."""
        missing = -len(self.centres.prototypes) % COLUMNS
        tiles = self.centres.prototypes.detach().clamp(0, 1).unflatten(1, self.data.shape).mean(1)
        grid: Tensor = pad(tiles, (0, 0, 0, 0, 0, missing)).unflatten(0, (-1, COLUMNS))
        return grid

    def organize(self, digits: DataSet, epochs: int, generator: torch.Generator) -> Iterator[float]:
        """k-means from digits drawn at random; after each step the mean distance to a centre."""
        images = digits.images.flatten(1)
        centres = random_digits(images, self.settings.centres, generator)
        owners = nearest(images, centres)[1]
        for _ in range(epochs):
            centres = k_means_step(images, owners, centres)
            distances, owners = nearest(images, centres)
            self.centres.settle(centres, self.settings.width_factor * distances.mean())
            self.fit_logits(images, digits.labels)
            yield float(distances.mean())

    def fit_logits(self, images: Tensor, labels: Tensor) -> None:
        """Set the linear layer to the ridge regression of the labels on the responses."""
        with torch.no_grad():
            parts = [self.centres(some) for some in images.split(_AT_ONCE)]
            weight, bias = read_out(parts, labels, self.data.classes)
            self.logits.weight.copy_(weight)
            self.logits.bias.copy_(bias)


def k_means_step(vectors: Tensor, owners: Tensor, centres: Tensor) -> Tensor:
    """(units, size): the mean of each centre's own vectors; one that has none stays.

    owners: int64 (n,), the nearest centre of each vector (Lloyd 1982).
    """
    sums, counts = means(vectors, owners, len(centres))
    return torch.where(counts[:, None] > 0, sums / counts[:, None].clamp(min=1), centres)


def read_out(parts: list[Tensor], labels: Tensor, classes: int = CLASSES) -> tuple[Tensor, Tensor]:
    """Weights (classes, units) and biases (classes,) with Σ (Wφ + b − y)² + λ Σ W² smallest.

    parts: responses (n, units), in pieces. labels: int64 (n,). y is 1 for the class and 0 else; the
    bias isn't held back. In 64 bits: neighbours that answer alike make the equations nearly
    singular.
    """
    units = parts[0].shape[1]
    square = torch.zeros(units + 1, units + 1, dtype=torch.float64, device=parts[0].device)
    right = torch.zeros(units + 1, classes, dtype=torch.float64, device=parts[0].device)
    for some, own in zip(parts, labels.split([len(part) for part in parts]), strict=True):
        with_one = pad(some.double(), (0, 1), value=1.0)
        square += with_one.T @ with_one
        right += with_one.T @ one_hot(own, classes).double()
    ridge = torch.full((units + 1,), RIDGE, dtype=torch.float64, device=square.device)
    ridge[-1] = 0.0
    # of least norm, where a width makes all centres answer alike and the equations singular
    found = torch.linalg.lstsq((square + ridge.diag()).cpu(), right.cpu(), driver="gelsd")
    solved = found.solution.to(parts[0])
    return solved[:-1].T, solved[-1]
