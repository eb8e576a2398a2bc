"""Links: what the address says is what is shown; a wrong value is named with the right ones."""

from __future__ import annotations

import pytest

from pages.parts.links import integer, one_of, several


def test_one_of_names_the_values() -> None:
    option = one_of("layer", ("conv_0", "conv_1"), "conv_1")
    assert option.default == "conv_1"
    assert option.parse("conv_0") == "conv_0"
    with pytest.raises(ValueError, match=r"layer=fc is not known: choose one of conv_0, conv_1"):
        option.parse("fc")


@pytest.mark.parametrize("text", ["", "x", "1.5", "-1", "1000", "1e2", "9" * 5000, "٣x", "0x1"])
def test_integers_outside_the_range_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="choose a whole number, 0 to 999"):
        integer("seed", 0, 999, 0).parse(text)


def test_integers_may_be_negative_where_that_is_valid() -> None:
    assert integer("at", -5, 5, 0).parse("-3") == -3


def test_several_values_are_split_once_each_and_limited() -> None:
    option = several("compare", ("1", "2", "3"), most=2)
    assert option.parse("2,1,") == ["2", "1"]
    assert option.parse("") == []
    assert option.write(["2", "1"]) == "2,1"
    assert several("compare", ("1", "2"), most=3).parse("1,1,2") == ["1", "2"]
    with pytest.raises(ValueError, match="compare=9 is not known: choose from 1, 2, 3"):
        option.parse("9")
    with pytest.raises(ValueError, match="at most 2"):
        option.parse("1,2,3")
