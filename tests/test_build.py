"""Build your own: the settings of a network in the sidebar and in the address."""

from __future__ import annotations

from collections.abc import Mapping
from unittest.mock import patch

import pytest
from streamlit.testing.v1 import AppTest

from core.analyses.profiles.task import StudyTask
from core.models.registry import MODELS
from core.runs import Run
from core.runtime import cache
from core.runtime.jobs import JOBS
from tests.labs import SmallLab
from tests.linked import no_work
from tests.test_pages import opened, said

SMALL = "widths=8,epochs=1"
ACTIVE = ("waiting", "running")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> SmallLab:
    """A lab with a small network of own settings."""
    lab = SmallLab(tmp_path_factory.mktemp("build"))
    for settings in ("", SMALL):
        lab.result(StudyTask(Run.parse("strokes", f"mlp {settings}")))
    return lab


@pytest.fixture(autouse=True)
def server(lab: SmallLab, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server whose every page asks the lab."""
    monkeypatch.setenv("SPECIALIZED_NEURONS_CACHE", str(lab.store.folder))
    cache.use(lab)


def form(values: Mapping[str, str] | None = None, page: str = "units") -> AppTest:
    """A page whose form is open."""
    at = opened(page, values)
    at.session_state["build"] = True
    return at.run()


def field(at: AppTest, name: str) -> str:
    """The key of a setting's field."""
    settings = at.query_params.get("settings", "")
    text = settings[0] if isinstance(settings, list) else settings
    return f"{name} of {at.selectbox(key='model').value} {text}"


def submit(at: AppTest) -> AppTest:
    """The form, sent."""
    button = next(each for each in at.button if each.label == "Train this network")
    return button.click().run()


def settings_in(at: AppTest) -> str:
    """The settings of the address."""
    found = at.query_params.get("settings", "")
    return found[0] if isinstance(found, list) else found


@pytest.mark.parametrize("name", MODELS)
def test_the_form_has_a_field_for_every_setting(name: str) -> None:
    with patch("core.runtime.cache.start", side_effect=no_work):
        at = form({"model": name})
    fields = [*at.number_input, *at.text_input, *at.selectbox, *at.toggle]
    labels = {each.label for each in fields if f" of {name} " in (each.key or "")}
    assert len(labels) == len(MODELS[name].options())
    assert not at.exception
    assert f"{Run('strokes', name).title}" in str(at.selectbox(key="model").options)


def test_what_is_set_is_in_the_address_and_on_the_screen() -> None:
    at = form()
    at.text_input(key=field(at, "widths")).set_value("8")
    at.number_input(key=field(at, "epochs")).set_value(1)
    submit(at)
    assert settings_in(at) == SMALL
    at.run()
    assert not at.exception
    assert not at.error
    assert "Settings: widths 8, epochs 1." in said(at)
    assert len(at.dataframe[0].value) == 8 + 10


def test_a_link_opens_the_network_with_its_settings() -> None:
    at = opened("units", {"settings": SMALL})
    assert not at.warning
    text = next(code.value for code in at.code if "seed=" in code.value)
    assert "settings=widths%3D8,epochs%3D1" in text


def test_the_way_back_is_the_default() -> None:
    at = opened("units", {"settings": SMALL, "unit": "mlp/linear_0/3"})
    at.button(key="default settings").click().run()
    assert settings_in(at) == ""
    assert "unit" not in at.query_params  # it is a unit of the other network


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("widths", "8-x", "a number of widths is `x`"),
        ("widths", "", "a number of widths is"),
        ("widths", "8-8-8-8-8-8-8", "give 1 to 6 whole numbers"),
        ("widths", "<b>8</b>", "a number of widths is `<b>8</b>`"),
    ],
)
def test_what_cannot_be_set_is_said_and_nothing_is_lost(name: str, value: str, words: str) -> None:
    at = form()
    at.number_input(key=field(at, "epochs")).set_value(3)
    at.text_input(key=field(at, name)).set_value(value)
    submit(at)
    assert settings_in(at) == ""
    assert any(words in error.value for error in at.error), [e.value for e in at.error]
    assert at.text_input(key=field(at, name)).value == value
    assert at.number_input(key=field(at, "epochs")).value == 3


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("widths=0", "a number of widths is `0`: give a whole number from 1 to 2048"),
        ("colour=red", "`colour` is not a setting of mlp: choose widths"),
        ("experts=4", "`experts` is not a setting of mlp: choose widths"),
        ("largest_weights=9999999", "largest_weights is `9999999`: give a whole number from 0"),
        ("<script>", "`<script>` is no setting: write name=value"),
    ],
)
def test_a_wrong_setting_in_a_link_is_named_with_the_right_ones(text: str, words: str) -> None:
    at = opened("units", {"settings": text})
    assert not at.exception
    assert any(words in warning.value for warning in at.warning), [w.value for w in at.warning]
    assert len(at.dataframe[0].value) > 18  # the default network is shown


def test_another_model_forgets_the_settings_of_the_last() -> None:
    at = opened("units", {"settings": SMALL})
    with patch("core.runtime.cache.start", side_effect=no_work):
        at.selectbox(key="model").select("lenet5").run()
    assert settings_in(at) == ""


def test_the_sidebar_keeps_the_network() -> None:
    at = opened("home", {"settings": SMALL})
    links = [link.proto.query_string for link in at.get("page_link")]
    assert links
    assert all("settings=widths%3D8%2Cepochs%3D1" in link for link in links)


OWN = "lenet5 widths=3-4-16-12,activation=tanh,epochs=1"
UNIT = "lenet5/linear_0/3"
VIEWS: dict[str, tuple[str, dict[str, str]]] = {
    "home": ("home", {}),
    "a unit": ("units", {"unit": UNIT}),
    "feature visualization": ("feature_visualization", {}),
    "dissection": ("dissection", {}),
    "multimodality": ("multimodality", {}),
    "anomalies": ("training", {"view": "anomalies"}),
    "emergence": ("training", {"view": "emergence"}),
    "a claim": ("ask", {"layer": "linear_0", "concept": "class-7", "units": UNIT}),
}


@pytest.mark.parametrize("view", VIEWS)
def test_every_page_opens_a_network_with_its_own_settings(view: str) -> None:
    page, values = VIEWS[view]
    model, settings = OWN.split()
    at = opened(page, {"model": model, "settings": settings, **values})
    while under_way := [job for job in JOBS._jobs.values() if job.snapshot().state in ACTIVE]:
        assert all(job.wait(300) for job in under_way)
        at.run()
    assert not at.exception
    assert not at.error, [error.value for error in at.error]
    assert not any("settings" in warning.value for warning in at.warning)
    assert at.get("bidi_component") or at.dataframe or at.get("vega_lite_chart")
