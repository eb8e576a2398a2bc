"""What is kept on disk: weights as safetensors, arrays as npz, each named by what it was made from.

A file's name is its kind and a hash of its key, so a changed setting never finds an old result. A
file is whole or absent: it is written beside its place and then moved there. What is read isn't
trusted: a file that is damaged, or made to do harm, is moved aside and computed again. Nothing is
ever unpickled.

A folder that can't be written costs later visits their results, and never the app.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias, TypeVar

from filelock import FileLock, Timeout
from numpy.typing import NDArray
from torch import Tensor

from core.runtime import folders
from core.runtime.formats import FACTS, FACTS_LIMIT, NPZ, SAFETENSORS, Format
from core.text import literal

__all__ = ["Key", "Store", "StoredArrays", "StoredWeights", "default_store"]

T = TypeVar("T")
Array: TypeAlias = NDArray[Any]
Key: TypeAlias = Mapping[str, str | int | float | bool | None]
About: TypeAlias = Mapping[str, Any]
Wait: TypeAlias = Callable[[], object]

FOLDER = "SPECIALIZED_NEURONS_CACHE"  # environment variable
FILE_LIMIT = 512 * 2**20  # bytes; the largest result, a model with its history, has about 20 MB
MEMORY_LIMIT = 256 * 2**20  # bytes kept when the folder can't be written
_PATH = 200  # characters of a path that are shown
_DAMAGED = 20  # damaged files kept for a look
_PROBLEMS = 20  # sentences kept
_STALE = 3600.0  # seconds after which a temporary file has no writer any more
_POLL = 0.2  # seconds between two looks at a lock


class StoredArrays(NamedTuple):
    """Arrays by name, read-only once they come from a store, and facts about them."""

    arrays: Mapping[str, Array]
    about: About = MappingProxyType({})


class StoredWeights(NamedTuple):
    """Tensors by name, on the CPU, and facts about them."""

    weights: Mapping[str, Tensor]
    about: About = MappingProxyType({})


class Store:
    """A folder of results that many threads and several servers use at once.

    kind: what is kept, a short word such as "model". key: all that the result depends on: data,
    model, seed, options. about: anything that JSON can say.

    Every method raises `ValueError` for a kind or key that is none, and saving for what the format
    can't hold. What the disk does wrong never raises: see `problems`.
    """

    def __init__(
        self, folder: Path, *, file_limit: int = FILE_LIMIT, memory_limit: int = MEMORY_LIMIT
    ) -> None:
        """Limits are in bytes, of one file and of all that couldn't be written."""
        self.folder = Path(folder)
        self._file_limit, self._memory_limit = file_limit, memory_limit
        self._guard = threading.Lock()  # of the two below
        self._memory: dict[str, bytes] = {}  # files that couldn't be written, oldest first
        self._problems: dict[str, None] = {}  # an ordered set
        with suppress(OSError):
            self._remove_stale()

    def problems(self) -> list[str]:
        """What went wrong with the folder, a sentence each, newest last."""
        with self._guard:
            return list(self._problems)

    def save_arrays(
        self, kind: str, key: Key, arrays: Mapping[str, Array], about: About | None = None
    ) -> None:
        """Keep `arrays`; raises `ValueError` when one holds Python objects."""
        self._save(NPZ, _Identity(kind, key), arrays, about or {})

    def load_arrays(self, kind: str, key: Key) -> StoredArrays | None:
        """What `save_arrays` kept, or None where there is nothing sound."""
        found = self._load(NPZ, _Identity(kind, key))
        return StoredArrays(*found) if found else None

    def computed_arrays(
        self,
        kind: str,
        key: Key,
        compute: Callable[[], StoredArrays],
        *,
        on_wait: Wait | None = None,
    ) -> StoredArrays:
        """What is kept, else what `compute` gives, which is then kept.

        on_wait: see `lock`. Exceptions of `compute` pass through, and nothing is kept.
        """
        return StoredArrays(*self._computed(NPZ, _Identity(kind, key), compute, on_wait))

    def save_weights(
        self, kind: str, key: Key, weights: Mapping[str, Tensor], about: About | None = None
    ) -> None:
        """Keep `weights`, from any device, as contiguous tensors."""
        self._save(SAFETENSORS, _Identity(kind, key), weights, about or {})

    def load_weights(self, kind: str, key: Key) -> StoredWeights | None:
        """What `save_weights` kept, as tensors of the caller's own, or None."""
        found = self._load(SAFETENSORS, _Identity(kind, key))
        return StoredWeights(*found) if found else None

    def has(self, kind: str, key: Key) -> bool:
        """Whether there is a file of this key, which isn't opened and so may be unsound."""
        identity = _Identity(kind, key)
        names = [f"{identity.name}.{form.ending}" for form in (NPZ, SAFETENSORS)]
        with self._guard:
            if any(name in self._memory for name in names):
                return True
        try:
            return any((self.folder / name).is_file() for name in names)
        except OSError:
            return False

    def computed_weights(
        self,
        kind: str,
        key: Key,
        compute: Callable[[], StoredWeights],
        *,
        on_wait: Wait | None = None,
    ) -> StoredWeights:
        """`computed_arrays` for weights."""
        return StoredWeights(*self._computed(SAFETENSORS, _Identity(kind, key), compute, on_wait))

    @contextmanager
    def lock(self, kind: str, key: Key, *, on_wait: Wait | None = None) -> Iterator[bool]:
        """One thread of one server at a time inside; gives False where the folder can't lock.

        on_wait: called every 0.2 s while another is inside; what it raises, such as a job's
        `Cancelled` or a `TimeoutError`, ends the wait. The lock of a server that died is free. Not
        reentrant: a thread that takes it twice waits for itself.
        """
        path = self.folder / "locks" / f"{_Identity(kind, key).name}.lock"
        lock = FileLock(path)
        held = _acquire(lock, path, on_wait)
        try:
            yield held
        finally:
            if held:
                lock.release()

    def _computed(
        self,
        form: Format[T],
        identity: _Identity,
        compute: Callable[[], tuple[Mapping[str, T], About]],
        on_wait: Wait | None,
    ) -> tuple[dict[str, T], About]:
        """What is kept, else computed; the first visit gets just what later ones will read."""
        if found := self._load(form, identity):
            return found
        with self.lock(identity.kind, identity.key, on_wait=on_wait):
            # while this one waited, another server may have finished
            if found := self._load(form, identity):
                return found
            return _opened(form, self._save(form, identity, *compute()), identity)

    def _save(
        self, form: Format[T], identity: _Identity, values: Mapping[str, T], about: About
    ) -> bytes:
        """The bytes of the file, kept on disk, or in memory where the disk refuses."""
        data = _sealed(form, identity, values, about)
        name = f"{identity.name}.{form.ending}"
        if len(data) > self._file_limit:
            size, limit = (count / 2**20 for count in (len(data), self._file_limit))
            self._record(f"{name} has {size:.1f} MB, above {limit:.1f} MB, so it isn't kept.")
            return data
        try:
            self._write(name, data)
        except OSError as error:
            self._remember(name, data)
            self._record(
                f"Results can't be kept in {literal(self.folder, _PATH)} ({_reason(error)}), so "
                f"they last until this server stops: set {FOLDER} to a folder that can be written."
            )
        return data

    def _load(self, form: Format[T], identity: _Identity) -> tuple[dict[str, T], About] | None:
        """The values and facts of a sound file; any other is moved aside."""
        name = f"{identity.name}.{form.ending}"
        try:
            data = self._read(name)
            return None if data is None else _opened(form, data, identity)
        except Exception as error:  # bytes of anybody's making can raise anything in a parser
            self._set_aside(name, _reason(error))
            return None

    def _read(self, name: str) -> bytes | None:
        """The bytes of a file, None when it can't be read; raises `ValueError` for too many."""
        with self._guard:
            if name in self._memory:
                return self._memory[name]
        try:
            with open(self.folder / name, "rb") as file:
                size = os.fstat(file.fileno()).st_size
                if size > self._file_limit:
                    raise ValueError(f"it has {size} bytes, above {self._file_limit}")
                return file.read(size)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            path = literal(self.folder / name, _PATH)
            self._record(f"{path} can't be read ({_reason(error)}): see who owns it.")
            return None

    def _write(self, name: str, data: bytes) -> None:
        """Put the file in its place at once; raises `OSError` and then leaves nothing."""
        folders.put(self.folder / name, data)
        with self._guard:
            self._memory.pop(name, None)

    def _remember(self, name: str, data: bytes) -> None:
        """Keep the file in memory, at the price of the oldest there."""
        with self._guard:
            self._memory.pop(name, None)
            self._memory[name] = data
            while sum(map(len, self._memory.values())) > self._memory_limit:
                del self._memory[next(iter(self._memory))]

    def _set_aside(self, name: str, reason: str) -> None:
        """Move a damaged file to `damaged/`, where the newest few stay."""
        aside = self.folder / "damaged"
        where = f"moved to {literal(aside, _PATH)}"
        try:
            aside.mkdir(exist_ok=True)
            os.replace(self.folder / name, aside / f"{time.time_ns()}-{name}")
            for old in sorted(aside.iterdir())[:-_DAMAGED]:
                old.unlink(missing_ok=True)
        except FileNotFoundError:  # another visitor or server was first, and has said so
            return
        except OSError as error:
            where = f"left where it is ({_reason(error)})"
        self._record(f"{name} was damaged ({reason}): it is {where}, and computed again.")

    def _record(self, sentence: str) -> None:
        """Add to `problems`."""
        with self._guard:
            self._problems.pop(sentence, None)
            self._problems[sentence] = None
            while len(self._problems) > _PROBLEMS:
                del self._problems[next(iter(self._problems))]

    def _remove_stale(self) -> None:
        """Remove what servers that died while they wrote left behind."""
        for path in self.folder.glob(".*.tmp"):
            with suppress(OSError):
                if time.time() - path.stat().st_mtime > _STALE:
                    path.unlink()


_STORES: dict[Path, Store] = {}
_STORES_GUARD = threading.Lock()


def default_store() -> Store:
    """The server's store, in the folder SPECIALIZED_NEURONS_CACHE, else in the user's cache."""
    problem = ""
    try:
        named = folders.named(FOLDER)
    except ValueError as error:
        named, problem = None, str(error)
    folder = named or folders.cache() / "store"
    with _STORES_GUARD:
        if folder not in _STORES:
            _STORES[folder] = Store(folder)
        store = _STORES[folder]
    if problem:
        store._record(f"{problem} Until then results are kept in {literal(folder, _PATH)}.")
    return store


class _Identity:
    """What a file was made from: its kind and its key.

    Raises `ValueError` for a kind or key that is none.
    """

    def __init__(self, kind: str, key: Key) -> None:
        if not re.fullmatch("[a-z][a-z0-9_-]{0,31}", kind):
            raise ValueError(f"kind is {literal(kind)}: give a short word of a-z, 0-9, - and _.")
        for name, value in key.items():
            if not isinstance(name, str) or not isinstance(value, str | int | float | None):
                raise ValueError(
                    f"key has {literal(name)}: {literal(value)}: names are str, values str, int, "
                    "float, bool or None; write others as text."
                )
        self.kind, self.key = kind, key
        self.facts = {"kind": kind, "key": dict(key)}
        digest = hashlib.sha256(_canonical(self.facts).encode()).hexdigest()
        self.name = f"{kind}-{digest[:24]}"


def _sealed(form: Format[T], identity: _Identity, values: Mapping[str, T], about: About) -> bytes:
    """The file of `values` with its facts and their checksum."""
    if FACTS in values:
        raise ValueError(f"the name {FACTS} is the store's own: give another.")
    cleaned = {name: form.clean(name, value) for name, value in values.items()}
    facts = json.loads(_canonical({**identity.facts, "about": dict(about)}))
    return form.encode(cleaned, _canonical({**facts, "sha256": _checksum(form, cleaned, facts)}))


def _opened(form: Format[T], data: bytes, identity: _Identity) -> tuple[dict[str, T], About]:
    """The values and the about of a file; raises anything when it isn't what `_sealed` made."""
    values, text = form.decode(data)
    if len(text) > FACTS_LIMIT:
        raise ValueError(f"its facts have {len(text)} characters")
    facts = json.loads(text)
    if facts.pop("sha256") != _checksum(form, values, facts):
        raise ValueError("its checksum is another")
    about = facts.pop("about")
    if _canonical(facts) != _canonical(identity.facts):
        raise ValueError("it was made from another key")
    return values, about


def _checksum(form: Format[T], values: Mapping[str, T], facts: About) -> str:
    """SHA-256 of the facts and of each value's name, type, shape and bytes."""
    digest = hashlib.sha256(_canonical(facts).encode())
    for name in sorted(values):
        described, content = form.raw(values[name])
        digest.update(_canonical([name, described, len(content)]).encode())
        digest.update(content)
    return digest.hexdigest()


def _acquire(lock: FileLock, path: Path, on_wait: Wait | None) -> bool:
    """Whether `lock` is held now; waits for it, and is False where the folder can't lock."""
    while True:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lock.acquire(blocking=False)
            return True
        except Timeout:  # first, because it is an OSError too
            pass
        except (OSError, NotImplementedError):
            return False
        if on_wait is not None:
            on_wait()
        time.sleep(_POLL)


def _canonical(value: object) -> str:
    """One JSON text for equal values."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _reason(error: Exception) -> str:
    """Why, in a few words and without a path."""
    said = error.strerror if isinstance(error, OSError) else str(error)
    return literal(said or type(error).__name__, 120)
