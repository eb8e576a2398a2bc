"""What lesions find in networks that learned one task only, and in one that learned no layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.architectures.multitask.results import ONE_SIDED
from core.architectures.multitask.sharing import specialization
from core.interventions.controls import spread

__all__ = ["NETWORKS", "ControlNetworks"]

Arrays = Mapping[str, NDArray[Any]]


NETWORKS = {
    "all": "all tasks",
    "digit": "digit alone",
    "slant": "slant alone",
    "random": "nothing (random)",
}


@dataclass(frozen=True)
class ControlNetworks:
    """The same lesions in four networks. arrays: by network, as `ControlNetworksTask` gives
    them."""

    tasks: tuple[str, ...]
    arrays: Arrays

    def scores(self) -> pd.DataFrame:
        """A row for each network, its shared layers taught `taught`: score of each task."""
        rows = [dict(zip(self.tasks, self.arrays[f"{n} scores"], strict=True)) for n in NETWORKS]
        return pd.DataFrame(rows).assign(taught=list(NETWORKS.values()))

    def crossed(self, layer: str) -> pd.DataFrame:
        """A row for each network, silent and judged task: harm, and its 95 % with random units."""
        rows = []
        for network, taught in NETWORKS.items():
            of = _under(f"{network} {layer} ", self.arrays)
            for i, silent in enumerate(self.tasks[:3]):
                for j, task in enumerate(self.tasks[:3]):
                    low, _, high = spread(of["random harm"][0, i, :, j])
                    harm = of["crossed harm"][0, i, j]
                    row = {"taught": taught, "silent": silent, "task": task, "harm": harm}
                    rows.append({**row, "harm low": low, "harm high": high})
        return pd.DataFrame(rows)

    def indices(self, layer: str, first: str, second: str) -> pd.DataFrame:
        """A row for each network and used unit: its index between two tasks."""
        one, two = self.tasks.index(first), self.tasks.index(second)
        frames = []
        for network, taught in NETWORKS.items():
            of = _under(f"{network} {layer} ", self.arrays)
            used = (np.abs(of["certain"][[one, two]]) > of["limit"]).any(0)
            index = specialization(of["harm"][one], of["harm"][two], used)
            frame = pd.DataFrame({"unit": np.arange(len(index)), "index": index})
            frames.append(frame.assign(taught=taught))
        return pd.concat(frames, ignore_index=True)

    def counts(self, layer: str, first: str, second: str) -> pd.DataFrame:
        """A row for each network: units used, how many serve one task alone, median |index|."""
        rows = []
        for taught, own in self.indices(layer, first, second).groupby("taught", sort=False):
            index = own["index"].dropna()
            alone = {
                f"{first} alone": int((index > ONE_SIDED).sum()),
                f"{second} alone": int((index < -ONE_SIDED).sum()),
            }
            middle = float(index.abs().median())
            rows.append({"taught": taught, "used": len(index), **alone, "median |index|": middle})
        return pd.DataFrame(rows)


def _under(prefix: str, arrays: Arrays) -> dict[str, NDArray[Any]]:
    """The arrays whose names begin with `prefix`, without it."""
    return {key[len(prefix) :]: array for key, array in arrays.items() if key.startswith(prefix)}
