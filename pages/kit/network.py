"""Which of a section's networks is opened up, where it has several."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from core.runs import Run
from pages.kit import controls, links

__all__ = ["one_network"]


def one_network(titles: Mapping[str, str], run: Run) -> Run:
    """The choice if its model is one of the section's, else with their first; a way to the others.

    titles: of the models, by name. What is picked is the address's model, for other pages too.
    """
    mine = run.model if run.model in titles else next(iter(titles))
    network = links.Part(f"network of {next(iter(titles))}", mine, tuple(titles), _open)
    controls.pick(network, "Network", names=titles.__getitem__)
    return replace(run, model=mine)


def _open(model: str) -> None:
    """Write the network to the address."""
    links.put(model=model)
