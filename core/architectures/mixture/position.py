"""Where and what: what the experts of each layer tell of digits that are moved about.

After Eigen, Ranzato & Sutskever (2014, arXiv:1312.4314): on digits jittered in place the experts of
the first layer divided the places among themselves, and those of the second the classes. A digit's
offset is drawn without regard to its class, so what is told of one is not told of the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from core.activations import collect_layers, run
from core.architectures.mixture.information import SharedInformation, information, shared
from core.arguments import seeded, whole
from core.data import CLASSES, DataSet
from core.data.jitter import drawn_offsets, moved
from core.models.gated import Gated
from core.statistics import wilson_interval
from core.surroundings import undisturbed

__all__ = [
    "FACTORS",
    "REACH",
    "ROUNDS",
    "SIDE",
    "GatePlaces",
    "PositionReport",
    "PositionSensitivity",
    "factors_of",
    "lead",
    "place_report",
]

Whole = NDArray[np.int64]
Numbers = NDArray[np.float64]

REACH = 4  # pixels that a digit is moved at most, as in training on moved digits
SIDE = 2 * REACH + 1  # offsets each way
ROUNDS = 8  # times that each digit is moved, so that each of the 81 offsets has hundreds of digits
DRAWS = 200  # bootstraps
FACTORS = ("class", "place", "down", "right")
_DECIDE = "logits"


@dataclass(frozen=True)
class GatePlaces:
    """What one gate does with digits moved about.

    counts: int64 (experts, down, right), the digits that each expert takes at each offset, from
    -4 to 4 pixels. classes: int64 (experts, classes), the same by class; both of all moves. told:
    what the expert tells of each of `FACTORS`, and ahead: by how much more of the place than of the
    class, see `lead`; both on the first move of each digit.
    """

    gate: str
    counts: Whole
    classes: Whole
    told: Mapping[str, SharedInformation]
    ahead: tuple[float, float]

    @property
    def experts(self) -> int:
        """How many experts the gate chooses from."""
        return len(self.counts)

    @cached_property
    def offsets(self) -> Numbers:
        """The share of digits at each offset that each expert takes, (experts, down, right)."""
        share: Numbers = self.counts / np.maximum(self.counts.sum(0), 1)
        return share

    @cached_property
    def of_classes(self) -> Numbers:
        """The share of each class's digits that each expert takes, (experts, classes)."""
        share: Numbers = self.classes / np.maximum(self.classes.sum(0), 1)
        return share

    @cached_property
    def load(self) -> Numbers:
        """The share of all moves that each expert takes, (experts,)."""
        share: Numbers = self.counts.sum((1, 2)) / self.counts.sum()
        return share


@dataclass(frozen=True)
class PositionReport:
    """One network on n digits moved about.

    gates: input to output. moved, still: how many of the digits it tells right, moved once and as
    they are. lost: the share of ink that moving pushed out of the image, over all moves.
    """

    gates: tuple[GatePlaces, ...]
    digits: int
    moved: int
    still: int
    lost: float


@undisturbed()
def place_report(
    model: nn.Module, digits: DataSet, rounds: int = ROUNDS, seed: int = 0
) -> PositionReport:
    """What every gate of the model does with the digits, each moved `rounds` times.

    The offsets come from `seed` alone, so that networks are compared on the same pictures. Only the
    first move of each digit counts as a case of its own: shuffles of experts, and intervals, hold
    for independent cases, and eight moves of one digit aren't.

    Raises `TypeError` for a model without gates, `ValueError` for no digits or rounds.
    """
    if not isinstance(model, Gated):
        raise TypeError(f"{type(model).__name__} has no gate: choose a mixture of experts.")
    rounds, seed = whole(rounds, "rounds"), seeded(seed)
    if not len(digits) or rounds < 1:
        raise ValueError(f"{len(digits)} digits in {rounds} rounds: give at least one of each.")
    chance = torch.Generator().manual_seed(seed)
    parts, ink = [], 0.0
    for _ in range(rounds):
        down, right = drawn_offsets(len(digits), REACH, chance)
        images = moved(digits.images, down, right)
        read = collect_layers(model, images, (*model.gates, _DECIDE))
        ink += float(images.sum(dtype=torch.float64))
        parts.append((down, right, {name: of.argmax(1) for name, of in read.items()}))
    labels = digits.labels
    still = run(model, digits.images).argmax(1)
    return PositionReport(
        tuple(_gate(name, parts, labels, model.routing.experts, seed) for name in model.gates),
        len(digits),
        int((parts[0][2][_DECIDE] == labels).sum()),
        int((still == labels).sum()),
        1 - ink / max(rounds * float(digits.images.sum(dtype=torch.float64)), 1e-12),
    )


_Part = tuple[Tensor, Tensor, dict[str, Tensor]]  # a round: down, right, and who or what is highest


def _gate(gate: str, parts: list[_Part], labels: Tensor, experts: int, seed: int) -> GatePlaces:
    """One gate's tables over all rounds, and what it tells in the first."""
    taking = torch.cat([highest[gate] for _, _, highest in parts]).numpy()
    down, right = (torch.cat([part[at] for part in parts]).numpy() for at in (0, 1))  # type: ignore[misc]
    counts = np.zeros((experts, SIDE, SIDE), dtype=np.int64)
    np.add.at(counts, (taking, down + REACH, right + REACH), 1)
    classes = np.zeros((experts, CLASSES), dtype=np.int64)
    np.add.at(classes, (taking, np.tile(labels.numpy(), len(parts))), 1)
    once = slice(len(labels))
    factors = factors_of(labels.numpy(), down[once], right[once])
    told = {name: shared(taking[once], of, seed) for name, of in factors.items()}
    ahead = lead(taking[once], factors["place"], factors["class"], seed)
    return GatePlaces(gate, counts, classes, told, ahead)


def factors_of(labels: ArrayLike, down: ArrayLike, right: ArrayLike) -> dict[str, Whole]:
    """What an expert may tell of each digit, (n,) by `FACTORS`.

    place: the cell of 3 x 3, of three offsets each way. down, right: offsets, -4 to 4.
    """
    vertical, horizontal = (np.asarray(of, dtype=np.int64) for of in (down, right))
    third = SIDE // 3
    place = 3 * ((vertical + REACH) // third) + (horizontal + REACH) // third
    return {
        "class": np.asarray(labels, dtype=np.int64),
        "place": place,
        "down": vertical,
        "right": horizontal,
    }


def lead(experts: Whole, first: Whole, second: Whole, seed: int = 0) -> tuple[float, float]:
    """How much more normalized information experts have of one factor than of another, (n,) each.

    The ends of the 95 % interval of the difference, of `DRAWS` bootstraps over the digits (Efron
    1979). Values are whole numbers from 0.
    """
    random, n = np.random.default_rng(seeded(seed)), len(experts)
    wide = [int(of.max()) + 1 for of in (first, second)]
    cells = [experts * w + of for w, of in zip(wide, (first, second), strict=True)]
    rows = int(experts.max()) + 1
    differences = np.empty(DRAWS)
    for draw in range(DRAWS):
        again = random.integers(0, n, n)
        tables = [
            np.bincount(of[again], minlength=rows * w).reshape(rows, w)
            for w, of in zip(wide, cells, strict=True)
        ]
        differences[draw] = information(tables[0])[1] - information(tables[1])[1]
    low, high = np.quantile(differences, [0.025, 0.975])
    return float(low), float(high)


@dataclass(frozen=True)
class PositionSensitivity:
    """A network on the confirmation half moved about, trained and before training."""

    trained: PositionReport
    untrained: PositionReport

    def accuracies(self) -> dict[str, tuple[float, float, float]]:
        """Accuracy with Wilson's 95 % interval, of digits moved and of digits not moved."""
        of, n = self.trained, self.trained.digits
        counted = {"moved": of.moved, "not moved": of.still}
        return {name: (hits / n, *wilson_interval(hits, n)) for name, hits in counted.items()}
