"""Tables as CSV that every program reads, also spreadsheets, for which "inf" is a word."""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["csv_text"]


def csv_text(table: pd.DataFrame, *, index: bool = False) -> str:
    """`table` as CSV, numbers that aren't finite as empty cells.

    An infinite number isn't a missing one: a column that has some gets another one behind it, named
    after it, such as "d_prime is infinite", that says where. index: whether the index is a column.
    """
    columns: dict[str, pd.Series] = {}
    for at, name in enumerate(table.columns):
        values = table.iloc[:, at]
        columns[str(name)] = values
        if values.dtype.kind != "f":
            continue
        infinite = np.isinf(values.to_numpy(dtype=np.float64, na_value=np.nan))
        if infinite.any():
            columns[str(name)] = values.mask(infinite)
            columns[f"{name} is infinite"] = pd.Series(infinite, index=table.index)
    return pd.DataFrame(columns, index=table.index).to_csv(index=index)
