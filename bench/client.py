"""A visitor without a browser: one session of a server, over its websocket.

A client sends what a browser sends, and reads what comes back as far as the bench must know it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter
from urllib.parse import urlencode

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

__all__ = ["Client", "Rerun", "View"]

_WAITING = {"progress", "skeleton"}  # the elements of a view whose result is still to come
_LONGEST = 900.0  # seconds for a result that must be computed first


@dataclass(frozen=True)
class View:
    """One address of the app: the page, and what stands in the query."""

    page: str
    query: Mapping[str, object]

    def __str__(self) -> str:
        options = ", ".join(f"{key}={value}" for key, value in self.query.items() if key != "data")
        page = self.page or "home"
        return f"{page}: {options}" if options else page


@dataclass(frozen=True)
class Rerun:
    """One run of a page: seconds until it was done, bytes that came, what is missing or failed."""

    seconds: float
    size: int
    waiting: bool
    failed: bool


class Client:
    """One session, which can be at one view at a time."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    @classmethod
    async def open(cls, port: int) -> Client:
        """A new session of the server on this machine's `port`."""
        host = f"127.0.0.1:{port}"
        socket = await connect(
            f"ws://{host}/_stcore/stream",
            subprotocols=["streamlit"],  # type: ignore[list-item]
            origin=f"http://{host}",  # type: ignore[arg-type]
            max_size=None,
            open_timeout=120,
        )
        return cls(socket)

    async def close(self) -> None:
        """Leave."""
        await self._socket.close()

    async def rerun(self, view: View) -> Rerun:
        """Ask for the view and read until its run ends."""
        message = BackMsg()
        message.rerun_script.query_string = urlencode(dict(view.query))
        message.rerun_script.page_name = view.page
        start, size, waiting, failed = perf_counter(), 0, False, False
        await self._socket.send(message.SerializeToString())
        while True:
            data = await asyncio.wait_for(self._socket.recv(), 300)
            size += len(data)
            answer = ForwardMsg.FromString(data if isinstance(data, bytes) else data.encode())
            kind = answer.WhichOneof("type")
            if kind == "script_finished":
                return Rerun(perf_counter() - start, size, waiting, failed)
            if kind == "delta":
                element = answer.delta.new_element
                waiting |= element.WhichOneof("type") in _WAITING
                failed |= element.WhichOneof("type") == "exception"
                failed |= "could not be drawn" in element.alert.body

    async def warm(self, view: View) -> None:
        """Wait until the view has all its results, and see it once more.

        Raises `TimeoutError` when that takes too long, and `RuntimeError` where the view fails.
        """
        end = perf_counter() + _LONGEST
        while (run := await self.rerun(view)).waiting:
            if perf_counter() > end:
                raise TimeoutError(f"{view} was not ready after {_LONGEST:.0f} s.")
            await asyncio.sleep(1)
        if run.failed:
            raise RuntimeError(f"{view} failed: the server's log says why.")
        await self.rerun(view)
