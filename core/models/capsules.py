"""A capsule network: small vectors that vote for the pose of larger ones, by dynamic routing.

Sabour, Frosst & Hinton (2017, arXiv:1710.09829), with 8 types of primary capsules instead of 32,
a first layer of 32 channels instead of 256, and a decoder with one hidden layer instead of two.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from core.models.inspectable import Inspectable, Layer, ReceptiveField, Stages, Tap
from core.models.settings import DIGITS, DataFormat, Descent, Sizes, dense, setting, summed

__all__ = ["Capsules", "CapsulesSettings", "Trace", "margin_loss", "routing", "squash"]

CHANNELS, TYPES, SIZE, SIDE = 32, 8, 8, 6  # SIZE: dimensions of a primary capsule
INPUTS = TYPES * SIDE * SIDE  # primary capsules
OUTPUTS, POSE = 10, 16  # a capsule for each digit, and its dimensions
ITERATIONS = 3  # of routing, by default
DRAWING = 256  # hidden units of the decoder
PRESENT, ABSENT, LIGHTER = 0.9, 0.1, 0.5  # m⁺, m⁻ and λ of the margin loss
RECONSTRUCTION = 0.0005  # what a squared grey level counts beside the margin loss
SPREAD = 0.1  # of the first weights; of 1, as of `torch.randn`, every length begins at 1
_TOGETHER = 25  # digits routed at once: their votes, 4.6 MB, then stay in the processor's cache


@dataclass(frozen=True)
class CapsulesSettings(Descent):
    """Of a capsule network.

    iterations: of routing. After one all coefficients are still alike, cᵢⱼ = 1 / classes, so that v
    is a squashed linear layer of u: no routing.
    """

    architecture = "capsules"
    title = "Capsules"

    iterations: int = setting(
        ITERATIONS,
        "Routing iterations",
        low=1,
        high=10,
        step=1,
        help="Of dynamic routing. 1: all coefficients are alike, so that nothing is routed.",
    )
    epochs: int = 3
    optimizer: str = "adam"

    def check_for(self, data: DataFormat) -> None:
        """Raises `ValueError` for images of another shape."""
        data.require("capsules")
        super().check_for(data)

    def sizes(self, data: DataFormat) -> Sizes:
        """Two convolutions of 9x9 pixels, a matrix for each pair of capsules, and the decoder."""
        dimensions = TYPES * SIZE
        convolutions = (81 * CHANNELS, CHANNELS), (81 * CHANNELS * dimensions, dimensions)
        matrices = (INPUTS * data.classes * SIZE * POSE, 0)
        decoder = dense(data.classes * POSE, DRAWING), dense(DRAWING, data.pixels)
        return summed(*convolutions, matrices, *decoder)

    def describe(self, data: DataFormat = DIGITS) -> tuple[Layer, ...]:
        """Features, primary capsules, the classes' capsules and their lengths."""
        return (
            Layer("conv", CHANNELS, (20, 20), ReceptiveField(9, 1, 4)),
            Layer(
                "primary",
                TYPES * SIZE,
                (SIDE, SIDE),
                ReceptiveField(17, 2, 8),
                rectified=False,
                read="primary capsules, before the squash",
                named=lambda index: f"type {index // SIZE}, dimension {index % SIZE}",
            ),
            Layer(
                "pose",
                data.classes * POSE,
                rectified=False,
                bounds=(-1.0, 1.0),
                read="the classes' capsules, after the squash",
                named=lambda index: f"class {index // POSE}, dimension {index % POSE}",
            ),
            Layer(
                "lengths",
                data.classes,
                rectified=False,
                bounds=(0.0, 1.0),
                read="length of the class's capsule",
            ),
        )

    def network(self, data: DataFormat = DIGITS) -> Capsules:
        """The network."""
        return Capsules(self, data)


def squash(vectors: Tensor) -> Tensor:
    """‖s‖² / (1 + ‖s‖²) · s / ‖s‖ over the last axis: lengths below 1, directions as they were.

    A vector of length 1 gets length ½. The gradient at 0 is 0.
    """
    square = vectors.square().sum(-1, keepdim=True)
    return vectors * (square / (1 + square)) * (square + 1e-9).rsqrt()


def routing(votes: Tensor, iterations: int) -> Iterator[tuple[Tensor, Tensor]]:
    """After each iteration the coefficients c and the capsules v (Sabour et al. 2017, procedure 1):

        cᵢ = softmax_j(bᵢ)    v_j = squash(Σᵢ cᵢⱼ ûⱼᵢ)    bᵢⱼ ← bᵢⱼ + ûⱼᵢ · v_j

    votes: û (batch, outputs, inputs, dimensions). c: (batch, outputs, inputs), which sums to 1 over
    the outputs. v: (batch, outputs, dimensions). The logits b begin at 0. Raises `ValueError` for
    fewer than one iteration.
    """
    if iterations < 1:
        raise ValueError(f"{iterations} iterations of routing: choose 1 or more.")
    logits = torch.zeros_like(votes[..., 0])
    for _ in range(iterations):
        share = logits.softmax(1)
        capsules = squash((share[:, :, None] @ votes)[:, :, 0])
        yield share, capsules
        logits = logits + (votes @ capsules[..., None])[..., 0]


def margin_loss(lengths: Tensor, labels: Tensor) -> Tensor:
    """Mean over digits of Σ_k T_k max(0, .9 − ‖v_k‖)² + ½ (1 − T_k) max(0, ‖v_k‖ − .1)².

    lengths: (batch, classes). labels: int64 (batch,); T_k is 1 for the digit's own class.
    """
    own = one_hot(labels, lengths.shape[1]).to(lengths.dtype)
    short, long = (PRESENT - lengths).relu().square(), (lengths - ABSENT).relu().square()
    loss: Tensor = (own * short + LIGHTER * (1 - own) * long).sum(1).mean()
    return loss


@dataclass(frozen=True)
class Trace:
    """Everything on a digit's way through the network.

    primary: u (batch, inputs, 8), squashed; input i is type i // 36 at position i % 36, row by row.
    votes: û (batch, inputs, outputs, 16), what each input predicts of each output. coefficients:
    c (batch, iterations, inputs, outputs). poses: v after each iteration, (batch, iterations,
    outputs, 16). reconstruction: (batch, 1, 28, 28), decoded from the longest capsule.
    """

    primary: Tensor
    votes: Tensor
    coefficients: Tensor
    poses: Tensor
    reconstruction: Tensor

    @property
    def lengths(self) -> Tensor:
        """After each iteration, (batch, iterations, outputs)."""
        lengths: Tensor = torch.linalg.vector_norm(self.poses, dim=-1)
        return lengths


class Capsules(Inspectable):
    """288 primary capsules u (8 types at 6 x 6 positions) -> 10 capsules v; 779,920 parameters.

        ûⱼᵢ = Wᵢⱼ uᵢ    v = what three iterations of `routing` make of the votes û

    Each pair has a matrix Wᵢⱼ of its own. The answer is the longest v_j. A decoder draws the digit
    from the capsule of its class. While training, gradients take the routing coefficients as given.
    """

    name = "capsules"
    settings: CapsulesSettings

    def __init__(self, settings: CapsulesSettings, data: DataFormat = DIGITS) -> None:
        super().__init__()
        self.settings, self.described = settings, settings.describe(data)
        self.iterations, self.outputs = settings.iterations, data.classes
        self.conv = nn.Conv2d(1, CHANNELS, 9)
        self.primary = nn.Conv2d(CHANNELS, TYPES * SIZE, 9, stride=2)
        self.matrices = nn.Parameter(torch.randn(INPUTS, data.classes, SIZE, POSE) * SPREAD)
        self.pose, self.lengths = Tap(), Tap()
        self.decoder = nn.Sequential(
            nn.Linear(data.classes * POSE, DRAWING),
            nn.ReLU(),
            nn.Linear(DRAWING, data.pixels),
            nn.Sigmoid(),
        )

    def stages(self) -> Stages:
        """Images, features, primary capsules, the classes' capsules, their lengths."""
        return {
            "conv": self.conv,
            "primary": lambda maps: self.primary(maps.relu()),
            "pose": lambda maps: self.pose(self.agreed(self.inputs(maps)).flatten(1)),
            "lengths": lambda pose: self.lengths(self._lengths(pose)),
        }

    def inputs(self, maps: Tensor) -> Tensor:
        """u (batch, inputs, 8) of the layer `primary`, (batch, 64, 6, 6)."""
        capsules = maps.unflatten(1, (TYPES, SIZE)).permute(0, 1, 3, 4, 2)
        return squash(capsules.reshape(len(maps), INPUTS, SIZE))

    def votes(self, inputs: Tensor) -> Tensor:
        """û (batch, outputs, inputs, 16) of u (batch, inputs, 8)."""
        each = self.matrices.transpose(1, 2).flatten(2)  # (inputs, 8, outputs * 16)
        flat = torch.bmm(inputs.transpose(0, 1), each)  # (inputs, batch, outputs * 16)
        return flat.view(*flat.shape[:2], self.outputs, POSE).permute(1, 2, 0, 3).contiguous()

    def agreed(self, inputs: Tensor) -> Tensor:
        """v (batch, outputs, 16) of u (batch, inputs, 8), routed."""
        return self.gathered(inputs, self._coefficients(inputs))

    def gathered(self, inputs: Tensor, share: Tensor) -> Tensor:
        """v (batch, outputs, 16) of u (batch, inputs, 8) and given c (batch, outputs, inputs).

        Σᵢ cᵢⱼ Wᵢⱼ uᵢ is a matrix product of the inputs weighted by c, a third of the work of adding
        up votes when gradients are wanted.
        """
        weighted = share.transpose(0, 1)[..., None] * inputs  # (outputs, batch, inputs, 8)
        each = self.matrices.transpose(0, 1).flatten(1, 2)  # (outputs, inputs * 8, 16)
        return squash(torch.bmm(weighted.flatten(2), each).transpose(0, 1))

    def _coefficients(self, inputs: Tensor) -> Tensor:
        """c of the last iteration, (batch, outputs, inputs), through which gradients flow in eval.

        In training they don't: the accuracy is the same, and a step takes half as long.
        """
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.training):
            routed = [self._last(self.votes(some)) for some in inputs.split(_TOGETHER)]
        return torch.cat(routed)

    def _last(self, votes: Tensor) -> Tensor:
        """The coefficients of the last iteration."""
        *_, (share, _) = routing(votes, self.iterations)
        return share

    def decode(self, pose: Tensor, labels: Tensor) -> Tensor:
        """The digit (batch, 1, 28, 28) in 0..1 that the decoder draws of the capsules of `labels`.

        pose: (batch, 160) or (batch, 10, 16), of which the other classes count as 0. labels:
        (batch,).
        """
        own = one_hot(labels, self.outputs).to(pose.dtype)[..., None]
        masked = (pose.reshape(-1, self.outputs, POSE) * own).flatten(1)
        drawn: Tensor = self.decoder(masked)
        return drawn.view(-1, 1, 28, 28)

    def objective(self, images: Tensor, labels: Tensor) -> Tensor:
        """Margin loss, and 0.0005 times the summed squared error of the digit drawn again."""
        *earlier, last = self.stages().values()
        pose = images
        for stage in earlier:
            pose = stage(pose)
        missed = (self.decode(pose, labels) - images).square().sum((1, 2, 3)).mean()
        return margin_loss(last(pose), labels) + RECONSTRUCTION * missed

    def trace(self, images: Tensor, iterations: int | None = None) -> Trace:
        """All that happens on the way, with any number of routing iterations (None: the model's).

        images: (batch, 1, 28, 28). The votes of a digit take 184 kB: give some hundred at once.
        """
        inputs = self.inputs(self.primary(self.conv(images).relu()))
        votes = self.votes(inputs)
        shares, poses = zip(
            *routing(votes, self.iterations if iterations is None else iterations), strict=True
        )
        return Trace(
            primary=inputs,
            votes=votes.transpose(1, 2),
            coefficients=torch.stack(shares, 1).transpose(2, 3),
            poses=torch.stack(poses, 1),
            reconstruction=self.decode(poses[-1], self._lengths(poses[-1]).argmax(1)),
        )

    def _lengths(self, pose: Tensor) -> Tensor:
        """(batch, classes) of (batch, classes * 16) or (batch, classes, 16)."""
        capsules = pose.reshape(-1, self.outputs, POSE)
        lengths: Tensor = torch.linalg.vector_norm(capsules, dim=-1)
        return lengths
