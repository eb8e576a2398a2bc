"""What routing decides over many digits, what it is worth, and what the course module did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.activations import batches_of
from core.interventions.answers import are_correct
from core.interventions.donors import shuffled
from core.models.capsules import SPREAD, Capsules, routing

__all__ = ["MEASURES", "OfTheModule", "correct", "decisiveness", "misrouted", "of_the_module"]

BATCH = 100  # digits traced at once
MEASURES = (
    "entropy",
    "weighted entropy",
    "own share",
    "best other share",
    "own cosine",
    "other cosine",
)


def correct(
    model: Capsules, images: Tensor, labels: Tensor, iterations: Sequence[int]
) -> NDArray[np.int64]:
    """How many digits are told right with each number of routing iterations, (len(iterations),)."""
    found = np.zeros(len(iterations), np.int64)
    with torch.no_grad():
        for some, own in _pairs(images, labels):
            for at, each in enumerate(iterations):
                found[at] += are_correct(model.trace(some, each).lengths[:, -1], own).sum()
    return found


def misrouted(
    model: Capsules, images: Tensor, labels: Tensor, generator: torch.Generator
) -> tuple[int, int]:
    """How many digits are told right with the coefficients of another digit, and of other inputs.

    Both are those of the last iteration: of a digit drawn at random, and of the digit itself with
    its primary capsules shuffled.
    """
    right = [0, 0]
    with torch.no_grad():
        for some, own in _pairs(images, labels):
            trace = model.trace(some)
            share = trace.coefficients[:, -1].transpose(1, 2)
            other = share[shuffled(len(some), generator)]
            mixed = share[:, :, shuffled(share.shape[2], generator)]
            for at, given in enumerate((other, mixed)):
                lengths = model.gathered(trace.primary, given).norm(dim=-1)
                right[at] += int(are_correct(lengths, own).sum())
    return right[0], right[1]


def decisiveness(
    model: Capsules, images: Tensor, labels: Tensor, iterations: int
) -> NDArray[np.float64]:
    """How decided the votes are, mean over digits, (iterations, `MEASURES`).

    entropy: of cᵢ over classes in bits, mean over inputs; log₂ 10 = 3.32 when nothing is decided.
    weighted entropy: each input counts as much as it is long, ‖u‖. own share: of c for the digit's
    class, so weighted; best other share: of the other class that has most. own cosine: of û and v
    for the digit's class, weighted by ‖û‖; other cosine: mean of the other classes.
    """
    total = np.zeros((iterations, len(MEASURES)))
    with torch.no_grad():
        for some, own in _pairs(images, labels):
            trace = model.trace(some, iterations)
            c, at = trace.coefficients, torch.arange(len(some))
            length = trace.primary.norm(dim=-1)
            weight = (length / length.sum(1, keepdim=True))[:, None]
            entropy = torch.special.entr(c).sum(-1) / np.log(2)
            share = (c * weight[..., None]).sum(2)
            cosine = _cosines(trace.votes, trace.poses)
            rest = share.clone()
            rest[at, :, own] = -1
            mine = cosine[at, :, own]
            columns = [
                entropy.mean(2),
                (entropy * weight).sum(2),
                share[at, :, own],
                rest.amax(2),
                mine,
                (cosine.sum(2) - mine) / (cosine.shape[2] - 1),
            ]
            total += torch.stack(columns, 2).sum(0).double().numpy()
    return total / len(images)


def _cosines(votes: Tensor, poses: Tensor) -> Tensor:
    """(batch, iterations, outputs): the cosine of votes and capsules, votes weighted by length."""
    along = torch.einsum("bijd,btjd->btj", votes, torch.nn.functional.normalize(poses, dim=-1))
    cosines: Tensor = along / votes.norm(dim=-1).sum(1)[:, None].clamp(min=1e-12)
    return cosines


def _pairs(images: Tensor, labels: Tensor) -> zip[tuple[Tensor, Tensor]]:
    """Batches of images with their labels."""
    return zip(batches_of(images, BATCH), labels.split(BATCH), strict=True)


@dataclass(frozen=True)
class OfTheModule:
    """What the forms of the course module give on the same primary capsules.

    wide: shortest and longest of all lengths when matrices begin with a spread of 1, as from
    `torch.randn`; begun: the same of this network's first matrices. shared, own: largest change of
    any length when the primary capsules change places, with one matrix for each class, as there,
    and with one for each pair.
    """

    wide: tuple[float, float]
    begun: tuple[float, float]
    shared: float
    own: float


def of_the_module(model: Capsules, images: Tensor, generator: torch.Generator) -> OfTheModule:
    """Its first weights and its shared matrices, tried on the primary capsules of `images`."""
    with torch.no_grad():
        inputs = model.trace(images).primary
        drawn = torch.randn(model.matrices.shape, generator=generator)
        order = shuffled(inputs.shape[1], generator)
        each = model.matrices[:1].expand_as(model.matrices)
        times = model.settings.iterations
        wide, begun = (_routed(inputs, drawn * spread, times) for spread in (1.0, SPREAD))
        shared, own = (
            float((_routed(inputs[:, order], of, times) - _routed(inputs, of, times)).abs().max())
            for of in (each, model.matrices)
        )
    return OfTheModule(_ends(wide), _ends(begun), shared, own)


def _routed(inputs: Tensor, matrices: Tensor, iterations: int) -> Tensor:
    """Lengths (batch, outputs) of u (batch, inputs, 8) and matrices (inputs, outputs, 8, 16)."""
    votes = torch.einsum("bik,iokd->boid", inputs, matrices)
    *_, (_, capsules) = routing(votes, iterations)
    lengths: Tensor = capsules.norm(dim=-1)
    return lengths


def _ends(lengths: Tensor) -> tuple[float, float]:
    """The shortest and the longest."""
    return float(lengths.min()), float(lengths.max())
