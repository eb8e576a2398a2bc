"""Keeps Python's garbage collector from walking through all that a server has loaded.

Streamlit collects garbage after every run of a page, and a collection looks at every object that
isn't frozen: 0.2 s with torch and a few results loaded. What `gc.freeze` has put away is not looked
at, and no garbage is found in it either, so now and then everything is taken out and looked at
once, in a thread of its own.
"""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Mapping

__all__ = ["freeze", "watch"]

_LONG = 0.004  # seconds of the processor; a collection that takes longer has too much to look at
_GROWN = 500_000  # objects frozen since all was looked at, after which it is again: some 100 MB
_PAUSE = 1.0  # seconds between two freezes, so that what a run drops at its end is not kept

_overlong = threading.Event()
_started = 0.0  # a collection is never within another


def freeze() -> None:
    """Look at everything once, and at what is then left not again."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def watch() -> None:
    """Freeze from now on whenever a collection has become long. Once a process."""
    if _time not in gc.callbacks:
        freeze()
        gc.callbacks.append(_time)
        threading.Thread(target=_keep_short, name="collector", daemon=True).start()


def _time(phase: str, information: Mapping[str, int]) -> None:
    """Called by Python before and after each collection, in the thread that makes it."""
    global _started
    if information["generation"] < 2:
        return
    if phase == "start":
        _started = time.thread_time()
    elif time.thread_time() - _started > _LONG:
        _overlong.set()


def _keep_short() -> None:
    """The thread that freezes."""
    known = gc.get_freeze_count()
    while _overlong.wait():
        if gc.get_freeze_count() > known + _GROWN:
            freeze()
            known = gc.get_freeze_count()
        else:
            gc.freeze()
        time.sleep(_PAUSE)
        _overlong.clear()
