"""What the gates do on digits, trained and untrained, and the accuracy with whole gates held."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.architectures.recurrent import clamping
from core.architectures.recurrent import gates as recurrent
from core.data import DataSet
from core.models.gru import GRU
from core.models.inspectable import Inspectable
from core.training import accuracy

__all__ = ["NETWORKS", "GateMeasures", "held_gates", "read_otherwise", "saturations"]

Numbers = NDArray[np.float64]


NETWORKS = ("trained", "untrained")


_HOLDS = ("clamped at 0", "clamped at 1", "clamped at its mean")


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


def saturations(
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


def held_gates(model: Inspectable, digits: DataSet) -> pd.DataFrame:
    """A row for each gate: accuracy with all its units held."""
    names = recurrent.gates(model.described)
    held = np.stack([clamping.held_gate(model, digits, gate) for gate in names])
    table = pd.DataFrame(held, columns=list(_HOLDS))
    table.insert(0, "gate", list(names))
    return table


def read_otherwise(model: Inspectable, digits: DataSet) -> dict[str, float]:
    """Accuracy of a GRU with its weights read in other ways."""
    if not isinstance(model, GRU):
        return {}
    ways = {"form": clamping.with_other_form, "update": clamping.with_other_update}
    return {name: accuracy(way(model), digits) for name, way in ways.items()}
