"""The lab and the work under way that one server has for all its visitors.

The only module of `core` that knows Streamlit.
"""

from __future__ import annotations

import gc
import importlib
import os
import threading
from pathlib import Path
from typing import Any, TypeVar

import streamlit as st
import torch

from core.data import DataSet
from core.data.task import DataTask
from core.runtime import collector
from core.runtime.jobs import JOBS, Job
from core.runtime.lab import Lab
from core.runtime.store import Store, default_store
from core.runtime.task import Task

__all__ = [
    "digits",
    "failure",
    "find",
    "get",
    "lab",
    "retry",
    "start",
    "store",
    "use",
    "warm_up",
    "watched_by",
]

Result = TypeVar("Result")


class _Server:
    """The labs of this server by the folders of their stores, and why results could not be had."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._labs: dict[Path, Lab] = {}
        self.failures: dict[Task[Any], str] = {}

    def lab(self, store: Store) -> Lab:
        """The lab whose results are in the store."""
        with self._guard:
            if store.folder not in self._labs:
                # no collection need look at what is kept
                self._labs[store.folder] = Lab(store, on_kept=gc.freeze)
            return self._labs[store.folder]

    def use(self, lab: Lab) -> None:
        """Hand out `lab` for its store from now on."""
        with self._guard:
            self._labs[lab.store.folder] = lab


@st.cache_resource(show_spinner=False)
def _server() -> _Server:
    """What this server keeps."""
    return _Server()


def store() -> Store:
    """The folder of results."""
    return default_store()


def lab() -> Lab:
    """The lab that every page of this server asks."""
    return _server().lab(store())


def use(lab: Lab) -> None:
    """Let every page ask `lab`, as long as its store is that of the environment."""
    _server().use(lab)


def find(task: Task[Result]) -> Result | None:
    """The result where it takes no work; None where it must be computed."""
    try:
        found = lab().find(task)
    except OSError as error:  # files that the task needs are there and unusable
        _server().failures[task] = str(error)
        return None
    if found is not None:
        _server().failures.pop(task, None)
    return found


def digits(source: str, split: str) -> DataSet:
    """Digits from the lab; who waits for them sees that they are loaded."""
    task = DataTask(source, split)
    found = lab().find(task)
    if found is not None:
        return found
    with st.spinner("Loading digits"):
        return lab().result(task)


def start(task: Task[Any], visitor: str) -> Job:
    """The job that computes the task, joined by the visitor. Raises `jobs.QueueFull`."""
    within = lab()

    def work(job: Job) -> None:
        within.result(task, job.report)
        _server().failures.pop(task, None)

    return JOBS.start(task, work, visitor=visitor, title=task.title)


def get(task: Task[Any]) -> Job | None:
    """The task's job, in whatever state."""
    return JOBS.get(task)


def watched_by(visitor: str) -> list[Job]:
    """The jobs that the visitor waits for, on whichever page."""
    return JOBS.watched_by(visitor)


def failure(task: Task[Any]) -> str | None:
    """Why the task's result can't be had, a sentence; None when nothing is known against it."""
    known = _server().failures.get(task)
    job = JOBS.get(task)
    return known or (job.snapshot().error if job else None)


def retry(task: Task[Any], visitor: str) -> Job:
    """Start again what failed. Raises `jobs.QueueFull`."""
    _server().failures.pop(task, None)
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
