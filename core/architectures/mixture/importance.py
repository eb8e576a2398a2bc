"""Does a gate's routing tell which expert matters? What it does with each against its removal.

Routing is read on the discovery half and removal judged on the confirmation half, so that no digit
is in both. Experts of one network depend on one another: shuffles stay within a network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from torch import nn

from core.architectures.mixture.information import information
from core.architectures.mixture.interventions import without
from core.architectures.mixture.report import GateReport, read_gates, report_of
from core.arguments import seeded
from core.data import CLASSES, DataSet
from core.interventions.answers import correct
from core.interventions.effects import PairedChange
from core.statistics import middle_ranks
from core.surroundings import undisturbed

__all__ = [
    "STATISTICS",
    "LoadAndCost",
    "RoutedExperts",
    "correlations",
    "routed_experts",
    "routing",
    "spearman",
]

Numbers = NDArray[np.float64]
STATISTICS = ("load", "importance", "entropy", "information")
DRAWS = 2000  # shuffles, and bootstrap samples
FEWEST = 4  # experts for a rank correlation
RATE = 0.05
_SAME = 1e-9  # two correlations are equal that are no further apart


@dataclass(frozen=True)
class RoutedExperts:
    """One gate's routing on the discovery half, and what removal changes on the confirmation half.

    routing: by the names of `STATISTICS`, (experts,) each, see `routing`. removed: of each expert,
    (experts, classes). accuracy: on the confirmation half, nothing removed.
    """

    routing: Mapping[str, Numbers]
    removed: PairedChange
    accuracy: float

    @property
    def cost(self) -> Numbers:
        """The accuracy on all digits that removal of each expert costs, (experts,)."""
        return -self.removed.overall.change + 0.0

    def table(self) -> pd.DataFrame:
        """A row for each expert.

        Columns: expert; load, importance, entropy (NaN where the gate never runs it), information;
        cost, low, high (95 % interval, paired by digit); class, the one that loses most, and class
        cost, what that loses; used, whether the gate runs it on any discovery digit.
        """
        low, high = self.removed.overall.interval
        by_class = -self.removed.change
        worst = by_class.argmax(1)
        columns = {
            "expert": np.arange(len(worst)),
            **self.routing,
            **{"cost": self.cost, "low": 0.0 - high, "high": 0.0 - low},
            "class": worst,
            "class cost": by_class[np.arange(len(worst)), worst],
            "used": self.routing["importance"] > 0,
        }
        return pd.DataFrame(columns)


def routing(report: GateReport) -> dict[str, Numbers]:
    """What a gate does with each expert, by the names of `STATISTICS`, (experts,) each.

    load: share of digits it takes. importance: mean weight. entropy: of the gate's weights in bits,
    mean over digits weighed by the expert's weight: how undecided the gate is where it runs the
    expert; NaN where it never does. information: bits that being taken by this expert, or not,
    tells of the class (plug-in).
    """
    weights = report.gates.astype(np.float64)
    total = weights.sum(0)
    undecided = weights.T @ report.entropy
    mean = np.divide(undecided, total, out=np.full(total.shape, np.nan), where=total > 0)
    told = [_told(report.first == expert, report.labels) for expert in range(report.experts)]
    values = (report.load, report.importance, mean, np.array(told))
    return dict(zip(STATISTICS, values, strict=True))


def _told(taken: NDArray[np.bool_], labels: NDArray[np.int64]) -> float:
    """Mutual information of a flag (n,) and the class, in bits."""
    counts = [np.bincount(labels[taken == flag], minlength=CLASSES) for flag in (False, True)]
    return information(np.stack(counts))[0]


@undisturbed()
def routed_experts(
    model: nn.Module, discovery: DataSet, confirmation: DataSet, gate: str | None = None
) -> RoutedExperts:
    """Routing of each expert on one half of the digits, and its removal on the other.

    gate: name of the layer that holds its weights; None for the last one. Raises `TypeError` for a
    model without gates, and `ValueError` for an unknown gate, a single expert, no digits, and
    weights that aren't finite.
    """
    report = report_of(read_gates(model, discovery, gate), discovery.labels.numpy())
    labels, intact = confirmation.labels.numpy(), correct(model, confirmation)
    experts = range(report.experts)
    answers = [without(model, confirmation.images, expert, gate) for expert in experts]
    removed = PairedChange.by_class(intact, np.stack(answers) == labels, labels, CLASSES)
    return RoutedExperts(routing(report), removed, float(intact.mean()))


def spearman(first: ArrayLike, second: ArrayLike) -> Numbers:
    """Rank correlation over the last axis, ties at their middle rank; NaN where either is constant.

    first, second: (..., n), broadcast against each other (Spearman 1904).
    """
    ranks = [middle_ranks(of, axis=-1) for of in (first, second)]
    one, two = (of - of.mean(-1, keepdims=True) for of in ranks)
    spread = np.sqrt(np.square(one).sum(-1) * np.square(two).sum(-1))
    top = (one * two).sum(-1)
    found: Numbers = np.divide(top, spread, out=np.full(top.shape, np.nan), where=spread > 0)
    return found


def correlations(
    statistics: Mapping[str, ArrayLike],
    cost: ArrayLike,
    network: ArrayLike,
    *,
    seed: int = 0,
    draws: int = DRAWS,
) -> pd.DataFrame:
    """A row for each statistic: its rank correlation with cost over experts of several networks.

    statistics: by name, (experts,). cost, network: (experts,). Columns: statistic; experts; rho
    (Spearman's); low, high: 95 % percentile interval, networks and then experts within them drawn
    anew; chance low, chance high: 95 % of rho with costs shuffled within each network; p: share of
    shuffles in which rho is as far from their mean, in standard deviations, two-sided; corrected:
    the same for the farthest of all statistics (Westfall & Young 1993), which holds for statistics
    that depend on one another. All NaN for a statistic that is constant or has fewer than `FEWEST`
    experts. Raises `ValueError` for arrays of different lengths.
    """
    values = np.stack([np.asarray(of, dtype=np.float64) for of in statistics.values()])
    costs, networks = np.asarray(cost, dtype=np.float64), np.asarray(network)
    if costs.shape != values.shape[1:] or networks.shape != costs.shape:
        raise ValueError(
            f"statistics are {values.shape}, costs {costs.shape} and networks {networks.shape}: "
            "give one of each for every expert."
        )
    rho = np.full(len(values), np.nan)
    if len(costs) >= FEWEST:
        rho = spearman(values, costs)
    table = pd.DataFrame({"statistic": list(statistics), "experts": len(costs), "rho": rho})
    random = np.random.default_rng(seeded(seed))
    told = np.isfinite(rho)
    tested = np.full((len(values), 6), np.nan)
    if told.any():
        chance = _shuffled(values[told], costs, networks, draws, random)
        limits = np.quantile(chance, [0.025, 0.975], axis=0).T
        drawn = _resampled(values[told], costs, networks, draws, random)
        interval = np.nanquantile(drawn, [0.025, 0.975], axis=0).T
        tested[told] = np.column_stack([interval, limits, *_p_values(rho[told], chance)])
    return table.assign(**dict(zip(_TESTED, tested.T, strict=True)))


_TESTED = ("low", "high", "chance low", "chance high", "p", "corrected")


def _shuffled(
    values: Numbers, cost: Numbers, network: NDArray[np.generic], draws: int, random: _Random
) -> Numbers:
    """Rank correlations (draws, statistics), the costs shuffled within each network."""
    shuffled = np.broadcast_to(cost, (draws, len(cost))).copy()
    for each in np.unique(network):
        own = network == each
        shuffled[:, own] = random.permuted(shuffled[:, own], axis=1)
    return spearman(values[:, None], shuffled).T


def _resampled(
    values: Numbers, cost: Numbers, network: NDArray[np.generic], draws: int, random: _Random
) -> Numbers:
    """Rank correlations (draws, statistics) of networks and then their experts drawn anew."""
    groups = [np.flatnonzero(network == each) for each in np.unique(network)]
    times = random.multinomial(len(groups), np.full(len(groups), 1 / len(groups)), size=draws)
    found = []
    for counts, n in zip(*np.unique(times, axis=0, return_counts=True), strict=True):
        drawn = zip(groups, counts, strict=True)  # as many rows in each of these n samples
        rows = np.hstack([random.choice(of, (n, count * len(of))) for of, count in drawn])
        found.append(spearman(values[:, rows], cost[rows]))
    every = np.concatenate(found, axis=1).T
    every[:, ~np.isfinite(every).any(0)] = 0  # no sample varies: nothing is known of it
    return every


def _p_values(rho: Numbers, chance: Numbers) -> tuple[Numbers, Numbers]:
    """p of each statistic alone, and of the farthest of them; the order found is a shuffle too."""
    every = np.concatenate([rho[None], chance])
    off, spread = every - every.mean(0), every.std(0)
    far = np.abs(np.divide(off, spread, out=np.zeros_like(off), where=spread > _SAME))
    alone = (far >= far[0] - _SAME).mean(0)
    farthest = far.max(1, keepdims=True)
    return alone, (farthest >= far[0] - _SAME).mean(0)


_Random = np.random.Generator


@dataclass(frozen=True)
class LoadAndCost:
    """Experts of several networks that differ in seed alone, trained and before training.

    trained, untrained: by seed. failed: why a network is missing, by seed.
    """

    trained: Mapping[int, RoutedExperts]
    untrained: Mapping[int, RoutedExperts]
    failed: Mapping[int, str]

    def experts(self) -> pd.DataFrame:
        """A row for each expert: network (trained, untrained), seed, and `RoutedExperts.table`."""
        frames = [
            of.table().assign(network=name, seed=seed)
            for name, networks in (("trained", self.trained), ("untrained", self.untrained))
            for seed, of in networks.items()
        ]
        every = pd.concat(frames, ignore_index=True)
        return every[["network", "seed", *every.columns.drop(["network", "seed"])]]

    def correlations(self, network: str = "trained") -> pd.DataFrame:
        """The columns of `correlations`, over the experts that the gate runs at all."""
        every = self.experts()
        of = every[(every["network"] == network) & every["used"]]
        return correlations({name: of[name] for name in STATISTICS}, of["cost"], of["seed"])

    def verdicts(self) -> pd.DataFrame:
        """`correlations` of trained networks beside untrained ones: untrained, untrained p; tells.

        tells: corrected p is at most .05, and rho farther from 0 than that of untrained networks.
        """
        table, fresh = self.correlations(), self.correlations("untrained")
        beaten = ~(fresh["rho"].abs() >= table["rho"].abs())
        return table.assign(
            **{"untrained": fresh["rho"], "untrained p": fresh["corrected"]},
            tells=(table["corrected"] <= RATE) & beaten,
        )

    def unused(self) -> pd.DataFrame:
        """The rows of `experts` of trained networks that the gate never runs."""
        every = self.experts()
        return every[(every["network"] == "trained") & ~every["used"]]

    def exceptions(self) -> pd.DataFrame:
        """Experts of trained networks with an even load or more whose removal costs nothing sure.

        That is, the interval of the cost holds 0 or less. The largest load first.
        """
        every = self.experts()
        of = every[every["network"] == "trained"]
        even = of.groupby("seed")["expert"].transform("count")
        found = of[(of["load"] * even >= 1) & (of["low"] <= 0)]
        return found.sort_values("load", ascending=False)
