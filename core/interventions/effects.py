"""What an intervention changes: images lost and won, by part and class, and what follows.

A part is anything that can be edited alone: a unit, a head, an expert, a gate, a direction. Nothing
here knows which, nor what the images show: it is given which are classified correctly.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import binomtest

from core.statistics import paired_interval

__all__ = ["EffectTable", "PairedChange"]

Numbers = NDArray[np.float64]
Whole = NDArray[np.int64]


@dataclass(frozen=True)
class PairedChange:
    """Images lost and won: correct only without an intervention, and only with it.

    lost, won: whole numbers, arrays of one shape. n: of how many images, of that shape or its last
    axes.
    """

    lost: Whole
    won: Whole
    n: Whole

    @classmethod
    def between(cls, before: ArrayLike, after: ArrayLike) -> PairedChange:
        """Of all n images. before: (n,), whether each is correct, or how much; after: (..., n)."""
        lost, won = (np.asarray(which.sum(-1)) for which in _apart(before, after))
        return cls(lost, won, np.array(len(np.asarray(before))))

    @classmethod
    def by_class(
        cls, before: ArrayLike, after: ArrayLike, labels: ArrayLike, classes: int
    ) -> PairedChange:
        """Of the images of each class, (..., classes); else as `between`. labels: (n,), from 0."""
        members = (np.asarray(labels)[:, None] == np.arange(classes)).astype(np.int64)
        lost, won = (which.astype(np.int64) @ members for which in _apart(before, after))
        return cls(lost, won, members.sum(0))

    def reshaped(self, *shape: int) -> PairedChange:
        """The same with its first axis as several. shape: of these."""
        axes = (*shape, *self.lost.shape[1:])
        return PairedChange(self.lost.reshape(axes), self.won.reshape(axes), self.n)

    @property
    def overall(self) -> PairedChange:
        """Of the images of all classes together."""
        lost, won, n = (np.asarray(count.sum(-1)) for count in (self.lost, self.won, self.n))
        return PairedChange(lost, won, n)

    @property
    def change(self) -> Numbers:
        """Change of the share that is correct; 0 where there are no images."""
        change: Numbers = (self.won - self.lost) / np.maximum(self.n, 1)
        return change

    @property
    def interval(self) -> tuple[Numbers, Numbers]:
        """Its 95 % interval, paired by image (Bonett & Price 2012), low and high."""
        return paired_interval(self.lost, self.won, self.n)

    @property
    def p_value(self) -> float:
        """Of as uneven a split of the lost and the won, of a single change; 1 where none are.

        McNemar's exact test (1947).
        """
        lost, won = int(self.lost), int(self.won)
        return float(binomtest(won, won + lost).pvalue) if won + lost else 1.0

    def columns(self) -> dict[str, Numbers]:
        """The change and its interval as columns of a table: change, change low, change high."""
        low, high = self.interval
        return {"change": self.change, "change low": low, "change high": high}


@dataclass(frozen=True)
class EffectTable:
    """What editing each of some parts changes, class by class, on two halves of the images.

    parts: by column, what names each part, (parts,). discovery, confirmation: (parts, classes).
    controls: the lowest and the highest change of the controls on the confirmation half, (parts,
    classes) each. The class of a part is chosen on the discovery half and judged on the other.
    """

    parts: Mapping[str, Whole]
    discovery: PairedChange
    confirmation: PairedChange
    controls: tuple[Numbers, Numbers]

    def table(self) -> pd.DataFrame:
        """A row for each part and class: what its edit changes of the accuracy on the class.

        Columns: those of `parts`; class; digits, in the confirmation half; lost and won of them;
        discovery and change, on the two halves; low, high: 95 % interval of the change; control
        low, control high.
        """
        judged = self.confirmation
        part, of_class = (axis.ravel() for axis in np.indices(judged.lost.shape))
        columns = {
            "digits": np.broadcast_to(judged.n, judged.lost.shape),
            "lost": judged.lost,
            "won": judged.won,
            "discovery": self.discovery.change,
            "change": judged.change,
            **dict(zip(("low", "high"), judged.interval, strict=True)),
            **dict(zip(("control low", "control high"), self.controls, strict=True)),
        }
        named = {name: np.asarray(values)[part] for name, values in self.parts.items()}
        flat = {name: values.ravel() for name, values in columns.items()}
        return pd.DataFrame({**named, "class": of_class, **flat})

    def specialties(self) -> pd.DataFrame:
        """A row for each part: the class hurt most on the discovery half, judged on the other.

        needed: whether the whole interval of the change lies below that of every control.
        """
        parts, classes = self.confirmation.lost.shape
        worst = self.discovery.change.argmin(1)
        chosen: pd.DataFrame = self.table().iloc[np.arange(parts) * classes + worst]
        chosen = chosen.reset_index(drop=True)
        return chosen.assign(needed=chosen["high"] < chosen["control low"])


def _apart(before: ArrayLike, after: ArrayLike) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which images are lost, and which are won."""
    first, second = np.asarray(before), np.asarray(after)
    return first > second, second > first
