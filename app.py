"""`streamlit run app.py` serves this: the frame around every page, and the warm-up before it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import streamlit as st


@asynccontextmanager
async def warm_up(app: object) -> AsyncIterator[None]:
    """Import what is heavy before the first visitor comes."""
    from core import cache

    cache.warm_up()
    yield


app = st.App("pages/frame.py", lifespan=warm_up)
