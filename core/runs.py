"""The one name that a trained network has everywhere: its data, its architecture and its seed."""

from __future__ import annotations

from dataclasses import dataclass

from core.models import registry
from core.models.inspectable import Inspectable
from core.models.registry import Recipe

__all__ = ["Choice"]


@dataclass(frozen=True)
class Choice:
    """Which trained model a view speaks of: the data it was trained on, its name and its seed."""

    data: str
    model: str
    seed: int

    def __str__(self) -> str:
        return f"{self.model} on {self.data}, seed {self.seed}"

    @property
    def recipe(self) -> Recipe:
        """The architecture, its title, and how it is trained."""
        return registry.check(self.model)

    def untrained(self) -> Inspectable:
        """The network before training, in eval mode."""
        return registry.build(self.model, self.seed).eval()

    def modules(self) -> tuple[str, ...]:
        """The modules that define the network."""
        return tuple(of.__module__ for of in self.recipe.architecture.__mro__)
