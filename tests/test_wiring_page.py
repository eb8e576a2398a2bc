"""A unit's wires and neighbours on its page: from pixels to logits and back, by clicks alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.analyses.neighbours.task import NeighboursTask, PartnersTask
from core.analyses.profiles.task import StudyTask
from core.analyses.wiring import Wiring
from core.analyses.wiring.ends import inputs, outputs
from core.analyses.wiring.task import WiringTask
from core.runs import Run
from core.runtime import cache
from core.runtime.jobs import QueueFull
from core.training.task import ModelTask
from core.units import UnitId
from tests.labs import SmallLab
from tests.test_pages import FRAME, said

RUN = Run("strokes", "lenet5", {"widths": (3, 4, 8, 6), "epochs": 1})


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> SmallLab:
    """A small network with what these sections show; the others wait for ever."""
    lab = SmallLab(tmp_path_factory.mktemp("wiring"))
    for task in (StudyTask(RUN), WiringTask(RUN), NeighboursTask(RUN)):
        lab.result(task)
    return lab


@pytest.fixture(autouse=True)
def server(lab: SmallLab, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("SPECIALIZED_NEURONS_CACHE", str(lab.store.folder))
    cache.use(lab)
    with patch("core.runtime.cache.start", side_effect=QueueFull("nothing more is computed.")):
        yield


def opened(unit: str, **values: str) -> AppTest:
    """The page of a unit."""
    at = AppTest.from_file(FRAME, default_timeout=60)
    address = {"data": "strokes", "model": "lenet5", "settings": RUN.settings.to_text()}
    for key, value in {**address, "unit": unit, **values}.items():
        at.query_params[key] = value
    at.run()
    at.switch_page("units.py").run()
    assert not at.exception
    return at


def grid(at: AppTest, label: str) -> dict[str, Any]:
    """What the grid of this label was sent."""
    sent = [json.loads(each.proto.json) for each in at.get("bidi_component")]
    return next(each for each in sent if each["label"].startswith(label))


def test_rows_of_wires_lead_from_pixels_to_logits_and_back(lab: SmallLab) -> None:
    wiring = lab.known(WiringTask(RUN))
    layers = [layer.name for layer in RUN.layers]
    unit = UnitId("lenet5", layers[0], 0)
    at = opened(str(unit))
    assert grid(at, f"The weights by which {unit} reads the image")["count"] == 1
    for layer in layers[1:]:
        found = outputs(wiring, unit.layer, unit.index).strongest(12).units("lenet5")
        sent = grid(at, f"Units that read {unit}")
        assert [words.split(":")[0] for words in sent["alts"]] == list(map(str, found))
        assert all(map(str.endswith, sent["addresses"], map(str, found)))
        # a dead unit gives nothing to anybody, and so is no way up
        alive = [each for each in found if layer == layers[-1] or _gives(wiring, each)]
        below, unit = unit, alive[0]
        assert unit.layer == layer
        at = opened(str(unit))
        assert below in inputs(wiring, layer, unit.index).units("lenet5"), "and back"
        assert grid(at, f"Units that {unit} reads")["count"] <= 12
    assert "this is one of the network's answers" in said(at)


def _gives(wiring: Wiring, unit: UnitId) -> bool:
    """Whether any unit above gets something from it."""
    return len(outputs(wiring, unit.layer, unit.index).strongest(1)) > 0


def test_the_parts_in_words_add_up(lab: SmallLab) -> None:
    of = lab.known(WiringTask(RUN)).layers["linear_1"]
    words = said(opened("lenet5/linear_1/2"))
    assert f"bias {of.bias[2]:+.2f}: together its mean activation {of.total[2]:+.2f}" in words
    effective, before = of.effective[2], of.effective_untrained[2]
    assert (
        f"Spread over {effective:.1f} effective of 8 inputs on average; untrained {before:.1f}"
        in words
    )


def test_contributions_are_shown_for_a_chosen_digit(lab: SmallLab) -> None:
    name = cache.digits("strokes", "confirmation").ids[3]
    at = opened("lenet5/linear_0/1", contributions="digit", digit=name)
    assert f"{name}, a " in said(at)
    assert "together its activation" in said(at)
    assert "mean activation +" not in said(at).partition("Wiring")[2]
    sent = grid(at, f"Units that lenet5/linear_0/1 reads, for {name}")
    values = [abs(float(alt.rsplit(" ", 1)[1])) for alt in sent["alts"]]
    assert values == sorted(values, reverse=True), "the strongest for this digit come first"


def test_neighbours_and_a_unit_at_random_are_one_click_away(lab: SmallLab) -> None:
    at = opened("lenet5/linear_0/1")
    found = lab.known(NeighboursTask(RUN))
    for kind, of in (("activations", found.activations), ("weights", found.weights)):
        nearest = of["linear_0"]
        assert nearest is not None
        alts = grid(at, f"Units nearest to lenet5/linear_0/1 by {kind}")["alts"]
        assert alts[0] == f"lenet5/linear_0/{nearest.unit[1, 0]}: {nearest.likeness[1, 0]:.3f}"
        assert f"Before training this unit's nearest had {nearest.untrained[1]:.2f}" in said(at)
    at.button(key="random").click().run()
    unit = UnitId.parse(at.query_params["unit"])
    assert at.title[0].value == str(unit)


def test_the_partner_of_another_seed_is_offered_and_then_found(lab: SmallLab) -> None:
    at = opened("lenet5/linear_0/1")
    assert "The network of seed 1 has not been trained here yet." in said(at)
    at.button(key="find partner").click().run()
    assert at.query_params["match"] == "yes"
    assert "nothing more is computed" in said(at)
    task = PartnersTask(RUN, "linear_0", 1)
    found = lab.result(task)
    at = opened("lenet5/linear_0/1")
    assert f"correlation {found.correlation[1]:+.2f}" in said(at)
    assert lab.has(ModelTask(task.other))
    assert "This is the network of this page" in said(opened("lenet5/linear_0/1", other_seed="0"))


def test_of_the_strongest_the_order_is_that_of_the_other_half(lab: SmallLab) -> None:
    wiring = lab.known(WiringTask(RUN))
    every = inputs(wiring, "linear_1", 0)
    top = every.strongest(3)
    assert len(every) == 8
    expected = np.argsort(-np.abs(wiring.layers["linear_1"].inputs["linear_0"].discovery[0]))[:3]
    assert top.index.tolist() == expected.tolist()
    np.testing.assert_allclose(top.value, every.value[expected])
    assert list(top.table("lenet5")["unit"]) == [f"lenet5/linear_0/{at}" for at in expected]
