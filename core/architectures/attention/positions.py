"""What positions are worth: networks with and without them, on digits with shuffled patches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.activations import run
from core.data import DataSet
from core.interventions.answers import are_correct
from core.models.attention import TOKENS, shuffle_patches
from core.models.inspectable import Inspectable

__all__ = ["PositionValue", "position_value"]

Whole = NDArray[np.int64]


@dataclass(frozen=True)
class PositionValue:
    """What positions are worth: a row for each network, with positions and without.

    table: network, accuracy, accuracy shuffled (patches of all digits in one other order), same
    answer (share of digits whose answer the shuffle doesn't change), logits moved (largest change
    of a logit). order: the place that each place's patch is taken from.
    """

    table: pd.DataFrame
    order: Whole


def position_value(
    networks: Mapping[str, Inspectable], digits: DataSet, seed: int
) -> PositionValue:
    """Networks by name on digits as they are and on shuffled patches, all in one random order."""
    order = np.random.default_rng(seed).permutation(TOKENS - 1)
    images, labels = shuffle_patches(digits.images, order.tolist()), digits.labels
    rows = []
    for name, model in networks.items():
        plain, shuffled = run(model, digits.images), run(model, images)
        shares = {
            "accuracy": are_correct(plain, labels),
            "accuracy shuffled": are_correct(shuffled, labels),
            "same answer": (plain.argmax(1) == shuffled.argmax(1)).numpy(),
        }
        measured = {what: float(share.mean()) for what, share in shares.items()}
        moved = float((plain - shuffled).abs().max())
        rows.append({"network": name, **measured, "logits moved": moved})
    return PositionValue(pd.DataFrame(rows), order)
