"""Where the visitor is: the pages, and the data, network and seed that every page speaks of."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import NoReturn

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from core.data import SOURCES
from core.data.task import MnistFilesTask
from core.models import registry
from core.models.registry import MODELS
from core.models.settings import Settings
from core.runs import Run
from core.runtime import cache
from core.runtime.jobs import QueueFull
from core.text import shown
from core.units import UnitId
from pages.kit import controls as widgets
from pages.kit import links, moving, unit
from pages.kit.build import SETTINGS, build_your_own, settings_option
from pages.kit.visitor import visitor
from pages.kit.waiting import result_of

__all__ = [
    "SOURCE_NAMES",
    "address",
    "controls",
    "go",
    "href",
    "layers",
    "link",
    "navigation",
    "network",
    "notices",
    "run",
]

DATA = links.one_of("data", SOURCES)
MODEL = replace(links.one_of("model", tuple(MODELS)), implied=lambda: _model_of_unit())
# keys of what a network has
OF_MODEL = ("section", "direction", "unit", "units", "pins", "compare")
LAST_SEED = 999
SEED = links.integer("seed", 0, LAST_SEED, 0)
FRAME = (DATA.key, MODEL.key, SETTINGS, SEED.key)  # keys of what stays from page to page
FETCHING = MnistFilesTask()
SOURCE_NAMES = {"mnist": "MNIST", "strokes": "Generated digits"}


def _model_of_unit() -> str | None:
    """The model of the unit that the address names, if it is known."""
    named = unit.named()
    return named.model if named is not None and named.model in MODELS else None


def asked() -> Run:
    """The data, model, settings and seed in the address."""
    model = MODEL.value()
    return Run(DATA.value(), model, settings_option(model).value(), SEED.value())


def run() -> Run:
    """What is on the screen: as asked, with generated digits where MNIST can't be had.

    Ends the run with a view of the download where MNIST has to be fetched first.
    """
    wanted = asked()
    if wanted.data == "mnist":
        if cache.find(FETCHING) is None and not cache.failure(FETCHING):
            result_of(FETCHING)
        if cache.failure(FETCHING):
            return replace(wanted, data="strokes")
    return wanted


def address(**values: object) -> dict[str, str]:
    """The address of a view: the run as asked, and the page's own `values`.

    Of a unit among them the view has the model too.
    """
    run = asked()
    frame = {DATA.key: run.data, **network(run.settings), SEED.key: run.seed}
    for each in values.values():
        if isinstance(each, UnitId) and each.model != run.architecture:
            frame |= network(MODELS[each.model]())
    return {key: str(value) for key, value in {**frame, **values}.items() if value is not None}


def network(settings: Settings) -> dict[str, str | None]:
    """What the address of a view says of its network; None of what is at its default."""
    return {MODEL.key: settings.architecture, SETTINGS: settings.to_text() or None}


def go(page: str, **values: object) -> NoReturn:
    """End this run and open another page with the same data, seed and, but for a unit, model."""
    moving.move(page, address(**values))


def href(page: str, **values: object) -> str:
    """The address of another page with the same data, network and seed, from any page."""
    return moving.href(page, address(**values))


def link(page: str, label: str, **values: object) -> None:
    """A link to another page with the same data, network and seed."""
    icon = ":material/arrow_forward:"
    st.page_link(f"{page}.py", label=label, icon=icon, query_params=address(**values))


def layers() -> tuple[str, ...]:
    """The layers of the model."""
    return tuple(layer.name for layer in asked().layers)


def navigation(pages: Mapping[str, StreamlitPage]) -> None:
    """The list of pages."""
    here = address()
    for page in pages.values():
        st.page_link(page, query_params=here)


def controls() -> None:
    """The choice of data, network and seed."""
    widgets.choose(
        DATA,
        "Data",
        names=SOURCE_NAMES.__getitem__,
        help="MNIST is handwritten (LeCun et al. 1998). Generated digits are drawn by this "
        "program, stroke by stroke, so each of their parts is known exactly.",
    )
    widgets.choose(
        MODEL,
        "Model",
        names=registry.title,
        # it may be one of another section, and has other settings and units
        resets=(SETTINGS, *OF_MODEL),
    )
    widgets.number(
        SEED,
        "Seed",
        help="Sets the initial weights and the order of the digits. Another seed gives another "
        "network: its unit 58 has nothing to do with unit 58 of this one.",
    )
    build_your_own(asked(), OF_MODEL)


def notices() -> None:
    """What one must know before believing the page: wrong values, missing data, a bad disk."""
    for sentence in links.wrong_values():
        st.warning(shown(sentence), icon=":material/link_off:")
    trouble = cache.failure(FETCHING) if asked().data == "mnist" else None
    if trouble:
        st.warning(
            f"{shown(trouble)} Generated digits are shown instead.", icon=":material/wifi_off:"
        )
        st.button("Try MNIST again", on_click=_fetch_again)
    for sentence in cache.store().problems():
        st.warning(shown(sentence), icon=":material/hard_drive:")


def _fetch_again() -> None:
    """Start the download anew."""
    with suppress(QueueFull):
        cache.retry(FETCHING, visitor())
