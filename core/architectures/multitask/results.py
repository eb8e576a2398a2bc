"""What is known of the shared units of one network with several heads, as tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.architectures.multitask.gradients import pairs_of
from core.architectures.multitask.sharing import SHARED, specialization, tasks_of
from core.interventions.controls import spread
from core.models.multitask import Head, ManyHeadsSettings
from core.models.settings import Settings

__all__ = ["ONE_SIDED", "SHARES", "SharedUnits", "heads_of"]

Numbers = NDArray[np.float64]
Arrays = Mapping[str, NDArray[Any]]

SHARES = (0.05, 0.1, 0.2, 0.4)  # of a layer's units, silenced together
ONE_SIDED = 0.5  # |index| above which one task suffers three times as much as the other


def heads_of(settings: Settings) -> tuple[Head, ...]:
    """The tasks of a network with several heads, in the order of all arrays."""
    if not isinstance(settings, ManyHeadsSettings):
        raise ValueError(f"{settings.architecture} has one head: choose multitask or pairs.")
    return tasks_of(settings)


@dataclass(frozen=True)
class SharedUnits:
    """What the shared units of one network are for. arrays: as `SharedUnitsTask` gives them."""

    heads: tuple[Head, ...]
    arrays: Arrays

    @property
    def tasks(self) -> tuple[str, ...]:
        """The tasks' names; parity, where there is one, has no head of its own."""
        return tuple(head.task for head in self.heads)

    @property
    def taught(self) -> tuple[str, ...]:
        """The tasks that have a head."""
        return tuple(task for task in self.tasks if task != "parity")

    def scores(self) -> pd.DataFrame:
        """A row for each task: measure, network, linear regression, and a constant answer."""
        named = dict(zip(("network", "linear", "constant"), self.arrays["scores"], strict=True))
        measure = ["accuracy" if head.names else "R²" for head in self.heads]
        return pd.DataFrame({"task": self.tasks, "measure": measure, **named})

    def units(self, layer: str, first: str, second: str) -> pd.DataFrame:
        """A row for each unit: harm to two tasks, variance explained by each, and both indices.

        harm and index are of the discovery half, "again" of the confirmation half.
        """
        one, two = self.tasks.index(first), self.tasks.index(second)
        harm, again, variance = (self.arrays[f"{layer} {what}"] for what in _BY_UNIT)
        used = self._used(layer, one, two)
        return pd.DataFrame(
            {
                "unit": np.arange(harm.shape[1]),
                "harm first": harm[one],
                "harm second": harm[two],
                "variance first": variance[one],
                "variance second": variance[two],
                "used": used,
                "index": specialization(harm[one], harm[two], used),
                "again": specialization(again[one], again[two], used),
                "by variance": specialization(variance[one], variance[two]),
                "cosine": self._cosine(layer, one, two),
            }
        )

    def _used(self, layer: str, one: int, two: int) -> NDArray[np.bool_]:
        """(units,): whether silencing the unit surely changes one of two tasks."""
        certain = np.abs(self.arrays[f"{layer} certain"][[one, two]])
        return np.asarray((certain > self.arrays[f"{layer} limit"]).any(0))

    def _cosine(self, layer: str, one: int, two: int) -> Numbers:
        """(units,): of both tasks' gradients; nan for a task without a head."""
        by_pair = self.arrays[f"{layer} unit cosines"]
        pairs = pairs_of(len(self.taught))
        pair = (min(one, two), max(one, two))
        return by_pair[pairs.index(pair)] if pair in pairs else np.full(by_pair.shape[1], np.nan)

    def flipped(self, layer: str, first: str, second: str) -> tuple[int, int, int]:
        """Units used; for how many the first task counts more; and for how many by raw losses."""
        one, two = self.tasks.index(first), self.tasks.index(second)
        used = self._used(layer, one, two)
        harm, raw = (self.arrays[f"{layer} {what}"][:, used] for what in ("harm", "raw"))
        return int(used.sum()), int((harm[one] > harm[two]).sum()), int((raw[one] > raw[two]).sum())

    def counts(self, layer: str, first: str, second: str) -> dict[str, float]:
        """Units used by either task, of all; how many of them serve one alone; rank correlations.

        "repeat" is of the index on both halves; "variance" of the index by lesion with that by
        variance; "chance" what 95 % of shuffles stay below.
        """
        table = self.units(layer, first, second)
        mine = table[table["used"]]
        return {
            "units": len(table),
            "used": len(mine),
            "first": int((mine["index"] > ONE_SIDED).sum()),
            "second": int((mine["index"] < -ONE_SIDED).sum()),
            "repeat": float(mine["index"].corr(mine["again"], method="spearman")),
            "variance": float(mine["index"].corr(mine["by variance"], method="spearman")),
            "chance": 1.96 / np.sqrt(max(len(mine) - 1, 1)),
        }

    def examples(self, layer: str, first: str, second: str, most: int) -> dict[str, list[int]]:
        """The units of most harm: to `first` alone, to both, and to `second` alone."""
        table = self.units(layer, first, second)
        table = table.assign(total=table["harm first"].abs() + table["harm second"].abs())
        mine = table[table["used"]].sort_values("total", ascending=False)
        index = mine["index"]
        groups = {
            first: index > ONE_SIDED,
            "both": index.abs() <= ONE_SIDED,
            second: index < -ONE_SIDED,
        }
        return {name: mine.loc[rows, "unit"].head(most).tolist() for name, rows in groups.items()}

    def crossed(self, layer: str, share: float) -> pd.DataFrame:
        """A row for each task whose units are silent and each task judged.

        harm and score without them; median, low and high (95 %) of the same with random units.
        """
        at = SHARES.index(share)
        rows = []
        for i, silent in enumerate(self.taught):
            for j, task in enumerate(self.tasks):
                row: dict[str, object] = {"silent": silent, "task": task}
                for what in ("harm", "score"):
                    low, middle, high = spread(self.arrays[f"{layer} random {what}"][at, i, :, j])
                    row[what] = self.arrays[f"{layer} crossed {what}"][at, i, j]
                    row |= {f"{what} random": middle, f"{what} low": low, f"{what} high": high}
                rows.append(row)
        return pd.DataFrame(rows)

    def conflict(self) -> pd.DataFrame:
        """A row for each step of training, layer and pair of tasks, or task with itself: cosine."""
        names = [f"{self.taught[a]} · {self.taught[b]}" for a, b in pairs_of(len(self.taught))]
        frames = []
        for layer in SHARED:
            for what, columns in (("between", names), ("alike", list(self.taught))):
                values = self.arrays[f"{layer} {what}"]  # (steps, columns)
                frame = pd.DataFrame(values, columns=columns).assign(step=self.arrays["steps"])
                flat = frame.melt("step", var_name="tasks", value_name="cosine")
                frames.append(flat.assign(layer=layer, kind=what))
        return pd.concat(frames, ignore_index=True)


_BY_UNIT = ("harm", "again", "variance")
