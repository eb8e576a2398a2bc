"""Work that takes longer than a page: one daemon thread a job, shared by all who ask for the same.

A visitor who asks for what is waiting, running or done joins it. One who cancels only leaves, and
the job ends when nobody is left. A job that nobody looks at any more ends at its next report.
A worker is stopped by an exception from its own call of `report` or `check`, so never in the middle
of anything.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["JOBS", "Cancelled", "Job", "Jobs", "QueueFull", "Snapshot", "State"]

State: TypeAlias = Literal["waiting", "running", "done", "failed", "cancelled"]
Work: TypeAlias = Callable[["Job"], Any]
Clock: TypeAlias = Callable[[], float]
Points: TypeAlias = tuple[tuple[int, float], ...]

PATIENCE = 120.0  # seconds without a poll; browsers slow a hidden tab's timers to one a minute
POINTS = 1000  # of one series: about as many as a chart has pixels across
_MARKS = 20  # progress marks that the time left is told from
_MARK_EVERY = 0.5  # seconds between two of them, so that they cover ten seconds at least
_SETTLED = 1.0  # seconds before the time left is told: first steps are slow

_log = logging.getLogger("core.runtime.jobs")


class Cancelled(Exception):
    """Raised in the worker when its job is to end: let it pass."""


class QueueFull(RuntimeError):
    """Too many jobs wait already."""


@dataclass(frozen=True)
class Snapshot:
    """A job at one moment, for a page to show.

    fraction: done, 0..1. elapsed: seconds since the work began. left: seconds, None if unknown.
    series: by name, (step, value), where step counts the values reported, from 1. error: a
    sentence, once failed. watchers: visitors who look. place: 1 for the next in the queue, None
    when it isn't in it. cancel_requested: it ends at its next report. picture: the last one shown,
    uint8 (height, width), None where there is none.
    """

    title: str
    state: State
    fraction: float
    text: str
    elapsed: float
    left: float | None
    series: dict[str, Points]
    error: str | None
    watchers: int
    place: int | None
    cancel_requested: bool
    picture: NDArray[np.uint8] | None = None


class Job:
    """One piece of work and who looks at it, made by `Jobs.start`; safe from any thread.

    The worker calls `report` and `check`; pages call `poll`, `cancel` and `result`; only `Jobs`
    calls `join`, `waits`, `begin`, `run` and `end`.
    """

    def __init__(self, jobs: Jobs, spec: Hashable, work: Work, title: str) -> None:
        """A waiting job without a watcher."""
        self.spec, self.title = spec, title
        self._jobs, self._clock, self._work = jobs, jobs.clock, work
        self._lock = threading.Lock()  # of all below; never taken before the lock of `jobs`
        self._over = threading.Event()
        self._state: State = "waiting"
        self._result: Any = None
        self._error: str | None = None
        self._text, self._fraction = "", 0.0
        self._marks: deque[tuple[float, float]] = deque(maxlen=_MARKS)  # (time, fraction)
        self._began = self._reported = self._ended = 0.0
        self._series: dict[str, _Series] = {}
        self._picture: NDArray[np.uint8] | None = None
        self._watchers: dict[str, float] = {}  # visitor -> when it was last here
        self._left: set[str] = set()  # visitors who cancelled; a late poll doesn't bring them back
        self._cancel = self._stopped = False  # asked for; told to the worker

    @property
    def result(self) -> Any:
        """What the work returned; None until the job is done."""
        with self._lock:
            return self._result

    def wait(self, timeout: float | None = None) -> bool:
        """Whether the job is over within `timeout` seconds; it doesn't count as a look."""
        return self._over.wait(timeout)

    def report(
        self,
        fraction: float,
        text: str | None = None,
        *,
        picture: NDArray[np.uint8] | None = None,
        **series: float,
    ) -> None:
        """Say from the worker how far it is, and add a value to each of the named series.

        fraction: clipped to 0..1. text, picture: None keeps the last; a picture isn't written to
        once it is given. Raises `Cancelled` when the job is to end and `ValueError` for a fraction
        that isn't a number.
        """
        self.check()
        if math.isnan(fraction):
            raise ValueError(f"the fraction done is {fraction}: give a number from 0 to 1.")
        values = {name: float(value) for name, value in series.items()}
        with self._lock:
            now = self._reported = self._clock()
            self._fraction = min(max(float(fraction), 0.0), 1.0)
            if text is not None:
                self._text = text
            if picture is not None:
                self._picture = picture
            for name, value in values.items():
                self._series.setdefault(name, _Series()).append(value)
            if now - self._marks[-1][0] >= _MARK_EVERY:
                self._marks.append((now, self._fraction))

    def check(self) -> None:
        """Raise `Cancelled` when the job is to end: all have left or gone."""
        with self._lock:
            if self._state == "running" and (self._cancel or not self._alive()):
                # from here on nobody can join: the worker is on its way out
                self._cancel = self._stopped = True
            if self._stopped:
                raise Cancelled(f"{self.title} was cancelled")

    def poll(self, visitor: str) -> Snapshot:
        """The job now; the visitor counts as a watcher, but for one who has cancelled."""
        with self._lock:
            if visitor not in self._left:
                self._watchers[visitor] = self._clock()
        return self.snapshot()

    def snapshot(self) -> Snapshot:
        """The job now; nobody counts as a watcher for it."""
        place = self._jobs.place(self)
        with self._lock:
            now = self._ended if self._over.is_set() else self._clock()
            return Snapshot(
                title=self.title,
                state=self._state,
                fraction=self._fraction,
                text=self._text,
                elapsed=now - self._began if self._marks else 0.0,
                left=self._seconds_left(now),
                series={name: values.points() for name, values in self._series.items()},
                error=self._error,
                watchers=len(self._alive()),
                place=place if self._state == "waiting" else None,
                cancel_requested=self._cancel,
                picture=self._picture,
            )

    def join(self, visitor: str) -> bool:
        """Make the visitor a watcher; False when the job failed, was cancelled or is ending."""
        with self._lock:
            if self._stopped or self._state in ("failed", "cancelled"):
                return False
            self._left.discard(visitor)
            self._watchers[visitor] = self._clock()
            self._cancel = False  # asked for by the last who left, and not yet obeyed
            return True

    def watched_by(self, visitor: str) -> bool:
        """Whether the job waits or runs, and the visitor has looked lately."""
        with self._lock:
            return self._state in ("waiting", "running") and visitor in self._alive()

    def left_by(self, visitor: str) -> bool:
        """Whether the visitor has cancelled and not come back."""
        with self._lock:
            return visitor in self._left

    def cancel(self, visitor: str) -> bool:
        """Let the visitor leave; whether that ends the job, because nobody else is looking."""
        with self._lock:
            self._watchers.pop(visitor, None)
            self._left.add(visitor)
            if self._over.is_set() or self._alive():
                return False
            self._cancel = True
            if self._state == "waiting":
                self._end("cancelled")
            return True

    def waits(self) -> bool:
        """Whether the job is in the queue; one that nobody looks at leaves it here."""
        with self._lock:
            return self._waits()

    def begin(self) -> bool:
        """Whether the job is running from now on; False when it has left the queue."""
        with self._lock:
            if not self._waits():
                return False
            self._state, self._began = "running", self._clock()
            self._reported = self._began
            self._marks.append((self._began, 0.0))
            return True

    def run(self) -> None:
        """Do the work in this thread and keep how it ended."""
        try:
            result = self._work(self)
        except Cancelled:
            self.end("cancelled")
        except BaseException as error:  # whatever it is, this thread ends here anyway
            _log.exception("%s failed (%s)", self.title, self.spec)
            self.end("failed", error=_sentence(error))
        else:
            self.end("done", result=result)

    def end(self, state: State, *, result: Any = None, error: str | None = None) -> None:
        """Close the job."""
        with self._lock:
            self._result, self._error = result, error
            self._end(state)

    def _end(self, state: State) -> None:
        """Close the job, its lock held."""
        self._state, self._ended = state, self._clock()
        if state == "done":
            self._fraction = 1.0
        del self._work  # and with it the data it was made with
        self._over.set()

    def _waits(self) -> bool:
        """`waits`, its lock held."""
        if self._state == "waiting" and not self._alive():
            self._cancel = True
            self._end("cancelled")
        return self._state == "waiting"

    def _alive(self) -> list[str]:
        """The visitors who have looked lately, its lock held; others are forgotten."""
        since = self._clock() - self._jobs.patience
        self._watchers = {who: seen for who, seen in self._watchers.items() if seen > since}
        return list(self._watchers)

    def _seconds_left(self, now: float) -> float | None:
        """What is left at the speed of the recent marks, None once that has passed; lock held."""
        if self._state != "running":
            return None
        since, before = self._marks[0]
        gained, took = self._fraction - before, self._reported - since
        if took < _SETTLED or gained <= 0:
            return None
        left = (1 - self._fraction) * took / gained - (now - self._reported)
        return left if left >= 0 else None


class Jobs:
    """The jobs of one server, first come, first served.

    running: how many at once. waiting: how many more. kept: jobs that are over and still joined.
    patience: seconds after which a visitor who doesn't poll is gone. clock: seconds, never back.
    """

    def __init__(
        self,
        *,
        running: int = 1,
        waiting: int = 8,
        kept: int = 16,
        patience: float = PATIENCE,
        clock: Clock = time.monotonic,
    ) -> None:
        """Raises `ValueError` when nothing could ever run."""
        if running < 1:
            raise ValueError(f"{running} jobs at once: allow one at least.")
        self.patience, self.clock = patience, clock
        self._slots, self._places, self._kept = running, waiting, kept
        self._lock = threading.Lock()  # of all below
        self._jobs: dict[Hashable, Job] = {}  # oldest first
        self._queue: deque[Job] = deque()
        self._running = 0

    def start(self, spec: Hashable, work: Work, *, visitor: str, title: str) -> Job:
        """The job for `spec`, with the visitor as a watcher: a new one where there is none.

        work: called with the job in a thread of its own. A job that failed or was cancelled is
        replaced. Raises `QueueFull` when too many wait.
        """
        with self._lock:
            known = self._jobs.get(spec)
            if known is not None and known.join(visitor):
                return known
            self._check_room()
            self._jobs.pop(spec, None)
            job = self._jobs[spec] = Job(self, spec, work, title)
            job.join(visitor)
            self._queue.append(job)
            self._launch()
            self._forget()
            return job

    def get(self, spec: Hashable) -> Job | None:
        """The job for `spec`, in whatever state, or None."""
        with self._lock:
            return self._jobs.get(spec)

    def watched_by(self, visitor: str) -> list[Job]:
        """The jobs that wait or run and that the visitor has looked at lately, oldest first."""
        with self._lock:
            return [job for job in self._jobs.values() if job.watched_by(visitor)]

    def place(self, job: Job) -> int | None:
        """1 for the job that runs next, None for one that doesn't wait."""
        with self._lock:
            self._tidy()
            return self._queue.index(job) + 1 if job in self._queue else None

    def _check_room(self) -> None:
        """Raise `QueueFull` when another job would have to wait and can't."""
        self._tidy()
        if self._running >= self._slots and len(self._queue) >= self._places:
            raise QueueFull(
                f"{len(self._queue)} computations are waiting already, and no more can: try again "
                "in a minute."
            )

    def _tidy(self) -> None:
        """Drop from the queue what was cancelled or abandoned."""
        self._queue = deque(job for job in self._queue if job.waits())

    def _launch(self) -> None:
        """Give each free slot to the next job in the queue."""
        while self._running < self._slots and self._queue:
            job = self._queue.popleft()
            if job.begin():
                self._running += 1
                self._launch_thread(job)

    def _launch_thread(self, job: Job) -> None:
        """Run the job in its own thread; it fails where the system gives no more threads."""
        thread = threading.Thread(target=self._occupy, args=(job,), name="job", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            job.end("failed", error=_sentence(error))
            self._running -= 1

    def _occupy(self, job: Job) -> None:
        """Run the job, then give its slot to the next."""
        try:
            job.run()
        finally:
            with self._lock:
                self._running -= 1
                self._launch()

    def _forget(self) -> None:
        """Let go of the oldest jobs that are over."""
        over = [spec for spec, job in self._jobs.items() if job.wait(0)]
        for spec in over[: max(len(over) - self._kept, 0)]:
            del self._jobs[spec]


class _Series:
    """Values in order, thinned to every 2nd, 4th, 8th, ... as they become many."""

    def __init__(self) -> None:
        self._count, self._every = 0, 1
        self._points: list[tuple[int, float]] = []
        self._last = (0, 0.0)

    def append(self, value: float) -> None:
        """Add the next value."""
        self._count += 1
        self._last = (self._count, value)
        if (self._count - 1) % self._every == 0:
            self._points.append(self._last)
        if len(self._points) >= POINTS:
            self._points, self._every = self._points[::2], 2 * self._every

    def points(self) -> Points:
        """(step, value), evenly spaced, and always the last."""
        latest = [] if self._points[-1] == self._last else [self._last]
        return (*self._points, *latest)


def _sentence(error: BaseException) -> str:
    """What went wrong, for a visitor: our own errors are sentences, others get their name."""
    said = str(error)
    if said and isinstance(error, ValueError | OSError):
        return said
    if isinstance(error, MemoryError):
        return "There wasn't enough memory: choose less, or try again when the server is idle."
    name = type(error).__name__
    return f"{name}: {said.splitlines()[0][:200]}" if said else f"The work ended with {name}."


JOBS = Jobs()  # of this server
