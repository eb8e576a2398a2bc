"""Numbers as people have them: of Python, NumPy or torch, or in a link; checked before the work."""

from __future__ import annotations

import math
import re
from operator import index
from typing import Any

from core.text import literal

__all__ = ["parse_whole", "real", "seeded", "whole"]

_WHOLE = re.compile(r"-?[0-9]{1,18}")
_LAST_SEED = 2**63 - 1  # that every generator takes, of NumPy and of torch


def whole(value: Any, name: str, low: int | None = None, high: int | None = None) -> int:
    """`value` as Python's own int, from `low` to `high`, both included.

    Taken: whole numbers of any library, also as an array or tensor without axes, and floats without
    a fraction. Raises `ValueError`, which begins with `name`, for everything else.
    """
    try:
        number = _as_int(value)
    except (TypeError, ValueError, OverflowError):
        number = None
    if number is None or not _within(number, low, high):
        raise ValueError(f"{name} is {literal(value)}: give a whole number{_bounds(low, high)}.")
    return number


def real(value: Any, name: str, low: float | None = None, high: float | None = None) -> float:
    """`value` as Python's own float: finite, from `low` to `high`, both included.

    Raises `ValueError`, which begins with `name`, for text, flags, NaN and infinities too.
    """
    try:
        number = None if _is_flag(value) or isinstance(value, str | bytes) else float(value)
    except (TypeError, ValueError, OverflowError, RuntimeError):
        number = None
    if number is None or not math.isfinite(number) or not _within(number, low, high):
        raise ValueError(f"{name} is {literal(value)}: give a number{_bounds(low, high)}.")
    return number


def seeded(seed: Any) -> int:
    """`seed` as Python's own int, such as every generator takes. Raises as `whole`, from 0 on."""
    return whole(seed, "seed", 0, _LAST_SEED)


def parse_whole(text: str) -> int | None:
    """The whole number that all of `text` writes in at most 18 digits, else None."""
    return int(text) if _WHOLE.fullmatch(text) else None


def _as_int(value: Any) -> int | None:
    """The whole number that `value` is, None where it has a fraction or is a flag or text."""
    if _is_flag(value) or isinstance(value, str | bytes):
        return None
    try:
        return int(index(value))
    except TypeError:
        number = float(value)
        return int(number) if number.is_integer() else None


def _is_flag(value: Any) -> bool:
    """Whether `value` is True or False, of whatever library."""
    return isinstance(value, bool) or "bool" in str(getattr(value, "dtype", ""))


def _within(number: float, low: float | None, high: float | None) -> bool:
    """Whether a number lies between two bounds, each of which may be missing."""
    return (low is None or number >= low) and (high is None or number <= high)


def _bounds(low: float | None, high: float | None) -> str:
    """The bounds in words, after "a number"."""
    if low is not None and high is not None:
        return f" from {low} to {high}"
    if low is not None:
        return f" of at least {low}"
    return "" if high is None else f" of at most {high}"
