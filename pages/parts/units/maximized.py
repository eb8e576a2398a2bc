"""A unit's maximized input, beside the real digits that come closest."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from core import pictures
from core.analyses.maximize import Settings
from core.analyses.maximize.task import MaximizedTask
from core.analyses.profiles.task import Study
from core.units import UnitId
from pages.kit import place
from pages.kit.gallery import gallery
from pages.kit.glossary import DEFINITIONS
from pages.kit.grid import image_grid
from pages.kit.waiting import result_of
from pages.parts.units.examples import judged

__all__ = ["maximized", "maximizing"]


def maximizing(study: Study, layer: str) -> MaximizedTask:
    """The maximized inputs of the unit's layer, with the usual settings."""
    return MaximizedTask(study.run, layer, Settings())


def maximized(study: Study, layer: str, index: int) -> None:
    """The image that maximizes it, beside the real digits that come closest."""
    task = maximizing(study, layer)
    found = result_of(task)
    if bool(found.stuck[index]):
        st.warning(
            "No starting image gave this unit any gradient, so there is no picture of it: small "
            "changes of the image had no effect on it."
        )
    else:
        _beside_exemplars(study, layer, index, found.images[index, 0].numpy())
        most = float(study.profiles[layer].maximum[index])
        reached = float(found.activations[index])
        share = f", {reached / most:.0%} of" if most > 0 else "; a dead unit has no"
        st.caption(
            f"Activation {reached:.2f}{share} the natural maximum {most:.2f}. Optimized along the "
            f"covariance of digits, pixels in 0..1, {task.settings.steps} steps.",
            help=DEFINITIONS["share"],
        )
    place.link(
        "feature_visualization",
        "Other parameterizations, budgets and seeds",
        unit=UnitId(study.run.architecture, layer, index),
    )


def _beside_exemplars(study: Study, layer: str, index: int, image: np.ndarray) -> None:
    """The maximized image, then the four highest digits."""
    digits, profile = judged(study), study.profiles[layer]
    best: Sequence[int] = profile.examples[index, 0, :4].tolist()
    images = np.stack([image, *(digits.images[number, 0].numpy() for number in best)])
    values, names = profile.example_values[index, 0, :4], digits.ids
    grid = gallery(
        pictures.ink(images),
        [
            "maximized input",
            *(f"{names[n]}: {v:.2f}" for n, v in zip(best, values, strict=True)),
        ],
        ["maximized", *(f"real · {value:.2f}" for value in values)],
    )
    image_grid(
        grid,
        key="grid of maximized",
        label=f"maximized input of {UnitId(study.run.architecture, layer, index)} and real digits",
        scale=5,
    )
