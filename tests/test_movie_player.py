"""The movie player: what it refuses, and what a person sees, plays and pins in a real browser."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from starlette.requests import Request
from starlette.responses import Response
from streamlit.testing.v1 import AppTest

from pages.kit import files
from pages.kit.movie_player import PICTURE, Film, PinState, movie_player, pin_state
from tests.browser import FLAGS, ROOT, server

SHADOW = "document.querySelector('[data-testid=stBidiComponentIsolated]')?.shadowRoot"
CLASSES = 10


def sheet(pixels: NDArray[np.uint8]) -> bytes:
    """A WebP of grey `pixels` (height, width), with the errors of its compression."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "WEBP", quality=60, method=0)
    return file.getvalue()


def grey(frame: int, unit: int, row: int) -> int:
    """The even grey that pictures of class 0 are filled with: any two neighbours differ."""
    return 40 + (frame * 29 + unit * 13 + row * 7) % 160


def synthetic(units: int, frames: int, batches: int) -> Film:
    """A film whose pictures of class 0 are of one known grey, and the others are noisy blobs."""
    generator = np.random.default_rng(0)
    y, x = np.mgrid[:PICTURE, :PICTURE] - PICTURE / 2
    blob = np.exp(-(x**2 + y**2) / 40)
    noise = generator.normal(size=(2, units, CLASSES, 1, 1))
    grain = generator.normal(0, 6, (units, CLASSES, PICTURE, PICTURE))
    rows: list[list[bytes]] = [[], []]
    for frame in range(frames):
        for row in (0, 1):
            shift = np.sin(frame / 3 + noise[row])
            pictures = np.clip(128 - 90 * shift * blob + grain, 0, 255)
            for unit in range(units):
                pictures[unit, 0] = grey(frame, unit, row)
            whole = pictures.transpose(0, 2, 1, 3).reshape(units * PICTURE, CLASSES * PICTURE)
            rows[row].append(sheet(whole.astype(np.uint8)))
    time = np.arange(1, batches + 1)[:, None, None] / batches
    wave = np.sin(4 * time + generator.normal(0, 2, (units, CLASSES))) * np.exp(-3 * time)
    scalars = np.clip(wave * 127 + generator.normal(0, 3, wave.shape), -127, 127).astype(np.int8)
    at = np.unique(np.round(np.linspace(0, 1, frames) ** 2 * batches).astype(int))
    assert len(at) == frames
    rise = 1 - np.exp(-5 * at[:, None] / batches * generator.uniform(0.7, 1.3, CLASSES))
    return Film(
        units=tuple(f"lenet5/linear_0/{unit}" for unit in range(units)),
        classes=CLASSES,
        frames=tuple(at.tolist()),
        upper=tuple(rows[0]),
        lower=tuple(rows[1]),
        loss=2.3 * np.exp(-4 * time[:, 0, 0]) + generator.uniform(0, 0.3, batches),
        accuracy=0.1 + 0.88 * rise,
        scalars=scalars,
        preferred=scalars[np.maximum(at - 1, 0)].argmax(axis=2),
    )


@cache
def small() -> Film:
    return synthetic(3, 4, 40)


def parts() -> dict[str, Any]:
    film = small()
    return {name: getattr(film, name) for name in Film.__dataclass_fields__}


def test_a_film_whose_parts_agree_is_taken() -> None:
    assert small().batches == 40


@pytest.mark.parametrize(
    ("name", "changed", "message"),
    [
        ("units", (), "units has 0 names"),
        ("units", ("a", "b", "a"), "units has 3 names, 2 of them different"),
        ("classes", 0, "classes is 0"),
        ("classes", 9, r"accuracy has shape \(4, 10\): it must be \(4, 9\)"),
        ("frames", (0, 4, 18), r"accuracy has shape \(4, 10\): it must be \(3, 10\)"),
        ("frames", (0, 18, 4, 40), "frames must ascend"),
        ("frames", (0, 4, 4, 40), "frames must ascend"),
        ("frames", (0, 4, 18, 41), "frames has 41: the batches are 0 to 40"),
        ("frames", (-1, 4, 18, 40), "frames has -1: the batches are 0 to 40"),
        ("upper", small().upper[:3], "upper has 3 sheets for 4 frames"),
        ("lower", small().lower * 2, "lower has 8 sheets for 4 frames"),
        ("lower", (b"\x89PNG\r\n\x1a\n",) * 4, r"lower\[0\] starts with b'\\x89PNG"),
        ("upper", (sheet(np.zeros((280, 84), np.uint8)),) * 4, "280 x 84 .* need 84 x 280"),
        ("loss", np.zeros((40, 1)), r"loss has shape \(40, 1\)"),
        ("loss", np.zeros(0), r"loss has shape \(0,\)"),
        ("loss", np.zeros(39), r"scalars has shape \(40, 3, 10\): it must be \(39, 3, 10\)"),
        ("accuracy", np.zeros((10, 4)), r"accuracy has shape \(10, 4\): it must be \(4, 10\)"),
        ("scalars", small().scalars.transpose(0, 2, 1), r"scalars has shape \(40, 10, 3\)"),
        ("scalars", small().scalars.astype(np.int16), "scalars is int16: it must be int8"),
        ("preferred", small().preferred.T, r"preferred has shape \(3, 4\): it must be \(4, 3\)"),
        ("preferred", small().preferred + 10, "preferred has 1[0-9]: it must be a class, 0 to 9"),
    ],
)
def test_a_film_whose_parts_disagree_is_refused(name: str, changed: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Film(**{**parts(), name: changed})


@pytest.mark.parametrize(
    ("pinned", "message"),
    [
        ((3,), "pinned has 3: the movie has units 0 to 2"),
        ((0, -1), "pinned has -1"),
        ((1, 2, 1), "pinned has 1 twice"),
    ],
)
def test_pins_outside_the_film_are_refused(pinned: tuple[int, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        movie_player(small(), key="film", label="a film", pinned=pinned)


SAID: dict[str, Any] = {
    "label": "a film",
    "pinned": [2, 0],
    "turn": 4,
    "given": {"pinned": [1], "turn": 3},
}


def test_pins_of_the_film_are_taken() -> None:
    assert pin_state(SAID, 3, "a film") == PinState([2, 0], 4, ([1], 3))


@pytest.mark.parametrize(
    "sent",
    [
        None,
        [2, 0],
        {},
        {**SAID, "label": "another film"},
        {**SAID, "pinned": None},
        {**SAID, "pinned": 2},
        {**SAID, "pinned": [3]},
        {**SAID, "pinned": [-1]},
        {**SAID, "pinned": [1.0]},
        {**SAID, "pinned": [True]},
        {**SAID, "pinned": ["1"]},
        {**SAID, "pinned": [1, 1]},
        {**SAID, "pinned": [[1]]},
        {**SAID, "turn": "4"},
        {**SAID, "turn": -1},
        {**SAID, "given": None},
        {**SAID, "given": {"pinned": [9], "turn": 0}},
        {**SAID, "given": {"pinned": [1]}},
    ],
)
def test_nonsense_from_the_browser_is_no_pins(sent: object) -> None:
    assert pin_state(sent, 3, "a film") is None


def one_page() -> None:
    import streamlit as st

    from pages.kit.movie_player import movie_player
    from tests.test_movie_player import small

    pinned = st.session_state.get("pinned", (1,))
    st.text(f"Told {movie_player(small(), key='film', label='a film', pinned=pinned)}")


def test_the_film_is_sent_anew_only_for_pins_that_the_browser_lacks() -> None:
    app = AppTest.from_function(one_page).run()
    first = app.get("bidi_component")[0].proto.json
    assert given(first) == {"pinned": [1], "turn": 0}
    app.session_state["film"] = {"told": {**SAID, "turn": 1, "given": given(first)}}
    app.session_state["pinned"] = (2, 0)
    app.run()
    assert app.get("bidi_component")[0].proto.json == first
    app.session_state["film"] = {"told": {**SAID, "turn": 1, "given": given(first)}}
    app.session_state["pinned"] = ()
    app.run()
    assert given(app.get("bidi_component")[0].proto.json) == {"pinned": [], "turn": 1}


def given(message: str) -> Any:
    return json.loads(message)["given"]


def test_the_pictures_are_not_in_the_message() -> None:
    app = AppTest.from_function(one_page).run()
    sent = app.get("bidi_component")[0].proto.SerializeToString()
    film = small()
    body = film._packed[1]
    assert not any(sheet[-40:] in sent for sheet in (*film.upper, *film.lower))
    assert len(app.get("bidi_component")[0].proto.json) < 4000 < len(body)
    address = json.loads(app.get("bidi_component")[0].proto.json)["address"]
    answer = asked_for(address)
    assert answer.body == body
    assert "immutable" in answer.headers["cache-control"]
    assert asked_for("/files/another").status_code == 404


def asked_for(address: str) -> Response:
    """What the server answers."""
    (route,) = files.routes()
    _, found = route.matches({"type": "http", "method": "GET", "path": address})
    answer: Response = asyncio.run(route.endpoint(Request({"type": "http", **found})))
    return answer


def test_files_offered_longest_ago_make_room() -> None:
    kept = files.Files(limit=250)
    for name in ("a", "b", "a", "c"):
        kept.offer(name, bytes(100))
    assert [kept.get(name) is not None for name in "abc"] == [True, False, True]
    kept.offer("d", bytes(1000))
    assert [kept.get(name) is not None for name in "abcd"] == [False, False, False, True]


APP = """
import streamlit as st
from pages.kit import files

app = st.App("one_film.py", routes=files.routes())
"""
SCRIPT = """
import streamlit as st
from pages.kit.movie_player import movie_player
from tests.test_movie_player import synthetic

st.set_page_config(layout="wide")
SIZES = {"small": (20, 12, 300), "large": (120, 30, 2737)}
build = st.cache_resource(synthetic)

def remember(pinned):
    st.query_params["pins"] = ",".join(map(str, pinned))

query = st.query_params
name = query.get("film", "small")
film = build(*SIZES[name])
if st.button("Clear"):
    query["pins"] = ""
st.button("Rerun")
pinned = [int(each) for each in query.get("pins", "").split(",") if each]
told = movie_player(film, key="film", label=f"the {name} film", pinned=pinned, on_pin=remember)
st.write(f"Told {told}. Pinned {pinned}.")
"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that shows one film, named by ?film=."""
    folder = tmp_path_factory.mktemp("film")
    (folder / "one_film.py").write_text(SCRIPT, encoding="utf-8")
    (folder / "app.py").write_text(APP, encoding="utf-8")
    shutil.copytree(ROOT / ".streamlit", folder / ".streamlit")
    variables = {
        "PYTHONPATH": str(ROOT),
        "STREAMLIT_SERVER_FILE_WATCHER_TYPE": "none",
        "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false",
    }
    with server(folder, variables, folder / "app.py") as (running, _log):
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    # Not above: the server imports this module for its film, and needn't wait for torch.
    from playwright.sync_api import sync_playwright

    from tests.conftest import chromium

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
        context = browser.new_context(**{"viewport": {"width": 1440, "height": 1000}, **options})
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda one: complaints.extend([one.text] * (one.type == "error")))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(address + path)
        page.wait_for_function(f"{SHADOW}?.querySelector('.readout')?.textContent", timeout=60_000)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


# The grey in the middle of class 0's gradient picture in the very first block.
FIRST_GREY = f"""() => {{
    const canvas = [...({SHADOW}?.querySelectorAll('.pictures canvas') ?? [])]
        .filter((each) => each.style.display !== 'none')
        .sort((a, b) => parseFloat(a.style.top) - parseFloat(b.style.top))[0];
    if (!canvas) return NaN;
    const [red, , , alpha] = canvas.getContext('2d').getImageData(14, 14, 1, 1).data;
    return alpha ? red : NaN;
}}"""

# How many blocks a full row has: 10 pictures each, of 28 pixels and 2 between them.
ACROSS = f"""() => {{
    const canvases = [...{SHADOW}.querySelectorAll('.pictures canvas')];
    return Math.round(Math.max(...canvases.filter((each) => each.style.display !== 'none')
        .map((each) => each.width)) / 340);
}}"""

# How long each of some scrubs takes from the slider's event to the expected picture on the canvas.
SCRUBS = f"""async (stops) => {{
    const grey = {FIRST_GREY};
    const scrub = {SHADOW}.querySelector('.scrub');
    const times = [];
    for (const [batch, expected] of stops) {{
        await new Promise((done) => setTimeout(done, 150));
        const start = performance.now();
        scrub.value = String(batch);
        scrub.dispatchEvent(new Event('input', {{ bubbles: true }}));
        while (!(Math.abs(grey() - expected) <= 5)) {{
            await new Promise(requestAnimationFrame);
            if (performance.now() - start > 5000) throw Error(`batch ${{batch}}: ${{grey()}}`);
        }}
        times.push(performance.now() - start);
    }}
    return times;
}}"""

# How long two sheets take to decode with nothing around it, at the median.
BARE = """async (files) => {
    const blobs = files.map((file) => new Blob(
        [Uint8Array.from(atob(file), (c) => c.charCodeAt(0))], { type: 'image/webp' }));
    const times = [];
    for (let turn = 0; turn < 9; turn++) {
        const start = performance.now();
        await Promise.all(blobs.map((blob) => createImageBitmap(blob)));
        times.push(performance.now() - start);
    }
    return times.sort((a, b) => a - b)[4];
}"""


def shows(page: Any, expected: int) -> None:
    """Waits until the first block's first picture is of this grey."""
    page.wait_for_function(f"Math.abs(({FIRST_GREY})() - {expected}) <= 5", timeout=10_000)


def says(page: Any, text: str) -> None:
    page.get_by_text(text).wait_for(timeout=10_000)


@pytest.mark.browser
def test_a_person_scrubs_steps_and_plays(visit: Any) -> None:
    page, film = visit(), synthetic(20, 12, 300)
    readout, scrub = page.locator(".readout"), page.locator(".scrub")
    shows(page, grey(11, 0, 0))
    assert readout.text_content() == (
        f"batch 300 of 300 · loss {film.loss[-1]:.3f} · pictures of batch 300"
    )
    scrub.focus()
    page.keyboard.press("ArrowLeft")
    shows(page, grey(10, 0, 0))
    page.wait_for_function(f"{SHADOW}.querySelector('.readout').textContent.includes('299')")
    assert scrub.get_attribute("aria-valuetext") == (
        f"batch 299 of 300 · loss {film.loss[-2]:.3f} · pictures of batch {film.frames[10]}"
    )
    for frame in (10, 9, 8):
        page.keyboard.press("Shift+ArrowLeft")
        shows(page, grey(frame, 0, 0))
    scrub.fill("0")
    shows(page, grey(0, 0, 0))
    assert readout.text_content() == "batch 0 of 300 · loss – · pictures of batch 0"
    page.keyboard.press("Space")
    page.wait_for_function(f"{SHADOW}.querySelector('.scrub').valueAsNumber > 60")
    page.keyboard.press("Space")
    stopped = int(scrub.input_value())
    assert page.locator(".play").text_content().strip() == "Play"
    shows(page, grey(int(np.searchsorted(film.frames, stopped, "right")) - 1, 0, 0))
    assert int(scrub.input_value()) == stopped


@pytest.mark.browser
def test_pins_come_first_and_are_told(visit: Any) -> None:
    page = visit()
    shows(page, grey(11, 0, 0))
    page.locator(".scrub").fill("50")
    frame = 4
    shows(page, grey(frame, 0, 0))
    page.locator(".grid").focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    says(page, "Told [5]. Pinned [5].")
    shows(page, grey(frame, 5, 0))
    option = page.locator(".active")
    assert option.get_attribute("aria-selected") == "true"
    assert option.get_attribute("aria-label").startswith("Unit lenet5/linear_0/5: class ")
    assert option.get_attribute("aria-posinset") == "1"
    page.get_by_role("button", name="Rerun").click()
    says(page, "Told None. Pinned [5].")
    page.keyboard.press("Escape")
    rows = [row.bounding_box() for row in page.locator(".pictures canvas").all()]  # in any order
    box = sorted((row for row in rows if row), key=lambda row: row["y"])[1]
    page.mouse.click(box["x"] + 20, box["y"] + 20)
    says(page, "Told [5, 0]. Pinned [5, 0].")
    assert page.locator(".scrub").input_value() == "50"
    page.reload()
    shows(page, grey(11, 5, 0))
    page.get_by_role("button", name="Clear").click()
    says(page, "Told None. Pinned [].")
    shows(page, grey(11, 0, 0))


@pytest.mark.browser
def test_gain_stretches_the_pictures_where_they_are(visit: Any) -> None:
    page = visit()
    shows(page, grey(11, 0, 0))
    picture = page.locator(".pictures canvas").first
    plain = picture.screenshot()  # which scrolls there
    before = picture.bounding_box()
    page.locator(".gain").fill("8")
    page.wait_for_function(f"{SHADOW}.querySelector('.gained').textContent === '8×'")
    assert picture.bounding_box() == before
    spread = [
        np.asarray(Image.open(io.BytesIO(shot)).convert("L"))[:PICTURE].std()
        for shot in (plain, picture.screenshot())
    ]
    assert spread[1] > 1.25 * spread[0]


@pytest.mark.browser
def test_every_scrub_of_a_film_of_120_units_is_painted(visit: Any) -> None:
    """Run with -s to read the time from the slider's event to painted pictures.

    It is printed beside what a bare decoding of the two sheets takes, and not asserted: a busy
    machine would break it, and a quick one would prove nothing.
    """
    page, frames = visit("?film=large"), 30
    shows(page, grey(frames - 1, 0, 0))
    at = np.unique(np.round(np.linspace(0, 1, frames) ** 2 * 2737).astype(int))
    stops = [(frame * 7 + 3) % frames for frame in range(20)]  # none is decoded before
    files = [base64.b64encode(one).decode() for one in (synthetic(120, 1, 9).upper[0],) * 2]
    bare = page.evaluate(BARE, files)
    times = page.evaluate(SCRUBS, [[int(at[stop]), grey(stop, 0, 0)] for stop in stops])
    print(f"scrubs {np.median(times):.0f} ms (largest {max(times):.0f}), bare decode {bare:.0f} ms")
    assert len(times) == len(stops)
    assert page.evaluate(f"{SHADOW}.querySelectorAll('canvas').length") < 60


@pytest.mark.parametrize("colour", ["light", "dark"])
@pytest.mark.browser
def test_it_fits_the_page(visit: Any, tmp_path: Path, colour: str) -> None:
    page = visit("?pins=3,7", viewport={"width": 1440, "height": 1100}, color_scheme=colour)
    shows(page, grey(11, 3, 0))
    for width, blocks in ((1440, 3), (420, 1)):
        page.set_viewport_size({"width": width, "height": 1100})
        page.wait_for_function(f"({ACROSS})() === {blocks}")
        page.locator(".scrub").fill("75")
        shows(page, grey(5, 3, 0))
        page.screenshot(path=tmp_path / f"film-{width}-{colour}.png")
        wide, room = page.locator(".box").evaluate("(each) => [each.scrollWidth, each.clientWidth]")
        assert wide <= room
        for canvas in page.locator("canvas:visible").all():
            box = canvas.bounding_box()
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= width
