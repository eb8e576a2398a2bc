"""A network with its history, taken apart into its weights and put together again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.models.inspectable import Inspectable
from core.models.registry import build
from core.runtime.packing import packs

__all__ = ["put_together", "taken_apart"]


def taken_apart(model: Inspectable) -> dict[str, Any]:
    """The name of the architecture, every weight by name, and how the network was trained."""
    return {"name": model.name, "weights": dict(model.state_dict()), "history": model.history}


def put_together(parts: Mapping[str, Any]) -> Inspectable:
    """The network that `taken_apart` was given, frozen, in eval mode, with its history.

    Raises `KeyError` or `RuntimeError` when weights are missing or have other shapes.
    """
    model = build(parts["name"])
    model.load_state_dict(parts["weights"])
    model.history = parts["history"]
    return model.eval().requires_grad_(False)


packs("network", Inspectable, taken_apart, put_together)
