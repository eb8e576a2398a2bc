"""Every view is a link: what a page shows is read from the address and written back to it.

The address is the only place where a choice lives. A widget shows it and writes to it, so a link,
a reload and the browser's back button all give the same view. A value that the page doesn't know
is left in the address, the default is shown, and a sentence says which values are right.

Whatever a run reads is noted, so "Link to this view" leaves out no choice that the screen shows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode, urlsplit, urlunsplit

import streamlit as st

from core.arguments import parse_whole
from core.text import literal

__all__ = [
    "Option",
    "Part",
    "all_but",
    "begin_run",
    "choices",
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
_CHOICES = "choices of this run"  # every option that it has read, by key, with its value


@dataclass(frozen=True)
class Option(Generic[Value]):
    """One choice in the address: its key, the value when it isn't there, and how to read it.

    parse: text -> value, raising `ValueError` with a sentence that names the valid values.
    write: value -> text.
    values: the valid values in their order; where they can't be counted, some of them.
    implied: what another choice of the address says of this one, which goes before its own text.
    """

    key: str
    default: Value
    parse: Callable[[str], Value]
    write: Callable[[Value], str] = str
    values: Sequence[Value] = ()
    implied: Callable[[], Value | None] = lambda: None

    def value(self) -> Value:
        """What the address says, or the default and a sentence for `wrong_values`.

        It is noted for the link to this view.
        """
        value = self._read()
        st.session_state.setdefault(_CHOICES, {})[self.key] = (self, value)
        return value

    def _read(self) -> Value:
        """The value of the address, or the default."""
        implied, text = self.implied(), st.query_params.get(self.key)
        if implied is not None or text is None:
            return self.default if implied is None else implied
        try:
            return self.parse(text)
        except ValueError as error:
            st.session_state.setdefault(_WRONG, {})[self.key] = str(error)
            return self.default

    def shown(self) -> Value:
        """`value`, which a widget of this key is made to show."""
        value = self.value()
        _show(self.key, value)
        return value

    def changed(self, **others: object) -> None:
        """Write what the widget of this key says to the address, and `others` in the same step."""
        value = st.session_state[self.key]
        text = self.write(self.default if value is None else value)
        put(**{**others, self.key: text or None})


@dataclass(frozen=True)
class Part(Generic[Value]):
    """A part of another choice, such as one setting of the model that the address names.

    now: what it is. change: writes the choice with another value of this part to the address.
    """

    key: str
    now: Value
    values: Sequence[Value]
    change: Callable[[Value], None]

    def shown(self) -> Value:
        """What it is now, which a widget of this key is made to show."""
        _show(self.key, self.now)
        return self.now

    def changed(self) -> None:
        """Write the choice with what the widget of this key says."""
        self.change(st.session_state[self.key])


def _show(key: str, value: object) -> None:
    """Make the widget of this key show the value."""
    if st.session_state.get(key) != value:
        st.session_state[key] = value


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

    return Option(key, values[0] if default is None else default, parse, values=values)


def integer(key: str, low: int, high: int, default: int) -> Option[int]:
    """A whole number from `low` to `high`."""

    def parse(text: str) -> int:
        number = parse_whole(text)
        if number is None or not low <= number <= high:
            raise ValueError(
                f"{_pair(key, text)} is not valid: choose a whole number, {low} to {high}."
            )
        return number

    return Option(key, default, parse, values=range(low, high + 1))


def switch(key: str) -> Option[bool]:
    """Yes or no, and no by default."""

    def parse(text: str) -> bool:
        if text not in ("yes", "no"):
            raise ValueError(f"{_pair(key, text)} is not known: choose yes or no.")
        return text == "yes"

    return Option(key, False, parse, lambda on: "yes" if on else "no", (False, True))


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

    some = ((low, high), (low, (low + high) // 2))
    return Option(key, (low, high), parse, lambda ends: f"{ends[0]}-{ends[1]}", some)


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

    return Option(key, [], parse, ",".join, [[value] for value in values])


def _pair(key: str, text: str) -> str:
    """A choice as the address has it, shown as it is."""
    return literal(f"{key}={text}")


def put(**values: object) -> None:
    """Write `values` to the address in one step of the browser's history; None takes a key out.

    Two calls in one run would be two steps, and Back would lead to what was between them.
    """
    kept = {key: text for key, text in st.query_params.items() if values.get(key, "") is not None}
    texts = {key: str(value) for key, value in values.items() if value is not None}
    st.query_params.from_dict(kept | texts)


def all_but(*keys: str) -> dict[str, None]:
    """What `put` takes to leave only these keys in the address."""
    return dict.fromkeys(key for key in st.query_params if key not in keys)


def begin_run() -> None:
    """Begin a run that has read nothing and has nothing to say about the address."""
    st.session_state[_WRONG] = {}
    st.session_state[_CHOICES] = {}


def wrong_values() -> list[str]:
    """A sentence for every value in the address that was read in this run and isn't valid."""
    return list(st.session_state.get(_WRONG, {}).values())


def choices() -> dict[str, tuple[Option[Any], Any]]:
    """Every option that this run has read, by key, with its value; those of fragments too."""
    return dict(st.session_state.get(_CHOICES, {}))


# A fragment: opened, it is drawn again by itself, also after another fragment has read or changed
# a choice without the frame.
@st.fragment
def copy_link(*, whole: bool) -> None:
    """A button that shows the address of this view with every value written out, to be copied.

    whole: whether all of the page was drawn; if it waits for a result, what the address says of
    the rest stays in the link.
    """
    parts = urlsplit(st.context.url or "")
    unread = {} if whole else st.query_params.to_dict()
    read = {key: option.write(value) for key, (option, value) in choices().items()}
    values = read | {key: text for key, text in unread.items() if key not in read}
    query = urlencode(values, safe=",/")
    label, icon = "Link to this view", ":material/link:"
    with (
        st.container(horizontal=True, horizontal_alignment="right"),
        st.popover(label, icon=icon, type="tertiary", key="link to this view", on_change="rerun"),
    ):
        st.code(urlunsplit(parts._replace(query=query)), language=None, wrap_lines=True)
        st.caption("Opens exactly what you see: data, model, seed and every choice.")
