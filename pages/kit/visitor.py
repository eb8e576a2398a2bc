"""Who is at this browser: a random name, so that one visitor can't stop another's work.

The name is a cookie, so that it outlives a reload and is the same in two tabs. A browser that keeps
no cookies gets a name for as long as its tab is open.
"""

from __future__ import annotations

import re
from http.cookies import CookieError, SimpleCookie
from uuid import uuid4

import streamlit as st
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["COOKIE", "Naming", "visitor"]

COOKIE = "specialized-neurons-visitor"
_NAME = re.compile(r"[0-9a-f]{32}")


def visitor() -> str:
    """The same text for one browser, and never another's."""
    given = st.context.cookies.get(COOKIE, "")
    if _NAME.fullmatch(str(given)):
        return str(given)
    if "visitor" not in st.session_state:
        st.session_state["visitor"] = uuid4().hex
    return str(st.session_state["visitor"])


class Naming:
    """Gives a browser without a name one, with the first page that it loads."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the app does, and add the cookie to a page for a browser without it."""
        if scope["type"] != "http" or _named(scope):
            await self._app(scope, receive, send)
            return

        async def naming(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if headers.get("content-type", "").startswith("text/html"):
                    cookie = f"{COOKIE}={uuid4().hex}; Path=/; HttpOnly; SameSite=Lax"
                    headers.append("set-cookie", cookie)
            await send(message)

        await self._app(scope, receive, naming)


def _named(scope: Scope) -> bool:
    """Whether a request carries a name of ours."""
    for key, value in scope["headers"]:
        if key == b"cookie":
            try:
                given = SimpleCookie(value.decode("latin-1")).get(COOKIE)
            except CookieError:
                continue
            if given is not None and _NAME.fullmatch(given.value):
                return True
    return False
