"""The units at the other ends of a unit's wires: those that it reads, and those that read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.analyses.wiring import Contributions, Wiring, strongest
from core.units import UnitId
from core.wires import IMAGE

__all__ = ["Ends", "image_parts", "inputs", "outputs"]

Numbers = NDArray[np.float64]
Whole = NDArray[np.int64]
Tables = tuple[Numbers, Numbers]  # (units, units below): to choose by, and to show


@dataclass(frozen=True)
class Ends:
    """Units at the other end, (n,) each, with what flows between them and the unit.

    layers: theirs. index: in that layer. chosen: the contribution that the strongest are chosen by.
    value: the one that is shown.
    """

    layers: tuple[str, ...]
    index: Whole
    chosen: Numbers
    value: Numbers

    def __len__(self) -> int:
        """How many."""
        return len(self.layers)

    @property
    def total(self) -> float:
        """What flows in all."""
        return float(self.value.sum())

    def strongest(self, most: int) -> Ends:
        """At most `most` of them, the strongest first, none at 0."""
        top = strongest(self.chosen, most)
        layers = tuple(self.layers[at] for at in top)
        return Ends(layers, self.index[top], self.chosen[top], self.value[top])

    def units(self, model: str) -> tuple[UnitId, ...]:
        """Their names."""
        return tuple(map(UnitId, [model] * len(self), self.layers, self.index.tolist()))

    def table(self, model: str) -> pd.DataFrame:
        """A row for each, with its name."""
        names = list(map(str, self.units(model)))
        return pd.DataFrame({"unit": names, "chosen by": self.chosen, "contribution": self.value})


def inputs(wiring: Wiring, layer: str, index: int, on: Contributions | None = None) -> Ends:
    """The units that unit `index` of `layer` reads, those of all layers below that it reads.

    on: contributions to the layer for some digits, which the strongest are then chosen by too;
    None: the mean over digits, where they are chosen on the discovery half and read on the other.
    """
    parts = [
        (below, tuple(table[index] for table in _tables(wiring, layer, below, on)))
        for below in wiring.layers[layer].inputs
        if below != IMAGE
    ]
    return _joined(parts)


def outputs(
    wiring: Wiring, layer: str, index: int, on: Mapping[str, Contributions] | None = None
) -> Ends:
    """The units that read unit `index` of `layer`. on: as of `inputs`, by the layer that reads."""
    parts = [
        (
            reader,
            tuple(
                table[:, index]
                for table in _tables(wiring, reader, layer, None if on is None else on[reader])
            ),
        )
        for reader in wiring.readers(layer)
    ]
    return _joined(parts)


def image_parts(wiring: Wiring, layer: str, index: int, on: Contributions | None = None) -> Numbers:
    """(weights of the unit,): what it reads of the image by each. on: as of `inputs`."""
    shown: Numbers = _tables(wiring, layer, IMAGE, on)[1][index]
    return shown


def _tables(wiring: Wiring, layer: str, below: str, on: Contributions | None) -> Tables:
    """What to choose by, and what to show."""
    if on is not None:
        return on.inputs[below], on.inputs[below]
    of = wiring.layers[layer].inputs[below]
    return of.discovery.astype(np.float64), of.confirmation.astype(np.float64)


def _joined(parts: list[tuple[str, tuple[Numbers, ...]]]) -> Ends:
    """The units of all layers, one after the other."""
    if not parts:
        none = np.zeros(0)
        return Ends((), none.astype(np.int64), none, none)
    sizes = [len(both[0]) for _, both in parts]
    layers = [name for (name, _), size in zip(parts, sizes, strict=True) for _ in range(size)]
    chosen, shown = (np.concatenate([both[at] for _, both in parts]) for at in (0, 1))
    index = np.concatenate([np.arange(size) for size in sizes])
    return Ends(tuple(layers), index, chosen, shown)
