"""A direction of a layer, described as a unit is: what it tells, and which units it is made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.analyses.directions.linear import Direction, fit_direction
from core.arguments import seeded
from core.statistics.limits import FEWEST
from core.statistics.ranking import Answers, comparable, within_classes

__all__ = ["Curve", "concept_areas", "fitted_on_fewer", "shares"]

Numbers = NDArray[np.float64]
Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]
Whole = NDArray[np.int64]

SIZES = (10, 20, 50, 100, 200, 500, 1000)  # digits with the concept, as many as there are


@dataclass(frozen=True)
class Curve:
    """How well a direction tells its concept, fitted on fewer digits.

    digits: (k,), with the concept. auc: (k,), on digits on which it was not fitted.
    """

    digits: Whole
    auc: Numbers


def fitted_on_fewer(
    values: Floats, present: Flags, judge: Callable[[Direction], float], *, seed: int = 0
) -> Curve:
    """The curve over the number of digits with the concept; as large a share of the others is used.

    values: (n, units). present: (n,). judge: what a direction reaches on other digits. Digits are
    drawn from `seed`, the fewer ones among the more.

    Raises `ValueError` as `fit_direction`.
    """
    generator = np.random.default_rng(seeded(seed))
    there, absent = (generator.permutation(np.flatnonzero(of)) for of in (present, ~present))
    sizes = [size for size in SIZES if size < len(there)] + [len(there)]
    areas = []
    for size in sizes:
        others = max(2, round(size * len(absent) / len(there)))
        rows = np.sort(np.concatenate([there[:size], absent[:others]]))
        areas.append(judge(fit_direction(values[rows], present[rows], seed=seed)))
    return Curve(np.array(sizes), np.array(areas))


def concept_areas(
    read: Floats, present: Flags, labels: Whole, names: Sequence[str]
) -> pd.DataFrame:
    """How well a direction tells each concept, a row each, the best first.

    read: (n,), what the direction gives. present: (n, concepts). Columns concept; auc, above .5
    where the direction is higher with the concept; digits, with it; among, "its class" where some
    digits of a class have it and some don't, else "all digits". Concepts of which fewer than
    `FEWEST` digits have it, or don't, are left out.
    """
    rows = []
    for name, has in zip(names, present.T, strict=True):
        among = comparable(labels, has)
        within = bool(among.any())
        chosen = among if within else np.ones(len(has), bool)
        values = within_classes(read[chosen], labels[chosen]) if within else read
        inside = has[chosen]
        if min(inside.sum(), (~inside).sum()) < FEWEST:
            continue
        area = float(Answers.of(values[:, None]).auc(inside[:, None])[0, 0])
        where = "its class" if within else "all digits"
        rows.append({"concept": name, "auc": area, "digits": int(inside.sum()), "among": where})
    table = pd.DataFrame(rows, columns=["concept", "auc", "digits", "among"])
    order = (table["auc"] - 0.5).abs().sort_values(ascending=False, kind="stable").index
    return table.loc[order].reset_index(drop=True)


def shares(direction: Direction, values: Floats) -> Numbers:
    """(units,): each unit's weight times its standard deviation over `values` (n, units).

    As shares of their squares' sum, signed: the squares of a unit vector, each with the sign of its
    weight. Zeros where the direction has no weights.
    """
    weights = direction.weights * values.std(0, dtype=np.float64)
    total = float((weights**2).sum())
    found: Numbers = np.sign(weights) * weights**2 / total if total else np.zeros_like(weights)
    return found
