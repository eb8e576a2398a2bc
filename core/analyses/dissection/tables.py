"""Tables of one network's layer against all concepts: by pixels, and by one number an image.

Levels and concepts are chosen on one sample of digits, everything else is measured on the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from core.activations import batches_of
from core.analyses.dissection.levels import Batches, levels
from core.analyses.dissection.masks import Upsampling, as_words, marked, pack
from core.analyses.dissection.pixels import Counted, count, iou
from core.data import CLASSES, DataSet
from core.data.concepts import CONCEPTS, Measured
from core.statistics import adjusted
from core.statistics.ranking import Answers, auc_interval, chance

__all__ = ["DETECTOR", "FEWEST", "RATE", "Read", "Sample", "Table", "by_images", "by_pixels"]

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]

DETECTOR = 0.04  # least iou of a detector (Bau et al. 2017, arXiv:1704.05796)
RATE = 0.05  # of false discoveries among units and concepts
FEWEST = 30  # images with a concept, and without, below which nothing is said about it
TOP = 3  # concepts ranked for each unit
SHUFFLES, DRAWS, AUC_DRAWS = 20, 500, 100
BATCH = 500  # images at once
_SIZES = (1e-4, 0.9)  # of the pixels: levels that make sense


@dataclass(frozen=True)
class Read:
    """A way from images to activations (batch, units, …), after the ReLU where one follows."""

    raw: Callable[[Tensor], Tensor]
    rectified: bool

    def __call__(self, images: Tensor) -> Tensor:
        """The activations, without gradient."""
        with torch.no_grad():
            return self.raw(images).relu() if self.rectified else self.raw(images)

    def levels(self, batches: Batches, share: ArrayLike) -> NDArray[np.float32]:
        """`levels`; where a ReLU follows, 0 is rest and never above a level."""
        found = levels(batches, share)
        return np.maximum(found, 0) if self.rectified else found


@dataclass(frozen=True)
class Sample:
    """Digits, and what is in them."""

    digits: DataSet
    measured: Measured

    def __len__(self) -> int:
        """How many digits."""
        return len(self.digits)

    def activations(self, read: Read) -> Iterator[Tensor]:
        """Activations, batch after batch."""
        return (read(images) for images in batches_of(self.digits.images, BATCH))

    def words(self) -> Iterator[NDArray[np.uint64]]:
        """Packed masks (batch, concepts with a place, 13), batch after batch."""
        return (
            as_words(self.measured.packed[at : at + BATCH]) for at in range(0, len(self), BATCH)
        )


@dataclass(frozen=True)
class Table:
    """A row for each unit and concept, and each unit's level (units,).

    Columns: index, concept; rank (1 to 3, by what was found on discovery, else 0); found, the iou
    on discovery; on confirmation iou, low, high, ceiling, of_ceiling (iou / ceiling), null (99 % of
    what shuffled images give), p_value, q_value (Benjamini & Hochberg over the table); n, the
    images with the concept; detector. By pixels also matched: the iou, for rank 1, when the unit
    marks as many pixels as its concept has. By images also auc, auc_low, auc_high, auc_p, precision
    (average precision), base (its chance value), auc_within, auc_p_within.
    """

    rows: pd.DataFrame
    levels: NDArray[np.float32]

    def summary(self) -> dict[str, float]:
        """How many units are detectors, of how many different concepts, and the highest iou."""
        mine = self.rows[self.rows["detector"]] if len(self.rows) else self.rows
        if not len(mine):
            best = float(self.rows["iou"].max()) if len(self.rows) else 0.0
            return {"detectors": 0, "unique": 0, "iou": best}
        return {
            "detectors": int(mine["index"].nunique()),
            "unique": int(mine["concept"].nunique()),
            "iou": float(self.rows["iou"].max()),
        }


def by_pixels(
    read: Read,
    upsampling: Upsampling,
    choose: Sample,
    judge: Sample,
    *,
    level: float,
    seed: int,
    scores: bool = True,
) -> Table:
    """Units of a convolutional layer against the concepts that have a place.

    scores: whether to add the iou at the concept's own size.
    """

    def counted(sample: Sample, limits: NDArray[np.float32], shuffles: int) -> Counted:
        masks = (pack(marked(maps, limits, upsampling)) for maps in sample.activations(read))
        return count(zip(masks, sample.words(), strict=True), shuffles=shuffles, seed=seed)

    limits = read.levels(lambda: choose.activations(read), level)
    found, judged = counted(choose, limits, 0), counted(judge, limits, SHUFFLES)
    overlaps = judged.overlaps
    p_value, null = overlaps.null(judged.shuffled, judged.expected)
    low, high = overlaps.interval(DRAWS, seed)
    more = found.overlaps.both.sum(0) > found.expected  # than position alone would give
    values = {
        "found": np.where(more, found.overlaps.iou, 0.0),
        "iou": overlaps.iou,
        "low": low,
        "high": high,
        "ceiling": overlaps.ceiling,
        "null": null,
        "p_value": p_value,
    }
    names = judge.measured.placed
    present = [_present(sample.measured, names) for sample in (choose, judge)]
    rows = _rows(names, values, *present)
    if scores:
        best = np.where(_enough(present[0]), values["found"], 0.0).argmax(1)
        sizes = found.overlaps.coverage[1][best].clip(*_SIZES)
        wide = read.levels(lambda: choose.activations(read), sizes)
        matched = counted(judge, wide, 0).overlaps.iou[np.arange(len(best)), best]
        first = rows["rank"] == 1
        rows["matched"] = np.nan
        rows.loc[first, "matched"] = matched[rows.loc[first, "index"]]
    return Table(rows, limits)


def by_images(
    read: Read, choose: Sample, judge: Sample, *, level: float, seed: int, scores: bool = True
) -> Table:
    """Units of any layer against all concepts, by one number an image: a map's maximum.

    scores: whether to add the columns beyond the iou, and the intervals.
    """
    answers = [Answers.of(_peaks(sample, read)) for sample in (choose, judge)]
    limits = read.levels(lambda: [torch.from_numpy(answers[0].activations)], level)
    names = judge.measured.names
    present = [_present(sample.measured, names) for sample in (choose, judge)]
    found, counts = (
        _common(answer.above(limits), of) for answer, of in zip(answers, present, strict=True)
    )
    n = len(judge)
    p_value, most = chance(*counts, n)
    expected = found[1] * found[2] / len(choose)
    values = {
        "found": np.where(found[0] > expected, iou(*found), 0.0),
        "iou": iou(*counts),
        "ceiling": iou(np.minimum(counts[1], counts[2]), counts[1], counts[2]),
        "null": iou(most.astype(np.int64), counts[1], counts[2]),
        "p_value": p_value,
    }
    if not scores:
        return Table(_rows(names, values, *present), limits)
    rows = _rows(names, {**values, **_scores(answers[1], present[1], judge, names)}, *present)
    return Table(_with_intervals(rows, answers[1], present[1], limits, seed), limits)


def _scores(
    answers: Answers, present: Flags, judge: Sample, names: Sequence[str]
) -> dict[str, Numbers]:
    """How well each unit's number ranks the images with each concept first."""
    auc = answers.auc(present)
    within, p_within = _within(answers, present, judge, names)
    return {
        "auc": auc,
        "auc_p": answers.p_values(auc, present),
        "precision": answers.average_precision(present),
        "base": np.broadcast_to(present.mean(0), auc.shape),
        "auc_within": within,
        "auc_p_within": p_within,
    }


def _peaks(sample: Sample, read: Read) -> NDArray[np.float32]:
    """(n, units): one number an image."""
    found: NDArray[np.float32] = torch.cat(
        [a.amax((2, 3)) if a.ndim == 4 else a for a in sample.activations(read)]
    ).numpy()
    return found


def _present(measured: Measured, names: Sequence[str]) -> Flags:
    """Which digits have which of `names`, (n, concepts)."""
    present = measured.present()
    return present[:, [measured.names.index(name) for name in names]]


def _common(above: Flags, present: Flags) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Images in both (units, concepts), of the unit (units, 1) and of the concept (1, concepts)."""
    both = above.astype(np.float32).T @ present.astype(np.float32)
    return both.round().astype(np.int64), above.sum(0)[:, None], present.sum(0)[None]


def _within(
    answers: Answers, present: Flags, sample: Sample, names: Sequence[str]
) -> tuple[Numbers, Numbers]:
    """AUC and its p-value among the digits of the concept's class, nan for other concepts."""
    auc, p_value = np.full((2, answers.activations.shape[1], len(names)), np.nan)
    labels = sample.digits.labels.numpy()
    for digit in range(CLASSES):
        mine = [
            at
            for at, name in enumerate(names)
            if CONCEPTS[name].label == digit and not name.startswith("class-")
        ]
        members = labels == digit
        if mine and members.any():
            some = answers.within(members)
            inside = present[members][:, mine]
            auc[:, mine] = some.auc(inside)
            p_value[:, mine] = some.p_values(auc[:, mine], inside)
    return auc, p_value


def _rows(
    names: Sequence[str], values: Mapping[str, Numbers], chosen_on: Flags, judged_on: Flags
) -> pd.DataFrame:
    """The table of values (units, concepts), with ranks, corrected p-values and detectors.

    chosen_on, judged_on: which digits of each sample have which concepts, (n, concepts).
    """
    units, concepts = values["iou"].shape
    flat = {name: np.asarray(of).ravel() for name, of in values.items()}
    rows = pd.DataFrame(
        {
            "index": np.repeat(np.arange(units), concepts),
            "concept": np.tile(np.array(names, dtype=object), units),
            "rank": _ranks(np.where(_enough(chosen_on), values["found"], 0.0)).ravel(),
            **flat,
            "n": np.tile(judged_on.sum(0), units),
        }
    )
    rows["of_ceiling"] = (rows["iou"] / rows["ceiling"]).where(rows["ceiling"] > 0, 0.0)
    rows["q_value"] = 1.0
    tested = np.tile(_enough(judged_on), units)
    rows.loc[tested, "q_value"] = adjusted(rows.loc[tested, "p_value"])
    rows["detector"] = (
        (rows["rank"] == 1)
        & (rows["iou"] > np.maximum(DETECTOR, rows["null"]))
        & (rows["q_value"] <= RATE)
    )
    return rows


def _enough(present: Flags) -> Flags:
    """Of which concepts something can be said: enough digits have it, and not, or all have it."""
    n = present.sum(0)
    enough: Flags = (n >= FEWEST) & ((len(present) - n >= FEWEST) | (n == len(present)))
    return enough


def _ranks(found: Numbers) -> NDArray[np.int64]:
    """1 for each unit's highest value, 2 and 3 for the next, 0 for the others and for zeros."""
    order = (-found).argsort(1, kind="stable").argsort(1, kind="stable") + 1
    return np.where((order <= TOP) & (found > 0), order, 0)


def _with_intervals(
    rows: pd.DataFrame,
    answers: Answers,
    present: Flags,
    limits: NDArray[np.float32],
    seed: int,
) -> pd.DataFrame:
    """The rows with intervals, for the concepts that are ranked."""
    concepts = present.shape[1]
    bounds = np.full((len(rows), 4), np.nan)
    drawn = _drawn(len(present), seed)
    ranked = np.flatnonzero(rows["rank"])
    units, of = np.divmod(ranked, concepts)
    bounds[ranked, :2] = _iou_intervals(answers.above(limits)[:, units], present[:, of], drawn)
    for row in np.flatnonzero(rows["rank"] == 1):
        unit, concept = divmod(int(row), concepts)
        bounds[row, 2:] = auc_interval(answers.activations[:, unit], present[:, concept], drawn)
    names = ("low", "high", "auc_low", "auc_high")
    return rows.assign(**dict(zip(names, bounds.T, strict=True)))


def _drawn(n: int, seed: int) -> NDArray[np.float32]:
    """How often each of n images is drawn, (draws, n)."""
    generator = np.random.default_rng(seed)
    return generator.multinomial(n, np.full(n, 1 / n), AUC_DRAWS).astype(np.float32)


def _iou_intervals(above: Flags, of: Flags, drawn: NDArray[np.float32]) -> Numbers:
    """95 % bounds (pairs, 2) of the iou of pairs of sets of images (n, pairs), by bootstrap."""
    both = drawn @ (above & of).astype(np.float32)
    either = drawn @ (above | of).astype(np.float32)
    return np.quantile(both / np.maximum(either, 1), [0.025, 0.975], axis=0).T
