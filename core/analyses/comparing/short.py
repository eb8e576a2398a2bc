"""A network trained briefly, to be compared with others; stored as soon as it is done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from core.analyses.comparing.emergence import with_weights
from core.data import Digits
from core.models import registry
from core.models.inspectable import Inspectable
from core.runtime.store import Store, StoredWeights
from core.runtime.task import Choice, Report
from core.training import Start, Step, train

Flags = NDArray[np.bool_]
Key = dict[str, str | int | float | bool | None]

A, B, ALL = "01234", "56789", "0123456789"  # classes
_FRESH = 1000  # added to the seed: new layers must not begin as those that they replace


@dataclass(frozen=True)
class Short:
    """A network trained briefly on some digits, to be compared with others trained alike.

    labels: the classes that it learns, a digit each. digits: how many, before other classes are
    left out. dropout: as in its settings. first: how many layers it has from elsewhere: from the
    network that learned the classes `source`, or just as they were drawn when that is "". frozen:
    whether those stay as they are. What isn't from elsewhere is drawn from another seed than the
    source's.
    """

    choice: Choice
    epochs: int
    digits: int
    labels: str = ALL
    dropout: float = 0.0
    first: int = 0
    source: str = ""
    frozen: bool = False

    @property
    def title(self) -> str:
        """What it is."""
        seed = f"seed {self.choice.seed}"
        if not self.first:
            classes = "" if self.labels == ALL else f"digits {_classes(self.labels)}, "
            return f"{classes}dropout {self.dropout:g}, {seed}".capitalize()
        whose = f"from digits {_classes(self.source)}" if self.source else "untrained"
        held = "frozen" if self.frozen else "fine-tuned"
        return f"First {self.first} {whose}, {held}, {seed}"

    def kept(self, store: Store) -> Inspectable | None:
        """The network, where the store has it."""
        found = store.load_weights("short", self.key())
        return None if found is None else self._model(found)

    def trained(self, store: Store, fit: Callable[[], Digits], report: Report) -> Inspectable:
        """The network, trained on digits of `fit` unless the store has it."""
        found = store.computed_weights(
            "short",
            self.key(),
            lambda: StoredWeights(self._trained(store, fit, report)),
            on_wait=lambda: report(0.0, "Another server is training this network"),
        )
        return self._model(found)

    def key(self) -> Key:
        """All that the network depends on."""
        own = {each.name: getattr(self, each.name) for each in fields(self)[1:]}  # choice is first
        return {**asdict(self.choice), **own}

    def base(self) -> Short:
        """The network from which its first layers are."""
        return replace(self, labels=self.source, first=0, source="", frozen=False)

    def held(self) -> tuple[str, ...]:
        """Its layers from elsewhere."""
        described = registry.describe(self.choice.model)
        return tuple(layer.name for layer in described[: self.first])

    def _trained(
        self, store: Store, fit: Callable[[], Digits], report: Report
    ) -> dict[str, Tensor]:
        """Its weights, learned now."""
        weights: dict[str, Tensor] = {}
        if self.source:
            source = self.base().trained(store, fit, report).state_dict()
            weights = {
                name: value for name, value in source.items() if name.split(".")[0] in self.held()
            }
        report(0.0, self.title)
        some = of_classes(fit().take(slice(self.digits)), self.labels)

        def told(step: Step) -> None:
            text = f"{self.title}: batch {step.number:,} of {step.total:,}"
            report(step.number / step.total, text)

        return train(
            self.choice.model,
            some,
            seed=self.choice.seed + (_FRESH if self.first else 0),
            epochs=self.epochs,
            settings={"dropout": self.dropout} if self.dropout else None,
            watch=some.take(slice(1)),  # its record is not read
            on_step=told,
            start=Start(weights, self.held() if self.frozen else ()),
        ).state_dict()

    def _model(self, found: StoredWeights) -> Inspectable:
        """The network with the weights that the store kept."""
        return with_weights(self.choice.model, found.weights)


def of_classes(digits: Digits, labels: str) -> Digits:
    """The digits whose class is one of `labels`."""
    wanted = np.isin(digits.labels.numpy(), [int(label) for label in labels])
    return digits.take(index_of(wanted))


def index_of(rows: Flags) -> Tensor:
    """Where `rows` (n,) is true."""
    return Tensor(np.flatnonzero(rows)).long()


def _classes(labels: str) -> str:
    """Classes in words."""
    return f"{labels[0]} to {labels[-1]}"
