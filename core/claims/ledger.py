"""Many claims together: which of them stay supported when all that were tried are counted."""

from __future__ import annotations

import pandas as pd

from core.claims.evidence import NOT_SUPPORTED, SUPPORTED
from core.statistics import adjusted

__all__ = ["RATE", "corrected"]

RATE = 0.05  # of false discoveries among the claims


def corrected(claims: pd.DataFrame) -> pd.DataFrame:
    """The claims with two more columns: q, and the verdict "after correction".

    claims: a row for each, with the verdict `necessary` and its p. A claim that is supported stays
    so when its q, adjusted for all rows (Benjamini & Hochberg 1995), is at most 5 %.
    """
    table = claims.assign(q=adjusted(claims["p"]))
    supported = table["necessary"] == SUPPORTED
    kept = table["necessary"].where(~supported | (table["q"] <= RATE), NOT_SUPPORTED)
    return table.assign(**{"after correction": kept})
