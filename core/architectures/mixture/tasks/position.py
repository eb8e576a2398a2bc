"""What the experts tell of digits that are moved about, and told before training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.architectures.mixture.information import Shared
from core.architectures.mixture.position import FACTORS, GatePlaces, Placed, place_report
from core.architectures.mixture.tasks.assignment import gated
from core.architectures.task import Arrays, Opening
from core.data import load_digits
from core.models import registry
from core.models.inspectable import Inspectable
from core.runtime.task import Report, under
from core.statistics import wilson_interval

__all__ = ["Moved", "Moving"]

_SHARED = ("bits", "normalized", "chance", "limit", "p")


@dataclass(frozen=True)
class Moved:
    """A network on the confirmation half moved about, trained and before training."""

    trained: Placed
    untrained: Placed

    def accuracies(self) -> dict[str, tuple[float, float, float]]:
        """Accuracy with Wilson's 95 % interval, of digits moved and of digits as they are."""
        of, n = self.trained, self.trained.digits
        counted = {"moved": of.moved, "as they are": of.still}
        return {name: (hits / n, *wilson_interval(hits, n)) for name, hits in counted.items()}


@dataclass(frozen=True)
class Moving(Opening[Moved]):
    """The digits of the confirmation half moved about, and who takes them where."""

    kind = "gate-places"

    @property
    def title(self) -> str:
        """What it does."""
        return f"Moving digits before {registry.title(self.choice.model)}"

    def measure(self, models: Mapping[str, Inspectable], report: Report) -> Arrays:
        """Both networks on the same moves."""
        digits = load_digits(self.choice.data, "confirmation")
        networks = {
            "trained": gated(models[self.choice.model]),
            "untrained": registry.build(self.choice.model, self.choice.seed).eval(),
        }
        found: dict[str, NDArray[Any]] = {}
        for at, (name, model) in enumerate(networks.items()):
            report(at / len(networks), self.title)
            placed = place_report(model, digits)
            found |= {f"{name}/{key}": of for key, of in _arrays(placed).items()}
        return found

    def result(self, arrays: Arrays) -> Moved:
        """The numbers kept."""
        return Moved(*(_placed(under(f"{name}/", arrays)) for name in ("trained", "untrained")))


def _arrays(placed: Placed) -> Arrays:
    """The numbers as arrays; all gates of a network have as many experts."""
    gates = placed.gates
    told = [[[getattr(of.told[f], s) for s in _SHARED] for f in FACTORS] for of in gates]
    return {
        "gates": np.array([of.gate for of in gates]),
        "counts": np.stack([of.counts for of in gates]),
        "classes": np.stack([of.classes for of in gates]),
        "told": np.array(told),
        "ahead": np.array([of.ahead for of in gates]),
        "hits": np.array([placed.digits, placed.moved, placed.still]),
        "lost": np.array(placed.lost),
    }


def _placed(arrays: Arrays) -> Placed:
    """The numbers back from `_arrays`."""
    told = [
        {factor: Shared(*row) for factor, row in zip(FACTORS, rows, strict=True)}
        for rows in arrays["told"].tolist()
    ]
    names, ahead = arrays["gates"].tolist(), [tuple(of) for of in arrays["ahead"].tolist()]
    parts = zip(names, arrays["counts"], arrays["classes"], told, ahead, strict=True)
    digits, moved, still = arrays["hits"].tolist()
    gates = tuple(GatePlaces(*part) for part in parts)
    return Placed(gates, digits, moved, still, float(arrays["lost"]))
