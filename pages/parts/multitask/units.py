"""What the shared units of a network with several heads are for: lesions, variance, gradients."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

from core import pictures
from core.architectures.multitask import charts as figures
from core.architectures.multitask.lesions import DRAWS
from core.architectures.multitask.results import ONE_SIDED, SHARES, SharedUnits
from core.architectures.multitask.sharing import FLIPS, SHARED
from core.architectures.multitask.task import SharedUnitsTask
from core.runs import Run
from core.runtime.drawings import drawn_once
from core.units import UnitId
from pages.kit import halves, links
from pages.kit.charts import finished_chart
from pages.kit.controls import choose, pick
from pages.kit.gallery import gallery
from pages.kit.grid import Grid
from pages.kit.opening import unit_grid
from pages.kit.recorded import recorded
from pages.kit.tables import column, download, file_name
from pages.kit.waiting import result_of
from pages.parts.multitask import controls as multitask_alone

__all__ = ["HARM", "INDEX", "shared"]

EXAMPLES = 8  # units of a kind
HARM = (
    "Rise of the task's mean loss when the units' activations are set to 0, divided by (loss of "
    "the best constant answer − loss of the intact network). 0: no harm; 1: no better than a "
    "constant answer; below 0: the task improves; above 1: worse than a constant answer."
)
INDEX = (
    "Task specialization index by lesion, (δ₁ − δ₂) / (|δ₁| + |δ₂|) with δ the harm to each of "
    "the two tasks: +1 for a unit that only the first task needs, −1 only the second, 0 both "
    "equally."
)
BY_VARIANCE = (
    "(V₁ − V₂) / (V₁ + V₂), V the share of the rectified activation's variance that lies between "
    "the task's groups (its answers; tenths of the slant), corrected for chance (ε²). After Yang "
    "et al. (2019). It shows what a unit varies with, not what it is needed for."
)


def shared(run: Run) -> None:
    """Everything about the shared units of one network."""
    halves.chosen_and_judged("Units that are silenced together were chosen")
    st.subheader("How good the network is")
    found: SharedUnits = result_of(SharedUnitsTask(run))
    _scores(run, found)
    st.subheader("Which shared unit serves which task")
    layer, first, second = _asked(run, found)
    _plane(run, found, layer, (first, second))
    _examples(run, found, layer, (first, second))
    st.subheader("The lesion cross-matrix")
    _crossed(run, found, layer)
    st.subheader("What a unit varies with is not what it is needed for")
    _variance(found, layer, (first, second))
    st.subheader("Do the tasks pull in the same direction?")
    _conflict(run, found, layer)
    if run.architecture == "multitask":
        st.subheader("Is this due to training on several tasks?")
        multitask_alone.controls(run, layer, (first, second))
    _lessons(found, layer)


def _scores(run: Run, found: SharedUnits) -> None:
    """Each task's score beside its baselines, as a table to download."""
    _score_table(found)
    download(found.scores, f"tasks-{file_name(run)}")


@recorded
def _score_table(found: SharedUnits) -> None:
    """Each task's score beside its baselines."""
    table = found.scores()
    config = {
        "network": column("network", "Accuracy, or R² = 1 − squared error / variance."),
        "linear": column("linear", "Least squares from the pixels to the same targets."),
        "constant": column("constant", "The most frequent answer, or the mean."),
    }
    st.dataframe(table, hide_index=True, column_config=config)
    parity = (
        " Parity has no head: it follows from the digit's logits."
        if "parity" in found.tasks
        else ""
    )
    st.caption(f"On the confirmation half of the test digits.{parity}")


def _asked(run: Run, found: SharedUnits) -> tuple[str, str, str]:
    """The layer and the two tasks that are compared."""
    layer = links.one_of("shared", SHARED, SHARED[-1])
    pairs = tuple(f"{a}-{b}" for i, a in enumerate(found.tasks) for b in found.tasks[i + 1 :])
    pair = links.one_of(f"{run.architecture}_tasks", pairs)
    left, right = st.columns(2)
    pick(layer, "Layer", where=left)
    choose(pair, "Tasks", where=right, names=lambda name: name.replace("-", " and "))
    first, second = pair.value().split("-")
    return layer.value(), first, second


def _plane(run: Run, found: SharedUnits, layer: str, tasks: tuple[str, str]) -> None:
    """Every unit by the harm of its silence to both tasks, to look at and to download."""
    _harms(found, layer, tasks)
    name = f"units-{file_name(run)}-{layer}-{tasks[0]}-{tasks[1]}"
    download(partial(found.units, layer, *tasks), name)


@recorded
def _harms(found: SharedUnits, layer: str, tasks: tuple[str, str]) -> None:
    """Every unit by the harm of its silence to both tasks, and the index of those used."""
    table, counts = found.units(layer, *tasks), found.counts(layer, *tasks)
    left, right = st.columns(2)
    left.markdown("**Harm when a unit is silenced**", help=HARM)
    left.vega_lite_chart(finished_chart(figures.plane, table, *tasks), key="harm to two tasks")
    right.markdown("**Index of the units that are used**", help=INDEX)
    used = table[table["used"]].assign(taught=layer)
    right.vega_lite_chart(finished_chart(figures.indices, used, *tasks), key="index of one network")
    right.markdown(
        f"Of {counts['units']} units of {layer}, **{counts['used']}** are used by either task. "
        f"**{counts['first']}** of them serve {tasks[0]} alone and **{counts['second']}** "
        f"{tasks[1]} alone (index beyond ±{ONE_SIDED:g}: at least three times the harm); the other "
        f"{counts['used'] - counts['first'] - counts['second']} serve both. All others are "
        "“none”: grey.",
    )
    right.caption(
        f"Index on the other half of the digits: rank correlation {counts['repeat']:.2f} (95th "
        f"percentile under shuffling: {counts['chance']:.2f}).",
        help="Used: the sum of the digits' loss changes, divided by the root of the sum of their "
        "squares, exceeds the 95th percentile of the largest value over all units and tasks "
        f"in {FLIPS} draws in which each digit's change has a random sign.",
    )
    st.caption(
        "Each dot is a unit silenced alone, discovery half; blue serves the first task, orange "
        "the second. Axes are stretched around 0, where most units are: a single unit rarely "
        "matters."
    )


def _examples(run: Run, found: SharedUnits, layer: str, tasks: tuple[str, str]) -> None:
    """Mean images of the units of most harm to one task, both and the other."""
    limit, groups = _groups(run.architecture, found, layer, tasks)
    for column_, (name, units, grid) in zip(st.columns(3), groups, strict=True):
        with column_:
            st.markdown(f"**{name}**" if name == "both" else f"**{name} alone**")
            if grid is None:
                st.caption("No unit.")
                continue
            unit_grid(
                grid,
                units,
                key=f"grid of units for {name}",
                label=f"Units of {run.architecture}/{layer} that serve {name}",
                scale=1,
            )
    st.caption(
        "What these units respond to: mean image weighted by the activation, minus the plain "
        f"mean; red: more ink (full colour at {limit:.2f}), blue: less. Units whose loss harms "
        "most come first. Click one to open it."
    )


@drawn_once
def _groups(
    model: str, found: SharedUnits, layer: str, tasks: tuple[str, str]
) -> tuple[float, list[tuple[str, tuple[UnitId, ...], Grid | None]]]:
    """The activation of full colour; of each group its name, units and, if any, their pictures."""
    groups = found.examples(layer, *tasks, EXAMPLES)
    images = found.arrays[f"{layer} images"]
    every = [unit for units in groups.values() for unit in units]
    limit = float(np.abs(images[every]).max(initial=1e-3))
    shown = []
    for name, units in groups.items():
        ids = tuple(UnitId(model, layer, unit) for unit in units)
        tiles = pictures.enlarged(pictures.signed(images[units], limit), 2) if units else None
        words = list(map(str, ids)), [str(unit) for unit in units]
        shown.append((name, ids, None if tiles is None else gallery(tiles, *words)))
    return limit, shown


def _crossed(run: Run, found: SharedUnits, layer: str) -> None:
    """Groups of units silenced, every task judged, with random units beside."""
    share = links.one_of("lesion", tuple(f"{100 * each:g}" for each in SHARES), "10")
    pick(share, "Share of the layer silenced, %")
    chosen = SHARES[share.values.index(share.value())]
    _matrix(found, layer, chosen)
    download(
        partial(found.crossed, layer, chosen),
        f"lesions-{file_name(run)}-{layer}-{share.value()}",
    )


@recorded
def _matrix(found: SharedUnits, layer: str, share: float) -> None:
    """The cross-matrix of a share of the layer, and what it says."""
    table = found.crossed(layer, share)
    st.vega_lite_chart(
        finished_chart(figures.crossed, table, found.tasks, found.taught), key="cross-matrix"
    )
    st.caption(
        f"Rows: the {100 * share:g} % of {layer} that one task needs most, ranked on the "
        "discovery half, are silenced. Columns: harm to each task on the confirmation half. "
        f"Small: the middle 95 % of {DRAWS} draws of as many other units of similar strength "
        "(mean activation × outgoing weights), in %. They may include units of other tasks, "
        "hence the wide ranges.",
        help=HARM,
    )
    for silent in found.taught:
        st.markdown(_finding(table[table["silent"] == silent]))


def _finding(rows: pd.DataFrame) -> str:
    """A row of the cross-matrix in words."""
    silent = rows["silent"].iloc[0]
    said = []
    for row in rows.to_dict("records"):
        harm, low, high = row["harm"], row["harm low"], row["harm high"]
        side = "more than" if harm > high else "less than" if harm < low else "as much as"
        said.append(f"{row['task']} **{harm:+.0%}** ({side} random units)")
    return f"- Without the units of **{silent}**: {', '.join(said)}."


@recorded
def _variance(found: SharedUnits, layer: str, tasks: tuple[str, str]) -> None:
    """The index by lesion against that by variance."""
    table, counts = found.units(layer, *tasks), found.counts(layer, *tasks)
    left, right = st.columns([3, 2], vertical_alignment="center")
    left.vega_lite_chart(
        finished_chart(figures.by_variance, table, *tasks), key="lesion and variance"
    )
    right.markdown(
        f"Rank correlation of the two indices: **{counts['variance']:.2f}** over {counts['used']} "
        f"units (95th percentile under shuffling: {counts['chance']:.2f}).",
        help=f"By lesion: {INDEX}\n\nBy variance: {BY_VARIANCE}",
    )
    right.caption(
        "A unit can vary with a target although no head reads the target from it: for example, "
        "each class has its usual slant. The lesion is an intervention; the variance is not."
    )


def _conflict(run: Run, found: SharedUnits, layer: str) -> None:
    """Cosines between the tasks' gradients over training, to look at and to download."""
    _cosines(found, layer)
    download(found.conflict, f"conflict-{file_name(run)}")


@recorded
def _cosines(found: SharedUnits, layer: str) -> None:
    """Cosines between the tasks' gradients over training."""
    table = found.conflict()
    mine = table[table["layer"] == layer]
    st.vega_lite_chart(finished_chart(figures.conflict, mine), key="conflict of tasks")
    last = mine[mine["step"] == mine["step"].max()].set_index("tasks")["cosine"]
    said = ", ".join(f"{name} {value:+.2f}" for name, value in last.items())
    st.caption(
        "Cosine between the gradients of two tasks' losses with respect to the weights into "
        f"{layer}, mean of 8 batches of 250 discovery digits, at each checkpoint. Above 0: what "
        "helps one task helps the other; below 0: conflict. Dashed: the same task on another "
        f"batch, the upper limit for such a cosine. At the end: {said}."
    )


@recorded
def _lessons(found: SharedUnits, layer: str) -> None:
    """A common mistake, and two traps."""
    traps = " and two traps" if "parity" in found.tasks else ""
    with st.expander(f"A common mistake{traps}"):
        st.markdown(
            "- **Separate heads are not a finding.** They are often presented as task-specialized "
            "neurons, but they are separate by construction: a head's weights affect one loss "
            "only. Only hidden units that *both* losses could use can specialize.\n"
        )
        if "parity" not in found.tasks:
            return
        used, harmed, raw = found.flipped(layer, "digit", "slant")
        parity = found.counts(layer, "digit", "parity")
        slant = found.counts(layer, "digit", "slant")
        st.markdown(
            "- **Tasks that follow from each other share units necessarily.** A network that "
            f"knows the digit knows its parity. Of {parity['used']} units used by digit or "
            f"parity, {parity['first'] + parity['second']} serve only one of the two; of "
            f"{slant['used']} used by digit or slant, {slant['first'] + slant['second']} do.\n- "
            f"**Losses have units.** The digit's loss is in nats, the slant's in rad². Of {used} "
            f"used units, digit suffers more than slant for {harmed} when harm is measured "
            f"relative to each task's performance, and for {raw} by the raw losses."
        )
