"""The sentence that says, once a page, that what was chosen is judged on other digits."""

from __future__ import annotations

import streamlit as st

__all__ = ["chosen_and_judged", "sentence"]


def sentence(chosen: str) -> str:
    """Which half of the test digits something was chosen on, and which it is judged on.

    chosen: subject and verb, such as "Top classes were chosen".
    """
    return (
        f"{chosen} on one half of the test digits (the *discovery half*) and judged on the other "
        "(the *confirmation half*)."
    )


def chosen_and_judged(chosen: str, about: str | None = None) -> None:
    """Show the sentence as a caption, with a definition behind it if there is one."""
    st.caption(sentence(chosen), help=about)
