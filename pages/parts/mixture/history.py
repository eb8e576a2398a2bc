"""The gate during training: each expert's share, when the gate decided, which experts died."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import streamlit as st

from core.architectures.mixture.charts import history as figures
from core.architectures.mixture.history import GateHistory
from core.architectures.mixture.report import DEAD
from core.architectures.mixture.tasks.history import DIGITS, GateHistoryTask
from pages.kit import controls, links
from pages.kit.charts import finished_chart
from pages.kit.tables import column, download, file_name
from pages.kit.waiting import result_of
from pages.parts.mixture.controls import View
from pages.parts.mixture.history_step import at_step
from pages.parts.mixture.words import GATES

__all__ = ["view"]

SHARE = links.one_of("share", ("load", "importance"))
BESIDE = links.switch("beside")
NAMES = {"load": "Load: share of digits", "importance": "Importance: mean weight"}
DEFINITIONS = {
    **GATES,
    "accuracy": "Share of these digits that the network at that step classifies correctly.",
    "same": (
        "Share of digits already assigned to their final expert. Dashed: expected by chance, "
        "given the loads at both steps."
    ),
    "normalized": (
        f"{GATES['normalized']} Dashed: the 95th percentile under shuffling of the experts."
    ),
    "limit": "95th percentile of the normalized information under shuffling.",
}
THIS, OTHER = "this mixture", "top-1, α 0"


def view(view: View) -> None:
    """One gate at every step that was kept, and the same mixture without balancing if asked."""
    own: GateHistory = result_of(GateHistoryTask(view.run, view.gate))
    st.markdown(_summary(own))
    other = _beside(view)
    step = _step(own)
    _areas(own, other, step)
    _lines(own, other, step)
    at_step(view, own, step)
    frame = own.by_step()
    with st.expander("Table"):
        helps = {name: column(name, about) for name, about in DEFINITIONS.items() if name in frame}
        st.dataframe(frame, hide_index=True, column_config=helps)
        name = f"{file_name(view.run)}-{view.gate}"
        download(frame, f"gate-through-training-{name}")
        download(own.by_expert(), f"load-through-training-{name}", "Load of each expert as CSV")


def _summary(of: GateHistory) -> str:
    """Two sentences: when the gate decided, and whether an expert died."""
    if of.experts == 1:
        return (
            "**One expert gets all digits from the first step to the last.** The gate makes no "
            "decision."
        )
    information = of.normalized[-1]
    first = (
        f"**By step {of.decided():,} of {of.steps[-1]:,} the gate has decided**: from then on at "
        f"least half of the digits go to their final expert (before training {of.same[0]:.0%}; by "
        f"chance {of.chance[0]:.0%})."
    )
    if information <= of.limit[-1]:
        second = "At the end the expert carries no more class information than shuffled experts do."
    else:
        second = (
            f"At the end the normalized class information of the expert is {information:.2f}, "
            f"before training {of.normalized[0]:.2f}: random weights already separate digits "
            f"a little (95th percentile under shuffling: {of.limit[-1]:.2f})."
        )
    return f"{first} {second} {_deaths(of)}"


def _deaths(of: GateHistory) -> str:
    """A sentence on the experts that are dead at the end, and since which step."""
    died = of.died()
    if not died:
        return f"**No expert dies**: all {of.experts} receive digits at the end."
    since: dict[int, list[int]] = {}
    for expert, step in died.items():
        since.setdefault(step, []).append(expert)
    parts = [
        f"{', '.join(map(str, experts))} {'from the start' if not step else f'since step {step:,}'}"
        for step, experts in sorted(since.items())
    ]
    many = (
        f"{len(died)} of {of.experts} experts are dead" if len(died) > 1 else "One expert is dead"
    )
    limit = DEAD / of.experts
    return f"**{many}**, at most {limit:.1%} of the digits each: expert {'; '.join(parts)}."


def _beside(view: View) -> GateHistory | None:
    """The same mixture with top-1 and no balancing, where asked for."""
    settings = view.settings
    if settings.layers > 1 or settings.experts == 1:
        return None
    plain = replace(settings, balance=0.0, chosen=1)
    if plain == settings:
        st.caption("This is the mixture without balancing: one expert per digit and α = 0.")
        return None
    label = "For comparison: the same mixture with one expert per digit and no balancing"
    if not controls.toggle(BESIDE, f"{label} (trained if necessary)"):
        return None
    found: GateHistory = result_of(GateHistoryTask(view.run.with_network(plain), view.gate))
    return found


def _step(of: GateHistory) -> int:
    """The step that is shown, of those kept."""
    steps = [str(step) for step in of.steps]
    option = links.one_of("step", steps, steps[-1])
    step = controls.steps(
        option,
        "Batches seen",
        names=lambda text: f"{int(text):,}",
        help="Weights were saved before training, after 1, 2, 4, … batches, and at the end.",
    )
    return int(step)


def _areas(own: GateHistory, other: GateHistory | None, step: int) -> None:
    """Each expert's share of digits over training, stacked."""
    measure = controls.pick(SHARE, "Share", names=NAMES.__getitem__, bare=True)
    shown = {THIS: own, OTHER: other}
    columns = st.columns(1 if other is None else 2)
    for where, (name, of) in zip(columns, ((n, g) for n, g in shown.items() if g), strict=True):
        with where:
            title = NAMES[measure] if other is None else f"{name.capitalize()}: {_short(of)}"
            st.markdown(f"**{title}**", help=DEFINITIONS[measure])
            chart = finished_chart(figures.area, of.by_expert(), measure, step)
            st.vega_lite_chart(chart, key=f"area of {name}")
    st.caption(
        f"{DIGITS:,} digits of the discovery half at each saved step; batches on a logarithmic "
        "axis. A band that vanishes is an expert that dies. Dashed: the step shown below."
        + (f" {OTHER.capitalize()}: {_deaths(other)}" if other else "")
    )


def _short(of: GateHistory) -> str:
    """How many experts are active, in a few words."""
    return f"{of.active[-1]} of {of.experts} experts active at the end"


def _lines(own: GateHistory, other: GateHistory | None, step: int) -> None:
    """Class information of the expert, entropy of the gate, balance and accuracy over training."""
    frames = [own.by_step().assign(network=THIS)]
    if other is not None:
        frames.append(other.by_step().assign(network=OTHER))
    frame = pd.concat(frames)
    columns = st.columns(2)
    for at, (name, title, unit) in enumerate(_CURVES):
        with columns[at % 2]:
            st.markdown(f"**{title}**", help=DEFINITIONS[name])
            chance = _CHANCE.get(name)
            chart = finished_chart(figures.line, frame, name, title=unit, chance=chance, step=step)
            st.vega_lite_chart(chart, key=f"line of {name}")
    st.caption("One network, not a mean of several. Dots: steps at which weights were saved.")


_CHANCE = {"normalized": "limit", "same": "chance"}
_CURVES = (
    ("same", "Digits at their final expert", "share of digits"),
    ("normalized", "Class information of the expert", "information, normalized"),
    ("accuracy", "Accuracy", "accuracy"),
    ("entropy", "Entropy of a digit's weights", "bits"),
    ("entropy of the mean", "Entropy of the mean weights", "bits"),
    ("balance", "Balance", "N Σ f P"),
)
