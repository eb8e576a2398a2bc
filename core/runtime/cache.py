"""What one server keeps in memory for all its visitors: results, digits, and the work under way.

The only module of `core` that knows Streamlit. Nothing here is ever changed once it is handed out.
"""

from __future__ import annotations

import gc
import importlib
import os
import threading
from collections import OrderedDict
from typing import Any, TypeVar

import streamlit as st
import torch

from core.data import Digits, load_digits
from core.runtime import collector
from core.runtime.jobs import JOBS, Job
from core.runtime.store import Store, default_store
from core.runtime.task import Task

__all__ = ["digits", "failure", "get", "ready", "retry", "start", "store", "warm_up", "watched_by"]

Result = TypeVar("Result")

_RESULTS = 24  # kept in memory; the largest, a study of LeNet-5, has about 20 MB


class _Memory:
    """The results used last, and why others could not be had."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._results: OrderedDict[Task[Any], Any] = OrderedDict()
        self.failures: dict[Task[Any], str] = {}

    def get(self, task: Task[Result]) -> Result | None:
        """The result, which is then the one used last."""
        with self._guard:
            if task in self._results:
                self._results.move_to_end(task)
            found: Result | None = self._results.get(task)
            return found

    def put(self, task: Task[Result], result: Result) -> None:
        """Keep the result, at the price of the one used longest ago."""
        with self._guard:
            self._results[task] = result
            self._results.move_to_end(task)
            while len(self._results) > _RESULTS:
                self._results.popitem(last=False)
        gc.freeze()  # no collection need look at the result's objects


@st.cache_resource(show_spinner=False)
def _memory() -> _Memory:
    """The memory of this server."""
    return _Memory()


def store() -> Store:
    """The folder of results."""
    return default_store()


@st.cache_resource(max_entries=6, show_spinner="Loading digits")
def digits(source: str, split: str) -> Digits:
    """`load_digits`, once for all; nobody may write to its tensors."""
    return load_digits(source, split)


def ready(task: Task[Result]) -> Result | None:
    """The result from memory or from the store; None where it must be computed."""
    found = _memory().get(task)
    if found is not None:
        return found
    try:
        found = task.kept(store())
    except OSError as error:  # files that the task needs are there and unusable
        _memory().failures[task] = str(error)
        return None
    if found is not None:
        _memory().failures.pop(task, None)
        _memory().put(task, found)
    return found


def start(task: Task[Any], visitor: str) -> Job:
    """The job that computes the task, joined by the visitor. Raises `jobs.QueueFull`."""

    def work(job: Job) -> None:
        _memory().put(task, task.compute(store(), job.report))
        _memory().failures.pop(task, None)

    return JOBS.start(task, work, visitor=visitor, title=task.title)


def get(task: Task[Any]) -> Job | None:
    """The task's job, in whatever state."""
    return JOBS.get(task)


def watched_by(visitor: str) -> list[Job]:
    """The jobs that the visitor waits for, on whichever page."""
    return JOBS.watched_by(visitor)


def failure(task: Task[Any]) -> str | None:
    """Why the task's result can't be had, a sentence; None when nothing is known against it."""
    known = _memory().failures.get(task)
    job = JOBS.get(task)
    return known or (job.snapshot().error if job else None)


def retry(task: Task[Any], visitor: str) -> Job:
    """Start again what failed. Raises `jobs.QueueFull`."""
    _memory().failures.pop(task, None)
    return start(task, visitor)


def warm_up() -> None:
    """Do before the first visitor comes what would keep everybody waiting.

    The first optimizer imports a second's worth of modules.
    """
    importlib.import_module("core.charts")  # and with it altair
    torch.set_num_threads(THREADS)
    torch.optim.Adadelta([torch.zeros(1, requires_grad=True)])
    collector.watch()


# Two: one leaves a core idle, and on more the models are too small to gain.
THREADS = min(2, os.cpu_count() or 1)
