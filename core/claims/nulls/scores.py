"""The scores of the best units of null networks, by part of a claim, and who beats them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from core.activations import peaks
from core.claims.evidence import INCONCLUSIVE, QUESTIONS, SUPPORTED, Finding
from core.claims.trial import Claim, Half, Progress, Trial
from core.interventions.controls import p_value
from core.statistics.limits import ALPHA
from core.statistics.ranking import Answers, comparable, within_classes

__all__ = ["NullScores", "best_units", "null_scores", "ranked_units", "scores_of"]

Whole = NDArray[np.int64]

MOST = 1000  # digits with the concept, of its classes without it, and of other classes


@dataclass(frozen=True)
class NullScores:
    """Scores of null networks by question, (networks,) each; see `scores_of`.

    what: these networks in words, such as "untrained networks". networks: how many.
    """

    what: str
    scores: Mapping[str, tuple[float, ...]]
    networks: int

    def p_value(self, question: str, score: float) -> float:
        """(1 + networks that score at least as much) / (1 + networks)."""
        return p_value(score, np.array(self.scores[question]))

    def limit(self, question: str) -> float:
        """What 95 % of the networks stay below."""
        return float(np.quantile(self.scores[question], 1 - ALPHA, method="higher"))

    def without(self, network: int) -> NullScores:
        """Those of all networks but one."""
        kept = {
            question: (*of[:network], *of[network + 1 :]) for question, of in self.scores.items()
        }
        return replace(self, scores=kept, networks=self.networks - 1)

    def judged(self, question: str, finding: Finding, scores: Mapping[str, float]) -> Finding:
        """The finding, at most inconclusive where null networks score as much as `scores`."""
        if finding.verdict != SUPPORTED or not self.scores.keys() & scores.keys() & {question}:
            return finding
        beaten = self.p_value(question, scores[question]) <= ALPHA
        limit = f"{self.limit(question):.2f} at the 95th percentile"
        said = f"the best units of {self.networks} {self.what} score {limit}"
        if beaten:
            return replace(finding, reason=f"{finding.reason[:-1]}; {said}, less than these.")
        reason = f"{finding.reason} But {said}, which these units don't exceed."
        return replace(finding, verdict=INCONCLUSIVE, reason=reason)


def scores_of(trial: Trial) -> dict[str, float]:
    """What the units of a claim score on the confirmation digits, by question; the more the better.

    necessary: share of the concept's digits that is lost without them. sufficient: the share of
    them that is said to be of the class less that of other classes' digits, with all other units
    removed. The detectors: AUC, within the class, where that can be told, and among all digits.
    """
    within = trial.within()
    scores = {
        "necessary": trial.loss(),
        "sufficient": trial.kept(),
        "conditional detector": math.nan if within is None else within.auc,
        "global detector": trial.everywhere().auc,
    }
    return {name: score for name, score in scores.items() if math.isfinite(score)}


def null_scores(
    networks: Iterable[nn.Module],
    claim: Claim,
    both: tuple[Half, Half],
    what: str,
    told: Progress = lambda done, text: None,
    count: int = 20,
) -> NullScores:
    """The scores of as many units as the claim has in each network, its best for the concept.

    both: discovery, on which the units are chosen, and confirmation; of each at most `MOST` digits
    of a kind are used. count: how many networks there are, for `told`.
    """
    known, judged = (_limited(half, claim.label) for half in both)
    found: list[dict[str, float]] = []
    for at, network in enumerate(networks):
        told(at / count, f"Asking {what}: {at + 1} of {count}")
        units = best_units(network, known, claim.layer, len(claim.units))
        own = replace(claim, units=units, controls=0, draws=1)
        found.append(scores_of(Trial(network, own, known, judged)))
    names = [name for name in QUESTIONS if any(name in of for of in found)]
    lowest = -math.inf  # of a network whose numbers aren't finite
    scores = {name: tuple(of.get(name, lowest) for of in found) for name in names}
    return NullScores(what, scores, len(found))


def best_units(network: nn.Module, half: Half, layer: str, count: int) -> tuple[int, ...]:
    """The units of a layer that tell the concept best, sorted: as candidates are ranked."""
    return tuple(sorted(ranked_units(network, half, layer)[:count].tolist()))


def ranked_units(network: nn.Module, half: Half, layer: str) -> Whole:
    """The units of a layer, the one that tells the concept best first.

    By AUC within the class where that can be told, else among all digits.
    """
    labels, present = half.digits.labels.numpy(), half.present
    values = peaks(network, half.digits.images, layer)
    rows = comparable(labels, present)
    if rows.any():
        values, present, labels = values[rows], present[rows], labels[rows]
        values = np.stack([within_classes(of, labels) for of in values.T], axis=1)
    areas = Answers.of(values).auc(present[:, None])[:, 0]
    order: Whole = np.argsort(-areas, kind="stable")
    return order


def _limited(half: Half, label: int | None) -> Half:
    """The first `MOST` digits of each kind: with the concept, of its class without, and others."""
    labels, present = half.digits.labels.numpy(), half.present
    own = ~present & (labels == label if label is not None else np.isin(labels, labels[present]))
    kinds: Sequence[NDArray[np.bool_]] = (present, own, ~present & ~own)
    rows = np.sort(np.concatenate([np.flatnonzero(of)[:MOST] for of in kinds]))
    return Half(half.digits.take(torch.from_numpy(rows)), present[rows])
