"""Which expert takes which digits, class, and concept, on both halves of the test digits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.architectures.mixture.examples import mean_digits, surest
from core.architectures.mixture.report import GateReport
from core.architectures.mixture.tables import concept_table
from core.data import DataSet
from core.data.concepts import CONCEPTS, Measured

__all__ = ["GateAssignment", "GateReadings", "concepts_of", "with_before"]


RATE = 0.05  # of false discoveries


@dataclass(frozen=True)
class GateAssignment:
    """One gate on the test digits.

    discovery, confirmation: what it does with each half; statements are chosen on the first and
    judged on the second. untrained: the gate before training, on the second. digits: of the
    second. concepts: a row for each concept and expert, see
    `core.architectures.mixture.concept_table`, and `before`, what `more` is on the first. told: a
    row for each concept, what the expert tells of it on the second. scores: of the second, (n,
    experts). right: which of its digits the network tells right, bool (n,).
    """

    discovery: GateReport
    confirmation: GateReport
    untrained: GateReport
    digits: DataSet
    concepts: pd.DataFrame
    told: pd.DataFrame
    scores: NDArray[np.float32]
    right: NDArray[np.bool_]

    @property
    def accuracy(self) -> float:
        """Share of the confirmation half that the network tells right."""
        return float(self.right.mean())

    def summary(self) -> pd.DataFrame:
        """A row for the gate and one for the same before training, a column for each measure."""
        gates = {"trained": self.confirmation, "untrained": self.untrained}
        rows = [
            {
                "gate": name,
                "active": of.active,
                "balance": of.balance,
                "load variation": of.load_variation,
                "importance variation": of.importance_variation,
                "entropy": of.mean_entropy,
                "entropy of the mean": of.entropy_of_mean,
                "decisions": of.decisions,
                "bits": of.class_information.bits,
                "limit": of.class_information.limit,
                "normalized": of.class_information.normalized,
            }
            for name, of in gates.items()
        ]
        return pd.DataFrame(rows)

    def specialties(self) -> pd.DataFrame:
        """A row for each expert: the class of which it takes most, chosen on the discovery half.

        An expert that takes no digit there has none. Columns of `share_table`, judged on the
        confirmation half.
        """
        first, second = (half.classes for half in (self.discovery, self.confirmation))
        best = first.loc[first.groupby("expert")["share"].idxmax()]
        best = best.loc[best["share"] > 0, ["group", "expert"]]
        return best.merge(second, on=["group", "expert"]).sort_values("expert")

    def beyond_class(self) -> pd.DataFrame:
        """The rows of `concepts` that an expert takes more or less of than the class explains.

        Chosen by q below .05 on the discovery half, and most there first; whether it is so on the
        confirmation half is `confirmed`: below .05 again, and the same sign.
        """
        found = self.concepts[self.concepts["q before"] < RATE]
        agrees = np.sign(found["more"]) == np.sign(found["before"])
        table = found.assign(confirmed=agrees & (found["p"] < RATE))
        return table.iloc[(-table["before"].abs()).argsort(kind="stable")]

    def surest(self, expert: int, most: int) -> NDArray[np.int64]:
        """Digits of the confirmation half that the expert takes, the surest first."""
        return surest(self.scores, expert, most)

    def means(self) -> NDArray[np.float64]:
        """The mean digit that each expert takes on the confirmation half, (experts, 28, 28)."""
        images = self.digits.images[:, 0].numpy()
        return mean_digits(images, self.confirmation.first, self.confirmation.experts)


@dataclass(frozen=True)
class GateReadings:
    """What a gate does with the digits.

    weights: (n, experts), by "discovery", "confirmation" and "untrained", the last of the network
    before training on the confirmation half. told: a row for each concept, what the expert tells of
    it. scores: (n, experts). right: bool (n,); these of the confirmation half.
    """

    weights: dict[str, NDArray[np.float32]]
    told: pd.DataFrame
    scores: NDArray[np.float32]
    right: NDArray[np.bool_]


def concepts_of(of: GateReport, measured: Measured) -> pd.DataFrame:
    """The concept table of one half; classes are left out, since they have a table of their own."""
    names, present = measured.names, measured.present()
    kept = [at for at, name in enumerate(names) if CONCEPTS[name].category != "class"]
    named = [names[at] for at in kept]
    return concept_table(of.first, of.labels, present[:, kept], named, of.experts)


def with_before(table: pd.DataFrame, earlier: pd.DataFrame) -> pd.DataFrame:
    """The table with what `more` and q are on the other half."""
    both = earlier[["group", "expert", "more", "q"]]
    renamed = both.rename(columns={"more": "before", "q": "q before"})
    return table.merge(renamed, on=["group", "expert"])
