"""The digits that a unit matters for, beside those that activate it, and where in them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core import charts, pictures
from core.analyses.profiles.task import Study
from core.analyses.relevance import ClassNecessity
from core.analyses.relevance.maps import RelevanceMaps
from core.analyses.relevance.task import (
    LayerOverlap,
    LayerOverlapTask,
    RelevanceMapsTask,
    RelevanceTask,
    UnitRelevance,
)
from core.data import DataSet
from core.runtime.drawings import DRAWINGS, drawn_once
from core.runtime.task import Task
from core.units import UnitId
from pages.kit import links
from pages.kit import relevance as shown
from pages.kit.charts import finished_chart
from pages.kit.controls import pick
from pages.kit.digit import digit_option
from pages.kit.gallery import gallery
from pages.kit.glossary import DEFINITIONS
from pages.kit.grid import Grid, image_grid
from pages.kit.recorded import recorded
from pages.kit.relevance import amount
from pages.kit.waiting import result_of
from pages.parts.units.examples import judged

__all__ = ["sections"]

_REPLACED = {"zero": "0", "mean": "its mean"}
REPLACED = links.one_of("replaced", tuple(_REPLACED))

Section = tuple[DeltaGenerator, Task[Any], Callable[[], None]]


def sections(where: DeltaGenerator, study: Study, layer: str, index: int) -> list[Section]:
    """What is drawn into `where`, each part with the task that it waits for."""
    if layer == study.model.layers[-1]:
        where.caption(shown.LAST_LAYER)
        return []
    fast = DRAWINGS.get(LayerOverlapTask.fits, study.model, layer)
    with where:
        if not shown.wanted(fast):
            return []
        kind = pick(
            REPLACED,
            "Replacement value",
            names=_REPLACED.__getitem__,
            help="What stands for the unit's activation when it is removed: 0, or its mean over "
            "the discovery half.",
        )
        of_unit, of_layer, of_digit = st.container(), st.container(), st.container()
    task = RelevanceTask(study.run, layer, (index,), kind)
    whole = LayerOverlapTask(study.run, layer, kind)
    parts: list[Section] = [(of_unit, task, partial(_unit, study, task, of_digit))]
    if fast:
        parts.append((of_layer, whole, partial(_layer_overlap, whole)))
    return parts


def _unit(study: Study, task: RelevanceTask, below: DeltaGenerator) -> None:
    """The row of digits, the overlap, and below it what is said of classes and of one digit."""
    found, digits = result_of(task), judged(study)
    if not len(found.trained.digits):
        shown.nothing(found.trained, 1)
        return
    name = UnitId(study.run.architecture, task.layer, task.units[0])
    option = digit_option("matters", digits, int(found.trained.digits[0]))
    number = option.value()
    picked = shown.row(
        found,
        digits,
        label=f"Digits that {name} matters for, {study.run}",
        replaced=_REPLACED[task.kind],
        selected=number,
    )
    if picked is not None and picked != number:
        links.put(matters=digits.ids[picked])
        st.rerun()
    shown.overlap(found, 1)
    with below:
        left, right = st.columns(2)
        with left:
            _classes(found.classes)
        with right:
            _where(task, found, digits, number)
        shown.table(found, digits, f"relevance-{str(name).replace('/', '-')}")


def _layer_overlap(task: LayerOverlapTask) -> None:
    """The overlap of all units of the layer."""
    _overlap_of_layer(*result_of(task), task.layer)


@recorded
def _overlap_of_layer(trained: LayerOverlap, untrained: LayerOverlap, layer: str) -> None:
    """The median overlap, in the trained and in the untrained network."""
    if not (trained.complete.any() and untrained.complete.any()):
        return
    first, second = (
        (f"{of.median:g}", f"{float((of.shared[of.complete] == 0).mean()):.0%}")
        for of in (trained, untrained)
    )
    st.caption(
        f"In {layer}, over {int(trained.complete.sum())} units, both lists of "
        f"{int(trained.listed.max())} share {first[0]} in the median, and none for {first[1]} of "
        f"the units. Untrained: {second[0]}, and none for {second[1]}.",
        help=DEFINITIONS["overlap"],
    )


@recorded
def _classes(found: ClassNecessity) -> None:
    """How much it matters for each class."""
    st.markdown("**Mean loss of margin on each class**", help=DEFINITIONS["necessity"])
    st.vega_lite_chart(
        finished_chart(
            charts.class_profile,
            found.means,
            found.low,
            found.high,
            found.untrained,
            measure="mean loss of margin",
        ),
        key="classes it matters for",
    )
    if found.label is None:
        st.caption("On the discovery half it matters for no class on average.")
        return
    at = found.label
    st.caption(
        f"It matters most for {at}, chosen on the discovery half: on the confirmation half its "
        f"removal costs {amount(found.means[at])} of the margin (95 % interval "
        f"{amount(found.low[at])} to {amount(found.high[at])}). Grey ticks: the untrained unit."
    )


def _where(task: RelevanceTask, found: UnitRelevance, digits: DataSet, number: int) -> None:
    """Where in the chosen digit the unit's contribution comes from."""
    name, label = digits.ids[number], int(digits.labels[number])
    st.markdown(f"**Where in {name}, a {label}**", help=DEFINITIONS["relevance map"])
    maps = result_of(RelevanceMapsTask(task, number))
    image_grid(
        _maps(maps, digits, number),
        key="grid of relevance maps",
        label=f"Where in {name} the unit's contribution comes from",
        scale=4,
    )
    _sums(maps, found, number, task.layer)


@drawn_once
def _maps(maps: RelevanceMaps, digits: DataSet, number: int) -> Grid:
    """The digit and both maps, on one scale of colours."""
    both = np.stack([maps.gradient, maps.occlusion])
    limit = float(np.abs(both).max()) or 1.0
    tiles = np.concatenate(
        [pictures.ink(digits.images[number, :1].numpy()), pictures.signed(both, limit)]
    )
    sums = [float(of.sum()) for of in both]
    return gallery(
        tiles,
        [
            f"{digits.ids[number]}, a {int(digits.labels[number])}",
            f"gradient times input, sum {amount(sums[0])}",
            f"occlusion of squares, sum {amount(sums[1])}",
        ],
        ["digit", f"gradient × input {amount(sums[0])}", f"occlusion {amount(sums[1])}"],
    )


@recorded
def _sums(maps: RelevanceMaps, found: UnitRelevance, number: int, layer: str) -> None:
    """What the maps add up to and what they miss, and so for the layer's shares."""
    of, shares = found.trained, found.shares
    before, lost = float(of.margin[number]), float(of.necessity[number])
    st.caption(
        f"Without the unit the margin falls by {amount(lost)}, from {amount(before)} to "
        f"{amount(before - lost)}; on blank paper by {amount(maps.blank)}. So each map should add "
        f"up to {amount(maps.necessity - maps.blank)}: gradient × input adds up to "
        f"{_gap(maps.gap('gradient'))}, occlusion to {_gap(maps.gap('occlusion'))}. Red: ink that "
        "makes the fall larger; blue: smaller.",
        help=DEFINITIONS["relevance map"],
    )
    if np.isnan(shares.share[number]):
        st.caption(
            f"{layer} runs row by row, and its later rows depend on its earlier ones: a unit has "
            "no linear share there."
        )
        return
    st.caption(
        f"Linear share of the unit: {amount(shares.share[number])}. The shares of all units of "
        f"{layer} add up to {amount(shares.shares[number])}; without all of them the margin falls "
        f"by {amount(shares.whole[number])}.",
        help=DEFINITIONS["linear share"],
    )


def _gap(missing: float) -> str:
    """What a sum misses, in words."""
    return f"{amount(abs(missing))} too {'little' if missing > 0 else 'much'}"
