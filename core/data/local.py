"""MNIST's files as people have them: packed, under a name with a dot, or a folder too high or low.

Only a file that holds exactly the right bytes counts, because other data sets use the same names.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from stat import S_ISREG

from core.runtime.download import Failed, unpacked

__all__ = ["content", "find", "folders"]

_CHUNK = 1 << 20  # bytes
_MOST = 50  # folders inside one that are looked into


def find(folder: Path, name: str, size: int, md5: str) -> Path | None:
    """Where the file `name` lies in or near `folder` in whatever form; None where it doesn't.

    size, md5: of its content, unpacked.
    """
    names = (name, name.replace("-idx", ".idx"))
    for place in folders(folder):
        for path in (place / f"{each}{ending}" for each in names for ending in ("", ".gz")):
            if _is_whole(path, size, md5):
                return path
    return None


def content(path: Path, size: int) -> bytes:
    """The bytes of the file, unpacked if it is gzip.

    Raises `OSError`, and `Failed` for a damaged one or more than `size` bytes.
    """
    with open(path, "rb") as file:
        return b"".join(unpacked(iter(lambda: file.read(_CHUNK), b""), size))


def folders(folder: Path) -> Iterator[Path]:
    """Where torchvision keeps the files when it is given `folder`, and the places near it."""
    raw = folder / "MNIST" / "raw"
    yield from (raw, folder, folder / "MNIST", folder / "raw")
    yield from _inside(raw)  # some unpack each file into a folder of its name
    for below in _inside(folder):
        yield from (below, below / "raw", below / "MNIST" / "raw")


def _inside(folder: Path) -> list[Path]:
    """The first folders in `folder`, by name."""
    try:
        with os.scandir(folder) as entries:
            return sorted(Path(entry.path) for entry in entries if entry.is_dir())[:_MOST]
    except (OSError, ValueError):
        return []


def _is_whole(path: Path, size: int, md5: str) -> bool:
    """Whether the file is there and holds just those bytes; read once while it is the same."""
    with suppress(OSError, ValueError):
        found = path.stat()
        packed = path.suffix == ".gz" and found.st_size <= size + _CHUNK
        if S_ISREG(found.st_mode) and (packed or found.st_size == size):
            return _holds(path, size, md5, (found.st_mtime_ns, found.st_size))
    return False


@lru_cache(256)
def _holds(path: Path, size: int, md5: str, stamp: tuple[int, int]) -> bool:
    """Whether the file holds just those bytes; stamp: when it was written, and how many it has."""
    try:
        found = content(path, size)
    except Failed:
        return False
    return hashlib.md5(found, usedforsecurity=False).hexdigest() == md5
