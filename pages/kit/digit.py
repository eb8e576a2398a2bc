"""Digits to choose from, by a click: the one that is followed through a network, and others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st
from torch import Tensor

from core import pictures
from core.data import DataSet
from core.runs import Run
from core.runtime import cache
from core.runtime.drawings import drawn_once
from pages.kit import links
from pages.kit.gallery import gallery
from pages.kit.grid import image_grid

__all__ = ["Followed", "choose_digit", "first_of_each", "followed", "followed_number"]

DIGIT = links.integer("digit", 0, 4999, 0)
_EACH = 3  # digits of a class to choose from


@dataclass(frozen=True)
class Followed:
    """A test digit. number: in the confirmation half. image: (1, 1, 28, 28) in 0..1."""

    number: int
    image: Tensor
    label: int


def followed(choice: Run) -> Followed:
    """The digit of the address, below a row of digits to choose another from."""
    digits = cache.digits(choice.data, "confirmation")
    number = followed_number(len(digits))
    label = int(digits.labels[number])
    with st.expander(f"Test digit {number}, a {label}. Choose another", True):
        choose_digit(
            DIGIT,
            digits,
            first_of_each(digits, 0, _EACH),
            key="grid of followed digits",
            label="Digits to follow through the network",
        )
        st.caption("Three digits of each class, from test digits that were not used for training.")
    return Followed(number, digits.images[number][None], label)


def followed_number(count: int) -> int:
    """Which of `count` digits is followed."""
    return min(DIGIT.value(), count - 1)


def choose_digit(
    option: links.Option[int],
    digits: DataSet,
    offered: Sequence[int],
    *,
    key: str,
    label: str,
) -> None:
    """A row of the digits offered, and before them the chosen one if it is another."""
    number = min(option.value(), len(digits) - 1)
    shown = list(offered) if number in offered else [number, *offered]
    picked = image_grid(
        gallery(
            pictures.ink(digits.images[shown, 0].numpy()),
            [f"test digit {at}, a {digits.labels[at]}" for at in shown],
        ),
        key=key,
        label=label,
        selected=shown.index(number),
        scale=1,
    )
    if picked is not None and shown[picked] != number:
        links.put(**{option.key: shown[picked]})
        st.rerun()


@drawn_once
def first_of_each(digits: DataSet, skipped: int, count: int) -> list[int]:
    """`count` digits of each class, class by class, without the first `skipped` of it."""
    places = [np.flatnonzero(digits.labels == label) for label in range(10)]
    found: list[int] = np.concatenate([own[skipped : skipped + count] for own in places]).tolist()
    return found
