"""The page MoE gating: each view drawn from small mixtures, its settings in the address."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from core.architectures.mixture import tasks as gating
from core.models.registry import title
from core.runtime import cache
from core.runtime.jobs import JOBS
from tests.labs import SmallLab
from tests.linked import check_link
from tests.networks import MOVED
from tests.test_architectures_page import FOLLOWED, FRAME, waited
from tests.test_pages import grids, said
from tests.warm import charts_built_again

ADDRESS = {"data": "strokes", "seed": "0"}
VIEWS = ("takes", "digit", "without", "load", "map", "growth", "runs", "places")


TWO_LAYERS = MOVED.partition(" ")[2]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> SmallLab:
    """A lab with few digits; what one test computed, the next finds."""
    return SmallLab(tmp_path_factory.mktemp("gating"))


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
    at.switch_page("moe_gating.py").run()
    while waited(at):
        at.run()
    return at


def sound(at: AppTest) -> None:
    """Nothing failed and nothing was wrong."""
    assert not at.exception
    assert not at.error, [error.value for error in at.error]
    assert not at.warning, [warning.value for warning in at.warning]


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("settings", ["", "experts=3,chosen=1,balance=0", "experts=1", "width=8"])
def test_a_view_is_drawn(view: str, settings: str) -> None:
    at = opened(view=view, model="mixture", settings=settings, digit=FOLLOWED)
    sound(at)
    alone = settings == "experts=1" and view in ("takes", "without", "load", "map")
    assert len(said(at)) > (400 if alone else 500)
    assert charts_built_again(at) == 0


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_of_two_layers_is_drawn(view: str) -> None:
    at = opened(view=view, model="mixture", settings=TWO_LAYERS, gate="gate_1")
    sound(at)
    assert grids(at) or view in ("runs", "load")


@pytest.mark.parametrize("view", VIEWS)
def test_the_link_to_a_view_says_every_choice(view: str) -> None:
    check_link(lambda values: opened(**values), {"view": view, "model": "mixture"}, read={"gate"})


def test_a_model_without_a_gate_gives_way_to_the_mixture() -> None:
    at = opened(model="lenet5")
    sound(at)
    assert "LeNet-5 (Bau 2016) has no gate, so a mixture of experts is shown here." in said(at)
    assert title("mixture")


def test_only_the_visible_view_is_computed() -> None:
    JOBS._jobs.clear()
    opened(view="takes", model="mixture", settings="experts=2,chosen=1")
    tasks = [type(task) for task in JOBS._jobs]
    assert {of.__name__ for of in tasks if of.__module__.startswith(gating.__name__)} == {
        "GateAssignmentTask"
    }


def test_a_setting_is_another_model_of_the_address() -> None:
    at = opened(model="mixture")
    at.select_slider(key="weight").set_value(0.0).run()
    assert at.query_params["model"] in ("mixture", ["mixture"])
    assert at.query_params["settings"] in ("balance=0", ["balance=0"])


def test_after_one_expert_the_settings_are_those_of_the_default() -> None:
    at = opened(model="mixture", settings="experts=1")
    at.select_slider(key="experts").set_value(8).run()
    assert at.query_params["model"] in ("mixture", ["mixture"])
    assert "settings" not in at.query_params


def test_settings_that_no_slider_has_are_shown_and_kept() -> None:
    at = opened(model="mixture", settings="experts=5,chosen=3,balance=0.3,width=8")
    sound(at)
    assert at.select_slider(key="experts").value == 5
    at.select_slider(key="weight").set_value(1.0).run()
    text = "experts=5,chosen=3,balance=1,width=8"
    assert at.query_params["settings"] in (text, [text])


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"view": "towers"}, "`view=towers` is not known: choose one of takes"),
        ({"model": "mixture_n8_k9_a10"}, "`model=mixture_n8_k9_a10` is not known: choose one of"),
        (
            {"model": "mixture", "settings": "chosen=9"},
            "mixture can't have these settings: 9 of 8 experts can't be chosen: choose 1 to 8",
        ),
        (
            {"model": "mixture", "settings": TWO_LAYERS, "gate": "gate"},
            "`gate=gate` is not known: choose one of",
        ),
        ({"expert": "8", "model": "mixture"}, "`expert=8` is not valid: choose a whole number"),
    ],
)
def test_a_wrong_value_is_named_with_the_right_ones(values: dict[str, str], words: str) -> None:
    at = opened(**values)
    assert not at.exception
    assert any(words in warning.value for warning in at.warning)
