"""A card and a test made again agree in every value, or each value in which they don't is named."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from core.claims.agreement import disagreements, values
from core.claims.evidence import Evidence
from tests.test_ablation import planted
from tests.test_evidence import made


@pytest.fixture(scope="module")
def card() -> Evidence:
    return replace(made(), training={"data": "mnist", "seed": 0})


def leaves(content: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Where every value stands in a card's JSON."""
    if isinstance(content, dict):
        return [found for name, part in content.items() for found in leaves(part, (*path, name))]
    if isinstance(content, list):
        return [found for at, part in enumerate(content) for found in leaves(part, (*path, at))]
    return [path]


def altered(value: Any) -> Any:
    """Another value of the same kind."""
    others = {"supported": "not supported", "zero": "mean"}
    if isinstance(value, str):
        return others.get(value, "supported" if "supported" in value else f"{value}.")
    return 0.5 if value is None else value + (1 if isinstance(value, int) else 0.001)


def test_equal_cards_agree(card: Evidence) -> None:
    assert disagreements(card, card) == []
    assert disagreements(card, Evidence.from_json(card.to_json())) == []
    assert disagreements(card, replace(card, changes=card.changes[::-1])) == []


def test_every_value_of_a_card_is_compared(card: Evidence) -> None:
    content = json.loads(card.to_json())
    paths = [path for path in leaves(content) if path != ("format",)]
    assert len(paths) > 300
    missed = []
    for path in paths:
        other = json.loads(card.to_json())
        part = other
        for name in path[:-1]:
            part = part[name]
        part[path[-1]] = altered(part[path[-1]])
        try:
            again = Evidence.from_json(json.dumps(other))
        except ValueError:
            continue  # it is no card any more, which is said at once
        if not disagreements(again, card) or not disagreements(card, again):
            missed.append(path)
    assert missed == []


def test_a_difference_is_named_with_both_values(card: Evidence) -> None:
    controls = replace(card.controls, p_value=0.005)
    findings = dict(card.findings)
    findings["necessary"] = replace(findings["necessary"], n=99_999, reason="[x](http://a.b)")
    other = replace(card, controls=controls, findings=findings, made_with={"torch": "0"})
    found = disagreements(other, card)
    real = card.findings["necessary"]
    assert f"`findings, necessary, n`: the card says `99999`, the test `{real.n}`." in found
    assert any(
        f"`controls, p value`: the card says `0.005`, the test `{card.p_value:.6g}`." in one
        for one in found
    )
    assert any("the card says `[x](http://a.b)`" in sentence for sentence in found)
    assert f"`made with, torch`: the card says `0`, the test `{card.made_with['torch']}`." in found
    assert any("`made with, numpy`: the card says `nothing`" in sentence for sentence in found)
    assert len(found) == 3 + len(card.made_with)


def test_rounding_is_no_difference_and_a_digit_more_is(card: Evidence) -> None:
    change = card.change(card.concept)

    def moved(by: float) -> Evidence:
        others = [each for each in card.changes if each is not change]
        return replace(card, changes=(replace(change, change=change.change + by), *others))

    assert disagreements(card, moved(1e-10)) == []
    assert len(disagreements(card, moved(1 / change.n))) == 1


def test_controls_are_one_value_of_many(card: Evidence) -> None:
    effects = (card.controls.effects[0] + 1, *card.controls.effects[1:])
    found = disagreements(card, replace(card, controls=replace(card.controls, effects=effects)))
    assert len(found) == 1
    assert found[0].startswith("`controls, effects`: 1 of 30 differ; the first is ")
    few = replace(card, controls=replace(card.controls, effects=effects[:5]))
    assert "`controls, effects`: the card says 30 values, the test 5 values." in disagreements(
        card, few
    )


def test_another_model_and_another_seed_disagree(card: Evidence) -> None:
    other = disagreements(card, made(model=planted("pair", noise=13)))
    assert any(sentence.startswith("`weights hash`: the card says") for sentence in other)
    assert (
        "`findings, necessary, verdict`: the card says `supported`, the test `not supported`."
        in (other)
    )
    assert "`seed`: the card says `0`, the test `1`." in disagreements(card, made(seed=1))


def test_the_values_of_a_card_are_counted(card: Evidence) -> None:
    assert len(values(card)) > 100
    assert values(card)["findings", "necessary", "n"] == card.findings["necessary"].n
