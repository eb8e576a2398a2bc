"""The evidence for or against a claim about units: what was asked, measured and concluded.

A value that says all that is needed to repeat the test, as JSON, and as a page of its own.
"""

from __future__ import annotations

import hashlib
import json
import math
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from importlib import metadata
from typing import Any, TypeVar

import numpy as np
import torch

from core.data import DataSet
from core.data.concepts import CONCEPTS
from core.interventions.bootstrap import Change
from core.interventions.operators import KINDS
from core.json_text import dumps
from core.text import literal
from core.units import UnitId

__all__ = [
    "CARRIERS",
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

SUPPORTED, NOT_SUPPORTED, INCONCLUSIVE = "supported", "not supported", "inconclusive"
VERDICTS = (SUPPORTED, NOT_SUPPORTED, INCONCLUSIVE)
A_UNIT, A_DIRECTION, NEITHER = CARRIERS = ("a unit", "a direction", "neither")
QUESTIONS = ("necessary", "sufficient", "conditional detector", "global detector")
CARD_LIMIT = 2 * 2**20  # bytes of a card; one with 1,000 control sets has about 60 KB
_FORMAT = "specialized-neurons evidence 1"
_Part = TypeVar("_Part")


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
class Evidence:
    """What was asked, with which data and weights, what came out, and what follows.

    units: indices in `layer`. ablation: one of `KINDS`. data: their source;
    data_hash and weights_hash: of the test digits and of the model. discovery, confirmation:
    digits in each half. n: confirmation digits that have the concept. carrier: what carries it in
    the layer, "a unit", "a direction" or "neither"; None where that was not tested.
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
    carrier: str | None = None

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
        return dumps({"format": _FORMAT, **asdict(self)}, indent=1)

    @classmethod
    def from_json(cls, text: str | bytes) -> Evidence:
        """What `to_json` gave, back. Raises `ValueError`, in a sentence, for anything else.

        A number that is null is one that couldn't be measured, here not a number.
        """
        if len(text) > CARD_LIMIT:
            raise ValueError(
                f"The file has {len(text):,} bytes: a card has at most {CARD_LIMIT:,}."
            )
        try:
            given = json.loads(text, parse_constant=_refused)
            if not isinstance(given, dict) or given.pop("format", None) != _FORMAT:
                raise ValueError("it doesn't say that it is one")
            json.dumps(given, ensure_ascii=False).encode()  # half a surrogate can't be shown
            return _checked(cls(**_built(given)))
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


def _built(given: dict[str, Any]) -> dict[str, Any]:
    """The fields of `Evidence` from those of a card."""
    known = {each.name for each in fields(Evidence)}
    if unknown := set(given) - known:
        raise ValueError(f"unknown field {literal(sorted(unknown)[0], 40)}")
    return {
        **given,
        "units": tuple(given["units"]),
        "findings": {str(name): Finding(**of) for name, of in given["findings"].items()},
        "changes": tuple(_with_gaps(Change(**of)) for of in given["changes"]),
        "controls": _controls(given["controls"]),
        "kept_controls": _controls(given["kept_controls"]),
    }


def _controls(given: dict[str, Any]) -> Controls:
    """Controls with their effects as numbers."""
    effects = (math.nan if of is None else of for of in given["effects"])
    return _with_gaps(Controls(**{**given, "effects": tuple(effects)}))


def _with_gaps(part: _Part) -> _Part:
    """The part, "not a number" where a card has null for a number that must be there."""
    gaps = {
        each.name: math.nan
        for each in fields(part)  # type: ignore[arg-type]
        if each.type == "float" and getattr(part, each.name) is None
    }
    return replace(part, **gaps)  # type: ignore[type-var]


def _refused(constant: str) -> float:
    """Raise `ValueError` for NaN and Infinity, which are no JSON."""
    raise ValueError(f"it holds {constant}, which is no JSON")


def _checked(card: Evidence) -> Evidence:
    """The card, once all that a page shows of it is of its type and finite."""
    parts: tuple[Any, ...] = (card.controls, card.kept_controls, *card.changes)
    for each in (card, *parts, *card.findings.values()):
        for part in fields(each):
            _check(part.name, getattr(each, part.name), _TYPES.get(str(part.type)))
    for unit in card.units:
        _check("unit", unit, (int,))
    for effect in (*card.controls.effects, *card.kept_controls.effects):
        _check("effect", effect, (int, float))
    for name, facts in (("training", card.training), ("made_with", card.made_with)):
        _check(name, facts, (dict,))
        for fact in facts.values():
            _check(name, fact, (str, int))
    if not card.units or min(card.units) < 0 or set(card.findings) != set(QUESTIONS):
        raise ValueError("it names no units, or lacks a verdict")
    if wrong := {of.verdict for of in card.findings.values()} - set(VERDICTS):
        raise ValueError(f"{literal(sorted(wrong)[0], 40)} is not a verdict")
    if card.ablation not in KINDS:
        raise ValueError(f"{literal(card.ablation, 40)} is not a kind of ablation")
    if card.carrier is not None and card.carrier not in CARRIERS:
        raise ValueError(f"{literal(card.carrier, 40)} is no carrier")
    card.change(card.concept)
    return card


def _check(name: str, value: object, wanted: tuple[type, ...] | None) -> None:
    """Raise `ValueError` unless a value is of one of the types, a number also not infinite."""
    if wanted is None:
        return
    number = isinstance(value, int | float)
    infinite = number and abs(float(value)) >= 1e30  # type: ignore[arg-type]
    if not isinstance(value, wanted) or isinstance(value, bool) or infinite:
        raise ValueError(f"{name} is {literal(value, 40)}")


_TYPES: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (float, int),
    "float | None": (float, int, type(None)),
}
