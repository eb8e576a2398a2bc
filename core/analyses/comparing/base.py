"""Which networks are compared, one after the other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from core.models import registry
from core.models.inspectable import SelfOrganizing
from core.runtime.store import Store
from core.runtime.task import Choice, Report, Task, part_of

Result = TypeVar("Result")

SEEDS = 3


def seeds_of(choice: Choice) -> tuple[Choice, ...]:
    """The choice with its seed and the next two."""
    return tuple(replace(choice, seed=choice.seed + more) for more in range(SEEDS))


def hidden_dense(model: str) -> tuple[str, ...]:
    """The hidden dense layers of a model, which are those that dropout can silence."""
    described = registry.describe(model)
    return tuple(layer.name for layer in described if layer.hidden_dense)


def movable(model: str) -> bool:
    """Whether a model is a chain of layers with weights of their own, so that some can be moved."""
    own = registry.build(model)
    hidden = [own.get_submodule(layer) for layer in own.layers[:-1]]
    weighted = all(any(True for _ in layer.parameters()) for layer in hidden)
    return bool(own.stages()) and weighted and not isinstance(own, SelfOrganizing)


@dataclass(frozen=True)
class InTurn(Generic[Result]):
    """Several tasks, one after the other; what is done stays done when it is cancelled."""

    tasks: tuple[Task[Result], ...]
    title: str

    def kept(self, store: Store) -> tuple[Result, ...] | None:
        """The results, where the store has all of them."""
        found = []
        for task in self.tasks:
            result = task.kept(store)
            if result is None:
                return None
            found.append(result)
        return tuple(found)

    def compute(self, store: Store, report: Report) -> tuple[Result, ...]:
        """The results, of which those that are missing are computed."""
        tolds = in_parts(report, len(self.tasks))
        return tuple(
            task.kept(store) or task.compute(store, told)
            for task, told in zip(self.tasks, tolds, strict=True)
        )


def in_parts(report: Report, parts: int) -> list[Report]:
    """A report for each of several equal parts of the work, which says which one it is."""

    def counted(at: int) -> Report:
        part = part_of(report, at / parts, (at + 1) / parts)

        def told(
            fraction: float,
            text: str | None = None,
            *,
            picture: NDArray[np.uint8] | None = None,
            **values: float,
        ) -> None:
            # curves of several trainings would run into one another, so they are left out
            part(fraction, None if text is None else f"{text} · {at + 1} of {parts}")

        return told

    return [counted(at) for at in range(parts)]
