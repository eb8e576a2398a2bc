"""Which of a section's networks is opened up, where it has several."""

from __future__ import annotations

from collections.abc import Mapping

from core.models.settings import Settings
from core.runs import Run
from pages.kit import controls, links, place

__all__ = ["one_network"]


def one_network(kinds: Mapping[str, Settings], run: Run) -> Run:
    """The run if it is of one of the section's kinds, else with their first; a way to the others.

    kinds: by title. What is picked is the address's network, for other pages too.
    """
    mine = next((title for title, kind in kinds.items() if _alike(run.settings, kind, kinds)), None)
    first = next(iter(kinds))

    def opened(title: str) -> None:
        links.put(**place.network(kinds[title]))

    network = links.Part(f"network, by default {first}", mine or first, tuple(kinds), opened)
    controls.pick(network, "Network")
    return run if mine is not None else run.with_network(kinds[first])


def _alike(settings: Settings, kind: Settings, kinds: Mapping[str, Settings]) -> bool:
    """Whether the settings are those of the kind, where the kinds differ."""
    if settings.architecture != kind.architecture:
        return False
    own = [of for of in kinds.values() if of.architecture == kind.architecture]
    names = {option.name for of in own for option in of.changed()}
    return all(getattr(settings, name) == getattr(kind, name) for name in names)
