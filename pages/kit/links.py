"""Every view is a link: what a page shows is read from the address and written back to it.

The address is the only place where a choice lives. A widget shows it and writes to it, so a link,
a reload and the browser's back button all give the same view. A value that the page doesn't know
is left in the address, the default is shown, and a sentence says which values are right.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import urlencode, urlsplit, urlunsplit

import streamlit as st

from core.arguments import parse_whole
from core.text import literal

__all__ = [
    "Option",
    "copy_link",
    "integer",
    "one_of",
    "put",
    "several",
    "span",
    "switch",
    "wrong_values",
]

Value = TypeVar("Value")
_WRONG = "wrong values of this run"  # where a run keeps what it has to say about its address


@dataclass(frozen=True)
class Option(Generic[Value]):
    """One choice in the address: its key, the value when it isn't there, and how to read it.

    parse: text -> value, raising `ValueError` with a sentence that names the valid values.
    write: value -> text.
    """

    key: str
    default: Value
    parse: Callable[[str], Value]
    write: Callable[[Value], str] = str

    def value(self) -> Value:
        """What the address says, or the default and a sentence for `wrong_values`."""
        text = st.query_params.get(self.key)
        if text is None:
            return self.default
        try:
            return self.parse(text)
        except ValueError as error:
            st.session_state.setdefault(_WRONG, {})[self.key] = str(error)
            return self.default

    def shown(self) -> Value:
        """`value`, which a widget of this key is made to show."""
        value = self.value()
        if st.session_state.get(self.key) != value:
            st.session_state[self.key] = value
        return value

    def changed(self, **others: object) -> None:
        """Write what the widget of this key says to the address, and `others` in the same step."""
        value = st.session_state[self.key]
        own = {self.key: self.default if value is None else value}
        put(**{**others, **own}, write={self.key: self.write})


def one_of(
    key: str,
    values: Sequence[str],
    default: str | None = None,
    *,
    listed: Sequence[str] | None = None,
) -> Option[str]:
    """A choice of one of `values`, by default the first.

    listed: those to name to somebody who asked for another; None for all.
    """

    def parse(text: str) -> str:
        if text not in values:
            raise ValueError(
                f"{_pair(key, text)} is not known: choose one of {', '.join(listed or values)}."
            )
        return text

    return Option(key, values[0] if default is None else default, parse)


def integer(key: str, low: int, high: int, default: int) -> Option[int]:
    """A whole number from `low` to `high`."""

    def parse(text: str) -> int:
        number = parse_whole(text)
        if number is None or not low <= number <= high:
            raise ValueError(
                f"{_pair(key, text)} is not valid: choose a whole number, {low} to {high}."
            )
        return number

    return Option(key, default, parse)


def switch(key: str) -> Option[bool]:
    """Yes or no, and no by default."""

    def parse(text: str) -> bool:
        if text not in ("yes", "no"):
            raise ValueError(f"{_pair(key, text)} is not known: choose yes or no.")
        return text == "yes"

    return Option(key, False, parse, lambda on: "yes" if on else "no")


def span(key: str, low: int, high: int) -> Option[tuple[int, int]]:
    """A range within `low` to `high`, all of it by default; "20-80" in the address."""

    def parse(text: str) -> tuple[int, int]:
        before, _, after = text.partition("-")
        first, last = parse_whole(before), parse_whole(after)
        if first is None or last is None or not low <= first <= last <= high:
            raise ValueError(
                f"{_pair(key, text)} is not a range: write two of {low} to {high}, as 20-80."
            )
        return first, last

    return Option(key, (low, high), parse, lambda ends: f"{ends[0]}-{ends[1]}")


def several(key: str, values: Sequence[str], most: int | None = None) -> Option[list[str]]:
    """Any of `values`, none by default, at most `most` of them; commas in the address."""

    def parse(text: str) -> list[str]:
        chosen = [part for part in text.split(",") if part]
        wrong = [part for part in chosen if part not in values]
        if wrong:
            known = ", ".join(values) if len(values) <= 20 else f"{values[0]} to {values[-1]}"
            raise ValueError(f"{_pair(key, wrong[0])} is not known: choose from {known}.")
        if most is not None and len(chosen) > most:
            raise ValueError(f"{key} names {len(chosen)} values: choose at most {most}.")
        return list(dict.fromkeys(chosen))

    return Option(key, [], parse, ",".join)


def _pair(key: str, text: str) -> str:
    """A choice as the address has it, shown as it is."""
    return literal(f"{key}={text}")


def put(*, write: Mapping[str, Callable[..., str]] | None = None, **values: object) -> None:
    """Write `values` to the address in one step of the browser's history; None takes a key out.

    Two calls in one run would be two steps, and Back would lead to what was between them.
    """
    kept = {key: text for key, text in st.query_params.items() if values.get(key, "") is not None}
    texts = {
        key: (write or {}).get(key, str)(value)
        for key, value in values.items()
        if value is not None
    }
    st.query_params.from_dict(kept | texts)


def forget_wrong_values() -> None:
    """Forget the wrong values that an earlier run found in the address."""
    st.session_state[_WRONG] = {}


def wrong_values() -> list[str]:
    """A sentence for every value in the address that was read in this run and isn't valid."""
    return list(st.session_state.get(_WRONG, {}).values())


def copy_link(values: Mapping[str, object]) -> None:
    """A button that shows the address of this view with every value written out, to be copied."""
    parts = urlsplit(st.context.url or "")
    query = urlencode({key: str(value) for key, value in values.items()}, safe=",/")
    with st.popover("Link to this view", icon=":material/link:"):
        st.code(urlunsplit(parts._replace(query=query)), language=None, wrap_lines=True)
        st.caption("Opens exactly what you see: data, model, seed and every choice.")
