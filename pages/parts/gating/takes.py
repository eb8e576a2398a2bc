"""Who takes what."""

from __future__ import annotations

import streamlit as st

from pages.parts.gating.controls import View

__all__ = ["view"]


def view(view: View) -> None:
    """Who takes what."""
    taken = view.taken()
    st.write(taken.accuracy)
