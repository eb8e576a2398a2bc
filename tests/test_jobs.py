"""Jobs: shared, queued, stopped only when nobody looks, and never a burden when they fail."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from core.runtime.jobs import POINTS, Cancelled, Job, Jobs, QueueFull
from core.runtime.task import part_of

SOON = 5.0  # seconds that a test waits for a thread before it fails


class Clock:
    """Seconds that pass only when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Worker:
    """Work that does, in its own thread, one step after another that a test hands it."""

    def __init__(self) -> None:
        self.asked, self.answered = threading.Semaphore(0), threading.Semaphore(0)
        self.step: Callable[[Job], object] | None = None
        self.runs = 0

    def __call__(self, job: Job) -> str:
        self.runs += 1
        while self.asked.acquire(timeout=SOON) and self.step is not None:
            try:
                self.step(job)
            finally:
                self.answered.release()
        return "worked"

    def do(self, step: Callable[[Job], object]) -> None:
        self.step = step
        self.asked.release()
        assert self.answered.acquire(timeout=SOON)

    def finish(self) -> None:
        self.step = None
        self.asked.release()


def report(fraction: float = 0.5) -> Callable[[Job], object]:
    return lambda job: job.report(fraction)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def jobs(clock: Clock) -> Jobs:
    return Jobs(clock=clock, waiting=2, kept=3)


@pytest.fixture
def worker() -> Iterator[Worker]:
    worker = Worker()
    yield worker
    worker.finish()


def start(jobs: Jobs, spec: str, work: Callable[[Job], object], visitor: str = "ann") -> Job:
    return jobs.start(spec, work, visitor=visitor, title=f"Job {spec}")


def ended(job: Job) -> str:
    assert job.wait(SOON), f"still {job.snapshot().state}"
    return job.snapshot().state


def test_a_job_runs_in_a_daemon_thread_and_keeps_its_result(jobs: Jobs) -> None:
    def work(job: Job) -> bool:
        return threading.current_thread().daemon and threading.current_thread() is not main

    main = threading.current_thread()
    job = start(jobs, "a", work)
    assert ended(job) == "done"
    assert job.result is True
    seen = job.snapshot()
    assert (seen.fraction, seen.error, seen.place, seen.left) == (1.0, None, None, None)
    assert jobs.get("a") is job
    assert jobs.get("b") is None


def test_who_asks_for_the_same_joins(jobs: Jobs, worker: Worker) -> None:
    job = start(jobs, "a", worker, "ann")
    assert start(jobs, "a", worker, "bob") is job
    assert start(jobs, "b", worker, "ann") is not job
    assert job.snapshot().watchers == 2
    worker.finish()
    assert ended(job) == "done"
    assert start(jobs, "a", worker, "cat") is job
    assert job.result == "worked"


def test_the_worker_tells_how_far_it_is(jobs: Jobs, worker: Worker, clock: Clock) -> None:
    job = start(jobs, "a", worker)
    assert job.poll("ann").text == ""
    worker.do(lambda job: job.report(0.25, "epoch 1", loss=2.0))
    clock.now += 3
    worker.do(lambda job: job.report(7, loss=1.5, accuracy=0.5))
    seen = job.poll("ann")
    assert (seen.state, seen.fraction, seen.text, seen.elapsed) == ("running", 1.0, "epoch 1", 3.0)
    assert seen.series == {"loss": ((1, 2.0), (2, 1.5)), "accuracy": ((1, 0.5),)}
    worker.do(report(-1))
    assert job.snapshot().fraction == 0.0


def test_time_stands_still_once_a_job_is_over(jobs: Jobs, worker: Worker, clock: Clock) -> None:
    job = start(jobs, "a", worker)
    clock.now += 4
    worker.finish()
    ended(job)
    clock.now += 1000
    assert job.snapshot().elapsed == 4


@pytest.mark.parametrize(
    "arguments", [{"fraction": float("nan")}, {"fraction": 0.5, "loss": "high"}]
)
def test_a_report_that_is_no_number_fails_the_job(jobs: Jobs, arguments: dict[str, Any]) -> None:
    job = start(jobs, "a", lambda job: job.report(**arguments))
    assert ended(job) == "failed"
    assert job.snapshot().series == {}


def test_one_of_two_watchers_cant_stop_the_job(jobs: Jobs, worker: Worker) -> None:
    job = start(jobs, "a", worker, "ann")
    start(jobs, "a", worker, "bob")
    assert job.cancel("ann") is False
    worker.do(report(0.5))
    assert job.poll("ann").watchers == 1  # a late poll doesn't bring the one who left back
    assert not job.snapshot().cancel_requested
    assert job.cancel("a stranger") is False
    assert job.cancel("bob") is True
    assert job.snapshot().cancel_requested
    assert job.snapshot().state == "running"
    worker.do(report(0.6))
    assert ended(job) == "cancelled"
    assert job.snapshot().fraction == 0.5
    assert job.cancel("bob") is False


def test_check_stops_the_worker_too(jobs: Jobs, worker: Worker) -> None:
    job = start(jobs, "a", worker)
    worker.do(Job.check)
    job.cancel("ann")
    worker.do(Job.check)
    assert ended(job) == "cancelled"


def test_a_cancel_not_yet_obeyed_is_taken_back_by_who_joins(
    jobs: Jobs, worker: Worker, clock: Clock
) -> None:
    job = start(jobs, "a", worker, "ann")
    assert job.cancel("ann")
    assert start(jobs, "a", worker, "ann") is job
    for _ in range(2):  # and the polls of who came back count again
        clock.now += 100
        assert job.poll("ann").watchers == 1
    worker.do(report(0.5))
    worker.finish()
    assert ended(job) == "done"


def test_nobody_joins_a_job_that_is_on_its_way_out(jobs: Jobs) -> None:
    told, go = threading.Event(), threading.Event()

    def work(job: Job) -> None:
        try:
            while True:
                job.report(0.5)
        except Cancelled:
            told.set()
            go.wait(SOON)
            raise

    job = start(jobs, "a", work)
    job.cancel("ann")
    assert told.wait(SOON)
    fresh = start(jobs, "a", lambda job: "fresh", "bob")
    assert fresh is not job
    assert fresh.poll("bob").place == 1
    go.set()
    assert (ended(job), ended(fresh), fresh.result) == ("cancelled", "done", "fresh")


def test_a_job_that_nobody_looks_at_ends(jobs: Jobs, worker: Worker, clock: Clock) -> None:
    job = start(jobs, "a", worker)
    for _ in range(3):
        clock.now += 119
        job.poll("ann")
        worker.do(report(0.1))
    clock.now += 119
    job.snapshot()  # is no look
    worker.do(report(0.2))
    clock.now += 2
    worker.do(report(0.3))
    assert ended(job) == "cancelled"
    assert job.snapshot().fraction == 0.2


def test_cancel_counts_only_watchers_that_are_still_here(
    jobs: Jobs, worker: Worker, clock: Clock
) -> None:
    job = start(jobs, "a", worker, "ann")
    start(jobs, "a", worker, "bob")
    clock.now += 100
    job.poll("ann")
    clock.now += 100
    assert job.snapshot().watchers == 1
    assert job.cancel("ann") is True


def test_jobs_run_one_after_the_other_in_order(jobs: Jobs, worker: Worker) -> None:
    order: list[object] = []
    first = start(jobs, "a", worker)
    rest = [start(jobs, spec, lambda job: order.append(job.spec)) for spec in "bc"]
    assert [job.snapshot().state for job in (first, *rest)] == ["running", "waiting", "waiting"]
    assert [job.snapshot().place for job in (first, *rest)] == [None, 1, 2]
    assert rest[0].snapshot().elapsed == 0
    worker.finish()
    assert [ended(job) for job in rest] == ["done", "done"]
    assert order == ["b", "c"]


def test_two_run_at_once_where_two_may(clock: Clock) -> None:
    jobs, meet = Jobs(running=2, clock=clock), threading.Barrier(2, timeout=SOON)
    pair = [start(jobs, spec, lambda job: meet.wait() >= 0) for spec in "ab"]
    assert [ended(job) for job in pair] == ["done", "done"]


def test_a_full_queue_says_so(jobs: Jobs, worker: Worker) -> None:
    start(jobs, "a", worker)
    start(jobs, "b", worker)
    last = start(jobs, "c", worker)
    with pytest.raises(QueueFull, match=r"^2 computations are waiting .* try again in a minute\.$"):
        start(jobs, "d", worker)
    assert jobs.get("d") is None
    assert start(jobs, "b", worker, "bob") is jobs.get("b")  # to join needs no room
    assert last.cancel("ann") is True
    assert start(jobs, "d", worker).snapshot().place == 2


def test_what_is_cancelled_while_it_waits_never_runs(jobs: Jobs, worker: Worker) -> None:
    first, ran = start(jobs, "a", worker), Worker()
    waiting, next_one = start(jobs, "b", ran), start(jobs, "c", lambda job: "c")
    assert waiting.cancel("ann") is True
    assert waiting.snapshot().state == "cancelled"
    assert (waiting.snapshot().place, next_one.snapshot().place) == (None, 1)
    worker.finish()
    assert (ended(first), ended(next_one)) == ("done", "done")
    assert ran.runs == 0


def test_what_is_abandoned_while_it_waits_never_runs(
    jobs: Jobs, worker: Worker, clock: Clock
) -> None:
    first, ran = start(jobs, "a", worker), Worker()
    waiting, next_one = start(jobs, "b", ran), start(jobs, "c", lambda job: "c")
    clock.now += 60
    next_one.poll("ann")
    clock.now += 90
    assert next_one.poll("ann").place == 1
    assert waiting.snapshot().state == "cancelled"
    worker.finish()
    assert (ended(first), ended(next_one)) == ("done", "done")
    assert ran.runs == 0


def test_a_waiting_job_abandoned_unseen_gives_its_turn_away(
    jobs: Jobs, worker: Worker, clock: Clock
) -> None:
    start(jobs, "a", worker)
    ran = Worker()
    waiting = start(jobs, "b", ran)
    clock.now += 121
    worker.finish()
    assert ended(waiting) == "cancelled"
    assert ran.runs == 0


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (ValueError("seed is -1: give one of 0, 1, 2."), "seed is -1: give one of 0, 1, 2."),
        (OSError("no network"), "no network"),
        (ZeroDivisionError("division by zero"), "ZeroDivisionError: division by zero"),
        (RuntimeError("first line\nsecond"), "RuntimeError: first line"),
        (KeyError(), "The work ended with KeyError."),
        (MemoryError(), "There wasn't enough memory"),
        (GeneratorExit(), "The work ended with GeneratorExit."),
        (SystemExit(3), "SystemExit: 3"),
    ],
)
def test_a_failure_is_a_sentence_and_frees_its_slot(
    jobs: Jobs, caplog: pytest.LogCaptureFixture, error: BaseException, sentence: str
) -> None:
    def work(job: Job) -> None:
        raise error

    with caplog.at_level(logging.ERROR, "core.runtime.jobs"):
        job = start(jobs, "a", work)
        assert ended(job) == "failed"
        fresh = start(jobs, "a", lambda job: "again")
    assert (job.snapshot().error or "").startswith(sentence)
    assert job.result is None
    assert "Traceback" in caplog.text
    assert fresh is not job
    assert ended(fresh) == "done"


def test_a_cancelled_job_is_replaced_and_logs_nothing(
    jobs: Jobs, worker: Worker, caplog: pytest.LogCaptureFixture
) -> None:
    job = start(jobs, "a", worker)
    job.cancel("ann")
    worker.do(report())
    assert ended(job) == "cancelled"
    assert job.snapshot().error is None
    assert ended(start(jobs, "a", lambda job: 1)) == "done"
    assert not caplog.records


def test_no_thread_to_be_had_is_a_failure(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        job = start(jobs, "a", lambda job: 1)
    assert ended(job) == "failed"
    assert job.snapshot().error == "RuntimeError: can't start new thread"
    assert ended(start(jobs, "a", lambda job: 1)) == "done"


def test_only_the_newest_jobs_that_are_over_are_kept(jobs: Jobs, worker: Worker) -> None:
    for spec in "abcdef":
        ended(start(jobs, spec, lambda job: 1))
    start(jobs, "last", worker)
    assert [spec for spec in "abcdef" if jobs.get(spec)] == ["d", "e", "f"]


def test_the_last_picture_is_shown_and_no_other_kept(jobs: Jobs, worker: Worker) -> None:
    job = start(jobs, "a", worker)
    assert job.poll("ann").picture is None
    first, second = np.zeros((2, 3), np.uint8), np.ones((2, 3), np.uint8)
    worker.do(lambda job: job.report(0.1, picture=first, loss=1.0))
    assert job.poll("ann").picture is first
    worker.do(lambda job: job.report(0.2, "later"))
    assert job.poll("ann").picture is first
    worker.do(lambda job: job.report(0.3, picture=second))
    assert job.poll("ann").picture is second
    assert "picture" not in job.poll("ann").series


def test_a_part_of_the_work_passes_its_pictures_on() -> None:
    told: list[tuple[float, dict[str, Any]]] = []
    part = part_of(lambda fraction, text=None, **rest: told.append((fraction, rest)), 0.5, 1.0)
    picture = np.zeros((2, 2), np.uint8)
    part(0.5, "half", picture=picture, loss=2.0)
    part(1.0, "whole")
    assert told == [(0.75, {"picture": picture, "loss": 2.0}), (1.0, {})]


def test_the_time_left_is_that_of_the_recent_speed(
    jobs: Jobs, worker: Worker, clock: Clock
) -> None:
    job = start(jobs, "a", worker)
    assert job.poll("ann").left is None
    clock.now += 0.5
    worker.do(report(0.01))
    assert job.poll("ann").left is None  # too early to tell
    for percent in range(2, 21):  # 1 % a second
        clock.now += 1
        worker.do(report(percent / 100))
        job.poll("ann")
    assert job.snapshot().left == pytest.approx(80, rel=0.05)
    clock.now += 10
    assert job.poll("ann").left == pytest.approx(70, rel=0.05)
    for percent in range(22, 62, 2):  # now 2 % a second, 20 times: the slow part is forgotten
        clock.now += 1
        worker.do(report(percent / 100))
        job.poll("ann")
    assert job.snapshot().left == pytest.approx(20, rel=0.05)
    clock.now += 100
    assert job.poll("ann").left is None  # it should be over: nobody knows


def test_frequent_reports_dont_shorten_the_memory_of_speed(
    jobs: Jobs, worker: Worker, clock: Clock
) -> None:
    job = start(jobs, "a", worker)
    for step in range(1, 401):  # 100 reports a second, in bursts: each second half is quiet
        clock.now += 0.01
        worker.do(report(step // 100 / 100))
    assert job.snapshot().left == pytest.approx(96, rel=0.1)


def test_a_job_that_doesnt_advance_has_no_time_left(
    jobs: Jobs, worker: Worker, clock: Clock
) -> None:
    job = start(jobs, "a", worker)
    for _ in range(30):
        clock.now += 5
        job.poll("ann")
        worker.do(report(0.0))
    assert job.snapshot().left is None


@pytest.mark.parametrize("count", [1, POINTS - 1, POINTS, POINTS + 1, 12_345])
def test_a_series_is_thinned_evenly_and_keeps_both_ends(jobs: Jobs, count: int) -> None:
    def work(job: Job) -> None:
        for step in range(1, count + 1):
            job.report(step / count, loss=step * 0.5)

    job = start(jobs, "a", work)
    assert ended(job) == "done"
    points = job.snapshot().series["loss"]
    steps = [step for step, _ in points]
    assert all(value == step * 0.5 for step, value in points)
    assert (steps[0], steps[-1]) == (1, count)
    assert min(count, POINTS // 2) <= len(points) <= POINTS
    assert len({after - step for step, after in pairwise(steps[:-1])}) <= 1


def test_a_snapshot_is_whole_while_the_worker_writes() -> None:
    jobs = Jobs()
    failures: list[str] = []

    def work(job: Job) -> None:
        for step in range(1, 5001):
            job.report(step / 5000, f"step {step}", one=step, other=-step)

    def look(visitor: str) -> None:
        while not job.wait(0):
            seen = job.poll(visitor)
            one, other = seen.series.get("one", ()), seen.series.get("other", ())
            if one != tuple((step, -value) for step, value in other):
                failures.append("series differ")
            if seen.state == "running" and one and seen.text != f"step {one[-1][0]}":
                failures.append(f"{seen.text} with {one[-1]}")

    job = start(jobs, "a", work)
    before = job.snapshot()
    lookers = [threading.Thread(target=look, args=(name,)) for name in ("ann", "bob")]
    for looker in lookers:
        looker.start()
    for looker in lookers:
        looker.join(SOON)
    assert ended(job) == "done"
    assert not failures
    assert before.state in ("running", "done")
    assert job.snapshot().series["one"][-1] == (5000, 5000.0)


def test_many_visitors_start_one_job_once() -> None:
    jobs, worker = Jobs(), Worker()
    got: list[Job] = []
    ready = threading.Barrier(8, timeout=SOON)

    def visit(name: str) -> None:
        ready.wait()
        got.append(start(jobs, "a", worker, name))

    visitors = [threading.Thread(target=visit, args=(f"visitor {n}",)) for n in range(8)]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join(SOON)
    worker.finish()
    assert len(set(map(id, got))) == 1
    assert ended(got[0]) == "done"
    assert worker.runs == 1


def test_an_unusable_registry_is_refused() -> None:
    with pytest.raises(ValueError, match="0 jobs at once"):
        Jobs(running=0)


def test_a_visitors_jobs_are_found_by_name_alone() -> None:
    jobs, go = Jobs(), threading.Event()
    job = jobs.start("a", lambda job: go.wait(10), visitor="ada", title="A")
    other = jobs.start("b", lambda job: None, visitor="ben", title="B")
    assert jobs.watched_by("ada") == [job]
    assert jobs.watched_by("ben") == [other]
    assert jobs.watched_by("eve") == []
    assert not job.left_by("ada")
    job.cancel("ada")
    assert job.left_by("ada")
    assert not job.left_by("ben")
    assert jobs.watched_by("ada") == []
    go.set()
    assert other.wait(10)
    assert jobs.watched_by("ben") == []  # it is over
