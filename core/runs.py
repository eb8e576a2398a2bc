"""The one name that a trained network has everywhere: its data, its architecture and its seed."""

from __future__ import annotations

from dataclasses import dataclass

from core.models import registry
from core.models.inspectable import Inspectable

__all__ = ["Run"]


@dataclass(frozen=True)
class Run:
    """Which trained model a view speaks of: the data it was trained on, its name and its seed."""

    data: str
    model: str
    seed: int

    def __str__(self) -> str:
        return f"{self.model} on {self.data}, seed {self.seed}"

    @property
    def title(self) -> str:
        """What the network is called."""
        return registry.title(self.model)

    def untrained(self) -> Inspectable:
        """The network before training, in eval mode."""
        return registry.draw(self.model, self.seed).eval()

    def modules(self) -> tuple[str, ...]:
        """The modules that define the network."""
        return tuple(of.__module__ for of in type(registry.check(self.model)).__mro__)
