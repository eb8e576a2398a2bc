"""JSON that every program reads: of numbers of any library, and without NaN and Infinity.

JSON knows neither of them, and a file that holds one is refused by most programs. So a number that
isn't finite becomes null, and `not_finite` says which were and what they were.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch

__all__ = ["dumps", "not_finite", "plain"]


def dumps(value: Any, *, indent: int | None = None) -> str:
    """`value` as JSON, numbers that aren't finite as null.

    Raises `TypeError` for what is no number, text, flag, None, or mapping or sequence of such.
    """
    return json.dumps(plain(value), allow_nan=False, indent=indent)


def plain(value: Any) -> Any:
    """`value` of Python's own types alone, as `dumps` writes it."""
    if isinstance(value, np.ndarray | np.generic | torch.Tensor):
        value = value.tolist()
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {_key(name): plain(of) for name, of in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(of) for of in value]
    return value


def not_finite(value: Any) -> dict[str, str]:
    """Where a number isn't finite, by its path such as "scores.auc", and what it is.

    What it is: "infinite", "minus infinite" or "not a number".
    """
    return dict(_paths(value, ""))


def _paths(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """The path of each number that isn't finite, and its name."""
    if isinstance(value, np.ndarray | np.generic | torch.Tensor):
        value = value.tolist()
    if isinstance(value, float) and not math.isfinite(value):
        yield path, _name(value)
    inner: Any = value.items() if isinstance(value, Mapping) else ()
    if isinstance(value, list | tuple):
        inner = enumerate(value)
    for name, of in inner:
        yield from _paths(of, f"{path}.{_key(name)}".removeprefix("."))


def _name(number: float) -> str:
    """What a number that isn't finite is."""
    if math.isnan(number):
        return "not a number"
    return "infinite" if number > 0 else "minus infinite"


def _key(name: Any) -> str:
    """A name as JSON's names are; numbers of any library as Python writes them."""
    return str(name.item() if isinstance(name, np.generic | torch.Tensor) else name)
