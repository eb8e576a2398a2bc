"""The gate through training: who takes how much at each step, when it decided, who died."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import streamlit as st

from core.architectures.mixture.charts import history as figures
from core.architectures.mixture.history import Growth
from core.architectures.mixture.report import DEAD
from core.architectures.mixture.tasks.history import DIGITS, Growing
from core.models.mixture import name_of
from pages.kit import links
from pages.kit.charts import finished_chart
from pages.kit.tables import column, download, file_name
from pages.kit.waiting import result_of
from pages.parts.mixture.controls import View
from pages.parts.mixture.history_step import at_step

__all__ = ["view"]

SHARE = links.one_of("share", ("load", "importance"))
BESIDE = links.one_of("beside", ("no", "yes"))
NAMES = {"load": "Load: digits taken", "importance": "Importance: weight given"}
DEFINITIONS = {
    "load": "f: the share of the digits to which the gate gives this expert its highest weight.",
    "importance": "P: the expert's weight, mean over the digits.",
    "active": "Experts whose load is above 1/(4N), a quarter of an even share. The others are dead",
    "accuracy": "Share of these digits that the network, as it was at that step, tells right.",
    "same": (
        "Share of the digits that go to the expert that takes them at the last step. Dashed: were "
        "they dealt out at random, with the loads of both steps."
    ),
    "balance": "N Σ f P (Fedus et al. 2021): 1 where experts share evenly, N where one has all.",
    "normalized": (
        "What the expert that takes a digit tells of its class: mutual information over the mean "
        "entropy of both, 0 to 1. Dashed: what 95 % of shuffles of the experts stay below."
    ),
    "bits": "The same mutual information in bits. A class of ten has 3.32.",
    "limit": "Normalized information that 95 % of shuffles stay below.",
    "entropy": (
        "Entropy of a digit's weights in bits, mean over digits: 0 where one expert has all the "
        "weight, log₂ N where all weigh alike. Always 0 where one expert is run for a digit."
    ),
    "entropy of the mean": (
        "Entropy of the mean weights in bits: log₂ N where experts share evenly, 0 where one has "
        "all. What lies between the two is what the digit decides."
    ),
}
THIS, OTHER = "this mixture", "top-1, α 0"


def view(view: View) -> None:
    """One gate at every step that was kept, and the same mixture without balancing if asked."""
    own: Growth = result_of(Growing(view.choice, view.gate))
    st.markdown(_told(own))
    other = _beside(view)
    step = _step(own)
    _areas(own, other, step)
    _lines(own, other, step)
    at_step(view, own, step)
    frame = own.by_step()
    with st.expander("Table"):
        helps = {name: column(name, about) for name, about in DEFINITIONS.items() if name in frame}
        st.dataframe(frame, hide_index=True, column_config=helps)
        name = f"{file_name(view.choice)}-{view.gate}"
        download(frame, f"gate-through-training-{name}")
        download(own.by_expert(), f"load-through-training-{name}", "Load of each expert as CSV")


def _told(of: Growth) -> str:
    """When the gate decided, and whether an expert died."""
    if of.experts == 1:
        return "**One expert has all digits from the first step to the last.** Nothing is decided."
    told = of.normalized[-1]
    first = (
        f"**By step {of.decided():,} of {of.steps[-1]:,} the gate has decided**: from there on at "
        "least half of the digits go to the expert that takes them in the end (before training "
        f"{of.same[0]:.0%}; by chance {of.chance[0]:.0%})."
    )
    if told <= of.limit[-1]:
        second = "In the end the expert tells no more of the class than shuffled ones."
    else:
        second = (
            f"In the end the expert tells {told:.2f} of 1 of the class, before training "
            f"{of.normalized[0]:.2f}: weights drawn at random already sort digits a little "
            f"(shuffled {of.limit[-1]:.2f})."
        )
    return f"{first} {second} {_deaths(of)}"


def _deaths(of: Growth) -> str:
    """Who is dead in the end, and since when."""
    died = of.died()
    if not died:
        return f"**No expert dies**: all {of.experts} take digits in the end."
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


def _beside(view: View) -> Growth | None:
    """The same mixture with top-1 and no balancing, where asked for."""
    routing = view.routing
    if len(view.mixture.gates) > 1 or routing.experts == 1:
        return None
    plain = name_of(replace(routing, weight=0.0, chosen=1))
    if plain == view.choice.model:
        st.caption("This is the mixture without balancing: one expert for a digit and α 0.")
        return None
    BESIDE.shown()
    st.segmented_control(
        "Beside it, the same mixture with one expert for a digit and no balancing",
        ["no", "yes"],
        key=BESIDE.key,
        on_change=BESIDE.changed,
        format_func={"no": "not shown", "yes": "shown, trained if need be"}.__getitem__,
    )
    if BESIDE.value() == "no":
        return None
    found: Growth = result_of(Growing(replace(view.choice, model=plain), view.gate))
    return found


def _step(of: Growth) -> int:
    """The step that is shown, of those kept."""
    steps = [str(step) for step in of.steps]
    option = links.one_of("step", steps, steps[-1])
    option.shown()
    st.select_slider(
        "Batches seen",
        steps,
        key=option.key,
        on_change=option.changed,
        format_func=lambda text: f"{int(text):,}",
        help="Weights were kept before training, after 1, 2, 4, … batches, and at the end.",
    )
    return int(option.value())


def _areas(own: Growth, other: Growth | None, step: int) -> None:
    """Who takes how much, stacked."""
    SHARE.shown()
    st.segmented_control(
        "Share",
        list(NAMES),
        key=SHARE.key,
        on_change=SHARE.changed,
        format_func=NAMES.__getitem__,
        label_visibility="collapsed",
    )
    shown, measure = {THIS: own, OTHER: other}, SHARE.value()
    columns = st.columns(1 if other is None else 2)
    for where, (name, of) in zip(columns, ((n, g) for n, g in shown.items() if g), strict=True):
        with where:
            title = NAMES[measure] if other is None else f"{name.capitalize()}: {_short(of)}"
            st.markdown(f"**{title}**", help=DEFINITIONS[measure])
            chart = finished_chart(figures.area, of.by_expert(), measure, step)
            st.vega_lite_chart(chart, key=f"area of {name}")
    st.caption(
        f"{DIGITS:,} digits of the discovery half at each step kept, batches on a logarithmic "
        "axis. A band that closes is an expert that dies. Dashed: the step shown below."
        + (f" {OTHER.capitalize()}: {_deaths(other)}" if other else "")
    )


def _short(of: Growth) -> str:
    """How many are at work."""
    return f"{of.active[-1]} of {of.experts} experts at work in the end"


def _lines(own: Growth, other: Growth | None, step: int) -> None:
    """What the expert tells, how decided the gate is, balance and accuracy."""
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
    st.caption("One network, not a mean of several. Dots: steps at which weights were kept.")


_CHANCE = {"normalized": "limit", "same": "chance"}
_CURVES = (
    ("same", "Digits where they are in the end", "share of digits"),
    ("normalized", "What the expert tells of the class", "information, normalized"),
    ("accuracy", "Accuracy", "accuracy"),
    ("entropy", "Entropy of a digit's weights", "bits"),
    ("entropy of the mean", "Entropy of the mean weights", "bits"),
    ("balance", "Balance", "N Σ f P"),
)
