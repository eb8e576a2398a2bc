"""What has been drawn, for whoever sees it next: each once, however many threads ask.

A drawing is what a pure function makes of results and options: a chart's specification, a picture,
a table. Two calls are one drawing when they have the same function and the same arguments:

- an option, such as a name, a number or a `Run`, is the same by its value;
- an array, a tensor, a frame, a list or a dictionary by its contents, which are read at each call:
  0.1 ms for a table of a page, so what is larger should come as its result;
- anything else, such as a result or a model, by being the very same object.

That object is held weakly, and its drawings go when it goes.
"""

from __future__ import annotations

import hashlib
import pickle
import sys
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass, fields, is_dataclass
from functools import wraps
from types import FunctionType
from typing import Any, ParamSpec, TypeVar

import numpy as np
import pandas as pd
from torch import Tensor

__all__ = ["DRAWINGS", "Drawings", "drawn_once"]

P = ParamSpec("P")
R = TypeVar("R")

_LIMIT = 128 * 2**20  # bytes
_OVERHEAD = 1024  # bytes of a drawing's key, about
_PLAIN = (str, bytes, int, float, type(None), np.generic)


class _Same(weakref.ref[Any]):
    """An object known by its identity. Once it is gone, it is the same as nothing else."""

    identity: int

    def __hash__(self) -> int:
        return self.identity

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        value = self()
        return value is not None and isinstance(other, _Same) and value is other()


@dataclass
class _Drawing:
    """One drawing, made or being made. objects: those that it was made of. size: bytes."""

    made: Future[Any]
    objects: tuple[_Same, ...]
    size: int = 0


class Drawings:
    """Drawings within a bound of bytes; those used longest ago make room."""

    def __init__(self, limit: int = _LIMIT) -> None:
        self._limit = limit
        self._guard = threading.Lock()  # of the two below
        self._kept: OrderedDict[Hashable, _Drawing] = OrderedDict()
        self._size = 0
        self._died = False  # set without the guard: an object can die in any thread at any line

    def __len__(self) -> int:
        """How many there are."""
        with self._guard:
            self._forget_dead()
            return len(self._kept)

    def get(self, draw: Callable[..., R], *args: object, **options: object) -> R:
        """`draw(*args, **options)`, made now or before; arrays in it are read-only.

        What `draw` raises goes to all who wait for it, and nothing is kept.

        Raises `TypeError` for a function within a function or of a page's own script, which would
        be another at each call.
        """
        objects: list[_Same] = []
        key = self._key((draw, args, options), objects)
        with self._guard:
            self._forget_dead()
            drawing = self._kept.get(key)
            missing = drawing is None
            if drawing is None:
                drawing = self._kept[key] = _Drawing(Future(), tuple(objects))
            self._kept.move_to_end(key)
        if missing:
            self._make(key, drawing, lambda: draw(*args, **options))
        made: R = _own(drawing.made.result())
        return made

    def _make(self, key: Hashable, drawing: _Drawing, draw: Callable[[], object]) -> None:
        """Draw, and drop what has then no room."""
        try:
            value = draw()
            _seal(value)
        except BaseException as error:
            with self._guard:
                self._kept.pop(key, None)
            drawing.made.set_exception(error)
            return
        drawing.made.set_result(value)
        with self._guard:
            if self._kept.get(key) is drawing:
                drawing.size = _OVERHEAD + _bytes(value)
                self._size += drawing.size
            while self._size > self._limit:
                self._size -= self._kept.popitem(last=False)[1].size

    def _forget_dead(self) -> None:
        """Drop the drawings of objects that are gone."""
        if self._died:
            self._died = False
            for key, drawing in list(self._kept.items()):
                if any(same() is None for same in drawing.objects):
                    self._size -= self._kept.pop(key).size

    def _on_death(self, _: object) -> None:
        self._died = True

    def _key(self, value: object, objects: list[_Same]) -> Hashable:
        """What tells an argument from others; what is known by identity is added to `objects`."""
        if isinstance(value, _PLAIN):
            return type(value), value
        if isinstance(value, tuple | list) or _is_option(value):
            return type(value), tuple(self._key(item, objects) for item in _items(value))
        if isinstance(value, dict):
            return dict, tuple((name, self._key(item, objects)) for name, item in value.items())
        if isinstance(value, frozenset):
            return frozenset(self._key(item, objects) for item in value)
        if isinstance(value, FunctionType):
            if "<locals>" in value.__qualname__ or value.__module__ == "__main__":
                raise TypeError(
                    f"{value.__qualname__} is made anew at each call: move it to a module."
                )
            return value
        if isinstance(value, Tensor):
            value = value.numpy()
        if isinstance(value, np.ndarray) and value.dtype != object:
            return value.dtype.str, value.shape, _digest(value.tobytes())
        if isinstance(value, np.ndarray | pd.DataFrame | pd.Series | pd.Index):
            return type(value), _digest(pickle.dumps(value, 5))
        same = _Same(value, self._on_death)
        same.identity = id(value)
        objects.append(same)
        return same


DRAWINGS = Drawings()
"""Those of this server."""


def drawn_once(draw: Callable[P, R]) -> Callable[P, R]:
    """`draw`, a pure function of a module, whose drawings are kept; see `Drawings.get`."""

    @wraps(draw)
    def drawn(*args: P.args, **options: P.kwargs) -> R:
        return DRAWINGS.get(draw, *args, **options)

    return drawn


def _is_option(value: object) -> bool:
    """Whether a value is known by what it says: plain, or frozen and made of such alone."""
    if isinstance(value, _PLAIN):
        return True
    if is_dataclass(value) and not isinstance(value, type):
        kind = value.__dataclass_params__  # type: ignore[attr-defined]
        return (
            kind.frozen
            and kind.eq
            and all(_is_option(getattr(value, field.name)) for field in fields(value))
        )
    return isinstance(value, tuple) and all(map(_is_option, value))


def _digest(data: Any) -> bytes:
    """Sixteen bytes that no two contents share."""
    return hashlib.blake2b(data, digest_size=16).digest()


def _seal(value: object) -> None:
    """Make the arrays in a drawing read-only."""
    if isinstance(value, np.ndarray):
        value.flags.writeable = False
    for item in _items(value):
        _seal(item)


def _own(value: Any) -> Any:
    """A drawing that its caller may change without changing the kept one."""
    if isinstance(value, pd.DataFrame | pd.Series):
        return value.copy()
    if isinstance(value, list):
        return [_own(item) for item in value]
    if isinstance(value, dict):
        return {name: _own(item) for name, item in value.items()}
    if type(value) is tuple:
        return tuple(_own(item) for item in value)
    return value


def _bytes(value: object) -> int:
    """About how much memory a drawing takes."""
    if isinstance(value, np.ndarray):
        return value.nbytes
    if isinstance(value, pd.DataFrame):
        return int(value.memory_usage(deep=True).sum())
    return sys.getsizeof(value) + sum(map(_bytes, _items(value)))


def _items(value: object) -> list[Any]:
    """What a drawing consists of."""
    if isinstance(value, tuple | list):
        return list(value)
    if isinstance(value, dict):
        return list(value.values())
    if is_dataclass(value) and not isinstance(value, type):
        return [getattr(value, field.name) for field in fields(value)]
    return []
