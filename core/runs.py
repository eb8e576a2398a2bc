"""The one name that a trained network has everywhere: data, architecture, settings and seed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

from core.models import registry
from core.models.inspectable import Inspectable, Layer
from core.models.registry import Given
from core.models.settings import Settings

__all__ = ["Run"]


@dataclass(frozen=True)
class Run:
    """Which trained network is meant: its data, architecture, settings and seed.

    settings: whole ones, or those that aren't at their default, by name; None for the default.

    Raises `ValueError` for an unknown architecture, setting or seed.
    """

    data: str
    architecture: str
    settings: Settings = None  # type: ignore[assignment]  # whole, once the run is made
    seed: int = 0

    @classmethod
    def parse(cls, data: str, network: str, seed: int = 0) -> Self:
        """The run of a network that is written as its architecture and what is set otherwise.

        Such as "gru" or "gru reset=before,shuffled=yes"; see `Settings.to_text`.
        """
        architecture, _, settings = network.partition(" ")
        kind = type(registry.check(architecture))
        return cls(data, architecture, kind.from_text(settings), seed)

    def __post_init__(self) -> None:
        """Make the settings whole."""
        given: Given = self.settings
        whole = registry.check(self.architecture, self.seed, given)
        object.__setattr__(self, "settings", whole)  # the class is frozen

    def __str__(self) -> str:
        settings = self.settings.to_text()
        which = f"{self.architecture} ({settings})" if settings else self.architecture
        return f"{which} on {self.data}, seed {self.seed}"

    @property
    def title(self) -> str:
        """What the network is called."""
        return registry.title(self.architecture, self.settings)

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The network's layers, input to output, of which no weights are drawn."""
        return registry.describe(self.architecture, self.settings)

    def with_settings(self, **settings: Any) -> Self:
        """The same with some settings changed; raises `ValueError` as `Settings`."""
        return replace(self, settings=replace(self.settings, **settings))

    def with_network(self, settings: Settings) -> Self:
        """The run of another network, on the same data with the same seed."""
        return replace(self, architecture=settings.architecture, settings=settings)

    def of_architecture(self, name: str) -> Self:
        """The same if it is of this architecture, else the architecture's default network."""
        same = self.architecture == name
        return self if same else self.with_network(registry.check(name))

    def untrained(self) -> Inspectable:
        """The network before training, in eval mode."""
        return registry.draw(self.architecture, self.seed, self.settings).eval()

    def modules(self) -> tuple[str, ...]:
        """The modules that define the network."""
        return tuple(of.__module__ for of in type(self.settings).__mro__)

    def facts(self) -> dict[str, str | int]:
        """All that names the run, by field, the settings as a link has them."""
        return {
            "data": self.data,
            "architecture": self.architecture,
            "settings": self.settings.to_text(),
            "seed": self.seed,
        }
