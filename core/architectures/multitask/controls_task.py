"""What lesions find in networks that learned one task only, and in one that learned no layer."""

from __future__ import annotations

from dataclasses import dataclass

from core.architectures.multitask.controls import NETWORKS, ControlNetworks
from core.architectures.multitask.lesions import judged
from core.architectures.multitask.results import heads_of
from core.architectures.multitask.sharing import SHARED, Lesions, opened_up
from core.data import DataSet
from core.data.task import DataTask
from core.models.inspectable import Inspectable
from core.runs import Run
from core.runtime.lab import Lab
from core.runtime.task import Report, Task
from core.training import Start, Step, train
from core.training.task import ModelTask

__all__ = ["SHARE", "ControlNetworksTask"]

SHARE = 0.1  # of a layer's units, silenced together
_ALONE = ("digit", "slant")  # the tasks that one network learns alone
EPOCHS = 4  # of the heads on layers that stay random


@dataclass(frozen=True)
class ControlNetworksTask(Task[ControlNetworks]):
    """Two more networks and heads on random layers, and the same lesions in each."""

    run: Run

    @property
    def title(self) -> str:
        """What is done."""
        return "Comparing networks trained on one task with the one trained on all"

    def compute(self, lab: Lab, report: Report) -> ControlNetworks:
        """By network: scores, and the lesions of both shared layers."""
        names = ("all", *_ALONE)
        runs = [self.run, *(self.run.with_settings(tasks=task) for task in _ALONE)]
        *models, report = lab.given(report, *(ModelTask(run) for run in runs))
        data = self.run.data
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
                found = judged(model, halves, layer, (SHARE,), self.run.seed)
                kept |= {f"{name} {key}": values for key, values in found.items()}
        return ControlNetworks(tuple(head.task for head in heads_of(self.run.settings)), kept)

    def _random(self, fit: DataSet, report: Report) -> Inspectable:
        """The network with trained heads on shared layers as they were drawn."""

        def on_step(step: Step) -> None:
            report(0.5 * step.number / step.total, "Training heads on random layers")

        start = Start(frozen=SHARED)
        seed = self.run.seed
        return train(
            self.run.architecture,
            fit,
            seed=seed,
            epochs=EPOCHS,
            settings=self.run.settings,
            start=start,
            on_step=on_step,
        )
