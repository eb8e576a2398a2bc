"""Evidence as a card: there and back, compared, and whatever else somebody may upload."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch

from core.claims import ask
from core.claims.agreement import disagreements, values
from core.claims.evidence import (
    CARD_LIMIT,
    PROCEDURE,
    VERDICTS,
    Evidence,
    digits_hash,
    question,
)
from core.claims.findings import OperatorFinding
from core.claims.operators import OperatorFindings, agreement, operators_for, under_each
from core.interventions.operators import KINDS
from core.models.fingerprint import weights_hash
from core.models.registry import build
from tests.test_ablation import Planted, digits_for, known, planted


def made(units: tuple[int, ...] = (7,), *, seed: int = 0, model: Planted | None = None) -> Evidence:
    """Evidence of a moment."""
    digits = digits_for(700, noise=0.1)
    return ask(
        model or planted(noise=13),
        digits,
        [("hidden", unit) for unit in units],
        "class-7",
        seed=seed,
        controls=30,
        draws=50,
        measured=known(digits.labels == 7),
        baselines=False,
    )


@pytest.fixture(scope="module")
def card() -> Evidence:
    return made()


def edited(card: Evidence, change: Callable[[Any], object]) -> str:
    """The card's JSON after somebody's `change` of it."""
    content = json.loads(card.to_json())
    change(content)
    return json.dumps(content)


# There and back


def test_a_card_says_all_that_the_evidence_says(card: Evidence) -> None:
    assert Evidence.from_json(card.to_json()) == card
    assert Evidence.from_json(card.to_json().encode()) == card
    assert json.loads(card.to_json())["units"] == [7]


def test_numbers_that_could_not_be_measured_come_back_too(card: Evidence) -> None:
    assert card.findings["conditional detector"].value is None
    assert Evidence.from_json(card.to_json()).findings["conditional detector"].low is None


def test_what_was_asked_and_found_is_there_by_name(card: Evidence) -> None:
    own = card.change("class-7")
    assert (card.effect, card.interval) == (own.change, (own.low, own.high))
    assert own.low <= card.effect < -0.9
    assert card.verdict == card.findings["necessary"].verdict == "supported"
    assert set(card.verdicts) == {
        *("necessary", "sufficient"),
        *("conditional detector", "global detector"),
    }
    assert card.p_value == card.controls.p_value == 1 / 31
    assert len(card.controls) == len(card.kept_controls) == 30
    assert card.controls.own > max(card.controls.effects)
    assert 0 < card.controls.distinct <= 30
    assert card.names == ("planted/hidden/7",)
    assert card.change("class-3", "nll").measure == "nll"
    assert {"python", "torch", "numpy", "scipy"} <= set(card.made_with)
    with pytest.raises(KeyError, match="`class-11` was not measured"):
        card.change("class-11")


def test_one_question_has_one_answer(card: Evidence) -> None:
    assert made() == card
    other = made(seed=1)
    assert other.controls.effects != card.controls.effects
    assert other.change("class-7", "nll").low != card.change("class-7", "nll").low
    assert other.effect == card.effect


def test_the_order_in_which_units_are_named_is_of_no_account() -> None:
    assert made((3, 7)) == made((7, 3, 7))


# What operators say, and older cards


def compared(card: Evidence) -> Evidence:
    """The card as if two operators had been compared, one without numbers."""
    found = under_each({"zero": card, "optimal": card}).by_kind
    gap = replace(found["optimal"].necessary, value=None, detectable=None)
    return replace(card, operators={**found, "optimal": replace(found["optimal"], necessary=gap)})


def old(card: Evidence) -> str:
    """The card as procedure 1 wrote it."""
    content = json.loads(card.to_json())
    content["format"] = "specialized-neurons evidence 1"
    del content["operators"]
    for part in (*content["findings"].values(), content["controls"], content["kept_controls"]):
        del part["detectable"]
    return json.dumps(content)


def test_what_each_operator_says_comes_back(card: Evidence) -> None:
    full = compared(card)
    assert Evidence.from_json(full.to_json()) == full
    assert full.operators["zero"].of("sufficient") == card.findings["sufficient"]
    table = OperatorFindings(full.operators).table()
    assert table["operator"].tolist() == ["zero", "optimal"]
    assert table["necessary"].tolist() == ["supported"] * 2
    assert table["p"].tolist() == [card.p_value] * 2


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("shoot", {}),
        ("zero", {"p_value": "x"}),
        ("zero", {"necessary": {"verdict": "yes"}}),
        ("zero", {"surprise": 1}),
    ],
)
def test_operators_that_say_what_none_can_are_refused(
    card: Evidence, kind: str, change: dict[str, Any]
) -> None:
    def spoil(of: Any) -> None:
        of["operators"] = {kind: {**of["operators"]["zero"], **change}}

    refused(edited(compared(card), spoil))


def test_whether_operators_agree(card: Evidence) -> None:
    one = under_each({"zero": card}).by_kind["zero"]

    def with_verdicts(*verdicts: str) -> dict[str, OperatorFinding]:
        return {
            kind: replace(one, necessary=replace(one.necessary, verdict=verdict))
            for kind, verdict in zip(KINDS, verdicts, strict=False)
        }

    assert agreement(with_verdicts("supported", "supported"), "necessary")[0] == "agree"
    assert agreement(with_verdicts("supported", "inconclusive"), "necessary")[0] == "differ"
    said, by_kind = agreement(with_verdicts("supported", "not supported"), "necessary")
    assert (said, by_kind) == ("contradict", {"zero": "supported", "mean": "not supported"})
    assert agreement(with_verdicts("supported", "not supported"), "sufficient")[0] == "agree"


def test_a_whole_class_is_not_taken_away_within_classes() -> None:
    assert operators_for("crossed-7") == KINDS
    assert set(KINDS) - set(operators_for("class-7")) == {"class-mean", "resample-class"}


def test_a_card_of_an_older_procedure_opens_as_it_was_written(card: Evidence) -> None:
    older = Evidence.from_json(old(card))
    assert older.procedure == 1 < card.procedure == PROCEDURE
    assert older.verdicts == card.verdicts
    assert older.operators == {}
    assert older.findings["necessary"].detectable is None
    assert Evidence.from_json(older.to_json())
    assert disagreements(older, compared(card)) == []  # only what both say
    assert len(values(older, 1)) < len(values(card))
    other = replace(older, n=older.n + 1)
    assert disagreements(other, card) == [
        f"`n`: the card says `{card.n + 1}`, the test `{card.n}`."
    ]


def test_a_card_of_a_newer_procedure_is_refused(card: Evidence) -> None:
    later = edited(card, lambda of: of.update(format="specialized-neurons evidence 7"))
    assert f"it was made with procedure 7, and this app knows {PROCEDURE}" in refused(later)


# In words


def test_a_question_can_be_read_aloud(card: Evidence) -> None:
    assert card.question == "Does planted/hidden/7 represent the 7?"
    names = [f"lenet5/linear_0/{unit}" for unit in (58, 8, 28, 3, 4)]
    assert question(names[:1], "crossed-7") == "Does lenet5/linear_0/58 represent the crossed 7?"
    assert question(names[:2], "crossed-7") == (
        "Do lenet5/linear_0/58, lenet5/linear_0/8 represent the crossed 7?"
    )
    assert question(names, "class-3").endswith("lenet5/linear_0/28 and 2 more represent the 3?")
    assert question(names[:1], "nothing known").endswith("represent the nothing known?")


# Which weights, which digits


def test_one_weight_makes_another_hash() -> None:
    model = build("lenet5", seed=1)
    before = weights_hash(model)
    assert before == weights_hash(build("lenet5", seed=1)) != weights_hash(build("lenet5", seed=2))
    assert len(before) == 16
    with torch.no_grad():
        model.state_dict()["linear_1.bias"][83] += 1e-6
    assert weights_hash(model) != before


def test_names_buffers_and_types_belong_to_the_hash() -> None:
    first, second = torch.nn.Module(), torch.nn.Module()
    first.register_buffer("one", torch.zeros(4))
    second.register_buffer("other", torch.zeros(4))
    hashes = {weights_hash(first), weights_hash(second)}
    first.one = torch.zeros(2, 2)
    hashes.add(weights_hash(first))
    first.one = torch.zeros(4, dtype=torch.int32)
    hashes.add(weights_hash(first))
    assert len(hashes) == 4


def test_one_pixel_or_label_makes_another_hash() -> None:
    digits = digits_for(20)
    before = digits_hash(digits)
    assert before == digits_hash(digits_for(20))
    lighter = replace(digits, images=digits.images.clone())
    lighter.images[19, 0, 27, 27] = 0.5
    renamed = replace(digits, labels=digits.labels.roll(1))
    assert len({before, digits_hash(lighter), digits_hash(renamed)}) == 3


# Whatever else is uploaded


def refused(text: str | bytes) -> str:
    """The sentence with which it is refused."""
    with pytest.raises(ValueError, match=r"^(This is not an evidence card|The file has)") as info:
        Evidence.from_json(text)
    assert type(info.value) is ValueError
    said = str(info.value)
    assert len(said) < 300
    assert said.endswith(".")
    assert "\n" not in said
    return said


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not JSON",
        "{",
        "null",
        "7",
        "[]",
        "{}",
        '"specialized-neurons evidence 1"',
        '{"format": "specialized-neurons evidence 1"}',
        '{"format": "specialized-neurons evidence 2"}',
        '{"format": "specialized-neurons evidence 0"}',
        '{"format": "specialized-neurons evidence 99"}',
        '{"format": ["specialized-neurons evidence 1"]}',
        b"\xff\xfe\x00\x01\x02",
        b"\x89PNG\r\n",
        "[" * 100_000,
        '{"a":' * 100_000,
        "9" * 10_000,
    ],
)
def test_what_is_no_card_is_refused(text: str | bytes) -> None:
    refused(text)


def test_a_file_that_is_too_large_is_not_even_read(card: Evidence) -> None:
    said = refused(card.to_json() + " " * 3 * 2**20)
    assert f"a card has at most {CARD_LIMIT:,}" in said
    assert "3,1" in said


def test_every_field_but_two_is_needed(card: Evidence) -> None:
    for name in json.loads(card.to_json()):
        text = edited(card, lambda content, name=name: content.pop(name))  # type: ignore[misc]
        if name in ("made_with", "training"):
            assert Evidence.from_json(text).verdict == "supported"
        else:
            refused(text)


def test_an_unknown_field_is_named(card: Evidence) -> None:
    assert "unknown field `surprise`" in refused(edited(card, lambda of: of.update(surprise=1)))
    refused(edited(card, lambda of: of["controls"].update(surprise=1)))
    refused(edited(card, lambda of: of["changes"][0].update(surprise=1)))
    refused(edited(card, lambda of: of["findings"]["necessary"].update(surprise=1)))


@pytest.mark.parametrize("value", [None, "abc", "<script>", 7, 1.5, True, [], {}, [[]], {"a": 1}])
def test_a_field_of_another_type_is_refused(card: Evidence, value: Any) -> None:
    texts = {"model", "layer", "concept", "ablation", "data", "data_hash", "weights_hash"}
    mappings = {"operators", "scores", "untrained"}
    for name, own in json.loads(card.to_json()).items():
        if type(value) is type(own) and (name in texts or isinstance(value, int)):
            continue
        if name == "carrier" and value is None:  # what carries the concept was not tested
            continue
        if name in ("made_with", "training") or (name in mappings and value == {}):
            continue
        text = edited(card, lambda of, name=name: of.update({name: value}))  # type: ignore[misc]
        refused(text)


@pytest.mark.parametrize("name", ["verdict", "reason", "value", "low", "high", "n"])
@pytest.mark.parametrize("value", [True, [], {}, ["supported"]])
def test_a_finding_of_another_type_is_refused(card: Evidence, name: str, value: Any) -> None:
    refused(edited(card, lambda of: of["findings"]["sufficient"].update({name: value})))


@pytest.mark.parametrize("verdict", ["<script>", "Supported", "", "x" * 10_000, None])
def test_a_verdict_is_one_of_three(card: Evidence, verdict: Any) -> None:
    refused(edited(card, lambda of: of["findings"]["sufficient"].update(verdict=verdict)))
    for allowed in VERDICTS:
        text = edited(card, lambda of: of["findings"]["sufficient"].update(verdict=allowed))  # noqa: B023
        assert Evidence.from_json(text).verdicts["sufficient"] == allowed


@pytest.mark.parametrize("units", [["abc"], [], [None], [[7]], [float("nan")], "abc", 7, {"a": 7}])
def test_units_are_whole_numbers(card: Evidence, units: Any) -> None:
    refused(edited(card, lambda of: of.update(units=units)))


def test_a_card_on_a_concept_that_it_did_not_measure_is_refused(card: Evidence) -> None:
    assert "class-11" in refused(edited(card, lambda of: of.update(concept="class-11")))
    refused(edited(card, lambda of: of.update(changes=[])))
    refused(edited(card, lambda of: of["findings"].pop("necessary")))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
@pytest.mark.parametrize("part", ["effects", "p_value", "change", "value"])
def test_numbers_that_are_none_are_refused(card: Evidence, part: str, number: str) -> None:
    def spoil(of: Any) -> None:
        inside = {
            "effects": of["controls"],
            "p_value": of["controls"],
            "change": of["changes"][0],
            "value": of["findings"]["necessary"],
        }[part]
        inside[part] = ["HERE"] if isinstance(inside[part], list) else "HERE"

    refused(edited(card, spoil).replace('"HERE"', number))


@pytest.mark.parametrize("part", ["effects", "own"])
def test_numbers_beyond_all_bounds_are_refused(card: Evidence, part: str) -> None:
    huge = [10**400] if part == "effects" else 10**400
    refused(edited(card, lambda of: of["controls"].update({part: huge})))


@pytest.mark.parametrize("units", [[-1], [1.5], [True], ["7"], [float("inf")]])
def test_units_that_no_layer_has_are_refused(card: Evidence, units: Any) -> None:
    refused(edited(card, lambda of: of.update(units=units)))


def test_only_known_kinds_of_ablation_are_believed(card: Evidence) -> None:
    refused(edited(card, lambda of: of.update(ablation="<script>")))


@pytest.mark.parametrize("name", ["made_with", "training"])
@pytest.mark.parametrize("value", ["<script>", 5, [1], None])
def test_how_it_was_made_is_told_by_name(card: Evidence, name: str, value: Any) -> None:
    refused(edited(card, lambda of: of.update({name: value})))


def test_a_card_that_could_not_be_written_again_is_refused(card: Evidence) -> None:
    nested: Any = 1
    for _ in range(700):
        nested = [nested]
    refused(edited(card, lambda of: of.update(training={"deep": nested})))


# What carries the concept


def test_what_carries_the_concept_comes_back_and_counts_where_both_say_it(card: Evidence) -> None:
    said = replace(card, carrier="a direction")
    assert Evidence.from_json(said.to_json()) == said
    assert disagreements(said, card) == disagreements(card, said) == []
    (sentence,) = disagreements(said, replace(card, carrier="a unit"))
    assert "a direction" in sentence
    assert "a unit" in sentence
    assert "is no carrier" in refused(edited(card, lambda of: of.update(carrier="a layer")))
