"""Gates held on the way, and a GRU's weights read by another definition: what changes then.

Activations are edited while the network runs, so later rows follow from what is held.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.activations import behind, collect, layer_of, run
from core.data import DataSet
from core.interventions.answers import accuracy
from core.interventions.edits import held, held_in_turn
from core.models.gru import GRU, GRUSettings
from core.models.inspectable import Inspectable

__all__ = ["HOLDS", "effects", "held_gate", "held_units", "with_other_form", "with_other_update"]

Array = NDArray[np.float64]

HOLDS: tuple[float | Literal["mean"], ...] = (0.0, 1.0, "mean")  # at what a whole gate is held


def held_gate(model: Inspectable, digits: DataSet, layer: str) -> Array:
    """Accuracy with all units of a gate held at 0, at 1, and at their mean at each row; (3,)."""
    units = [(layer, unit) for unit in range(layer_of(model, layer).units)]
    return np.array([accuracy(model, digits, held(units, hold)) for hold in HOLDS])


def held_units(model: Inspectable, image: Tensor, layer: str, value: float) -> Array:
    """(units, classes): probabilities for one digit, each unit held at `value` at all rows in turn.

    image: (1, 1, 28, 28). Later rows follow from what is held. All units at once, in one pass.
    """
    values = held_in_turn(collect(model, image, layer), value)
    with torch.no_grad():
        logits = behind(model, layer, image.expand(len(values), -1, -1, -1))(values)
    return np.asarray(logits.softmax(1).numpy(), dtype=np.float64)


def effects(model: Inspectable, image: Tensor, layer: str) -> pd.DataFrame:
    """What one digit's answer becomes with each unit of a gate held at 0 or at 1 at every row.

    A row for each unit and hold: hold, unit, probability of the class that the network now answers,
    answer, the class it answers then, and now, the probability without any hold.
    """
    share = run(model, image).softmax(1)[0]
    answer, found = int(share.argmax()), []
    for value in (0.0, 1.0):
        held = held_units(model, image, layer, value)
        columns = {"hold": f"clamped at {value:.0f}", "unit": np.arange(len(held))}
        columns |= {"probability": held[:, answer], "answer": held.argmax(1)}
        found.append(pd.DataFrame(columns))
    return pd.concat(found, ignore_index=True).assign(now=float(share[answer]))


def with_other_form(model: GRU) -> GRU:
    """A GRU's weights in the form that resets at the other side of the matrix product.

    b_hn, which only one form has, becomes part of b_n there, and 0 back here.
    """
    weights = dict(model.state_dict())
    before = model.settings.reset == "before"
    other = _blank(replace(model.settings, reset="after" if before else "before"))
    if before:
        weights["candidate_bias"] = torch.zeros_like(weights["of_row.bias"].chunk(3)[2])
    else:
        own = weights.pop("candidate_bias")
        r, z, n = weights["of_row.bias"].chunk(3)
        weights["of_row.bias"] = torch.cat([r, z, n + own])
    return _given(other, weights)


def with_other_update(model: GRU) -> GRU:
    """A GRU whose z is the share of the new candidate, with the weights of the given one.

    Since 1 − σ(a) = σ(−a), this is the same as turning the sign of W_z, U_z and b_z.
    """
    weights = dict(model.state_dict())
    for name in ("of_row.weight", "of_row.bias", "of_state.weight"):
        r, z, n = weights[name].chunk(3)
        weights[name] = torch.cat([r, -z, n])
    return _given(_blank(model.settings), weights)


def _blank(settings: GRUSettings) -> GRU:
    """A network whose weights are about to be replaced, drawn without touching the generator."""
    with torch.random.fork_rng(devices=[]):
        return settings.network()


def _given(model: GRU, weights: Mapping[str, Tensor]) -> GRU:
    """The model with these weights, frozen."""
    model.load_state_dict(weights)
    return model.eval().requires_grad_(False)
