"""Digits to choose from, by a click: the one that is followed through a network, and others."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import streamlit as st
from torch import Tensor

from core import pictures
from core.data import SOURCES, DataSet
from core.runs import Run
from core.runtime import cache
from core.runtime.drawings import drawn_once
from core.text import literal
from pages.kit import links
from pages.kit.gallery import gallery
from pages.kit.grid import Grid, image_grid

__all__ = [
    "Followed",
    "choose_digit",
    "digit_option",
    "first_of_each",
    "followed",
    "followed_number",
]

_EACH = 3  # digits of a class to choose from


class Followed(NamedTuple):
    """A test digit. number: its position in the confirmation half, for arrays of that half alone.

    name: "mnist/test/1234", which is what is shown. image: (1, 1, 28, 28) in 0..1.
    """

    number: int
    name: str
    image: Tensor
    label: int

    @property
    def file_name(self) -> str:
        """The name as part of a file's name."""
        return self.name.replace("/", "-")


def followed(run: Run) -> Followed:
    """The digit of the address, below a row of digits to choose another from."""
    digits = cache.digits(run.data, "confirmation")
    number = followed_number(digits)
    name, label = digits.ids[number], int(digits.labels[number])
    with st.expander(f"{name}, a {label}. Choose another", True):
        choose_digit(
            digit_option("digit", digits),
            digits,
            first_of_each(digits, 0, _EACH),
            key="grid of followed digits",
            label="Digits to follow through the network",
        )
        st.caption("Three digits of each class, from test digits that were not used for training.")
    return Followed(number, name, digits.images[number][None], label)


def followed_number(digits: DataSet) -> int:
    """The position of the followed digit in the confirmation half, which `digits` are."""
    return digit_option("digit", digits).value()


def digit_option(key: str, digits: DataSet, default: int = 0) -> links.Option[int]:
    """A choice of one of the digits: a position in them, in the address the image's name.

    An image of another source's test file is one that was chosen before the data were switched:
    the default is shown, without a warning.
    """
    names = digits.ids

    def parse(text: str) -> int:
        if text in names:
            return names.index(text)
        source = re.fullmatch("([a-z_]+)/test/[0-9]+", text)
        if source and source[1] in SOURCES and source[1] != digits.name:
            return default
        raise ValueError(
            f"{literal(f'{key}={text}')} names no image of the confirmation half of "
            f"{digits.file}: write a name such as {names[default]}."
        )

    return links.Option(key, default, parse, names.__getitem__, range(len(digits)))


def choose_digit(
    option: links.Option[int],
    digits: DataSet,
    offered: Sequence[int],
    *,
    key: str,
    label: str,
) -> None:
    """A row of the digits offered, and before them the chosen one if it is another."""
    number, names = option.value(), digits.ids
    shown = list(offered) if number in offered else [number, *offered]
    picked = image_grid(
        _row(digits, tuple(shown)),
        key=key,
        label=label,
        selected=shown.index(number),
        scale=1,
    )
    if picked is not None and shown[picked] != number:
        links.put(**{option.key: names[shown[picked]]})
        st.rerun()


@drawn_once
def _row(digits: DataSet, shown: tuple[int, ...]) -> Grid:
    """The digits at these places, each with its name and class."""
    return gallery(
        pictures.ink(digits.images[list(shown), 0].numpy()),
        [f"{digits.ids[at]}, a {digits.labels[at]}" for at in shown],
    )


@drawn_once
def first_of_each(digits: DataSet, skipped: int, count: int) -> list[int]:
    """`count` digits of each class, class by class, without the first `skipped` of it."""
    places = [np.flatnonzero(digits.labels == label) for label in range(10)]
    found: list[int] = np.concatenate([own[skipped : skipped + count] for own in places]).tolist()
    return found
