"""The maximized inputs of a layer: how they are made, what they reach, what is real beside."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core import charts, pictures
from core.analyses.maximize import BUDGETS, OBJECTIVES, PARAMETERIZATIONS, Maximized, Settings
from core.analyses.profiles.task import Study
from core.runtime import cache
from core.units import UnitId
from pages.kit import links, place
from pages.kit.charts import finished_chart
from pages.kit.controls import choose, number
from pages.kit.gallery import gallery
from pages.kit.glossary import DEFINITIONS
from pages.kit.grid import image_grid
from pages.kit.unit import layer_option, unit_option

__all__ = ["controls", "filters", "layer_grid"]

PARAMETERIZATION = links.one_of("parameterization", PARAMETERIZATIONS, "covariance")
BUDGET = links.one_of("budget", BUDGETS)
OBJECTIVE = links.one_of("objective", tuple(OBJECTIVES))
DIRECTION = links.one_of("direction", ("maximize", "minimize"))
STEPS = links.one_of("steps", ("32", "64", "128", "256", "512"), "128")
JITTER = links.integer("jitter", 0, 4, 1)
START = links.integer("start", 0, 99, 0)

_HELP = {
    "parameterization": (
        "What is optimized. Pixels: each independently. Fourier: waves, with low frequencies "
        "favoured as 1/f. Covariance: the directions in which digits vary."
    ),
    "budget": (
        "What limits the image. Box: pixels stay between 0 and 1. L2: the image stays within a "
        "ball and follows the normalized gradient; pixels may leave 0..1 and are then shown in "
        "blue and red."
    ),
    "objective": (
        "For a convolutional unit: the neuron in the middle of its map, which shows a template, "
        "or the mean over its map, which shows a texture. Dense units have a single activation."
    ),
    "jitter": (
        "Each step shifts the image by up to this many pixels, so that the result does not rely "
        "on single pixels."
    ),
    "start": "Random seed of the starting image and of the shifts.",
}
_SIDE = 4  # real digits beside each unit's image


def controls(study: Study) -> tuple[str, Settings]:
    """The choices of the page: which layer, and how."""
    layer = _layer(study)
    first, second = st.columns(4), st.columns(4)
    for column, listed, label in (
        (first[0], layer, "Layer"),
        (first[1], PARAMETERIZATION, "Parameterization"),
        (first[2], BUDGET, "Budget"),
        (first[3], OBJECTIVE, "Objective"),
        (second[0], DIRECTION, "Direction"),
        (second[1], STEPS, "Steps"),
    ):
        # units of another layer are other units
        resets = ("unit",) if listed is layer else ()
        choose(listed, label, where=column, help=_HELP.get(listed.key), resets=resets)
    for column, option, label in (
        (second[2], JITTER, "Jitter, pixels"),
        (second[3], START, "Start"),
    ):
        number(option, label, where=column, help=_HELP[option.key])
    settings = Settings(
        parameterization=PARAMETERIZATION.value(),
        budget=BUDGET.value(),
        steps=int(STEPS.value()),
        jitter=JITTER.value(),
        seed=START.value(),
        objective=OBJECTIVE.value(),
        minimize=DIRECTION.value() == "minimize",
    )
    return layer.value(), settings


def filters(spot: DeltaGenerator, study: Study, layer: str) -> None:
    """The weights of a layer that looks at the image itself."""
    weights = study.model.get_parameter(f"{layer}.weight").detach()
    if weights.ndim == 4 and weights.shape[1] == 1:
        images = weights[:, 0].numpy()
    elif weights.ndim == 2 and weights.shape[1] == 28 * 28:
        images = weights.view(-1, 28, 28).numpy()
    else:
        return
    limit, model = float(np.abs(images).max()), study.run.architecture
    with spot.expander(
        f"The {len(images)} filters of {layer}", icon=":material/filter_center_focus:"
    ):
        grid = gallery(
            pictures.signed(images, limit),
            [f"weights of {UnitId(model, layer, index)}" for index in range(len(images))],
            [str(index) for index in range(len(images))],
        )
        image_grid(
            grid,
            key="grid of filters",
            label=f"Filters of {layer}, {study.run}",
            scale=10 if images.shape[1] < 9 else 2,
        )
        st.caption(
            f"Weights for the image's pixels, on one scale: blue −{limit:.2f}, white 0, red "
            f"+{limit:.2f}."
        )


def layer_grid(study: Study, layer: str, settings: Settings, found: Maximized) -> None:
    """All units' images to click, what they reach, and the clicked unit's beside real digits."""
    most = study.profiles[layer].maximum
    reached, stuck = found.activations.numpy(), found.stuck.numpy()
    share = np.divide(reached, most, out=np.full(len(most), np.nan), where=most > 0)
    _summary(share, stuck, settings)
    best = int(np.nanargmax(np.where(stuck, -np.inf, reached)))
    unit = unit_option(study.run.architecture, layer, len(most), best)
    grid = gallery(
        _tiles(found.images[:, 0].numpy(), stuck, settings),
        [
            _alt(
                UnitId(study.run.architecture, layer, index),
                reached[index],
                share[index],
                stuck[index],
            )
            for index in range(len(most))
        ],
        [_caption(index, share[index], stuck[index]) for index in range(len(most))],
    )
    label = f"Maximized inputs of {layer}, {study.run}, {_words(settings)}"
    picked = image_grid(
        grid, key="grid of the layer", label=label, selected=unit.value(), scale=3, max_height=520
    )
    st.caption(
        "Below each: unit · activation reached, as a share of the largest on a real digit.",
        help=DEFINITIONS["share"],
    )
    if picked is not None:
        links.put(unit=unit.write(picked))
        st.rerun()
    _beside(study, layer, unit.value(), settings, found)


def _words(settings: Settings) -> str:
    """How the images were made."""
    return ", ".join(f"{name} {value}" for name, value in asdict(settings).items())


def _summary(share: np.ndarray, stuck: np.ndarray, settings: Settings) -> None:
    """What was reached, in a line; and who has no picture, said before any is shown."""
    if stuck.any():
        units = ", ".join(map(str, np.flatnonzero(stuck)))
        st.warning(
            f"No picture of unit {units}: no starting image gave it any gradient, so there was "
            "nothing to follow. Another start or parameterization may work; a dead unit has no "
            "gradient anywhere."
        )
    known = share[np.isfinite(share)]
    if settings.minimize or not len(known):
        return
    st.markdown(
        f"Half of the units reach at least **{np.median(known):.0%}** of their natural maximum; "
        f"**{(known >= 1).mean():.0%}** of them exceed the largest activation on any test digit."
    )


def _beside(study: Study, layer: str, index: int, settings: Settings, found: Maximized) -> None:
    """One unit: its image, the real digits that activate it most, and how it was climbed."""
    profile = study.profiles[layer]
    digits = cache.digits(study.run.data, "confirmation")
    numbers = profile.examples[index, 0, :_SIDE].copy()
    values, names = profile.example_values[index, 0, :_SIDE], digits.ids
    name = UnitId(study.run.architecture, layer, index)
    st.subheader(str(name))
    tiles = np.concatenate(
        [
            _tiles(found.images[index].numpy(), found.stuck[index : index + 1].numpy(), settings),
            pictures.ink(digits.images[numbers, 0].numpy()),
        ]
    )
    verb = "minimized" if settings.minimize else "maximized"
    grid = gallery(
        tiles,
        [
            verb,
            *(f"{names[n]}: activation {v:.2f}" for n, v in zip(numbers, values, strict=True)),
        ],
        [f"{verb} · {found.activations[index]:.2f}", *(f"real · {value:.2f}" for value in values)],
    )
    left, right = st.columns([3, 2])
    with left:
        image_grid(
            grid,
            key="grid beside",
            label=f"{name} and real digits, {_words(settings)}",
            scale=4,
        )
        st.caption(
            "Left, the synthetic image; then the real digits that activate the unit most. People "
            "predict a unit's behaviour better from real examples than from synthetic images "
            "(Borowski et al. 2021), so look at these first."
        )
        place.link("units", "Open this unit", unit=name)
    with right:
        st.vega_lite_chart(
            finished_chart(charts.climb, found.looks.numpy(), found.trace[:, index].numpy()),
            key="climb",
        )


def _layer(study: Study) -> links.Option[str]:
    """The layer in the address, or the first dense one."""
    layers = study.model.layers
    dense = [name for name in layers if study.profiles[name].example_places.max() < 0]
    return layer_option(layers, dense[0])


def _tiles(images: np.ndarray, stuck: np.ndarray, settings: Settings) -> pictures.Bytes:
    """Ink within the box; blue and red where pixels may be of any size."""
    drawn = pictures.ink(images) if settings.budget == "box" else pictures.signed(images, 1.0)
    return pictures.hatched(drawn, stuck)


def _alt(name: UnitId, reached: float, share: float, stuck: bool) -> str:
    """A unit's image in words."""
    if stuck:
        return f"{name}: no picture, its gradient is zero"
    of = f", {share:.0%} of its natural maximum" if np.isfinite(share) else ""
    return f"{name}: activation {reached:.2f}{of}"


def _caption(index: int, share: float, stuck: bool) -> str:
    """A unit and what it reached."""
    if stuck:
        return f"{index} · none"
    return f"{index} · {share:.0%}" if np.isfinite(share) else f"{index} · dead"
