"""What lesions find in networks that learned one task only, and in one that learned no layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.architectures.multitask.results import ONE_SIDED, heads_of
from core.architectures.multitask.sharing import SHARED, Lesions, specialization
from core.architectures.multitask.task import judged, opened_up
from core.data import DataSet
from core.data.task import DataTask
from core.models.inspectable import Inspectable
from core.runs import Run
from core.runtime.lab import Lab
from core.runtime.task import Report, Task
from core.training import Start, Step, train
from core.training.task import ModelTask

__all__ = ["NETWORKS", "SHARE", "ControlNetworks", "ControlNetworksTask"]

NETWORKS = {
    "multitask": "all tasks",
    "multitask_digit": "digit alone",
    "multitask_slant": "slant alone",
    "random": "nothing (random)",
}
Arrays = Mapping[str, NDArray[Any]]

SHARE = 0.1  # of a layer's units, silenced together
_ALONE = ("multitask_digit", "multitask_slant")
EPOCHS = 4  # of the heads on layers that stay random


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
                    low, high = np.quantile(of["random harm"][0, i, :, j], (0.025, 0.975))
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


@dataclass(frozen=True)
class ControlNetworksTask(Task[ControlNetworks]):
    """Two more networks and heads on random layers, and the same lesions in each."""

    choice: Run

    @property
    def title(self) -> str:
        """What is done."""
        return "Comparing networks trained on one task with the one trained on all"

    def compute(self, lab: Lab, report: Report) -> ControlNetworks:
        """By network: scores, and the lesions of both shared layers."""
        names = (self.choice.model, *_ALONE)
        runs = [replace(self.choice, model=name) for name in names]
        *models, report = lab.given(report, *(ModelTask(run) for run in runs))
        data = self.choice.data
        halves = [
            lab.result(DataTask(data, half), report) for half in ("discovery", "confirmation")
        ]
        fit = lab.result(DataTask(data, "fit"), report)
        networks = {**dict(zip(names, models, strict=True)), "random": self._random(fit, report)}
        kept = {}
        for at, (name, network) in enumerate(networks.items()):
            model = opened_up(network)
            report(0.5 + 0.5 * at / len(networks), f"Silencing units: {NETWORKS[name]}")
            kept[f"{name} scores"] = Lesions(model, halves[1], SHARED[-1]).judged()[1]
            for layer in SHARED:
                found = judged(model, halves, layer, (SHARE,), self.choice.seed)
                kept |= {f"{name} {key}": values for key, values in found.items()}
        return ControlNetworks(tuple(head.task for head in heads_of(self.choice.model)), kept)

    def _random(self, fit: DataSet, report: Report) -> Inspectable:
        """The network with trained heads on shared layers as they were drawn."""

        def on_step(step: Step) -> None:
            report(0.5 * step.number / step.total, "Training heads on random layers")

        start = Start(frozen=SHARED)
        seed = self.choice.seed
        return train("multitask", fit, seed=seed, epochs=EPOCHS, start=start, on_step=on_step)


def _under(prefix: str, arrays: Arrays) -> dict[str, NDArray[Any]]:
    """The arrays whose names begin with `prefix`, without it."""
    return {key[len(prefix) :]: array for key, array in arrays.items() if key.startswith(prefix)}
