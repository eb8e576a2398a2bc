"""The experiment of one claim: its units removed, then kept alone, and matched sets likewise."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from torch import nn

from core.activations import collect, layer_of
from core.claims.detection import Detection, detection, scores
from core.claims.evidence import Controls
from core.data import CLASSES, DataSet
from core.interventions.bootstrap import Change, Resamples, changes, never_certain
from core.interventions.controls import of_each_set, p_value, random_sets, strengths
from core.interventions.removal import Outcome, Removal
from core.statistics.limits import ALPHA
from core.statistics.power import beyond_controls
from core.statistics.ranking import comparable, within_classes

__all__ = ["Claim", "Half", "Progress", "Trial"]

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]
Whole = NDArray[np.int64]
Progress = Callable[[float, str], object]


@dataclass(frozen=True)
class Half:
    """Some digits, and which of them have the concept, bool (n,)."""

    digits: DataSet
    present: Flags


@dataclass(frozen=True)
class Claim:
    """Units of a layer that are said to carry a concept, and how that is tested.

    label: the class that the concept belongs to, if one. kind: of ablation. controls: sets of
    random units. draws: of the bootstrap. seed: of both.
    """

    layer: str
    units: tuple[int, ...]
    concept: str
    label: int | None
    kind: str
    controls: int
    draws: int
    seed: int


class Trial:
    """A claim tested on the confirmation digits; only scales and strengths come from discovery."""

    def __init__(self, model: nn.Module, claim: Claim, discovery: Half, confirmation: Half) -> None:
        """The activations, collected."""
        self.claim, self.half = claim, confirmation
        self.labels = confirmation.digits.labels.numpy()
        self.rectified = layer_of(model, claim.layer).rectified
        self.known = collect(model, discovery.digits.images, claim.layer)
        self.removal = Removal(
            model,
            confirmation.digits,
            claim.layer,
            claim.kind,
            reference=discovery.digits,
            present=discovery.present,
            seed=claim.seed,
        )
        self.sets = random_sets(
            strengths(model, claim.layer, self.known),
            claim.units,
            claim.controls,
            np.random.default_rng(claim.seed),
        )

    @cached_property
    def resamples(self) -> Resamples:
        """Draws of digits of each class, with and without the concept apart."""
        strata = 2 * self.labels + self.half.present
        return Resamples(strata, self.claim.draws, self.claim.seed)

    @cached_property
    def groups(self) -> Mapping[str, Flags]:
        """The digits with the concept, those of its class without it, each class, all others."""
        present, label = self.half.present, self.claim.label
        found = {self.claim.concept: present}
        if label is not None and ((self.labels == label) & ~present).any():
            found[f"class-{label}, not {self.claim.concept}"] = (self.labels == label) & ~present
        found |= {f"class-{each}": self.labels == each for each in range(CLASSES)}
        return {**found, "all other digits": ~present}

    def changes(self) -> list[Change]:
        """What removing the units changes in every group."""
        without = self.removal.without(self.claim.units)
        return changes(self.removal.intact, without, self.groups, self.resamples)

    def loss(self) -> float:
        """The share of the concept's digits that is no longer right without the units, −1..1."""
        some = self.removal.on(self.half.present)
        before, after = some.intact.right, some.without(self.claim.units).right
        return float(before.mean(dtype=np.float64) - after.mean(dtype=np.float64))

    def kept(self) -> float:
        """The discrimination that the units alone keep, −1..1; see `_discrimination`."""
        return self._discrimination(self.removal.keeping(self.claim.units))

    def removed_controls(self, told: Progress) -> Controls:
        """The loss of likelihood on the concept's digits, for the units and for control sets."""
        some = self.removal.on(self.half.present)
        before = some.intact.nll.astype(np.float64)
        losses: dict[tuple[int, ...], Numbers] = {}

        def loss(units: Iterable[int]) -> float:
            key = tuple(units)
            with np.errstate(invalid="ignore"):  # infinite less infinite
                losses[key] = some.without(key).nll - before
            return float(losses[key].mean())

        found = self._compared("loss of log-likelihood, nats", loss, told)
        return replace(found, detectable=self._detectable(losses))

    def _detectable(self, losses: Mapping[tuple[int, ...], Numbers]) -> float | None:
        """The smallest mean loss that is above 95 % of the control sets'. losses: of each set."""
        if not len(self.sets):
            return None
        every = np.stack([losses[tuple(each)] for each in np.sort(self.sets, axis=1).tolist()])
        return beyond_controls(every, ALPHA, self.claim.seed)

    def kept_controls(self, told: Progress) -> Controls:
        """The share of discrimination that the units alone keep, and that control sets keep."""
        whole = self._discrimination(self.removal.intact)

        def kept(units: Iterable[int]) -> float:
            return float(self._discrimination(self.removal.keeping(units)) / max(whole, 1e-9))

        return self._compared("share of discrimination kept", kept, told)

    def kept_interval(self) -> tuple[float, float]:
        """95 % interval of the share of discrimination that the units alone keep."""
        says = [
            self._says(of) for of in (self.removal.intact, self.removal.keeping(self.claim.units))
        ]
        both = np.stack(says, axis=1)
        there, elsewhere = (
            self.resamples.means(both, rows) for rows in (self.half.present, self._elsewhere)
        )
        kept = there - elsewhere  # (draws, intact and kept)
        shares = np.divide(kept[:, 1], kept[:, 0], out=np.zeros(len(kept)), where=kept[:, 0] > 1e-9)
        bounds = np.quantile(shares, [0.025, 0.975])
        bounds = never_certain(bounds, (both[:, 1] - both[:, 0])[self.half.present])
        return float(bounds[0]), float(bounds[1])

    def within(self) -> Detection | None:
        """How well the units tell digits with the concept from others of the same class."""
        rows = comparable(self.labels, self.half.present)
        if not rows.any():
            return None
        score = np.zeros(len(rows), np.float32)
        score[rows] = within_classes(self._scores[rows], self.labels[rows])
        return detection(score, self.half.present, rows, self.resamples.counts(rows))

    def everywhere(self) -> Detection:
        """How well they tell them from all other digits."""
        rows = np.ones(len(self.labels), bool)
        return detection(self._scores, self.half.present, rows, self.resamples.counts(rows))

    @cached_property
    def _scores(self) -> NDArray[np.float32]:
        """One number a digit for all the units."""
        return scores(self.removal.values, self.claim.units, self.known, self.rectified)

    @property
    def _elsewhere(self) -> Flags:
        """Digits of other classes than those with the concept."""
        present = np.unique(self.labels[self.half.present])
        found: Flags = ~np.isin(self.labels, present)
        return found if found.any() else ~self.half.present

    def _discrimination(self, outcome: Outcome) -> float:
        """How much more often the concept's class is said of its digits than of other classes.

        Youden's J: 1 when always and never, 0 when as often.
        """
        says = self._says(outcome)
        return float(says[self.half.present].mean() - says[self._elsewhere].mean())

    def _says(self, outcome: Outcome) -> Numbers:
        """(n,): whether a digit is said to be of the concept's class.

        For a concept of several classes: whether the right class is said, of digits that have it.
        """
        if self.claim.label is not None:
            return outcome.shares[:, self.claim.label].astype(np.float64)
        classes = np.unique(self.labels[self.half.present])
        said: Numbers = outcome.shares[:, classes].sum(1, dtype=np.float64)
        return said

    def _compared(
        self, measure: str, effect: Callable[[Iterable[int]], float], told: Progress
    ) -> Controls:
        """The effect of the claim's units and of every control set."""
        own = effect(self.claim.units)

        def on_set(number: int) -> None:
            told(number / len(self.sets), f"Control {number + 1} of {len(self.sets)}: {measure}")

        effects, distinct = of_each_set(effect, self.sets, on_set)
        return Controls(measure, own, tuple(effects), distinct, p_value(own, np.array(effects)))
