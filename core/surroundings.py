"""What a caller may have set around a call of ours, and what we compute in instead.

Gradients off, inference mode, another default type or device, mixed precision, NumPy's errors
raised: each would stop a computation here or give it other numbers. So a function that computes is
marked `@undisturbed()`: inside, torch and NumPy are as they come, and outside as the caller set
them, also after an exception. Random numbers need no such care, for none comes from the generators
that everybody shares.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import numpy as np
import torch

__all__ = ["undisturbed"]

_counting = threading.Lock()
_inside = 0  # computations going on now, in all threads
_theirs: tuple[torch.dtype, bool, bool] | None = None  # settings of the process, while any goes on


@contextmanager
def undisturbed() -> Iterator[None]:
    """A block, or as `@undisturbed()` a function, in which torch and NumPy are as they come."""
    with ExitStack() as settings:
        settings.enter_context(_of_the_process())
        settings.enter_context(torch.inference_mode(False))
        settings.enter_context(torch.enable_grad())
        settings.enter_context(np.errstate(divide="warn", over="warn", under="ignore"))
        settings.enter_context(np.errstate(invalid="warn"))
        for device in ("cpu", "cuda"):
            if torch.is_autocast_enabled(device):
                settings.enter_context(torch.autocast(device, enabled=False))
        if torch.empty(0).device.type != "cpu":
            settings.enter_context(torch.device("cpu"))
        yield


@contextmanager
def _of_the_process() -> Iterator[None]:
    """Settings that all threads share, ours from the first computation in to the last one out."""
    global _inside, _theirs
    with _counting:
        if not _inside:
            _theirs = _now()
            _set((torch.float32, False, _theirs[2]))
        _inside += 1
    try:
        yield
    finally:
        with _counting:
            _inside -= 1
            if not _inside and _theirs is not None:
                _set(_theirs)


def _now() -> tuple[torch.dtype, bool, bool]:
    """The default type, and whether anomalies are looked for, also numbers that are none."""
    anomalies = torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled()
    return torch.get_default_dtype(), *anomalies


def _set(wanted: tuple[torch.dtype, bool, bool]) -> None:
    """Set what `_now` tells, where it is otherwise."""
    dtype, *anomalies = wanted
    if torch.get_default_dtype() != dtype:
        torch.set_default_dtype(dtype)
    if torch.is_anomaly_enabled() != anomalies[0]:
        torch.set_anomaly_enabled(*anomalies)
