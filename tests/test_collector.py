"""The garbage collector: long walks end, and what became garbage meanwhile still goes."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import gc, time, weakref
from core.runtime import collector

class Node:
    pass

def collected():
    start = time.thread_time()
    gc.collect(2)
    return time.thread_time() - start

collector.watch()
collector.watch()
heap = [[number] for number in range(600_000)]
long = collected()
until = time.monotonic() + 30
while gc.get_freeze_count() < 600_000 and time.monotonic() < until:
    time.sleep(0.05)
short = min(collected() for _ in range(5))
print(long / short, len([one for one in gc.callbacks if one is collector._time]))

node = Node()
node.itself = node
seen = weakref.ref(node)
gc.freeze()
del node
gc.collect()
still = seen() is not None
collector.freeze()
print(still, seen() is None)
"""


def test_a_grown_heap_is_walked_once_and_frozen_garbage_goes() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=120, check=True
    )
    shorter, garbage = done.stdout.splitlines()
    ratio, watches = shorter.split()
    assert float(ratio) > 3
    assert watches == "1"
    assert garbage == "True True"
