"""Who lives in a mode: classes and concepts against their base rates, and modes within classes.

A unit with two modes may tell two classes apart, or two ways of writing one, or neither. Modes of
all digits together can't say which; the classes in each mode, what a mode holds beyond its classes,
and the same test among the digits of each class alone can.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm

from core.arguments import seeded, whole
from core.statistics import adjusted, mantel_haenszel, mutual_information, wilson_interval
from core.statistics.modes.finding import RATE, Modality, Mode, find_modes
from core.statistics.modes.sample import numbers

__all__ = [
    "ATOM",
    "class_information",
    "class_shares",
    "concept_shares",
    "members",
    "verdict",
    "within_classes",
]

Numbers = NDArray[np.float64]
Whole = NDArray[np.int64]

ATOM = -1  # the number of the atom at zero, beside the modes 0, 1, …
_SHUFFLES = 200


def members(values: ArrayLike, modes: Sequence[Mode], apart: bool) -> Whole:
    """(n,): the mode in which each value lies, from 0; `ATOM` for exact zeros set apart."""
    x = np.asarray(values, dtype=np.float64)
    found = np.searchsorted([mode.low for mode in modes[1:]], x, side="right")
    return np.where(apart & (x == 0), ATOM, found).astype(np.int64)


def class_shares(where: Whole, labels: ArrayLike, classes: int = 10) -> pd.DataFrame:
    """A row for each mode and class: count, n of the mode, share with interval, and base rate.

    base: the class's share of all values. low, high: Wilson's 95 % interval of the share.
    """
    given = np.asarray(labels)
    rows = []
    for mode in np.unique(where):
        inside = given[where == mode]
        for label in range(classes):
            count = int((inside == label).sum())
            low, high = wilson_interval(count, len(inside))
            shares = {"share": count / len(inside), "low": low, "high": high}
            base = {"base": float((given == label).mean()), "n": len(inside)}
            rows.append({"mode": int(mode), "class": label, "count": count, **shares, **base})
    return pd.DataFrame(rows)


def class_information(where: Whole, labels: ArrayLike, seed: int = 0) -> tuple[float, float]:
    """Bits that the mode tells of the class, and those that 95 % of shuffled labels stay below."""
    given, random = np.asarray(labels), np.random.default_rng(seeded(seed))
    place = (where - where.min())[:, None]
    classes = int(given.max()) + 1
    own = float(mutual_information(place, given, classes)[0])
    shuffled = [
        float(mutual_information(place, random.permutation(given), classes)[0])
        for _ in range(_SHUFFLES)
    ]
    return own, float(np.quantile(shuffled, 0.95))


def concept_shares(
    where: Whole, labels: ArrayLike, present: NDArray[np.bool_], names: Sequence[str]
) -> pd.DataFrame:
    """A row for each mode and concept: its share there, its base rate, and what classes explain.

    present: (n, concepts). expected: the share if each class's digits had been spread over the
    modes at random. more: share − expected. p: of that difference, two-sided, by Mantel & Haenszel
    (1959) over the classes; q: over all rows. Modes and concepts of no digit are left out.
    """
    modes, at = np.unique(where, return_inverse=True)
    found = mantel_haenszel(at, labels, present, len(modes))
    rows = []
    for mode, count, expected, z in zip(modes, *found, strict=True):
        n = int((where == mode).sum())
        numbers = {"count": count.astype(int), "share": count / n, "base": present.mean(0)}
        test = {"expected": expected / n, "more": (count - expected) / n, "p": 2 * norm.sf(abs(z))}
        rows.append(pd.DataFrame({"mode": mode, "concept": list(names), **numbers, **test, "n": n}))
    table = pd.concat(rows, ignore_index=True)
    table = table[table["base"] > 0].reset_index(drop=True)
    return table.assign(q=adjusted(table["p"]) if len(table) else [])


def within_classes(values: ArrayLike, labels: ArrayLike, classes: int = 10) -> pd.DataFrame:
    """A row for each class: both tests among its digits alone, adjusted over the classes.

    Columns: class, n, zeros, state, modes, dip, p, q, sensitive_p, sensitive_q. A class that can't
    be tested has p and q of 1. Raises as `find_modes`.
    """
    x, given = numbers(values), np.asarray(labels)
    rows = []
    for label in range(whole(classes, "classes", 1)):
        inside = x[given == label]
        if not len(inside):
            continue
        of = find_modes(inside, seed=label)
        told = {"state": of.state, "modes": of.n_modes, "dip": of.dip, "p": of.p_value}
        first = {"class": label, "n": len(inside), "zeros": of.zeros}
        rows.append({**first, **told, "sensitive_p": of.sensitive_p})
    table = pd.DataFrame(rows)
    q = {name: _over_tested(table[of], table["state"]) for name, of in _ADJUSTED.items()}
    return table.assign(**q)


_ADJUSTED = {"q": "p", "sensitive_q": "sensitive_p"}


def _over_tested(p: pd.Series[float], state: pd.Series[str]) -> Numbers:
    """Adjusted over those that could be tested; 1 for the others."""
    tested = (state == "tested").to_numpy()
    q = np.ones(len(p))
    if tested.any():
        q[tested] = adjusted(p.to_numpy()[tested])
    return q


def verdict(judged: Modality, within: pd.DataFrame, information: tuple[float, float]) -> str:
    """What the modes are: "one mode", "classes", "ways of writing", "both" or "unexplained".

    judged: the tests on all digits. within: from `within_classes`. information: the bits that the
    mode tells of the class, and those of shuffled labels. Only the dip's claims count.
    """
    inside = bool((within["q"] < RATE).any())
    between = judged.multimodal and information[0] > information[1]
    if inside:
        return "both" if between else "ways of writing"
    if between:
        return "classes"
    return "unexplained" if judged.multimodal else "one mode"
