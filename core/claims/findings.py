"""The parts of what is found about a claim: verdicts, controls, and what each operator says."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "A_DIRECTION",
    "A_UNIT",
    "CARRIERS",
    "INCONCLUSIVE",
    "NEITHER",
    "NOT_SUPPORTED",
    "QUESTIONS",
    "SUPPORTED",
    "VERDICTS",
    "Controls",
    "Finding",
    "OperatorFinding",
]

SUPPORTED, NOT_SUPPORTED, INCONCLUSIVE = "supported", "not supported", "inconclusive"
VERDICTS = (SUPPORTED, NOT_SUPPORTED, INCONCLUSIVE)
A_UNIT, A_DIRECTION, NEITHER = CARRIERS = ("a unit", "a direction", "neither")
QUESTIONS = ("necessary", "sufficient", "conditional detector", "global detector")


@dataclass(frozen=True)
class Finding:
    """One verdict, the statistic it follows from with a 95 % interval, and why, in a sentence.

    n: the digits it was judged on. detectable: the smallest true value that this many digits show
    to be above the verdict's limit, with 80 % power. The numbers are None where nothing could be
    measured, or found.
    """

    verdict: str
    reason: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    detectable: float | None = None


@dataclass(frozen=True)
class Controls:
    """The same test of random sets of units. effects: one each, of `measure`; own: the claim's.

    distinct: different sets among them. p_value: (1 + controls at least as large) / (1 + controls).
    detectable: the smallest true effect that is larger than 95 % of the sets', with 80 % power.
    """

    measure: str
    own: float
    effects: tuple[float, ...]
    distinct: int
    p_value: float
    detectable: float | None = None

    def __len__(self) -> int:
        """How many sets."""
        return len(self.effects)


@dataclass(frozen=True)
class OperatorFinding:
    """What follows when the units are removed by one operator.

    Detectors aren't here: they are read off the activations, and no unit is removed for them.
    effect: change of accuracy on the concept's digits, −1..1. p_value, kept_p_value: those of the
    controls, of the units removed and of them kept alone.
    """

    necessary: Finding
    sufficient: Finding
    effect: float
    p_value: float
    kept_p_value: float

    def of(self, question: str) -> Finding:
        """The finding on "necessary" or "sufficient"."""
        return self.necessary if question == "necessary" else self.sufficient
