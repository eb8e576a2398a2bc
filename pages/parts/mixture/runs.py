"""Runs compared: balance, number of experts and k, beside a perceptron of the same size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import streamlit as st

from core.analyses.comparing.base import SeveralTask
from core.architectures.mixture.charts import summary as figures
from core.architectures.mixture.networks import (
    CHOSEN,
    PEER,
    alone,
    over_experts,
    over_weights,
    with_chosen,
)
from core.architectures.mixture.summary import (
    RunSummary,
    Versus,
    versus,
)
from core.architectures.mixture.tasks.summary import RunSummaryTask, kept_runs, trained_runs
from core.models.mixture import MixtureSettings
from core.models.settings import Settings
from core.runs import Run
from core.runtime import cache
from pages.kit import links
from pages.kit.charts import finished_chart
from pages.kit.controls import pick
from pages.kit.recorded import recorded
from pages.kit.waiting import result_of
from pages.parts.mixture.controls import View
from pages.parts.mixture.runs_table import MEASURED, name_of, table

__all__ = ["view"]

MEASURE = links.one_of("measure", tuple(MEASURED))
Runs = Mapping[Settings, RunSummary]
_ASKED = "runs of the gate that this visitor asked for"
_SECONDS = 30  # that one training takes, about


def view(view: View) -> None:
    """The mixture against its peers, then all runs kept, by setting and in a table.

    Runs that were trained on whatever page are measured; nothing else is trained but the peers.
    """
    trained = trained_runs(view.run, cache.lab())
    networks: dict[Settings, None] = dict.fromkeys(
        (view.settings, PEER, alone(view.settings), *trained)
    )
    tasks = tuple(RunSummaryTask(view.run.with_network(of)) for of in networks)
    found = result_of(SeveralTask(tasks, "Comparing with other runs"))
    base = dict(zip(networks, found, strict=True))
    _answer(view, base)
    layered = len(view.gates) > 1
    runs = {} if layered else kept_runs(view.run, cache.lab())
    if not layered:
        _charts(view, runs, base)
        _offer(view, runs)
    table(view.run, runs, base)
    _train(view)


def _answer(view: View, base: Runs) -> None:
    """Is the mixture better than a perceptron of its size, and than one expert?"""
    own, peer = base[view.settings], base[PEER]
    against = versus(own.right, peer.right)
    parts = [
        f"**{_verdict(against)} a perceptron**: {own.accuracy:.2%} of the test digits are "
        f"correct, against {peer.accuracy:.2%}. {_numbers(against)}"
    ]
    single = alone(view.settings)
    if view.settings != single:
        than = versus(own.right, base[single].right)
        parts.append(
            f"{_verdict(than)} one of its experts alone "
            f"({base[single].accuracy:.2%}; difference {100 * than.difference:+.2f} points, "
            f"p {_p(than.p)})."
        )
    st.markdown(" ".join(parts))
    st.caption(
        f"{len(own.right):,} test digits, one network each, seed {view.run.seed}: another seed "
        f"may change each accuracy by a few tenths of a point. The mixture has {own.parameters:,} "
        f"parameters and needs {own.multiplications:,} multiplications per digit; the perceptron "
        f"{peer.parameters:,} and {peer.multiplications:,}."
    )


def _verdict(of: Versus) -> str:
    """Better, worse, or not significantly different, as the start of a sentence."""
    if of.verdict == "alike":
        return "The mixture is not significantly different from"
    return f"The mixture is {of.verdict} than"


def _numbers(of: Versus) -> str:
    """The digits that only one of two networks classifies correctly, and the test, in words."""
    low, high = 100 * of.low, 100 * of.high
    return (
        f"{of.won:,} digits are classified correctly only by the mixture, {of.lost:,} only by the "
        f"perceptron: difference {100 * of.difference:+.2f} points (95 % {low:+.2f} to "
        f"{high:+.2f}), McNemar's exact test p {_p(of.p)}."
    )


def _p(p: float) -> str:
    """A p-value as text."""
    return "< 0.001" if p < 0.001 else f"= {p:.3f}"


def _charts(view: View, runs: Runs, base: Runs) -> None:
    """A measure against α and against the number of experts."""
    measure = pick(MEASURE, "Measure", names=lambda name: MEASURED[name][0])
    settings = view.settings
    st.caption(MEASURED[measure][1])
    left, right = st.columns(2)
    ks = [k for k in CHOSEN if k < settings.experts]
    with left:
        st.markdown(f"**{settings.experts} experts**: by balancing weight α")
        if settings.experts == 1:
            st.info("With one expert there is nothing to balance: choose two or more.")
        else:
            rows = tuple(of for k in ks for of in over_weights(replace(settings, chosen=k)))
            _chart(settings, rows, runs, "α", measure, _rules(settings, measure, base))
    with right:
        st.markdown(f"**α {settings.balance:g}**: by number of experts")
        rows = tuple(of for k in CHOSEN for of in over_experts(with_chosen(settings, k)))
        _chart(settings, rows, runs, "experts", measure, _rules(settings, measure, base))
    st.caption(
        "Each dot is a trained network with these data and this seed; the ringed one is selected "
        "above. Open rings at the bottom are not trained yet. Lines connect networks with the "
        "same k. "
        + ("Bars: 95 % Wilson intervals. " if measure == "accuracy" else "")
        + f"Noise {settings.noise:g}. One run each: differences of a few tenths of a point are "
        "within chance."
    )


def _rules(settings: MixtureSettings, measure: str, base: Runs) -> dict[str, float]:
    """The dashed lines of a chart: what the perceptron and one expert alone reach."""
    if measure != "accuracy":
        return {}
    return {
        "perceptron": base[PEER].accuracy,
        "one expert": base[alone(settings)].accuracy,
    }


@recorded
def _chart(
    own: MixtureSettings,
    rows: tuple[MixtureSettings, ...],
    runs: Runs,
    x: str,
    measure: str,
    rules: dict[str, float],
) -> None:
    """One chart with its dashed lines. own: the mixture that is ringed."""
    title = "α of the balancing losses" if x == "α" else "experts"
    frame = _frame(own, rows, runs)
    chart = finished_chart(figures.against, frame, x, measure, title=title, rules=rules)
    st.vega_lite_chart(chart, key=f"runs against {x}")


def _frame(own: MixtureSettings, rows: Sequence[MixtureSettings], runs: Runs) -> pd.DataFrame:
    """A row for each run of a chart, with its numbers where it is kept."""
    found = []
    for of in rows:
        numbers = runs[of].row() if of in runs else dict.fromkeys(_DRAWN, np.nan)
        settings = {"α": f"{of.balance:g}", "experts": str(of.experts)}
        settings["k"] = str(of.chosen or "all")
        states = {"kept": of in runs, "current": of == own}
        found.append({**settings, **states, **numbers})
    return pd.DataFrame(found).drop_duplicates(["α", "experts", "k"])  # one expert has no k


_DRAWN = (*MEASURED, "low", "high")


def _offer(view: View, runs: Runs) -> None:
    """Buttons that train what is missing of a row."""
    settings = view.settings
    k = settings.chosen or "all"
    rows = {
        f"every α, {settings.experts} experts, k {k}": over_weights(settings),
        f"every number of experts, α {settings.balance:g}, k {k}": over_experts(settings),
    }
    for at, (what, row) in enumerate(rows.items()):
        missing = [of for of in row if of not in runs]
        if not missing:
            continue
        tasks = tuple(RunSummaryTask(view.run.with_network(of)) for of in missing)
        st.button(
            f"Train the {len(missing)} missing: {what}",
            key=f"train row {at}",
            icon=":material/model_training:",
            help=f"{', '.join(name_of(of) for of in missing)}. About "
            f"{_SECONDS * len(missing)} seconds; finished networks are kept if you cancel.",
            on_click=_ask,
            args=(SeveralTask(tasks, f"Training {what}"), view.run),
        )


def _train(view: View) -> None:
    """The work that was asked for, below all that needs none."""
    task, run = st.session_state.get(_ASKED, (None, None))
    if task is not None and run == view.run:
        result_of(task)
        st.session_state.pop(_ASKED)
        st.rerun()


def _ask(task: SeveralTask, run: Run) -> None:
    """Remember what to train, in this session alone: a link must not start work."""
    st.session_state[_ASKED] = (task, run)
