"""Every page as a person at the screen finds it, also through links that are wrong."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.analyses.dissection.task import DissectionTask
from core.analyses.labelling.task import UnitLabelsTask
from core.analyses.maximize.task import MaximizedTask
from core.analyses.modality.task import LayerModesTask, UnitModesTask
from core.analyses.movie.task import MovieTask
from core.analyses.neighbours.task import NeighboursTask
from core.analyses.profiles import table
from core.analyses.profiles.task import Study, StudyTask
from core.analyses.relevance.task import LayerOverlapTask, RelevanceTask
from core.analyses.wiring.task import WiringTask
from core.claims.carrier_task import CarrierTask
from core.claims.direction_task import DirectionTask
from core.claims.operators import operators_for, under_each
from core.claims.task import (
    CandidatesTask,
    EvidenceTask,
    OperatorsTask,
    SubpopulationsTask,
    UnitSearchTask,
)
from core.data import mnist
from core.data.concepts import CONCEPTS
from core.data.task import DataTask
from core.runs import Run
from core.runtime import cache
from core.runtime.jobs import JOBS
from core.runtime.lab import Lab
from core.runtime.store import Store, default_store
from core.runtime.task import Report
from core.training.task import ModelTask
from pages.kit.carried import sentence
from pages.kit.relevance import amount
from pages.parts.ask.carrier import with_carrier
from pages.parts.ask.claim import Asked
from tests.labs import SmallLab
from tests.linked import check_link, link
from tests.test_outside import keys_of_links
from tests.warm import charts_built_again

FRAME = str(Path(__file__).parent.parent / "pages" / "frame.py")
RUN = Run("strokes", "mlp", seed=0)
ADDRESS = {"data": "strokes", "model": "mlp", "seed": "0"}
OWN_FILES = {"architectures", "moe_gating"}  # of pages that have tests of their own
AWAITED = (
    MaximizedTask,
    UnitLabelsTask,
    LayerModesTask,
    UnitModesTask,
    RelevanceTask,
    LayerOverlapTask,
)
PAGES = tuple(
    sorted(
        {file.stem for file in Path(FRAME).parent.glob("*.py")} - {"__init__", "frame"} - OWN_FILES
    )
)
MATTERING = RelevanceTask(RUN, "linear_1", (3,))
CLAIM_KEY = "linear_1", (3,), "class-7", "zero"
CLAIM = EvidenceTask(RUN, *CLAIM_KEY)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> SmallLab:
    """A lab with one small study in it, so that no page has to train."""
    lab = SmallLab(tmp_path_factory.mktemp("pages"))
    for task in (
        StudyTask(RUN),
        UnitLabelsTask(RUN),
        WiringTask(RUN),
        NeighboursTask(RUN),
        DissectionTask(RUN, "linear_0", 0.1),
        DissectionTask(RUN, "linear_1", 0.1),
        CLAIM,
        CandidatesTask(RUN, "linear_0", "crossed-7"),
        CandidatesTask(RUN, "linear_0", "class-7"),
        UnitSearchTask(RUN, "linear_1", 7),
        CarrierTask(RUN, "linear_0", "crossed-7"),
        CarrierTask(RUN, "linear_1", "class-7"),
        DirectionTask(RUN, "linear_1", "class-7"),
        SubpopulationsTask(RUN, "linear_0"),
        MovieTask(RUN),
        MATTERING,
        LayerOverlapTask(RUN, "linear_1"),
    ):
        lab.result(task)
    return lab


@pytest.fixture(autouse=True)
def server(lab: SmallLab, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A server whose every page asks the lab."""
    monkeypatch.setenv("SPECIALIZED_NEURONS_CACHE", str(lab.store.folder))
    cache.use(lab)
    yield
    for job in list(JOBS._jobs.values()):
        for visitor in list(job._watchers):
            job.cancel(visitor)
        assert job.wait(60)


@pytest.fixture
def study(lab: SmallLab) -> Study:
    return lab.known(StudyTask(RUN))


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
    for _ in range(4):  # another task may begin when the first is done
        for task, job in list(JOBS._jobs.items()):
            if isinstance(task, AWAITED):
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
    at = opened("units", {"unit": "mlp/linear_1/3"})
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
    assert len(grids(at)) == 12  # and the pairs, two rows of wires and two of neighbours


def test_a_unit_has_a_label_with_its_score(lab: SmallLab) -> None:
    at = opened("units", {"unit": "mlp/linear_1/3"})
    _wait_for_maximized(at)
    named = lab.known(UnitLabelsTask(RUN))
    found = named.labels["linear_1"]
    assert str(found.candidate[3]) in said(at)
    shown = {metric.label: metric.value for metric in at.metric}
    assert shown["Correlation"] == f"{found.correlation[3]:.2f}"
    assert shown["Coverage"] == f"{found.coverage[3]:.2f}"


def test_a_unit_shows_the_digits_it_matters_for(lab: SmallLab) -> None:
    at = opened("units", {"unit": "mlp/linear_1/3"})
    _wait_for_maximized(at)
    shares, found = lab.known(MATTERING).shares, lab.known(MATTERING).trained
    digits = lab.known(DataTask("strokes", "confirmation"))
    row, maps = (
        next(grid for grid in grids(at) if grid["label"].startswith(label))
        for label in ("Digits that mlp/linear_1/3 matters for", "Where in strokes/test/")
    )
    numbers = found.digits.tolist()
    assert len(numbers) == row["count"] == 9
    for number, text in zip(numbers, row["alts"], strict=True):
        assert text.startswith(f"{digits.ids[number]}, a {int(digits.labels[number])}: margin")
    assert row["selected"] == 0
    assert digits.ids[numbers[0]] in maps["label"]
    words = said(at)
    correlation = f"activation and loss over all 600 digits: {found.correlation:.2f}."
    assert correlation in words
    assert "Of the nine digits that it matters for most" in words
    whole = lab.known(LayerOverlapTask(RUN, "linear_1"))[0]
    assert f"In linear_1, over {(whole.listed == 9).sum()} units, both lists of 9 share" in words
    assert f"Linear share of the unit: {amount(shares.share[numbers[0]])}" in words
    other = opened("units", {"unit": "mlp/linear_1/3", "matters": digits.ids[numbers[4]]})
    _wait_for_maximized(other)
    shown = {grid["label"].split(" the unit")[0]: grid["selected"] for grid in grids(other)}
    assert f"Where in {digits.ids[numbers[4]]}" in shown
    assert 4 in shown.values()
    assert not other.warning


def test_a_unit_of_the_last_layer_is_the_answer_itself() -> None:
    at = opened("units", {"unit": "mlp/linear_2/7"})
    assert "Units of the last layer are the answer itself" in said(at)
    assert not any("matter" in grid["label"] for grid in grids(at))


def test_a_label_of_ones_own_gets_the_same_card(lab: SmallLab) -> None:
    at = opened("units", {"unit": "mlp/linear_2/7", "own": "class-7"})
    _wait_for_maximized(at)
    named = lab.known(UnitLabelsTask(RUN))
    cards = [metric.value for metric in at.metric if metric.label == "Correlation"]
    assert len(cards) == 2
    if named.labels["linear_2"].candidate[7] == "7":
        assert cards[0] == cards[1]


def test_units_are_searched_by_what_they_answer_to(lab: SmallLab) -> None:
    named = lab.known(UnitLabelsTask(RUN))
    codes = np.concatenate([of.code for of in named.labels.values()])
    wanted = [code for code in codes if "class-7" in code.replace("|", ",").split(",")]
    at = opened("units", {"answers": "class-7"})
    assert f"{len(wanted)} of 394 units" in said(at)
    none = opened("units", {"answers": "no label"})
    assert f"{(codes == '').sum()} of 394 units" in said(none)


def test_a_layer_is_dissected_and_each_unit_can_be_looked_at(lab: SmallLab) -> None:
    found = lab.known(DissectionTask(RUN, "linear_1", 0.1))
    at = opened("dissection", {"unit": "mlp/linear_1/5"})
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
    assert at.query_params["unit"] == "mlp/linear_1/6"
    assert "mlp/linear_1/6" in said(at)
    at.selectbox(key="layer").select("linear_0").run()
    assert "unit" not in at.query_params
    assert "mlp/linear_0/0" in said(at)
    assert not at.exception


def test_neighbours_are_one_click_away() -> None:
    at = opened("units", {"unit": "mlp/linear_1/0"})
    assert at.button(key="Previous").disabled
    at.button(key="Next").click().run()
    assert at.title[0].value == "mlp/linear_1/1"
    assert at.query_params["unit"] == "mlp/linear_1/1"
    at.button(key="all").click().run()
    assert at.title[0].value == "Units"
    assert "unit" not in at.query_params


def test_a_units_name_says_its_model_and_its_layer() -> None:
    other = {"model": "lenet5", "layer": "linear_0", "unit": "mlp/linear_1/3"}
    at = opened("units", other)
    assert not at.warning, [warning.value for warning in at.warning]
    assert at.title[0].value == "mlp/linear_1/3"
    assert link(at).items() >= {"model": "mlp", "layer": "linear_1", "unit": other["unit"]}.items()


def test_units_are_compared_on_the_same_digits() -> None:
    at = opened("units", {"unit": "mlp/linear_1/3", "compare": "mlp/linear_0/5,mlp/linear_2/7"})
    tables = [of.value for of in at.dataframe]
    compared = next(of for of in tables if of.columns[0] == "digit")
    assert compared.columns.tolist() == [
        "digit",
        "image",
        "class",
        *(f"mlp/linear_{at}" for at in ("1/3", "0/5", "2/7")),
    ]
    assert 4 <= len(compared) <= 12


@pytest.mark.parametrize(
    ("page", "values", "wrong", "right"),
    [
        ("home", {"model": "resnet"}, "model=resnet", "lenet5, simple_cnn, mlp"),
        ("home", {"data": "cifar"}, "data=cifar", "mnist, strokes"),
        ("home", {"seed": "-4"}, "seed=-4", "0 to 999"),
        ("units", {"layer": "conv_9"}, "layer=conv_9", "linear_0, linear_1, linear_2"),
        (
            "units",
            {"unit": "mlp/linear_1/128"},
            "unit=mlp/linear_1/128",
            "linear_1/0 to mlp/linear_1/127",
        ),
        ("units", {"layer": "linear_1", "unit": "<b>"}, "unit=<b>", "to mlp/linear_1/127"),
        ("units", {"unit": "58"}, "unit=58", "such as mlp/linear_0/0"),
        ("units", {"unit": "resnet/conv/3"}, "unit=resnet/conv/3", "such as mlp/linear_0/0"),
        ("units", {"sort": "size"}, "sort=size", "selectivity, auc"),
        ("units", {"selectivity": "90-10"}, "selectivity=90-10", "0 to 100"),
        (
            "units",
            {"unit": "mlp/linear_1/3", "compare": "conv/1"},
            "conv/1",
            "mlp/linear_2/9",
        ),
        ("units", {"answers": "dogs"}, "answers=dogs", "crossed-7"),
        ("dissection", {"level": "3"}, "level=3", "0.005"),
        ("dissection", {"kind": "pixels"}, "kind=pixels", "images"),
        ("dissection", {"layer": "linear_1", "unit": "999"}, "unit=999", "to mlp/linear_1/127"),
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
    at = opened(
        page, dict.fromkeys(keys, hostile) | {"unit": "mlp/linear_1/3", "layer": "linear_1"}
    )
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


def test_training_is_shown_joined_and_cancelled(lab: SmallLab) -> None:
    task = StudyTask(Run("strokes", "mlp", seed=7))
    lab.instead[task] = endless
    first = opened("home", {"seed": "7"})
    job = JOBS.get(task)
    assert job is not None
    second = opened("home", {"seed": "7"})
    assert JOBS.get(task) is job
    assert job.snapshot().watchers == 2
    _button(first, "Cancel").click().run()
    assert job.snapshot().state in ("waiting", "running"), "another visitor is watching"
    assert "stopped" in said(first)
    _button(second, "Cancel").click().run()
    assert job.wait(300)
    assert job.snapshot().state == "cancelled"
    assert "Start" in [button.label for button in second.button]


def endless(report: Report) -> None:
    """Work that goes on until it is cancelled."""
    while True:
        report(0.5, "Training")
        time.sleep(0.02)


def _button(at: AppTest, label: str) -> Any:
    return next(button for button in at.button if button.label == label)


def test_a_crash_in_training_is_a_sentence_and_can_be_tried_again(lab: SmallLab) -> None:
    def crash(report: Report) -> None:
        raise FloatingPointError("the loss is nan at step 3.")

    task = StudyTask(Run("strokes", "mlp", seed=8))
    lab.instead[task] = crash
    at = opened("home", {"seed": "8"})
    job = JOBS.get(task)
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


def test_a_damaged_store_is_computed_again(lab: SmallLab) -> None:
    path = next(lab.store.folder.glob("profiles-*.npz"))
    good = path.read_bytes()
    path.write_bytes(good[: len(good) // 2])
    try:
        other = Lab(Store(lab.store.folder))
        assert other.find(StudyTask(RUN)) is None
        assert "damaged" in other.store.problems()[-1]
        assert other.find(ModelTask(RUN)) is not None, "the model is still there"
    finally:
        path.write_bytes(good)


def test_a_folder_that_can_not_be_written_is_said_and_costs_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, study: Study
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("SPECIALIZED_NEURONS_CACHE", os.fspath(blocked / "store"))
    default_store().save_arrays("profiles", {"data": "x"}, {"a": np.zeros(3)})
    other = Lab(default_store())
    other.give(StudyTask(RUN), study)
    cache.use(other)
    at = opened("home")
    assert "SPECIALIZED_NEURONS_CACHE" in " ".join(warning.value for warning in at.warning)
    assert at.metric


def asked(**values: str) -> AppTest:
    """The page Ask with the claim that is in the store."""
    claim = {"layer": "linear_1", "units": "3", "concept": "class-7"}
    return opened("ask", {**claim, **values})


def test_a_claim_in_the_address_is_answered_with_reasons(lab: SmallLab) -> None:
    at = asked()
    assert not at.exception
    words = said(at)
    assert "Does mlp/linear_1/3 represent the 7?" in words
    for name in ("Necessary", "Sufficient", "Conditional detector", "Global detector", "Erasable"):
        assert name in words
    evidence = lab.known(CLAIM)
    assert evidence.findings["necessary"].reason in words
    assert f"p = {evidence.controls.p_value:.3f}" in words
    assert "Digits it matters for" in words
    assert "Of the nine digits that it matters for most" in words


def test_what_carries_the_concept_is_said_in_a_sentence(lab: SmallLab) -> None:
    """On Ask, on Home for the crossed 7, and on the card."""
    task = CarrierTask(RUN, "linear_1", "class-7")
    at = asked()
    assert sentence(lab.known(task), task) in said(at)
    assert "A unit, a direction, or neither?" in said(at)
    evidence = with_carrier(lab.known(CLAIM), lab.known(StudyTask(RUN)), Asked(*CLAIM_KEY, 1))
    assert evidence.carrier == lab.known(task).verdict
    first = CarrierTask(RUN, "linear_0", "crossed-7")
    assert sentence(lab.known(first), first) in said(opened("home"))


def test_a_direction_has_a_page(lab: SmallLab) -> None:
    name = "mlp/linear_1/class-7"
    at = opened("units", {"direction": name})
    assert not at.exception
    assert at.title[0].value == name
    found = lab.known(DirectionTask(RUN, "linear_1", "class-7"))
    tables = [of.value for of in at.dataframe]
    assert tables[0]["auc"].tolist() == found.concepts["auc"].tolist()
    best = int(np.abs(found.shares).argmax())
    assert tables[1]["unit"][0] == f"mlp/linear_1/{best}"
    shown = {grid["label"]: grid for grid in grids(at)}
    highest = int(found.read.argmax())
    digits = lab.result(DataTask("strokes", "confirmation"))
    assert digits.ids[highest] in json.dumps(shown[f"Highest of all digits, {name}"])


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mlp/linear_1/3", "`mlp/linear_1/3` is not a direction: write model/layer/concept"),
        ("mlp/conv_0/class-7", "is of no layer of mlp: choose one of linear_0, linear_1"),
        ("mlp/linear_1/zebra", "`zebra` is no concept that a direction is fitted to"),
    ],
)
def test_a_wrong_direction_is_said(name: str, message: str) -> None:
    at = opened("units", {"direction": name})
    assert not at.exception
    assert any(message in warning.value for warning in at.warning)


def test_candidates_are_offered_and_the_best_one_is_asked_about(lab: SmallLab) -> None:
    at = opened("ask", {"layer": "linear_0", "concept": "class-7"})
    found = lab.known(CandidatesTask(RUN, "linear_0", "class-7"))
    assert f"The best unit is **mlp/linear_0/{found.order[0]}**" in said(at)
    at.button(key="ask best 1").click()
    at.run()
    assert f"Does mlp/linear_0/{found.order[0]} represent the 7?" in said(at)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"units": "999"}, "`999` names no unit of this layer: write numbers from 0 to 127"),
        ({"units": "abc"}, "`abc` names no unit"),
        ({"units": "0-127"}, "These are all 128 units of the layer"),
        ({"units": "mlp/linear_0/3"}, "choose that layer first"),
        ({"concept": "zebra"}, "`concept=zebra` is not known"),
        ({"kind": "shoot"}, "`kind=shoot` is not known: choose one of zero, mean, class-mean"),
        ({"indexing": "1998"}, "`indexing=1998` is not known"),
    ],
)
def test_a_wrong_claim_is_said(values: dict[str, str], message: str) -> None:
    at = asked(**values)
    assert not at.exception
    assert any(message in warning.value for warning in at.warning)


def test_operators_are_compared_when_it_is_asked_for_and_the_card_keeps_it(lab: SmallLab) -> None:
    assert "replacement values agree" not in said(asked())
    evidence = lab.known(CLAIM)
    kinds = operators_for("class-7")
    task = OperatorsTask(RUN, CLAIM.layer, CLAIM.units, CLAIM.concept)
    lab.give(task, under_each(dict.fromkeys(kinds, evidence)))
    at = asked(operators="yes")
    assert not at.exception
    assert f"all {len(kinds)} replacement values agree: {evidence.verdict}" in said(at)
    assert "its mean in the digit's class and" in said(at)  # take nothing away of a class
    table = next(of.value for of in at.dataframe if "operator" in of.value)
    assert table["necessary"].tolist() == [evidence.verdict] * len(kinds)


def test_the_ledger_keeps_what_was_refuted() -> None:
    at = asked()
    ledger = at.dataframe[-1].value
    assert ledger["claim"].tolist() == ["Does mlp/linear_1/3 represent the 7?"]
    assert ledger["q"].tolist() == ledger["p"].tolist()
    assert "1 claim tried" in said(at)


def test_the_2016_indexing_is_explained() -> None:
    at = asked(indexing="2016")
    assert not at.exception
    assert any("no wrong list of units to use" in info.value for info in at.info)


def test_what_does_not_fit_is_listed(lab: SmallLab) -> None:
    at = opened("training", {"view": "anomalies", "layer": "linear_0"})
    assert not at.exception
    found = lab.known(SubpopulationsTask(RUN, "linear_0"))
    count = int(found.anomalous.sum())
    words = said(at)
    assert f"{count} of 256 units" in words or "None of the 256 units" in words


def test_the_film_is_threaded() -> None:
    at = opened("training", {"layer": "linear_1", "pins": "mlp/linear_1/3,mlp/linear_1/5"})
    assert not at.exception
    assert not at.error
    assert "128 units" in said(at)
    assert at.get("bidi_component")


VIEWS: dict[str, tuple[str, dict[str, str]]] = {
    **{page: (page, {}) for page in PAGES},
    **{f"training {view}": ("training", {"view": view}) for view in ("anomalies", "emergence")},
    "a unit": ("units", {"layer": "linear_1", "unit": "mlp/linear_1/3"}),
    "a claim": ("ask", {"layer": "linear_1", "units": "mlp/linear_1/3", "concept": "class-7"}),
}
READ = {
    "a unit": {"compare", "pair", "own", "contributions", "other_seed", "replaced", "matters"},
    "a claim": {"measure", "indexing", "kind", "operators"},
    "feature_visualization": {"unit", "steps", "budget"},
    "dissection": {"rules", "unit", "concept", "level"},
}


@pytest.mark.parametrize("view", VIEWS)
def test_the_link_to_a_view_says_every_choice(view: str) -> None:
    page, base = VIEWS[view]
    if page == "training":
        with patch("core.runtime.cache.start", side_effect=_no_work):
            check_link(lambda values: opened(page, values), base)
        return
    _wait_for_maximized(opened(page, base))
    check_link(lambda values: opened(page, values), base, read=READ.get(view, set()))
