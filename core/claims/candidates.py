"""Which units of a layer might carry a concept: every unit scored on the discovery digits.

A shortlist and no evidence: the best of many looks good by luck, so each score stands beside what
the best unit of the layer reaches when the concept is shuffled, and a claim is tested elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from torch import nn

from core.activations import peaks
from core.arguments import seeded
from core.claims.trial import Half
from core.interventions.removal import Removal
from core.statistics import adjusted
from core.statistics.ranking import Answers, comparable, within_classes
from core.surroundings import undisturbed

__all__ = ["Candidates", "candidates"]

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]

SHUFFLES = 500


@dataclass(frozen=True)
class Candidates:
    """Scores of all units of a layer for a concept, (units,) each, on n digits that have it.

    within: AUC among digits of the same class, 0.5 where no class has both kinds. everywhere: AUC
    among all digits. loss: of log-likelihood, nats, on the concept's digits without the unit.
    q_value: of the AUC that ranks them, false discovery rate over the layer. best_p: the share of
    shuffles whose best unit reaches as much (max-T, Westfall & Young 1993). chance: the AUC that
    the best unit of 95 % of shuffles stays below.
    """

    within: Numbers
    everywhere: Numbers
    loss: Numbers
    q_value: Numbers
    best_p: Numbers
    chance: float
    n: int
    inside: bool

    @property
    def order(self) -> NDArray[np.int64]:
        """The units, the highest AUC first: within the class, or of a class among all digits."""
        ranked: NDArray[np.int64] = np.argsort(-self.score, kind="stable")
        return ranked

    @property
    def score(self) -> Numbers:
        """The AUC that ranks them."""
        return self.within if self.inside else self.everywhere

    def table(self) -> pd.DataFrame:
        """A row for each unit, the best first."""
        columns = {each.name: getattr(self, each.name) for each in fields(self)[:5]}
        return pd.DataFrame(columns).rename_axis("unit").iloc[self.order]


@undisturbed()
def candidates(model: nn.Module, half: Half, layer: str, *, seed: int = 0) -> Candidates:
    """Every unit of `layer` scored on the discovery half.

    Raises `ValueError` for an unknown layer and a seed that is none.
    """
    seed = seeded(seed)
    labels, present = half.digits.labels.numpy(), half.present
    activations = peaks(model, half.digits.images, layer)
    rows = comparable(labels, present)
    inside = bool(rows.any())
    everywhere = Answers.of(activations).auc(present[:, None])[:, 0]
    judged = rows if inside else np.ones(len(labels), bool)
    values = activations[judged]
    if inside:
        values = np.stack([within_classes(of, labels[rows]) for of in values.T], axis=1)
    answers = Answers.of(values)
    score = answers.auc(present[judged][:, None])
    best = _best_of_shuffles(answers, present[judged], labels[judged], inside, seed)
    some = Removal(model, half.digits, layer).on(present)
    before = some.intact.nll.mean(dtype=np.float64)
    loss = [without.nll.mean(dtype=np.float64) - before for without in some.each_alone()]
    return Candidates(
        within=score[:, 0] if inside else np.full(len(score), 0.5),
        everywhere=everywhere,
        loss=np.array(loss),
        q_value=adjusted(answers.p_values(score, present[judged][:, None])[:, 0]),
        best_p=(1 + (best >= score).sum(1)) / (1 + SHUFFLES),
        chance=float(np.quantile(best, 0.95)),
        n=int(present.sum()),
        inside=inside,
    )


def _best_of_shuffles(
    answers: Answers, present: Flags, labels: NDArray[np.int64], inside: bool, seed: int
) -> Numbers:
    """(shuffles,): the best unit's AUC once the concept is dealt anew, within classes if asked."""
    generator = np.random.default_rng(seed)
    shuffled = np.repeat(present[:, None], SHUFFLES, axis=1)
    for label in np.unique(labels) if inside else (None,):
        rows = labels == label if label is not None else np.ones(len(labels), bool)
        shuffled[rows] = generator.permuted(shuffled[rows], axis=0)
    best: Numbers = answers.auc(shuffled).max(0)
    return best
