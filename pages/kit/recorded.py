"""Sections of a page that are drawn once and then shown again to whoever sees them next.

A section that only shows, such as charts, tables and sentences, asks Streamlit for the same
messages each time: to send those again takes a tenth of the time that it takes to make them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from typing import ParamSpec
from uuid import uuid4

import streamlit as st

from core.runtime.drawings import DRAWINGS

__all__ = ["recorded"]

P = ParamSpec("P")
_LIMIT = 500  # sections; one has some 30 kB


def recorded(section: Callable[P, None]) -> Callable[P, None]:
    """`section`, a function of a module that shows what its arguments say, and nothing else.

    Its arguments are compared as in `core.runtime.drawings`. It has no widget, takes no choice from
    the address and asks for no result: what it shows is all that is left of it the next time.
    """

    @wraps(section)
    def shown(*args: P.args, **options: P.kwargs) -> None:
        _show(DRAWINGS.get(_name, section, args, options), partial(section, *args, **options))

    return shown


def _name(section: object, args: object, options: object) -> str:
    """A name that a section of these arguments has for as long as they are there."""
    return uuid4().hex


@st.cache_resource(show_spinner=False, max_entries=_LIMIT)
def _show(name: str, _section: Callable[[], None]) -> None:
    """Show the section; Streamlit shows it again by itself under the same name."""
    _section()
