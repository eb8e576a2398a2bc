"""Which networks are compared, one after the other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from core.models.inspectable import SelfOrganizing
from core.runs import Run
from core.runtime.lab import Lab
from core.runtime.task import Derived, Report, Task

SEEDS = 3


def seeds_of(run: Run) -> tuple[Run, ...]:
    """The run with its seed and the next two."""
    return tuple(replace(run, seed=run.seed + more) for more in range(SEEDS))


def hidden_dense(run: Run) -> tuple[str, ...]:
    """The hidden dense layers of a network, which are those that dropout can silence."""
    return tuple(layer.name for layer in run.layers if layer.hidden_dense)


def movable(run: Run) -> bool:
    """Whether it is a chain of layers with weights of their own, so that some can be moved."""
    own = run.untrained()
    hidden = [own.get_submodule(layer) for layer in own.layers[:-1]]
    weighted = all(any(True for _ in layer.parameters()) for layer in hidden)
    return bool(own.stages()) and weighted and not isinstance(own, SelfOrganizing)


@dataclass(frozen=True)
class SeveralTask(Derived[tuple[Any, ...]]):
    """The results of several tasks, one after the other; what is done stays done."""

    tasks: tuple[Task[Any], ...]
    what: str

    @property
    def title(self) -> str:
        """What is done."""
        return self.what

    def compute(self, lab: Lab, report: Report) -> tuple[Any, ...]:
        """The results, of which those that are missing are computed."""
        return lab.all(self.tasks, report)
