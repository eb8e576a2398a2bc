"""What the centres of a network of radial basis functions stand for, and what their width does."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.data import DataSet
from core.data.bitmaps import BITMAPS
from core.models.prototypes import squared_distances
from core.models.rbf import read_out
from core.statistics import effective_number, wilson_interval

__all__ = [
    "Answer",
    "Responses",
    "Territories",
    "answer",
    "bitmap_outputs",
    "responses",
    "territories",
    "width_effect",
]

Numbers = NDArray[np.float64]
Whole = NDArray[np.int64]
CLASSES = 10
NEAREST = 8  # digits shown of a centre
_SMALL = 1e-30  # a response below it is left out of counts of those that answer


@dataclass(frozen=True)
class Territories:
    """The digits that are nearest to each centre.

    labels: (centres,), the class of most of the chosen digits nearest to it, -1 without any. hits:
    (centres,), judged digits nearest to it; pure: how many of them have its label. near: (centres,
    8), the numbers of the judged digits nearest to it. distance: mean of a judged digit to its
    nearest centre.
    """

    labels: Whole
    hits: Whole
    pure: Whole
    near: Whole
    distance: float

    @property
    def purity(self) -> float:
        """Share of judged digits that have the label of their nearest centre, 0..1."""
        return float(self.pure.sum() / self.hits.sum())

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval of `purity`."""
        low, high = wilson_interval(int(self.pure.sum()), int(self.hits.sum()))
        return float(low), float(high)

    @property
    def purities(self) -> Numbers:
        """(centres,): each centre's own purity, not a number where it has no digits."""
        return np.where(self.hits > 0, self.pure / np.maximum(self.hits, 1), np.nan)

    @property
    def effective(self) -> float:
        """exp of the entropy of hits: how many centres share the digits, as if in equal parts."""
        return float(effective_number(self.hits.astype(np.float64)))


@dataclass(frozen=True)
class Responses:
    """How the centres answer to digits at a width, and how well a read-out of it does.

    zeros: share of responses that are exactly 0. silent: share of digits to which all are. within:
    share of digits nearer than the width to a centre. responding: mean over digits of exp of the
    entropy of the responses as shares; 0 for a silent digit. accuracy: 0..1.
    """

    zeros: float
    silent: float
    within: float
    responding: float
    accuracy: float

    def numbers(self) -> list[float]:
        """All, in order."""
        return [self.zeros, self.silent, self.within, self.responding, self.accuracy]


@dataclass(frozen=True)
class Answer:
    """One digit's way through the network.

    distances, responses: (centres,). order: (centres,), the nearest first. pushes: (centres,
    classes), what each centre adds to each score. scores: (classes,). code: (12, 7), the bitmaps
    mixed by the scores; outputs: (classes,), its squared distance to each.
    """

    distances: Numbers
    responses: Numbers
    order: Whole
    pushes: Numbers
    scores: Numbers
    code: Numbers
    outputs: Numbers


def territories(centres: Tensor, chosen: DataSet, judged: DataSet) -> Territories:
    """Labels by the `chosen` digits, all else measured on the `judged` ones."""
    units = len(centres)
    owners = squared_distances(chosen.images.flatten(1), centres).argmin(1)
    votes = np.zeros((units, CLASSES), dtype=np.int64)
    np.add.at(votes, (owners.numpy(), chosen.labels.numpy()), 1)
    labels = np.where(votes.any(1), votes.argmax(1), -1)
    squares = squared_distances(judged.images.flatten(1), centres)
    nearest = squares.min(1)
    own = nearest.indices.numpy()
    right = labels[own] == judged.labels.numpy()
    return Territories(
        labels,
        np.bincount(own, minlength=units),
        np.bincount(own[right], minlength=units),
        squares.topk(NEAREST, dim=0, largest=False).indices.T.numpy(),
        float(nearest.values.sqrt().double().mean()),
    )


def width_effect(
    squares: tuple[Tensor, Tensor],
    labels: tuple[Tensor, Tensor],
    width: float,
    kept: tuple[Tensor, Tensor] | None = None,
) -> tuple[Responses, Tensor, Tensor]:
    """The responses at a width to judged digits, with the read-out's weights and biases.

    squares, labels: squared distances (n, centres) and classes of the fitted digits, and those of
    the judged ones. kept: weights and biases to use instead of a fit at this width.
    """
    parts = [_responses(some, width) for some in squares[0].split(5000)] if kept is None else []
    weight, bias = kept or read_out(parts, labels[0])
    return responses(squares[1], labels[1], width, (weight, bias)), weight, bias


def responses(
    squares: Tensor, labels: Tensor, width: float, read: tuple[Tensor, Tensor]
) -> Responses:
    """`Responses` at squared distances (n, centres), with weights and biases `read`."""
    phi = _responses(squares, width)
    scores = phi @ read[0].T + read[1]
    counted = torch.where(phi > _SMALL, phi, 0.0).double().numpy()
    return Responses(
        float((phi == 0).double().mean()),
        float((phi == 0).all(1).double().mean()),
        float((squares.min(1).values < width**2).double().mean()),
        float(effective_number(counted).mean()),
        float((scores.argmax(1) == labels).double().mean()),
    )


def answer(image: Tensor, centres: Tensor, width: float, read: tuple[Tensor, Tensor]) -> Answer:
    """The way of one image (1, 1, 28, 28) through centres of this width and a read-out."""
    squares = squared_distances(image.flatten(1), centres)
    phi = _responses(squares, width)[0]
    pushes = phi[:, None] * read[0].T
    scores = (pushes.sum(0) + read[1]).double().numpy()
    code = np.tensordot(scores, BITMAPS.astype(np.float64), 1)
    return Answer(
        squares[0].double().sqrt().numpy(),
        phi.double().numpy(),
        squares[0].argsort(stable=True).numpy(),
        pushes.double().numpy(),
        scores,
        code,
        bitmap_outputs(code[None])[0],
    )


def bitmap_outputs(codes: NDArray[np.floating]) -> Numbers:
    """(n, classes): yᵢ = Σⱼ (xⱼ − wᵢⱼ)² of codes (n, 12, 7), wᵢ the bitmap of class i.

    LeNet-5's output layer (LeCun et al. 1998, equation 7): the smallest is the answer, 0 is a code
    that is the bitmap itself.
    """
    apart = codes.astype(np.float64)[:, None] - BITMAPS
    found: Numbers = np.square(apart).sum((2, 3))
    return found


def _responses(squares: Tensor, width: float) -> Tensor:
    """φ at squared distances, in 32 bits as the network has it."""
    return (-squares / (2 * width**2)).exp()
