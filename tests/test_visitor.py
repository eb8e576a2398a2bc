"""A browser gets a name with its first page, keeps it, and can't be given a wrong one."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest

from pages.kit.visitor import COOKIE, Naming

NAME = "0123456789abcdef" * 2


def cookies(kind: str = "text/html; charset=utf-8", sent: str | None = None) -> list[str]:
    """The cookies that an answer of this type brings to a browser that sent its own."""
    messages: list[dict[str, Any]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"content-type", kind.encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    async def keep(message: Any) -> None:
        messages.append(message)

    headers = [] if sent is None else [(b"cookie", sent.encode("latin-1"))]
    asyncio.run(Naming(app)({"type": "http", "headers": headers}, None, keep))  # type: ignore[arg-type]
    assert [message["type"] for message in messages] == [
        "http.response.start",
        "http.response.body",
    ]
    return [text.decode() for name, text in messages[0]["headers"] if name == b"set-cookie"]


def test_a_first_page_names_the_browser_at_random() -> None:
    (first,), (second,) = cookies(), cookies()
    form = rf"{COOKIE}=[0-9a-f]{{32}}; Path=/; HttpOnly; SameSite=Lax"
    assert re.fullmatch(form, first)
    assert re.fullmatch(form, second)
    assert first != second


def test_a_name_is_kept() -> None:
    assert cookies(sent=f"other=1; {COOKIE}={NAME}") == []


def test_only_pages_name_a_browser() -> None:
    assert cookies("application/javascript") == []


@pytest.mark.parametrize(
    "sent", ["", "other=1", f"{COOKIE}=me", f"{COOKIE}={NAME}0", f"{COOKIE}={NAME.upper()}"]
)
def test_what_is_no_name_is_replaced(sent: str) -> None:
    assert len(cookies(sent=sent)) == 1


@pytest.mark.parametrize("sent", ["\xff=\x00;;=", "[]=1; a b c", "=" * 5000])
def test_damaged_cookies_harm_nothing(sent: str) -> None:
    assert len(cookies(sent=sent)) == 1


def test_what_is_no_page_passes_by() -> None:
    seen = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append((scope["type"], receive, send))

    asyncio.run(Naming(app)({"type": "websocket"}, "receive", "send"))  # type: ignore[arg-type]
    assert seen == [("websocket", "receive", "send")]
