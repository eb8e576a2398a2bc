"""One unit's page: what it responds to, how selectively, and against which controls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import altair as alt
import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core import charts
from core.activations import layer_of
from core.analyses.labelling.task import UnitLabelsTask
from core.analyses.neighbours.task import NeighboursTask
from core.analyses.profiles import Profile
from core.analyses.profiles.task import Study
from core.analyses.wiring.task import WiringTask
from core.export import unit_archive
from core.models.inspectable import Layer
from core.runtime import cache
from core.runtime.task import Task
from core.statistics import rate_bound
from core.units import UnitId
from pages.kit import halves, links, place
from pages.kit.charts import ALTAIR, finished_chart
from pages.kit.glossary import DEFINITIONS, NAMES
from pages.kit.recorded import recorded
from pages.kit.tables import download_file
from pages.parts.units import comparison, neighbours, relevance
from pages.parts.units import labels as label_view
from pages.parts.units.examples import examples, judged, mean_images
from pages.parts.units.maximized import maximized, maximizing
from pages.parts.units.wiring import wired

__all__ = ["unit"]

_DOMAINS = {"selectivity": (-0.2, 1), "auc": (0, 1), "d_prime": (-1, 6), "information": (0, 2)}
_STATES = ("dead", "dormant", "constant", "always_on", "saturated")


def unit(study: Study, layer: str, index: int) -> None:
    """The page of unit `index` of `layer`."""
    name = UnitId(study.run.architecture, layer, index)
    profile, described = study.profiles[layer], layer_of(study.model, layer)
    _head(name, profile, described, study.profiles)
    halves.chosen_and_judged("Its top class and label were chosen")
    st.subheader("What it responds to")
    named = st.container()
    st.subheader("How selective it is")
    _scores(profile, index)
    left, right = st.columns(2)
    with left:
        _classes(profile, index, described.passed)
    with right:
        _histogram(profile, index, described.passed)
    st.subheader("Digits it responds to, and digits it doesn't respond to")
    examples(study, layer, index)
    st.subheader("Digits it matters for")
    mattering = st.container()
    st.subheader("Its mean image on each class")
    mean_images(profile, name, described.passed)
    st.subheader("Its maximized input")
    pictured = st.container()
    st.subheader("Wiring")
    wires = st.container()
    st.subheader("Nearest units")
    near, matched = st.container(), st.container()
    st.subheader("Compare with other units, on the same digits")
    comparison.compare(study, name)
    if layer != study.model.layers[-1]:
        place.link("ask", "Is it necessary? Remove it and see", layer=layer, units=name)
    st.divider()
    with st.container(horizontal=True):
        source = {"data": study.run.data, "seed": study.run.seed, "split": "confirmation"}
        download_file(
            "Download figures and data",
            f"{str(name).replace('/', '-')}-{study.run.data}-seed{study.run.seed}.zip",
            "application/zip",
            partial(_archive, name, profile, source, judged(study)),
        )
    partnering = neighbours.partnering(study, layer)
    # what may have to be computed comes last, so that the page is there meanwhile
    _in_turn(
        (named, UnitLabelsTask(study.run), lambda: label_view.labels(study, layer, index)),
        *relevance.sections(mattering, study, layer, index),
        (wires, WiringTask(study.run), lambda: wired(study, layer, index)),
        (near, NeighboursTask(study.run), lambda: neighbours.nearest(study, layer, index)),
        (pictured, maximizing(study, layer), lambda: maximized(study, layer, index)),
        (matched, partnering, lambda: neighbours.partner(study, layer, index, partnering)),
    )


def _archive(*of_unit: Any) -> bytes:
    """The figures and data of a unit, while nobody else uses Altair, whose settings are global."""
    with ALTAIR:
        return unit_archive(*of_unit)


def _in_turn(*sections: tuple[DeltaGenerator, Task[Any] | None, Callable[[], None]]) -> None:
    """Draw each section in its place, those first whose result is there or that need none."""
    waiting = {task: task is not None and cache.find(task) is None for _, task, _ in sections}
    notes = {task: where.empty() for where, task, _ in sections if waiting[task]}
    for note in notes.values():
        note.caption("Will be computed shortly.")
    for where, task, draw in sorted(sections, key=lambda section: waiting[section[1]]):
        if task in notes:
            notes[task].empty()
        with where:
            draw()


def _head(
    name: UnitId, profile: Profile, described: Layer, profiles: Mapping[str, Profile]
) -> None:
    """Its name, the way to its neighbours, and what state it is in."""
    st.title(str(name))
    with st.container(horizontal=True):
        for label, icon, other in (
            ("Previous", ":material/arrow_back:", name.index - 1),
            ("Next", ":material/arrow_forward:", name.index + 1),
        ):
            st.button(
                label,
                icon=icon,
                key=label,
                disabled=not 0 <= other < len(profile),
                on_click=_open,
                args=(replace(name, index=max(other, 0)),),
            )
        st.button(
            "At random",
            icon=":material/shuffle:",
            key="random",
            on_click=_open_any,
            args=(name.model, {layer: len(of) for layer, of in profiles.items()}),
            help="A unit at random, of any layer: all units alike.",
        )
        st.button("All units", icon=":material/grid_view:", on_click=_open, args=(None,), key="all")
    active, bound = profile.fraction_active[name.index], rate_bound(2 * profile.n)
    seen = f"active on {active:.1%} of {profile.n:,} digits"
    if profile.dead[name.index]:
        seen = f"never active: below {bound:.2%} of digits, with 95 % confidence"
    stands = f" ({described.named(name.index)})" if described.named else ""
    st.caption(
        f"Unit {name.index}{stands} of {len(profile)} in {name.layer} · value: {described.tap} · "
        f"{seen}"
    )
    for state in _STATES:
        if getattr(profile, state)[name.index]:
            st.warning(f"**{state.replace('_', ' ').capitalize()}.** {DEFINITIONS[state]}")


def _open(unit: UnitId | None) -> None:
    """Go to another unit, or to all units of all layers."""
    links.put(unit=unit, layer=None)


def _open_any(model: str, sizes: Mapping[str, int]) -> None:
    """Go to a unit at random; sizes: units of each layer."""
    every = [(layer, index) for layer, size in sizes.items() for index in range(size)]
    _open(UnitId(model, *every[int(np.random.default_rng().integers(len(every)))]))


@recorded
def _scores(profile: Profile, index: int) -> None:
    """Four measures of how well it separates its top class from the rest, with their baselines."""
    top = profile.top_class[index]
    st.markdown(f"How well does it separate **{top}**, its top class, from the other digits?")
    for column, name in zip(st.columns(4), _DOMAINS, strict=True):
        value, untrained, permuted = (
            float(getattr(of, name)[index])
            for of in (profile.scores, profile.untrained, profile.permuted)
        )
        with column:
            st.metric(NAMES[name], f"{value:.2f}", help=DEFINITIONS[name])
            st.caption(
                f"untrained {untrained:.2f} · permuted {permuted:.2f}",
                help=f"{DEFINITIONS['untrained']}\n\n{DEFINITIONS['permuted']}",
            )
            st.vega_lite_chart(finished_chart(_beside, profile, name, value), key=f"beside {name}")
    st.caption(
        f"Blue: this unit. Grey: every unit of {profile.layer}, trained, untrained, and under "
        f"permuted labels. The top class was not chosen on these {profile.n:,}."
    )


def _beside(profile: Profile, name: str, value: float) -> alt.LayerChart:
    """The unit among all of its layer."""
    controls = {
        label: getattr(scores, name)
        for label, scores in (
            ("layer", profile.scores),
            ("untrained", profile.untrained),
            ("permuted", profile.permuted),
        )
    }
    return charts.beside_baselines(value, controls, title=NAMES[name], domain=_DOMAINS[name])


@recorded
def _classes(profile: Profile, index: int, passed: str) -> None:
    """Its mean activation, of which `passed` counts, on each class."""
    st.markdown("**Mean activation on each class**")
    chart = finished_chart(
        charts.class_profile,
        profile.class_means[index],
        profile.class_low[index],
        profile.class_high[index],
        profile.untrained_means[index],
    )
    st.vega_lite_chart(chart, key="classes")
    effective = profile.effective_classes[index]
    st.caption(
        f"Activation {passed}, with 95 % intervals; grey ticks: the untrained unit. Spread over "
        f"{effective:.1f} effective classes.",
        help=DEFINITIONS["effective_classes"],
    )


@recorded
def _histogram(profile: Profile, index: int, passed: str) -> None:
    """How often it is active, and how strongly."""
    zeros = int(profile.zeros[index])
    st.markdown(f"**Activations**: exactly 0 on {zeros:,} of {profile.n:,} digits")
    narrow, wide = st.columns([1, 4])
    narrow.vega_lite_chart(finished_chart(charts.exact_zeros, zeros, profile.n), key="zeros")
    chart = finished_chart(charts.histogram, profile.edges[index], profile.counts[index])
    wide.vega_lite_chart(chart, key="histogram")
    st.caption(
        f"Activation {passed}; left: the exact zeros, on their own scale. Lifetime sparseness "
        f"{profile.sparseness[index]:.2f}.",
        help=DEFINITIONS["sparseness"],
    )
