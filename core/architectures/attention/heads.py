"""What the heads look at, which classes need each of them, and whether looking matters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.architectures.attention.measure import attended_distance
from core.interventions.answers import accuracy_row
from core.interventions.controls import range_of, range_of_others
from core.interventions.effects import EffectTable, PairedChange
from core.models.attention import TOKENS

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

    @property
    def heads(self) -> int:
        """How many heads each block has."""
        return int(self.random.shape[1])

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

    def effects(self) -> pd.DataFrame:
        """A row for each block, head and class: the change, its interval, and the control's range.

        Control: random units of the other heads, as many; in block 1, where a head is one unit, the
        other heads. See `EffectTable.table`.
        """
        return self._effects().table()

    def specialties(self) -> pd.DataFrame:
        """A row for each head: the class hurt most on the discovery half, judged on the other.

        needed: whether the whole interval lies below all controls.
        """
        return self._effects().specialties()

    def _effects(self) -> EffectTable:
        """What silencing each head changes, block by block, beside its controls."""
        earlier, now = (self._silenced(half) for half in ("discovery", "confirmation"))
        controls = (range_of(self.random), range_of_others(now.change[-self.heads :]))
        low, high = (np.concatenate(of_blocks) for of_blocks in zip(*controls, strict=True))
        block, head = (axis.ravel() for axis in np.indices((2, self.heads)))
        return EffectTable({"block": block, "head": head}, earlier, now, (low, high))

    def _silenced(self, half: str) -> PairedChange:
        """What each head's silence changes, (blocks · heads, classes)."""
        classes = self.count[half].shape[-1]
        lost, won = (of[half].reshape(-1, classes) for of in (self.lost, self.won))
        return PairedChange(lost, won, self.count[half])

    def accuracies(self) -> pd.DataFrame:
        """A row for each intervention and what it edits: accuracy with its Wilson interval."""
        n = int(self.count["confirmation"].sum())
        rows = [
            {"weights": name, "edited": edited, **accuracy_row(hits, n)}
            for name, counts in self.kept.items()
            for edited, hits in zip(EDITED, counts.tolist(), strict=True)
        ]
        return pd.DataFrame(rows)


def medians(spread: pd.DataFrame) -> dict[tuple[str, str], float]:
    """The median over the queries of `spread`, by network and measure: entropy, distance."""
    found = spread.groupby("network")[["entropy", "distance"]].median()
    return {(str(at), str(name)): float(of) for name in found for at, of in found[name].items()}
