"""A network of radial basis functions, opened: its centres, their width, and worse ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.architectures.rbf.measure import (
    Answer,
    Responses,
    Territories,
    answer,
    bitmap_outputs,
    territories,
    width_effect,
)
from core.data import DataSet
from core.data.bitmaps import BITMAPS
from core.models.inspectable import Inspectable
from core.models.prototypes import nearest, random_digits, squared_distances

__all__ = [
    "FACTORS",
    "OWN_WIDTH",
    "SETS",
    "Pair",
    "RBFMeasures",
    "compared",
    "responses_by_width",
    "sets_of",
    "width_table",
]

Pair = tuple[DataSet, DataSet]  # fitted and judged


FACTORS = (0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.4, 2.0, 3.0, 5.0, 10.0)  # on the width


OWN_WIDTH = FACTORS.index(1.0)


SETS = {
    "k-means": "the trained network's",
    "random digits": "as many random training digits, width by the same rule",
    "noise": "the untrained network's: pixels uniform in 0..1",
    "normal": "drawn from N(0, 1), width 1",
}


_OF_SET = ("distance", "purity", "effective")


_OF_RESPONSES = tuple(each.name for each in fields(Responses))


@dataclass(frozen=True)
class RBFMeasures:
    """What was measured, on the confirmation half; labels of centres come from the selection split.

    centres: (centres, 28, 28). width: of the trained network. own, control: the digits nearest to
    its centres, and to random digits as centres. sets: a row for each of `SETS`, its read-out
    fitted to it. widths: a row for each factor on the width and read-out, "fitted" anew or "kept".
    coded: accuracy where the answer is the nearest bitmap.
    """

    centres: NDArray[np.float32]
    width: float
    own: Territories
    control: Territories
    sets: pd.DataFrame
    widths: pd.DataFrame
    coded: float
    weights: NDArray[np.float32]
    biases: NDArray[np.float32]

    def answer(self, image: Tensor, at: int, fitted: bool) -> Answer:
        """The way of an image (1, 1, 28, 28) at factor number `at`, its read-out fitted or kept."""
        row = at if fitted else OWN_WIDTH
        read = torch.tensor(self.weights[row]), torch.tensor(self.biases[row])
        centres = torch.tensor(self.centres).flatten(1)
        return answer(image, centres, self.width * FACTORS[at], read)


def width_table(arrays: Mapping[str, NDArray[np.float64]]) -> pd.DataFrame:
    """A row for each read-out and factor on the width."""
    widths = [
        pd.DataFrame(arrays[read], columns=list(_OF_RESPONSES)).assign(
            factor=FACTORS, read_out=read
        )
        for read in ("fitted", "kept")
    ]
    return pd.concat(widths, ignore_index=True)


def responses_by_width(
    centres: Tensor, width: float, digits: Pair
) -> dict[str, NDArray[np.float64]]:
    """The responses at each width, with a read-out fitted to it and with that of the own width."""
    squares, labels = _squares(centres, digits), _labels(digits)
    found = [width_effect(squares, labels, width * factor) for factor in FACTORS]
    read = found[OWN_WIDTH][1:]
    kept = [width_effect(squares, labels, width * factor, read)[0] for factor in FACTORS]
    scores = (-squares[1] / (2 * width**2)).exp() @ read[0].T + read[1]
    codes = np.tensordot(scores.double().numpy(), BITMAPS.astype(np.float64), 1)
    answers = bitmap_outputs(codes).argmin(1)
    return {
        "fitted": np.array([of.numbers() for of, _, _ in found]),
        "kept": np.array([of.numbers() for of in kept]),
        "weights": np.stack([weight.numpy() for _, weight, _ in found]),
        "biases": np.stack([bias.numpy() for _, _, bias in found]),
        "coded": np.array((answers == labels[1].numpy()).mean()),
    }


def sets_of(
    centres: Tensor, width: float, untrained: Inspectable, fit: DataSet
) -> dict[str, tuple[Tensor, float]]:
    """The centres of each of `SETS`, (centres, 784), with their width."""
    generator = torch.Generator().manual_seed(0)
    vectors = fit.images.flatten(1)
    drawn = random_digits(vectors, len(centres), generator)
    noise = untrained.get_parameter("centres.prototypes").detach()
    spread = float(untrained.get_parameter("centres.log_width").detach().exp())
    normal = torch.randn(centres.shape, generator=generator)
    own = float(nearest(vectors, drawn)[0].mean())
    made = ((centres, width), (drawn, own), (noise, spread), (normal, 1.0))
    return dict(zip(SETS, made, strict=True))


def _squares(centres: Tensor, digits: Pair) -> tuple[Tensor, Tensor]:
    """Squared distances of the fitted and of the judged digits to the centres."""
    first, second = (squared_distances(of.images.flatten(1), centres) for of in digits)
    return first, second


def _labels(digits: Pair) -> tuple[Tensor, Tensor]:
    """The classes of the fitted and of the judged digits."""
    return digits[0].labels, digits[1].labels


def compared(
    made: Mapping[str, tuple[Tensor, float]], chosen: DataSet, digits: Pair
) -> tuple[dict[str, Territories], pd.DataFrame]:
    """The digits nearest to each set of centres, by name, and a row for each set.

    made: centres (centres, 784) and their width. chosen: digits that name the classes of centres.
    """
    owned, rows = {}, []
    for name, (centres, width) in made.items():
        own = owned[name] = territories(centres, chosen, digits[1])
        found = width_effect(_squares(centres, digits), _labels(digits), width)[0]
        numbers = [own.distance, own.purity, own.effective, *found.numbers()]
        rows.append(dict(zip([*_OF_SET, *_OF_RESPONSES], numbers, strict=True)))
    return owned, pd.DataFrame(rows).assign(centres=list(made))
