"""A gate through training: who takes what at each kept step, when it decided, and who died."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from core.architectures.mixture.examples import mean_digits
from core.architectures.mixture.report import DEAD, GateReport, read_gates, report_of
from core.arguments import seeded, whole
from core.data import CLASSES, DataSet
from core.interventions.answers import correct
from core.models import registry
from core.models.inspectable import Inspectable
from core.statistics import entropy
from core.surroundings import undisturbed

__all__ = ["GateHistory", "grow", "normalized_limit", "shares"]

Numbers = NDArray[np.float64]
Whole = NDArray[np.int64]
_WHERE = ("same", "chance")
_DECIDED = 0.5  # of the digits, at the expert that takes them in the end


@dataclass(frozen=True)
class GateHistory:
    """One gate at the steps of training that were kept.

    steps: (checkpoints,) batches seen, the first 0. load, importance: (checkpoints, experts).
    balance: N Σ f P. entropy, mixed: of a digit's weights, mean, and of the mean weights, bits.
    bits, normalized, limit: what the expert tells of the class, and what 95 % of shuffles stay
    below, normalized as well. accuracy: of the network. same: the share of digits at the expert
    that takes them in the end. All (checkpoints,). classes: (checkpoints, experts, 10), the share
    of a class's digits that the expert takes, not a number for a class without digits. means:
    (checkpoints, experts, 28, 28), the mean of the digits taken, 0 where there are none.
    """

    steps: Whole
    load: Numbers
    importance: Numbers
    balance: Numbers
    entropy: Numbers
    mixed: Numbers
    bits: Numbers
    normalized: Numbers
    limit: Numbers
    accuracy: Numbers
    same: Numbers
    classes: Numbers
    means: Numbers

    @property
    def experts(self) -> int:
        """How many experts the gate chooses from."""
        return int(self.load.shape[1])

    @property
    def dead(self) -> NDArray[np.bool_]:
        """(checkpoints, experts): whether the expert takes at most a quarter of an even share."""
        of: NDArray[np.bool_] = self.load <= DEAD / self.experts
        return of

    @property
    def active(self) -> Whole:
        """(checkpoints,): experts that aren't dead."""
        count: Whole = (~self.dead).sum(1)
        return count

    def died(self) -> dict[int, int]:
        """The experts that are dead in the end, each with the first step of their last death."""
        return {
            int(expert): int(self.steps[_since(self.dead[:, expert])])
            for expert in np.flatnonzero(self.dead[-1])
        }

    @property
    def chance(self) -> Numbers:
        """(checkpoints,): `same`, were digits dealt out at random with these loads."""
        dealt: Numbers = self.load @ self.load[-1]
        return dealt

    def decided(self) -> int:
        """The first kept step from which half of the digits are where they are in the end."""
        return int(self.steps[_since(self.same >= _DECIDED)])

    def at(self, step: int) -> int:
        """Which checkpoint a step is. Raises `ValueError` for a step that wasn't kept."""
        step = whole(step, "step")
        found = np.flatnonzero(self.steps == step)
        if not len(found):
            raise ValueError(f"step {step} wasn't kept: choose one of {self.steps.tolist()}.")
        return int(found[0])

    def by_expert(self) -> pd.DataFrame:
        """A row for each step and expert: load, importance, and whether it is dead."""
        rows = len(self.steps)
        return pd.DataFrame(
            {
                "step": np.repeat(self.steps, self.experts),
                "expert": np.tile(np.arange(self.experts), rows),
                "load": self.load.ravel(),
                "importance": self.importance.ravel(),
                "dead": self.dead.ravel(),
            }
        )

    def by_step(self) -> pd.DataFrame:
        """A row for each step: active experts and every measure of (checkpoints,)."""
        named = (
            "steps",
            "accuracy",
            "balance",
            "entropy",
            "mixed",
            "bits",
            "normalized",
            "limit",
            *_WHERE,
        )
        table = pd.DataFrame({name: getattr(self, name) for name in named})
        table.insert(1, "active", self.active)
        return table.rename(columns={"steps": "step", "mixed": "entropy of the mean"})

    def by_class(self, step: int) -> pd.DataFrame:
        """A row for each expert and class at a step: the share of the class that it takes."""
        shares = self.classes[self.at(step)]
        return pd.DataFrame(
            {
                "expert": np.repeat(np.arange(self.experts), CLASSES),
                "class": np.tile(np.arange(CLASSES), self.experts),
                "share": shares.ravel(),
            }
        )


@undisturbed()
def grow(
    like: Inspectable,
    weights: Mapping[int, Mapping[str, Tensor]],
    digits: DataSet,
    gate: str | None = None,
    seed: int = 0,
) -> GateHistory:
    """The gate of a network as `like` at each step, on the digits.

    weights: by step, those of the model, as `core.training.History` keeps them. They are put into a
    model of their own. gate: None for the last one. seed: of the shuffles.

    Raises `ValueError` for no steps, no digits, an unknown gate and a seed that is none,
    `TypeError` for a model without gates.
    """
    seed = seeded(seed)
    if not weights or not len(digits):
        raise ValueError(f"{len(weights)} steps, {len(digits)} digits: give at least one of each.")
    model = registry.draw(like.name, settings=like.settings).eval().requires_grad_(False)
    labels, images = digits.labels.numpy(), digits.images[:, 0].numpy()
    rows: dict[str, list[Any]] = {of.name: [] for of in fields(GateHistory)}
    for step in sorted(weights):
        model.load_state_dict(dict(weights[step]))
        report = report_of(read_gates(model, digits, gate), labels, seed=seed)
        values = {"steps": step, "accuracy": float(correct(model, digits).mean()), **_read(report)}
        values["means"] = mean_digits(images, report.first, report.experts)
        values["same"] = report.first  # held against the last one below
        for key, value in values.items():
            rows[key].append(value)
    rows["same"] = [float((first == rows["same"][-1]).mean()) for first in rows["same"]]
    return GateHistory(**{key: np.array(values) for key, values in rows.items()})


def _read(report: GateReport) -> dict[str, Any]:
    """What a report tells, by the fields of `GateHistory`."""
    told = report.class_information
    return {
        "load": report.load,
        "importance": report.importance,
        "balance": report.balance,
        "entropy": report.mean_entropy,
        "mixed": report.entropy_of_mean,
        "bits": told.bits,
        "normalized": told.normalized,
        "limit": normalized_limit(report),
        "classes": shares(report.first, report.labels, report.experts),
    }


def normalized_limit(report: GateReport) -> float:
    """What 95 % of shuffles stay below, normalized; a shuffle changes neither entropy."""
    classes = np.bincount(report.labels) / len(report.labels)
    both = float(entropy(report.load) + entropy(classes))
    return 2 * report.class_information.limit / both if both > 0 else 0.0


def shares(experts: ArrayLike, labels: ArrayLike, count: int) -> Numbers:
    """(count, 10): the share of each class's digits that each expert takes, NaN for no digits."""
    table = np.zeros((count, CLASSES))
    np.add.at(table, (np.asarray(experts), np.asarray(labels)), 1)
    of_class = table.sum(0)
    found: Numbers = np.divide(table, of_class, out=np.full_like(table, np.nan), where=of_class > 0)
    return found


def _since(flags: NDArray[np.bool_]) -> int:
    """Where the last run of flags begins, of which the last one is set."""
    unset = np.flatnonzero(~flags)
    return int(unset[-1]) + 1 if len(unset) else 0
