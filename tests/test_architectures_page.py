"""The page Architectures: each section drawn from small networks of its own, nothing else begun."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.analyses.profiles.task import StudyTask
from core.data import cut
from core.runs import Run
from core.runtime import cache
from core.runtime.jobs import JOBS
from core.training.task import ModelTask
from tests.digits import drawn_digits
from tests.labs import SmallLab
from tests.linked import check_link, link, written
from tests.test_pages import grids, said
from tests.warm import charts_built_again

FRAME = str(Path(__file__).parent.parent / "pages" / "frame.py")
RUN = Run("strokes", "lenet5", seed=0)
ADDRESS = {"data": "strokes", "model": "lenet5", "seed": "0"}
FOLLOWED = cut(drawn_digits(), "confirmation").ids[3]
NO_IMAGE = "names no image of the confirmation half of strokes/test: write a name such as strokes/"
SECTIONS = {
    "recurrent": "lstm",
    "attention": "attention",
    "rbf": "rbf",
    "capsules": "capsules",
    "som": "som",
    "multitask": "multitask",
}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> SmallLab:
    """A lab with few digits, in which Home finds its study; what one test computed, the next finds.

    The halves are large enough for two batches of gradients each.
    """
    lab = SmallLab(tmp_path_factory.mktemp("architectures"), drawn_digits().take(slice(1200)))
    lab.result(StudyTask(RUN))
    return lab


@pytest.fixture(autouse=True)
def server(lab: SmallLab, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server whose every page asks the lab."""
    monkeypatch.setenv("SPECIALIZED_NEURONS_CACHE", str(lab.store.folder))
    cache.use(lab)


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
def test_a_section_is_drawn_with_its_pictures(section: str, lab: SmallLab) -> None:
    JOBS._jobs.clear()
    model = SECTIONS[section]
    at = opened(section=section, digit=FOLLOWED)
    assert not at.exception
    assert not at.error, [error.value for error in at.error]
    assert not at.warning, [warning.value for warning in at.warning]
    assert grids(at), "a section without pictures"
    assert FOLLOWED in " ".join([said(at), *(each.label for each in at.expander)])
    trained = {task.run.architecture for task in JOBS._jobs if hasattr(task, "run")}
    assert trained == {model}, "only what is visible is computed"
    assert lab.find(ModelTask(Run(RUN.data, model))) is not None
    assert at.latex, "the formula is there"
    assert charts_built_again(at) == 0


@pytest.mark.parametrize(
    ("section", "network"),
    [
        ("recurrent", "lstm width=6,epochs=1"),
        ("recurrent", "gru width=6,reset=before,epochs=1"),
        ("recurrent", "gru width=6,shuffled=yes,epochs=1"),
        ("attention", "attention heads=2,width=16,epochs=1"),
        ("attention", "attention heads=8,width=16,positions=no,epochs=1"),
        ("rbf", "rbf centres=40,width_factor=1.5,epochs=1"),
        ("capsules", "capsules iterations=1,epochs=1"),
        ("capsules", "capsules iterations=5,epochs=1"),
        ("som", "som rows=5,columns=8,epochs=4"),
        ("multitask", "multitask widths=24-16,epochs=1"),
        ("multitask", "multitask widths=24-16,tasks=slant,epochs=1"),
        ("multitask", "pairs widths=24-16,epochs=1"),
    ],
)
def test_a_section_of_a_network_with_other_settings_is_drawn(section: str, network: str) -> None:
    JOBS._jobs.clear()
    model, settings = network.split()
    at = opened(section=section, model=model, settings=settings)
    assert not at.exception
    assert not at.error, [error.value for error in at.error]
    assert not at.warning, [warning.value for warning in at.warning]
    assert grids(at)
    run = Run.parse("strokes", network)
    trained = {task.run for task in JOBS._jobs if hasattr(task, "run")}
    assert run in trained
    assert {each.architecture for each in trained} == {run.architecture}


@pytest.mark.parametrize("section", SECTIONS)
def test_the_link_to_a_section_says_every_choice(section: str) -> None:
    check_link(lambda values: opened(**values), {"section": section}, read={"digit"})


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"section": "transformer"}, "`section=transformer` is not known: choose one of recurrent"),
        ({"section": "rbf", "digit": "5000"}, f"`digit=5000` {NO_IMAGE}"),
        ({"section": "rbf", "digit": "strokes/test/0"}, f"`digit=strokes/test/0` {NO_IMAGE}"),
        ({"section": "rbf", "digit": "mnist/train/3"}, f"`digit=mnist/train/3` {NO_IMAGE}"),
    ],
)
def test_a_wrong_value_is_named_with_the_right_ones(values: dict[str, str], words: str) -> None:
    at = opened(**values)
    assert not at.exception
    assert any(words in warning.value for warning in at.warning)


def test_after_another_source_is_chosen_the_followed_digit_is_the_default_again() -> None:
    at = opened(section="rbf", digit="mnist/test/3")
    assert not at.exception
    assert not at.warning, [warning.value for warning in at.warning]
    first = cut(drawn_digits(), "confirmation").ids[0]
    assert written(at)["digit"] == link(at)["digit"] == first
    assert any(first in each.label for each in at.expander)
