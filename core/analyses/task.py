"""What is in the digits, and which units answer to it: concepts, dissection, labels."""

from __future__ import annotations

from dataclasses import asdict, astuple, dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.activations import all_peaks
from core.analyses.counterfactuals import Differences, Pairs, differences, drawn_pairs, real_bars
from core.analyses.dissection import Dissection, Sample, dissect_layer
from core.analyses.labelling import Labels, Library, label_units
from core.data import Digits, load_digits, members
from core.data.concepts import CONCEPTS, Measured, measure
from core.data.concepts.by_eye import LABELLED, Agreement, agreement
from core.data.strokes import OPTIONAL
from core.models import registry
from core.models.inspectable import Inspectable
from core.runtime.store import Store, StoredArrays
from core.runtime.task import Choice, Report, part_of, under
from core.training.task import Training

__all__ = [
    "Described",
    "Describing",
    "Dissecting",
    "Judging",
    "Labelling",
    "Named",
    "pairs_of",
    "ready",
]

_TRAINING_SHARE, _CONCEPTS_SHARE = 0.6, 0.85  # of the time until a new model is dissected
_PAIRS, _EXAMPLES = 200, 9  # drawn with and without each part; kept to be looked at
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
            report(done, f"{self.title} (only once)")

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
        model, described = ready(self.choice, store, report)
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
    pairs: by name, how they were made and a few of them.
    """

    labels: dict[str, Labels]
    differences: dict[str, dict[str, Differences]]
    pairs: dict[str, Pairs]


@dataclass(frozen=True)
class Labelling:
    """Labels of all units of a trained model, and the effect of each optional part."""

    choice: Choice

    @property
    def title(self) -> str:
        """What it does."""
        return f"Labelling the units of {self.choice.model}"

    def kept(self, store: Store) -> Named | None:
        """The labels, where the store has them."""
        found = store.load_arrays("labels", asdict(self.choice))
        return None if found is None else self._named(found)

    def compute(self, store: Store, report: Report) -> Named:
        """The labels, for which model and concepts are made if need be."""
        model, described = ready(self.choice, store, report)
        found = store.computed_arrays(
            "labels",
            asdict(self.choice),
            lambda: self._labelled(model, described, part_of(report, _CONCEPTS_SHARE, 1)),
            on_wait=lambda: report(_CONCEPTS_SHARE, "Another server is labelling these units"),
        )
        return self._named(found)

    def _labelled(self, model: Inspectable, described: Described, report: Report) -> StoredArrays:
        """Labels and differences, made now."""
        halves = [described.half(split) for split in ("discovery", "confirmation")]
        libraries = [Library.of(half.measured) for half in halves]
        answers = [all_peaks(model, half.digits.images) for half in halves]
        pairs = _pairs(halves[1])
        arrays: dict[str, NDArray[np.generic]] = {}
        for at, layer in enumerate(model.layers):
            report(at / len(model.layers), f"Labelling the units of {layer}")
            samples = [(of[layer], library) for of, library in zip(answers, libraries, strict=True)]
            found = label_units(samples[0], samples[1], seed=self.choice.seed)
            arrays |= {f"labels/{layer}/{key}": of for key, of in found.to_arrays().items()}
            for name, of_part in pairs.items():
                change = differences(model, of_part, layer).to_arrays()
                arrays |= {f"differences/{layer}/{name}/{key}": of for key, of in change.items()}
        for name, of_part in pairs.items():
            chosen = np.linspace(0, len(of_part) - 1, min(_EXAMPLES, len(of_part))).astype(int)
            arrays[f"present/{name}"] = of_part.present.numpy()[chosen]
            arrays[f"absent/{name}"] = of_part.absent.numpy()[chosen]
        made = {name: [of_part.part, of_part.made] for name, of_part in pairs.items()}
        return StoredArrays(arrays, {"made": made})

    def _named(self, found: StoredArrays) -> Named:
        """What the store kept."""
        pairs = {
            name: Pairs(part, made, *_images(name, found))
            for name, (part, made) in found.about["made"].items()
        }
        layers = [key.split("/")[1] for key in found.arrays if key.endswith("/label")]
        labels = {
            layer: Labels.from_arrays(under(f"labels/{layer}/", found.arrays)) for layer in layers
        }
        changes = {
            layer: {
                name: Differences.from_arrays(under(f"differences/{layer}/{name}/", found.arrays))
                for name in pairs
            }
            for layer in layers
        }
        return Named(labels, changes, pairs)


def _images(name: str, found: StoredArrays) -> tuple[Tensor, Tensor]:
    """The kept examples of a kind of pairs, with the part and without it."""
    present, absent = (np.array(found.arrays[f"{kind}/{name}"]) for kind in ("present", "absent"))
    return torch.from_numpy(present), torch.from_numpy(absent)


@dataclass(frozen=True)
class Judging:
    """How well the rules that find parts agree with labels by eye of MNIST's training digits."""

    title: str = "Comparing rules with labels made by a person"

    def kept(self, store: Store) -> dict[str, Agreement] | None:
        """The counts, where the store has them."""
        found = store.load_arrays("agreement", {"role": "judge"})
        return None if found is None else _agreements(found)

    def compute(self, store: Store, report: Report) -> dict[str, Agreement]:
        """The counts on the labels that the rules were not fitted to.

        Raises `mnist.Unavailable` without MNIST.
        """

        def judged() -> StoredArrays:
            report(0.0, "Loading MNIST")
            images = load_digits("mnist", "train").images.numpy()
            counts = {}
            for at, name in enumerate(LABELLED):
                report(at / len(LABELLED), f"{self.title}: {CONCEPTS[name].text}")
                counts[name] = np.array(astuple(agreement(name, images)))
            return StoredArrays(counts)

        return _agreements(store.computed_arrays("agreement", {"role": "judge"}, judged))


def _agreements(found: StoredArrays) -> dict[str, Agreement]:
    """What the store kept."""
    return {name: Agreement(*map(int, counts)) for name, counts in found.arrays.items()}


def ready(choice: Choice, store: Store, report: Report) -> tuple[Inspectable, Described]:
    """The model and the concepts, each made if need be."""
    training, describing = Training(choice), Describing(choice.data)
    model = training.kept(store) or training.compute(store, part_of(report, 0, _TRAINING_SHARE))
    second = part_of(report, _TRAINING_SHARE, _CONCEPTS_SHARE)
    return model, describing.kept(store) or describing.compute(store, second)


def pairs_of(half: Sample, part: str) -> dict[str, Pairs]:
    """Digits with and without an optional part, by name: drawn ones, and real sevens with a bar."""
    pairs = {part: drawn_pairs(part, _PAIRS)}
    if part == "crossbar" and "crossed-7" in half.measured.names and half.digits.source == "mnist":
        crossed = half.measured.only(["crossed-7"]).present()[:, 0]
        pairs[REAL_BARS] = real_bars(half.digits, crossed)
    return pairs


def _pairs(half: Sample) -> dict[str, Pairs]:
    """Those of every optional part."""
    found: dict[str, Pairs] = {}
    for part in OPTIONAL:
        found |= pairs_of(half, part)
    return found
