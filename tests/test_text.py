"""What comes from outside is shown as it is: literal, on one line, short."""

from __future__ import annotations

import re

import pytest

from core.text import SHORT, literal, shown

MARKUP = (
    "[Sign in again](https://example.org)",
    "![x](http://example.org/x.png)",
    "# heading",
    ":red[alarm]",
    ":smile:",
    "$x^2$",
    "https://example.org",
    "someone@example.org",
    "<b>bold</b>",
    "*a* _b_ ~c~",
    "| a | b |",
)


@pytest.mark.parametrize("value", MARKUP)
def test_markup_is_code(value: str) -> None:
    assert literal(value) == f"`{value}`"


def test_the_name_of_an_icon_is_no_icon() -> None:
    assert literal(":material/home:") == "`:\u2060material/home:`"


@pytest.mark.parametrize("value", ["`", "``", "a`b", "`a`", "```\n# x", "a``b`c", "` `"])
def test_backticks_do_not_end_the_code(value: str) -> None:
    shown = literal(value)
    fence = re.match("`+", shown)[0]
    assert shown.endswith(fence)
    inside = shown[len(fence) : -len(fence)]
    assert all(len(run) < len(fence) for run in re.findall("`+", inside))
    assert inside.strip().replace("\\n", "\n") == value.strip()


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("two\nlines\r", "`two\\nlines\\r`"),
        ("left\u202eright", "`left\\u202eright`"),
        ("half \ud800", "`half \\ud800`"),
        ("\x00", "`\\x00`"),
        ("", "`''`"),
        (None, "`None`"),
        (7.5, "`7.5`"),
        ("Ziffer ß 七", "`Ziffer ß 七`"),
    ],
)
def test_what_cannot_be_seen_is_escaped(value: object, shown: str) -> None:
    assert literal(value) == shown


def test_long_values_are_cut() -> None:
    assert literal("x" * SHORT) == f"`{'x' * SHORT}`"
    assert literal("x" * 5000) == f"`{'x' * (SHORT - 1)}…`"
    assert literal("abcdef", most=4) == "`abc…`"


@pytest.mark.parametrize("value", [*MARKUP, "a`b", "``", "`", "two\nlines", ""])
def test_a_sentence_keeps_what_is_literal(value: str) -> None:
    sentence = f"{literal(value)} is not a layer: choose conv_0, or set SPECIALIZED_NEURONS_DATA."
    assert shown(sentence) == sentence


@pytest.mark.parametrize(
    ("text", "as_markdown"),
    [
        ("It has [x](y) and $z$.", r"It has \[x\](y) and \$z\$."),
        ("![x](http://example.org/x.png)", r"!\[x\](`http://example.org/x.png`)"),
        ("see www.example.org, or a@example.org", "see `www.example.org,` or `a@example.org`"),
        ("# one\n\n- two\n\n    three", r"\# one - two three"),
        ("a `b and <i>", r"a \`b and \<i\>"),
        ("a ```` b` c", r"a \`\`\`\` b\` c"),
    ],
)
def test_the_rest_of_a_sentence_is_text(text: str, as_markdown: str) -> None:
    assert shown(text) == as_markdown


def test_a_sentence_has_an_end() -> None:
    assert len(shown("`" * 100_000)) <= 4000
