"""Whether each of several networks that differ in seed alone has a unit for a concept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from core.analyses.comparing.emergence import Emergence
from core.statistics.limits import FEWEST, WITHIN

__all__ = ["WITHIN", "BestUnits", "best_units"]


@dataclass(frozen=True)
class BestUnits:
    """The best unit for a concept in each network.

    table: a row for each network, see `Emergence.table`, and its seed.
    """

    table: pd.DataFrame

    def __len__(self) -> int:
        """How many networks."""
        return len(self.table)

    @property
    def digits(self) -> int:
        """Digits of the discovery half that have the concept."""
        return int(self.table["digits"].iloc[0])

    @property
    def enough(self) -> bool:
        """Whether they are enough to decide anything."""
        return self.digits >= FEWEST

    @property
    def above_chance(self) -> int:
        """Networks whose best unit is better than that of 95 % of shuffles."""
        return int((self.table["auc"] > self.table["chance"]).sum())

    @property
    def above_untrained(self) -> int:
        """Networks whose best unit is better than any of the untrained network."""
        return int((self.table["auc"] > self.table["untrained"]).sum())

    @property
    def confirmed(self) -> int:
        """Networks whose best unit is a conditional detector on the confirmation half."""
        return int((self.table["confirmed"] > WITHIN).sum())


def best_units(
    seeds: Sequence[int], emergences: Sequence[Emergence], layer: str, concept: str
) -> BestUnits:
    """The best unit of a layer for a concept in each network, in the order of `seeds`."""
    rows = [of.table(layer).set_index("concept").loc[[concept]] for of in emergences]
    return BestUnits(pd.concat(rows).assign(seed=seeds))
