"""Automatic labels: what a unit answers to, in words, with a score on digits it was not chosen on.

A label is a concept, the negation of one, or a class together with either. It is chosen by how well
its presence predicts the unit's activation on one sample, and scored on another, as explain,
simulate and score (Bills et al. 2023) without a language model: the simulated activation is one
value where the label is and another where it isn't. A unit whose score is no better than that of
permuted images has no label; one that two disjoint labels explain better is polysemantic.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.arguments import seeded
from core.data.concepts import CONCEPTS, Measured
from core.statistics.ranking import Answers, average_precision
from core.text import literal

__all__ = ["NONE", "Label", "Labels", "Library", "label_units", "score_card"]

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]
Whole = NDArray[np.int64]

NONE = "no label"
FEWEST = 30  # images with and without a label, in each sample
LONGER = 0.03  # of correlation that a label must gain by a second concept, and by a negation
LEAST = 0.1  # correlation of a label that is worth saying
COVERED = 0.1  # of a unit's top images that a second label must add
TOP_IMAGES, MIXED_IMAGES = 0.01, 0.05  # shares of the images
PERMUTATIONS, CHANCE = 200, 0.99  # of the images; quantile that a score must exceed


@dataclass(frozen=True)
class Label:
    """One or two concepts, each there or not: ((name, there), …). text: in words."""

    terms: tuple[tuple[str, bool], ...]

    @property
    def text(self) -> str:
        """In words: "crossed 7", "thick 3", "7, not crossed 7"."""
        words = [_word(*term) for term in self.terms]
        if len(words) == 1:
            return words[0]
        digit, (other, there) = words[0], self.terms[1]
        adjective = there and CONCEPTS[other].category in _ADJECTIVES
        return f"{words[1]} {digit}" if adjective else f"{digit}, {words[1]}"

    @property
    def code(self) -> str:
        """The terms as one text: "class-7,!crossed-7", "!" for a concept that isn't there."""
        return ",".join(f"{'' if there else '!'}{name}" for name, there in self.terms)

    @property
    def length(self) -> int:
        """Concepts and negations."""
        return len(self.terms) + sum(not there for _, there in self.terms)

    @property
    def part(self) -> str | None:
        """The optional part of a digit that it speaks of, for counterfactual pairs."""
        return next((of for name, _ in self.terms if (of := CONCEPTS[name].part)), None)


_ADJECTIVES = {"area", "thickness", "slant", "width", "height", "length", "pieces"}


def _word(name: str, there: bool) -> str:
    """A concept, or its negation, in words."""
    text = name.removeprefix("class-") if name.startswith("class-") else CONCEPTS[name].text
    return text if there else f"not {text}"


@dataclass(frozen=True)
class Library:
    """Labels to choose from, and which digits carry them. carried: (n, labels)."""

    labels: tuple[Label, ...]
    carried: Flags

    @classmethod
    def of(cls, measured: Measured) -> Library:
        """All labels over the concepts that were measured."""
        present = dict(zip(measured.names, measured.present().T, strict=True))
        useful = {name: of for name, of in present.items() if of.any() and not of.all()}
        classes = [name for name in useful if name.startswith("class-")]
        terms: list[tuple[tuple[str, bool], ...]] = [((name, True),) for name in useful]
        terms += [((name, False),) for name in useful]
        terms += [
            ((digit, True), (name, there))
            for digit in classes
            for name in useful
            if _combines(digit, name)
            for there in (True, False)
        ]
        carried = np.stack(
            [np.logical_and.reduce([useful[name] == there for name, there in of]) for of in terms],
            axis=1,
        )
        return cls(tuple(map(Label, terms)), carried)

    def index(self, text: str) -> int:
        """The number of the label that reads `text`. Raises `ValueError` for none."""
        texts = [label.text for label in self.labels]
        if text not in texts:
            raise ValueError(
                f"{literal(text)} is no label of this library: choose one that it holds."
            )
        return texts.index(text)


def _combines(digit: str, name: str) -> bool:
    """Whether a class and a concept make a label that says more than either."""
    of = CONCEPTS[name]
    return of.category not in ("class", "parity", "half") and of.label in (
        None,
        CONCEPTS[digit].label,
    )


@dataclass(frozen=True)
class Labels:
    """The label of each unit, (units,), and its score card on images it was not chosen on.

    label: its text, `NONE`, or two with a bar between. code: the same as `Label.code`, empty for
    none. candidate: the text of the label that comes closest. found: correlation on the images it
    was chosen on. correlation: of simulated and true activation; mixed: the same among the top
    images and as many others; null: the correlation that 99 % of permuted images stay below. auc;
    precision (average precision) and base, its chance value. balanced: accuracy of telling the
    label by the activation, both kinds of image counting the same, at the threshold chosen with the
    label. coverage: share of the top 1 % of the images that carries the label. n: images with it.
    """

    label: NDArray[np.str_]
    code: NDArray[np.str_]
    candidate: NDArray[np.str_]
    found: Numbers
    correlation: Numbers
    mixed: Numbers
    null: Numbers
    auc: Numbers
    precision: Numbers
    base: Numbers
    balanced: Numbers
    coverage: Numbers
    n: Whole

    def table(self) -> pd.DataFrame:
        """A row for each unit."""
        return pd.DataFrame(asdict(self))


def label_units(
    choose: tuple[NDArray[np.float32], Library],
    judge: tuple[NDArray[np.float32], Library],
    *,
    seed: int = 0,
) -> Labels:
    """Labels of units, chosen on one sample and scored on the other.

    choose, judge: activations (n, units) and the library of the same n digits; both libraries hold
    the labels that occur, and only those in both are used. seed: of permutations and mixtures.

    Raises `ValueError` when activations and digits differ in number, and for a seed that is none.
    """
    seed = seeded(seed)
    for activations, library in (choose, judge):
        if len(activations) != len(library.carried):
            raise ValueError(
                f"there are activations of {len(activations)} digits and labels of "
                f"{len(library.carried)}: give those of the same digits."
            )
    labels, first, second = _shared(choose[1], judge[1])
    r = _correlations(choose[0], first)
    best = (r - LONGER * np.array([label.length - 1 for label in labels])).argmax(1)
    units = np.arange(len(best))
    card = score_card(choose[0], first[:, best], judge[0], second[:, best], seed=seed)
    said = card["correlation"] > np.maximum(LEAST, card["null"])
    others = _others(choose[0], first, judge[0], second, best, labels)
    found: list[tuple[Label, ...]] = [
        () if not sure else (labels[at],) if other is None else (labels[at], other)
        for at, other, sure in zip(best, others, said, strict=True)
    ]
    return Labels(
        np.array([" | ".join(of.text for of in mine) or NONE for mine in found]),
        np.array(["|".join(of.code for of in mine) for mine in found]),
        np.array([labels[at].text for at in best]),
        r[units, best],
        **card,
    )


def score_card(
    chosen_on: NDArray[np.float32],
    carried_there: Flags,
    judged_on: NDArray[np.float32],
    carried: Flags,
    *,
    seed: int = 0,
) -> dict[str, NDArray[Any]]:
    """The scores of one label a unit, see `Labels`; the first sample gives only the threshold.

    Activations (n, units) and who carries the unit's label, (n, units), of both samples.
    """
    generator = np.random.default_rng(seeded(seed))
    simulated = carried.astype(np.float64)
    thresholds = _thresholds(chosen_on, carried_there)
    mixed = _mixed(judged_on, generator)
    units = range(judged_on.shape[1])
    top = _top(judged_on, TOP_IMAGES)
    answers = Answers.of(judged_on)
    return {
        "correlation": _paired(judged_on, simulated),
        "mixed": np.array([_paired(judged_on[m, u], simulated[m, u]) for u, m in enumerate(mixed)]),
        "null": _null(judged_on, simulated, generator),
        "auc": np.array([answers.only(u).auc(carried[:, [u]])[0, 0] for u in units]),
        "precision": np.array(
            [average_precision(judged_on[:, u], carried[:, [u]])[0] for u in units]
        ),
        "base": carried.mean(0),
        "balanced": _balanced(judged_on > thresholds, carried),
        "coverage": np.take_along_axis(carried, top, 0).mean(0),
        "n": carried.sum(0),
    }


def _shared(one: Library, other: Library) -> tuple[tuple[Label, ...], Flags, Flags]:
    """Labels that enough digits of both samples carry and don't carry, and who does."""

    def enough(library: Library) -> dict[Label, int]:
        n = library.carried.sum(0)
        usable = (n >= FEWEST) & (len(library.carried) - n >= FEWEST)
        return {library.labels[at]: int(at) for at in np.flatnonzero(usable)}

    first, second = enough(one), enough(other)
    labels = tuple(label for label in first if label in second)
    if not labels:
        raise ValueError(
            f"no label is carried by {FEWEST} digits of both samples: pass more digits."
        )
    return (
        labels,
        one.carried[:, [first[label] for label in labels]],
        other.carried[:, [second[label] for label in labels]],
    )


def _standard(values: NDArray[Any]) -> Numbers:
    """Columns with mean 0 and length 1; 0 for a constant one."""
    centred = values - values.mean(0, dtype=np.float64)
    length = np.sqrt(np.square(centred).sum(0))
    constant = length <= 1e-9 * np.sqrt(len(values)) * (1 + np.abs(values).max(0))
    found: Numbers = np.divide(centred, length, out=np.zeros_like(centred), where=~constant)
    return found


def _correlations(activations: NDArray[np.float32], carried: Flags) -> Numbers:
    """Pearson's correlation (units, labels)."""
    found: Numbers = _standard(activations).T @ _standard(carried.astype(np.float64))
    return found


def _paired(activations: NDArray[Any], simulated: NDArray[Any]) -> Numbers:
    """Pearson's correlation of each unit with its own simulation, (units,); 0 for a constant."""
    return np.asarray((_standard(activations) * _standard(simulated)).sum(0))


def _null(
    activations: NDArray[np.float32], simulated: Numbers, generator: np.random.Generator
) -> Numbers:
    """The correlation that `CHANCE` of permuted images stay below, (units,)."""
    a, s = _standard(activations), _standard(simulated)
    drawn = [(a * s[generator.permutation(len(s))]).sum(0) for _ in range(PERMUTATIONS)]
    limits: Numbers = np.quantile(drawn, CHANCE, axis=0)
    return limits


def _top(activations: NDArray[np.float32], share: float) -> Whole:
    """(images, units): the images on which each unit is most active, at least one."""
    count = max(1, round(share * len(activations)))
    return np.argsort(-activations, axis=0, kind="stable")[:count]


def _mixed(activations: NDArray[np.float32], generator: np.random.Generator) -> list[Whole]:
    """For each unit its most active images and as many others, drawn at random."""
    found = []
    for top in _top(activations, MIXED_IMAGES).T:
        others = np.setdiff1d(np.arange(len(activations)), top)
        found.append(np.concatenate([top, generator.permutation(others)[: len(top)]]))
    return found


def _thresholds(activations: NDArray[np.float32], carried: Flags) -> Numbers:
    """(units,): the activation above which to say the label, for the best balanced accuracy."""
    found = np.zeros(activations.shape[1])
    for unit, (values, of) in enumerate(zip(activations.T, carried.T, strict=True)):
        order = np.argsort(-values, kind="stable")
        hits = of[order].cumsum() / max(of.sum(), 1)
        false = (~of[order]).cumsum() / max((~of).sum(), 1)
        last = np.append(np.diff(values[order]) != 0, True)  # equal values stand together
        at = int(np.where(last, hits - false, -1).argmax())
        below = values[order][min(at + 1, len(values) - 1)]
        found[unit] = (float(values[order][at]) + float(below)) / 2
    return found


def _balanced(said: Flags, carried: Flags) -> Numbers:
    """Mean of the shares that are told rightly among the images with and without the label."""
    hits = (said & carried).sum(0) / np.maximum(carried.sum(0), 1)
    rejected = (~said & ~carried).sum(0) / np.maximum((~carried).sum(0), 1)
    mean: Numbers = (hits + rejected) / 2
    return mean


def _others(
    chosen_on: NDArray[np.float32],
    there: Flags,
    judged_on: NDArray[np.float32],
    carried: Flags,
    best: Whole,
    labels: Sequence[Label],
) -> list[Label | None]:
    """For each unit a second label, disjoint from the first, that its top images also carry."""
    top, judged_top = _top(chosen_on, TOP_IMAGES), _top(judged_on, TOP_IMAGES)
    plain = np.array([len(of.terms) == 1 and of.terms[0][1] for of in labels])
    r = _correlations(judged_on, carried)
    found: list[Label | None] = []
    for unit, own in enumerate(best):
        apart = (there & there[:, [own]]).sum(0) <= 0.05 * there.sum(0)
        gain = there[top[:, unit]].mean(0)
        at = int(np.where(apart & plain, gain, -1).argmax())
        adds = carried[judged_top[:, unit], at].mean()
        usual = carried[:, at].mean()
        known = apart[at] and plain[at] and r[unit, at] > LEAST
        found.append(labels[at] if known and adds > COVERED + usual else None)
    return found
