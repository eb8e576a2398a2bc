"""What a network answers without an expert, by one alone, and with mixed up gates; both halves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.architectures.mixture.interventions import GateAnswers, rerouted
from core.architectures.mixture.tasks.assignment import gated
from core.data import CLASSES
from core.data.task import DataTask
from core.runs import Run
from core.runtime.lab import Lab
from core.runtime.task import Report, Task
from core.statistics import paired_interval, wilson_interval
from core.text import literal
from core.training.task import ModelTask

__all__ = ["WAYS", "GateInterventions", "GateInterventionsTask"]

Numbers = NDArray[np.float64]
Labels = NDArray[np.int8]

WAYS = ("removed", "alone")
_HALVES = ("discovery", "confirmation")
_DECIDED = {
    "intact": "the gate as trained",
    "akin": "weights for another digit of the same class",
    "another": "weights for another digit",
    "even": "equal weights, 1/N",
}


@dataclass(frozen=True)
class GateInterventions:
    """Answers when one gate decides otherwise, and classes, of the digits of each half, by name."""

    answers: Mapping[str, GateAnswers]
    labels: Mapping[str, Labels]

    @property
    def experts(self) -> int:
        """How many."""
        return len(self.answers["confirmation"].removed)

    @property
    def digits(self) -> int:
        """How many are judged."""
        return len(self.labels["confirmation"])

    def right(self, of: str, half: str = "confirmation") -> NDArray[np.bool_]:
        """Which digits are told right when rerouted so, bool (n,) or (experts, n)."""
        answers: Labels = getattr(self.answers[half], of)
        right: NDArray[np.bool_] = answers == self.labels[half]
        return right

    def accuracies(self) -> pd.DataFrame:
        """A row for each decision, on the confirmation half.

        Columns: decision, kind, accuracy, low, high (Wilson's 95 % interval), change (to the gate
        as trained), change low, change high (paired).
        """
        intact = self.right("intact")
        decided = [(name, "the gate", self.right(of)) for of, name in _DECIDED.items()]
        each = self.right("alone")
        single = [(f"expert {at} alone", "one expert", of) for at, of in enumerate(each)]
        rows = []
        for name, kind, right in [*decided, *single]:
            low, high = wilson_interval(int(right.sum()), len(right))
            row = {"decision": name, "kind": kind, "accuracy": right.mean()}
            change = _change(intact, right)
            rows.append({**row, "low": low, "high": high, **change})
        return pd.DataFrame(rows)

    def effects(self) -> pd.DataFrame:
        """A row for each expert and class: what its removal changes of the class's accuracy.

        discovery, change: on the two halves. low, high: 95 % interval of the change, paired.
        control low, control high: range of the change when another expert is removed instead.
        """
        earlier = self._changes("discovery")[0]
        now, low, high = self._changes("confirmation")
        others = np.stack([np.delete(now, at, 0) for at in range(self.experts)])
        expert, digit = (axis.ravel() for axis in np.indices(now.shape))
        return pd.DataFrame(
            {
                "expert": expert,
                "class": digit,
                "digits": np.bincount(self.labels["confirmation"], minlength=CLASSES)[digit],
                "discovery": earlier.ravel(),
                "change": now.ravel(),
                "low": low.ravel(),
                "high": high.ravel(),
                "control low": others.min(1).ravel(),
                "control high": others.max(1).ravel(),
            }
        )

    def specialties(self) -> pd.DataFrame:
        """A row for each expert: the class hurt most on the discovery half, judged on the other.

        Experts that hurt none there, such as those that take no digit, have no row. needed: whether
        the whole interval lies below the removal of every other expert.
        """
        table = self.effects()
        chosen = table.loc[table.groupby("expert")["discovery"].idxmin()]
        chosen = chosen[chosen["discovery"] < 0].reset_index(drop=True)
        return chosen.assign(needed=chosen["high"] < chosen["control low"])

    def costs(self) -> pd.DataFrame:
        """A row for each expert: what its removal changes of the accuracy on all digits."""
        intact = self.right("intact")
        rows = [_change(intact, right) for right in self.right("removed")]
        return pd.DataFrame(rows).assign(expert=range(self.experts))

    def costliest(self) -> int:
        """The expert whose removal costs most on the discovery half."""
        return int(self.right("removed", "discovery").mean(1).argmin())

    def confusion(self, expert: int, way: str) -> pd.DataFrame:
        """A row for each class and answer when the expert is removed or answers alone.

        Columns: class, answer, count, intact (count with the gate as trained), difference, share
        (of the class). Raises `ValueError` for another way.
        """
        now = self._crossed(self._of(expert, way))
        before = self._crossed(self.answers["confirmation"].intact)
        label, answer = (axis.ravel() for axis in np.indices(now.shape))
        return pd.DataFrame(
            {
                "class": label,
                "answer": answer,
                "count": now.ravel(),
                "intact": before.ravel(),
                "difference": (now - before).ravel(),
                "share": (now / np.maximum(now.sum(1, keepdims=True), 1)).ravel(),
            }
        )

    def lost(self, expert: int, way: str) -> pd.DataFrame:
        """A row for each digit of the confirmation half that is then no longer told right.

        Columns: digit (its number in that half), class, answer.
        """
        answers, labels = self._of(expert, way), self.labels["confirmation"]
        lost = np.flatnonzero(self.right("intact") & (answers != labels))
        return pd.DataFrame({"digit": lost, "class": labels[lost], "answer": answers[lost]})

    def _of(self, expert: int, way: str) -> Labels:
        """Answers (n,) on the confirmation half."""
        if way not in WAYS:
            raise ValueError(f"{literal(way)} is not known: choose {' or '.join(WAYS)}.")
        answers: Labels = getattr(self.answers["confirmation"], way)[expert]
        return answers

    def _crossed(self, answers: Labels) -> NDArray[np.int64]:
        """Counts (class, answer)."""
        cells = CLASSES * self.labels["confirmation"].astype(np.int64) + answers
        return np.bincount(cells, minlength=CLASSES**2).reshape(CLASSES, CLASSES)

    def _changes(self, half: str) -> tuple[Numbers, Numbers, Numbers]:
        """Change in accuracy by expert and class (experts, classes), and its 95 % interval."""
        intact, removed = self.right("intact", half), self.right("removed", half)
        member = (self.labels[half][:, None] == np.arange(CLASSES)).astype(np.int64)
        lost, won = (
            (of.astype(np.int64) @ member) for of in (intact & ~removed, removed & ~intact)
        )
        count = member.sum(0)
        low, high = paired_interval(lost, won, count)
        return (won - lost) / np.maximum(count, 1), low, high


@dataclass(frozen=True)
class GateInterventionsTask(Task[GateInterventions]):
    """A gate of a network made to decide otherwise."""

    choice: Run
    gate: str

    @property
    def title(self) -> str:
        """What is done."""
        return "Replacing the gate's weights"

    def compute(self, lab: Lab, report: Report) -> GateInterventions:
        """Answers on both halves."""
        trained, report = lab.given(report, ModelTask(self.choice))
        model = gated(trained)
        answers, labels = {}, {}
        for at, half in enumerate(_HALVES):
            digits = lab.result(DataTask(self.choice.data, half), report)
            report(at / len(_HALVES), f"Removing the experts of {self.gate}, {half} half")
            answers[half] = rerouted(model, digits, self.gate, self.choice.seed)
            labels[half] = digits.labels.numpy().astype(np.int8)
        return GateInterventions(answers, labels)


def _change(before: NDArray[np.bool_], after: NDArray[np.bool_]) -> dict[str, float]:
    """Change of the share that is right, with its paired 95 % interval."""
    lost, won = int((before & ~after).sum()), int((after & ~before).sum())
    low, high = paired_interval(lost, won, len(before))
    change = (won - lost) / len(before)
    return {"change": change, "change low": float(low), "change high": float(high)}
