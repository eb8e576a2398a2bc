"""The smallest effect that a test finds with 80 % power at its number of digits.

A verdict that isn't "supported" says nothing about effects below it. For small changes of accuracy
it is about limit + 2.8 √(δ / n), with δ the share of digits that change; here the test's own rule
is applied to every outcome that n digits can have, each counted as often as it happens.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.fft import next_fast_len
from scipy.stats import binom

from core.statistics import rate_bound

__all__ = [
    "POWER",
    "beyond_controls",
    "bootstrap_low",
    "power_of_loss",
    "smallest_loss",
    "smallest_share",
]

Numbers = NDArray[np.float64]

POWER = 0.80
_TAIL = 0.025  # below a 95 % interval, and above it
_RARE = 1e-9  # outcomes beyond this tail are left out
_FINE = 1e-4  # of a loss, that it is looked for by
_DRAWS = 1000  # of digits


def bootstrap_low(lost: int, won: int, n: int) -> float:
    """The lower end of the 95 % bootstrap interval of a loss, (lost − won) / n before resampling.

    Exact, as if of infinitely many draws: n digits, each −1, 0 or 1, added up by convolution. Where
    none was won it is lower by what may be unseen, as for any verdict; see `rate_bound`.
    """
    if won:
        circle = int(next_fast_len(2 * n + 1, real=True))
        steps = np.zeros(circle)  # the sum of n digits, −n..n, around a circle
        steps[[0, 1, -1]] = (n - lost - won) / n, lost / n, won / n
        sums = np.fft.irfft(np.fft.rfft(steps) ** n, circle)
        ordered = np.concatenate([sums[-n:], sums[: n + 1]])
        return float(np.searchsorted(ordered.cumsum(), _TAIL) - n) / n
    return float(binom.ppf(_TAIL, n, lost / n) / n - rate_bound(n))


def power_of_loss(loss: float, n: int, *, won: float = 0.0, limit: float) -> float:
    """How often n digits show a loss above `limit`, when they lose `loss` on average.

    loss: of accuracy, 0..1; won: the share of digits that become right all the same. Shown is what
    the lower end of the interval is above.
    """
    low, high = (int(binom.ppf(tail, n, won)) for tail in (_RARE, 1 - _RARE))
    winners = np.arange(low, high + 1)
    needed = _needed(low, high, n, limit)
    losing = min((loss + won) / max(1 - won, _RARE), 1.0)
    shown = binom.sf(needed - 1, n - winners, losing)
    return float((binom.pmf(winners, n, won) * shown).sum())


@lru_cache(1024)
def smallest_loss(n: int, *, won: float, most: float, limit: float) -> float | None:
    """The smallest loss that n digits show to be above `limit` with 80 % power.

    won: as for `power_of_loss`. most: that can be lost, such as all that was right. None where not
    even that would be found.
    """
    low, high = limit, min(most, 1 - 2 * won)
    if high <= low or power_of_loss(high, n, won=won, limit=limit) < POWER:
        return None
    while high - low > _FINE:
        middle = (low + high) / 2
        if power_of_loss(middle, n, won=won, limit=limit) < POWER:
            low = middle
        else:
            high = middle
    return high


@lru_cache(1024)
def smallest_share(n: int, *, limit: float) -> float | None:
    """The smallest share that n digits show to be above `limit` with 80 % power.

    Of digits that either keep an answer or lose it. None where not even all of them show it.
    """
    kept = np.arange(n + 1)
    lowest = binom.ppf(_TAIL, n, kept / n) / n - np.where(kept == n, rate_bound(n), 0.0)
    shown = lowest > limit

    def power(share: float) -> float:
        return float(binom.pmf(kept, n, share)[shown].sum())

    low, high = limit, 1.0
    if power(high) < POWER:
        return None
    while high - low > _FINE:
        middle = (low + high) / 2
        low, high = (middle, high) if power(middle) < POWER else (low, middle)
    return high


def beyond_controls(losses: Numbers, alpha: float, seed: int) -> float | None:
    """The smallest mean loss that is larger than all but `alpha` of the controls', 80 % power.

    losses: (controls, n), of each digit. Digits are drawn anew, for the controls and, apart from
    them, for units whose losses are spread over digits as are those of the control that has to be
    beaten. None where there are too few controls, or their losses aren't finite.
    """
    allowed = int(alpha * (len(losses) + 1) + 1e-9) - 1  # that may be as large: p counts the claim
    if allowed < 0 or not np.isfinite(losses).all():
        return None
    generator, n = np.random.default_rng(seed), losses.shape[1]
    means = losses.mean(1)
    beaten = int(np.argsort(-means, kind="stable")[allowed])
    limits = -np.partition(-(_drawn(n, generator) @ losses.T), allowed, axis=1)[:, allowed]
    noise = _drawn(n, generator) @ losses[beaten] - means[beaten]
    return float(np.quantile(limits - noise, POWER))


def _drawn(n: int, generator: np.random.Generator) -> Numbers:
    """(draws, n): the share of n draws, with replacement, that each digit has."""
    drawn = generator.integers(0, n, (_DRAWS, n)) + n * np.arange(_DRAWS)[:, None]
    return np.bincount(drawn.ravel(), minlength=_DRAWS * n).reshape(_DRAWS, n) / n


@lru_cache(256)
def _needed(low: int, high: int, n: int, limit: float) -> NDArray[np.int64]:
    """How many of n digits have to be lost for a loss above `limit` to be shown; n + 1 for none.

    (high − low + 1,): where `low` to `high` others are won.
    """
    found: list[int] = []
    lost = 0
    for won in range(low, high + 1):
        while lost <= n - won and bootstrap_low(lost, won, n) <= limit:
            lost += 1 if found else max(1, int(n * (limit - bootstrap_low(lost, won, n))))
        while lost and bootstrap_low(lost - 1, won, n) > limit:  # fewer where some were won
            lost -= 1
        found.append(lost if lost <= n - won else n + 1)
    return np.array(found)
