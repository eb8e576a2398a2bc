"""The modes of one unit's values: which peaks stand, and what each test says of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.arguments import real, seeded
from core.modality.density import (
    Density,
    Peaks,
    binned,
    density,
    peaks_of,
    smoothed,
)
from core.modality.describing import bimodality_coefficient
from core.modality.dip import dip, dip_p_value
from core.modality.sample import SENTENCES, Sample, State, prepare
from core.modality.silverman import critical_bandwidths, critical_p_values
from core.surroundings import undisturbed
from core.text import literal

__all__ = ["RATE", "Modality", "Mode", "find_modes"]

Numbers = NDArray[np.float64]

RATE = 0.05  # of false claims
STABLE = 0.9  # of resamples in which a mode must be there
_RESAMPLES = 40
_MOST = 6  # modes
_WIDTHS = (0.8, 1.0, 1.25)  # times the bandwidth, at which a mode must be there too
_STILL = 0.025  # of the highest peak: prominence by which a mode is known again in a resample


@dataclass(frozen=True)
class Mode:
    """A peak of the density and what belongs to it.

    at: its place. height: of the density there. prominence: how far it rises above the saddle to
    higher ground, as a share of the highest peak. low, high: the valleys that bound it. share: of
    all values that lie between. stability: share of resamples, at three bandwidths, that have it.
    """

    at: float
    height: float
    prominence: float
    low: float
    high: float
    share: float
    stability: float


@dataclass(frozen=True)
class Modality:
    """What is known of the modes of one unit's values.

    state: why nothing could be tested, "tested" when it could; then p-values are 1 and numbers that
    can't be had nan. zeros: share of exact zeros; apart: whether they are an atom, which is no mode
    and left out of everything else. modes: peaks from left to right, see `find_modes`. dip,
    p_value: of the claim "more than one mode" (Hartigan & Hartigan 1985). critical: the bandwidth
    at which the second mode goes; sensitive_p: of Silverman's test. bimodality: a description, no
    test. few: the values that the tests saw, at most 2,000.
    """

    state: State
    n: int
    few: Numbers = field(repr=False)
    zeros: float
    apart: bool
    dithered: bool
    modes: tuple[Mode, ...]
    dip: float
    p_value: float
    critical: float
    sensitive_p: float
    bimodality: float
    density: Density | None

    @property
    def n_modes(self) -> int:
        """How many modes the smooth part has."""
        return len(self.modes)

    @property
    def multimodal(self) -> bool:
        """Whether the dip claims more than one mode."""
        return self.p_value < RATE

    @property
    def said(self) -> str:
        """In words: "atom at 0 + 1 mode", or why nothing was tested."""
        atom = "atom at 0 + " if self.apart else ""
        if self.state != "tested":
            return SENTENCES[self.state]
        return f"{atom}{self.n_modes} mode{'' if self.n_modes == 1 else 's'}"


@undisturbed()
def find_modes(
    values: Any, *, seed: int = 0, width: float | None = None, sensitive: bool = True
) -> Modality:
    """The modes of one unit's values (n,), an array or a tensor, and tests whether there are two.

    Peaks of the density are modes when resampling and other bandwidths leave them, and only as many
    as the tests find: one, unless the dip claims more; then the fewest that Silverman's test for
    two, three, … doesn't reject, the most prominent. What Silverman's test alone sees is a suspect,
    not a mode: it takes flat tops for two. width: bandwidth of the density, chosen when
    None. sensitive: whether Silverman's test is made, which takes most of the time. The same values
    and seed give the same result.

    Raises `ValueError` for no values, for values that aren't finite numbers, for more than one
    axis, and for a seed or a width that is none. Constant values and those that are too few are no
    error: the state says so.
    """
    random = np.random.default_rng(seeded(seed))
    if width is not None and not real(width, "width") > 0:
        raise ValueError(f"width is {literal(width)}: give a bandwidth above 0.")
    sample = prepare(values, random)
    if sample.state != "tested":
        return _untested(sample)
    statistic = dip(sample.few)
    critical, p = np.nan, np.nan
    if sensitive:
        found = critical_bandwidths(sample.few[:, None], random)
        critical = float(found.bandwidths[0])
        p = float(critical_p_values(found.shares, len(sample.few))[0])
    p_value = dip_p_value(statistic, len(sample.few))
    smooth = density(sample.smooth, None if width is None else float(width))
    count = _count(sample.few, random) if p_value < RATE else 1
    return Modality(
        state=sample.state,
        n=sample.n,
        few=sample.few,
        zeros=sample.zeros,
        apart=sample.apart,
        dithered=sample.dithered,
        modes=_modes(sample, smooth, random, count),
        dip=statistic,
        p_value=p_value,
        critical=critical,
        sensitive_p=p,
        bimodality=bimodality_coefficient(sample.few),
        density=smooth,
    )


def _untested(sample: Sample) -> Modality:
    """What can be said of values that can't be tested."""
    nan = float("nan")
    return Modality(
        state=sample.state,
        n=sample.n,
        few=sample.few,
        zeros=sample.zeros,
        apart=sample.apart,
        dithered=False,
        modes=(),
        dip=0.0,
        p_value=1.0,
        critical=nan,
        sensitive_p=1.0,
        bimodality=nan,
        density=None,
    )


def _count(few: Numbers, random: np.random.Generator) -> int:
    """The fewest modes, from two on, that Silverman's test doesn't reject."""
    for modes in range(2, _MOST):
        found = critical_bandwidths(few[:, None], random, modes=modes)
        if critical_p_values(found.shares, len(few))[0] >= RATE:
            return modes
    return _MOST


def _modes(
    sample: Sample, of: Density, random: np.random.Generator, count: int
) -> tuple[Mode, ...]:
    """The peaks that resampling and other bandwidths leave, `count` at the most."""
    peaks = peaks_of(of.heights)
    stability = _stability(sample, of, peaks, random) if count > 1 else np.ones(len(peaks.at))
    standing = np.where(stability >= STABLE, peaks.prominences, 0)
    keep = (standing > 0) & (standing >= np.sort(standing)[::-1][:count][-1])
    if not keep.any():
        keep[of.heights[peaks.at].argmax()] = True
    at = peaks.at[keep]
    valleys = [a + int(of.heights[a : b + 1].argmin()) for a, b in pairwise(at)]
    borders = [-np.inf, *of.grid[valleys].tolist(), np.inf]
    parts = np.searchsorted(np.sort(sample.smooth), borders)
    shares = np.diff(parts) / sample.n
    return tuple(
        Mode(
            at=float(of.grid[place]),
            height=float(of.heights[place]),
            prominence=float(peaks.prominences[keep][i] / of.heights.max()),
            low=borders[i],
            high=borders[i + 1],
            share=float(shares[i]),
            stability=float(stability[keep][i]),
        )
        for i, place in enumerate(at)
    )


def _stability(sample: Sample, of: Density, peaks: Peaks, random: np.random.Generator) -> Numbers:
    """(peaks,): the share of resamples, at several bandwidths, with a peak between its valleys."""
    if len(peaks.at) == 1:
        return np.ones(1)
    grid, step = of.grid, of.grid[1] - of.grid[0]
    low, steps = np.array([grid[0]]), np.array([step])
    counts = binned(sample.smooth[:, None], low, steps, len(grid))[0]
    n = len(sample.smooth)
    drawn = random.multinomial(n, counts / counts.sum(), _RESAMPLES).astype(np.float64)
    borders = [0, *peaks.valleys.tolist(), len(grid)]
    seen = np.zeros(len(peaks.at))
    for times in _WIDTHS:
        for heights in smoothed(drawn, np.full(_RESAMPLES, times * of.bandwidth / step)):
            again = peaks_of(heights, _STILL).at
            seen += np.histogram(again, borders)[0] > 0
    return np.asarray(seen / (len(_WIDTHS) * _RESAMPLES))
