"""`streamlit run app.py` serves this: the frame around every page, and the warm-up before it."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from streamlit.web import cli

from pages.kit import files
from pages.kit.visitor import Naming

# Threads that spin while they wait take the core from the one that works: with one more process on
# two cores, training took 13.4 s so and 5.5 s with this. It must be said before torch is imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


@asynccontextmanager
async def warm_up(app: object) -> AsyncIterator[None]:
    """Import what is heavy before the first visitor comes."""
    from core.runtime import cache

    cache.warm_up()
    yield


def main() -> None:
    """The command `specialized-neurons`: `streamlit run app.py` from any folder."""
    sys.argv = ["streamlit", "run", str(Path(__file__).resolve()), *sys.argv[1:]]
    cli.main(prog_name="streamlit")


app = st.App(
    Path(__file__).parent / "pages" / "frame.py",
    lifespan=warm_up,
    routes=files.routes(),
    middleware=[Middleware(Naming)],
)
