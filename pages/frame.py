"""The frame around every page: where to go, which data, model and seed, and what is running."""

from __future__ import annotations

import logging
from functools import partial

import streamlit as st

from pages.kit import links, place
from pages.kit.icon import tab_icon
from pages.kit.waiting import NotYet, running_jobs

st.set_page_config(
    page_title="Specialized Neurons",
    page_icon=tab_icon(),
    layout="wide",
)
links.begin_run()
# Home has two addresses. The link of a default page has no path of its own, so that in a new tab it
# would open whatever page it stands on.
home = partial(st.Page, "home.py", title="Home", icon=":material/home:")
start = home(url_path="start", default=True)
pages = {"home": home(url_path="home")}
for name, title, icon in (
    ("units", "Units", "grid_view"),
    ("architectures", "Architectures", "account_tree"),
    ("feature_visualization", "Feature visualization", "lens_blur"),
    ("dissection", "Dissection", "biotech"),
    ("multimodality", "Multimodality", "stacked_line_chart"),
    ("moe_gating", "MoE gating", "call_split"),
    ("training", "Training", "movie"),
    ("ask", "Ask", "balance"),
):
    pages[name] = st.Page(f"{name}.py", title=title, icon=f":material/{icon}:", url_path=name)
page = st.navigation([start, *pages.values()], position="hidden")
link = st.container(height=40, border=False)  # so high before anything is in it
notices = st.container()
with st.sidebar:
    st.markdown("### Specialized Neurons")
    place.navigation(pages | {"home": start} if page == start else pages)
    place.controls()
    running_jobs()
whole = False
try:
    page.run()
    whole = True
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
with link:  # last, when every choice of the page has been read
    links.copy_link(whole=whole)
