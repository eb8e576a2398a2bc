"""One claim under every operator: whether what it says depends on how units are removed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from core.claims.evidence import Evidence
from core.claims.findings import NOT_SUPPORTED, SUPPORTED, OperatorFinding
from core.data.concepts import CONCEPTS
from core.interventions.operators import KINDS

__all__ = [
    "ASKED",
    "IN_WORDS",
    "WITHIN_CLASSES",
    "OperatorFindings",
    "agreement",
    "operators_for",
    "under_each",
]

ASKED = ("necessary", "sufficient")  # for which units are removed
WITHIN_CLASSES = ("class-mean", "resample-class")  # which leave the class where it was
IN_WORDS = {
    "zero": "zero",
    "mean": "the unit's mean",
    "class-mean": "its mean in the digit's class",
    "resample": "its value on another digit",
    "resample-class": "its value on another digit of the class",
    "optimal": "the constant that costs least",
    "erase": "what is left without the concept's direction",
}


@dataclass(frozen=True)
class OperatorFindings:
    """What a claim looks like under each operator, by kind."""

    by_kind: Mapping[str, OperatorFinding]

    def table(self) -> pd.DataFrame:
        """A row for each operator: verdicts, effects with intervals, p, and the smallest loss.

        What units are sufficient for isn't said where the others keep the class.
        """
        rows = [
            {
                "operator": kind,
                "necessary": of.necessary.verdict,
                "loss": of.necessary.value,
                "from": of.necessary.low,
                "to": of.necessary.high,
                "p": of.p_value,
                "detectable": of.necessary.detectable,
                **(_no_share() if kind in WITHIN_CLASSES else _share(of)),
            }
            for kind, of in self.by_kind.items()
        ]
        return pd.DataFrame(rows)


def _share(of: OperatorFinding) -> dict[str, object]:
    """What the units keep alone, as columns of the table."""
    return {
        "sufficient": of.sufficient.verdict,
        "kept": of.sufficient.value,
        "kept p": of.kept_p_value,
    }


def _no_share() -> dict[str, object]:
    """The same columns, empty."""
    return dict.fromkeys(("sufficient", "kept", "kept p"))


def operators_for(concept: str) -> tuple[str, ...]:
    """The operators that can take a concept away.

    A whole class is left as it is by a mean of the class and by donors of it.
    """
    of = CONCEPTS[concept]
    whole = of.label is not None and concept == f"class-{of.label}"
    return tuple(kind for kind in KINDS if not (whole and kind in WITHIN_CLASSES))


def under_each(found: Mapping[str, Evidence]) -> OperatorFindings:
    """What each operator says of a claim. found: by kind, the evidence on it."""
    return OperatorFindings(
        {
            kind: OperatorFinding(
                of.findings["necessary"],
                of.findings["sufficient"],
                of.effect,
                of.controls.p_value,
                of.kept_controls.p_value,
            )
            for kind, of in found.items()
        }
    )


def agreement(by_kind: Mapping[str, OperatorFinding], question: str) -> tuple[str, dict[str, str]]:
    """Whether operators agree on "necessary" or "sufficient", and the verdict of each.

    "agree": one verdict for all. "differ": some are inconclusive. "contradict": some support the
    claim, and some exclude it. For sufficiency those that leave the class in all other units don't
    count: the network then tells it by them.
    """
    left_out = WITHIN_CLASSES if question == "sufficient" else ()
    verdicts = {
        kind: of.of(question).verdict for kind, of in by_kind.items() if kind not in left_out
    }
    different = set(verdicts.values())
    if len(different) == 1:
        return "agree", verdicts
    return ("contradict" if {SUPPORTED, NOT_SUPPORTED} <= different else "differ"), verdicts
