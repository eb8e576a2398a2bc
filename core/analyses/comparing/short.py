"""A network trained briefly, to be compared with others; stored as soon as it is done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from core.data import DataSet
from core.data.task import DataTask
from core.models import saved  # noqa: F401  networks are packed by its rule
from core.models.inspectable import Inspectable
from core.models.settings import Dropout, Settings
from core.runs import Run
from core.runtime.lab import Lab
from core.runtime.task import Report, Task
from core.training import Start, Step, train

Flags = NDArray[np.bool_]

A, B, ALL = "01234", "56789", "0123456789"  # classes
_FRESH = 1000  # added to the seed: new layers must not begin as those that they replace


@dataclass(frozen=True)
class ShortModelTask(Task[Inspectable]):
    """A network trained briefly on some digits, to be compared with others trained alike.

    labels: the classes that it learns, a digit each. digits: how many, before other classes are
    left out. first: how many layers it has from elsewhere: from the network that learned the
    classes `source`, or just as they were drawn when that is "". frozen: whether those stay as they
    are. What isn't from elsewhere is drawn from another seed than the source's.
    """

    is_network: ClassVar[bool] = True
    run: Run
    epochs: int
    digits: int
    labels: str = ALL
    first: int = 0
    source: str = ""
    frozen: bool = False

    @property
    def title(self) -> str:
        """What it is."""
        seed = f"seed {self.run.seed}"
        if not self.first:
            classes = "" if self.labels == ALL else f"digits {_classes(self.labels)}, "
            return f"{classes}{_dropout(self.run.settings)}{seed}".capitalize()
        whose = f"from digits {_classes(self.source)}" if self.source else "untrained"
        held = "frozen" if self.frozen else "fine-tuned"
        return f"First {self.first} {whose}, {held}, {seed}"

    def compute(self, lab: Lab, report: Report) -> Inspectable:
        """The network, trained on the fit digits; its record isn't kept."""
        weights: dict[str, Tensor] = {}
        if self.source:
            base, report = lab.given(report, self.base())
            held = self.held()
            weights = {
                name: value
                for name, value in base.state_dict().items()
                if name.split(".")[0] in held
            }
        report(0.0, self.title)
        fit = lab.result(DataTask(self.run.data, "fit"), report)
        model = self._trained(
            of_classes(fit.take(slice(self.digits)), self.labels), weights, report
        )
        model.history = None
        return model

    def base(self) -> ShortModelTask:
        """The network from which its first layers are."""
        return replace(self, labels=self.source, first=0, source="", frozen=False)

    def held(self) -> tuple[str, ...]:
        """Its layers from elsewhere."""
        described = self.run.layers
        return tuple(layer.name for layer in described[: self.first])

    def _trained(
        self, digits: DataSet, weights: Mapping[str, Tensor], report: Report
    ) -> Inspectable:
        """The network, trained on the digits from these weights."""

        def on_step(step: Step) -> None:
            text = f"{self.title}: batch {step.number:,} of {step.total:,}"
            report(step.number / step.total, text)

        return train(
            self.run.architecture,
            digits,
            seed=self.run.seed + (_FRESH if self.first else 0),
            epochs=self.epochs,
            settings=self.run.settings,
            watch=digits.take(slice(1)),  # its record is not read
            on_step=on_step,
            start=Start(dict(weights), self.held() if self.frozen else ()),
        )


def of_classes(digits: DataSet, labels: str) -> DataSet:
    """The digits whose class is one of `labels`."""
    wanted = np.isin(digits.labels.numpy(), [int(label) for label in labels])
    return digits.take(index_of(wanted))


def index_of(rows: Flags) -> Tensor:
    """Where `rows` (n,) is true."""
    return Tensor(np.flatnonzero(rows)).long()


def _dropout(settings: Settings) -> str:
    """The dropout of a network that can have one, with a comma."""
    return f"dropout {settings.dropout:g}, " if isinstance(settings, Dropout) else ""


def _classes(labels: str) -> str:
    """Classes in words."""
    return f"{labels[0]} to {labels[-1]}"
