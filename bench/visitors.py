"""`python -m bench.visitors [people] [seconds]`: how long people wait who click at the same time.

Each has a session of their own, opens one view after another in an order of their own, and clicks
again 2 to 6 s after the answer came.
"""

from __future__ import annotations

import asyncio
import random
import sys
from time import perf_counter

import numpy as np

from bench.client import Client
from bench.pages import Server, server, views

_PEOPLE, _SECONDS = 50, 120.0
_PAUSE = (2.0, 6.0)  # seconds between an answer and the next click


async def _visit(port: int, seed: int, end: float, waits: list[float]) -> None:
    """One person, until `end`; how long each answer took goes to `waits`."""
    drawn, each = random.Random(seed), views()
    client = await Client.open(port)
    while perf_counter() < end:
        await asyncio.sleep(drawn.uniform(*_PAUSE))
        waits.append((await client.rerun(drawn.choice(each))).seconds)
    await client.close()


async def _all(running: Server, people: int, seconds: float) -> list[float]:
    """Everybody's waits, in seconds, once every view has its results."""
    first = await Client.open(running.port)
    for view in views():
        await first.warm(view)
    await first.close()
    waits: list[float] = []
    end = perf_counter() + seconds
    await asyncio.gather(*(_visit(running.port, seed, end, waits) for seed in range(people)))
    return waits


def main() -> None:
    """Print the median and the 95th percentile of the waits."""
    people = int(sys.argv[1]) if len(sys.argv) > 1 else _PEOPLE
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else _SECONDS
    with server() as running:
        before = running.memory()
        waits = asyncio.run(_all(running, people, seconds))
        grown = running.memory() - before
    middle, late = np.percentile(waits, [50, 95])
    sys.stdout.write(
        f"{people} people, {len(waits)} answers in {seconds:.0f} s: median {middle:.2f} s, 95th "
        f"percentile {late:.2f} s; the server grew by {grown:.0f} MB\n"
    )


if __name__ == "__main__":
    main()
