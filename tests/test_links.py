"""Links: what the address says is what is shown; a wrong value is named with the right ones."""

from __future__ import annotations

import re

import pytest

from core.text import literal
from pages.kit.links import Option, integer, one_of, several, span, switch
from pages.kit.unit import unit_option


def test_one_of_names_the_values() -> None:
    option = one_of("layer", ("conv_0", "conv_1"), "conv_1")
    assert option.default == "conv_1"
    assert option.parse("conv_0") == "conv_0"
    with pytest.raises(ValueError, match=r"^`layer=fc` is not known: choose one of conv_0, conv_1"):
        option.parse("fc")


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "x",
            "1.5",
            "-1",
            "1000",
            "1e2",
            "9" * 5000,
            "٣x",
            "0x1",
            "٣",
            "1_0",
            "+1",
            " 1",
            "1\n",
        ),
        # The number that is checked is the number that is used, whatever stands before it.
        *("0000000000001234", "-00000000000003", "0" * 4999 + "1"),
    ],
)
def test_integers_outside_the_range_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="choose a whole number, 0 to 999"):
        integer("seed", 0, 999, 0).parse(text)


def test_integers_may_begin_with_zeros() -> None:
    assert integer("unit", 0, 99, 0).parse("0000000000000058") == 58


@pytest.mark.parametrize("text", ["0-0000000000101", "-5-3", "5", "7-3", "a-b", "0-100 ", "٣-٥"])
def test_ranges_outside_the_range_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a range: write two of 0 to 100, as 20-80"):
        span("active", 0, 100).parse(text)


def test_a_switch_is_yes_or_no() -> None:
    assert switch("shuffled").parse("yes") is True
    assert switch("shuffled").parse("no") is False
    assert [switch("shuffled").write(on) for on in (True, False)] == ["yes", "no"]
    with pytest.raises(ValueError, match=r"^`shuffled=Yes` is not known: choose yes or no"):
        switch("shuffled").parse("Yes")


@pytest.mark.parametrize("option", [one_of("a", ("b",)), integer("a", 0, 9, 0), span("a", 0, 9)])
def test_a_wrong_value_is_named_literally_and_cut(option: Option[object]) -> None:
    for text in ("[x](http://example.org)", "![x](http://example.org/x.png)", "x" * 5000):
        with pytest.raises(ValueError, match=re.escape(literal(f"a={text}"))) as info:
            option.parse(text)
        assert len(str(info.value)) < 200


def test_integers_may_be_negative_where_that_is_valid() -> None:
    assert integer("at", -5, 5, 0).parse("-3") == -3


def test_several_values_are_split_once_each_and_limited() -> None:
    option = several("compare", ("1", "2", "3"), most=2)
    assert option.parse("2,1,") == ["2", "1"]
    assert option.parse("") == []
    assert option.write(["2", "1"]) == "2,1"
    assert several("compare", ("1", "2"), most=3).parse("1,1,2") == ["1", "2"]
    with pytest.raises(ValueError, match=r"^`compare=9` is not known: choose from 1, 2, 3"):
        option.parse("9")
    with pytest.raises(ValueError, match="at most 2"):
        option.parse("1,2,3")


def test_a_unit_is_its_index_and_its_name_in_the_address() -> None:
    option = unit_option("mlp", "linear_1", 128, 5)
    assert option.default == 5
    assert option.parse("mlp/linear_1/58") == 58
    assert option.write(58) == "mlp/linear_1/58"
    assert option.parse("58") == 58  # beside a layer, as people write it
    for text in (
        "128",
        "-1",
        "mlp/linear_1/128",
        "mlp/linear_0/58",
        "lenet5/linear_1/58",
        "<b>",
        "",
    ):
        with pytest.raises(ValueError, match="write one of mlp/linear_1/0 to") as info:
            option.parse(text)
        assert str(info.value).startswith(literal(f"unit={text}"))
