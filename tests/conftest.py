"""What the tests share: digits, a model trained for a moment, and what this machine has."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

# A second thread of a matrix product spins while it waits, on the core that another worker needs: a
# page's test took 11 s of CPU so and 4 s with this. It must be said before numpy is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pytest
import torch
from streamlit.components.v2 import manifest_scanner

from core.data import DataSet, mnist
from core.models.inspectable import Inspectable
from core.training import train
from tests.browser import FLAGS, server
from tests.digits import drawn_digits

if TYPE_CHECKING:
    from playwright.sync_api import Page

torch.set_num_threads(1)  # the models are small: more threads cost more than they bring

HOW_TO_ENABLE = {
    "mnist": (
        "MNIST is not here: set SPECIALIZED_NEURONS_DATA to the folder that holds MNIST/raw, or "
        "start the app once with a network, which downloads it"
    ),
    "browser": (
        "no browser is here: install Chromium (Debian's package is called chromium) or set "
        "SPECIALIZED_NEURONS_CHROMIUM to its program, and pip install playwright"
    ),
}


def chromium() -> str | None:
    """The Chromium program to test with, if there is one."""
    named = os.environ.get("SPECIALIZED_NEURONS_CHROMIUM")
    return named or shutil.which("chromium") or shutil.which("google-chrome")


def here(need: str) -> bool:
    """Whether this machine has what tests marked `need` need."""
    if need == "mnist":
        return mnist.present()
    return chromium() is not None and importlib.util.find_spec("playwright") is not None


# The files that take longest, longest first: begun last, one of them would keep one worker busy
# when the others have nothing left to do.
LONGEST = (
    "test_promised.py",
    "test_browser.py",
    "test_navigation.py",
    "test_architectures_page.py",
    "test_training.py",
    "test_gating_page.py",
    "test_pages.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    place = {name: at for at, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path.name, len(place)))  # others keep their order
    for need, reason in HOW_TO_ENABLE.items():
        if not here(need):
            for item in items:
                if item.get_closest_marker(need):
                    item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session", autouse=True)
def packages_looked_through_once() -> Iterator[None]:
    """For components, by the session: `AppTest` does so at each, which is most of its time."""
    once = cache(manifest_scanner.scan_component_manifests)
    with patch.object(manifest_scanner, "scan_component_manifests", once):
        yield


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store of each test's own, so that no test sees or changes the user's."""
    folder = tmp_path_factory.mktemp("store")
    monkeypatch.setenv("SPECIALIZED_NEURONS_CACHE", str(folder))
    return folder


@pytest.fixture(scope="session")
def strokes() -> DataSet:
    """2,000 generated test digits."""
    return drawn_digits()


@pytest.fixture(scope="session")
def trained(strokes: DataSet) -> Iterator[Inspectable]:
    """A LeNet-5 trained for a moment on generated digits; its weights must never change."""
    # Of seed 0 a unit's level is its activation on blank paper: a tie that rounding would decide.
    model = train("lenet5", strokes, epochs=8, seed=1)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    yield model
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A fresh server with an empty store; its log must stay clean."""
    folder = tmp_path_factory.mktemp("site")
    with server(folder, {"SPECIALIZED_NEURONS_CACHE": str(folder / "store")}) as (address, log):
        yield address
    text = log.read_text()
    assert "Traceback" not in text, text
    assert "eprecat" not in text, text


@pytest.fixture(scope="module")
def page(site: str) -> Iterator[Page]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        page = browser.new_page(viewport={"width": 1440, "height": 1000})
        yield page
        browser.close()
