"""What a dissection says: a row for each unit, and whether the controls have as many detectors."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.analyses.dissection import Dissection
from core.data.concepts import CONCEPTS
from core.units import UnitId

__all__ = ["NONE", "as_many", "networks", "units_table"]

NONE = "none"


def networks(found: Dissection, kind: str) -> pd.DataFrame:
    """Detectors of one kind, "pixels" or "images", in the network and its controls, by network."""
    return found.controls[found.controls["kind"] == kind].set_index("network")


def as_many(table: pd.DataFrame) -> list[str]:
    """The controls in which at least as many units are detectors; none where the layer has none.

    table: see `networks`. A layer with no more detectors than an untrained network's shows no
    learning; with no more than random mixtures of its units, no special role of single units.
    """
    counts = dict(zip(table.index, table["detectors"].tolist(), strict=True))
    controls = [name for name in ("untrained", "rotated") if name in counts]
    return [name for name in controls if 0 < counts["trained"] <= counts[name]]


def units_table(model: str, layer: str, kind: str, rows: pd.DataFrame) -> pd.DataFrame:
    """A row for each unit: its concept or none, how sure, and the next two concepts."""
    first = rows[rows["rank"] == 1].set_index("index")
    others = {rank: rows[rows["rank"] == rank].set_index("index") for rank in (2, 3)}
    table = pd.DataFrame(index=sorted(rows["index"].unique()))
    table["unit"] = [str(UnitId(model, layer, int(index))) for index in table.index]
    detector = first["detector"].reindex(table.index, fill_value=False).astype(bool)
    closest = first["concept"].map(_text).reindex(table.index)
    table["responds to"] = np.where(detector, closest, NONE)
    table["closest concept"] = closest
    for name in ("iou", "low", "high", "null", "ceiling", "of_ceiling", "q_value"):
        table[name] = first[name]
    if kind == "pixels":
        table["matched"] = first["matched"]
    table["margin"] = first["iou"] - others[2]["iou"].reindex(table.index)
    for rank, label in ((2, "second"), (3, "third")):
        table[label] = others[rank]["concept"].map(_text)
        table[f"{label} iou"] = others[rank]["iou"]
    if kind == "images":
        for name in ("auc", "auc_low", "auc_high", "auc_within", "precision", "base", "n"):
            table[name] = first[name]
    return table


def _text(concept: str) -> str:
    """A concept in words."""
    return CONCEPTS[concept].text
