"""The frame around every page: where to go, which data, model and seed, and what is running."""

from __future__ import annotations

import logging

import streamlit as st
from PIL import Image

from core import pictures
from core.digits.strokes import draw
from pages.parts import links, place
from pages.parts.waiting import NotYet, running_jobs

seven = draw([7], seed=3, with_parts={"crossbar": True})
st.set_page_config(
    page_title="Specialized Neurons",
    page_icon=Image.fromarray(pictures.ink(seven.images)[0]),
    layout="wide",
)
links.forget_wrong_values()
pages = {
    "home": st.Page("home.py", title="Home", icon=":material/home:", default=True),
    "units": st.Page("units.py", title="Units", icon=":material/grid_view:", url_path="units"),
    "architectures": st.Page(
        "architectures.py",
        title="Architectures",
        icon=":material/account_tree:",
        url_path="architectures",
    ),
    "feature_visualization": st.Page(
        "feature_visualization.py",
        title="Feature visualization",
        icon=":material/lens_blur:",
        url_path="feature_visualization",
    ),
    "dissection": st.Page(
        "dissection.py", title="Dissection", icon=":material/biotech:", url_path="dissection"
    ),
    "multimodality": st.Page(
        "multimodality.py",
        title="Multimodality",
        icon=":material/stacked_line_chart:",
        url_path="multimodality",
    ),
    "moe_gating": st.Page(
        "moe_gating.py", title="MoE gating", icon=":material/call_split:", url_path="moe_gating"
    ),
    "training": st.Page(
        "training.py", title="Training", icon=":material/movie:", url_path="training"
    ),
    "ask": st.Page("ask.py", title="Ask", icon=":material/balance:", url_path="ask"),
}
page = st.navigation(list(pages.values()), position="hidden")
notices = st.container()
with st.sidebar:
    st.markdown("### Specialized Neurons")
    place.navigation(pages)
    place.controls()
    running_jobs()
try:
    page.run()
except NotYet:
    pass
except Exception:  # a visitor gets a sentence, the log gets the rest
    logging.getLogger("pages").exception("the page %s failed", page.url_path or "home")
    st.error(
        "This view could not be drawn. The reason is in the server's log; the other pages work: "
        "choose one, or another unit, model or seed.",
        icon=":material/error:",
    )
with notices:
    place.notices()
