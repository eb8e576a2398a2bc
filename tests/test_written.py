"""Files for a person or another program hold no number that other programs can't read."""

from __future__ import annotations

import io
import json
import math
import os
import zipfile
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from core.analyses.profiles import profile
from core.claims import ask
from core.claims.agreement import disagreements
from core.claims.card import html
from core.claims.evidence import Evidence
from core.csv_text import csv_text
from core.export import unit_archive
from core.interventions.controls import p_value
from core.json_text import dumps, not_finite, plain
from core.models.fingerprint import weights_hash
from core.models.registry import build
from core.units import UnitId
from tests.digits import drawn_digits


def read(text: str | bytes) -> Any:
    """What a strict reader makes of JSON, which knows no NaN and no Infinity."""

    def refused(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    return json.loads(text, parse_constant=refused)


def test_numbers_of_any_library_are_written_and_those_not_finite_are_null() -> None:
    given = {
        "whole": np.int64(3),
        "single": np.float32(0.5),
        "flag": np.bool_(True),
        "tensor": torch.tensor([1.0, float("nan")]),
        "array": np.array([[1, 2]]),
        "inf": [math.inf, -np.inf, np.float32("nan")],
        "inner": {"text": np.str_("x"), 3: (1, None)},
        np.int64(4): torch.tensor(True),
    }
    assert read(dumps(given)) == {
        "whole": 3,
        "single": 0.5,
        "flag": True,
        "tensor": [1.0, None],
        "array": [[1, 2]],
        "inf": [None, None, None],
        "inner": {"text": "x", "3": [1, None]},
        "4": True,
    }
    assert not_finite(given) == {
        "tensor.1": "not a number",
        "inf.0": "infinite",
        "inf.1": "minus infinite",
        "inf.2": "not a number",
    }
    assert {type(of) for of in plain(given).values()} == {int, float, bool, list, dict}


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(TypeError):
        dumps({"x": object()})


def test_an_infinite_cell_is_empty_and_said_to_be_infinite() -> None:
    table = pd.DataFrame({"unit": ["a", "b", "c"], "d": [math.inf, 1.5, np.nan], "n": [1, 2, 3]})
    assert csv_text(table) == (
        "unit,d,d is infinite,n\na,,True,1\nb,1.5,False,2\nc,,False,3\n"
    ).replace("\n", os.linesep)
    assert csv_text(table[["unit", "n"]]) == table[["unit", "n"]].to_csv(index=False)
    named = table.set_index("unit")
    assert csv_text(named[["n"]], index=True) == named[["n"]].to_csv()
    assert math.isinf(table["d"][0])  # the table itself is as it was


def test_a_perfect_units_files_are_read_by_other_programs() -> None:
    digits = drawn_digits().take(slice(400))
    model = build("mlp").eval().requires_grad_(False)
    of = profile(model, model, digits.take(slice(200)), digits.take(slice(200, 400)))["linear_0"]
    perfect = np.full_like(of.scores.d_prime, np.inf)
    permuted = replace(of.permuted, d_prime=np.full_like(perfect, np.nan))
    of = replace(of, scores=replace(of.scores, d_prime=perfect), permuted=permuted)
    of = replace(of, class_high=np.full_like(of.class_high, np.inf))
    unit = UnitId("mlp", "linear_0", 3)
    files = zipfile.ZipFile(io.BytesIO(unit_archive(unit, of, {"seed": np.int64(3)}, digits)))
    facts = read(files.read("unit.json"))
    assert (facts["seed"], facts["scores"]["d_prime"], facts["permuted"]["d_prime"]) == (
        3,
        None,
        None,
    )
    assert facts["not_finite"] == {
        "scores.d_prime": "infinite",
        "permuted.d_prime": "not a number",
    }
    for name in files.namelist():
        if name.endswith(".json"):
            read(files.read(name))
    classes = pd.read_csv(files.open("classes.csv"))
    assert classes["high"].isna().all()
    assert classes["high is infinite"].all()


@pytest.fixture(scope="module", params=[math.nan, math.inf])
def broken(request: pytest.FixtureRequest) -> Evidence:
    """The card of a network with a weight that isn't finite."""
    model = build("lenet5").eval().requires_grad_(False)
    model.get_parameter("linear_0.weight")[3] = request.param
    digits = drawn_digits().take(slice(400))
    return ask(model, digits, [("linear_0", 3)], "crossed-7", controls=5, draws=20)


def test_a_card_of_a_broken_network_is_json_and_comes_back(broken: Evidence) -> None:
    text = broken.to_json()
    card = read(text)
    assert None in [change["before"] for change in card["changes"]]
    again = Evidence.from_json(text)
    assert again.to_json() == text
    assert disagreements(again, broken) == disagreements(broken, again) == []
    assert math.isnan(next(of.before for of in again.changes if of.measure == "nll"))
    assert "</html>" in html(again)


def test_a_broken_network_gets_no_verdict(broken: Evidence) -> None:
    for finding in broken.findings.values():
        assert finding.verdict == "inconclusive"
        assert finding.reason.startswith("Nothing could be measured")
        assert (finding.value, finding.low, finding.high) == (None, None, None)
    assert broken.p_value == 1


def test_an_effect_that_is_no_number_is_above_no_control() -> None:
    assert p_value(math.nan, np.arange(9.0)) == 1
    assert p_value(5.0, np.array([1.0, math.nan, 7.0, 5.0])) == pytest.approx(4 / 5)


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity", "1e400"])
def test_a_card_with_what_is_no_json_is_refused(broken: Evidence, constant: str) -> None:
    text = broken.to_json().replace('"own": null', f'"own": {constant}', 1)
    assert constant in text
    with pytest.raises(ValueError, match="This is not an evidence card"):
        Evidence.from_json(text)


def test_null_is_taken_for_measured_numbers_alone(broken: Evidence) -> None:
    card = json.loads(broken.to_json())
    for name in ("n", "seed", "model"):
        with pytest.raises(ValueError, match=f"{name} is `None`"):
            Evidence.from_json(json.dumps({**card, name: None}))


def test_the_hash_of_weights_takes_every_type_of_number() -> None:
    layer = torch.nn.Linear(3, 2)
    before = weights_hash(layer)
    assert weights_hash(layer) == before
    assert weights_hash(layer.bfloat16()) != before
