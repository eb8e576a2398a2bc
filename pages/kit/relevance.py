"""The digits that some units matter for: a row of them, and how far they are the most activating.

Shown for a unit on its page, and for the units of a claim.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import streamlit as st

from core import pictures
from core.analyses.relevance import Relevance
from core.analyses.relevance.task import UnitRelevance
from core.data import DataSet
from core.runtime.drawings import drawn_once
from pages.kit import links
from pages.kit.controls import toggle
from pages.kit.gallery import gallery
from pages.kit.glossary import DEFINITIONS, NAMES
from pages.kit.grid import Grid, image_grid
from pages.kit.recorded import recorded
from pages.kit.tables import column, download

__all__ = ["LAST_LAYER", "amount", "nothing", "overlap", "row", "table", "wanted"]

LAST_LAYER = (
    "Units of the last layer are the answer itself: without one of them the network has no score "
    "for that class, which says nothing about digits."
)
WANTED = links.switch("relevance")
_LISTED = 100  # digits in the table
_COUNTS = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def wanted(fast: bool) -> bool:
    """Whether to look for the digits; where that takes long, only when it is asked for."""
    return fast or toggle(
        WANTED,
        "Look for the digits it matters for",
        help="No dense layer reads this one directly, so the network is run anew many times: "
        "seconds for a small network, minutes for one that reads row by row or by capsules.",
    )


def amount(value: float) -> str:
    """A change of a margin: two decimals, or two digits of a small one."""
    return f"{value:.2f}" if abs(value) >= 0.1 else f"{value:.2g}"


def nothing(found: Relevance, units: int) -> None:
    """Say that the units matter for no digit, and in which way."""
    subject = "removing the unit" if units == 1 else f"removing these {units} units together"
    n = len(found.necessity)
    if (abs(found.necessity) <= found.rounding).all():
        st.markdown(f"**None.** On {n:,} digits, {subject} changes no margin.")
    else:
        st.markdown(
            f"**None.** On {n:,} digits, {subject} lowers no margin; it raises the margin of "
            f"{int((found.necessity < -found.rounding).sum()):,}."
        )


def row(
    found: UnitRelevance, digits: DataSet, *, label: str, replaced: str, selected: int | None = None
) -> int | None:
    """The digits, most first; the number of the one that is clicked just now, if one is.

    label: whose digits these are. replaced: by what, such as "0". selected: a digit's number.
    """
    numbers = found.trained.digits.tolist()
    picked = image_grid(
        _row(found, digits),
        key="grid of relevant digits",
        label=label,
        selected=numbers.index(selected) if selected in numbers else None,
        scale=1,
    )
    st.caption(
        "Below each: its class · by how much its margin falls when the activation is replaced by "
        f"{replaced}. Digits of the confirmation half.",
        help=DEFINITIONS["necessity"],
    )
    return None if picked is None else int(numbers[picked])


@drawn_once
def _row(found: UnitRelevance, digits: DataSet) -> Grid:
    """The digits that matter most."""
    of, labels = found.trained, digits.labels.tolist()
    numbers = of.digits
    return gallery(
        pictures.enlarged(pictures.ink(digits.images.numpy()[numbers, 0]), 3),
        [
            f"{digits.ids[at]}, a {labels[at]}: margin {amount(of.margin[at])}, without "
            f"{amount(of.margin[at] - of.necessity[at])}; activation {of.activation[at]:.2f}"
            for at in numbers
        ],
        [f"{labels[at]} · {amount(of.necessity[at])}" for at in numbers],
    )


@recorded
def overlap(found: UnitRelevance, units: int) -> None:
    """How many of the digits are among the most activating ones, trained and untrained."""
    of = found.trained
    st.markdown(
        f"{_both_lists(len(of.digits), of.shared, units)} Rank correlation of activation and loss "
        f"over all {len(of.necessity):,} digits: {_number(of.correlation)}.",
        help=DEFINITIONS["overlap"],
    )
    st.caption(
        f"Untrained, same seed: {_shared(found.untrained)}, rank correlation "
        f"{_number(found.untrained.correlation)}.",
        help=DEFINITIONS["untrained"],
    )


def _both_lists(count: int, shared: int, units: int) -> str:
    """How many of `count` digits that units matter for are among as many most activating ones."""
    they, them = ("it", "it") if units == 1 else ("these units", "them")
    matter = "matters" if units == 1 else "matter"
    if count == 1:
        is_ = "**is**" if shared else "**is not**"
        return f"The one digit that {they} {matter} for {is_} the one that activates {them} most."
    is_ = "is" if shared <= 1 else "are"
    return (
        f"Of the {_count(count)} digits that {they} {matter} for most, **{_count(shared)}** {is_} "
        f"among the {_count(count)} that activate {them} most."
    )


def _count(digits: int) -> str:
    """How many digits, in a word."""
    return _COUNTS[digits] if digits < len(_COUNTS) else str(digits)


def _shared(found: Relevance) -> str:
    """How many digits both lists have, in words."""
    if not len(found.digits):
        return "there are no digits that matter"
    return f"{_count(found.shared)} of {_count(len(found.digits))}"


def _number(value: float) -> str:
    """A correlation, or that there is none."""
    return "not defined, for one of them never changes" if math.isnan(value) else f"{value:.2f}"


def table(found: UnitRelevance, digits: DataSet, name: str) -> None:
    """The digits of the largest loss as a table, all of them to download. name: of the file."""
    with st.expander("As a table", icon=":material/table:"):
        frame = _frame(found, digits)
        st.dataframe(
            frame.head(_LISTED),
            hide_index=True,
            column_config={
                "image": "Image",
                "class": "Class",
                "activation": column(
                    "Activation", "As the ReLU passes it on; of a map the maximum."
                ),
                "margin": column(
                    "Margin", "The logit of the correct class less the largest other."
                ),
                "without": column("Without", "The margin after the replacement."),
                "loss": column(NAMES["necessity"], DEFINITIONS["necessity"]),
                "linear share": column(NAMES["linear share"], DEFINITIONS["linear share"]),
            },
        )
        st.caption(f"The {_LISTED} digits of the largest loss; the file has all {len(frame):,}.")
        download(frame, name)


@drawn_once
def _frame(found: UnitRelevance, digits: DataSet) -> pd.DataFrame:
    """A row for each digit, the largest loss first."""
    of, has_shares = found.trained, not bool(np.isnan(found.shares.share).all())
    frame = pd.DataFrame(
        {
            "image": digits.ids,
            "class": digits.labels.tolist(),
            "activation": of.activation,
            "margin": of.margin,
            "without": of.margin - of.necessity,
            "loss": of.necessity,
            "linear share": found.shares.share,
        }
    )
    if not has_shares:
        frame = frame.drop(columns="linear share")
    return frame.sort_values("loss", ascending=False, kind="stable")
