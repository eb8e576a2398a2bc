"""The image grid: what it refuses, and what a person sees and picks in a real browser."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw
from streamlit.testing.v1 import AppTest

from pages.kit.grid import Grid, image_grid, picked_index
from tests.browser import FLAGS, ROOT, server
from tests.conftest import chromium

SHADOW = "document.querySelector('[data-testid=stBidiComponentIsolated]')?.shadowRoot"

GREY = f"""([x, y]) => {{
    const canvas = {SHADOW}.querySelector('canvas');
    const from = canvas.getBoundingClientRect();
    const [left, top] = [(x - from.left) * devicePixelRatio, (y - from.top) * devicePixelRatio];
    return [...canvas.getContext('2d').getImageData(left, top, 1, 1).data];
}}"""


def sheet(count: int, tile: tuple[int, int], across: int) -> bytes:
    """A PNG of `count` black tiles that carry their number, on a grey that names it too."""
    height, width = tile
    whole = Image.new("L", (across * width, -(-count // across) * height))
    pen = ImageDraw.Draw(whole)
    for index in range(count):
        x, y = index % across * width, index // across * height
        pen.rectangle((x, y, x + width - 1, y + height - 1), fill=shade(index))
        pen.text((x + 3, y + 6), str(index), fill=255)
    file = io.BytesIO()
    whole.save(file, "PNG")
    return file.getvalue()


def shade(index: int) -> int:
    """The grey of tile `index`, 3 apart from its neighbours'."""
    return 3 * (index % 40)


def alts(count: int) -> tuple[str, ...]:
    return tuple(f"picture {index}" for index in range(count))


def test_a_grid_whose_parts_agree_is_taken() -> None:
    grid = Grid(sheet(7, (5, 9), 3), 7, (5, 9), 3, alts(7), alts(7))
    assert grid.count == len(grid.captions)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"count": 0}, "count is 0"),
        ({"across": -1}, "across is -1"),
        ({"tile": (0, 9)}, "tile height is 0"),
        ({"alts": alts(6)}, "alts has 6 texts for 7 pictures"),
        ({"captions": alts(8)}, "captions has 8 texts for 7 pictures"),
        ({"tile": (9, 5)}, "png is 15 x 27 .* need 27 x 15"),
        ({"across": 4}, "need 10 x 36"),
        ({"count": 10, "alts": alts(10)}, "need 20 x 27"),
        ({"png": b"GIF89a, not a PNG at all"}, "png starts with b'GIF89a, '"),
        ({"png": b""}, "png starts with b''"),
    ],
)
def test_a_grid_whose_parts_disagree_is_refused(changed: dict[str, Any], message: str) -> None:
    parts = {"png": sheet(7, (5, 9), 3), "count": 7, "tile": (5, 9), "across": 3, "alts": alts(7)}
    with pytest.raises(ValueError, match=message):
        Grid(**{**parts, **changed})


@pytest.mark.parametrize("index", [0, 7, 29])
def test_an_index_of_the_grid_is_a_pick(index: int) -> None:
    assert picked_index({"index": index, "label": "units"}, 30, "units") == index


@pytest.mark.parametrize(
    "sent",
    [
        None,
        7,
        "7",
        [7],
        {},
        {"index": 7},
        {"index": 30, "label": "units"},
        {"index": -1, "label": "units"},
        {"index": 7.0, "label": "units"},
        {"index": "7", "label": "units"},
        {"index": True, "label": "units"},
        {"index": None, "label": "units"},
        {"index": [7], "label": "units"},
        {"index": 7, "label": "other units"},
    ],
)
def test_nonsense_from_the_browser_is_no_pick(sent: object) -> None:
    assert picked_index(sent, 30, "units") is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"selected": 7}, "selected has 7: the grid has pictures 0 to 6"),
        ({"marked": (0, -1)}, "marked has -1"),
        ({"scale": 0}, "scale is 0"),
    ],
)
def test_an_option_outside_the_grid_is_refused(options: dict[str, Any], message: str) -> None:
    grid = Grid(sheet(7, (5, 9), 3), 7, (5, 9), 3, alts(7))
    with pytest.raises(ValueError, match=message):
        image_grid(grid, key="grid", label="units", **options)


def one_page() -> None:
    import numpy as np
    import streamlit as st

    from pages.kit.grid import Grid, image_grid
    from tests.test_grid import alts, sheet

    grid = Grid(sheet(7, (5, 9), 3), 7, (5, 9), 3, alts(7))
    chosen, dead = np.int64(2), np.array([6, 0])
    picked = image_grid(grid, key="grid", label="units", selected=chosen, marked=dead)
    st.text(f"Picked {picked}")


def test_the_ring_is_at_selected_and_at_a_pick_at_once() -> None:
    app = AppTest.from_function(one_page).run()
    assert (app.text[0].value, ringed_by_python(app)) == ("Picked None", 2)
    app.session_state["grid"] = {"picked": {"index": 5, "label": "units"}}
    app.run()
    assert (app.text[0].value, ringed_by_python(app)) == ("Picked 5", 5)


def ringed_by_python(app: AppTest) -> Any:
    return json.loads(app.get("bidi_component")[0].proto.json)["selected"]


APP = """
import streamlit as st
from pages.kit import files

app = st.App("one_grid.py", routes=files.routes())
"""
SCRIPT = """
import streamlit as st
from pages.kit.grid import Grid, image_grid
from tests.test_grid import alts, sheet

st.set_page_config(layout="wide")
PICTURES = {
    "units": Grid(sheet(30, (28, 24), 7), 30, (28, 24), 7,
                  tuple(f"Unit {i} answers to class {i % 10}, by 0.{i:02}" for i in range(30)),
                  tuple(f"{i} · {i % 10} · 0.{i:02}" for i in range(30))),
    "filters": Grid(sheet(6, (5, 5), 3), 6, (5, 5), 3, alts(6)),
    "many": Grid(sheet(1000, (28, 28), 32), 1000, (28, 28), 32, alts(1000),
                 tuple(f"{i}" for i in range(1000))),
}

def remember(index):
    st.session_state.called = index

name = st.query_params.get("pictures", "units")
if st.toggle("Hide"):
    st.stop()
other = st.toggle("Other label")
st.button("Rerun")
if st.button("Select 3"):
    st.session_state.at = 3
picked = image_grid(
    PICTURES[name], key="grid", label=name + (" (other)" if other else ""),
    selected=st.session_state.get("at"), marked=(2, 5), mark="dead",
    scale=10 if name == "filters" else 2,
    max_height=500 if name == "many" else None, on_pick=remember,
)
state = st.session_state
if picked is not None:
    state.at = picked
    state.picks = state.get("picks", 0) + 1
    if "rerun" in st.query_params:
        st.rerun()
st.write(f"Picked {picked}. Called {state.get('called')}. At {state.get('at')}.")
st.write(f"Picks: {state.get('picks', 0)}.")
"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that shows one grid, named by ?pictures=."""
    folder = tmp_path_factory.mktemp("grid")
    (folder / "one_grid.py").write_text(SCRIPT, encoding="utf-8")
    (folder / "app.py").write_text(APP, encoding="utf-8")
    variables = {
        "PYTHONPATH": str(ROOT),
        "STREAMLIT_SERVER_FILE_WATCHER_TYPE": "none",
        "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false",
    }
    with server(folder, variables, folder / "app.py") as (running, _log):
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def visit(browser: Any, address: str) -> Iterator[Any]:
    """Opens a page of the server; the console must have stayed clean by the end."""
    complaints: list[str] = []
    contexts = []

    def opened(path: str = "", **options: Any) -> Any:
        context = browser.new_context(
            **{"viewport": {"width": 1440, "height": 900}, "device_scale_factor": 2, **options}
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda one: complaints.extend([one.text] * (one.type == "error")))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(address + path)
        page.wait_for_function(f"{SHADOW}?.querySelector('canvas')?.width > 0")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


def centre(page: Any, index: int) -> tuple[float, float]:
    """The middle of picture `index` and its caption on the screen, found by walking to it."""
    page.locator(".grid").focus()
    page.keyboard.press("Home")
    for _ in range(index):
        page.keyboard.press("ArrowRight")
    box = page.locator(".active").bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def says(page: Any, text: str) -> None:
    page.get_by_text(text).wait_for(timeout=10_000)


@pytest.mark.browser
def test_a_click_and_the_keyboard_pick(visit: Any) -> None:
    page = visit()
    page.mouse.click(*centre(page, 7))
    says(page, "Picked 7. Called 7.")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    says(page, "Picked 8. Called 8.")
    option = page.locator(".active")
    assert option.get_attribute("aria-label").startswith("Unit 8 answers")
    assert option.get_attribute("aria-selected") == "true"
    page.get_by_role("button", name="Rerun").click()
    says(page, "Picked None. Called 8. At 8.")
    assert ringed(page) == option.bounding_box()
    says(page, "Picks: 2.")


def ringed(page: Any) -> Any:
    return page.locator(".chosen").bounding_box()


@pytest.mark.browser
def test_python_moves_the_ring_and_the_keyboard_keeps_its_place(visit: Any) -> None:
    page = visit()
    place = centre(page, 12)
    page.mouse.click(*place)
    says(page, "Picked 12.")
    assert page.evaluate("document.activeElement.shadowRoot.activeElement.role") == "listbox"
    page.get_by_role("button", name="Select 3").click()
    says(page, "At 3.")
    x, y = centre(page, 3)
    box = ringed(page)
    assert box["x"] < x < box["x"] + box["width"]
    assert box["y"] < y < box["y"] + box["height"]
    page.keyboard.press("End")
    assert page.locator(".active").get_attribute("aria-posinset") == "30"
    page.keyboard.press("ArrowRight")
    assert page.locator(".active").get_attribute("aria-posinset") == "30"


@pytest.mark.browser
def test_a_page_that_reruns_at_a_pick_gets_it_once(visit: Any) -> None:
    page = visit("?rerun=yes")
    page.mouse.click(*centre(page, 4))
    says(page, "Picked None. Called 4. At 4.")
    says(page, "Picks: 1.")


@pytest.mark.browser
def test_a_grid_that_went_comes_back(visit: Any) -> None:
    page = visit()
    for index in (1, 2):
        page.mouse.click(*centre(page, index))
        says(page, f"Picked {index}.")
        page.get_by_text("Hide").click()
        page.locator(".grid").wait_for(state="detached")
        page.get_by_text("Hide").click()
        page.wait_for_function(f"{SHADOW}?.querySelector('canvas')?.width > 0")
        assert page.locator(".active").get_attribute("aria-posinset") == str(index + 1)


@pytest.mark.browser
def test_another_label_makes_another_grid(visit: Any) -> None:
    page = visit()
    page.mouse.click(*centre(page, 9))
    says(page, "Picked 9.")
    page.get_by_text("Other label").click()
    says(page, "Picked None.")
    assert page.get_by_role("listbox").get_attribute("aria-label") == "units (other): 30 pictures"


@pytest.mark.browser
def test_the_tip_says_what_a_picture_is(visit: Any) -> None:
    page = visit()
    place = centre(page, 5)
    page.mouse.move(*place)
    tip = page.locator(".tip")
    assert tip.text_content() == "Unit 5 answers to class 5, by 0.05 (dead)"
    assert tip.is_visible()
    page.keyboard.press("Escape")
    assert not tip.is_visible()


@pytest.mark.parametrize("ratio", [1.25, 2])
@pytest.mark.browser
def test_pictures_are_whole_squares_in_their_own_place(visit: Any, ratio: float) -> None:
    """Every picture has its own grey in opposite corners: none is swapped, turned or shifted."""
    page = visit(device_scale_factor=ratio)
    for index in (0, 6, 7, 29):
        x, y = centre(page, index)
        for corner in ([x - 22, y - 35], [x + 22, y + 16]):
            assert page.evaluate(GREY, corner) == [shade(index)] * 3 + [255]


@pytest.mark.parametrize(
    ("pictures", "width", "colour"),
    [
        ("units", 1440, "light"),
        ("units", 1440, "dark"),
        ("units", 420, "light"),
        ("units", 420, "dark"),
        ("filters", 420, "light"),
        ("many", 1440, "dark"),
    ],
)
@pytest.mark.browser
def test_it_fits_the_page(
    visit: Any, tmp_path: Path, pictures: str, width: int, colour: str
) -> None:
    page = visit(
        f"?pictures={pictures}", viewport={"width": width, "height": 900}, color_scheme=colour
    )
    place = centre(page, 4)
    page.mouse.click(*place)
    says(page, "Picked 4.")
    page.mouse.move(*centre(page, 2))
    page.keyboard.press("ArrowLeft")
    page.locator(".tip").wait_for()
    page.screenshot(path=tmp_path / f"{pictures}-{width}-{colour}.png")
    frame = page.locator(".frame")
    wide, room, tall, shown = frame.evaluate(
        "(each) => [each.scrollWidth, each.clientWidth, each.scrollHeight, each.clientHeight]"
    )
    assert wide <= room
    assert (tall > shown) == (pictures == "many")
    canvas = page.locator(".sheet canvas").first.bounding_box()
    assert canvas["x"] + canvas["width"] <= width


@pytest.mark.browser
def test_a_thousand_pictures_are_few_nodes_and_quick(visit: Any) -> None:
    page = visit("?pictures=many")
    assert page.evaluate(f"{SHADOW}.querySelectorAll('*').length") < 40
    page.locator(".grid").focus()
    page.keyboard.press("End")
    page.wait_for_function(f"[...{SHADOW}.querySelectorAll('canvas')].at(-1).width > 0")
    page.keyboard.press(" ")
    says(page, "Picked 999.")
