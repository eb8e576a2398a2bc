"""On the narrowest phones, of 320 pixels, no chart makes its page scroll sideways."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from core import charts as shared
from core.architectures.mixture.charts import gate_map, position
from core.architectures.multitask import charts as multitask
from core.architectures.rbf import charts as rbf
from core.architectures.som import charts as som
from core.charts import modality, training
from core.charts.base import PHONE
from tests.browser import ROOT, server

if TYPE_CHECKING:
    from playwright.sync_api import Page

WIDTHS = (320, 360, 420)
OVER = """() => {
    const main = document.querySelector('[data-testid="stMain"]');
    return [document.documentElement.scrollWidth - innerWidth, main.scrollWidth - main.clientWidth];
}"""
SCRIPT = f"""
import sys; sys.path.insert(0, {str(ROOT)!r})
import streamlit as st
from tests.test_phone import charts, placed
st.set_page_config(layout="wide")
name = st.query_params["chart"]
placed(name, charts()[name])
"""


def charts() -> dict[str, object]:
    """Those that set a width of their own, or are made of several, which can't fill the page."""
    random = np.random.default_rng(0)
    modes, pairs = ("exactly 0", "mode 1", "mode 2"), ("seeds 0 and 1", "seeds 1 and 2")
    bars = {"share": 0.1, "low": 0.05, "high": 1.0, "base": 0.1, "count": 3, "n": 30}
    made = pd.DataFrame([{"name": of, "class": c, **bars} for of in modes for c in range(10)])
    units = [
        {"pair": pair, "network": of, "unit": at, "partner": at, "correlation": 0.1 * at}
        for pair in pairs
        for of in ("trained", "untrained")
        for at in range(9)
    ]
    rows, columns = np.indices((10, 10)).reshape(2, -1)
    cells = pd.DataFrame({"cell": np.arange(100), "row": rows, "column": columns, "of": rows})
    digits = pd.DataFrame({"x": random.random(30), "y": 0.1, "class": 3, "place": 1})
    digits[["expert 0", "weight 0", "expert 1", "weight 1"]] = 0, 70, 1, 20
    around = pd.DataFrame({"expert": range(8), "load": 0.1})
    around = around.assign(x=np.cos(around["expert"]), y=np.sin(around["expert"]))
    return {
        "densities": modality.by_class(np.arange(9.0), random.random((10, 9)), [2], "activation"),
        "makeup": modality.class_makeup(made, modes, ("#94a3b8", "#2563eb", "#0d9488")),
        "matched": training.correspondence(pd.DataFrame(units).assign(null=0.4)),
        "map": som.values(cells, "of", title="mean distance to neighbours", clickable=False),
        "codes": rbf.between_codes(100 + 99 * random.random((10, 10)).round(1)),
        "needle": multitask.needle(0.1, 0.2),
        "gates": gate_map.gates(digits, around, digits.head(1), list(range(10)), "mnist/test"),
        "expert": position.expert(random.random((9, 9)), random.random(10), 0.3, 1.0, "expert 0"),
        "profile": shared.class_profile(np.ones(10), np.zeros(10), np.ones(10)),
    }


OWN_WIDTH = ("map", "needle", "gates", "expert")  # that pages show as wide as they are


def placed(name: str, shown: object) -> None:
    """The chart as its page places it."""
    import streamlit as st

    if name == "codes":
        with st.expander("How far", expanded=True):
            st.altair_chart(shown, width="content")  # type: ignore[arg-type]
    elif name in OWN_WIDTH:
        st.altair_chart(shown, width="content")  # type: ignore[arg-type]
    else:
        st.altair_chart(shown)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("gallery")
    script = folder / "gallery.py"
    script.write_text(SCRIPT, encoding="utf-8")
    with server(folder, {}, script) as (address, log):
        yield address
    assert "Traceback" not in log.read_text()


@pytest.mark.browser
@pytest.mark.parametrize("name", charts())
def test_a_chart_fits_a_phone(gallery: str, page: Page, name: str) -> None:
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(f"{gallery}/?chart={name}")
        drawn = page.locator("[data-testid=stVegaLiteChart] :is(svg, canvas)").first
        drawn.wait_for(timeout=60_000)
        page.wait_for_timeout(300)  # the page takes the chart's size a moment later
        assert max(page.evaluate(OVER)) <= 0, (name, width)


def test_densities_of_classes_stand_below_one_another() -> None:
    """The first class on top, heights on one scale, each within its own row."""
    heights = np.array([[0, 2, 0], [0, 1, 0.0]])
    of = modality.by_class([0, 1, 2], heights, [1], "activation")
    frame = of.data
    np.testing.assert_allclose(frame["foot"], [0, 0, 0, -1, -1, -1])
    risen = (frame["top"] - frame["foot"]).to_numpy().reshape(2, 3)
    np.testing.assert_allclose(risen / risen.max(), heights / 2)
    assert 0.8 < risen.max() < 1
    assert frame["several"].tolist() == [False] * 3 + [True] * 3
    assert "width" not in of.to_dict()


def test_modes_are_as_wide_as_a_phone_at_most() -> None:
    """Bars of ten classes and their axis."""
    spec = charts()["makeup"].to_dict()  # type: ignore[attr-defined]
    assert 200 < 10 * spec["spec"]["width"]["step"] < PHONE - 50
