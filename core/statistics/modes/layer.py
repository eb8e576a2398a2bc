"""The modes of every unit of a layer, with false discoveries controlled over the units."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.arguments import seeded
from core.statistics import adjusted
from core.statistics.modes.density import Density
from core.statistics.modes.finding import RATE, find_modes
from core.statistics.modes.sample import numbers
from core.surroundings import undisturbed

__all__ = ["LayerModes", "find_layer"]

Numbers = NDArray[np.float64]

_KEPT = 200  # points of a density that a layer keeps


@dataclass(frozen=True)
class LayerModes:
    """Every unit of a layer; arrays (units,), densities (units, points).

    state, zeros, dip, p, sensitive_p, modes, bandwidth, bimodality: as in `Modality`; modes: how
    many, two also where there are more than one that weren't located. q, sensitive_q: Benjamini &
    Hochberg's adjusted p over the units that could be tested. An untested unit has p and q of 1,
    and a flat density. first: place of a density's first point. step: between its points.
    """

    state: NDArray[np.str_]
    zeros: Numbers
    apart: NDArray[np.bool_]
    dip: Numbers
    p: Numbers
    q: Numbers
    sensitive_p: Numbers
    sensitive_q: Numbers
    modes: NDArray[np.int64]
    bandwidth: Numbers
    bimodality: Numbers
    first: Numbers
    step: Numbers
    heights: Numbers

    def __len__(self) -> int:
        """How many units."""
        return len(self.state)

    @property
    def tested(self) -> NDArray[np.bool_]:
        """Which units could be tested."""
        return np.asarray(self.state == "tested")

    @property
    def claimed(self) -> NDArray[np.bool_]:
        """Which units the dip claims to be multimodal, at a false discovery rate of 5 %."""
        return np.asarray(self.q < RATE)

    @property
    def suspected(self) -> NDArray[np.bool_]:
        """Which units the critical bandwidth lists as candidates, at the same rate."""
        return np.asarray(self.sensitive_q < RATE)

    def order(self, by: str) -> NDArray[np.int64]:
        """The units in order: those with the strongest evidence first, untested ones last.

        by: "evidence" (p of the dip), "sensitive" (p of the critical bandwidth), both with the
        larger dip first among equals, "zeros" (share of exact zeros), or "index" (the number).
        """
        if by == "index":
            return np.arange(len(self))
        keys = {
            "evidence": (-self.dip, self.p),
            "sensitive": (-self.dip, self.sensitive_p),
            "zeros": (-self.zeros,),
        }
        return np.lexsort((*keys[by], ~self.tested))


@undisturbed()
def find_layer(
    values: Any,
    *,
    seed: int = 0,
    sensitive: bool = True,
    on_progress: Callable[[float], object] | None = None,
) -> LayerModes:
    """The modes of every unit of a layer, of values (n, units), with q-values over the units.

    on_progress: called with 0..1. Raises `ValueError` as `find_modes`, and unless there are two
    axes.
    """
    x, seed = numbers(values), seeded(seed)
    if x.ndim != 2 or not x.shape[1]:
        raise ValueError(f"values have the shape {x.shape}: give (digits, units).")
    found = []
    for unit in range(x.shape[1]):
        found.append(find_modes(x[:, unit], seed=seed + unit, sensitive=sensitive))
        if on_progress is not None:
            on_progress((unit + 1) / x.shape[1])
    tested = np.array([of.state == "tested" for of in found])
    p, low = (np.array([getattr(of, name) for of in found]) for name in ("p_value", "sensitive_p"))
    return LayerModes(
        state=np.array([of.state for of in found]),
        zeros=np.array([of.zeros for of in found]),
        apart=np.array([of.apart for of in found]),
        dip=np.array([of.dip for of in found]),
        p=p,
        q=_adjusted(p, tested),
        sensitive_p=low,
        sensitive_q=_adjusted(low, tested),
        modes=np.array([of.n_modes if of.located else 2 for of in found]),
        bimodality=np.array([of.bimodality for of in found]),
        **_kept([of.density for of in found]),
    )


def _adjusted(p: Numbers, tested: NDArray[np.bool_]) -> Numbers:
    """Adjusted p-values over the tested units; 1 for the others."""
    q = np.ones(len(p))
    if tested.any() and np.isfinite(p[tested]).all():
        q[tested] = adjusted(p[tested])
    return q


def _kept(densities: list[Density | None]) -> dict[str, Numbers]:
    """Grids, heights and bandwidths, thinned out for a picture."""
    first, step, width = (np.full(len(densities), np.nan) for _ in range(3))
    heights = np.zeros((len(densities), _KEPT))
    for unit, of in enumerate(densities):
        if of is not None:
            places = np.linspace(of.grid[0], of.grid[-1], _KEPT)
            first[unit], step[unit], width[unit] = places[0], places[1] - places[0], of.bandwidth
            heights[unit] = np.interp(places, of.grid, of.heights)
    return {"first": first, "step": step, "bandwidth": width, "heights": heights}
