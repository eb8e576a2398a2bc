"""A gate read on digits: weights, load, importance, entropies, and what experts tell of digits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, NDArray
from torch import nn

from core.activations import collect
from core.architectures.mixture.information import SharedInformation, shared
from core.architectures.mixture.tables import share_table
from core.arguments import seeded
from core.data import DataSet
from core.data.concepts import Measured, measure
from core.models.gated import Gated
from core.models.gates import balance
from core.models.inspectable import Inspectable
from core.statistics import entropy
from core.surroundings import undisturbed
from core.text import literal

__all__ = ["DEAD", "GateReport", "gate_report", "gated", "read_gates", "report_of"]

Floats = NDArray[np.float32]
Numbers = NDArray[np.float64]
DEAD = 0.25  # an expert is dead that takes at most this share of an even load (N experts: 1 / 4N)
_OFF = 1e-3  # by which a digit's weights may miss a sum of 1


@dataclass(frozen=True)
class GateReport:
    """What a gate does with n digits.

    gates: float32 (n, experts), each row sums to 1. labels: int64 (n,). measured: the concepts of
    the digits, where they were measured. All entropies and information are in bits.
    """

    gates: Floats
    labels: NDArray[np.int64]
    measured: Measured | None = None
    seed: int = 0

    @property
    def experts(self) -> int:
        """How many experts the gate chooses from."""
        return int(self.gates.shape[1])

    @cached_property
    def first(self) -> NDArray[np.int64]:
        """The expert with the highest weight for each digit, (n,): the one that takes it."""
        first: NDArray[np.int64] = self.gates.argmax(1).astype(np.int64)
        return first

    @cached_property
    def load(self) -> Numbers:
        """The share of digits that each expert takes, f (experts,)."""
        return np.bincount(self.first, minlength=self.experts) / len(self.first)

    @cached_property
    def importance(self) -> Numbers:
        """The mean weight of each expert, P (experts,)."""
        mean: Numbers = self.gates.mean(0, dtype=np.float64)
        return mean

    @property
    def active(self) -> int:
        """How many experts take more than a quarter of an even share, 1 / 4N."""
        return int((self.load > DEAD / self.experts).sum())

    @property
    def balance(self) -> float:
        """N Σ f_i P_i (Fedus et al. 2021): 1 where experts share evenly, N where one has all."""
        return float(balance(torch.tensor(self.gates, dtype=torch.float64)))

    @property
    def load_variation(self) -> float:
        """CV² of the load, by the population's variance: 0 even, N − 1 collapsed."""
        return float(np.square(self.load * self.experts - 1).mean())

    @property
    def importance_variation(self) -> float:
        """CV² of the importance, by the population's variance: 0 even, N − 1 collapsed."""
        return float(np.square(self.importance * self.experts - 1).mean())

    @cached_property
    def entropy(self) -> Numbers:
        """Entropy of each digit's weights, (n,): 0 decided, log₂ N undecided."""
        return entropy(self.gates)

    @cached_property
    def mean_entropy(self) -> float:
        """Mean of `entropy`."""
        return float(self.entropy.mean())

    @cached_property
    def entropy_of_mean(self) -> float:
        """Entropy of the mean weights: log₂ N where experts share evenly, 0 where one has all."""
        return float(entropy(self.importance / self.importance.sum()))

    @property
    def decisions(self) -> float:
        """I(expert; digit), entropy of the mean − mean entropy: how much deciding there is."""
        return max(0.0, self.entropy_of_mean - self.mean_entropy)

    @cached_property
    def class_information(self) -> SharedInformation:
        """What the expert that takes a digit tells of its class."""
        return shared(self.first, self.labels, self.seed)

    @cached_property
    def classes(self) -> pd.DataFrame:
        """A row for each class and expert; see `share_table`."""
        return share_table(self.first, self.labels, self.experts)

    @cached_property
    def concept_information(self) -> pd.DataFrame:
        """A row for each concept: digits, bits, normalized, chance, limit and p of
        `SharedInformation`.

        Raises `ValueError` when concepts weren't measured.
        """
        if self.measured is None:
            raise ValueError("concepts weren't measured: give their names to gate_report.")
        rows = []
        for name, present in zip(self.measured.names, self.measured.present().T, strict=True):
            of = shared(self.first, present, self.seed)
            rows.append({"concept": name, "digits": int(present.sum()), **vars(of)})
        return pd.DataFrame(rows)


@undisturbed()
def gate_report(
    model: nn.Module,
    digits: DataSet,
    gate: str | None = None,
    *,
    concepts: Sequence[str] | Measured | None = None,
    seed: int = 0,
) -> GateReport:
    """What a gate of the model does with the digits.

    gate: name of the layer that holds its weights; None for the last one. concepts: what is
    measured in the digits, by name, or what was measured already; None for all that can be.
    seed: of the shuffles.

    Raises `TypeError` for a model without gates, and `ValueError` for an unknown gate, no digits, a
    seed that is none, images that aren't finite, and weights that aren't finite, are negative, or
    don't sum to 1.
    """
    seed = seeded(seed)
    if not len(digits):
        raise ValueError("there are no digits: give at least one.")
    weights = read_gates(model, digits, gate)
    if not isinstance(concepts, Measured):
        images, labels = digits.images.numpy(), digits.labels.numpy()
        concepts = measure(images, labels, concepts, parts=digits.parts)
    return report_of(weights, digits.labels.numpy(), concepts, seed)


def read_gates(model: nn.Module, digits: DataSet, gate: str | None = None) -> Floats:
    """The weights of a gate for each digit, (n, experts). Raises as `gate_report`."""
    if not isinstance(model, Gated):
        raise TypeError(f"{type(model).__name__} has no gate: choose a mixture of experts.")
    if gate is not None and gate not in model.gates:
        raise ValueError(f"{literal(gate)} is no gate: choose {' or '.join(model.gates)}.")
    if not digits.images.isfinite().all():
        raise ValueError("images hold values that aren't finite: give grey levels in 0..1.")
    weights: Floats = collect(model, digits.images, gate or model.gates[-1]).numpy()
    return weights


def report_of(
    gates: ArrayLike, labels: ArrayLike, measured: Measured | None = None, seed: int = 0
) -> GateReport:
    """The report of weights (n, experts) for digits of these labels (n,).

    Raises `ValueError` for other shapes, no digits, a seed that is none, and weights that aren't
    finite, are negative, or don't sum to 1.
    """
    seed = seeded(seed)
    weights, classes = np.asarray(gates, dtype=np.float32), np.asarray(labels)
    if weights.ndim != 2 or not weights.size or classes.shape != weights.shape[:1]:
        raise ValueError(
            f"gates have shape {weights.shape} and labels {classes.shape}: give (n, experts) and "
            "(n,), at least one of each."
        )
    if not np.isfinite(weights).all():
        row = int(np.flatnonzero(~np.isfinite(weights).all(1))[0])
        raise ValueError(f"the weights of digit {row} aren't finite: give weights from 0 to 1.")
    off = (weights < 0).any(1) | (abs(weights.sum(1, dtype=np.float64) - 1) > _OFF)
    if off.any():
        row = int(np.flatnonzero(off)[0])
        raise ValueError(
            f"the weights of digit {row} are {np.round(weights[row], 3).tolist()}: give none below "
            "0, and a sum of 1."
        )
    return GateReport(weights, classes.astype(np.int64), measured, seed)


def gated(model: Inspectable) -> Gated:
    """The model, if it has gates. Raises `TypeError` otherwise."""
    if not isinstance(model, Gated):
        raise TypeError(f"{type(model).__name__} has no gate: choose a mixture of experts.")
    return model
