"""Bytes from elsewhere, which come in a known time and number, or else there is a reason."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import suppress
from itertools import chain
from queue import Empty, Full, Queue
from threading import Event, Thread
from time import monotonic
from typing import TypeAlias
from urllib.error import HTTPError
from urllib.request import urlopen

__all__ = ["Failed", "parts", "unpacked"]

_CHUNK = 1 << 16  # bytes
_AHEAD = 64  # chunks that may wait to be used
_POLL = 0.2  # seconds between two calls of `on_wait`
_PACKED = b"\x1f"  # the first byte of gzip, and of nothing that we expect unpacked

_Arrived: TypeAlias = "Queue[bytes | Failed]"


class Failed(Exception):
    """The bytes didn't come, or aren't whole; the message says why in a few words."""


def parts(
    url: str,
    *,
    patience: float,
    limit: float,
    on_wait: Callable[[], object] = lambda: None,
) -> Generator[bytes, None, None]:
    """What is behind `url`, part by part; closing it ends the download.

    patience: seconds without a byte of the content after which it is given up. limit: seconds in
    all. on_wait: called every 0.2 s while nothing comes; what it raises passes through. Raises
    `Failed` for everything that can go wrong.

    The network is used in a thread of its own, because a name that isn't found, or a header that
    drips, can't be given up from within.
    """
    arrived: _Arrived = Queue(_AHEAD)
    left, end = Event(), monotonic() + limit
    Thread(target=_pump, args=(url, patience, arrived, left), daemon=True).start()
    try:
        while part := _next(arrived, min(end, monotonic() + patience), on_wait):
            yield part
        if part is None:
            late = monotonic() >= end
            said = f"not whole after {limit:g} s" if late else f"nothing came for {patience:g} s"
            raise Failed(f"timed out: {said}")
    finally:
        left.set()


def unpacked(packed: Iterable[bytes], most: int) -> Iterator[bytes]:
    """The parts unpacked if they are gzip, else as they are: some give a packed file unpacked.

    What follows the end of what is packed is left alone. Raises `Failed` where it is damaged or
    cut short, and as soon as there are more than `most` bytes, however few were packed.
    """
    given = iter(packed)
    first = next(given, b"")
    whole = chain([first], given)
    count = 0
    for part in _gunzipped(whole) if first[:1] == _PACKED else whole:
        count += len(part)
        if count > most:
            raise Failed(f"more than {most:,} bytes")
        yield part


def _gunzipped(packed: Iterable[bytes]) -> Iterator[bytes]:
    """The parts unpacked, in parts of at most `_CHUNK` bytes."""
    reader = zlib.decompressobj(31)  # 31: as gzip
    for part in packed:
        while part:
            if reader.eof:
                if part[:1] != _PACKED:
                    return
                reader = zlib.decompressobj(31)  # one packed file can follow another
            try:
                yield reader.decompress(part, _CHUNK)
            except zlib.error as error:
                raise Failed("the packed file is damaged") from error
            part = reader.unused_data if reader.eof else reader.unconsumed_tail
    if not reader.eof:
        raise Failed("the packed file is cut short")


def _next(arrived: _Arrived, end: float, on_wait: Callable[[], object]) -> bytes | None:
    """The next part, b"" after the last, None from `end` on; raises `Failed`."""
    while (rest := end - monotonic()) > 0:
        with suppress(Empty):
            found = arrived.get(timeout=min(_POLL, rest))
            if isinstance(found, Failed):
                raise found
            return found
        on_wait()
    return None


def _pump(url: str, patience: float, arrived: _Arrived, left: Event) -> None:
    """Put what comes into the queue, and at the end b"" or why there was no end."""
    last: bytes | Failed = b""
    try:
        with urlopen(url, timeout=patience) as answer:
            # read1 gives what there is, where read would wait for a whole chunk
            while not left.is_set() and (part := answer.read1(_CHUNK)):
                _put(part, arrived, left)
    except Exception as error:  # of sockets, TLS, HTTP, names, addresses, proxies, ...
        last = Failed(_reason(error))
        if isinstance(error, HTTPError):
            error.close()
    _put(last, arrived, left)


def _put(thing: bytes | Failed, arrived: _Arrived, left: Event) -> None:
    """Put `thing` into the queue, unless nobody reads it any more."""
    while not left.is_set():
        with suppress(Full):
            arrived.put(thing, timeout=_POLL)
            return


def _reason(error: Exception) -> str:
    """Why, in a line."""
    cause = error if isinstance(error, HTTPError) else getattr(error, "reason", None) or error
    said = " ".join(str(cause).split())
    return said or type(cause).__name__
