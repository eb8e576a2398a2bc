"""The modes of one unit's values: which peaks stand, and what each test says of them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.arguments import real, seeded
from core.statistics.modes.density import Density
from core.statistics.modes.describing import bimodality_coefficient
from core.statistics.modes.dip import dip, dip_p_value
from core.statistics.modes.locating import RATE, Mode, count_modes, locate
from core.statistics.modes.sample import SENTENCES, Sample, State, checked, prepare
from core.statistics.modes.silverman import critical_bandwidths, critical_p_values
from core.surroundings import undisturbed
from core.text import literal

__all__ = ["RATE", "Modality", "Mode", "find_modes"]

Numbers = NDArray[np.float64]
_LARGE = 300  # power of two beyond which squares of values could overflow, or vanish


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
        """How many modes the smooth part has, as far as they were located."""
        return len(self.modes)

    @property
    def located(self) -> bool:
        """Whether there are as many modes as the dip claims: at least two where it claims some."""
        return len(self.modes) > 1 or not self.multimodal

    @property
    def multimodal(self) -> bool:
        """Whether the dip claims more than one mode."""
        return self.p_value < RATE

    @property
    def suspected(self) -> bool:
        """Whether Silverman's test finds more than one mode: a candidate, no claim."""
        return self.sensitive_p < RATE

    @property
    def said(self) -> str:
        """In words: "values at exactly 0 + 1 mode", or why nothing was tested."""
        atom = "values at exactly 0 + " if self.apart else ""
        if self.state != "tested":
            return SENTENCES[self.state]
        if not self.located:
            return f"{atom}more than one mode, not located"
        return f"{atom}{self.n_modes} mode{'' if self.n_modes == 1 else 's'}"


@undisturbed()
def find_modes(
    values: Any, *, seed: int = 0, width: float | None = None, sensitive: bool = True
) -> Modality:
    """The modes of one unit's values (n,), an array or a tensor, and tests whether there are two.

    Peaks of the density are modes when resampling and other bandwidths leave them, and only as many
    as the tests find: one, unless the dip claims more; then the fewest that Silverman's test for
    two, three, … doesn't reject, the most prominent. Where the usual bandwidth shows fewer, others
    are tried, so that hardly ever one is found where the dip claims more: see `locate` and
    `Modality.located`. What Silverman's test alone sees is a suspect, not a mode: it takes flat
    tops for two. width: bandwidth of the density, chosen when None. sensitive: whether Silverman's
    test is made, which takes most of the time. The same values and seed give the same result.

    Raises `ValueError` for no values, for values that aren't finite numbers, for more than one
    axis, and for a seed or a width that is none. Constant values and those that are too few are no
    error: the state says so.
    """
    random = np.random.default_rng(seeded(seed))
    if width is not None and not real(width, "width") > 0:
        raise ValueError(f"width is {literal(width)}: give a bandwidth above 0.")
    x = checked(values)
    power = _power(x)
    if power:
        narrow = None if width is None else float(np.ldexp(float(width), -power))
        found = find_modes(np.ldexp(x, -power), seed=seed, width=narrow, sensitive=sensitive)
        return _times(found, power)
    sample = prepare(x, random)
    if sample.state != "tested":
        return _untested(sample)
    statistic = dip(sample.few)
    critical, p = np.nan, np.nan
    if sensitive:
        silverman = critical_bandwidths(sample.few[:, None], random)
        critical = float(silverman.bandwidths[0])
        p = float(critical_p_values(silverman.shares, len(sample.few))[0])
    p_value = dip_p_value(statistic, len(sample.few))
    count = count_modes(sample.few, random) if p_value < RATE else 1
    smooth, modes = locate(sample, None if width is None else float(width), count, random)
    return Modality(
        state=sample.state,
        n=sample.n,
        few=sample.few,
        zeros=sample.zeros,
        apart=sample.apart,
        dithered=sample.dithered,
        modes=modes,
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


def _power(x: Numbers) -> int:
    """The power of two by which values are divided first, 0 unless they are huge or tiny."""
    power = int(np.frexp(np.abs(x).max())[1])
    return power if abs(power) > _LARGE else 0


def _times(found: Modality, power: int) -> Modality:
    """What was found, for values 2**power times as large; no number is rounded by that."""

    def back(values: Any) -> Any:
        return np.ldexp(values, power)

    modes = tuple(
        replace(
            of,
            at=float(back(of.at)),
            height=float(np.ldexp(of.height, -power)),
            low=float(back(of.low)),
            high=float(back(of.high)),
        )
        for of in found.modes
    )
    smooth = found.density
    if smooth is not None:
        heights = np.ldexp(smooth.heights, -power)
        smooth = Density(back(smooth.grid), heights, float(back(smooth.bandwidth)))
    critical = float(back(found.critical))
    return replace(found, few=back(found.few), modes=modes, critical=critical, density=smooth)
