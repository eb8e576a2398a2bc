"""The result of a task, or the view of the work that will give it."""

from __future__ import annotations

from typing import Any, NoReturn, TypeVar

import pandas as pd
import streamlit as st

from core import charts
from core.runtime import cache
from core.runtime.jobs import Job, QueueFull, Snapshot
from core.runtime.task import Task
from core.text import shown
from pages.kit.charts import finished_chart
from pages.kit.visitor import visitor

__all__ = ["NotYet", "result_of", "running_jobs"]

Result = TypeVar("Result")
_ACTIVE = ("waiting", "running")
_PICTURE = 448  # pixels on the screen, less where the page is narrower
_LAYER = "selectivity "  # a series of a layer's selectivity is called so, and the layer


class NotYet(Exception):
    """Ends a page that has drawn all that it can without a result, and not the frame around it.

    `st.stop` would end both, and what the frame says of wrong values and missing data come last.
    """


def result_of(task: Task[Result]) -> Result:
    """The task's result; until there is one, a view of its progress, and `NotYet`."""
    found = cache.find(task)
    if found is not None:
        return found
    known = cache.get(task)
    if known is not None and known.left_by(visitor()):
        _offer(task, f"{task.title}: stopped. Nothing was lost; you can start it again.")
    failure = cache.failure(task)
    if failure:
        _offer(task, f"{task.title}: this failed. {failure}")
    try:
        job = cache.start(task, visitor())
    except QueueFull as error:
        _offer(task, str(error))
    return _watch(task, job)


def running_jobs() -> None:
    """What this visitor waits for, also from another page or from before a reload."""
    jobs = cache.watched_by(visitor())
    if not jobs:
        return

    @st.fragment(run_every=2.0)
    def view() -> None:
        for job in jobs:
            now = job.poll(visitor())
            if now.state in _ACTIVE:
                st.progress(now.fraction, now.title)

    view()


def _offer(task: Task[Any], sentence: str) -> NoReturn:
    """Say why there is no result, offer to start again, and end the page."""
    st.info(shown(sentence), icon=":material/pause_circle:")
    st.button("Start", type="primary", icon=":material/play_arrow:", on_click=_again, args=(task,))
    raise NotYet


def _again(task: Task[Any]) -> None:
    """Start what was left or failed."""
    try:
        cache.retry(task, visitor())
    except QueueFull as error:
        st.toast(shown(str(error)))


def _leave(task: Task[Any], job: Job) -> None:
    """Stop watching; the work stops with its last watcher."""
    if not job.cancel(visitor()):
        st.toast("Someone else is waiting for the same result, so the work continues.")


def _watch(task: Task[Any], job: Job) -> NoReturn:
    """Progress, redrawn every second until the job ends; the page ends here."""

    @st.fragment(run_every=1.0)
    def view() -> None:
        now = job.poll(visitor())
        if now.state not in _ACTIVE:
            st.rerun()
        _draw(now)

    view()
    # Outside the fragment: a button inside would be drawn anew each second, under the finger.
    st.button("Cancel", icon=":material/stop_circle:", on_click=_leave, args=(task, job))
    raise NotYet


def _draw(now: Snapshot) -> None:
    """How far the work is, and the curves that it has drawn so far."""
    st.progress(now.fraction, _line(now))
    if now.picture is not None:
        st.image(now.picture, width=_PICTURE)
        st.caption("What the network's units prefer so far; the picture changes as they learn.")
    own_rule = "distance" in now.series
    passed = "epochs seen" if own_rule else "batches seen"
    points = now.series.get("distance" if own_rule else "loss")
    if not points:
        return
    left, right = st.columns(2)
    steps, values = zip(*points, strict=True)
    if own_rule:
        left.markdown("**Distance** of a digit to the nearest prototype, mean")
        chart = finished_chart(charts.learning, steps, values, passed=passed, measure="distance")
    else:
        left.markdown("**Loss** of each batch")
        chart = finished_chart(charts.learning, steps, values)
    left.vega_lite_chart(chart, key="live loss")
    right.markdown(f"**Class selectivity** of units · {_accuracy(now)}")
    right.vega_lite_chart(
        finished_chart(charts.emergence, _selectivity(now), passed=passed), key="live selectivity"
    )


def _line(now: Snapshot) -> str:
    """One line: what is done, how long it will take, how many wait."""
    if now.state == "waiting":
        return f"{now.title}: number {now.place or 1} in the queue"
    parts = [now.text or now.title]
    if now.left is not None:
        parts.append(f"{now.left:.0f} s left")
    if now.watchers > 1:
        parts.append(f"{now.watchers} people are watching")
    return " · ".join(parts)


def _accuracy(now: Snapshot) -> str:
    """The accuracy recorded last."""
    points = now.series.get("accuracy")
    return (
        f"accuracy {points[-1][1]:.1%} on digits held back"
        if points
        else "accuracy not measured yet"
    )


def _selectivity(now: Snapshot) -> pd.DataFrame:
    """Each layer's median selectivity at the steps recorded so far."""
    steps = [int(step) for _, step in now.series.get("moment", ())]
    rows = [
        {"layer": name.removeprefix(_LAYER), "step": step, "median": value}
        for name, points in now.series.items()
        if name.startswith(_LAYER)
        for step, (_, value) in zip(steps, points, strict=False)
    ]
    return pd.DataFrame(rows, columns=["layer", "step", "median"])
