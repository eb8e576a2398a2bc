"""How often a procedure says yes in networks that can't know: counts with intervals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from core.claims.findings import QUESTIONS, SUPPORTED
from core.statistics import wilson_interval

__all__ = ["NullRates"]


@dataclass(frozen=True)
class NullRates:
    """Verdicts on the best units of null networks, by question, a network each.

    what: these networks in words.
    """

    what: str
    verdicts: Mapping[str, tuple[str, ...]]

    def yes(self, question: str) -> int:
        """How many are supported."""
        return self.verdicts[question].count(SUPPORTED)

    def table(self) -> pd.DataFrame:
        """A row for each question: yes, of; share with low and high, its 95 % Wilson interval."""
        rows = []
        for question in QUESTIONS:
            yes, of = self.yes(question), len(self.verdicts[question])
            low, high = wilson_interval(yes, of)
            share = {"share": yes / of, "low": float(low), "high": float(high)}
            rows.append({"question": question, "yes": yes, "of": of, **share})
        return pd.DataFrame(rows)
