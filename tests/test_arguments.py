"""Numbers of any library are taken where a number is meant, and nothing else is."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from core.arguments import parse_whole, real, whole

SEVENS = [7, 7.0, np.int64(7), np.uint8(7), np.float32(7), np.array(7), torch.tensor(7)]


@pytest.mark.parametrize("value", SEVENS, ids=lambda value: type(value).__name__)
def test_whole_numbers_of_any_library_become_pythons(value: object) -> None:
    assert type(whole(value, "seed")) is int
    assert whole(value, "seed", 7, 7) == 7


@pytest.mark.parametrize("value", [*SEVENS, np.float16(7), torch.tensor(7.0)])
def test_numbers_of_any_library_become_pythons(value: object) -> None:
    assert type(real(value, "strength")) is float
    assert real(value, "strength", 7, 7) == 7.0


@pytest.mark.parametrize(
    "value",
    [
        *(True, np.bool_(True), torch.tensor(True), "7", b"7", None, 7.5, float("nan"), [7], 1j),
        *(float("inf"), np.array([7, 8]), torch.tensor([7, 8]), np.datetime64(7, "s"), 8, -1),
    ],
    ids=repr,
)
def test_anything_else_is_refused_as_a_whole_number(value: object) -> None:
    with pytest.raises(ValueError, match=r"^seed is `.*`: give a whole number from 0 to 7\.$"):
        whole(value, "seed", 0, 7)


@pytest.mark.parametrize(
    "value",
    [True, "7", None, float("nan"), float("-inf"), [7], torch.tensor([7, 8]), 1j, 7.01, 10**400],
    ids=lambda value: str(value)[:20],
)
def test_anything_else_is_refused_as_a_number(value: object) -> None:
    with pytest.raises(ValueError, match=r"^level is `.*`: give a number from 0 to 7\.$"):
        real(value, "level", 0, 7)


def test_one_bound_is_named_alone() -> None:
    with pytest.raises(ValueError, match=r"give a whole number of at least 1\.$"):
        whole(0, "steps", 1)
    with pytest.raises(ValueError, match=r"give a number of at most 1\.$"):
        real(2, "share", high=1)
    with pytest.raises(ValueError, match=r"give a whole number\.$"):
        whole("x", "steps")


@pytest.mark.parametrize(
    ("text", "number"),
    [("0", 0), ("-3", -3), ("0058", 58), ("0000000000001234", 1234), ("9" * 18, 10**18 - 1)],
)
def test_written_numbers_are_read_whole(text: str, number: int) -> None:
    assert parse_whole(text) == number


@pytest.mark.parametrize("text", ["", "-", "+3", "3 ", "3.0", "1_000", "٣", "³", "9" * 19, "0x1"])
def test_other_text_is_no_number(text: str) -> None:
    assert parse_whole(text) is None
