"""Networks for tests, named by architecture and settings: "mixture experts=4,chosen=1"."""

from __future__ import annotations

from typing import Any

from core.data import DataSet
from core.models.inspectable import Inspectable
from core.models.registry import MODELS, draw
from core.runs import Run
from core.training import train

__all__ = ["DEEP", "KINDS", "MOVED", "PEER", "built", "trained"]

DEEP = "mixture layers=2,experts=4,width=64,epochs=10"
MOVED = f"{DEEP},jitter=4"
PEER = "mlp widths=264,optimizer=adam,weight_decay=0"
KINDS = (*MODELS, "gru reset=before", MOVED)  # every kind of network that there is


def built(text: str, seed: int = 0) -> Inspectable:
    """The network before training."""
    run = Run.parse("strokes", text, seed)
    return draw(run.architecture, seed, run.settings)


def trained(text: str, digits: DataSet, **options: Any) -> Inspectable:
    """The network, trained. options: of `train`."""
    run = Run.parse("strokes", text)
    return train(run.architecture, digits, settings=run.settings, **options)
