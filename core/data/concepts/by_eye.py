"""Labels by eye of some of MNIST's training digits, and how well the rules agree with them.

The labels are in `by_eye.json`, which says how they were made. Rules are fitted to the digits of
"fit" and judged on those of "judge".
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.data.concepts import measure
from core.statistics import wilson_interval
from core.text import literal

__all__ = ["LABELLED", "ROLES", "Agreement", "Labels", "agreement", "labels"]

LABELLED = {"crossed-7": (7, "crossed"), "hooked-7": (7, "hooked"), "looped-2": (2, "looped")}
ROLES = ("fit", "judge")


@dataclass(frozen=True)
class Labels:
    """Digits labelled by eye, as indices into MNIST's training file: with the part, and without.

    doubtful: how many more were looked at, of which the readers weren't sure.
    """

    present: NDArray[np.int64]
    absent: NDArray[np.int64]
    doubtful: int


@dataclass(frozen=True)
class Agreement:
    """How many digits the rule finds rightly, finds wrongly, misses, and rightly doesn't find."""

    hits: int
    false: int
    missed: int
    none: int

    @property
    def precision(self) -> float:
        """Of the digits that the rule finds, the share with the part; nan when it finds none."""
        return self.hits / (self.hits + self.false) if self.hits + self.false else float("nan")

    @property
    def recall(self) -> float:
        """Of the digits that have the part, the share that the rule finds."""
        return self.hits / (self.hits + self.missed)

    def row(self) -> dict[str, float]:
        """Digits with the part and without it, precision and recall with 95 % Wilson intervals."""
        row: dict[str, float] = {"labelled": self.hits + self.missed}
        row["others"] = self.false + self.none
        found, present = self.hits + self.false, self.hits + self.missed
        for name, n in (("precision", found), ("recall", present)):
            low, high = wilson_interval(self.hits, max(n, 1))
            row |= {name: self.hits / max(n, 1)}
            row |= {f"{name} from": float(low), f"{name} to": float(high)}
        return row


def labels(name: str, role: str) -> Labels:
    """The labels of concept `name` for "fit" or "judge". Raises `ValueError` for other names."""
    if name not in LABELLED or role not in ROLES:
        raise ValueError(
            f"{literal(name)} for {literal(role)} was not labelled: choose one of "
            f"{', '.join(LABELLED)} for {' or '.join(ROLES)}."
        )
    digit, word = LABELLED[name]
    found = _file()[str(digit)][role]
    of, yes, doubtful = (np.array(found[key]) for key in ("of", word, f"{word} doubtful"))
    return Labels(yes, np.setdiff1d(of, [*yes, *doubtful]), len(doubtful))


def agreement(name: str, images: NDArray[np.float32], role: str = "judge") -> Agreement:
    """How the rule of concept `name` does on the labels. images: all of MNIST's training digits."""
    known = labels(name, role)
    digit = LABELLED[name][0]

    def found(index: NDArray[np.int64]) -> int:
        classes = np.full(len(index), digit)
        return int(measure(images[index], classes, [name]).present().sum())

    hits, false = found(known.present), found(known.absent)
    return Agreement(hits, false, len(known.present) - hits, len(known.absent) - false)


@cache
def _file() -> dict[str, Any]:
    """The labels as they are written down."""
    text = (resources.files("core.data.concepts") / "by_eye.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found
