"""What the gates of a trained recurrent network do, and when the class can be read out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.architectures.recurrent import clamping, early_reading
from core.architectures.recurrent import gates as recurrent
from core.data import DataSet
from core.data.task import DataTask
from core.models.gru import GRU
from core.models.inspectable import Inspectable
from core.runs import Run
from core.runtime.lab import Lab
from core.runtime.task import Report, Task
from core.statistics import wilson_interval
from core.training import accuracy
from core.training.task import ModelTask

__all__ = ["EarlyReading", "EarlyReadingTask", "GateMeasures", "GatesTask"]

HELD = 2000  # digits of the confirmation half on which whole gates are held
NETWORKS = ("trained", "untrained")
_HOLDS = ("clamped at 0", "clamped at 1", "clamped at its mean")

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class GateMeasures:
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
class GatesTask(Task[GateMeasures]):
    """Gates and state of the chosen network, beside itself before training."""

    choice: Run

    @property
    def title(self) -> str:
        """What is done."""
        return f"Examining {self.choice.title}"

    def compute(self, lab: Lab, report: Report) -> GateMeasures:
        """Everything on the confirmation half, but what orders the units."""
        model, report = lab.given(report, ModelTask(self.choice))
        first, judged = (
            lab.result(DataTask(self.choice.data, half), report)
            for half in ("discovery", "confirmation")
        )
        networks = dict(zip(NETWORKS, (model, self.choice.untrained()), strict=True))
        saturation, kept = _gates(networks, judged)
        report(0.4, "Recording gates and states")
        carried = recurrent.state(model.described)
        state, untrained = (
            recurrent.by_class(recurrent.read(of, judged.images, carried), judged.labels)
            for of in networks.values()
        )
        writes = recurrent.change(recurrent.read(model, first.images, carried))
        report(0.7, "Clamping gates")
        some = judged.take(slice(HELD))
        return GateMeasures(
            saturation,
            kept,
            state,
            untrained.share,
            writes,
            _held(model, some),
            accuracy(model, some),
            _read_otherwise(model, some),
        )


def _gates(
    networks: Mapping[str, Inspectable], digits: DataSet
) -> tuple[dict[tuple[str, str], Numbers], dict[str, Numbers]]:
    """Saturation of every gate, by network and gate; the mean of the one that keeps, by network."""
    saturation, kept = {}, {}
    for network, model in networks.items():
        for gate in recurrent.gates(model.described):
            values = recurrent.read(model, digits.images, gate)
            saturation[network, gate] = recurrent.saturation(values)
            if gate == recurrent.keeping(model.described):
                kept[network] = values.mean((0, 2), dtype=np.float64)
    return saturation, kept


def _held(model: Inspectable, digits: DataSet) -> pd.DataFrame:
    """A row for each gate: accuracy with all its units held."""
    names = recurrent.gates(model.described)
    held = np.stack([clamping.held_gate(model, digits, gate) for gate in names])
    table = pd.DataFrame(held, columns=list(_HOLDS))
    table.insert(0, "gate", list(names))
    return table


def _read_otherwise(model: Inspectable, digits: DataSet) -> dict[str, float]:
    """Accuracy of a GRU with its weights read in other ways."""
    if not isinstance(model, GRU):
        return {}
    ways = {"form": clamping.with_other_form, "update": clamping.with_other_update}
    return {name: accuracy(way(model), digits) for name, way in ways.items()}


@dataclass(frozen=True)
class EarlyReading:
    """How well the class is read out of the hidden state behind each row.

    accuracy: by reader, (rows,): the network's own "head", a "probe" fitted for each row, and the
    "untrained" network's probe. probes: (rows, units + 1, classes). digits: how many were judged.
    """

    accuracy: Mapping[str, Numbers]
    probes: Numbers
    digits: int

    def table(self, shuffled: EarlyReading | None = None) -> pd.DataFrame:
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
class EarlyReadingTask(Task[EarlyReading]):
    """Probes of every row, fitted on the discovery half and judged on the confirmation half."""

    choice: Run

    @property
    def title(self) -> str:
        """What is done."""
        return f"Examining {self.choice.title}"

    def compute(self, lab: Lab, report: Report) -> EarlyReading:
        """Accuracy by row, of the network and of itself before training."""
        model, report = lab.given(report, ModelTask(self.choice))
        fit, judge = (
            lab.result(DataTask(self.choice.data, half), report)
            for half in ("discovery", "confirmation")
        )
        accuracies, fitted = {}, {}
        for at, (name, of) in enumerate(
            {"probe": model, "untrained": self.choice.untrained()}.items()
        ):
            report(at / 2, "Fitting a probe for each row")
            learn, seen = (recurrent.read(of, half.images, "hidden") for half in (fit, judge))
            probes = fitted[name] = early_reading.fit_probes(learn, fit.labels)
            logits = early_reading.scores(probes, seen)
            accuracies[name] = early_reading.accuracy_by_row(logits, judge.labels)
            if name == "probe":
                head = recurrent.head(model, seen)
                accuracies["head"] = early_reading.accuracy_by_row(head, judge.labels)
        return EarlyReading(accuracies, fitted["probe"].astype(np.float32), len(judge))
