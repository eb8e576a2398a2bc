"""What all tasks of single architectures share: trained networks, then numbers that are kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar, Generic, TypeVar

from numpy.typing import NDArray

from core.models import registry
from core.models.inspectable import Inspectable
from core.runtime.store import Store, StoredArrays
from core.runtime.task import Choice, Report, part_of
from core.training.task import Training

__all__ = ["Arrays", "Opening"]

Arrays = Mapping[str, NDArray[Any]]
Result = TypeVar("Result")

_TRAINING_SHARE = 0.8  # of the time, where networks must be trained first


@dataclass(frozen=True)
class Opening(Generic[Result]):
    """Numbers of one trained network, and of others that it is held against.

    A subclass says what it is called in the store, `kind`; which networks are needed besides that
    of the choice, `others`, by name in the registry; and how to `measure` and to give the `result`.
    """

    choice: Choice
    kind: ClassVar[str]
    others: ClassVar[tuple[str, ...]] = ()

    @property
    def title(self) -> str:
        """What it does."""
        return f"Opening {registry.title(self.choice.model)}"

    def measure(self, models: Mapping[str, Inspectable], report: Report) -> Arrays:
        """The numbers to keep; models: trained, by name, that of the choice first."""
        raise NotImplementedError

    def result(self, arrays: Arrays) -> Result:
        """What the page is given, of the numbers kept."""
        raise NotImplementedError

    def kept(self, store: Store) -> Result | None:
        """The result, where the store has it."""
        found = store.load_arrays(self.kind, asdict(self.choice))
        return None if found is None else self.result(found.arrays)

    def compute(self, store: Store, report: Report) -> Result:
        """The result, for which networks are trained if need be."""
        found = store.computed_arrays(
            self.kind,
            asdict(self.choice),
            lambda: StoredArrays(dict(self._measured(store, report)), {}),
            on_wait=lambda: report(0.0, "Another server is opening this network"),
        )
        return self.result(found.arrays)

    def _measured(self, store: Store, report: Report) -> Arrays:
        """The numbers, measured now."""
        names = (self.choice.model, *self.others)
        models = {}
        for at, name in enumerate(names):
            training = Training(replace(self.choice, model=name))
            part = [_TRAINING_SHARE * each / len(names) for each in (at, at + 1)]
            told = part_of(report, part[0], part[1])
            models[name] = training.kept(store) or training.compute(store, told)
        report(_TRAINING_SHARE, self.title)
        return self.measure(models, part_of(report, _TRAINING_SHARE, 1))
