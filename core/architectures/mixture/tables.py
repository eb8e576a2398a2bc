"""Who takes what: the share of each group's digits that each expert takes, with intervals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm

from core.statistics import adjusted, mantel_haenszel, wilson_interval

__all__ = ["concept_table", "share_table"]

FEWEST = 10  # digits with a concept, for a row of its own


def share_table(experts: ArrayLike, groups: ArrayLike, count: int) -> pd.DataFrame:
    """A row for each group and expert: what share of the group's digits the expert takes.

    experts: (n,), the expert that takes each digit, of `count`. groups: (n,), whole numbers, such
    as labels. Columns: group, expert, taken, n (of the group), share, low, high (Wilson's 95 %
    interval), load (the expert's share of all digits), within (share of the expert's digits that
    are of the group). Groups without digits have no rows.
    """
    taking, given = np.asarray(experts), np.asarray(groups)
    load = np.bincount(taking, minlength=count)
    rows = []
    for group in np.unique(given):
        taken = np.bincount(taking[given == group], minlength=count)
        for expert in range(count):
            rows.append(
                {
                    "group": int(group),
                    "expert": expert,
                    **_share(int(taken[expert]), int(taken.sum())),
                    "load": load[expert] / len(taking),
                    "within": taken[expert] / max(load[expert], 1),
                }
            )
    return pd.DataFrame(rows)


def concept_table(
    experts: ArrayLike,
    labels: ArrayLike,
    present: NDArray[np.bool_],
    names: Sequence[str],
    count: int,
) -> pd.DataFrame:
    """A row for each concept and expert: the share of its digits that the expert takes.

    present: bool (n, concepts). Besides the columns of `share_table`, with the concept's name as
    group: expected, the share if each class's digits had been dealt out at random, so that the
    expert knew the class and nothing else; more, share − expected; p of that, two-sided (Mantel &
    Haenszel 1959, over the classes); q, adjusted over all rows. Concepts of fewer than `FEWEST`
    digits are left out. For a concept that is a class, or a class's opposite, share is expected.
    """
    taking, given = np.asarray(experts), np.asarray(labels)
    enough = present.sum(0) >= FEWEST
    flags, kept = present[:, enough], [n for n, e in zip(names, enough, strict=True) if e]
    taken, expected, z = mantel_haenszel(taking, given, flags, count)
    load, digits = np.bincount(taking, minlength=count), flags.sum(0)
    rows = [
        {
            "group": name,
            "expert": expert,
            **_share(int(taken[expert, at]), int(digits[at])),
            "load": load[expert] / len(taking),
            "within": taken[expert, at] / max(load[expert], 1),
            "expected": expected[expert, at] / digits[at],
            "p": float(2 * norm.sf(abs(z[expert, at]))),
        }
        for at, name in enumerate(kept)
        for expert in range(count)
    ]
    table = pd.DataFrame(rows, columns=[*_SHARES, "expected", "p"])
    return table.assign(more=table["share"] - table["expected"], q=adjusted(table["p"]))


_SHARES = ("group", "expert", "taken", "n", "share", "low", "high", "load", "within")


def _share(taken: int, n: int) -> dict[str, float]:
    """A share with its interval."""
    low, high = wilson_interval(taken, n)
    return {"taken": taken, "n": n, "share": taken / n, "low": low, "high": high}
