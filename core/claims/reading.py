"""What an evidence card must be to be believed: the fields, types and bounds of its JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, TypeVar

from core.claims.findings import CARRIERS, QUESTIONS, VERDICTS, Controls, Finding, OperatorFinding
from core.interventions.bootstrap import Change
from core.interventions.operators import KINDS
from core.text import literal

if TYPE_CHECKING:
    from core.claims.evidence import Evidence

__all__ = ["SINCE", "built", "checked"]

SINCE = {  # what a card says otherwise, or at all, only since this procedure
    "carrier": 2,
    "scores": 2,
    "untrained": 2,
    "operators": 2,
    "detectable": 2,
    "reason": 2,
    "procedure": 2,
}
_Part = TypeVar("_Part")


def built(given: Mapping[str, Any], known: Sequence[str], procedure: int) -> dict[str, Any]:
    """The fields of `Evidence` from those of a card. known: their names.

    Raises `ValueError` for one that is unknown, or that a card of this procedure must have;
    others for what isn't as a card has it.
    """
    if unknown := set(given) - set(known):
        raise ValueError(f"unknown field {literal(sorted(unknown)[0], 40)}")
    needed = {name for name in known if SINCE.get(name, procedure + 1) <= procedure}
    if lacking := needed - {"procedure"} - set(given):  # which the format names
        raise ValueError(f"it lacks {sorted(lacking)[0]}")
    return {
        **given,
        "units": tuple(given["units"]),
        "findings": {str(name): Finding(**of) for name, of in given["findings"].items()},
        "changes": tuple(_with_gaps(Change(**of)) for of in given["changes"]),
        "controls": _controls(given["controls"]),
        "kept_controls": _controls(given["kept_controls"]),
        "scores": {str(name): _number(of) for name, of in given.get("scores", {}).items()},
        "untrained": {
            str(name): tuple(map(_number, of)) for name, of in given.get("untrained", {}).items()
        },
        "operators": {str(kind): _operator(of) for kind, of in given.get("operators", {}).items()},
    }


def _number(value: Any) -> Any:
    """The number; one that couldn't be measured is null on a card."""
    return math.nan if value is None else value


def _operator(given: Mapping[str, Any]) -> OperatorFinding:
    """What one operator says of the claim."""
    found = {name: Finding(**given[name]) for name in ("necessary", "sufficient")}
    return _with_gaps(OperatorFinding(**{**given, **found}))


def _controls(given: dict[str, Any]) -> Controls:
    """Controls with their effects as numbers."""
    effects = tuple(map(_number, given["effects"]))
    return _with_gaps(Controls(**{**given, "effects": effects}))


def _with_gaps(part: _Part) -> _Part:
    """The part, "not a number" where a card has null for a number that must be there."""
    gaps = {
        each.name: math.nan
        for each in fields(part)  # type: ignore[arg-type]
        if each.type == "float" and getattr(part, each.name) is None
    }
    return replace(part, **gaps)  # type: ignore[type-var]


def checked(card: Evidence) -> Evidence:
    """The card, once all that a page shows of it is of its type and finite."""
    under = [part for of in card.operators.values() for part in (of, of.necessary, of.sufficient)]
    parts: tuple[Any, ...] = (card.controls, card.kept_controls, *card.changes, *under)
    for each in (card, *parts, *card.findings.values()):
        for part in fields(each):
            _check(part.name, getattr(each, part.name), _TYPES.get(str(part.type)))
    for unit in card.units:
        _check("unit", unit, (int,))
    for effect in (*card.controls.effects, *card.kept_controls.effects):
        _check("effect", effect, (int, float))
    for score in (*card.scores.values(), *(of for each in card.untrained.values() for of in each)):
        _check("score", score, (int, float))
    if wrong := {*card.scores, *card.untrained} - set(QUESTIONS):
        raise ValueError(f"{literal(sorted(wrong)[0], 40)} is not a question")
    for name, facts in (("training", card.training), ("made_with", card.made_with)):
        _check(name, facts, (dict,))
        for fact in facts.values():
            _check(name, fact, (str, int))
    if not card.units or min(card.units) < 0 or set(card.findings) != set(QUESTIONS):
        raise ValueError("it names no units, or lacks a verdict")
    findings = [*card.findings.values(), *(of for of in under if isinstance(of, Finding))]
    if wrong := {of.verdict for of in findings} - set(VERDICTS):
        raise ValueError(f"{literal(sorted(wrong)[0], 40)} is not a verdict")
    for kind in (card.ablation, *card.operators):
        if kind not in KINDS:
            raise ValueError(f"{literal(kind, 40)} is not a kind of ablation")
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
