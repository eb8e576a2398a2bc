"""The real digits of a unit: those it responds to, those it doesn't, and its mean images."""

from __future__ import annotations

import streamlit as st

from core import pictures
from core.activations import layer_of
from core.analyses.profiles import KINDS, Profile
from core.analyses.profiles.task import Study
from core.data import DataSet
from core.runtime import cache
from core.runtime.drawings import drawn_once
from core.units import UnitId
from pages.kit.gallery import gallery
from pages.kit.grid import Grid, image_grid

__all__ = ["examples", "judged", "mean_images"]

_KIND_NAMES = {
    "top": "**Highest**: the digits that activate it most",
    "middle": "**Middle**: around the median of the digits on which it is active",
    "lowest": "**Lowest**: the digits that activate it least",
}


def examples(study: Study, layer: str, index: int) -> None:
    """The highest, middle and lowest digits, with the place of a map's maximum framed."""
    for at, kind in enumerate(KINDS):
        st.markdown(_KIND_NAMES[kind])
        image_grid(
            _examples(study, judged(study), layer, index, at),
            key=f"grid of {kind}",
            label=f"{kind} examples of {UnitId(study.run.architecture, layer, index)}, {study.run}",
            scale=1,
        )
    field = layer_of(study.model, layer).field
    outlined = " Orange: what the strongest neuron of the unit's map sees." if field else ""
    st.caption(
        f"Below each: its class · its activation ({layer_of(study.model, layer).tap}), of a "
        f"map the maximum.{outlined} Digits of the confirmation half."
    )


@drawn_once
def _examples(study: Study, digits: DataSet, layer: str, index: int, kind: int) -> Grid:
    """The unit's digits of one of the kinds."""
    profile, names = study.profiles[layer], digits.ids
    numbers, values, places = (
        of[index, kind] for of in (profile.examples, profile.example_values, profile.example_places)
    )
    labels = digits.labels.numpy()[numbers].tolist()
    tiles = pictures.enlarged(pictures.ink(digits.images.numpy()[numbers, 0]), 3)
    field = layer_of(study.model, layer).field
    if field is not None:
        boxes = [field.box(int(row), int(column)) for row, column in places]
        tiles = pictures.outlined(tiles[:, ::3, ::3], boxes, 3)
    return gallery(
        tiles,
        [
            f"{names[number]}, a {label}: activation {value:.2f}"
            for number, label, value in zip(numbers, labels, values, strict=True)
        ],
        [f"{label} · {value:.2f}" for label, value in zip(labels, values, strict=True)],
    )


def judged(study: Study) -> DataSet:
    """The digits on which units are judged."""
    return cache.digits(study.run.data, "confirmation")


def mean_images(profile: Profile, unit: UnitId, passed: str) -> None:
    """The digits of each class, weighted by the unit's activation, of which `passed` counts."""
    means = profile.class_means[unit.index]
    names = [*map(str, range(len(means))), "all"]
    values = [*means.tolist(), float(profile.mean[unit.index])]
    grid = gallery(
        pictures.stretched(profile.mean_images[unit.index]),
        [
            f"class {name}, mean activation {value:.3f}"
            for name, value in zip(names, values, strict=True)
        ],
        [f"{name} · {value:.2f}" for name, value in zip(names, values, strict=True)],
    )
    image_grid(grid, key="grid of means", label=f"mean images of {unit}", scale=3)
    st.caption(
        f"Σ a·x / Σ a over the digits of the class, a being the activation {passed}; each "
        "picture is scaled to its own darkest pixel. Below: class · mean activation. Blank: never "
        "active on the class."
    )
