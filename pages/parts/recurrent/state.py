"""What the section on LSTM and GRU has on the screen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.architectures.recurrent import gates as recurrent
from core.architectures.recurrent.gate_measures import GateMeasures
from core.models.inspectable import Inspectable, Layer
from core.runs import Run
from pages.kit.digit import Followed

__all__ = ["View"]


class View(NamedTuple):
    """What is on the screen: a network, its numbers, a digit, and the unit and row looked at."""

    run: Run
    model: Inspectable
    opened: GateMeasures
    digit: Followed
    values: Mapping[str, NDArray[np.float32]]
    unit: int
    row: int

    @property
    def described(self) -> tuple[Layer, ...]:
        """The layers that have a value at each row."""
        return tuple(layer for layer in self.model.described if layer.steps)

    @property
    def carried(self) -> str:
        """The layer that is carried from row to row."""
        return recurrent.state(self.model.described)

    @property
    def gates(self) -> tuple[str, ...]:
        """The layers that are gates."""
        return recurrent.gates(self.model.described)
