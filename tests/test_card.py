"""The evidence as a page of its own: all of it there, nothing else, and no text that acts."""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from html import escape
from html.parser import HTMLParser

import pytest

from core.claims.card import _share, group_name, html
from core.claims.evidence import VERDICTS, Controls, Evidence
from core.claims.operators import IN_WORDS, under_each
from core.interventions.bootstrap import Change
from core.interventions.operators import KINDS
from tests.test_evidence import made

HOSTILE = "</code><script>alert(1)</script>\"'><img src=x onerror=alert(2)>&amp;"


class Page(HTMLParser):
    """The tags of a page with their attributes, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, list[tuple[str, str | None]]]] = []
        self.words = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, [of for of in attrs if of[0] != "href"]))

    def handle_data(self, data: str) -> None:
        self.words += data


@pytest.fixture(scope="module")
def card() -> Evidence:
    return made((7, 3))


def written(of: Evidence) -> str:
    """All text of its page."""
    return Page(html(of)).words


def hostile(card: Evidence) -> Evidence:
    """The card after somebody put tags in each of its texts."""
    changes = tuple(replace(of, group=f"{of.group} {HOSTILE}") for of in card.changes)
    said = {f"{name} {HOSTILE}": replace(of, reason=HOSTILE) for name, of in card.findings.items()}
    facts = {HOSTILE: HOSTILE}
    return replace(
        card,
        model=HOSTILE,
        layer=HOSTILE,
        concept=HOSTILE,
        ablation=HOSTILE,
        data=HOSTILE,
        data_hash=HOSTILE,
        weights_hash=HOSTILE,
        findings=said,
        changes=changes,
        controls=replace(card.controls, measure=HOSTILE),
        kept_controls=replace(card.kept_controls, measure=HOSTILE),
        made_with=facts,
        training=facts,
    )


# What is on it


def test_the_question_and_all_verdicts_with_their_reasons_are_there(card: Evidence) -> None:
    words = written(card)
    assert words.count(card.question) == 2  # title and heading
    assert len(card.findings) == 4
    for name, finding in card.findings.items():
        assert f"{name}: {finding.verdict}" in words
        assert finding.reason in words
        assert f"n = {finding.n:,}" in words


@pytest.mark.parametrize("verdict", VERDICTS)
def test_every_verdict_can_be_shown(card: Evidence, verdict: str) -> None:
    finding = replace(card.findings["necessary"], verdict=verdict)
    other = replace(card, findings={**card.findings, "necessary": finding})
    assert f"necessary: {verdict}" in written(other)


def test_every_group_is_there_with_its_accuracies(card: Evidence) -> None:
    page = html(card)
    groups = [of for of in card.changes if of.measure == "accuracy"]
    assert len(groups) > 10
    for of in groups:
        row = f"<tr><td>{group_name(of.group)}<td>{of.n:,}<td>{of.before:.1%}<td>{of.after:.1%}"
        assert row in page
        assert f"<td>{of.change:+.1%}<td>{of.low:+.1%} to {of.high:+.1%}" in page


def test_a_change_is_written_with_its_sign(card: Evidence) -> None:
    own = Change("class-7", "accuracy", 1234, 0.95, 0.4, -0.55, -0.6, -0.5, 700, 21)
    other = replace(card, changes=(own, replace(own, measure="nll", group="class-4")))
    page = html(other)
    assert "<td>7<td>1,234<td>95.0%<td>40.0%<td>-55.0%<td>-60.0% to -50.0%" in page
    assert "<td>4<td>" not in page  # accuracy alone


def test_all_that_is_needed_to_repeat_it_is_there(card: Evidence) -> None:
    told = replace(card, training={"epochs": 9, "batch": 250})
    words = written(told)
    for fact in (*card.names, card.data, card.data_hash, card.weights_hash, card.ablation):
        assert fact in words
    for name, version in card.made_with.items():
        assert f"{name} {version}" in words
    assert "epochs 9, batch 250" in words
    assert "unknown" not in words
    assert "unknown" in written(replace(card, training={}))
    assert f"{card.discovery:,}, confirmation {card.confirmation:,}" in words


def test_the_units_stand_beside_their_controls(card: Evidence) -> None:
    effects = tuple(k / 100 for k in reversed(range(101)))  # in no order
    other = replace(card, controls=Controls("loss", 1.5, effects, 88, 0.0123))
    words = written(other)
    assert "Loss: these units 1.500; 101 sets of units of similar strength (88 different)" in words
    assert "a median of 0.500 and a 95th percentile of 0.950; p = 0.0123." in words
    none = replace(card, controls=replace(card.controls, effects=()))
    assert "too few other units for control sets" in written(none)


@pytest.mark.parametrize(
    ("group", "words"),
    [
        ("class-7", "7"),
        ("crossed-7", "crossed 7"),
        ("class-7, not crossed-7", "7, not crossed 7"),
        ("orientation-45", "strokes at 45°"),
        ("not class-3", "not 3"),
        ("all other digits", "all other digits"),
    ],
)
def test_a_group_is_named_in_words(group: str, words: str) -> None:
    assert group_name(group) == words


def test_what_each_operator_says_is_there_where_they_were_compared(card: Evidence) -> None:
    assert "replacement value" not in written(card)
    found = under_each(dict.fromkeys(KINDS, card)).by_kind
    page = html(replace(card, operators=found))
    for kind in KINDS:
        assert f"<tr><td>{escape(IN_WORDS[kind])}<td>{card.verdict}<td>{-card.effect:.1%}" in page
    assert page.count("<td>–<td>–<td>–") == 2  # that leave the class
    assert Evidence.from_json(replace(card, operators=found).to_json()).operators == found


# On its own


def test_the_units_stand_beside_untrained_networks(card: Evidence) -> None:
    assert "untrained networks" not in written(card)
    scores = {"necessary": 0.5, "global detector": 0.9}
    untrained = {"necessary": [0.0] * 19 + [0.125], "global detector": [0.7] * 20}
    said = written(replace(card, scores=scores, untrained=untrained))
    assert "Compared with untrained networks" in said
    for number in ("0.500", "0.125", "0.900", "0.700"):
        assert number in said


def test_it_needs_nothing_from_elsewhere(card: Evidence) -> None:
    page = html(card)
    assert page.startswith("<!doctype html>")
    for outside in ("http:", "https:", "src=", "url(", "@import", "<script", "<link", "//"):
        assert outside not in re.sub(r"base64,[A-Za-z0-9+/=]+", "", page)
    assert all(of.startswith("data:application/json") for of in re.findall('href="([^"]*)', page))


def test_the_evidence_in_it_can_be_loaded_again(card: Evidence) -> None:
    (data,) = re.findall(r'href="data:application/json;base64,([A-Za-z0-9+/=]+)"', html(card))
    assert Evidence.from_json(base64.b64decode(data)) == card


def test_text_that_would_act_is_only_text(card: Evidence) -> None:
    clean, page = Page(html(card)), html(hostile(card))
    spoiled = Page(page)
    assert [tag for tag, _ in spoiled.tags] == [tag for tag, _ in clean.tags]
    assert spoiled.tags == clean.tags  # no attribute is new either
    assert "<script" not in page
    assert "<img" not in page
    assert spoiled.words.count(HOSTILE) > 20


def test_what_could_not_be_measured_is_a_dash() -> None:
    assert [_share(value) for value in (0.5, float("nan"), float("inf"))] == ["50.0%", "–", "–"]
    assert _share(-0.123, "+") == "-12.3%"
    assert _share(0.0, "+") == "+0.0%"
