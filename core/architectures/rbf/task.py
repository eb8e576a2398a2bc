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
from core.data.task import DataTask
from core.models.inspectable import Inspectable
from core.models.prototypes import nearest, random_digits, squared_distances
from core.runs import Run
from core.runtime.lab import Lab
from core.runtime.task import Report, Task
from core.training.task import ModelTask

__all__ = ["FACTORS", "OWN_WIDTH", "SETS", "RBFMeasures", "RBFTask"]

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


@dataclass(frozen=True)
class RBFTask(Task[RBFMeasures]):
    """The centres of one network, and what their width does."""

    choice: Run

    @property
    def title(self) -> str:
        """What is done."""
        return f"Examining {self.choice.title}"

    def compute(self, lab: Lab, report: Report) -> RBFMeasures:
        """All numbers of the network of the choice."""
        model, report = lab.given(report, ModelTask(self.choice))
        fit, chosen, judged = (
            lab.result(DataTask(self.choice.data, split), report)
            for split in ("fit", "selection", "confirmation")
        )
        centres = model.get_parameter("centres.prototypes").detach()
        width = float(model.get_parameter("centres.log_width").exp())
        report(0.1, f"{self.title}: widths")
        arrays = _widths(centres, width, (fit, judged))
        report(0.6, f"{self.title}: other centres")
        owned, rows = {}, []
        for name, (other, spread) in _sets(centres, width, self.choice.untrained(), fit).items():
            own = owned[name] = territories(other, chosen, judged)
            found = width_effect(_squares(other, (fit, judged)), _labels((fit, judged)), spread)[0]
            measured = [own.distance, own.purity, own.effective, *found.numbers()]
            rows.append(dict(zip([*_OF_SET, *_OF_RESPONSES], measured, strict=True)))
        return RBFMeasures(
            centres.view(-1, 28, 28).numpy(),
            width,
            owned["k-means"],
            owned["random digits"],
            pd.DataFrame(rows).assign(centres=list(SETS)),
            _table(arrays),
            float(arrays["coded"]),
            arrays["weights"].astype(np.float32),
            arrays["biases"].astype(np.float32),
        )


def _table(arrays: Mapping[str, NDArray[np.float64]]) -> pd.DataFrame:
    """A row for each read-out and factor on the width."""
    widths = [
        pd.DataFrame(arrays[read], columns=list(_OF_RESPONSES)).assign(
            factor=FACTORS, read_out=read
        )
        for read in ("fitted", "kept")
    ]
    return pd.concat(widths, ignore_index=True)


Pair = tuple[DataSet, DataSet]  # fitted and judged


def _widths(centres: Tensor, width: float, digits: Pair) -> dict[str, NDArray[np.float64]]:
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


def _sets(
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
