"""Where things are kept: where the environment says, else with the user, else with the system."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from contextlib import suppress
from pathlib import Path

import platformdirs

from core.text import literal

__all__ = ["cache", "named", "or_temporary", "put", "refusal"]

_NAME = "specialized-neurons"


def named(variable: str) -> Path | None:
    """The folder that the environment variable names, absolute; None where it is unset or blank.

    It needn't be there. Raises `ValueError` with one sentence where it begins with a `~` that is
    nobody's home: a folder of that name would be made wherever the program was started.
    """
    value = os.environ.get(variable, "")
    if not value.strip():
        return None
    expanded = os.path.expanduser(value)
    own = value.replace("\\", "/").split("/")[0] == "~"
    if expanded.startswith("~") or (own and not _has_home()):
        raise ValueError(
            f"{variable} is {literal(value, 200)}, and that is nobody's home here: give the whole "
            "path of a folder."
        )
    try:
        return Path(expanded).absolute()
    except OSError as error:
        raise ValueError(
            f"{variable} is {literal(value, 200)}, and the folder that it begins in is gone: give "
            "the whole path of a folder."
        ) from error


def cache() -> Path:
    """The user's cache folder of this program; see `or_temporary` for users without one."""
    try:
        user = Path(platformdirs.user_cache_dir(_NAME, False))
    except (OSError, RuntimeError, KeyError):  # newer releases, for a user without a home
        user = Path("~")
    return or_temporary(user)


def or_temporary(user: Path) -> Path:
    """`user`, a folder in the user's home; without a home that can hold it, a temporary folder.

    That is one of this program and this user in the system's folder for temporary files.
    """
    if user.is_absolute() and (_has_home() or _has_cache()) and _can_be(user):
        return user
    number = getattr(os, "getuid", lambda: "user")()
    try:
        system = tempfile.gettempdir()
    except OSError:  # nothing can be written anywhere, and who writes there will say so
        system = os.path.join(os.path.abspath(os.sep), "tmp")
    return Path(system) / f"{_NAME}-{number}"


def refusal(folder: Path, size: int) -> str | None:
    """Why `size` bytes can't be kept in `folder`, in a few words; None where they can.

    A byte is written for it in the folder, or in the nearest one above that there is.
    """
    try:
        place = _nearest(folder)
        if not place.is_dir():
            return f"{literal(place, 200)} is no folder"
        with tempfile.NamedTemporaryFile(dir=place, prefix=f".{_NAME}.") as file:
            file.write(b"\0")
            file.flush()
        free = shutil.disk_usage(place).free
    except (OSError, ValueError) as error:
        return literal(getattr(error, "strerror", None) or error)
    if free < size:
        return f"{free / 1e6:.1f} MB are free there and {size / 1e6:.1f} MB are needed"
    return None


def put(path: Path, content: bytes) -> None:
    """Write `content` to `path` in one step, and its folder before.

    Raises `OSError`, and leaves nothing half written then or when interrupted.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.parent / f".{path.name}.{uuid.uuid4().hex}.tmp"
    try:
        with open(temporary, "xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


def _has_home() -> bool:
    """Whether there is a home: the environment's, where it is a whole path, or the account's."""
    return os.environ.get("HOME") != "" and os.path.isabs(os.path.expanduser("~"))


def _has_cache() -> bool:
    """Whether the environment names a folder for caches, which then needn't be in a home."""
    return os.path.isabs(os.environ.get("XDG_CACHE_HOME", ""))


def _can_be(folder: Path) -> bool:
    """Whether `folder` is there, or could be made."""
    with suppress(OSError, ValueError):
        place = _nearest(folder)
        return place.is_dir() and (place == folder or os.access(place, os.W_OK | os.X_OK))
    return False


def _nearest(folder: Path) -> Path:
    """The nearest of `folder` and those above it that there is, be it a file.

    Raises `OSError` where that can't be seen, and `ValueError` for what can't be a path.
    """
    for place in (folder, *folder.parents):
        try:
            os.stat(place)
        except (FileNotFoundError, NotADirectoryError):
            if not os.path.islink(place):
                continue
            raise  # a link to nowhere: no folder can be made in its place
        return place
    raise FileNotFoundError(2, "there is no such drive")
