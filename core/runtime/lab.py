"""The one object that hands out data sets, trained models and results, and keeps them.

Each is loaded, drawn or computed once a process however many threads ask, kept in memory within a
bound in bytes, and read-only. Results of stored tasks are kept on disk too, where other processes
find them. Nothing here knows what a task computes.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar, overload

import numpy as np
import torch
from numpy.typing import NDArray

from core.runtime import code
from core.runtime.packing import FORMAT, Packed, frozen, pack, size, unpack
from core.runtime.store import Key, Store, StoredArrays, StoredWeights
from core.runtime.task import NotThere, Report, Task, part_of, silent

__all__ = ["MEMORY", "Lab", "key_of", "modules_of"]

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
Result = TypeVar("Result")

MEMORY = 1024 * 2**20  # bytes of data sets, models and results together
_POLL = 0.2  # seconds between two looks at a result that another thread computes


class _Kept(NamedTuple):
    """A result in memory."""

    value: Any
    size: int  # bytes
    given: bool  # by hand, and so never let go


class Lab:
    """Results by task: given, found in memory or in the store, or else computed.

    A notebook or a test makes one of its own, with a store in any folder, and may give it whatever
    would take long: `lab.give(Loading("mnist", "test"), few_digits)`.
    """

    def __init__(
        self, store: Store, *, memory: int = MEMORY, on_kept: Callable[[], object] = lambda: None
    ) -> None:
        """memory: bytes of results that are kept in memory; the last one always is.

        on_kept: called when one more is.
        """
        self.store = store
        self._limit = memory
        self._on_kept = on_kept
        self._guard = threading.Lock()  # of the three below
        self._memory: OrderedDict[Task[Any], _Kept] = OrderedDict()  # used longest ago first
        self._loading: dict[Task[Any], _Turn] = {}
        self._computing: dict[Task[Any], _Turn] = {}

    def give(self, task: Task[Result], result: Result) -> None:
        """From now on `result` is the task's, and is never let go."""
        with self._guard:
            self._memory[task] = _Kept(frozen(result), 0, True)

    def result(self, task: Task[Result], report: Report = silent) -> Result:
        """The task's result, computed if need be, by one thread of one process at a time.

        Whoever waits meanwhile says so to `report`, and stops waiting when that raises.
        """
        found = self.find(task)
        if found is not None:
            return found
        with _turn(self._guard, self._computing, task) as turn:
            while not turn.acquire(timeout=_POLL):
                report(0.0, f"{task.title}: somebody else has begun it")
            try:
                found = self.find(task)
                return self._computed(task, report) if found is None else found
            finally:
                turn.release()

    def find(self, task: Task[Result]) -> Result | None:
        """The task's result where it takes no work: in memory, in the store, or of such."""
        known = self._remembered(task)
        if known is not None:
            return known
        with _turn(self._guard, self._loading, task) as turn, turn:
            known = self._remembered(task)
            if known is None:
                known = self._stored(task) if task.stored else task.at_once(self)
                if known is not None:
                    self._remember(task, known)
            return known

    def has(self, task: Task[Any]) -> bool:
        """Whether the result is in memory or seems to be in the store, which isn't opened."""
        if self._remembered(task) is not None:
            return True
        return task.stored and self.store.has(task.kept_as(), _known_key(task))

    def only_found(self) -> Lab:
        """This lab for what may take no time: it raises `NotThere` instead of computing."""
        return _Found(self)

    @overload
    def given(self, report: Report, one: Task[A], /) -> tuple[A, Report]: ...
    @overload
    def given(self, report: Report, one: Task[A], two: Task[B], /) -> tuple[A, B, Report]: ...
    @overload
    def given(
        self, report: Report, one: Task[A], two: Task[B], three: Task[C], /
    ) -> tuple[A, B, C, Report]: ...
    def given(self, report: Report, /, *tasks: Task[Any]) -> tuple[Any, ...]:
        """The results of `tasks`, then a report for the work that follows.

        What must be computed first is most of the work: of n missing ones, n of n + 1 parts.
        """
        parts = 1 + sum(self.find(task) is None for task in tasks)
        found, done = [], 0
        for task in tasks:
            missing = self.find(task) is None
            found.append(self.result(task, part_of(report, done / parts, (done + 1) / parts)))
            done += missing
        return (*found, part_of(report, done / parts, 1.0))

    def all(self, tasks: Sequence[Task[Result]], report: Report) -> tuple[Result, ...]:
        """The results of several tasks, of which each takes as long; the text says which it is."""
        return tuple(
            self.result(task, _one_of(report, at, len(tasks))) for at, task in enumerate(tasks)
        )

    def _computed(self, task: Task[Result], report: Report) -> Result:
        """The result, computed now, or by another process while this one waits."""
        if not task.stored:
            made: Result = frozen(self.compute(task, report))
            self._remember(task, made)
            return made

        def waiting() -> None:
            report(0.0, f"{task.title}: another server has begun it")

        found = self._through_store(task, report, waiting)
        self._remember(task, found)
        return found

    def compute(self, task: Task[Result], report: Report) -> Result:
        """What the task computes, out of what this lab hands out."""
        return task.compute(self, report)

    def _through_store(
        self, task: Task[Result], report: Report, on_wait: Callable[[], None]
    ) -> Result:
        """The result as the store gives it, now and from now on."""
        kind, key = task.kept_as(), key_of(task)
        if task.is_network:

            def made() -> StoredWeights:
                leaves, structure = pack(self.compute(task, report))
                return StoredWeights(
                    {name: torch.as_tensor(leaf) for name, leaf in leaves.items()},
                    {"structure": structure},
                )

            network: Result = _opened(self.store.computed_weights(kind, key, made, on_wait=on_wait))
            return network

        def measured() -> StoredArrays:
            leaves, structure = pack(self.compute(task, report))
            arrays = {name: np.asarray(leaf) for name, leaf in leaves.items()}
            return StoredArrays(arrays, {"structure": structure})

        found: Result = _opened(self.store.computed_arrays(kind, key, measured, on_wait=on_wait))
        return found

    def _stored(self, task: Task[Result]) -> Result | None:
        """The result from the store."""
        kind, key = task.kept_as(), key_of(task)
        load = self.store.load_weights if task.is_network else self.store.load_arrays
        found = load(kind, key)
        opened: Result | None = None if found is None else _opened(found)
        return opened

    def _remembered(self, task: Task[Result]) -> Result | None:
        """The result from memory, which is then the one used last."""
        with self._guard:
            kept = self._memory.get(task)
            if kept is None:
                return None
            self._memory.move_to_end(task)
            value: Result = kept.value
            return value

    def _remember(self, task: Task[Any], value: Any) -> None:
        """Keep the result in memory, at the price of those used longest ago."""
        with self._guard:
            self._memory[task] = _Kept(value, size(value), False)
            self._memory.move_to_end(task)
            total = sum(kept.size for kept in self._memory.values())
            for other in list(self._memory)[:-1]:
                if total <= self._limit:
                    break
                if not self._memory[other].given:
                    total -= self._memory.pop(other).size
        self._on_kept()


class _Found(Lab):
    """A lab that hands out only what is there."""

    def __init__(self, whole: Lab) -> None:
        """whole: which has it, or hasn't."""
        self._whole = whole
        self.store = whole.store

    def result(self, task: Task[Result], report: Report = silent) -> Result:
        """The result, or `NotThere`."""
        found = self._whole.find(task)
        if found is None:
            raise NotThere(task)
        return found

    def find(self, task: Task[Result]) -> Result | None:
        """As of the whole lab."""
        return self._whole.find(task)

    def has(self, task: Task[Any]) -> bool:
        """As of the whole lab."""
        return self._whole.has(task)

    def only_found(self) -> Lab:
        """This one."""
        return self


def key_of(task: Task[Any]) -> Key:
    """All that the result depends on: every field, the code, and the libraries that compute."""
    fields = {field.name: _plain(getattr(task, field.name)) for field in dataclasses.fields(task)}
    return {
        "fields": json.dumps(fields, sort_keys=True),
        "code": code.version(frozenset(modules_of(task))),
        "format": FORMAT,
        **code.libraries(),
    }


@lru_cache(4096)
def _known_key(task: Task[Any]) -> Key:
    """The same, made once: to look for every run of a table takes 0.2 ms for each else."""
    return key_of(task)


def modules_of(task: object) -> set[str]:
    """The modules of ours that define a task and everything in its fields."""
    found = {of.__module__ for of in type(task).__mro__}
    if callable(named := getattr(task, "modules", None)):
        found |= set(named())
    if isinstance(task, tuple | list):
        return found.union(*(modules_of(item) for item in task))
    if dataclasses.is_dataclass(task):
        return found.union(*(modules_of(getattr(task, f.name)) for f in dataclasses.fields(task)))
    return found


def _plain(value: Any) -> Any:
    """A field as JSON, in which different values differ. Raises `TypeError` for other values."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {
            field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)
        }
        return {"of": f"{type(value).__module__}:{type(value).__qualname__}", **fields}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, bytes):
        return hashlib.sha256(value).hexdigest()
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise TypeError(f"a task's field is a {type(value).__name__}: give plain values.")


def _opened(found: StoredArrays | StoredWeights) -> Any:
    """The result of what the store keeps."""
    leaves, about = found
    return unpack(Packed(dict(leaves), about["structure"]))


def _one_of(report: Report, at: int, parts: int) -> Report:
    """A report for one of several equal parts of the work, without its curves and pictures.

    Those of several trainings would run into one another.
    """
    part = part_of(report, at / parts, (at + 1) / parts)

    def counted(
        fraction: float,
        text: str | None = None,
        *,
        picture: NDArray[np.uint8] | None = None,
        **values: float,
    ) -> None:
        part(fraction, None if text is None else f"{text} · {at + 1} of {parts}")

    return counted


class _Turn:
    """A lock that is there while anybody wants it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.wanted = 0


@contextmanager
def _turn(
    guard: threading.Lock, turns: dict[Task[Any], _Turn], task: Task[Any]
) -> Iterator[threading.Lock]:
    """The lock of a task, not yet taken."""
    with guard:
        turn = turns.setdefault(task, _Turn())
        turn.wanted += 1
    try:
        yield turn.lock
    finally:
        with guard:
            turn.wanted -= 1
            if not turn.wanted:
                del turns[task]
