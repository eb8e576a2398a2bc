"""The evidence for or against a claim about units: what was asked, measured and concluded.

A value that says all that is needed to repeat the test, as JSON, and as a page of its own.
"""

from __future__ import annotations

import hashlib
import json
import platform
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from importlib import metadata
from typing import Any

import numpy as np
import torch

from core.claims.findings import (
    INCONCLUSIVE,
    NOT_SUPPORTED,
    QUESTIONS,
    SUPPORTED,
    VERDICTS,
    Controls,
    Finding,
    OperatorFinding,
)
from core.claims.reading import built, checked
from core.data import DataSet
from core.data.concepts import CONCEPTS
from core.interventions.bootstrap import Change
from core.json_text import dumps
from core.text import literal
from core.units import UnitId

__all__ = [
    "CARD_LIMIT",
    "INCONCLUSIVE",
    "NOT_SUPPORTED",
    "PROCEDURE",
    "QUESTIONS",
    "SUPPORTED",
    "VERDICTS",
    "Controls",
    "Evidence",
    "Finding",
    "digits_hash",
    "question",
    "versions",
]

CARD_LIMIT = 2 * 2**20  # bytes of a card; one with 1,000 control sets has about 60 KB
PROCEDURE = 2  # by which a claim is tested and a card is written: 1 knew no operators and no power
_FORMAT = "specialized-neurons evidence"


@dataclass(frozen=True)
class Evidence:
    """What was asked, with which data and weights, what came out, and what follows.

    units: indices in `layer`. ablation: one of `KINDS`. data: their source;
    data_hash and weights_hash: of the test digits and of the model. discovery, confirmation:
    digits in each half. n: confirmation digits that have the concept. operators: what the claim
    looks like under each, where they were compared. procedure: see `PROCEDURE`. carrier: what
    carries the concept in the layer, "a unit", "a direction" or "neither"; None where that was not
    tested. scores: of the units, by question; untrained: of the best units of untrained networks,
    none where that was not tested; see `nulls.scores`.
    """

    model: str
    layer: str
    units: tuple[int, ...]
    concept: str
    ablation: str
    seed: int
    data: str
    data_hash: str
    weights_hash: str
    discovery: int
    confirmation: int
    n: int
    findings: Mapping[str, Finding]
    changes: tuple[Change, ...]
    controls: Controls
    kept_controls: Controls
    made_with: Mapping[str, str] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    operators: Mapping[str, OperatorFinding] = field(default_factory=dict)
    procedure: int = PROCEDURE
    carrier: str | None = None
    scores: Mapping[str, float] = field(default_factory=dict)
    untrained: Mapping[str, Sequence[float]] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """The units by their full names."""
        return tuple(str(UnitId(self.model, self.layer, unit)) for unit in self.units)

    @property
    def verdicts(self) -> dict[str, str]:
        """The verdict on each part of the claim."""
        return {name: finding.verdict for name, finding in self.findings.items()}

    @property
    def verdict(self) -> str:
        """The verdict on necessity."""
        return self.findings["necessary"].verdict

    @property
    def effect(self) -> float:
        """Change of accuracy on the concept's digits when the units are removed, −1..1."""
        return self.change(self.concept).change

    @property
    def interval(self) -> tuple[float, float]:
        """Its 95 % interval."""
        own = self.change(self.concept)
        return own.low, own.high

    @property
    def p_value(self) -> float:
        """The chance of as large an effect from matched random units."""
        return self.controls.p_value

    @property
    def question(self) -> str:
        """The claim in words."""
        return question(self.names, self.concept)

    def change(self, group: str, measure: str = "accuracy") -> Change:
        """The change in one group. Raises `KeyError` for one without digits."""
        for each in self.changes:
            if (each.group, each.measure) == (group, measure):
                return each
        raise KeyError(f"{measure} of {literal(group)} was not measured.")

    def to_json(self) -> str:
        """All of it, and what kind of file it is; null for numbers that couldn't be measured."""
        content = asdict(self)
        return dumps({"format": f"{_FORMAT} {content.pop('procedure')}", **content}, indent=1)

    @classmethod
    def from_json(cls, text: str | bytes) -> Evidence:
        """What `to_json` gave, back. Raises `ValueError`, in a sentence, for anything else.

        A number that is null is one that couldn't be measured, here not a number. A card of an
        older procedure lacks what was added since.
        """
        if len(text) > CARD_LIMIT:
            raise ValueError(
                f"The file has {len(text):,} bytes: a card has at most {CARD_LIMIT:,}."
            )
        try:
            given = json.loads(text, parse_constant=_refused)
            if not isinstance(given, dict):
                raise ValueError("it doesn't say that it is one")
            procedure = _procedure(given.pop("format", None))
            json.dumps(given, ensure_ascii=False).encode()  # half a surrogate can't be shown
            parts = built(given, [each.name for each in fields(cls)], procedure)
            return checked(cls(**parts, procedure=procedure))
        except (
            ValueError,
            TypeError,
            KeyError,
            AttributeError,
            ArithmeticError,
            RecursionError,
        ) as error:
            reason = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
            raise ValueError(
                f"This is not an evidence card ({reason}): choose a JSON file downloaded from Ask."
            ) from None


def _procedure(given: object) -> int:
    """The procedure of a card, from the format that it names."""
    named = re.fullmatch(f"{_FORMAT} ([1-9][0-9]?)", given) if isinstance(given, str) else None
    if named is None:
        raise ValueError("it doesn't say that it is one")
    if int(named[1]) > PROCEDURE:
        raise ValueError(f"it was made with procedure {named[1]}, and this app knows {PROCEDURE}")
    return int(named[1])


def question(names: Sequence[str], concept: str) -> str:
    """The claim as a sentence that can be read aloud."""
    text = CONCEPTS[concept].text if concept in CONCEPTS else concept
    text = text.removeprefix("class ") if concept.startswith("class-") else text
    few = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return f"Do{'es' if len(names) == 1 else ''} {few} represent the {text}?"


def digits_hash(digits: DataSet) -> str:
    """SHA-256 of the images and labels, 16 hex digits."""
    digest = hashlib.sha256(digits.labels.numpy().tobytes())
    digest.update(np.ascontiguousarray(digits.images.numpy()).data)
    return digest.hexdigest()[:16]


def versions() -> dict[str, str]:
    """Which software made a result."""
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "scipy": metadata.version("scipy"),
    }


def _refused(constant: str) -> float:
    """Raise `ValueError` for NaN and Infinity, which are no JSON."""
    raise ValueError(f"it holds {constant}, which is no JSON")
