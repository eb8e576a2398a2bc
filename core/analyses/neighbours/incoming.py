"""The weights that lead to each unit of a layer, side by side."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import nn

from core.wires import BIAS, LayerWires

__all__ = ["weight_rows"]

Numbers = NDArray[np.float64]


def weight_rows(model: nn.Module, wires: LayerWires) -> Numbers | None:
    """(units, weights): the incoming weights of each unit, all in one order, without the bias.

    None where a layer has no wires, or its units haven't the same ones.
    """
    known, columns = dict(model.named_parameters()), []
    for of in wires.wires:
        if of.below == BIAS:
            continue
        order = np.lexsort((of.weight, of.source, of.unit))
        counts = np.bincount(of.unit, minlength=wires.units)
        if len(counts) != wires.units or (counts != counts[0]).any():
            return None
        values = known[of.parameter].detach().double().flatten().numpy()[of.weight[order]]
        columns.append(values.reshape(wires.units, -1))
    return np.concatenate(columns, 1) if columns else None
