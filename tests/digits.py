"""Generated digits for tests, drawn once a process."""

from __future__ import annotations

from functools import cache

import torch

from core.data import DataSet
from core.data.strokes import generate

__all__ = ["drawn_digits"]


@cache
def drawn_digits() -> DataSet:
    """The first 2,000 of `load("strokes", "test")`, which takes five times as long."""
    drawn = generate(2000, seed=2)
    images, labels = torch.from_numpy(drawn.images)[:, None], torch.from_numpy(drawn.labels)
    return DataSet(images, labels, "strokes", "test", drawn.parts)
