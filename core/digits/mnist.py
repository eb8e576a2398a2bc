"""MNIST (LeCun et al. 1998) through torchvision: found, checked, and downloaded once if need be.

torchvision reads the files and knows where they are kept. The download is ours because
torchvision's waits without limit when the network is there but silent, and can't show progress.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import urllib.request
from collections.abc import Callable, Iterable
from http.client import HTTPException
from pathlib import Path
from tempfile import NamedTemporaryFile

import torch
from platformdirs import user_cache_path
from torch import Tensor
from torchvision.datasets import MNIST

__all__ = ["Unavailable", "check", "folder", "load", "present"]

VARIABLE = "SPECIALIZED_NEURONS_DATA"
_PATIENCE = 10.0  # seconds without a byte after which a mirror is given up
_CHUNK = 1 << 16  # bytes
_MOST = 64 << 20  # bytes that any of the four files may have, unpacked

_FILES = {  # the unpacked files: bytes and MD5, as they have been since 1998
    "train-images-idx3-ubyte": (47_040_016, "6bbc9ace898e44ae57da46a324031adb"),
    "train-labels-idx1-ubyte": (60_008, "a25bea736e30d166cdddb491f175f624"),
    "t10k-images-idx3-ubyte": (7_840_016, "2646ac647ad5339dbf082846283269ea"),
    "t10k-labels-idx1-ubyte": (10_008, "27ae3e4e09519cfbb04c329615203637"),
}


class Unavailable(OSError):
    """MNIST can't be had; the message is one sentence for the person at the screen."""


def folder() -> Path:
    """The folder that holds MNIST/raw: the variable's, else one in the user's cache folder."""
    named = os.environ.get(VARIABLE)
    return Path(named).expanduser() if named else user_cache_path("specialized-neurons") / "data"


def present() -> bool:
    """Whether all four files lie in the folder, unchecked."""
    return not _missing()


def load(
    *, train: bool, on_progress: Callable[[float], None] | None = None
) -> tuple[Tensor, Tensor]:
    """Images float32 (batch, 1, 28, 28) in 0..1 and labels int64 (batch,), in MNIST's order.

    Raises `Unavailable` when files are missing and can't be downloaded, or aren't MNIST's.
    """
    _download(_missing(), on_progress or (lambda fraction: None))
    prefix = "train" if train else "t10k"
    check([name for name in _FILES if name.startswith(prefix)])
    read = MNIST(folder(), train=train)
    return read.data.to(torch.float32).div_(255.0)[:, None], read.targets.to(torch.int64)


def _raw() -> Path:
    """The folder of the four files, where torchvision looks for them."""
    return folder() / "MNIST" / "raw"


def _missing() -> list[str]:
    """The files that aren't there."""
    return [name for name in _FILES if not (_raw() / name).is_file()]


def check(names: Iterable[str] = tuple(_FILES)) -> None:
    """Raise `Unavailable` unless the files `names` hold exactly the bytes that they should."""
    for name in names:
        _check(_raw() / name)


def _check(path: Path) -> None:
    """Raise `Unavailable` unless `path` holds exactly the bytes that it should."""
    size, md5 = _FILES[path.name]
    try:
        found = path.stat().st_size
        intact = found == size and hashlib.md5(path.read_bytes()).hexdigest() == md5
    except OSError as error:
        raise Unavailable(
            f"{path} can't be read ({error.strerror}): make it readable, or set {VARIABLE} to "
            "another folder."
        ) from error
    if not intact:
        raise Unavailable(
            f"{path} is not MNIST's: it has {found:,} bytes, {size:,} are expected with MD5 {md5}. "
            "Remove the file, and it is downloaded again."
        )


def _download(names: list[str], on_progress: Callable[[float], None]) -> None:
    """Fetch the files `names` from the first mirror that answers, each whole or not at all."""
    total = sum(_FILES[name][0] for name in names)
    done = 0
    for name in names:

        def report(count: int, base: int = done) -> None:
            on_progress(min(1.0, (base + count) / total))

        _fetch(name, report)
        done += _FILES[name][0]


def _fetch(name: str, report: Callable[[int], None]) -> None:
    """Download and unpack one file, trying one mirror after the other."""
    reasons = []
    for mirror in MNIST.mirrors:
        try:
            return _save(_unpacked(f"{mirror}{name}.gz", report), _raw() / name)
        except (OSError, EOFError, HTTPException, ValueError) as error:
            reasons.append(f"{mirror}: {getattr(error, 'reason', None) or error}")
    raise Unavailable(
        f"MNIST could not be downloaded to {_raw()} ({'; '.join(reasons)}): connect to the network "
        f"and try again, or put its four files there, or set {VARIABLE} to a folder with them."
    )


def _unpacked(url: str, report: Callable[[int], None]) -> bytes:
    """The unpacked bytes behind `url`, reporting how many have come."""
    content = bytearray()
    with (
        urllib.request.urlopen(url, timeout=_PATIENCE) as answer,
        gzip.GzipFile(fileobj=answer) as unpacked,
    ):
        while part := unpacked.read(_CHUNK):
            content += part
            report(len(content))
            if len(content) > _MOST:
                raise ValueError(f"more than {_MOST:,} bytes came")
    return bytes(content)


def _save(content: bytes, path: Path) -> None:
    """Write `content` to `path` in one step, if it is what the file should hold."""
    if hashlib.md5(content).hexdigest() != _FILES[path.name][1]:
        raise ValueError("what came is not MNIST's file")
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        try:
            file.write(content)
            file.flush()
            os.replace(file.name, path)
        except OSError:
            Path(file.name).unlink(missing_ok=True)
            raise
