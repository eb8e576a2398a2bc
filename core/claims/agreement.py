"""Whether a test that was made again agrees with an evidence card, in every value of the two."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace

from core.claims.evidence import PROCEDURE, Evidence
from core.claims.reading import SINCE
from core.interventions.bootstrap import Change
from core.text import literal

__all__ = ["disagreements", "values"]

Path = tuple[str, ...]

_ROUNDING = 1e-6  # of a number, which the order of a sum may change
_ABSENT = "nothing"


def disagreements(card: Evidence, again: Evidence) -> list[str]:
    """In what two results of one question differ, a sentence for each value; none if in nothing.

    Numbers agree when they differ by rounding only, and everything else when it is equal. The many
    changes of groups come last. What carries the concept counts where both say it, and what only a
    later procedure says isn't looked for on an older card.
    """
    if card.carrier is None or again.carrier is None:
        card, again = replace(card, carrier=None), replace(again, carrier=None)
    mine, other = (values(of, card.procedure) for of in (card, again))
    return [
        _sentence(path, mine.get(path, _ABSENT), other.get(path, _ABSENT))
        for path in sorted(dict.fromkeys([*mine, *other]), key=lambda path: path[0] == "changes")
        if path not in mine or path not in other or not _agree(mine[path], other[path])
    ]


def values(card: Evidence, procedure: int = PROCEDURE) -> dict[Path, object]:
    """Every value of a card by where it stands, such as ("findings", "necessary", "n").

    Changes stand under their group and measure, whatever their order. A sequence of numbers is one
    value. procedure: of a card that it is compared with, which lacks what was added since.
    """
    later = {name for name, since in SINCE.items() if since > procedure}
    return {path: value for path, value in _leaves((), card) if not later & set(path)}


def _leaves(path: Path, value: object) -> Iterator[tuple[Path, object]]:
    """The values within `value`, each with its path."""
    for name, part in _parts(value):
        yield from _leaves((*path, name), part)
    if not _has_parts(value):
        yield path, value


def _has_parts(value: object) -> bool:
    """Whether a value is made of others that have names."""
    return is_dataclass(value) or isinstance(value, Mapping) or _are_changes(value)


def _are_changes(value: object) -> bool:
    """Whether a value is a sequence of changes."""
    return isinstance(value, tuple) and bool(value) and isinstance(value[0], Change)


def _parts(value: object) -> Iterator[tuple[str, object]]:
    """The named parts of a value."""
    if is_dataclass(value):
        yield from ((each.name, getattr(value, each.name)) for each in fields(value))
    elif isinstance(value, Mapping):
        yield from ((str(name), part) for name, part in value.items())
    elif isinstance(value, tuple) and _are_changes(value):
        yield from ((f"{each.measure} of {each.group}", each) for each in value)


def _agree(mine: object, other: object) -> bool:
    """Whether two values are the same, numbers but for rounding."""
    if isinstance(mine, Sequence) and isinstance(other, Sequence) and not isinstance(mine, str):
        return len(mine) == len(other) and all(map(_agree, mine, other))
    if isinstance(mine, float) and isinstance(other, int | float):
        if not math.isfinite(mine):  # on a card it is null, whatever it was
            return not math.isfinite(other)
        return math.isclose(mine, other, rel_tol=_ROUNDING, abs_tol=1e-9)
    return mine == other and isinstance(mine, bool) == isinstance(other, bool)


def _sentence(path: Path, mine: object, other: object) -> str:
    """What the card says of a value, and what the test."""
    where = literal(", ".join(part.replace("_", " ") for part in path))
    if isinstance(mine, tuple) and isinstance(other, tuple) and len(mine) == len(other):
        differ = [at for at in range(len(mine)) if not _agree(mine[at], other[at])]
        first = (
            f"the first is {_shown(mine[differ[0]])} on the card, {_shown(other[differ[0]])} now"
        )
        return f"{where}: {len(differ):,} of {len(mine):,} differ; {first}."
    return f"{where}: the card says {_shown(mine)}, the test {_shown(other)}."


def _shown(value: object) -> str:
    """A value, a number with as many digits as can matter."""
    if isinstance(value, float):
        return literal(f"{value:.6g}")
    if isinstance(value, tuple):
        return f"{len(value):,} values"
    return literal("not measured" if value is None else value, 160)
