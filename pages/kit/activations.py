"""Activations of units on digits, computed once for all who look at a unit or its neighbours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.activations import peaks
from core.analyses.described import DescribedDigits
from core.analyses.dissection.tables import Sample
from core.models.inspectable import Inspectable
from core.runtime.drawings import drawn_once

__all__ = ["activations", "half"]


@drawn_once
def half(described: DescribedDigits, split: str) -> Sample:
    """The digits of "discovery" or "confirmation", with their concepts."""
    return described.half(split)


@drawn_once
def activations(model: Inspectable, sample: Sample, layer: str) -> NDArray[np.float32]:
    """The activation of each unit of a layer on each digit, of a map its peak: (digits, units)."""
    return peaks(model, sample.digits.images, layer)
