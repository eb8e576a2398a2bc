"""One widget for each kind of choice: it shows what the address says and writes to it.

A page that asks for something asks here, so that no choice is missing from the link. `resets` are
the keys of other choices that make no sense after the change; they leave the address in one step
with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from typing import Any, TypeVar

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.elements.lib.column_config_utils import ColumnConfigMappingInput

from core.models.settings import Option as Setting
from pages.kit.links import Option, Part, put

__all__ = [
    "choose",
    "entry",
    "marks",
    "number",
    "pick",
    "several",
    "slide",
    "steps",
    "text",
    "ticks",
    "toggle",
]

Value = TypeVar("Value")


def choose(
    option: Option[Value] | Part[Value],
    label: str,
    *,
    among: Sequence[Value] | None = None,
    names: Callable[[Value], str] = str,
    help: str | None = None,
    where: DeltaGenerator | None = None,
    resets: Sequence[str] = (),
) -> Value:
    """One of several from a list that unfolds. among: those offered, by default all."""
    value = option.shown()
    with where or nullcontext():
        st.selectbox(
            label,
            option.values if among is None else among,
            key=option.key,
            on_change=_changed(option, resets),
            format_func=names,
            help=help,
        )
    return value


def pick(
    option: Option[Value] | Part[Value],
    label: str,
    *,
    among: Sequence[Value] | None = None,
    names: Callable[[Value], str] = str,
    help: str | None = None,
    where: DeltaGenerator | None = None,
    resets: Sequence[str] = (),
    also: Callable[[Value], Mapping[str, object]] | None = None,
    bare: bool = False,
    disabled: bool = False,
) -> Value:
    """One of a few that lie side by side.

    also: what else a new value writes to the address. bare: the label is only read aloud.
    """
    value = option.shown()
    with where or nullcontext():
        st.segmented_control(
            label,
            option.values if among is None else among,
            key=option.key,
            on_change=_changed(option, resets, also),
            format_func=names,
            help=help,
            required=True,
            label_visibility="collapsed" if bare else "visible",
            disabled=disabled,
        )
    return value


def steps(
    option: Option[Value] | Part[Value],
    label: str,
    *,
    names: Callable[[Value], str] = str,
    help: str | None = None,
    where: DeltaGenerator | None = None,
    disabled: bool = False,
) -> Value:
    """One of values in their order, on a scale."""
    value = option.shown()
    with where or nullcontext():
        st.select_slider(
            label,
            option.values,
            key=option.key,
            on_change=_changed(option),
            format_func=names,
            help=help,
            disabled=disabled,
        )
    return value


def slide(
    option: Option[Value],
    label: str,
    *,
    step: int = 1,
    help: str | None = None,
    where: DeltaGenerator | None = None,
) -> Value:
    """A whole number, or both ends of a range, on a scale."""
    value, first, last = option.shown(), option.values[0], option.values[-1]
    low, high = first if isinstance(first, tuple) else (first, last)
    with where or nullcontext():
        st.slider(
            label,
            low,
            high,
            step=step,
            key=option.key,
            on_change=_changed(option),
            help=help,
        )
    return value


def number(
    option: Option[int],
    label: str,
    *,
    help: str | None = None,
    where: DeltaGenerator | None = None,
    resets: Sequence[str] = (),
    width: int | None = None,
) -> int:
    """A whole number, typed or stepped. width: in pixels, by default all that there is."""
    value = option.shown()
    with where or nullcontext():
        st.number_input(
            label,
            option.values[0],
            option.values[-1],
            key=option.key,
            on_change=_changed(option, resets),
            help=help,
            width="stretch" if width is None else width,
        )
    return value


def several(
    option: Option[list[str]],
    label: str,
    *,
    among: Sequence[str],
    most: int,
    hint: str,
) -> list[str]:
    """Any of a long list. hint: what stands in the field while it is empty."""
    value = option.shown()
    st.multiselect(
        label,
        among,
        key=option.key,
        on_change=_changed(option),
        max_selections=most,
        placeholder=hint,
    )
    return value


def marks(option: Option[list[str]], label: str) -> list[str]:
    """Any of a few that lie side by side."""
    value = option.shown()
    st.pills(
        label,
        [name for each in option.values for name in each],
        selection_mode="multi",
        key=option.key,
        on_change=_changed(option),
    )
    return value


def ticks(
    option: Option[list[str]],
    table: pd.DataFrame,
    names: Sequence[str],
    *,
    key: str,
    height: int,
    columns: ColumnConfigMappingInput,
) -> list[str]:
    """Rows of a table that are ticked. names: of its rows, as the option has them."""
    value = option.value()
    ticked = [at for at, name in enumerate(names) if name in value]
    if st.session_state.get(key, _selected([]))["selection"]["rows"] != ticked:
        st.session_state[key] = _selected(ticked)

    def changed() -> None:
        rows = sorted(st.session_state[key]["selection"]["rows"])
        put(**{option.key: option.write([names[row] for row in rows]) or None})

    st.dataframe(
        table,
        hide_index=True,
        height=height,
        key=key,
        on_select=changed,
        selection_mode="multi-row",
        column_config=columns,
    )
    return value


def _selected(rows: list[int]) -> dict[str, dict[str, list[int]]]:
    """What Streamlit keeps of a table of which these rows are ticked."""
    return {"selection": {"rows": rows, "columns": [], "cells": []}}


def toggle(option: Option[bool], label: str, *, help: str | None = None) -> bool:
    """Yes or no."""
    value = option.shown()
    st.toggle(label, key=option.key, on_change=_changed(option), help=help)
    return value


def text(
    option: Option[str],
    label: str,
    *,
    hint: str,
    help: str | None = None,
    where: DeltaGenerator | None = None,
) -> str:
    """A line of text. hint: what stands in the field while it is empty."""
    value = option.shown()
    with where or nullcontext():
        st.text_input(
            label, key=option.key, on_change=_changed(option), placeholder=hint, help=help
        )
    return value


def entry(setting: Setting, value: Any, key: str) -> Any:
    """A field of a form for one setting: what is in it, numbers of a tuple as text."""
    label = f"{setting.title} ({setting.unit})" if setting.unit else setting.title
    if setting.kind is bool:
        return st.toggle(label, bool(value), key=key, help=setting.help)
    if setting.choices:
        at = setting.choices.index(value)
        return st.selectbox(label, setting.choices, at, key=key, help=setting.help)
    if setting.kind is tuple:
        numbers = f"{setting.help} Written with hyphens: {setting.write(setting.default)}."
        return st.text_input(label, setting.write(value), key=key, help=numbers)
    number: Any = st.number_input  # whose type has a case for each kind of number
    return number(
        label,
        None if setting.low is None else setting.kind(setting.low),
        None if setting.high is None else setting.kind(setting.high),
        value,
        step=None if setting.step is None else setting.kind(setting.step),
        format="%g" if setting.kind is float else None,
        placeholder="automatic" if setting.automatic else None,
        key=key,
        help=setting.help,
    )


def _changed(
    option: Option[Any] | Part[Any],
    resets: Sequence[str] = (),
    also: Callable[[Any], Mapping[str, object]] | None = None,
) -> Callable[[], None]:
    """What a widget does when it is changed."""
    if isinstance(option, Part):
        return option.changed
    others: dict[str, object] = dict.fromkeys(resets)
    if also is None:
        return partial(option.changed, **others)
    return lambda: option.changed(**others, **also(st.session_state[option.key]))
