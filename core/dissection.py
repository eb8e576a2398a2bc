"""Network dissection, under a short name for notebooks: see `core.analyses.dissection`."""

from core.analyses.dissection import (
    DETECTOR,
    FEWEST,
    LEVEL,
    RATE,
    Dissection,
    Sample,
    dissect,
    dissect_layer,
    unit_masks,
)

__all__ = [
    "DETECTOR",
    "FEWEST",
    "LEVEL",
    "RATE",
    "Dissection",
    "Sample",
    "dissect",
    "dissect_layer",
    "unit_masks",
]
