"""From statistics to verdicts, by rules that were fixed before any claim was tested.

| verdict | supported when, on the confirmation digits | not supported when |
| --- | --- | --- |
| necessary | removing the units costs the concept's digits more than 10 points of accuracy (the whole 95 % interval) and more than 95 % of matched control sets do | the interval excludes 10 points, or controls cost as much |
| sufficient | with all other units of the layer removed, the network still tells the concept's digits from other classes at least 75 % as well (whole interval), and better than 95 % of control sets | the interval excludes 75 %, or controls do as well |
| conditional detector | AUC within the class is above 0.8 (whole interval) | the interval excludes 0.8 |
| global detector | AUC among all digits is above 0.9 (whole interval) and average precision above 0.5 | either is excluded |
| erasable | some k, at most a quarter of the layer, leaves at most 10 % of the class's recall and 95 % of every other's | none does |

Nothing is supported that the best units of 95 % of untrained networks score as well, see
`core.claims.nulls`. All else, anything judged on fewer than 30 digits, and anything of a network that gives numbers that
aren't finite, is inconclusive. Where a loss isn't shown, the reason states the smallest that would
have been found; see `core.statistics.power`.
"""  # noqa: E501

from __future__ import annotations

import math

from core.claims.detection import Detection
from core.claims.evidence import INCONCLUSIVE, NOT_SUPPORTED, SUPPORTED, Controls, Finding
from core.interventions.bootstrap import Change
from core.statistics.limits import ALPHA, AMONG_ALL, FEWEST, WITHIN
from core.statistics.power import smallest_loss, smallest_share

__all__ = ["conditional", "everywhere", "necessary", "sufficient"]

LOSS = 0.10  # of accuracy, at least, that units must cost to be called necessary
KEPT = 0.75  # of the discrimination, at least, that sufficient units keep alone
PRECISE = 0.5  # average precision of a global detector


def necessary(
    change: Change,
    controls: Controls,
    *,
    without: str = "Without the units",
    others: str = "removing control sets",
) -> Finding:
    """Whether the network loses the concept's digits without the units, or without something else.

    without, others: what was done, and what is done to the controls, in words. Unless the digits
    are lost, the reason states the smallest loss that would have been found.
    """
    loss, low, high = (0.0 - each for each in (change.change, change.high, change.low))  # no −0
    said = (
        f"{without}, accuracy on these digits goes from {change.before:.1%} to "
        f"{change.after:.1%} ({change.change:+.1%}, 95 % interval {change.low:+.1%} to "
        f"{change.high:+.1%})"
    )
    if not _measured(loss, low, high):
        return _unmeasured(change.n)
    if change.n < FEWEST:
        return _too_few(change.n, loss, low, high)
    if high < LOSS:
        verdict, why = NOT_SUPPORTED, f"a loss of {LOSS:.0%} is excluded"
    elif not len(controls):
        verdict, why = INCONCLUSIVE, "there are no other units to compare with"
    elif controls.p_value > ALPHA and low > LOSS:
        verdict, why = NOT_SUPPORTED, f"{others} costs as much ({_chance(controls)})"
    elif low > LOSS:
        verdict, why = SUPPORTED, f"{others} costs less ({_chance(controls)})"
    else:
        verdict, why = INCONCLUSIVE, f"a loss of {LOSS:.0%} is neither shown nor excluded"
    found = _smallest_loss(change)
    reason = f"{said}: {why}." + ("" if verdict == SUPPORTED else _power(found, change, controls))
    return Finding(verdict, reason, loss, low, high, change.n, found)


def _smallest_loss(change: Change) -> float | None:
    """The smallest loss of accuracy that these digits show to be above the limit, 80 % power."""
    return smallest_loss(change.n, won=change.gained / change.n, most=change.before, limit=LOSS)


def _power(found: float | None, change: Change, controls: Controls) -> str:
    """What could have been found, as a sentence that follows another."""
    if found is None:
        return f" With {change.n:,} digits, no loss could have been found with 80 % power."
    also = (
        ""
        if controls.detectable is None
        else f", and one of {controls.detectable:.2g} nats of log-likelihood to cost more than "
        "95 % of the control sets"
    )
    return (
        f" With {change.n:,} digits, a loss of {100 * found:.1f} points of accuracy is the "
        f"smallest that would have been found with 80 % power{also}."
    )


def sufficient(kept: float, low: float, high: float, n: int, controls: Controls) -> Finding:
    """Whether the units alone still tell the concept's digits from other classes.

    kept: the share of the discrimination that is left, with its interval.
    """
    said = (
        f"With every other unit of the layer removed, {kept:.0%} of the network's ability to "
        f"separate these digits from other classes remains (95 % interval {low:.0%} to {high:.0%})"
    )
    if not _measured(kept, low, high):
        return _unmeasured(n)
    if n < FEWEST:
        return _too_few(n, kept, low, high)
    if high < KEPT:
        verdict, why = NOT_SUPPORTED, f"{KEPT:.0%} is excluded"
    elif not len(controls):
        verdict, why = INCONCLUSIVE, "there are no other units to compare with"
    elif low > KEPT and controls.p_value > ALPHA:
        verdict, why = NOT_SUPPORTED, f"control sets alone keep as much ({_chance(controls)})"
    elif low > KEPT:
        verdict, why = SUPPORTED, f"control sets alone keep less ({_chance(controls)})"
    else:
        verdict, why = INCONCLUSIVE, f"{KEPT:.0%} is neither shown nor excluded"
    least = smallest_share(n, limit=KEPT)
    also = "" if verdict == SUPPORTED else _smallest_share(least, n)
    return Finding(verdict, f"{said}: {why}.{also}", kept, low, high, n, least)


def _smallest_share(least: float | None, n: int) -> str:
    """What could have been found, as a sentence that follows another."""
    if least is None:
        return f" With {n:,} digits, nothing could have been found with 80 % power."
    return (
        f" With {n:,} digits, {least:.0%} is the least that would have been found with 80 % power."
    )


def conditional(found: Detection | None) -> Finding:
    """Whether the units tell digits with the concept from others of the same class.

    found: None where no class has digits of both kinds.
    """
    if found is None:
        reason = (
            "No class has digits both with and without the concept, so there is nothing to compare."
        )
        return Finding(INCONCLUSIVE, reason, None, None, None, 0)
    n = min(found.present, found.absent)
    if not _measured(found.auc, found.low, found.high):
        return _unmeasured(n)
    if n < FEWEST:
        return _too_few(n, found.auc, found.low, found.high)
    verdict, why = _against(WITHIN, found.low, found.high)
    said = _area("Among digits of the same class", found)
    return Finding(verdict, f"{said}: {why}.", found.auc, found.low, found.high, n)


def everywhere(found: Detection) -> Finding:
    """Whether the units tell digits with the concept from all other digits."""
    n = min(found.present, found.absent)
    if not _measured(found.auc, found.low, found.high):
        return _unmeasured(n)
    if n < FEWEST:
        return _too_few(n, found.auc, found.low, found.high)
    verdict, why = _against(AMONG_ALL, found.low, found.high)
    if verdict == SUPPORTED and found.precision < PRECISE:
        verdict, why = NOT_SUPPORTED, "an average precision above 0.5 is also required"
    said = (
        f"{_area('Among all digits', found)}, average precision {found.precision:.2f} (chance "
        f"{found.base:.2f})"
    )
    return Finding(verdict, f"{said}: {why}.", found.auc, found.low, found.high, n)


def _against(limit: float, low: float, high: float) -> tuple[str, str]:
    """The verdict on an interval that should lie above a limit."""
    if low > limit:
        return SUPPORTED, f"a detector needs {limit}"
    if high < limit:
        return NOT_SUPPORTED, f"a detector needs {limit}, which is excluded"
    return INCONCLUSIVE, f"a detector needs {limit}, which is neither reached nor excluded"


def _area(where: str, found: Detection) -> str:
    """An AUC in words."""
    return f"{where}, AUC {found.auc:.2f} (95 % interval {found.low:.2f} to {found.high:.2f})"


def _chance(controls: Controls) -> str:
    """The controls in words."""
    return f"p = {controls.p_value:.3f}, {len(controls)} sets"


def _too_few(n: int, value: float, low: float, high: float) -> Finding:
    """Too few digits for any verdict."""
    reason = (
        f"Only {n} digits are available for the test: at least {FEWEST} are needed, so no effect "
        "could have been found."
    )
    return Finding(INCONCLUSIVE, reason, value, low, high, n)


def _measured(*numbers: float) -> bool:
    """Whether all are finite: a network that gives infinite numbers, or none, can't be judged."""
    return all(math.isfinite(number) for number in numbers)


def _unmeasured(n: int) -> Finding:
    """Nothing to judge by."""
    reason = "Nothing could be measured: the network's outputs are not finite."
    return Finding(INCONCLUSIVE, reason, None, None, None, n)
