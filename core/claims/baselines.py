"""What a claim on any network is compared with: untrained networks, and directions of its layer."""

from __future__ import annotations

from torch import nn

from core.claims.carrying import carrier_in
from core.claims.findings import NEITHER
from core.claims.nulls.scores import NullScores, null_scores
from core.claims.trial import Claim, Half, Progress
from core.models.untrained import SEEDS, untrained_networks
from core.statistics.limits import FEWEST

__all__ = ["carried_by", "untrained_scores"]


def untrained_scores(
    model: nn.Module, claim: Claim, both: tuple[Half, Half], told: Progress
) -> NullScores:
    """What the best units of 20 networks like `model` score before any training."""
    networks = untrained_networks(model)
    return null_scores(networks, claim, both, "untrained networks", told, len(SEEDS))


def carried_by(model: nn.Module, claim: Claim, both: tuple[Half, Half], told: Progress) -> str:
    """One of `findings.CARRIERS`; "neither" where digits are too few, or numbers not finite."""
    if min(int(of.sum()) for half in both for of in (half.present, ~half.present)) < FEWEST:
        return NEITHER
    try:
        return carrier_in(model, claim.layer, both, claim.seed, told).verdict
    except ValueError:  # of too few digits of its classes, or numbers that are none
        return NEITHER
