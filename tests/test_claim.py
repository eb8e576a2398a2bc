"""Units as people write them: there and back, and what is said of a text that names none."""

from __future__ import annotations

import numpy as np
import pytest

from core.text import literal
from pages.parts.ask.claim import parse_units, write_units


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("", ()),
        ("  ", ()),
        (", ,", ()),
        ("58", (58,)),
        ("58, 28", (28, 58)),
        ("3-7", (3, 4, 5, 6, 7)),
        ("3-7, 12", (3, 4, 5, 6, 7, 12)),
        ("  3 - 5 ,, 7 ", (3, 4, 5, 7)),
        ("5-5", (5,)),
        ("3,3,2-4", (2, 3, 4)),
        ("007", (7,)),
        ("0,99", (0, 99)),
    ],
)
def test_units_are_read(text: str, units: tuple[int, ...]) -> None:
    assert parse_units(text, 100) == units


@pytest.mark.parametrize(
    ("units", "text"),
    [
        ((), ""),
        ((4,), "4"),
        ((4, 5), "4,5"),
        ((4, 5, 6), "4-6"),
        ((0, 1, 2, 4, 6, 7, 9, 10, 11, 12), "0-2,4,6,7,9-12"),
    ],
)
def test_runs_of_three_and_more_are_written_as_a_range(units: tuple[int, ...], text: str) -> None:
    assert write_units(units) == text


def test_what_is_written_is_read_again() -> None:
    generator = np.random.default_rng(0)
    for _ in range(300):
        count = int(generator.integers(2, 260))
        size = int(generator.integers(0, count))
        units = tuple(sorted(generator.choice(count, size, replace=False).tolist()))
        assert parse_units(write_units(units), count) == units


@pytest.mark.parametrize(
    "bad",
    [
        *("abc", "1e1", "1.5", "+3", "1_0", "²", "3 4", "1;2", "lenet5/linear_0/3"),
        *("-1", "3-", "-", "1-2-3", "1--2", "3-a"),
        *("100", "98-100", "1000000", "9" * 50),
    ],
)
def test_a_text_that_names_no_unit_is_named_with_the_valid_numbers(bad: str) -> None:
    with pytest.raises(ValueError, match="write numbers from 0 to 99") as info:
        parse_units(f"4, {bad}, 5", 100)
    assert str(info.value).startswith(literal(bad))


@pytest.mark.parametrize("text", ["7-3", "4, 7-3"])
def test_a_range_from_high_to_low_is_named(text: str) -> None:
    with pytest.raises(ValueError, match=r"^`7-3` .*from 0 to 99"):
        parse_units(text, 100)


def test_a_text_without_end_is_cut_and_read_at_once() -> None:
    for bad in ("9" * 100_000, "x" * 100_000):
        with pytest.raises(ValueError, match="names no unit") as info:
            parse_units(bad, 100)
        assert len(str(info.value)) < 200


@pytest.mark.parametrize("text", ["0-9", "0-4,5-9", "9,8,7,6,5,4,3,2,1,0"])
def test_all_units_leave_nothing_to_compare_with(text: str) -> None:
    with pytest.raises(ValueError, match="all 10 units of the layer: leave out at least one"):
        parse_units(text, 10)
    assert len(parse_units(text, 11)) == 10
