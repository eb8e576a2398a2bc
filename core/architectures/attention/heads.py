"""What the heads look at, which classes need each of them, and whether looking matters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.architectures.attention.measure import attended_distance
from core.models.attention import HEADS, TOKENS
from core.statistics import paired_interval, wilson_interval

__all__ = ["DRAWS", "UNIFORM", "Heads", "medians"]

Numbers = NDArray[np.float64]
Whole = NDArray[np.int64]


# pixels, of weights that are equal on all patches
UNIFORM = float(attended_distance(np.full((TOKENS - 1, TOKENS - 1), 1 / (TOKENS - 1))).mean())
DRAWS = 10  # of random units, silenced as the control of a head


EDITED = ("block 0", "block 1", "both")


@dataclass(frozen=True)
class Heads:
    """What the heads do on the confirmation half, by name: trained and "untrained".

    weights, entropies: for each block, (heads, queries, patches) and (heads, queries). lost, won:
    by half, digits (blocks, heads, classes) wrong, or right, only without the head. count: digits
    of each class, by half. random: change in accuracy, (draws, heads, classes), of random units of
    block 0. kept: by intervention, digits right with block 0, block 1 and both so edited.
    """

    weights: Mapping[str, tuple[Numbers, Numbers]]
    entropies: Mapping[str, tuple[Numbers, Numbers]]
    lost: Mapping[str, Whole]
    won: Mapping[str, Whole]
    count: Mapping[str, Whole]
    random: Numbers
    kept: Mapping[str, Whole]

    def spread(self) -> pd.DataFrame:
        """A row for each network, block, head and query: entropy, and distance in pixels.

        The class token has no place, and so no distance.
        """
        frames = []
        for network, entropies in self.entropies.items():
            for block, values in enumerate(entropies):
                heads, queries = np.indices(values.shape)
                apart = np.full(values.shape, np.nan)
                if block == 0:
                    patches = self.weights[network][0][:, : TOKENS - 1]
                    apart[:, : TOKENS - 1] = attended_distance(patches)
                columns = {"head": heads, "query": queries, "entropy": values, "distance": apart}
                flat = {name: array.ravel() for name, array in columns.items()}
                frames.append(pd.DataFrame({"network": network, "block": block, **flat}))
        return pd.concat(frames, ignore_index=True)

    def changes(self, half: str) -> Numbers:
        """Change in accuracy, (blocks, heads, classes), without each head."""
        change: Numbers = (self.won[half] - self.lost[half]) / np.maximum(self.count[half], 1)
        return change

    def effects(self) -> pd.DataFrame:
        """A row for each block, head and class: the change, its interval, and the control's range.

        The interval is of paired proportions, one digit added to the lost and one to the won
        (Bonett & Price 2012). Control: random units of the other heads, as many; in block 1, where
        a head is one unit, the other heads.
        """
        now, earlier = self.changes("confirmation"), self.changes("discovery")
        low, high = self._interval()
        least, most = self._controls()
        block, head, digit = (axis.ravel() for axis in np.indices(now.shape))
        return pd.DataFrame(
            {
                "block": block,
                "head": head,
                "class": digit,
                "discovery": earlier.ravel(),
                "change": now.ravel(),
                "low": low.ravel(),
                "high": high.ravel(),
                "control low": least.ravel(),
                "control high": most.ravel(),
                "digits": np.broadcast_to(self.count["confirmation"], now.shape).ravel(),
            }
        )

    def specialties(self) -> pd.DataFrame:
        """A row for each head: the class hurt most on the discovery half, judged on the other.

        needed: whether the whole interval lies below all controls.
        """
        table = self.effects()
        worst = table.groupby(["block", "head"])["discovery"].idxmin()
        chosen = table.loc[worst].reset_index(drop=True)
        return chosen.assign(needed=chosen["high"] < chosen["control low"])

    def _interval(self) -> tuple[Numbers, Numbers]:
        """95 % interval of each change on the confirmation half."""
        sides = (self.lost["confirmation"], self.won["confirmation"])
        return paired_interval(*sides, self.count["confirmation"])

    def _controls(self) -> tuple[Numbers, Numbers]:
        """Lowest and highest change of the controls, (blocks, heads, classes)."""
        last = self.changes("confirmation")[1]
        others = np.stack([np.delete(last, head, 0) for head in range(HEADS)], 1)
        both = (self.random, others)
        return np.stack([of.min(0) for of in both]), np.stack([of.max(0) for of in both])

    def accuracies(self) -> pd.DataFrame:
        """A row for each intervention and what it edits: accuracy with its Wilson interval."""
        n = int(self.count["confirmation"].sum())
        rows = []
        for name, counts in self.kept.items():
            for edited, hits in zip(EDITED, counts.tolist(), strict=True):
                low, high = wilson_interval(hits, n)
                row = {"weights": name, "edited": edited, "accuracy": hits / n}
                rows.append({**row, "low": low, "high": high})
        return pd.DataFrame(rows)


def medians(spread: pd.DataFrame) -> dict[tuple[str, str], float]:
    """The median over the queries of `spread`, by network and measure: entropy, distance."""
    found = spread.groupby("network")[["entropy", "distance"]].median()
    return {(str(at), str(name)): float(of) for name in found for at, of in found[name].items()}
