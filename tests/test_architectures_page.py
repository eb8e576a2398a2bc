"""The page Architectures: each section drawn from small networks of its own, nothing else begun."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from streamlit.testing.v1 import AppTest

from core import architectures
from core.architectures.task import Opening
from core.data import Digits, load_digits
from core.runtime import cache
from core.runtime.jobs import JOBS
from core.runtime.store import default_store
from core.runtime.task import Choice
from core.training import train
from core.training.task import Training
from tests.test_pages import grids, said
from tests.warm import charts_built_again

FRAME = str(Path(__file__).parent.parent / "pages" / "frame.py")
CHOICE = Choice("strokes", "lenet5", 0)
ADDRESS = {"data": "strokes", "model": "lenet5", "seed": "0"}
SECTIONS = {
    "recurrent": "lstm",
    "attention": "attention",
    "rbf": "rbf",
    "capsules": "capsules",
    "som": "som",
    "multitask": "multitask",
}
MODULES = [
    importlib.import_module(found.name)
    for found in pkgutil.walk_packages(architectures.__path__, f"{architectures.__name__}.")
    if found.name.endswith("task")
]


def few_digits(source: str, split: str) -> Digits:
    """Enough for every class to be there, and few enough to wait for."""
    return load_digits(source, split).take(slice(600))


def quickly(name: str, digits: Digits, **options: Any) -> Any:
    some = load_digits("strokes", "test").take(slice(800))
    return train(name, some, epochs=2, **{**options, "watch": None})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("architectures")


@pytest.fixture(autouse=True)
def server(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A server with small digits and short trainings; what one test computed, the next finds."""
    monkeypatch.setenv("SPECIALIZED_NEURONS_CACHE", str(folder))
    cache._memory.clear()
    with ExitStack() as stack:
        stack.enter_context(patch("core.training.task.train", quickly))
        for module in MODULES:
            if hasattr(module, "load_digits"):
                stack.enter_context(patch.object(module, "load_digits", few_digits))
            if hasattr(module, "cut"):  # the few are none of those that are held back
                stack.enter_context(patch.object(module, "cut", lambda digits, split: digits))
        yield


def opened(**values: str) -> AppTest:
    """The page, drawn until nothing is left to wait for."""
    at = AppTest.from_file(FRAME, default_timeout=120)
    for key, value in {**ADDRESS, **values}.items():
        at.query_params[key] = value
    at.run()
    at.switch_page("architectures.py").run()
    while waited(at):
        at.run()
    return at


def waited(at: AppTest) -> bool:
    """Whether a task was under way, which now is done."""
    under_way = [
        job for job in JOBS._jobs.values() if job.snapshot().state in ("waiting", "running")
    ]
    for job in under_way:
        assert job.wait(300)
    return bool(under_way)


@pytest.mark.parametrize("section", SECTIONS)
def test_a_section_is_drawn_with_its_pictures(section: str) -> None:
    JOBS._jobs.clear()
    model = SECTIONS[section]
    at = opened(section=section, digit="3")
    assert not at.exception
    assert not at.error, [error.value for error in at.error]
    assert not at.warning, [warning.value for warning in at.warning]
    assert grids(at), "a section without pictures"
    assert "test digit 3" in " ".join([said(at), *(each.label for each in at.expander)])
    trained = {task.choice.model for task in JOBS._jobs if isinstance(task, Training | Opening)}
    assert trained == {model}, "only what is visible is computed"
    assert Training(replace(CHOICE, model=model)).kept(default_store()) is not None
    assert at.latex, "the formula is there"
    assert charts_built_again(at) == 0


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"section": "transformer"}, "`section=transformer` is not known: choose one of recurrent"),
        ({"section": "rbf", "digit": "5000"}, "`digit=5000` is not valid: choose a whole number"),
    ],
)
def test_a_wrong_value_is_named_with_the_right_ones(values: dict[str, str], words: str) -> None:
    at = opened(**values)
    assert not at.exception
    assert any(words in warning.value for warning in at.warning)


def test_every_task_has_a_name_of_its_own_that_the_store_takes() -> None:
    kinds = [task.kind for task in Opening.__subclasses__()]
    assert len(kinds) == len(set(kinds)) > 8
    for kind in kinds:
        assert default_store().load_arrays(kind, {}) is None  # raises for a name that it refuses
