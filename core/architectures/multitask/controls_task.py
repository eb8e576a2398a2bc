"""What lesions find in networks that learned one task only, and in one that learned no layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.architectures.multitask.results import ONE_SIDED, heads_of
from core.architectures.multitask.sharing import SHARED, Lesions, specialization
from core.architectures.multitask.task import judged, opened_up
from core.architectures.task import Arrays, Opening
from core.data import load_digits
from core.models.inspectable import Inspectable
from core.runtime.task import Report, under
from core.training import Start, Step, train

__all__ = ["NETWORKS", "SHARE", "Alone", "Controls"]

NETWORKS = {
    "multitask": "all tasks",
    "multitask_digit": "digit alone",
    "multitask_slant": "slant alone",
    "random": "nothing (random)",
}
SHARE = 0.1  # of a layer's units, silenced together
EPOCHS = 4  # of the heads on layers that stay random


@dataclass(frozen=True)
class Controls:
    """The same lesions in four networks. arrays: by network, as `Alone.measure` keeps them."""

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
            of = under(f"{network} {layer} ", self.arrays)
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
            of = under(f"{network} {layer} ", self.arrays)
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
class Alone(Opening[Controls]):
    """Two more networks and heads on random layers, and the same lesions in each."""

    kind = "multitask-alone"
    others = ("multitask_digit", "multitask_slant")

    @property
    def title(self) -> str:
        """What it does."""
        return "Comparing networks trained on one task with the one trained on all"

    def measure(self, models: Mapping[str, Inspectable], report: Report) -> Arrays:
        """By network: scores, and the lesions of both shared layers."""
        halves = [load_digits(self.choice.data, half) for half in ("discovery", "confirmation")]
        networks = {**models, "random": self._random(report)}
        kept = {}
        for at, (name, network) in enumerate(networks.items()):
            model = opened_up(network)
            report(0.5 + 0.5 * at / len(networks), f"Silencing units: {NETWORKS[name]}")
            kept[f"{name} scores"] = Lesions(model, halves[1], SHARED[-1]).judged()[1]
            for layer in SHARED:
                found = judged(model, halves, layer, (SHARE,), self.choice.seed)
                kept |= {f"{name} {key}": values for key, values in found.items()}
        return kept

    def result(self, arrays: Arrays) -> Controls:
        """The four networks, of the numbers kept."""
        return Controls(tuple(head.task for head in heads_of(self.choice.model)), arrays)

    def _random(self, report: Report) -> Inspectable:
        """The network with trained heads on shared layers as they were drawn."""

        def told(step: Step) -> None:
            report(0.5 * step.number / step.total, "Training heads on random layers")

        fit = load_digits(self.choice.data, "fit")
        start = Start(frozen=SHARED)
        seed = self.choice.seed
        return train("multitask", fit, seed=seed, epochs=EPOCHS, start=start, on_step=told)
