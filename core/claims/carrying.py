"""What carries a concept in a layer of a network, beside networks like it that were not trained."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from core.activations import collect_layers
from core.claims.carrier import ROTATIONS, Carrier, Reading, carrier_of, find
from core.claims.trial import Half, Progress
from core.models.untrained import SEEDS, untrained_networks
from core.statistics.ranking import comparable

__all__ = ["carrier_in", "reading", "values_of"]

MOST = 1000  # digits with a concept, and without it
_FEW = 10  # rotations in a network that isn't trained
_UNTRAINED = 0.6  # of the time


def carrier_in(
    model: nn.Module, layer: str, halves: Sequence[Half], seed: int, told: Progress
) -> Carrier:
    """Whether a unit of `layer`, a direction of it, or neither carries the concept of `halves`.

    halves: discovery and confirmation. Raises `ValueError` as `carrier.find`.
    """
    untrained = []
    for at, network in enumerate(untrained_networks(model)):
        told(_UNTRAINED * at / len(SEEDS), f"Untrained network {at + 1} of {len(SEEDS)}")
        known, judged = (reading(network, half, layer) for half in halves)
        untrained.append(find(known, judged, rotations=_FEW, seed=seed))
    known, judged = (reading(model, half, layer) for half in halves)

    def turned(done: float) -> None:
        told(_UNTRAINED + (1 - _UNTRAINED) * done, f"{ROTATIONS} random rotations of {layer}")

    return carrier_of(known, judged, untrained, seed=seed, on_progress=turned)


def reading(network: nn.Module, half: Half, layer: str) -> Reading:
    """A layer before its ReLU on the digits among which a concept is told; a map's maximum.

    These are digits of classes of which some have it and some don't; all digits where there are no
    such classes. Of those with it and of those without it at most the first `MOST`.
    """
    labels, present = half.digits.labels.numpy(), half.present
    rows = comparable(labels, present)
    among = rows if rows.any() else np.ones(len(labels), bool)
    index = np.sort(
        np.concatenate([np.flatnonzero(among & of)[:MOST] for of in (present, ~present)])
    )
    images = half.digits.images[index]
    return Reading(values_of(network, images, layer), present[index], labels[index])


def values_of(network: nn.Module, images: Tensor, layer: str) -> NDArray[np.float32]:
    """(n, units): a layer before its ReLU; a map's maximum."""
    values: NDArray[np.float32] = collect_layers(network, images, (layer,), reduce=_peak)[
        layer
    ].numpy()
    return values


def _peak(values: Tensor) -> Tensor:
    """(n, units): a map's maximum; else as it is."""
    return values.amax((2, 3)) if values.ndim == 4 else values
