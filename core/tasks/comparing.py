"""How units emerge in training, and what they are under other seeds, dropout and transfer.

Short trainings, fewer digits and epochs than the dashboard's own, serve the comparisons of dropout
and transfer; each is stored as soon as it is done, so that a comparison that is cancelled goes on
where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import cache
from typing import Any, Generic, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from torch import Tensor

from core.ablation.detection import comparable
from core.ablation.removal import Removal
from core.ablation.search import random_orders
from core.activations import all_peaks, peaks
from core.digits import Digits, cut, load_digits
from core.digits.concepts import CONCEPTS
from core.dissection import Sample
from core.dynamics import (
    area_under_curve,
    emergence_step,
    label_survival,
    match,
    match_null,
    mean_absolute_correlation,
    participation_ratio,
    tuning_autocorrelation,
    tuning_drift,
)
from core.models import registry
from core.models.inspectable import Inspectable
from core.ranking import Answers
from core.statistics import auc_by_class, class_moments, selectivity_index
from core.store import Store, StoredArrays, StoredWeights
from core.tasks.base import Choice, Report, Task, part_of, under
from core.tasks.concepts import Described, Describing, ready
from core.tasks.training import Training
from core.training import History, Start, Step, accuracy, train

__all__ = [
    "DROPOUTS",
    "KINDS",
    "MEASURES",
    "Correspondence",
    "Corresponding",
    "Dropped",
    "Dropping",
    "Emergence",
    "Emerging",
    "InTurn",
    "Peak",
    "Short",
    "Transfer",
    "Transferring",
    "concept_auc",
    "hidden_dense",
    "peak",
    "seeds_of",
    "shuffled_auc",
    "silenced",
    "tuning",
]

Result = TypeVar("Result")
Numbers = NDArray[np.float64]
Floats = NDArray[np.float32]
Whole = NDArray[np.int64]
Flags = NDArray[np.bool_]
Key = dict[str, str | int | float | bool | None]

SEEDS = 3
DETECTOR = 0.9  # AUC for a class, above which a unit is called its detector
SHUFFLES = 500  # of a concept, to see how good the best of many units is by chance
MATCHED = 2000  # digits on which units of different networks are matched
PART = "crossed-7"  # what the networks with dropout are searched for
DROPOUTS = (0.0, 0.25, 0.5)
EPOCHS, DIGITS = 3, 25_000  # of the trainings with dropout
SHARES = tuple(round(0.1 * tenth, 1) for tenth in range(10))  # of a layer, silenced at random
ORDERS, SILENCED = 10, 2000  # in which units are silenced; digits on which that is judged
MEASURES = ("selectivity", "correlation", "participation", "active", "auc", "ablation")
A, B, ALL = "01234", "56789", "0123456789"
TRANSFER_EPOCHS, TRANSFER_DIGITS = 2, 10_000  # of all classes; each network sees half of them
_FRESH = 1000  # added to the seed: new layers must not begin as those that they replace
_READY, _DRAWS = 0.8, 1000

KINDS: Mapping[str, tuple[str, bool]] = {
    "AnB": (A, True),
    "AnB+": (A, False),
    "BnB": (B, True),
    "BnB+": (B, False),
    "random": ("", True),
}  # Yosinski et al. 2014, arXiv:1411.1792: whose first layers, and whether they are frozen


def seeds_of(choice: Choice) -> tuple[Choice, ...]:
    """The choice with its seed and the next two."""
    return tuple(replace(choice, seed=choice.seed + more) for more in range(SEEDS))


def hidden_dense(model: str) -> tuple[str, ...]:
    """The hidden dense layers of a model, which are those that dropout can silence."""
    described = registry.check(model).architecture.described
    return tuple(layer.name for layer in described if layer.rectified and layer.map is None)


@dataclass(frozen=True)
class InTurn(Generic[Result]):
    """Several tasks, one after the other; what is done stays done when it is cancelled."""

    tasks: tuple[Task[Result], ...]
    title: str

    def kept(self, store: Store) -> tuple[Result, ...] | None:
        """The results, where the store has all of them."""
        found = []
        for task in self.tasks:
            result = task.kept(store)
            if result is None:
                return None
            found.append(result)
        return tuple(found)

    def compute(self, store: Store, report: Report) -> tuple[Result, ...]:
        """The results, of which those that are missing are computed."""
        tolds = _in_parts(report, len(self.tasks))
        return tuple(
            task.kept(store) or task.compute(store, told)
            for task, told in zip(self.tasks, tolds, strict=True)
        )


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

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Every number as an array by name, for the store."""
        whole = {name: np.asarray(getattr(self, name)) for name in _WHOLE}
        parts = {
            f"{name}/{layer}": of for name in _BY_LAYER for layer, of in getattr(self, name).items()
        }
        return {**whole, **parts}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Emergence:
        """What `to_arrays` gave, back."""
        values: dict[str, Any] = {name: arrays[name] for name in _WHOLE}
        values["concepts"] = tuple(map(str, arrays["concepts"]))
        values |= {name: under(f"{name}/", arrays) for name in _BY_LAYER}
        return cls(**values)


_WHOLE = ("steps", "concepts", "present", "recorded")
_BY_LAYER = ("auc", "confirmed", "chance", "selectivity", "likeness")


@dataclass(frozen=True)
class Emerging:
    """What the units of a trained model were at each checkpoint of its training."""

    choice: Choice

    @property
    def title(self) -> str:
        """What it does."""
        return f"Reading the checkpoints of {self.choice.model}, seed {self.choice.seed}"

    def kept(self, store: Store) -> Emergence | None:
        """The emergence, where the store has it."""
        found = store.load_arrays("emergence", asdict(self.choice))
        return None if found is None else Emergence.from_arrays(found.arrays)

    def compute(self, store: Store, report: Report) -> Emergence:
        """The emergence, for which model and concepts are made if need be."""
        model, described = ready(self.choice, store, part_of(report, 0, _READY))
        told = part_of(report, _READY, 1)
        found = store.computed_arrays(
            "emergence",
            asdict(self.choice),
            lambda: StoredArrays(_emergence(model, described, told, self.title).to_arrays()),
            on_wait=lambda: report(_READY, "Another server is reading these checkpoints"),
        )
        return Emergence.from_arrays(found.arrays)


def _emergence(model: Inspectable, described: Described, report: Report, title: str) -> Emergence:
    """What `Emerging` is about, read now."""
    found, other = described.half("discovery"), described.half("confirmation")
    names = [name for name in found.measured.names if CONCEPTS[name].label is not None]
    present = found.measured.only(names).present()
    weights: dict[int, dict[str, Tensor]] = model.history.weights
    auc: dict[str, list[Numbers]] = {layer: [] for layer in model.layers}
    for at, state in enumerate(weights.values()):
        report(at / (len(weights) + 1), f"{title}: {at + 1} of {len(weights)}")
        values = all_peaks(_with_weights(model.name, state), found.digits.images)
        for layer, of in values.items():
            auc[layer].append(concept_auc(of, found.digits.labels.numpy(), present))
    report(len(weights) / (len(weights) + 1), f"{title}: the last one again, and shuffles")
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


def _with_weights(name: str, weights: Mapping[str, Tensor]) -> Inspectable:
    """The architecture `name` with these weights, frozen, in eval mode."""
    model = registry.build(name)
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


@dataclass(frozen=True)
class Corresponding:
    """The units of a layer matched between three networks that differ in seed alone."""

    choice: Choice
    layer: str

    @property
    def title(self) -> str:
        """What it does."""
        return f"Matching the units of {self.layer} between {SEEDS} seeds"

    def kept(self, store: Store) -> Correspondence | None:
        """The matching, where the store has it."""
        found = store.load_arrays("correspondence", self._key())
        return None if found is None else _correspondence(found)

    def compute(self, store: Store, report: Report) -> Correspondence:
        """The matching, for which the networks are trained if need be."""
        tasks = tuple(Training(each) for each in seeds_of(self.choice))
        models = InTurn(tasks, self.title).compute(store, part_of(report, 0, _READY))
        told = part_of(report, _READY, 1)
        found = store.computed_arrays(
            "correspondence", self._key(), lambda: self._matched(models, told)
        )
        return _correspondence(found)

    def _matched(self, models: Sequence[Inspectable], report: Report) -> StoredArrays:
        """The matching, made now, with its two controls."""
        digits = cut(load_digits(self.choice.data, "test"), "discovery").take(slice(MATCHED))
        fresh = [registry.build(self.choice.model, each.seed) for each in seeds_of(self.choice)]
        report(0.2, self.title)
        learned, untrained = (
            [peaks(model, digits.images, self.layer) for model in of] for of in (models, fresh)
        )
        report(0.5, f"{self.title}: shuffled digits")
        null = np.zeros((SEEDS, SEEDS))
        for i, j in _pairs(SEEDS):
            null[i, j] = null[j, i] = match_null(learned[i], learned[j])
        partner, correlation = _matchings(learned)
        return StoredArrays(
            {
                "seeds": np.array([each.seed for each in seeds_of(self.choice)]),
                "partner": partner,
                "correlation": correlation,
                "untrained": _matchings(untrained)[1],
                "null": null,
                "digits": np.array(len(digits)),
            }
        )

    def _key(self) -> Key:
        """All that the matching depends on."""
        return {**asdict(self.choice), "layer": self.layer}


def _correspondence(found: StoredArrays) -> Correspondence:
    """What the store kept."""
    values: dict[str, Any] = dict(found.arrays)
    return Correspondence(**{**values, "digits": int(values["digits"])})


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


@dataclass(frozen=True)
class Short:
    """A network trained briefly on some digits, to be compared with others trained alike.

    labels: the classes that it learns, a digit each. digits: how many, before other classes are
    left out. dropout: see `Start`. first: how many layers it has from elsewhere: from the network
    that learned the classes `source`, or just as they were drawn when that is "". frozen: whether
    those stay as they are. What isn't from elsewhere is drawn from another seed than the source's.
    """

    choice: Choice
    epochs: int
    digits: int
    labels: str = ALL
    dropout: float = 0.0
    first: int = 0
    source: str = ""
    frozen: bool = False

    @property
    def title(self) -> str:
        """What it is."""
        seed = f"seed {self.choice.seed}"
        if not self.first:
            classes = "" if self.labels == ALL else f"digits {_classes(self.labels)}, "
            return f"{classes}dropout {self.dropout:g}, {seed}".capitalize()
        whose = f"from digits {_classes(self.source)}" if self.source else "untrained"
        held = "frozen" if self.frozen else "fine-tuned"
        return f"First {self.first} {whose}, {held}, {seed}"

    def kept(self, store: Store) -> Inspectable | None:
        """The network, where the store has it."""
        found = store.load_weights("short", self.key())
        return None if found is None else self._model(found)

    def trained(self, store: Store, fit: Callable[[], Digits], report: Report) -> Inspectable:
        """The network, trained on digits of `fit` unless the store has it."""
        found = store.computed_weights(
            "short",
            self.key(),
            lambda: StoredWeights(self._trained(store, fit, report)),
            on_wait=lambda: report(0.0, "Another server is training this network"),
        )
        return self._model(found)

    def key(self) -> Key:
        """All that the network depends on."""
        own = {each.name: getattr(self, each.name) for each in fields(self)[1:]}  # choice is first
        return {**asdict(self.choice), **own}

    def base(self) -> Short:
        """The network from which its first layers are."""
        return replace(self, labels=self.source, first=0, source="", frozen=False)

    def held(self) -> tuple[str, ...]:
        """Its layers from elsewhere."""
        described = registry.check(self.choice.model).architecture.described
        return tuple(layer.name for layer in described[: self.first])

    def _trained(
        self, store: Store, fit: Callable[[], Digits], report: Report
    ) -> dict[str, Tensor]:
        """Its weights, learned now."""
        weights: dict[str, Tensor] = {}
        if self.source:
            source = self.base().trained(store, fit, report).state_dict()
            weights = {
                name: value for name, value in source.items() if name.split(".")[0] in self.held()
            }
        report(0.0, self.title)
        some = of_classes(fit().take(slice(self.digits)), self.labels)

        def told(step: Step) -> None:
            text = f"{self.title}: batch {step.number:,} of {step.total:,}"
            report(step.number / step.total, text)

        return train(
            self.choice.model,
            some,
            seed=self.choice.seed + (_FRESH if self.first else 0),
            epochs=self.epochs,
            watch=some.take(slice(1)),  # its record is not read
            on_step=told,
            start=Start(weights, self.held() if self.frozen else (), self.dropout),
        ).state_dict()

    def _model(self, found: StoredWeights) -> Inspectable:
        """The network with the weights that the store kept."""
        return _with_weights(self.choice.model, found.weights)


def of_classes(digits: Digits, labels: str) -> Digits:
    """The digits whose class is one of `labels`."""
    wanted = np.isin(digits.labels.numpy(), [int(label) for label in labels])
    return digits.take(_index(wanted))


def _index(rows: Flags) -> Tensor:
    """Where `rows` (n,) is true."""
    return Tensor(np.flatnonzero(rows)).long()


def _classes(labels: str) -> str:
    """Classes in words."""
    return f"{labels[0]} to {labels[-1]}"


@dataclass(frozen=True)
class Dropped:
    """Networks trained with and without dropout, and untrained ones.

    table: a row for each network and hidden dense layer: seed, dropout (nan for an untrained one),
    layer, accuracy, and `MEASURES`. curves: accuracy by share of the layer's units silenced.
    """

    table: pd.DataFrame
    curves: pd.DataFrame


@dataclass(frozen=True)
class Dropping:
    """Three seeds trained with each of several dropouts, and what their hidden layers are like."""

    choice: Choice

    @property
    def title(self) -> str:
        """What it does."""
        return f"Training {registry.MODELS[self.choice.model].title} with and without dropout"

    @property
    def networks(self) -> tuple[tuple[Short, bool], ...]:
        """Each network, and whether it is trained: the untrained ones come first."""
        plain = [Short(each, EPOCHS, DIGITS) for each in seeds_of(self.choice)]
        every = [replace(one, dropout=share) for share in DROPOUTS for one in plain]
        return (*((one, False) for one in plain), *((one, True) for one in every))

    def kept(self, store: Store) -> Dropped | None:
        """The comparison, where the store has all of it."""
        found = []
        for short, trained in self.networks:
            one = store.load_arrays("sharing", {**short.key(), "trained": trained})
            if one is None:
                return None
            found.append(one)
        return self._dropped(found)

    def compute(self, store: Store, report: Report) -> Dropped:
        """The comparison, of which what is missing is trained and measured."""
        describing = Describing(self.choice.data)
        described = describing.kept(store) or describing.compute(store, part_of(report, 0, 0.1))
        halves = described.half("discovery"), described.half("confirmation")
        fit = cache(lambda: load_digits(self.choice.data, "fit"))  # once for all networks
        tolds = _in_parts(part_of(report, 0.1, 1), len(self.networks))
        found = [
            _shared(store, network, fit, halves, told)
            for network, told in zip(self.networks, tolds, strict=True)
        ]
        return self._dropped(found)

    def _dropped(self, found: Sequence[StoredArrays]) -> Dropped:
        """The rows of all networks."""
        rows, curves = [], []
        layers = hidden_dense(self.choice.model)
        for (short, trained), of in zip(self.networks, found, strict=True):
            which = {"seed": short.choice.seed, "dropout": short.dropout if trained else np.nan}
            for at, layer in enumerate(layers):
                numbers = dict(zip(MEASURES, of.arrays["measures"][at].tolist(), strict=True))
                right = float(of.arrays["accuracy"])
                rows.append({**which, "layer": layer, "accuracy": right, **numbers})
                curve = {"silenced": SHARES, "accuracy": of.arrays["curves"][at]}
                curves.append(pd.DataFrame(curve).assign(**which, layer=layer))
        return Dropped(pd.DataFrame(rows), pd.concat(curves, ignore_index=True))


def _shared(
    store: Store,
    network: tuple[Short, bool],
    fit: Callable[[], Digits],
    halves: tuple[Sample, Sample],
    report: Report,
) -> StoredArrays:
    """How a network's hidden dense layers share the work, from the store or measured now."""
    short, trained = network

    def measured() -> StoredArrays:
        choice = short.choice
        model = short.trained(store, fit, part_of(report, 0, 0.9)) if trained else None
        model = model or registry.build(choice.model, choice.seed).eval()
        report(0.9, f"{short.title}: measuring")
        each = [_sharing(model, layer, halves, choice.seed) for layer in hidden_dense(choice.model)]
        return StoredArrays(
            {
                "accuracy": np.array(accuracy(model, halves[1].digits)),
                "measures": np.array([[of[name] for name in MEASURES] for of, _ in each]),
                "curves": np.stack([curve for _, curve in each]),
            }
        )

    return store.computed_arrays("sharing", {**short.key(), "trained": trained}, measured)


def _sharing(
    model: Inspectable, layer: str, halves: tuple[Sample, Sample], seed: int
) -> tuple[dict[str, float], Numbers]:
    """The measures of a layer on the confirmation half, and its curve of silenced units.

    What has to be chosen, preferred classes and the best unit, is chosen on the discovery half.
    """
    found, values = (peaks(model, half.digits.images, layer) for half in halves)
    labels = [half.digits.labels.numpy() for half in halves]
    preferred = class_moments(found, labels[0], 10)[0].argmax(1)
    parts = [half.measured.only([PART]).present() for half in halves]
    best = int(concept_auc(found, labels[0], parts[0]).argmax())
    curve = silenced(model, halves[1].digits.take(slice(SILENCED)), layer, seed)
    means = class_moments(values, labels[1], 10)[0].clip(0)  # a dead unit's, rounded, can be below
    return {
        "selectivity": float(np.median(selectivity_index(means, preferred))),
        "correlation": mean_absolute_correlation(values),
        "participation": participation_ratio(values),
        "active": float((values > 0).mean()),
        "auc": float(concept_auc(values, labels[1], parts[1])[best, 0]),
        "ablation": area_under_curve(SHARES, curve),
    }, curve


def silenced(model: Inspectable, digits: Digits, layer: str, seed: int = 0) -> Numbers:
    """(shares,): accuracy with each of `SHARES` of the layer's units set to 0, at random.

    The mean of ten orders; the units that are left are not scaled up.
    """
    removal = Removal(model, digits, layer)
    orders = random_orders(removal.units, ORDERS, seed)
    counts = [round(share * removal.units) for share in SHARES]
    right = [[removal.without(order[:k]).right.mean() for k in counts] for order in orders]
    mean: Numbers = np.mean(right, axis=0, dtype=np.float64)
    return mean


@dataclass(frozen=True)
class Transfer:
    """Networks for digits 5 to 9 whose first layers are from elsewhere.

    accuracy: a row for each network: seed, kind (of `KINDS`, or "base" for all layers learned anew
    on 5 to 9), first (layers from elsewhere) and accuracy on 5 to 9. units: a row for each unit of
    those layers in "AnB+", and in two controls with first 0, "base" and "untrained": seed, kind,
    first, layer, unit, drift (of its class means on 0 to 4 from those that it had in A), before and
    after (its label among 0 to 4, "" for none).
    """

    accuracy: pd.DataFrame
    units: pd.DataFrame

    def tuning(self) -> pd.DataFrame:
        """A row for each network and layer: median drift, survival of labels, and by chance."""
        by = ["kind", "first", "seed", "layer"]
        rows = [
            dict(zip(by, which, strict=True)) | _survival(of)
            for which, of in self.units.groupby(by, sort=False)
        ]
        return pd.DataFrame(rows)


def _survival(units: pd.DataFrame) -> dict[str, float]:
    """Median and outer tenths of the drift, the share of labels that survive, and by chance."""
    low, middle, high = units["drift"].quantile([0.1, 0.5, 0.9])
    before, after = units["before"], units["after"]
    had = before != ""
    shares = [of[had].value_counts(normalize=True) for of in (before, after)]
    return {
        "drift": float(middle),
        "low": float(low),
        "high": float(high),
        "survival": label_survival(before.tolist(), after.tolist()),
        "chance": float(shares[0].mul(shares[1], fill_value=0).sum()),
        "units": len(units),
    }


@dataclass(frozen=True)
class Transferring:
    """Transfer of first layers from digits 0 to 4 to 5 to 9, with controls, for three seeds."""

    choice: Choice

    @property
    def title(self) -> str:
        """What it does."""
        return f"Transferring layers of {registry.MODELS[self.choice.model].title}"

    def networks(self, choice: Choice) -> dict[tuple[str, int], Short]:
        """The networks of one seed by kind and number of layers from elsewhere."""
        base = Short(choice, TRANSFER_EPOCHS, TRANSFER_DIGITS, B)
        hidden = len(registry.check(choice.model).architecture.described) - 1
        moved = {
            (kind, n): replace(base, first=n, source=source, frozen=frozen)
            for kind, (source, frozen) in KINDS.items()
            for n in range(1, hidden + 1)
        }
        return {("A", 0): replace(base, labels=A), ("base", 0): base, **moved}

    def kept(self, store: Store) -> Transfer | None:
        """The comparison, where the store has it."""
        found = store.load_arrays("transfer", asdict(self.choice))
        return None if found is None else _transfer(found)

    def compute(self, store: Store, report: Report) -> Transfer:
        """The comparison, for which the networks that are missing are trained."""
        found = store.computed_arrays(
            "transfer",
            asdict(self.choice),
            lambda: self._compared(store, report),
            on_wait=lambda: report(0.0, "Another server is making this comparison"),
        )
        return _transfer(found)

    def _compared(self, store: Store, report: Report) -> StoredArrays:
        """The comparison, made now."""
        fit = cache(lambda: load_digits(self.choice.data, "fit"))  # once for all networks
        test = load_digits(self.choice.data, "test")
        seen = of_classes(cut(test, "discovery"), A)
        judged = of_classes(cut(test, "confirmation"), B)
        scores, units = [], []
        tolds = iter(_in_parts(report, SEEDS * len(self.networks(self.choice))))
        for choice in seeds_of(self.choice):
            shorts = self.networks(choice)
            models = {
                which: short.trained(store, fit, next(tolds)) for which, short in shorts.items()
            }
            scores += [
                {"seed": choice.seed, "kind": kind, "first": n, "accuracy": accuracy(of, judged)}
                for (kind, n), of in models.items()
                if kind != "A"
            ]
            units.append(_moved(models, shorts, seen))
        return StoredArrays(
            {
                **_columns("accuracy", pd.DataFrame(scores)),
                **_columns("units", pd.concat(units, ignore_index=True)),
            }
        )


def _moved(
    models: Mapping[tuple[str, int], Inspectable],
    shorts: Mapping[tuple[str, int], Short],
    digits: Digits,
) -> pd.DataFrame:
    """What became of each unit of A, in the fine-tuned networks and in two controls."""
    before, choice = models["A", 0], shorts["A", 0].choice
    hidden = before.layers[:-1]
    after = {("untrained", 0): registry.build(choice.model, choice.seed)}
    after |= {which: of for which, of in models.items() if which[0] in ("base", "AnB+")}
    frames = []
    for (kind, first), other in after.items():
        for layer in hidden[: first or None]:
            found = tuning(before, other, digits, layer)
            frames.append(found.assign(seed=choice.seed, kind=kind, first=first, layer=layer))
    return pd.concat(frames, ignore_index=True)


def tuning(
    before: Inspectable, after: Inspectable, digits: Digits, layer: str, classes: str = A
) -> pd.DataFrame:
    """What became of each unit of a layer: columns unit, drift, before and after.

    drift: of its class means on `digits`, which are all of `classes`; see
    `core.dynamics.tuning_drift`. before, after: its label, the class of the highest AUC, "" for a
    unit that says the same of all digits.
    """
    labels = np.searchsorted([int(label) for label in classes], digits.labels.numpy())
    both = [peaks(model, digits.images, layer) for model in (before, after)]
    means = [class_moments(values, labels, len(classes))[0] for values in both]
    names = []
    for values in both:
        best = auc_by_class(values, labels, len(classes)).argmax(1)
        constant = values.min(0) == values.max(0)
        names.append(np.where(constant, "", np.array(list(classes))[best]))
    columns = {"unit": np.arange(len(means[0])), "drift": tuning_drift(*means)}
    return pd.DataFrame({**columns, "before": names[0], "after": names[1]})


def _columns(name: str, frame: pd.DataFrame) -> dict[str, NDArray[Any]]:
    """The columns of a table as arrays, for the store."""
    return {f"{name}/{column}": np.array(of.tolist()) for column, of in frame.items()}


def _transfer(found: StoredArrays) -> Transfer:
    """What the store kept."""
    return Transfer(*(pd.DataFrame(under(f"{of}/", found.arrays)) for of in ("accuracy", "units")))


def _in_parts(report: Report, parts: int) -> list[Report]:
    """A report for each of several equal parts of the work, which says which one it is."""

    def counted(at: int) -> Report:
        part = part_of(report, at / parts, (at + 1) / parts)

        def told(fraction: float, text: str | None = None, **values: float) -> None:
            # curves of several trainings would run into one another, so they are left out
            part(fraction, None if text is None else f"{text} · {at + 1} of {parts}")

        return told

    return [counted(at) for at in range(parts)]
