"""MNIST (LeCun et al. 1998): found, checked, and downloaded once if need be.

The files lie where torchvision keeps them, and come from its mirrors. Other forms in which people
have them are found too; see `core.data.local`. The download is ours because torchvision's waits
without limit when the network is there but silent, and can't show progress.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable
from contextlib import closing
from functools import partial
from pathlib import Path

import torch
from torch import Tensor
from torchvision.datasets import MNIST

from core.data import local
from core.runtime import download, folders
from core.text import literal

__all__ = ["Unavailable", "check", "folder", "load", "present"]

VARIABLE = "SPECIALIZED_NEURONS_DATA"
_PATIENCE = 10.0  # seconds without a byte after which a mirror is given up
_LIMIT = 300.0  # seconds in all after which it is given up, for one file
_PATH = 200  # characters of a path that are shown

_FILES = {  # the unpacked files: bytes and MD5, as they have been since 1998
    "train-images-idx3-ubyte": (47_040_016, "6bbc9ace898e44ae57da46a324031adb"),
    "train-labels-idx1-ubyte": (60_008, "a25bea736e30d166cdddb491f175f624"),
    "t10k-images-idx3-ubyte": (7_840_016, "2646ac647ad5339dbf082846283269ea"),
    "t10k-labels-idx1-ubyte": (10_008, "27ae3e4e09519cfbb04c329615203637"),
}


class Unavailable(OSError):
    """MNIST can't be had; the message is one sentence for the person at the screen."""


def folder() -> Path:
    """The folder that holds MNIST/raw: the variable's, else one in the user's cache folder.

    Raises `Unavailable` when the variable can't be a folder's name.
    """
    try:
        return folders.named(VARIABLE) or folders.cache() / "data"
    except ValueError as error:
        raise Unavailable(str(error)) from error


def present() -> bool:
    """Whether all four files are there, those that lie where they should unchecked."""
    try:
        return not _missing()
    except Unavailable:
        return False


def load(
    *, train: bool, on_progress: Callable[[float], None] | None = None
) -> tuple[Tensor, Tensor]:
    """Images float32 (batch, 1, 28, 28) in 0..1 and labels int64 (batch,), in MNIST's order.

    on_progress: called with 0..1 while files are downloaded, also while nothing comes; what it
    raises ends the download.

    Raises `Unavailable` when files are missing and can't be downloaded, or aren't MNIST's.
    """
    _download(_missing(), on_progress or (lambda fraction: None))
    prefix = "train" if train else "t10k"
    pixels = _values(f"{prefix}-images-idx3-ubyte", 16).reshape(-1, 1, 28, 28)
    return pixels.to(torch.float32).div_(255.0), _values(f"{prefix}-labels-idx1-ubyte", 8).long()


def check(names: Iterable[str] = tuple(_FILES)) -> None:
    """Raise `Unavailable` unless the files `names` hold exactly the bytes that they should."""
    for name in names:
        _content(name)


def _raw() -> Path:
    """The folder of the four files, where torchvision looks for them."""
    return folder() / "MNIST" / "raw"


def _missing() -> list[str]:
    """The files that aren't there, nor near there."""
    raw = _raw()
    return [name for name in _FILES if not os.path.isfile(raw / name) and not _near(name)]


def _near(name: str) -> Path | None:
    """Where the file lies in another form, sound."""
    return local.find(folder(), name, *_FILES[name])


def _values(name: str, header: int) -> Tensor:
    """uint8: what the file holds behind its `header`, of so many bytes."""
    return torch.frombuffer(bytearray(_content(name)), dtype=torch.uint8, offset=header)


def _content(name: str) -> bytes:
    """The bytes of the file, unpacked and checked; raises `Unavailable`."""
    path, size = _raw() / name, _FILES[name][0]
    try:
        found = local.content(path, size)
        if _is_right(name, found):
            return found
        fault = _other_bytes(name, f"{len(found):,} bytes")
    except download.Failed as error:
        fault = _other_bytes(name, str(error))
    except (OSError, ValueError) as error:
        fault = (
            f"{name} can't be read from {literal(path.parent, _PATH)} ({literal(_why(error))}): "
            f"make it readable, or set {VARIABLE} to another folder."
        )
    if other := _near(name):
        return local.content(other, size)
    raise Unavailable(fault)


def _other_bytes(name: str, found: str) -> str:
    """The sentence for a file that lies there and isn't MNIST's."""
    size, md5 = _FILES[name]
    return (
        f"{name} is not MNIST's: {literal(_raw() / name, _PATH)} holds {found}, and {size:,} bytes "
        f"with MD5 {md5} are expected. Remove the file, and it is downloaded again."
    )


def _is_right(name: str, content: bytes) -> bool:
    """Whether those are the bytes that the file should hold."""
    return hashlib.md5(content, usedforsecurity=False).hexdigest() == _FILES[name][1]


def _download(names: list[str], on_progress: Callable[[float], None]) -> None:
    """Fetch the files `names` from the first mirror that has them, each whole or not at all."""
    total = sum(_FILES[name][0] for name in names)
    if names and (refused := folders.refusal(_raw(), total)):
        raise _unkept(refused)
    mirrors, done = [str(mirror) for mirror in MNIST.mirrors], 0

    def report(before: int, count: int) -> None:
        on_progress(min(1.0, (before + count) / total))

    for name in names:
        _save(_fetch(name, mirrors, partial(report, done)), _raw() / name)
        done += _FILES[name][0]


def _fetch(name: str, mirrors: list[str], report: Callable[[int], None]) -> bytes:
    """Download and unpack one file, trying one mirror after the other.

    mirrors: those that fail move to the end, so that the next file isn't tried there first.
    """
    reasons = []
    for mirror in tuple(mirrors):
        try:
            content = _answer(f"{mirror.rstrip('/')}/{name}.gz", _FILES[name][0], report)
            if _is_right(name, content):
                return content
            reason = f"what came is not MNIST's, {len(content):,} bytes"
        except download.Failed as error:
            reason = str(error)
        reasons.append(f"{literal(mirror)}: {literal(reason, 100)}")
        mirrors.remove(mirror)
        mirrors.append(mirror)
    why = "; ".join(reasons) or "torchvision names no mirror"
    raise Unavailable(
        f"MNIST could not be downloaded to {literal(_raw(), _PATH)} ({why}): connect to the "
        f"network and try again, or put {_four()} there, or set {VARIABLE} to a folder with them."
    )


def _answer(url: str, size: int, report: Callable[[int], None]) -> bytes:
    """The unpacked bytes behind `url`, at most `size`, reporting how many have come."""
    content = bytearray()

    def tell() -> None:
        report(len(content))

    came = download.parts(url, patience=_PATIENCE, limit=_LIMIT, on_wait=tell)
    with closing(came):
        for part in download.unpacked(came, size):
            content += part
            tell()
    return bytes(content)


def _save(content: bytes, path: Path) -> None:
    """Write `content` to `path` in one step; raises `Unavailable`, and then leaves nothing."""
    try:
        folders.put(path, content)
    except OSError as error:
        raise _unkept(literal(_why(error))) from error


def _unkept(reason: str) -> Unavailable:
    """The sentence for a folder that can't hold the files."""
    need = sum(size for size, _ in _FILES.values()) / 1e6
    return Unavailable(
        f"MNIST can't be kept in {literal(_raw(), _PATH)} ({reason}): let this program write "
        f"{need:.0f} MB there, or set {VARIABLE} to another folder, or to one with {_four()}."
    )


def _four() -> str:
    """The four files, by name."""
    return f"{', '.join(_FILES)} (each as it is or as .gz)"


def _why(error: Exception) -> str:
    """Why, in a few words and without a path."""
    return str(getattr(error, "strerror", None) or error)
