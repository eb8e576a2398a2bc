"""Every page as a person at the screen finds it, also through links that are wrong."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.analyses.maximize.task import Maximizing
from core.analyses.modality.task import FindingModes, OpeningModes
from core.analyses.profiles import table
from core.analyses.task import Dissecting, Labelling
from core.claims.task import Asking, Explaining, Searching, Suggesting
from core.data import Digits, cut, load_digits, mnist
from core.data.concepts import CONCEPTS
from core.runtime import cache
from core.runtime.jobs import JOBS
from core.runtime.store import Store, default_store
from core.runtime.task import Choice
from core.training import train
from core.training.task import Filming, Measuring, Study, Training
from tests.test_outside import keys_of_links
from tests.warm import charts_built_again

FRAME = str(Path(__file__).parent.parent / "pages" / "frame.py")
CHOICE = Choice("strokes", "mlp", 0)
ADDRESS = {"data": "strokes", "model": "mlp", "seed": "0"}
PAGES = (
    "home",
    "units",
    "feature_visualization",
    "dissection",
    "multimodality",
    "training",
    "ask",
)
CLAIM = Asking(CHOICE, "linear_1", (3,), "class-7", "zero")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with one small study in it, so that no page has to train."""
    folder = tmp_path_factory.mktemp("pages")
    some = load_digits("strokes", "test").take(slice(1500))

    def quickly(name: str, digits: Any, **options: Any) -> Any:
        return train(name, some, epochs=2, **{**options, "watch": None})

    def silent(*args: object, **values: object) -> None:
        pass

    with (
        patch("core.training.task.train", quickly),
        patch("core.analyses.task.load_digits", few_digits),
    ):
        store = Store(folder)
        Measuring(CHOICE).compute(store, silent)
        Labelling(CHOICE).compute(store, silent)
        for layer in ("linear_0", "linear_1"):
            Dissecting(CHOICE, layer, 0.1).compute(store, silent)
        with (
            patch("core.claims.task.load_digits", few_digits),
            patch("core.claims.task.ORDERS", 2),
            patch("core.claims.task.GREEDY", 2),
            patch("core.training.task.load_digits", few_digits),
        ):
            for task in (
                CLAIM,
                Suggesting(CHOICE, "linear_0", "crossed-7"),
                Suggesting(CHOICE, "linear_0", "class-7"),
                Searching(CHOICE, "linear_1", 7),
                Explaining(CHOICE, "linear_0"),
                Filming(CHOICE),
            ):
                task.compute(store, silent)
    return folder


def few_digits(source: str, split: str) -> Digits:
    """Enough of them to measure concepts on, and few enough to wait for."""
    return load_digits(source, split).take(slice(1200))


def half_of_few(source: str, split: str) -> Digits:
    """The half of those few that concepts were measured on."""
    return cut(few_digits(source, "test"), split)


@pytest.fixture(autouse=True)
def server(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A server of each test's own: its store is there, its memory is empty."""
    monkeypatch.setenv("SPECIALIZED_NEURONS_CACHE", str(folder))
    monkeypatch.setattr("core.analyses.task.load_digits", few_digits)
    monkeypatch.setattr("core.analyses.modality.task.load_digits", half_of_few)
    cache._memory.clear()
    yield
    for task in (Measuring(CHOICE), *map(Measuring, _others())):
        job = JOBS.get(task)
        if job is not None:
            for visitor in list(job._watchers):
                job.cancel(visitor)
            job.wait(30)


def _others() -> list[Choice]:
    """Choices that tests ask for and nobody has trained."""
    return [Choice("strokes", "mlp", seed) for seed in (7, 8)]


@pytest.fixture
def study() -> Study:
    found = Measuring(CHOICE).kept(default_store())
    assert found is not None
    return found


def opened(page: str, values: Mapping[str, str] | None = None) -> AppTest:
    """A page behind a link, drawn."""
    at = AppTest.from_file(FRAME, default_timeout=60)
    for key, value in {**ADDRESS, **(values or {})}.items():
        at.query_params[key] = value
    at.run()
    if page != "home":
        at.switch_page(f"{page}.py").run()
    return at


def said(at: AppTest) -> str:
    """All that is on the screen in words."""
    kinds = (at.title, at.markdown, at.caption, at.warning, at.info, at.error, at.subheader)
    return "\n".join(element.value for kind in kinds for element in kind)


def grids(at: AppTest) -> list[dict[str, Any]]:
    """What the grids on the screen were sent."""
    return [json.loads(grid.proto.json) for grid in at.get("bidi_component")]


@pytest.mark.parametrize("page", PAGES)
def test_every_page_is_drawn_with_its_frame(page: str) -> None:
    at = opened(page)
    _wait_for_maximized(at)
    assert not at.exception
    assert not at.error
    assert not at.warning
    assert at.selectbox(key="data").value == "strokes"
    assert at.selectbox(key="model").value == "mlp"
    assert at.number_input(key="seed").value == 0
    assert at.title[0].value
    assert at.get("bidi_component") or at.dataframe
    assert charts_built_again(at) == 0


def _wait_for_maximized(at: AppTest) -> None:
    """Let what a page has started come to its end, then draw the page again."""
    for _ in range(2):  # a second task may begin when the first is done
        for task, job in list(JOBS._jobs.items()):
            if isinstance(task, Maximizing | Labelling | FindingModes | OpeningModes):
                assert job.wait(300)
        at.run()


def test_home_shows_what_was_measured(study: Study) -> None:
    at = opened("home")
    units = table(study.profiles, "mlp")
    shown = {metric.label: metric.value for metric in at.metric}
    assert shown["Accuracy"] == f"{study.accuracy:.2%}"
    assert shown["Parameters"] == "235,146"
    assert shown["Units"] == "394"
    assert shown["Dead units"] == str(int(units["dead"].sum()))
    hidden = units[units["layer"] != "linear_2"]
    assert shown["Median selectivity"] == f"{hidden['selectivity'].median():.2f}"
    best = (
        hidden[~(hidden["dead"] | hidden["dormant"])]
        .sort_values("selectivity_discovery", ascending=False)
        .index[0]
    )
    assert best in json.dumps(grids(at)[0])


def test_units_are_filtered_and_sorted(study: Study) -> None:
    units = table(study.profiles, "mlp")
    at = opened("units", {"layer": "linear_1", "top": "7", "sort": "auc", "order": "lowest"})
    wanted = units[(units["layer"] == "linear_1") & (units["top_class"] == 7)]
    assert f"{len(wanted)} of 394 units" in said(at)
    shown = at.dataframe[0].value
    assert shown.index.tolist() == wanted.sort_values("auc").index.tolist()
    np.testing.assert_allclose(shown["auc"], wanted.sort_values("auc")["auc"])


def test_no_unit_is_an_answer_too() -> None:
    at = opened("units", {"state": "saturated"})
    assert "0 of 394 units" in said(at)
    assert "widen a range" in said(at)


def test_a_filter_writes_to_the_address() -> None:
    at = opened("units")
    at.selectbox(key="layer").select("linear_1").run()
    assert at.query_params["layer"] == "linear_1"
    at.slider(key="selectivity").set_range(50, 100).run()
    assert at.query_params["selectivity"] == "50-100"
    assert at.dataframe[0].value["selectivity"].min() >= 0.5


def test_a_unit_has_its_page(study: Study) -> None:
    at = opened("units", {"layer": "linear_1", "unit": "3"})
    _wait_for_maximized(at)
    profile = study.profiles["linear_1"]
    assert at.title[0].value == "mlp/linear_1/3"
    shown = {metric.label: metric.value for metric in at.metric}
    assert shown["Selectivity"] == f"{profile.scores.selectivity[3]:.2f}"
    assert shown["AUC"] == f"{profile.scores.auc[3]:.2f}"
    assert shown["d′"] == f"{profile.scores.d_prime[3]:.2f}"
    assert shown["Information"] == f"{profile.scores.information[3]:.2f}"
    words = said(at)
    assert f"untrained {profile.untrained.auc[3]:.2f}" in words
    assert f"permuted {profile.permuted.auc[3]:.2f}" in words
    assert f"exactly 0 on {int(profile.zeros[3]):,}" in words
    assert "of the natural maximum" in words
    assert len(grids(at)) == 6  # and the pairs


def test_a_unit_has_a_label_with_its_score() -> None:
    at = opened("units", {"layer": "linear_1", "unit": "3"})
    _wait_for_maximized(at)
    named = Labelling(CHOICE).kept(default_store())
    assert named is not None
    found = named.labels["linear_1"]
    assert str(found.candidate[3]) in said(at)
    shown = {metric.label: metric.value for metric in at.metric}
    assert shown["Correlation"] == f"{found.correlation[3]:.2f}"
    assert shown["Coverage"] == f"{found.coverage[3]:.2f}"


def test_a_label_of_ones_own_gets_the_same_card() -> None:
    at = opened("units", {"layer": "linear_2", "unit": "7", "own": "class-7"})
    _wait_for_maximized(at)
    named = Labelling(CHOICE).kept(default_store())
    assert named is not None
    cards = [metric.value for metric in at.metric if metric.label == "Correlation"]
    assert len(cards) == 2
    if named.labels["linear_2"].candidate[7] == "7":
        assert cards[0] == cards[1]


def test_units_are_searched_by_what_they_answer_to() -> None:
    named = Labelling(CHOICE).kept(default_store())
    assert named is not None
    codes = np.concatenate([of.code for of in named.labels.values()])
    wanted = [code for code in codes if "class-7" in code.replace("|", ",").split(",")]
    at = opened("units", {"answers": "class-7"})
    assert f"{len(wanted)} of 394 units" in said(at)
    none = opened("units", {"answers": "no label"})
    assert f"{(codes == '').sum()} of 394 units" in said(none)


def test_a_layer_is_dissected_and_each_unit_can_be_looked_at() -> None:
    found = Dissecting(CHOICE, "linear_1", 0.1).kept(default_store())
    assert found is not None
    at = opened("dissection", {"layer": "linear_1", "unit": "5"})
    rows = found.images
    detectors = int(rows["detector"].sum())
    words = said(at)
    assert f"**{detectors} of 128 units**" in words or "None of the 128 units" in words
    table_ = at.dataframe[1].value
    assert len(table_) == 128
    first = rows[rows["rank"] == 1].set_index("index")["iou"]
    np.testing.assert_allclose(table_["iou"].dropna(), first.sort_index())
    assert "mlp/linear_1/5" in words
    best = rows[(rows["index"] == 5) & (rows["rank"] == 1)]
    if len(best):
        assert CONCEPTS[best["concept"].iloc[0]].text in words
    at.number_input(key="unit").set_value(6).run()
    assert at.query_params["unit"] == "6"
    assert "mlp/linear_1/6" in said(at)
    at.selectbox(key="layer").select("linear_0").run()
    assert "unit" not in at.query_params
    assert "mlp/linear_0/0" in said(at)
    assert not at.exception


def test_neighbours_are_one_click_away() -> None:
    at = opened("units", {"layer": "linear_1", "unit": "0"})
    assert at.button(key="Previous").disabled
    at.button(key="Next").click().run()
    assert at.title[0].value == "mlp/linear_1/1"
    assert at.query_params["unit"] == "1"
    at.button(key="all").click().run()
    assert at.title[0].value == "Units"
    assert "unit" not in at.query_params


def test_units_are_compared_on_the_same_digits() -> None:
    at = opened("units", {"layer": "linear_1", "unit": "3", "compare": "linear_0/5,linear_2/7"})
    columns = at.dataframe[0].value.columns.tolist()
    assert columns == ["digit", "number", "class", "linear_1/3", "linear_0/5", "linear_2/7"]
    assert 4 <= len(at.dataframe[0].value) <= 12


@pytest.mark.parametrize(
    ("page", "values", "wrong", "right"),
    [
        ("home", {"model": "resnet"}, "model=resnet", "lenet5, simple_cnn, mlp"),
        ("home", {"data": "cifar"}, "data=cifar", "mnist, strokes"),
        ("home", {"seed": "-4"}, "seed=-4", "0 to 999"),
        ("units", {"layer": "conv_9"}, "layer=conv_9", "linear_0, linear_1, linear_2"),
        ("units", {"layer": "linear_1", "unit": "128"}, "unit=128", "0 to 127"),
        ("units", {"layer": "linear_1", "unit": "<b>"}, "unit=<b>", "0 to 127"),
        ("units", {"sort": "size"}, "sort=size", "selectivity, auc"),
        ("units", {"selectivity": "90-10"}, "selectivity=90-10", "0 to 100"),
        ("units", {"layer": "linear_1", "unit": "3", "compare": "conv/1"}, "conv/1", "linear_2/9"),
        ("units", {"answers": "dogs"}, "answers=dogs", "crossed-7"),
        ("dissection", {"level": "3"}, "level=3", "0.005"),
        ("dissection", {"kind": "pixels"}, "kind=pixels", "images"),
        ("dissection", {"layer": "linear_1", "unit": "999"}, "unit=999", "0 to 127"),
        ("dissection", {"layer": "linear_1", "concept": "cat"}, "concept=cat", "crossed-7"),
        ("feature_visualization", {"parameterization": "gan"}, "gan", "pixel, fourier, covariance"),
        ("feature_visualization", {"steps": "1000000"}, "steps=1000000", "32, 64, 128"),
    ],
)
def test_a_wrong_value_is_named_with_the_right_ones(
    page: str, values: dict[str, str], wrong: str, right: str
) -> None:
    if "model" in values or "data" in values:
        with (
            patch("core.runtime.cache.start", side_effect=_no_work),
            patch.object(mnist, "present", return_value=False),
        ):
            at = opened(page, values)
    else:
        at = opened(page, values)
    assert not at.exception
    warnings = " ".join(warning.value for warning in at.warning)
    assert wrong in warnings
    assert right in warnings


@pytest.mark.parametrize("page", PAGES)
def test_markup_in_any_choice_of_a_link_stays_text(page: str) -> None:
    hostile = "[x](http://elsewhere.example) ![x](http://elsewhere.example/x.png) `$x$` :red[x]"
    keys = [key for key in keys_of_links() if key not in (*ADDRESS, "section")]
    at = opened(page, dict.fromkeys(keys, hostile) | {"unit": "3", "layer": "linear_1"})
    assert not at.exception
    alone = opened(page, dict.fromkeys(keys, hostile))
    assert "elsewhere.example" in said(alone) or page == "home"  # which has no choice of its own
    for screen in (at, alone):
        assert "elsewhere" not in re.sub(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", "", said(screen))


def _no_work(*args: object) -> None:
    """Instead of training what a default asks for."""
    from core.runtime.jobs import QueueFull

    raise QueueFull("8 computations are waiting already, and no more can: try again in a minute.")


def test_a_full_queue_is_said() -> None:
    with patch("core.runtime.cache.start", side_effect=_no_work):
        at = opened("home", {"seed": "7"})
    assert "no more can" in said(at)
    assert not at.exception


def test_training_is_shown_joined_and_cancelled() -> None:
    first = opened("home", {"seed": "7"})
    job = JOBS.get(Measuring(Choice("strokes", "mlp", 7)))
    assert job is not None
    second = opened("home", {"seed": "7"})
    assert JOBS.get(Measuring(Choice("strokes", "mlp", 7))) is job
    assert job.snapshot().watchers == 2
    _button(first, "Cancel").click().run()
    assert job.snapshot().state in ("waiting", "running"), "another visitor is watching"
    assert "stopped" in said(first)
    _button(second, "Cancel").click().run()
    assert job.wait(300)
    assert job.snapshot().state == "cancelled"
    assert "Start" in [button.label for button in second.button]


def _button(at: AppTest, label: str) -> Any:
    return next(button for button in at.button if button.label == label)


def test_a_crash_in_training_is_a_sentence_and_can_be_tried_again() -> None:
    def crash(*args: object, **values: object) -> None:
        raise FloatingPointError("the loss is nan at step 3.")

    with patch("core.training.task.train", crash):
        at = opened("home", {"seed": "8"})
        job = JOBS.get(Measuring(Choice("strokes", "mlp", 8)))
        assert job is not None
        assert job.wait(300)
        at.run()
    assert "the loss is nan at step 3" in said(at)
    assert not at.exception
    assert _button(at, "Start")


def test_without_mnist_one_line_says_so_and_generated_digits_are_shown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SPECIALIZED_NEURONS_DATA", str(tmp_path))
    monkeypatch.setattr(mnist.MNIST, "mirrors", ["http://127.0.0.1:9/"])
    at = opened("home", {"data": "mnist"})
    from pages.kit.place import FETCHING

    job = JOBS.get(FETCHING)
    assert job is not None
    assert job.wait(300)
    at.run()
    warnings = " ".join(warning.value for warning in at.warning)
    assert "MNIST could not be downloaded" in warnings
    assert "Generated digits are shown instead" in warnings
    assert "Generated digits · seed 0" in said(at)
    assert at.metric
    JOBS._jobs.pop(FETCHING)


def test_damaged_mnist_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name in mnist._FILES:
        (raw / name).write_bytes(b"short")
    monkeypatch.setenv("SPECIALIZED_NEURONS_DATA", str(tmp_path))
    at = opened("home", {"data": "mnist"})
    warnings = " ".join(warning.value for warning in at.warning)
    assert "train-images-idx3-ubyte is not MNIST's" in warnings
    assert at.metric, "generated digits are shown instead"


def test_a_damaged_store_is_computed_again(folder: Path, study: Study) -> None:
    path = next(folder.glob("profiles-*.npz"))
    good = path.read_bytes()
    path.write_bytes(good[: len(good) // 2])
    try:
        cache._memory.clear()
        store = Store(folder)
        assert Measuring(CHOICE).kept(store) is None
        assert "damaged" in store.problems()[-1]
        assert Training(CHOICE).kept(store) is not None, "the model is still there"
    finally:
        path.write_bytes(good)


def test_a_folder_that_can_not_be_written_is_said_and_costs_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, study: Study
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("SPECIALIZED_NEURONS_CACHE", os.fspath(blocked / "store"))
    default_store().save_arrays("profiles", {"data": "x"}, {"a": np.zeros(3)})
    cache._memory().put(Measuring(CHOICE), study)
    at = opened("home")
    assert "SPECIALIZED_NEURONS_CACHE" in " ".join(warning.value for warning in at.warning)
    assert at.metric


def asked(**values: str) -> AppTest:
    """The page Ask with the claim that is in the store."""
    claim = {"layer": "linear_1", "units": "3", "concept": "class-7"}
    return opened("ask", {**claim, **values})


def test_a_claim_in_the_address_is_answered_with_reasons() -> None:
    at = asked()
    assert not at.exception
    words = said(at)
    assert "Does mlp/linear_1/3 carry the 7?" in words
    for name in ("Necessary", "Sufficient", "Conditional detector", "Global detector", "Erasable"):
        assert name in words
    evidence = CLAIM.kept(default_store())
    assert evidence is not None
    assert evidence.findings["necessary"].reason in words
    assert f"p = {evidence.controls.p_value:.3f}" in words


def test_candidates_are_offered_and_the_best_one_is_asked_about() -> None:
    at = opened("ask", {"layer": "linear_0", "concept": "class-7"})
    found = Suggesting(CHOICE, "linear_0", "class-7").kept(default_store())
    assert found is not None
    assert f"The best unit is **{found.order[0]}**" in said(at)
    at.button(key="ask best 1").click()
    at.run()
    assert f"Does mlp/linear_0/{found.order[0]} carry the 7?" in said(at)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"units": "999"}, "`999` names no unit of this layer: write numbers from 0 to 127"),
        ({"units": "abc"}, "`abc` names no unit"),
        ({"units": "0-127"}, "These are all 128 units of the layer"),
        ({"units": "mlp/linear_0/3"}, "choose that layer first"),
        ({"concept": "zebra"}, "`concept=zebra` is not known"),
        ({"kind": "shoot"}, "`kind=shoot` is not known: choose one of zero, mean, resample"),
        ({"indexing": "1998"}, "`indexing=1998` is not known"),
    ],
)
def test_a_wrong_claim_is_said(values: dict[str, str], message: str) -> None:
    at = asked(**values)
    assert not at.exception
    assert any(message in warning.value for warning in at.warning)


def test_the_ledger_keeps_what_was_refuted() -> None:
    at = asked()
    ledger = at.dataframe[-1].value
    assert ledger["claim"].tolist() == ["Does mlp/linear_1/3 carry the 7?"]
    assert ledger["q"].tolist() == ledger["p"].tolist()
    assert "1 claim tried" in said(at)


def test_the_2016_indexing_is_explained() -> None:
    at = asked(indexing="2016")
    assert not at.exception
    assert any("no wrong list to take" in info.value for info in at.info)


def test_what_does_not_fit_is_listed() -> None:
    at = opened("training", {"view": "anomalies", "layer": "linear_0"})
    assert not at.exception
    found = Explaining(CHOICE, "linear_0").kept(default_store())
    assert found is not None
    count = int(found.anomalous.sum())
    words = said(at)
    assert f"{count} of 256 units" in words or "None of the 256 units" in words


def test_the_film_is_threaded() -> None:
    at = opened("training", {"layer": "linear_1", "pins": "3,5"})
    assert not at.exception
    assert not at.error
    assert "128 units" in said(at)
    assert at.get("bidi_component")
