"""The best units of several networks, removed in every way in which the claim could be tested."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from torch import nn

from core.claims.nulls.scores import ranked_units
from core.claims.trial import Claim, Half, Progress, Trial
from core.claims.verdicts import LOSS
from core.statistics import wilson_interval
from core.statistics.limits import ALPHA, FEWEST
from core.statistics.two_way import TwoWay, two_way_mean

__all__ = [
    "COUNTS",
    "HALVES",
    "OPERATORS",
    "THRESHOLDS",
    "OverSeeds",
    "Specified",
    "specified",
]

OPERATORS = ("zero", "mean", "resample")
COUNTS = (1, 2, 5)  # units, the best ones
HALVES = ("confirmation", "discovery")  # on which it is judged; units are chosen on the other
THRESHOLDS = (0.05, LOSS, 0.2)  # of accuracy that must be lost
_USUAL = {"operator": "zero", "units": 1, "half": "confirmation"}


@dataclass(frozen=True)
class Specified:
    """One network's best units, removed in every way.

    table: a row for each operator, number of units and half: loss of accuracy on the concept's
    digits with low and high, its 95 % interval, p beside control sets, digits. lost: (n,), by the
    usual way, 1 for a digit that is lost, −1 for one that is won, on the confirmation half.
    """

    table: pd.DataFrame = field(repr=False)
    lost: NDArray[np.float64] = field(repr=False)


def specified(
    model: nn.Module,
    both: tuple[Half, Half],
    claim: Claim,
    told: Progress = lambda done, text: None,
) -> Specified:
    """The best units of a network, removed in every way. claim: what is said of them.

    Numbers of units that the layer hasn't twice are left out.
    """
    rows, lost = [], np.zeros(0)
    for at, half in enumerate(HALVES):
        known, judged = both if half == "confirmation" else both[::-1]
        order = ranked_units(model, known, claim.layer)
        for step, count in enumerate(of for of in COUNTS if 2 * of <= len(order)):
            units = tuple(sorted(order[:count].tolist()))
            for kind in OPERATORS:
                told((at + step / len(COUNTS)) / 2, f"{count} units removed by {kind}, {half}")
                trial = Trial(model, _of(claim, units, kind), known, judged)
                rows.append({"operator": kind, "units": count, "half": half, **_measured(trial)})
                if {key: rows[-1][key] for key in _USUAL} == _USUAL:
                    lost = _lost(trial)
    return Specified(pd.DataFrame(rows), lost)


def _of(claim: Claim, units: tuple[int, ...], kind: str) -> Claim:
    """The claim about these units, removed by this operator."""
    return replace(claim, units=units, kind=kind)


def _measured(trial: Trial) -> dict[str, float]:
    """The loss with its interval and chance."""
    change = trial.changes()[0]
    controls = trial.removed_controls(lambda done, text: None)
    return {
        "loss": -change.change,
        "low": -change.high,
        "high": -change.low,
        "p": controls.p_value if len(controls) else 1.0,
        "digits": change.n,
    }


def _lost(trial: Trial) -> NDArray[np.float64]:
    """(n,): 1 for each of the concept's digits that is lost, −1 for one that is won."""
    some = trial.removal.on(trial.half.present)
    before, after = some.intact.right, some.without(trial.claim.units).right
    return (before - after).astype(np.float64)


@dataclass(frozen=True)
class OverSeeds:
    """A claim in several trainings. seeds: of each; found: in the same order."""

    seeds: tuple[int, ...]
    found: tuple[Specified, ...]

    def table(self) -> pd.DataFrame:
        """A row for each training, way and threshold, the smallest loss first.

        Columns seed; operator, units, half, threshold; loss, low, high, p, digits; supported, by
        the rule of necessity: the whole interval above the threshold, and 95 % of control sets
        below.
        """
        rows = pd.concat(
            of.table.assign(seed=seed) for seed, of in zip(self.seeds, self.found, strict=True)
        )
        every = pd.concat(rows.assign(threshold=threshold) for threshold in THRESHOLDS)
        enough = every["digits"] >= FEWEST
        said = (every["low"] > every["threshold"]) & (every["p"] <= ALPHA) & enough
        return every.assign(supported=said).sort_values("loss", kind="stable", ignore_index=True)

    def usual(self) -> pd.DataFrame:
        """The rows of the usual way: one unit set to zero, judged on the confirmation half."""
        table = self.table()
        keep = table["threshold"] == LOSS
        for key, value in _USUAL.items():
            keep &= table[key] == value
        return table[keep]

    def supported(self) -> tuple[int, int, tuple[float, float]]:
        """In how many of how many trainings the claim is supported, with a 95 % Wilson interval."""
        yes = int(self.usual()["supported"].sum())
        low, high = wilson_interval(yes, len(self.seeds))
        return yes, len(self.seeds), (float(low), float(high))

    def share(self) -> float:
        """The share of all specifications that support the claim."""
        return float(self.table()["supported"].mean())

    def loss(self, seed: int = 0) -> TwoWay | None:
        """The mean loss of the usual way, trainings and digits drawn anew; None of a single one."""
        values = [of.lost for of in self.found]
        if len(values) < 2 or len(values[0]) < 2:
            return None
        return two_way_mean(np.stack(values), seed=seed)


def over_seeds(seeds: Sequence[int], found: Sequence[Specified]) -> OverSeeds:
    """The claim in several trainings."""
    return OverSeeds(tuple(seeds), tuple(found))
