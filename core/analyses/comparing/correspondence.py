"""Which units of networks that differ in seed correspond."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.activations import peaks
from core.analyses.comparing.base import SEEDS, SeveralTask, seeds_of
from core.analyses.comparing.emergence import Emergence
from core.data import DataSet
from core.data.task import DataTask
from core.models.inspectable import Inspectable
from core.runs import Run
from core.runtime.lab import Lab
from core.runtime.task import Report, Task
from core.statistics.matching import match, match_null
from core.training.task import ModelTask

Numbers = NDArray[np.float64]
Floats = NDArray[np.float32]
Whole = NDArray[np.int64]

MATCHED = 2000  # digits on which units of different networks are matched


@dataclass(frozen=True)
class Correspondence:
    """Which units of a layer correspond, for each pair (i, j) of networks that differ in seed.

    seeds: (networks,). partner, correlation: (networks, networks, units), of unit u of network i
    its partner in network j, and their correlation. untrained: the same correlations for the
    networks before training. null: (networks, networks), |correlation| that 95 % of units matched
    on shuffled digits stay below. digits: how many, of the discovery half.
    """

    seeds: Whole
    partner: Whole
    correlation: Numbers
    untrained: Numbers
    null: Numbers
    digits: int

    def table(self) -> pd.DataFrame:
        """A row for each unit of a pair, both trained and untrained; each pair once."""
        frames = []
        for i, j in _pairs(len(self.seeds)):
            for network, of in (("trained", self.correlation), ("untrained", self.untrained)):
                frames.append(
                    pd.DataFrame(
                        {
                            "pair": f"seed {self.seeds[i]} and {self.seeds[j]}",
                            "network": network,
                            "unit": np.arange(of.shape[2]),
                            "partner": self.partner[i, j] if network == "trained" else -1,
                            "correlation": np.abs(of[i, j]),
                            "null": self.null[i, j],
                        }
                    )
                )
        return pd.concat(frames, ignore_index=True)

    def partners(self, emergences: Sequence[Emergence], layer: str, concept: str) -> pd.DataFrame:
        """A row for each network's best unit and each other network: its partner there."""
        rows = []
        for i, found in enumerate(emergences):
            unit, at = found.best(layer, concept), found.concepts.index(concept)
            for j in range(len(self.seeds)):
                if i != j:
                    partner = int(self.partner[i, j, unit])
                    rows.append(
                        {
                            "seed": int(self.seeds[i]),
                            "unit": unit,
                            "auc": found.auc[layer][-1, unit, at],
                            "other seed": int(self.seeds[j]),
                            "partner": partner,
                            "correlation": self.correlation[i, j, unit],
                            "null": self.null[i, j],
                            "untrained": float(np.quantile(np.abs(self.untrained[i, j]), 0.95)),
                            "partner's auc": emergences[j].auc[layer][-1, partner, at],
                            "best there": emergences[j].best(layer, concept),
                        }
                    )
        return pd.DataFrame(rows)


def also_best(partners: pd.DataFrame) -> int:
    """Rows of `Correspondence.partners` whose partner is the best unit of its network as well."""
    return int((partners["partner"] == partners["best there"]).sum())


@dataclass(frozen=True)
class CorrespondenceTask(Task[Correspondence]):
    """The units of a layer matched between three networks that differ in seed alone."""

    run: Run
    layer: str

    @property
    def title(self) -> str:
        """What is done."""
        return f"Matching the units of {self.layer} between {SEEDS} seeds"

    def compute(self, lab: Lab, report: Report) -> Correspondence:
        """The matching of the trained networks, with its two controls."""
        tasks = tuple(ModelTask(each) for each in seeds_of(self.run))
        models, report = lab.given(report, SeveralTask(tasks, self.title))
        digits = lab.result(DataTask(self.run.data, "discovery"), report)
        return self._matched(models, digits.take(slice(MATCHED)), report)

    def _matched(
        self, models: Sequence[Inspectable], digits: DataSet, report: Report
    ) -> Correspondence:
        """The networks, trained and untrained, matched on the digits."""
        fresh = [each.untrained() for each in seeds_of(self.run)]
        report(0.2, self.title)
        learned, untrained = (
            [peaks(model, digits.images, self.layer) for model in of] for of in (models, fresh)
        )
        report(0.5, f"{self.title}: shuffled digits")
        null = np.zeros((SEEDS, SEEDS))
        for i, j in _pairs(SEEDS):
            null[i, j] = null[j, i] = match_null(learned[i], learned[j])
        partner, correlation = _matchings(learned)
        return Correspondence(
            seeds=np.array([each.seed for each in seeds_of(self.run)]),
            partner=partner,
            correlation=correlation,
            untrained=_matchings(untrained)[1],
            null=null,
            digits=len(digits),
        )


def _pairs(networks: int) -> list[tuple[int, int]]:
    """Each two of them once."""
    return [(i, j) for i in range(networks) for j in range(i + 1, networks)]


def _matchings(layers: Sequence[Floats]) -> tuple[Whole, Numbers]:
    """Partners and correlations of each two of the layers, (networks, networks, units)."""
    networks, units = len(layers), layers[0].shape[1]
    partner = np.tile(np.arange(units), (networks, networks, 1))
    correlation = np.ones((networks, networks, units))
    for i, j in _pairs(networks):
        found = match(layers[i], layers[j])
        partner[i, j], correlation[i, j] = found.partner, found.correlation
        partner[j, i, found.partner] = np.arange(units)
        correlation[j, i, found.partner] = found.correlation
    return partner, correlation
