"""Files that a browser fetches once and keeps: each is named by its contents and never changes.

What travels through Streamlit's socket travels again with each session; a file doesn't.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict

import streamlit as st
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

__all__ = ["Files", "address", "name_of", "routes"]

_LIMIT = 128 * 2**20  # bytes; the largest film has about 8 MB
_FOREVER = "public, max-age=31536000, immutable"  # a year, the longest that browsers know


class Files:
    """Files by their names, within a bound of bytes; those offered longest ago make room."""

    def __init__(self, limit: int = _LIMIT) -> None:
        self._limit = limit
        self._guard = threading.Lock()
        self._kept: OrderedDict[str, bytes] = OrderedDict()

    def offer(self, name: str, content: bytes) -> None:
        """Have the file ready for whoever asks; the newest is there also where it is too large."""
        with self._guard:
            self._kept[name] = content
            self._kept.move_to_end(name)
            while len(self._kept) > 1 and sum(map(len, self._kept.values())) > self._limit:
                self._kept.popitem(last=False)

    def get(self, name: str) -> bytes | None:
        """The file, if it is there."""
        with self._guard:
            return self._kept.get(name)


_FILES = Files()


def address(content: bytes, name: str | None = None) -> str:
    """Where the browser finds the file. name: `name_of` the contents, where it is known."""
    if name is None:
        name = name_of(content)
    _FILES.offer(name, content)
    return f"{_folder()}/{name}"


def name_of(content: bytes) -> str:
    """A hash of the contents."""
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def routes() -> list[Route]:
    """What a server needs, as `st.App(…, routes=routes())`, to hand out the files."""
    return [Route(f"{_folder()}/{{name}}", _answer)]


def _folder() -> str:
    """The address that they have in common."""
    base = str(st.get_option("server.baseUrlPath")).strip("/")
    return f"/{base}/files" if base else "/files"


async def _answer(request: Request) -> Response:
    """The file that is asked for."""
    content = _FILES.get(request.path_params["name"])
    if content is None:
        return Response("There is no such file: load the page again.", 404)
    kind = "image/png" if content.startswith(b"\x89PNG") else "application/octet-stream"
    return Response(content, media_type=kind, headers={"Cache-Control": _FOREVER})
