"""What the gates of a trained recurrent network do, and when the class can be read out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.architectures.recurrent import clamping, early_reading
from core.architectures.recurrent import gates as recurrent
from core.architectures.task import Arrays, Opening
from core.data import Digits, load_digits
from core.models import registry
from core.models.gru import GRU
from core.models.inspectable import Inspectable
from core.runtime.task import Report, under
from core.statistics import wilson_interval
from core.training import accuracy

__all__ = ["Gates", "Opened", "Read", "Reading"]

HELD = 2000  # digits of the confirmation half on which whole gates are held
NETWORKS = ("trained", "untrained")
_HOLDS = ("held at 0", "held at 1", "held at its mean")

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Opened:
    """What the gates do on the confirmation half; by network, "trained" and "untrained".

    saturation: by network and gate, (units, 2), left and right. kept: by network, (units,), the
    mean of the gate that keeps. state: what the state holds on each class; untrained: η² of the
    untrained one, (units, rows). writes: (units, rows), the mean change of the state on the
    discovery half. held: a row for each gate, accuracy with all its units held. accuracy: of the
    network, on the same digits. other: of a GRU, accuracy with its weights read in another way.
    """

    saturation: Mapping[tuple[str, str], Numbers]
    kept: Mapping[str, Numbers]
    state: recurrent.ByClass
    untrained: Numbers
    writes: Numbers
    held: pd.DataFrame
    accuracy: float
    other: Mapping[str, float]

    def tau(self, network: str) -> Numbers:
        """Time constants in rows, (units,)."""
        return recurrent.time_constants(self.kept[network])

    def order(self, by: str) -> NDArray[np.int64]:
        """The units by the row at which their state changes most, by τ, or by number."""
        units = np.arange(len(self.writes))
        if by == "row":
            return np.lexsort((self.writes.mean(1), self.writes.argmax(1)))
        return np.argsort(self.tau("trained"), kind="stable") if by == "memory" else units

    def table(self) -> pd.DataFrame:
        """A row for each unit: its gates' saturation and its time constant, in both networks."""
        columns: dict[str, Numbers | NDArray[np.int64]] = {"unit": np.arange(len(self.writes))}
        for (network, gate), shares in self.saturation.items():
            columns[f"{gate} below 0.1, {network}"] = shares[:, 0]
            columns[f"{gate} above 0.9, {network}"] = shares[:, 1]
        for network in NETWORKS:
            columns[f"time constant, {network}"] = self.tau(network)
        return pd.DataFrame({**columns, "row of most change": self.writes.argmax(1)})


@dataclass(frozen=True)
class Gates(Opening[Opened]):
    """Gates and state of the chosen network, beside itself before training."""

    kind = "recurrent-gates"

    def measure(self, models: Mapping[str, Inspectable], report: Report) -> Arrays:
        """Everything on the confirmation half, but what orders the units."""
        model = models[self.choice.model]
        halves = [load_digits(self.choice.data, half) for half in ("discovery", "confirmation")]
        blank = registry.build(self.choice.model, self.choice.seed).eval()
        arrays: dict[str, NDArray[np.generic]] = {}
        for network, of in zip(NETWORKS, (model, blank), strict=True):
            arrays |= _gates(of, halves[1], network)
        report(0.4, "Reading the state")
        carried = recurrent.state(model.described)
        found, untrained = (
            recurrent.by_class(recurrent.read(of, halves[1].images, carried), halves[1].labels)
            for of in (model, blank)
        )
        arrays |= {f"state/{name}": value for name, value in vars(found).items()}
        arrays["untrained"] = untrained.share
        arrays["writes"] = recurrent.change(recurrent.read(model, halves[0].images, carried))
        report(0.7, "Holding gates")
        return {**arrays, **_held(model, halves[1].take(slice(HELD)))}

    def result(self, arrays: Arrays) -> Opened:
        """The arrays by their names."""
        names = recurrent.gates(registry.describe(self.choice.model))
        saturation = {
            (network, gate): arrays[f"saturation/{network}/{gate}"]
            for gate in names
            for network in NETWORKS
        }
        held = pd.DataFrame(arrays["held"], columns=list(_HOLDS))
        held.insert(0, "gate", list(names))
        return Opened(
            saturation,
            under("kept/", arrays),
            recurrent.ByClass(**under("state/", arrays)),
            arrays["untrained"],
            arrays["writes"],
            held,
            float(arrays["accuracy"]),
            {name: float(value) for name, value in under("other/", arrays).items()},
        )


def _gates(model: Inspectable, digits: Digits, network: str) -> dict[str, NDArray[np.generic]]:
    """Saturation of every gate, and the mean of the one that keeps."""
    arrays: dict[str, NDArray[np.generic]] = {}
    for gate in recurrent.gates(model.described):
        values = recurrent.read(model, digits.images, gate)
        arrays[f"saturation/{network}/{gate}"] = recurrent.saturation(values)
        if gate == recurrent.keeping(model.described):
            arrays[f"kept/{network}"] = values.mean((0, 2), dtype=np.float64)
    return arrays


def _held(model: Inspectable, digits: Digits) -> dict[str, NDArray[np.generic]]:
    """Accuracy as it is, with whole gates held, and with a GRU's weights read in other ways."""
    names = recurrent.gates(model.described)
    held = np.stack([clamping.held_gate(model, digits, gate) for gate in names])
    arrays = {"held": held, "accuracy": np.array(accuracy(model, digits))}
    if isinstance(model, GRU):
        arrays["other/form"] = np.array(accuracy(clamping.with_other_form(model), digits))
        arrays["other/update"] = np.array(accuracy(clamping.with_other_update(model), digits))
    return cast(dict[str, NDArray[np.generic]], arrays)


@dataclass(frozen=True)
class Read:
    """How well the class is read out of the hidden state behind each row.

    accuracy: by reader, (rows,): the network's own "head", a "probe" fitted for each row, and the
    "untrained" network's probe. probes: (rows, units + 1, classes). digits: how many were judged.
    """

    accuracy: Mapping[str, Numbers]
    probes: Numbers
    digits: int

    def table(self, shuffled: Read | None = None) -> pd.DataFrame:
        """A row for each reader and row: row, reader, accuracy and its 95 % interval.

        shuffled: the same of a network that reads the rows in another order.
        """
        of = dict(self.accuracy)
        if shuffled is not None:
            of |= {f"shuffled {name}": shuffled.accuracy[name] for name in ("head", "probe")}
        rows = [
            (row, reader, share, *wilson_interval(round(share * self.digits), self.digits))
            for reader, curve in of.items()
            for row, share in enumerate(curve.tolist())
        ]
        return pd.DataFrame(rows, columns=["row", "reader", "accuracy", "low", "high"])


@dataclass(frozen=True)
class Reading(Opening[Read]):
    """Probes of every row, fitted on the discovery half and judged on the confirmation half."""

    kind = "recurrent-reading"

    def measure(self, models: Mapping[str, Inspectable], report: Report) -> Arrays:
        """Accuracy by row, of the network and of itself before training."""
        model = models[self.choice.model]
        fit, judge = (load_digits(self.choice.data, h) for h in ("discovery", "confirmation"))
        blank = registry.build(self.choice.model, self.choice.seed).eval()
        found = {}
        for at, (name, of) in enumerate({"probe": model, "untrained": blank}.items()):
            report(at / 2, "Fitting a probe for each row")
            learn, seen = (recurrent.read(of, half.images, "hidden") for half in (fit, judge))
            probes = early_reading.fit_probes(learn, fit.labels)
            logits = early_reading.scores(probes, seen)
            found[f"accuracy/{name}"] = early_reading.accuracy_by_row(logits, judge.labels)
            if name == "probe":
                head = recurrent.head(model, seen)
                found["accuracy/head"] = early_reading.accuracy_by_row(head, judge.labels)
                found["probes"] = probes.astype(np.float32)
        return {**found, "digits": np.array(len(judge))}

    def result(self, arrays: Arrays) -> Read:
        """The arrays by their names."""
        return Read(under("accuracy/", arrays), arrays["probes"], int(arrays["digits"]))
