"""Networks trained with dropout and without it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.activations import peaks
from core.analyses.comparing.base import hidden_dense, in_parts, seeds_of
from core.analyses.comparing.dynamics import (
    area_under_curve,
    mean_absolute_correlation,
    participation_ratio,
)
from core.analyses.comparing.emergence import concept_auc
from core.analyses.comparing.short import Short
from core.analyses.dissection import Sample
from core.analyses.task import Describing
from core.data import Digits, load_digits
from core.interventions.removal import Removal
from core.interventions.search import random_orders
from core.models import registry
from core.models.inspectable import Inspectable
from core.runtime.store import Store, StoredArrays
from core.runtime.task import Choice, Report, part_of
from core.statistics import class_moments, selectivity_index
from core.training import accuracy

Numbers = NDArray[np.float64]

PART = "crossed-7"  # what the networks with dropout are searched for
DROPOUTS = (0.0, 0.25, 0.5)
EPOCHS, DIGITS = 3, 25_000  # of the trainings with dropout
SHARES = tuple(round(0.1 * tenth, 1) for tenth in range(10))  # of a layer, silenced at random
ORDERS, SILENCED = 10, 2000  # in which units are silenced; digits on which that is judged
MEASURES = ("selectivity", "correlation", "participation", "active", "auc", "ablation")


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
        return f"Training {registry.title(self.choice.model)} with and without dropout"

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
        tolds = in_parts(part_of(report, 0.1, 1), len(self.networks))
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
