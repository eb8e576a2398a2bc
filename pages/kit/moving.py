"""From one page to another by code, as a click on a link would: one step of the browser's history.

`st.switch_page` with query parameters makes two steps, the first of them the old page under the new
page's parameters, so that Back leads to a view that nobody has seen. Here the browser itself takes
the step and then tells Streamlit, which follows as it follows Back and Forward.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn
from urllib.parse import urlencode
from uuid import uuid4

import streamlit as st

from pages.kit.waiting import NotYet

__all__ = ["href", "move", "written"]

_JS = """
const taken = new Set(); // steps; Streamlit may draw a component of one run more than once

export default function ({ data }) {
  if (taken.has(data.step)) return;
  taken.add(data.step);
  history.pushState({}, "", new URL(data.address, location.href));
  dispatchEvent(new PopStateEvent("popstate", { state: {} }));
}
"""
_COMPONENT = st.components.v2.component("move", html="<span hidden></span>", js=_JS)


def move(page: str, parameters: Mapping[str, str]) -> NoReturn:
    """End this run and open the page at the path `page`, such as "units", with its parameters.

    Not in a callback: the step is taken by what the run draws.
    """
    step = uuid4().hex
    _COMPONENT(key=f"move {step}", data={"step": step, "address": href(page, parameters)})
    raise NotYet


def href(page: str, parameters: Mapping[str, str]) -> str:
    """The address of a page, from any page."""
    return f"{page}?{written(parameters)}"


def written(parameters: Mapping[str, object]) -> str:
    """The parameters as they stand in an address."""
    return urlencode(parameters, safe=",/")
