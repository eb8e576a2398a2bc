"""A server of our own and a browser to look at it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def server(
    folder: Path, variables: Mapping[str, str], script: Path = ROOT / "app.py"
) -> Iterator[tuple[str, Path]]:
    """A fresh server's address and its log, in `folder`, for as long as the block lasts."""
    port = free_port()
    log = folder / "server.log"
    command = [sys.executable, "-m", "streamlit", "run", script.name, "--server.headless", "true"]
    with log.open("w") as file:
        process = subprocess.Popen(
            [*command, "--server.port", str(port), "--server.address", "127.0.0.1"],
            cwd=script.parent,
            stdout=file,
            stderr=subprocess.STDOUT,
            env={**os.environ, **variables},
        )
    try:
        address = f"http://127.0.0.1:{port}"
        _wait_until_up(port, process, log)
        yield address, log
    finally:
        process.terminate()
        process.wait(20)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def is_up(port: int) -> bool:
    """Whether a server at this port answers that it is well."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2) as answer:
            return bool(answer.read() == b"ok")
    except OSError:
        return False


def _wait_until_up(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return once the server answers that it is well."""
    until = time.monotonic() + 90
    while time.monotonic() < until and process.poll() is None:
        if is_up(port):
            return
        time.sleep(0.3)
    raise RuntimeError(f"the server did not start: {log.read_text()}")
