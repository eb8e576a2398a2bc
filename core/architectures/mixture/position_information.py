"""Whether the first layer tells places and the second classes, and what each tells, as a table."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from core.architectures.mixture.position import FACTORS, GatePlaces, PositionReport

__all__ = ["Division", "divided", "factor_table"]


@dataclass(frozen=True)
class Division:
    """Whether the layers divide the work: places by the first (where), classes by the second."""

    where: bool
    what: bool


def divided(trained: PositionReport, untrained: PositionReport) -> Division | None:
    """Whether layer 1 tells places and layer 2 classes; None of a network of one layer.

    A layer tells a factor if its normalized information with it exceeds that with the other, by all
    of the interval of the difference, and that of the same layer before training, and if its bits
    exceed 95 % of shuffles.
    """
    if len(trained.gates) < 2:
        return None
    first, second = trained.gates[0], trained.gates[1]
    return Division(
        first.ahead[0] > 0 and _tells(first, untrained.gates[0], "place"),
        second.ahead[1] < 0 and _tells(second, untrained.gates[1], "class"),
    )


def _tells(now: GatePlaces, before: GatePlaces, factor: str) -> bool:
    """Whether the gate tells more of the factor than by chance and before training."""
    own = now.told[factor]
    return own.bits > own.limit and own.normalized > before.told[factor].normalized


def factor_table(trained: PositionReport, **others: PositionReport) -> pd.DataFrame:
    """A row for each gate and factor: bits, normalized, chance, limit and p of `Shared`.

    shuffled: the limit as normalized as the bits, which it may be: shuffles keep both entropies.
    others: networks to compare with, each with a column of its normalized information by its name,
    and one of its bits.
    """
    rows = []
    for at, gate in enumerate(trained.gates):
        for factor in FACTORS:
            own = gate.told[factor]
            shuffled = own.limit * own.normalized / own.bits if own.bits > 0 else 0.0
            row = {"gate": gate.gate, "factor": factor, **vars(own), "shuffled": shuffled}
            for name, other in others.items():
                same = other.gates[at].told[factor]
                row |= {name: same.normalized, f"{name} bits": same.bits}
            rows.append(row)
    return pd.DataFrame(rows)
