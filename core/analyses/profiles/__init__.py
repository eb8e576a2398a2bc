"""What each unit of a layer does on the test digits, beside what chance and no training give.

A unit's activation here is what the ReLU passes on; of a map, its spatial mean for all statistics
(Morcos et al. 2018), and its spatial maximum, before the ReLU, to find examples. Where no ReLU
follows, as behind logits, the statistics are of the positive part.

The top class is chosen on the discovery digits, and everything said of it is measured on the
confirmation digits, for the model, for the untrained model, and for permuted labels alike.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from core import statistics
from core.activations import collect, collect_layers, layer_names, layer_of
from core.data import CLASSES, DataSet
from core.units import UnitId

__all__ = ["KINDS", "PERMUTATIONS", "Profile", "Scores", "profile", "table"]

Numbers = NDArray[np.float32]
Whole = NDArray[np.int64]
Flags = NDArray[np.bool_]

KINDS = ("top", "middle", "lowest")  # of examples
EXAMPLES = 9  # of each kind
BINS = 40  # of the histogram
PERMUTATIONS = 20
DORMANT = 0.025  # of the layer's mean activation (Sokar et al. 2023, arXiv:2302.12902)
OUTER, SATURATED = 0.01, 0.95  # in the outer share of the range on this share of activations
CONSTANT = 1e-6  # standard deviation below which a unit is constant


@dataclass(frozen=True)
class Scores:
    """How much each unit, (units,), tells its top class from the others, on confirmation digits.

    selectivity: -1..1. auc: 0..1. d_prime: standard deviations. information: bits. See
    `core.statistics`.
    """

    selectivity: Numbers
    auc: Numbers
    d_prime: Numbers
    information: Numbers


@dataclass(frozen=True)
class Profile:
    """What the units of one layer do. n: digits in confirmation.

    scores, untrained, permuted: `Scores` of the model, of the untrained model, and the 95 %
    quantile over permutations of the labels.
    discovered: (units,), the selectivity on the discovery digits, for choosing units by.
    top_class: (units,). class_means, class_low, class_high: (units, classes), with 95 % intervals;
    untrained_means: those of the untrained model.
    mean, sd, fraction_active, sparseness, effective_classes: (units,), on confirmation digits;
    active: a map is active where any position is.
    maximum: (units,), the largest activation before the ReLU on all test digits.
    zeros: (units,), digits on which it is exactly 0; edges (units, BINS + 1) and counts (units,
    BINS): histogram of the rest.
    dead, dormant, constant, always_on, saturated: (units,). Only a rectified unit is always on,
    and only one whose formula has bounds is saturated.
    examples: (units, kinds, EXAMPLES), numbers of confirmation digits; example_values: their
    activation before the ReLU; example_places: (…, 2), row and column of a map's maximum, else -1.
    mean_images: (units, classes + 1, 28, 28), Σ a x / Σ a over each class and over all; 0 where the
    unit is never active.
    """

    layer: str
    n: int
    scores: Scores
    untrained: Scores
    permuted: Scores
    discovered: Numbers
    top_class: Whole
    class_means: Numbers
    class_low: Numbers
    class_high: Numbers
    untrained_means: Numbers
    mean: Numbers
    sd: Numbers
    fraction_active: Numbers
    sparseness: Numbers
    effective_classes: Numbers
    maximum: Numbers
    zeros: Whole
    edges: Numbers
    counts: Whole
    dead: Flags
    dormant: Flags
    constant: Flags
    always_on: Flags
    saturated: Flags
    examples: Whole
    example_values: Numbers
    example_places: Whole
    mean_images: Numbers

    def __len__(self) -> int:
        """How many units."""
        return len(self.top_class)


@dataclass(frozen=True)
class _Answers:
    """What a layer's units do on some digits: activation, peak and its flat place, (n, units)."""

    activation: Numbers
    peak: Numbers
    place: Whole


def profile(
    model: nn.Module,
    untrained: nn.Module,
    discovery: DataSet,
    confirmation: DataSet,
    *,
    layers: Sequence[str] | None = None,
    seed: int = 0,
    on_layer: Callable[[int, int], object] | None = None,
) -> dict[str, Profile]:
    """The profile of each layer (None: all), by name.

    untrained: the same architecture before training. seed: of the permutations. on_layer: called
    with the number of layers done and in all; an exception from it ends the work.
    """
    names = tuple(layers) if layers is not None else layer_names(model)
    widths = _map_widths(model, confirmation, names)
    answers = [
        {name: _split(values) for name, values in _summaries(who, digits, names).items()}
        for who in (model, untrained)
        for digits in (discovery, confirmation)
    ]
    found = {}
    for at, name in enumerate(names):
        if on_layer is not None:
            on_layer(at, len(names))
        of_layer = [answer[name] for answer in answers]
        labels = (discovery.labels.numpy(), confirmation.labels.numpy())
        own = _profile(name, of_layer, labels, confirmation, widths[name], seed)
        rectified = layer_of(model, name).rectified  # nothing else is linear where it is above 0
        found[name] = replace(
            own,
            saturated=_saturated(model, confirmation, name),
            always_on=own.always_on & rectified,
        )
    return found


def table(profiles: Mapping[str, Profile], model: str) -> pd.DataFrame:
    """One row for each unit of all layers, indexed by its name, to be sorted and downloaded."""
    frames = []
    for layer, of in profiles.items():
        columns: dict[str, Any] = {
            "unit": [str(UnitId(model, layer, index)) for index in range(len(of))],
            "layer": layer,
            "index": np.arange(len(of)),
            "top_class": of.top_class,
        }
        for each in fields(Scores):
            columns[each.name] = getattr(of.scores, each.name)
            columns[f"{each.name}_untrained"] = getattr(of.untrained, each.name)
            columns[f"{each.name}_permuted"] = getattr(of.permuted, each.name)
        columns["selectivity_discovery"] = of.discovered
        for name in ("fraction_active", "sparseness", "effective_classes", "mean", "maximum"):
            columns[name] = getattr(of, name)
        for name in ("dead", "dormant", "constant", "always_on", "saturated"):
            columns[name] = getattr(of, name)
        frames.append(pd.DataFrame(columns))
    return pd.concat(frames, ignore_index=True).set_index("unit")


def _summaries(model: nn.Module, digits: DataSet, layers: Sequence[str]) -> dict[str, Tensor]:
    """(n, units, 3) for each layer: activation, peak and flat place of the peak."""
    return collect_layers(model, digits.images, layers, reduce=_summary)


def _summary(values: Tensor) -> Tensor:
    """(batch, units, 3) of a layer's activations, so that big maps need not be held."""
    if values.ndim == 2:
        return torch.stack([values.relu(), values, torch.full_like(values, -1)], -1)
    peak, place = values.flatten(2).max(-1)
    return torch.stack([values.relu().mean((2, 3)), peak, place.to(values.dtype)], -1)


def _split(summary: Tensor) -> _Answers:
    """The three parts of a summary, as arrays."""
    activation, peak, place = summary.unbind(-1)
    return _Answers(activation.numpy(), peak.numpy(), place.numpy().astype(np.int64))


def _map_widths(model: nn.Module, digits: DataSet, layers: Sequence[str]) -> dict[str, int]:
    """The width of each layer's maps, 0 for a dense layer."""
    one = collect_layers(model, digits.images[:1], layers)
    return {name: values.shape[3] if values.ndim == 4 else 0 for name, values in one.items()}


def _profile(
    layer: str,
    answers: Sequence[_Answers],
    labels: tuple[Whole, Whole],
    confirmation: DataSet,
    width: int,
    seed: int,
) -> Profile:
    """The profile of one layer; answers of model, then untrained, on discovery, confirmation."""
    found, judged, raw_found, raw_judged = answers
    a = judged.activation
    found_means = _means(found.activation, labels[0])
    top = found_means.argmax(1)
    means, variance, count = statistics.class_moments(a, labels[1], CLASSES)
    low, high = statistics.mean_interval(means, variance, count)
    edges, counts = _histograms(a)
    where, values, places = _examples(judged, width)
    return Profile(
        layer=layer,
        n=len(a),
        scores=_Judge(a).scores(labels[1], top),
        untrained=_Judge(raw_judged.activation).scores(
            labels[1], _means(raw_found.activation, labels[0]).argmax(1)
        ),
        permuted=_permuted(found.activation, a, labels, seed),
        discovered=_float(statistics.selectivity_index(found_means)),
        top_class=top,
        class_means=_float(means),
        class_low=_float(low),
        class_high=_float(high),
        untrained_means=_float(_means(raw_judged.activation, labels[1])),
        zeros=(a <= 0).sum(0),
        edges=edges,
        counts=counts,
        examples=where,
        example_values=values,
        example_places=places,
        mean_images=_mean_images(a, labels[1], confirmation.images[:, 0].numpy()),
        **_activity(found, judged, means),
    )


def _activity(found: _Answers, judged: _Answers, means: NDArray[Any]) -> dict[str, Any]:
    """How often and how strongly each unit is active, and what follows from it."""
    a = judged.activation
    maximum = np.maximum(found.peak.max(0), judged.peak.max(0))
    lowest = np.minimum(found.peak.min(0), judged.peak.min(0))
    mean, sd = a.mean(0, dtype=np.float64), a.std(0, dtype=np.float64)
    dead = maximum <= 0
    return {
        "mean": _float(mean),
        "sd": _float(sd),
        "fraction_active": _float((judged.peak > 0).mean(0)),
        "sparseness": _float(statistics.lifetime_sparseness(a)),
        "effective_classes": _float(statistics.effective_number(means)),
        "maximum": maximum,
        "dead": dead,
        "dormant": ~dead & (mean <= DORMANT * mean.mean()),
        "constant": sd < CONSTANT,
        "always_on": lowest > 0,
        "saturated": np.zeros(len(mean), dtype=bool),
    }


def _saturated(model: nn.Module, digits: DataSet, layer: str) -> Flags:
    """(units,): which have nearly all activations at an end of the layer's range, if it has one."""
    described = layer_of(model, layer)
    if described.bounds is None:
        return np.zeros(described.units, dtype=bool)
    low, high = described.bounds
    room = OUTER * (high - low)

    def outer(values: Tensor) -> Tensor:
        at_end = ((values < low + room) | (values > high - room)).float()
        return at_end.mean((2, 3)) if values.ndim == 4 else at_end

    shares = collect(model, digits.images, layer, reduce=outer).mean(0)
    flags: Flags = (shares >= SATURATED).numpy()
    return flags


class _Judge:
    """Scores of the same activations (n, units) for many labellings: what can be shared is."""

    def __init__(self, activation: Numbers) -> None:
        self.activation = activation.astype(np.float64)
        self._ranks = statistics.middle_ranks(activation)
        self._binned = statistics.frequency_bins(activation)

    def scores(self, labels: Whole, top: Whole) -> Scores:
        """The scores when `top` (units,) is each unit's class."""
        own = np.arange(len(top)), top
        auc = statistics.auc_from_ranks(self._ranks, labels, CLASSES)[own]
        d_prime = statistics.d_prime_by_class(self.activation, labels, CLASSES)[own]
        return Scores(
            selectivity=_float(statistics.selectivity_index(_means(self.activation, labels), top)),
            auc=_float(auc),
            d_prime=_float(d_prime),
            information=_float(statistics.mutual_information(self._binned, labels, CLASSES)),
        )


def _permuted(found: Numbers, judged: Numbers, labels: tuple[Whole, Whole], seed: int) -> Scores:
    """The 95 % quantile of the scores over permutations of the labels, choice included."""
    generator, judge = np.random.default_rng(seed), _Judge(judged)
    drawn = []
    for _ in range(PERMUTATIONS):
        shuffled = [generator.permutation(of) for of in labels]
        drawn.append(judge.scores(shuffled[1], _means(found, shuffled[0]).argmax(1)))
    at = math.ceil(0.95 * PERMUTATIONS) - 1  # without interpolation, for d' may be infinite
    return Scores(
        **{
            each.name: np.sort([getattr(of, each.name) for of in drawn], axis=0)[at]
            for each in fields(Scores)
        }
    )


def _means(activation: NDArray[Any], labels: Whole) -> NDArray[np.float64]:
    """Class means (units, classes)."""
    members = (labels[:, None] == np.arange(CLASSES)).astype(np.float64)
    means: NDArray[np.float64] = activation.T @ (members / np.maximum(members.sum(0), 1))
    return means


def _histograms(activation: Numbers) -> tuple[Numbers, Whole]:
    """Edges (units, BINS + 1) and counts (units, BINS) of what is above zero."""
    most = np.where(activation.max(0) > 0, activation.max(0), 1.0)
    edges = np.linspace(0, 1, BINS + 1)[None] * most[:, None]
    counts = [
        np.histogram(column[column > 0], of)[0]
        for column, of in zip(
            activation.T.astype(np.float64), edges.astype(np.float64), strict=True
        )
    ]
    return _float(edges), np.array(counts, dtype=np.int64)


def _examples(answers: _Answers, width: int) -> tuple[Whole, Numbers, Whole]:
    """Digits with the highest peaks, around the median of the active, and with the lowest.

    Around the median of all where fewer than `EXAMPLES` are active.
    """
    n, units = answers.peak.shape
    k = min(EXAMPLES, n)
    order = np.argsort(-answers.peak, axis=0, kind="stable")
    active = (answers.peak > 0).sum(0)
    middle = np.where(active >= k, active, n) // 2 - k // 2
    rows = np.clip(middle, 0, n - k) + np.arange(k)[:, None]
    chosen = np.stack([order[:k], np.take_along_axis(order, rows, 0), order[::-1][:k]])  # 3, k, u
    at = np.arange(units)
    values, flat = answers.peak[chosen, at], answers.place[chosen, at]
    places = np.stack(np.divmod(flat, width), -1) if width else np.full((*flat.shape, 2), -1)
    return (
        np.moveaxis(chosen, 2, 0),
        np.moveaxis(values, 2, 0),
        np.moveaxis(places, 2, 0).astype(np.int64),
    )


def _mean_images(activation: Numbers, labels: Whole, images: Numbers) -> Numbers:
    """(units, classes + 1, 28, 28): activation-weighted mean image of each class, then of all."""
    flat = images.reshape(len(images), -1)
    means = np.zeros((activation.shape[1], CLASSES + 1, flat.shape[1]), dtype=np.float32)
    for digit in range(CLASSES + 1):
        of = slice(None) if digit == CLASSES else labels == digit
        weight = activation[of].sum(0)[:, None]
        np.divide(activation[of].T @ flat[of], weight, out=means[:, digit], where=weight > 0)
    return means.reshape(len(means), CLASSES + 1, *images.shape[1:])


def _float(values: Any) -> Numbers:
    """As float32, which is what is kept."""
    return np.asarray(values, dtype=np.float32)
