"""The one digit that is followed through a network, chosen from the confirmation half."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st
from torch import Tensor

from core import pictures
from core.runs import Choice
from core.runtime import cache
from pages.kit import links
from pages.kit.gallery import gallery
from pages.kit.grid import image_grid

__all__ = ["Followed", "digit_number", "followed"]

_OFFERED = 30  # digits to choose from, three of each class


@dataclass(frozen=True)
class Followed:
    """A test digit. number: in the confirmation half. image: (1, 1, 28, 28) in 0..1."""

    number: int
    image: Tensor
    label: int


def digit_number() -> links.Option[int]:
    """Which digit, in the address."""
    return links.integer("digit", 0, 4999, 0)


def followed(choice: Choice) -> Followed:
    """The digit of the address, below a row of digits to choose another from."""
    digits, option = cache.digits(choice.data, "confirmation"), digit_number()
    number = min(option.value(), len(digits) - 1)
    labels = digits.labels.tolist()
    offered = [at for digit in range(10) for at in _first(labels, digit, _OFFERED // 10)]
    shown = offered if number in offered else [number, *offered]
    names = [f"test digit {at}, a {labels[at]}" for at in shown]
    with st.expander(f"Test digit {number}, a {labels[number]}. Choose another", True):
        picked = image_grid(
            gallery(pictures.ink(digits.images[shown, 0].numpy()), names),
            key="grid of followed digits",
            label="Digits to follow through the network",
            selected=shown.index(number),
            scale=1,
        )
        st.caption("Three digits of each class, from test digits that were not used for training.")
    if picked is not None and shown[picked] != number:
        links.put(digit=shown[picked])
        st.rerun()
    return Followed(number, digits.images[number][None], labels[number])


def _first(labels: list[int], digit: int, most: int) -> list[int]:
    """The first `most` digits of a class."""
    return [at for at, label in enumerate(labels) if label == digit][:most]
