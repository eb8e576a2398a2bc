"""A network with its history, taken apart into its weights and put together again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.models.inspectable import Inspectable
from core.models.registry import MODELS, draw
from core.runtime.packing import packs

__all__ = ["put_together", "taken_apart"]


def taken_apart(model: Inspectable) -> dict[str, Any]:
    """Architecture and settings, every weight by name, and how the network was trained."""
    return {
        "architecture": model.settings.architecture,
        "settings": model.settings.to_text(),
        "weights": dict(model.state_dict()),
        "history": model.history,
    }


def put_together(parts: Mapping[str, Any]) -> Inspectable:
    """The network that `taken_apart` was given, frozen, in eval mode, with its history.

    Raises `KeyError` or `RuntimeError` when weights are missing or have other shapes.
    """
    architecture = parts["architecture"]
    model = draw(architecture, settings=MODELS[architecture].from_text(parts["settings"]))
    model.load_state_dict(parts["weights"])
    model.history = parts["history"]
    return model.eval().requires_grad_(False)


packs("network", Inspectable, taken_apart, put_together)
