"""Who is at this browser tab: a random name, so that one visitor can't stop another's work."""

from __future__ import annotations

from uuid import uuid4

import streamlit as st

__all__ = ["visitor"]


def visitor() -> str:
    """The same text for as long as the tab is open, and never another tab's."""
    if "visitor" not in st.session_state:
        st.session_state["visitor"] = uuid4().hex
    return str(st.session_state["visitor"])
