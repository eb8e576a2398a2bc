"""What is in the digits, and which units answer to it: concepts, dissection, labels."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from core.activations import collect_layers, layer_of
from core.counterfactuals import Differences, Pairs, differences, drawn_pairs, real_bars
from core.digits import Digits, load_digits, members
from core.digits.concepts import Measured, measure
from core.digits.strokes import OPTIONAL
from core.dissection import Dissection, Sample, dissect_layer
from core.labelling import Labels, Library, label_units
from core.models import registry
from core.models.inspectable import Inspectable
from core.store import Store, StoredArrays
from core.tasks.base import Choice, Report, part_of, under
from core.tasks.training import Training

__all__ = ["Described", "Describing", "Dissecting", "Labelling", "Named"]

_TRAINING_SHARE, _CONCEPTS_SHARE = 0.6, 0.85  # of the time until a new model is dissected
_PAIRS = 200  # drawn, with and without each part
REAL_BARS = "crossbar, real digits"


@dataclass(frozen=True)
class Described:
    """The test digits, and which concepts they have."""

    digits: Digits
    measured: Measured

    def half(self, split: str) -> Sample:
        """The digits of "discovery" or "confirmation"."""
        index = members(split, self.digits.labels)
        return Sample(self.digits.take(index), self.measured.take(index.numpy()))


@dataclass(frozen=True)
class Describing:
    """The concepts in the test digits of a source."""

    data: str

    @property
    def title(self) -> str:
        """What it does."""
        return "Measuring concepts in 10,000 digits"

    def kept(self, store: Store) -> Described | None:
        """The concepts, where the store has them."""
        found = store.load_arrays("concepts", {"data": self.data})
        return None if found is None else self._described(load_digits(self.data, "test"), found)

    def compute(self, store: Store, report: Report) -> Described:
        """The concepts, measured once for all models."""
        digits = load_digits(self.data, "test")
        found = store.computed_arrays(
            "concepts",
            {"data": self.data},
            lambda: self._measured(digits, report),
            on_wait=lambda: report(0.0, "Another server is measuring these digits"),
        )
        return self._described(digits, found)

    def _measured(self, digits: Digits, report: Report) -> StoredArrays:
        """The concepts, measured now."""

        def told(done: float) -> None:
            report(done, f"{self.title}, once")

        images, labels = digits.images.numpy(), digits.labels.numpy()
        found = measure(images, labels, parts=digits.parts, on_progress=told)
        names = np.array(found.names)
        return StoredArrays({"names": names, "scores": found.scores, "packed": found.packed})

    def _described(self, digits: Digits, found: StoredArrays) -> Described:
        """What the store kept, with its digits."""
        arrays = found.arrays
        names = tuple(map(str, arrays["names"]))
        return Described(digits, Measured(names, arrays["scores"], arrays["packed"]))


@dataclass(frozen=True)
class Dissecting:
    """A layer of a trained model against all concepts. level: share of its activations."""

    choice: Choice
    layer: str
    level: float

    @property
    def title(self) -> str:
        """What it does."""
        return f"Dissecting {self.choice.model}/{self.layer}"

    def kept(self, store: Store) -> Dissection | None:
        """The dissection, where the store has it."""
        found = store.load_arrays("dissection", self._key())
        return None if found is None else Dissection.from_arrays(found.arrays)

    def compute(self, store: Store, report: Report) -> Dissection:
        """The dissection, for which model and concepts are made if need be."""
        model, described = _ready(self.choice, store, report)
        found = store.computed_arrays(
            "dissection",
            self._key(),
            lambda: self._dissected(model, described, part_of(report, _CONCEPTS_SHARE, 1)),
            on_wait=lambda: report(_CONCEPTS_SHARE, "Another server is dissecting this layer"),
        )
        return Dissection.from_arrays(found.arrays)

    def _dissected(self, model: Inspectable, described: Described, report: Report) -> StoredArrays:
        """The dissection, made now."""
        untrained = registry.build(self.choice.model, self.choice.seed)
        halves = described.half("discovery"), described.half("confirmation")
        found = dissect_layer(
            model, untrained, *halves, self.layer, level=self.level, on_progress=report
        )
        return StoredArrays(found.to_arrays())

    def _key(self) -> dict[str, str | int | float | bool | None]:
        """All that the dissection depends on."""
        return {**asdict(self.choice), "layer": self.layer, "level": self.level}


@dataclass(frozen=True)
class Named:
    """The labels of every unit, and what adding a part to a digit does to it.

    labels: by layer. differences: by layer, then by the name of the pairs, such as "hook".
    made: how each kind of pairs was made, by name.
    """

    labels: dict[str, Labels]
    differences: dict[str, dict[str, Differences]]
    made: dict[str, str]


@dataclass(frozen=True)
class Labelling:
    """Labels of all units of a trained model, and the effect of each optional part."""

    choice: Choice

    @property
    def title(self) -> str:
        """What it does."""
        return f"Naming the units of {self.choice.model}"

    def kept(self, store: Store) -> Named | None:
        """The labels, where the store has them."""
        found = store.load_arrays("labels", asdict(self.choice))
        return None if found is None else self._named(found)

    def compute(self, store: Store, report: Report) -> Named:
        """The labels, for which model and concepts are made if need be."""
        model, described = _ready(self.choice, store, report)
        found = store.computed_arrays(
            "labels",
            asdict(self.choice),
            lambda: self._labelled(model, described, part_of(report, _CONCEPTS_SHARE, 1)),
            on_wait=lambda: report(_CONCEPTS_SHARE, "Another server is naming these units"),
        )
        return self._named(found)

    def _labelled(self, model: Inspectable, described: Described, report: Report) -> StoredArrays:
        """Labels and differences, made now."""
        halves = [described.half(split) for split in ("discovery", "confirmation")]
        libraries = [Library.of(half.measured) for half in halves]
        answers = [_peaks(model, half.digits.images) for half in halves]
        pairs = _pairs(halves[1])
        arrays: dict[str, NDArray[np.generic]] = {}
        for at, layer in enumerate(model.layers):
            report(at / len(model.layers), f"Naming the units of {layer}")
            samples = [(of[layer], library) for of, library in zip(answers, libraries, strict=True)]
            found = label_units(samples[0], samples[1], seed=self.choice.seed)
            arrays |= {f"labels/{layer}/{key}": of for key, of in found.to_arrays().items()}
            for name, of_part in pairs.items():
                change = differences(model, of_part, layer).to_arrays()
                arrays |= {f"differences/{layer}/{name}/{key}": of for key, of in change.items()}
        return StoredArrays(arrays, {"made": {name: of.made for name, of in pairs.items()}})

    def _named(self, found: StoredArrays) -> Named:
        """What the store kept."""
        made = dict(found.about["made"])
        layers = list(dict.fromkeys(key.split("/")[1] for key in found.arrays))
        labels = {
            layer: Labels.from_arrays(under(f"labels/{layer}/", found.arrays)) for layer in layers
        }
        changes = {
            layer: {
                name: Differences.from_arrays(under(f"differences/{layer}/{name}/", found.arrays))
                for name in made
            }
            for layer in layers
        }
        return Named(labels, changes, made)


def _ready(choice: Choice, store: Store, report: Report) -> tuple[Inspectable, Described]:
    """The model and the concepts, each made if need be."""
    training, describing = Training(choice), Describing(choice.data)
    model = training.kept(store) or training.compute(store, part_of(report, 0, _TRAINING_SHARE))
    second = part_of(report, _TRAINING_SHARE, _CONCEPTS_SHARE)
    return model, describing.kept(store) or describing.compute(store, second)


def _peaks(model: Inspectable, images: Tensor) -> dict[str, NDArray[np.float32]]:
    """(n, units) for each layer: one number an image, of a map its maximum, after the ReLU."""
    found = collect_layers(model, images, reduce=lambda a: a.amax((2, 3)) if a.ndim == 4 else a)
    rectified = {layer: layer_of(model, layer).rectified for layer in found}
    return {layer: (a.relu() if rectified[layer] else a).numpy() for layer, a in found.items()}


def _pairs(half: Sample) -> dict[str, Pairs]:
    """Digits with and without each optional part, by name: drawn ones, and real sevens."""
    pairs = {part: drawn_pairs(part, _PAIRS) for part in OPTIONAL}
    if "crossed-7" in half.measured.names and half.digits.source == "mnist":
        crossed = half.measured.only(["crossed-7"]).present()[:, 0]
        pairs[REAL_BARS] = real_bars(half.digits, crossed)
    return pairs
