"""One unit's page: what it answers to, how selectively, and against which controls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import altair as alt
import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core import cache, figures, pictures
from core.activations import layer_of
from core.digits import Digits
from core.export import unit_archive
from core.maximize import Settings
from core.profiles import KINDS, Profile
from core.statistics import rate_bound
from core.tasks import Labelling, Maximizing, Study, Task
from core.units import UnitId
from pages.parts import comparison, label_view, links, place
from pages.parts.definitions import DEFINITIONS, NAMES
from pages.parts.gallery import gallery
from pages.parts.grid import image_grid
from pages.parts.waiting import result_of

__all__ = ["unit"]

_DOMAINS = {"selectivity": (-0.2, 1), "auc": (0, 1), "d_prime": (-1, 6), "information": (0, 2)}
_KIND_NAMES = {
    "top": "**Highest**: the digits that activate it most",
    "middle": "**Middle**: around the median of the digits on which it is active",
    "lowest": "**Lowest**: the digits that activate it least",
}
_STATES = ("dead", "dormant", "constant", "always_on", "saturated")


def unit(study: Study, layer: str, index: int) -> None:
    """The page of unit `index` of `layer`."""
    name = UnitId(study.choice.model, layer, index)
    profile = study.profiles[layer]
    _head(name, profile, layer_of(study.model, layer).tap)
    st.subheader("What it answers to")
    named = st.container()
    st.subheader("How selective it is")
    _scores(profile, index)
    left, right = st.columns(2)
    with left:
        _classes(profile, index)
    with right:
        _histogram(profile, index)
    st.subheader("Digits that it answers to, and digits that it doesn't")
    _examples(study, layer, index)
    st.subheader("Its mean image on each class")
    _mean_images(profile, index)
    st.subheader("Its maximized input")
    maximized = st.container()
    st.subheader("Compare with other units, on the same digits")
    comparison.compare(study, name)
    if layer != study.model.layers[-1]:
        place.link("ask", "Is it needed? Remove it and see", layer=layer, units=index)
    st.divider()
    with st.container(horizontal=True):
        source = {"data": study.choice.data, "seed": study.choice.seed, "split": "confirmation"}
        st.download_button(
            "Download figures and data",
            unit_archive(name, profile, source, _digits(study).images[:, 0].numpy()),
            f"{str(name).replace('/', '-')}-{study.choice.data}-seed{study.choice.seed}.zip",
            "application/zip",
            icon=":material/download:",
        )
        place.copy_link(
            layer=layer,
            unit=index,
            compare=",".join(comparison.chosen(study)),
            pair=st.query_params.get("pair"),
            own=st.query_params.get("own"),
        )
    # what may have to be computed comes last, so that the page is there meanwhile
    _in_turn(
        (named, Labelling(study.choice), lambda: label_view.labels(study, layer, index)),
        (maximized, _maximizing(study, layer), lambda: _maximized(study, layer, index)),
    )


def _in_turn(*sections: tuple[DeltaGenerator, Task[Any], Callable[[], None]]) -> None:
    """Draw each section in its place, those whose result is there first."""
    waiting = {task: cache.ready(task) is None for _, task, _ in sections}
    notes = {task: where.empty() for where, task, _ in sections if waiting[task]}
    for note in notes.values():
        note.caption("To be computed in a moment.")
    for where, task, draw in sorted(sections, key=lambda section: waiting[section[1]]):
        if task in notes:
            notes[task].empty()
        with where:
            draw()


def _maximizing(study: Study, layer: str) -> Maximizing:
    """The maximized inputs of the unit's layer, with the usual settings."""
    return Maximizing(study.choice, layer, Settings())


def _head(name: UnitId, profile: Profile, tap: str) -> None:
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
                args=(name.layer, other),
            )
        st.button(
            "All units", icon=":material/grid_view:", on_click=_open, args=(None, None), key="all"
        )
    active, bound = profile.fraction_active[name.index], rate_bound(2 * profile.n)
    seen = f"active on {active:.1%} of {profile.n:,} digits"
    if profile.dead[name.index]:
        seen = f"never active: below {bound:.2%} of digits, with 95 % confidence"
    st.caption(f"Unit {name.index} of {len(profile)} in {name.layer}, read {tap} · {seen}")
    for state in _STATES:
        if getattr(profile, state)[name.index]:
            st.warning(f"**{state.replace('_', ' ').capitalize()}.** {DEFINITIONS[state]}")


def _open(layer: str | None, index: int | None) -> None:
    """Go to another unit, or to all."""
    links.put(layer=layer, unit=index)


def _scores(profile: Profile, index: int) -> None:
    """Four measures of how well it tells its top class from the rest, beside their baselines."""
    top = profile.top_class[index]
    st.markdown(f"How well does it tell **{top}**, its top class, from the other digits?")
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
            st.altair_chart(_beside(profile, name, value), key=f"beside {name}")
    st.caption(
        f"Blue: this unit. Grey: every unit of {profile.layer}, trained, untrained, and under "
        f"permuted labels. The top class was chosen on other digits than these {profile.n:,}."
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
    return figures.beside_baselines(value, controls, title=NAMES[name], domain=_DOMAINS[name])


def _classes(profile: Profile, index: int) -> None:
    """Its mean activation on each class."""
    st.markdown("**Mean activation on each class**")
    chart = figures.class_profile(
        profile.class_means[index],
        profile.class_low[index],
        profile.class_high[index],
        profile.untrained_means[index],
    )
    st.altair_chart(chart, key="classes")
    effective = profile.effective_classes[index]
    st.caption(
        f"After the ReLU, with 95 % intervals; grey ticks: the untrained unit. Spread over "
        f"{effective:.1f} effective classes.",
        help=DEFINITIONS["effective_classes"],
    )


def _histogram(profile: Profile, index: int) -> None:
    """How often it is active, and how strongly."""
    zeros = int(profile.zeros[index])
    st.markdown(f"**Activations**: exactly 0 on {zeros:,} of {profile.n:,} digits")
    narrow, wide = st.columns([1, 4])
    narrow.altair_chart(figures.exact_zeros(zeros, profile.n), key="zeros")
    chart = figures.histogram(profile.edges[index], profile.counts[index])
    wide.altair_chart(chart, key="histogram")
    st.caption(
        f"After the ReLU; left, the exact zeros on a scale of their own. Lifetime sparseness "
        f"{profile.sparseness[index]:.2f}.",
        help=DEFINITIONS["sparseness"],
    )


def _examples(study: Study, layer: str, index: int) -> None:
    """The highest, middle and lowest digits, with the place of a map's maximum framed."""
    digits, profile = _digits(study), study.profiles[layer]
    for kind, numbers, values, places in zip(
        KINDS,
        profile.examples[index],
        profile.example_values[index],
        profile.example_places[index],
        strict=True,
    ):
        st.markdown(_KIND_NAMES[kind])
        labels = digits.labels[numbers.copy()].tolist()
        tiles = pictures.enlarged(pictures.ink(digits.images[numbers.copy(), 0].numpy()), 3)
        field = layer_of(study.model, layer).field
        if field is not None:
            boxes = [field.box(int(row), int(column)) for row, column in places]
            tiles = pictures.outlined(tiles[:, ::3, ::3], boxes, 3)
        grid = gallery(
            tiles,
            [
                f"test digit {number}, a {label}: activation {value:.2f}"
                for number, label, value in zip(numbers, labels, values, strict=True)
            ],
            [f"{label} · {value:.2f}" for label, value in zip(labels, values, strict=True)],
        )
        image_grid(
            grid,
            key=f"grid of {kind}",
            label=f"{kind} examples of {layer}/{index}, {study.choice}",
            scale=1,
        )
    outlined = " Orange: what the strongest neuron of the unit's map sees." if field else ""
    st.caption(
        f"Below each: its class · the activation before the ReLU.{outlined} Digits of the "
        "confirmation half."
    )


def _digits(study: Study) -> Digits:
    """The digits on which units are judged."""
    return cache.digits(study.choice.data, "confirmation")


def _mean_images(profile: Profile, index: int) -> None:
    """The digits of each class, weighted by how strongly they activate the unit."""
    means = profile.class_means[index]
    names = [*map(str, range(len(means))), "all"]
    values = [*means.tolist(), float(profile.mean[index])]
    grid = gallery(
        pictures.stretched(profile.mean_images[index]),
        [
            f"class {name}, mean activation {value:.3f}"
            for name, value in zip(names, values, strict=True)
        ],
        [f"{name} · {value:.2f}" for name, value in zip(names, values, strict=True)],
    )
    image_grid(grid, key="grid of means", label=f"mean images of {profile.layer}/{index}", scale=3)
    st.caption(
        "Σ a·x / Σ a over the digits of the class, a being the activation after the ReLU; each "
        "picture is scaled to its own darkest pixel. Below: class · mean activation. Blank: never "
        "active on the class."
    )


def _maximized(study: Study, layer: str, index: int) -> None:
    """The image that maximizes it, beside the real digits that come closest."""
    task = _maximizing(study, layer)
    found = result_of(task)
    if bool(found.stuck[index]):
        st.warning(
            "No start gave this unit any gradient, so there is no picture of it: whatever was "
            "tried, a small change of the image changed nothing."
        )
    else:
        _beside_exemplars(study, layer, index, found.images[index, 0].numpy())
        most = float(study.profiles[layer].maximum[index])
        reached = float(found.activations[index])
        share = f", {reached / most:.0%} of" if most > 0 else "; a dead unit has no"
        st.caption(
            f"Activation {reached:.2f}{share} the natural maximum {most:.2f}. Varied along the "
            f"covariance of digits, pixels in 0..1, {task.settings.steps} steps.",
            help=DEFINITIONS["share"],
        )
    place.link(
        "feature_visualization",
        "Other parameterizations, budgets and seeds",
        layer=layer,
        unit=index,
    )


def _beside_exemplars(study: Study, layer: str, index: int, image: np.ndarray) -> None:
    """The maximized image, then the four highest digits."""
    digits, profile = _digits(study), study.profiles[layer]
    best: Sequence[int] = profile.examples[index, 0, :4].tolist()
    images = np.stack([image, *(digits.images[number, 0].numpy() for number in best)])
    values = profile.example_values[index, 0, :4]
    grid = gallery(
        pictures.ink(images),
        [
            "maximized input",
            *(f"test digit {n}: {v:.2f}" for n, v in zip(best, values, strict=True)),
        ],
        ["maximized", *(f"real · {value:.2f}" for value in values)],
    )
    image_grid(
        grid,
        key="grid of maximized",
        label=f"maximized input of {layer}/{index} and real digits",
        scale=5,
    )
