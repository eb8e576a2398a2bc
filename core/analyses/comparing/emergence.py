"""How units emerge in training: selectivity, detectors, and the best unit for each concept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from torch import Tensor

from core.activations import all_peaks
from core.analyses.comparing.dynamics import emergence_step, tuning_autocorrelation
from core.analyses.described import DescribedDigits, DescribedDigitsTask
from core.analyses.dissection import Sample
from core.data.concepts import CONCEPTS
from core.models import registry
from core.models.inspectable import Inspectable
from core.runs import Run
from core.runtime.lab import Lab
from core.runtime.task import Report, Task
from core.statistics import selectivity_index
from core.statistics.ranking import Answers, comparable
from core.training import History
from core.training.task import ModelTask

Numbers = NDArray[np.float64]
Floats = NDArray[np.float32]
Whole = NDArray[np.int64]
Flags = NDArray[np.bool_]

DETECTOR = 0.9  # AUC for a class, above which a unit is called its detector
SHUFFLES = 500  # of a concept, to see how good the best of many units is by chance
_DRAWS = 1000  # of the bootstrap over units


@dataclass(frozen=True)
class Peak:
    """When the median of a layer's selectivity was highest, and how far it fell after that.

    fall: of the median, from its highest to its last value; low, high: its 95 % interval, by
    bootstrap over units, the step being given.
    """

    step: int
    highest: float
    last: float
    fall: float
    low: float
    high: float

    @property
    def receded(self) -> bool:
        """Whether the interval excludes that it stayed."""
        return self.low > 0


def peak(steps: Whole, selectivity: Numbers, seed: int = 0) -> Peak:
    """The highest median of `selectivity` (moments, units) at `steps` (moments,)."""
    medians = np.median(selectivity, axis=1)
    at, units = int(medians.argmax()), selectivity.shape[1]
    drawn = np.random.default_rng(seed).integers(units, size=(_DRAWS, units))
    falls = np.median(selectivity[at][drawn], axis=1) - np.median(selectivity[-1][drawn], axis=1)
    low, high = np.quantile(falls, [0.025, 0.975])
    highest, last = float(medians[at]), float(medians[-1])
    return Peak(int(steps[at]), highest, last, highest - last, float(low), float(high))


@dataclass(frozen=True)
class Emergence:
    """How the units of one network became what they are.

    steps: (checkpoints,) batches seen. concepts: classes, and parts that some digits of a class
    have. present: (concepts,) discovery digits that have each. auc: by layer, (checkpoints, units,
    concepts), on the discovery half; of a part, among the digits of its class. confirmed: by layer,
    (units, concepts), of the last checkpoint, on the confirmation half. chance: by layer,
    (concepts,), what the best unit of 95 % of shuffles stays below at the last checkpoint.
    recorded: (moments,) batches seen at the moments of the training's record. selectivity,
    likeness: by layer, (moments, units): on the digits of the record, and the correlation of the
    class means with those of the last moment.
    """

    steps: Whole
    concepts: tuple[str, ...]
    present: Whole
    recorded: Whole
    auc: dict[str, Numbers]
    confirmed: dict[str, Numbers]
    chance: dict[str, Numbers]
    selectivity: dict[str, Numbers]
    likeness: dict[str, Numbers]

    def detectors(self, layer: str) -> Whole:
        """(checkpoints,): units whose AUC for some class is above 0.9."""
        classes = [at for at, name in enumerate(self.concepts) if name.startswith("class-")]
        count: Whole = (self.auc[layer][:, :, classes].max(2) > DETECTOR).sum(1)
        return count

    def best(self, layer: str, concept: str) -> int:
        """The unit of the highest AUC at the last checkpoint."""
        return int(self.auc[layer][-1, :, self.concepts.index(concept)].argmax())

    def curve(self, layer: str, concept: str, unit: int | None = None) -> Numbers:
        """(checkpoints,): AUC of a unit, of the best at each checkpoint when None."""
        of = self.auc[layer][:, :, self.concepts.index(concept)]
        found: Numbers = of.max(1) if unit is None else of[:, unit]
        return found

    def spread(self, layer: str) -> pd.DataFrame:
        """A row for each moment: 10 % quantile, median and 90 % quantile of selectivity."""
        low, median, high = np.quantile(self.selectivity[layer], [0.1, 0.5, 0.9], axis=1)
        return pd.DataFrame({"step": self.recorded, "low": low, "median": median, "high": high})

    def peak(self, layer: str) -> Peak:
        """When the median selectivity of a layer was highest, and whether it fell after that."""
        return peak(self.recorded, self.selectivity[layer])

    def tuning(self) -> pd.DataFrame:
        """A row for each layer and moment: the median unit's correlation with the end."""
        rows = [
            {"layer": layer, "step": step, "correlation": value}
            for layer, of in self.likeness.items()
            for step, value in zip(self.recorded, np.median(of, axis=1), strict=True)
        ]
        return pd.DataFrame(rows)

    def detectors_by_layer(self) -> pd.DataFrame:
        """A row for each layer and checkpoint: units that are detectors of a class."""
        rows = [
            {"layer": layer, "step": step, "detectors": count}
            for layer in self.auc
            for step, count in zip(self.steps, self.detectors(layer), strict=True)
        ]
        return pd.DataFrame(rows)

    def table(self, layer: str) -> pd.DataFrame:
        """A row for each concept: its best unit, how good that is, and when it got half as good."""
        times = emergence_step(self.steps, self.auc[layer])  # (units, concepts)
        rows = []
        for at, concept in enumerate(self.concepts):
            unit = self.best(layer, concept)
            rows.append(
                {
                    "concept": concept,
                    "digits": int(self.present[at]),
                    "unit": unit,
                    "auc": self.auc[layer][-1, unit, at],
                    "confirmed": self.confirmed[layer][unit, at],
                    "chance": self.chance[layer][at],
                    "untrained": self.auc[layer][0, :, at].max(),
                    "t50": times[unit, at],
                }
            )
        return pd.DataFrame(rows)


@dataclass(frozen=True)
class EmergenceTask(Task[Emergence]):
    """What the units of a trained model were at each checkpoint of its training."""

    run: Run

    @property
    def title(self) -> str:
        """What is done."""
        return f"Reading the checkpoints of {self.run.architecture}, seed {self.run.seed}"

    def compute(self, lab: Lab, report: Report) -> Emergence:
        """What the units were at each checkpoint, on both halves."""
        model, described, report = lab.given(
            report, ModelTask(self.run), DescribedDigitsTask(self.run.data)
        )
        return _emergence(model, described, report, self.title)


def _emergence(
    model: Inspectable, described: DescribedDigits, report: Report, title: str
) -> Emergence:
    """What `EmergenceTask` is about, read now."""
    found, other = described.half("discovery"), described.half("confirmation")
    names = [name for name in found.measured.names if CONCEPTS[name].label is not None]
    present = found.measured.only(names).present()
    weights: dict[int, dict[str, Tensor]] = model.history.weights
    auc: dict[str, list[Numbers]] = {layer: [] for layer in model.layers}
    for at, state in enumerate(weights.values()):
        report(at / (len(weights) + 1), f"{title}: {at + 1} of {len(weights)}")
        values = all_peaks(with_weights(model, state), found.digits.images)
        for layer, of in values.items():
            auc[layer].append(concept_auc(of, found.digits.labels.numpy(), present))
    report(len(weights) / (len(weights) + 1), f"{title}: last checkpoint, shuffled")
    moments = model.history.moments
    return Emergence(
        steps=np.array(list(weights)),
        concepts=tuple(names),
        present=present.sum(0),
        recorded=np.array([moment.step for moment in moments]),
        auc={layer: np.stack(of) for layer, of in auc.items()},
        confirmed=_confirmed(model, other, names),
        chance=_chances(values, found.digits.labels.numpy(), present),
        **_from_record(model.history, model.layers),
    )


def _from_record(history: History, layers: Sequence[str]) -> dict[str, dict[str, Numbers]]:
    """Selectivity and likeness to the end, by layer, of the training's record."""
    means = {
        layer: np.stack([moment.class_means[layer] for moment in history.moments])
        for layer in layers
    }
    return {
        "selectivity": {layer: selectivity_index(of) for layer, of in means.items()},
        "likeness": {layer: tuning_autocorrelation(of) for layer, of in means.items()},
    }


def with_weights(like: Inspectable, weights: Mapping[str, Tensor]) -> Inspectable:
    """A network as `like` with these weights, frozen, in eval mode."""
    model = registry.draw(like.name, settings=like.settings)
    model.load_state_dict(dict(weights))
    return model.eval().requires_grad_(False)


def _confirmed(model: Inspectable, half: Sample, names: Sequence[str]) -> dict[str, Numbers]:
    """AUC on the confirmation half, by layer, (units, concepts)."""
    present, labels = half.measured.only(names).present(), half.digits.labels.numpy()
    values = all_peaks(model, half.digits.images)
    return {layer: concept_auc(of, labels, present) for layer, of in values.items()}


def concept_auc(values: Floats, labels: Whole, present: Flags) -> Numbers:
    """AUC of every unit for concepts that each belong to one class, (units, concepts).

    values: (n, units). present: (n, concepts). Where only some digits of the class have the
    concept, it is judged among the digits of that class; a class itself, among all digits.
    """
    found = Answers.of(values).auc(present)
    for at, concept in enumerate(present.T):
        rows = comparable(labels, concept)
        if rows.any():
            found[:, at] = Answers.of(values[rows]).auc(concept[rows, None])[:, 0]
    return found


def shuffled_auc(values: Floats, labels: Whole, concept: Flags, seed: int = 0) -> Numbers:
    """(units, shuffles): AUC of every unit for a concept of one class that is dealt anew.

    Among the digits of its class, or all of them, as `concept_auc` judges. The largest of each
    shuffle is what the best of many units reaches by chance (max-T, Westfall & Young 1993).
    """
    rows = comparable(labels, concept)
    rows = rows if rows.any() else np.ones(len(labels), bool)
    copies = np.repeat(concept[rows, None], SHUFFLES, axis=1)
    shuffled = np.random.default_rng(seed).permuted(copies, axis=0)
    return Answers.of(values[rows]).auc(shuffled)


def _chances(values: Mapping[str, Floats], labels: Whole, present: Flags) -> dict[str, Numbers]:
    """By layer, (concepts,): what the best unit of 95 % of shuffles stays below."""
    whole = np.concatenate(list(values.values()), axis=1)  # one shuffle serves all layers
    borders = np.cumsum([of.shape[1] for of in values.values()])[:-1]
    best = [
        [part.max(0) for part in np.split(shuffled_auc(whole, labels, one), borders)]
        for one in present.T
    ]
    chances = np.quantile(best, 0.95, axis=2)  # (concepts, layers)
    return dict(zip(values, chances.T, strict=True))
