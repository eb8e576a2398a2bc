"""The one digit that is followed through a network, chosen from the confirmation half."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st
from torch import Tensor

from core import pictures
from core.data import Digits
from core.runtime import cache
from core.runtime.drawings import drawn_once
from core.runtime.task import Choice
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
    labels, offered = _offered(digits)
    shown = offered if number in offered else [number, *offered]
    names = [f"test digit {at}, a {labels[at]}" for at in shown]
    with st.expander(f"Followed: test digit {number}, a {labels[number]}. Choose another", True):
        picked = image_grid(
            gallery(pictures.ink(digits.images[shown, 0].numpy()), names),
            key="grid of followed digits",
            label="Digits to follow through the network",
            selected=shown.index(number),
            scale=1,
        )
        st.caption("Three of each class from the confirmation half, on which nothing was learned.")
    if picked is not None and shown[picked] != number:
        links.put(digit=shown[picked])
        st.rerun()
    return Followed(number, digits.images[number][None], labels[number])


@drawn_once
def _offered(digits: Digits) -> tuple[tuple[int, ...], list[int]]:
    """Every digit's class, and the first digits of each class."""
    labels = tuple(digits.labels.tolist())
    first = [np.flatnonzero(digits.labels == digit)[: _OFFERED // 10] for digit in range(10)]
    return labels, np.concatenate(first).tolist()
