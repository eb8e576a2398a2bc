"""What a warm rerun of each view costs the server, in seconds of its processor, bytes and memory.

A server of its own is started. Each view is opened until its results are there, which trains models
where the store has none, and then rerun; what is promised holds for such reruns.
"""

from __future__ import annotations

import ast
import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from urllib.error import URLError
from urllib.request import urlopen

from bench.client import Client, View
from bench.ratio import Row

__all__ = ["measure", "server", "views"]

_ROOT = Path(__file__).parent.parent
_MEDIAN, _DEAREST = 0.040, 0.080  # seconds of the processor
_SIZE, _MEMORY = 300, 5.0  # kB through the socket, MB a session
_SESSIONS = 12
_DATA = {"data": "strokes"}
_UNIT = "lenet5/linear_0/27"


@dataclass(frozen=True)
class Server:
    """A running server."""

    port: int
    process: int

    def seconds(self) -> float:
        """The processor's time that it has taken so far."""
        fields = Path(f"/proc/{self.process}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self) -> float:
        """Its memory, in MB."""
        pages = int(Path(f"/proc/{self.process}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@dataclass(frozen=True)
class Cost:
    """What one warm rerun costs: seconds of the processor, kB sent, and MB a further session."""

    view: View
    seconds: float
    size: float
    memory: float


def views() -> list[View]:
    """Every page, each with every view that it names, and those of a unit."""
    found = [View("", _DATA), View("units", _DATA), View("units", {**_DATA, "unit": _UNIT})]
    for path in sorted((_ROOT / "pages").glob("*.py")):
        if path.stem in ("__init__", "frame", "home", "units"):
            continue
        named = _named(path)
        options: list[dict[str, str]] = [{"view": name} for name in named.get("VIEWS", ())]
        for section, models in named.get("MODELS", {}).items():
            options.append({"section": section, "model": models[0]})
        found += [View(path.stem, {**_DATA, **each}) for each in options or [{}]]
    return [*found, View("ask", {**_DATA, "layer": "linear_0", "units": _UNIT})]


def _named(path: Path) -> dict[str, dict[str, list[str]]]:
    """The dictionaries of a page's views: names, and the texts that stand beside each.

    Read, not imported: a page that is imported runs.
    """
    found = {}
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        target = node.target if isinstance(node, ast.AnnAssign) else None
        if isinstance(node, ast.Assign):
            target = node.targets[0]
        if isinstance(target, ast.Name) and isinstance(node.value, ast.Dict):
            texts = [[t.value for t in ast.walk(v) if _is_text(t)] for v in node.value.values]
            keys = [key.value for key in node.value.keys if _is_text(key)]
            found[target.id] = dict(zip(keys, texts, strict=True))
    return found


def _is_text(node: object) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


@contextmanager
def server() -> Iterator[Server]:
    """A fresh server of the app, with the user's own store."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless", "true"]
    process = subprocess.Popen(
        [*command, "--server.port", str(port), "--server.address", "127.0.0.1"],
        cwd=_ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(port)
        yield Server(port, process.pid)
    finally:
        process.terminate()
        process.wait(20)


def _wait(port: int) -> None:
    """Return once the server answers. Raises `TimeoutError` after two minutes."""
    until = time.monotonic() + 120
    while time.monotonic() < until:
        try:
            with urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2):
                return
        except (URLError, OSError):
            time.sleep(0.5)
    raise TimeoutError("the server did not start within two minutes.")


async def _costs(running: Server, rounds: int) -> list[Cost]:
    """What each view costs, the views in turn in one session."""
    client, found = await Client.open(running.port), []
    for view in views():
        await client.warm(view)
        await client.rerun(view)
        await asyncio.sleep(0.3)  # what the last run left to be done
        before = running.seconds()
        runs = [await client.rerun(view) for _ in range(rounds)]
        await asyncio.sleep(0.3)
        seconds = (running.seconds() - before) / rounds
        memory = await _memory(running, view)
        cost = Cost(view, seconds, median(run.size for run in runs) / 1e3, memory)
        sys.stdout.write(
            f"{view!s:52} {cost.seconds * 1e3:5.0f} ms {cost.size:6.0f} kB {cost.memory:6.1f} MB\n"
        )
        sys.stdout.flush()
        found.append(cost)
    await client.close()
    return found


async def _memory(running: Server, view: View) -> float:
    """What one session more takes that has seen the view, in MB."""
    before = running.memory()
    clients = [await Client.open(running.port) for _ in range(_SESSIONS)]
    for client in clients:
        await client.rerun(view)
    grown = (running.memory() - before) / _SESSIONS
    for client in clients:
        await client.close()
    return grown


def measure(rounds: int) -> list[Row]:
    """The promises of a warm rerun; prints what each view costs."""
    with server() as running:
        costs = asyncio.run(_costs(running, rounds))
    middle, dearest = (of([cost.seconds for cost in costs]) for of in (median, max))
    size, memory = (max(cost.size for cost in costs), median(cost.memory for cost in costs))
    return [
        Row("s of the processor a rerun, median view", middle, "at most 0.04", middle <= _MEDIAN),
        Row(
            "s of the processor a rerun, dearest view", dearest, "at most 0.08", dearest <= _DEAREST
        ),
        Row("kB a rerun, largest view", size, "at most 300", size <= _SIZE),
        Row("MB a session, median view", memory, "at most 5", memory <= _MEMORY),
    ]


def main() -> int:
    """Print what each view costs, and whether the promises are kept; 1 when one is broken."""
    rows = measure(9)
    for row in rows:
        verdict = "kept" if row.kept else "BROKEN"
        sys.stdout.write(f"{row.what:44}  {row.value:8.3f}  {row.promise:14}  {verdict}\n")
    return 0 if all(row.kept for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
