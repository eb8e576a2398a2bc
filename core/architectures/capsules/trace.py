"""One digit's way through the capsules, number by number.

Where a primary capsule is drawn: on the middle of the 17 x 17 pixels that it sees.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from core.models.capsules import OUTPUTS, POSE, SIDE, TYPES, Capsules
from core.models.inspectable import ReceptiveField

__all__ = [
    "ENLARGED",
    "SHIFTS",
    "Followed",
    "Vote",
    "follow",
    "on_image",
    "placed",
    "strips",
]

Numbers = NDArray[np.float64]

SHIFTS = tuple(round(0.05 * step, 2) for step in range(-5, 6))  # of a pose dimension, as the paper
ENLARGED = 4  # times, of the digit that maps are drawn on


@dataclass(frozen=True)
class Vote:
    """A primary capsule's vote for a class at one iteration, number by number.

    kind: its type. row, column: its position of 6 x 6. prediction, pose: û and v, (16,). logit:
    b before the iteration. share: c. agreement: û · v, which is added to b.
    """

    kind: int
    row: int
    column: int
    input_length: float
    prediction: Numbers
    pose: Numbers
    logit: float
    share: float
    agreement: float


@dataclass(frozen=True)
class Followed:
    """One digit's way. conv: (32, 20, 20), after the ReLU. lengths: ‖u‖, (types, 6, 6).

    votes: û (inputs, outputs, 16). logits, coefficients: b before and c at each iteration,
    (iterations, inputs, outputs). poses: v after each, (iterations, outputs, 16). drawn:
    (28, 28), decoded from the longest capsule. missed: summed squared error of `drawn`.
    """

    conv: Numbers
    lengths: Numbers
    votes: Numbers
    logits: Numbers
    coefficients: Numbers
    poses: Numbers
    drawn: Numbers
    missed: float

    @property
    def scores(self) -> Numbers:
        """Lengths of the classes' capsules after each iteration, (iterations, outputs)."""
        found: Numbers = np.linalg.norm(self.poses, axis=-1)
        return found

    @property
    def answer(self) -> int:
        """The class of the longest capsule."""
        return int(self.scores[-1].argmax())

    def maps(self, iteration: int, label: int) -> Numbers:
        """c of every primary capsule for a class, (types, 6, 6)."""
        return self.coefficients[iteration, :, label].reshape(TYPES, SIDE, SIDE)

    def pooled(self, label: int) -> Numbers:
        """c over types, each weighted by ‖û‖, (iterations, 6, 6): where votes for a class go."""
        weight = np.linalg.norm(self.votes[:, label], axis=-1).reshape(TYPES, SIDE, SIDE)
        every = np.stack([self.maps(each, label) for each in range(len(self.poses))])
        mean: Numbers = (every * weight).sum(1) / np.maximum(weight.sum(0), 1e-12)
        return mean

    def ranked(self, label: int) -> NDArray[np.int64]:
        """Inputs by what they add along the class's capsule in the end, c û · v, most first."""
        along = self.votes[:, label] @ self.poses[-1, label]
        order: NDArray[np.int64] = np.argsort(
            -self.coefficients[-1, :, label] * along, kind="stable"
        )
        return order

    def vote(self, at: int, label: int, iteration: int) -> Vote:
        """The vote of input `at` for class `label` at `iteration`, from 0."""
        prediction, pose = self.votes[at, label], self.poses[iteration, label]
        kind, position = divmod(at, SIDE * SIDE)
        row, column = divmod(position, SIDE)
        return Vote(
            kind,
            row,
            column,
            float(self.lengths[kind, row, column]),
            prediction,
            pose,
            float(self.logits[iteration, at, label]),
            float(self.coefficients[iteration, at, label]),
            float(prediction @ pose),
        )


def follow(model: Capsules, image: Tensor) -> Followed:
    """The way of one image, (1, 1, 28, 28) in 0..1."""
    with torch.no_grad():
        trace, conv = model.trace(image), model.conv(image).relu()
    votes, poses = trace.votes[0].double().numpy(), trace.poses[0].double().numpy()
    added = np.stack([np.einsum("ijd,jd->ij", votes, pose) for pose in poses])
    logits = np.concatenate([np.zeros_like(added[:1]), added[:-1].cumsum(0)])
    drawn = trace.reconstruction[0, 0].double().numpy()
    missed = float(np.square(drawn - image[0, 0].numpy()).sum())
    lengths = trace.primary[0].norm(dim=-1).reshape(TYPES, SIDE, SIDE).double().numpy()
    coefficients = trace.coefficients[0].double().numpy()
    maps = conv[0].double().numpy()
    return Followed(maps, lengths, votes, logits, coefficients, poses, drawn, missed)


def strips(model: Capsules, pose: ArrayLike, label: int) -> NDArray[np.float32]:
    """(16, shifts, 28, 28): digits decoded with each dimension of the pose shifted by `SHIFTS`.

    pose: (16,), of the capsule of class `label`.
    """
    shifted = np.asarray(pose) + np.eye(POSE)[:, None] * np.array(SHIFTS)[:, None]
    with torch.no_grad():
        drawn = model.decode(*placed(torch.from_numpy(shifted).float().flatten(0, 1), label))
    found: NDArray[np.float32] = drawn[:, 0].unflatten(0, (POSE, len(SHIFTS))).numpy()
    return found


def placed(poses: Tensor, label: int) -> tuple[Tensor, Tensor]:
    """Capsules (n, 16) of one class as the decoder takes them: (n, 10, 16), and labels (n,)."""
    whole = poses.new_zeros(len(poses), OUTPUTS, POSE)
    whole[:, label] = poses
    return whole, torch.full((len(poses),), label)


def on_image(maps: ArrayLike, field: ReceptiveField) -> Numbers:
    """(n, 112, 112): each value of maps (n, height, width) on the middle of what it sees.

    A square of `stride` pixels around the centre of the receptive field; nan where there is none.
    """
    values = np.asarray(maps, dtype=np.float64)
    wide = field.stride * ENLARGED
    spread = values.repeat(wide, 1).repeat(wide, 2)
    first = round((field.offset + 0.5 - field.stride / 2) * ENLARGED)  # a pixel's centre is at ½
    drawn = np.full((len(values), 28 * ENLARGED, 28 * ENLARGED), np.nan)
    drawn[:, first : first + spread.shape[1], first : first + spread.shape[2]] = spread
    return drawn
