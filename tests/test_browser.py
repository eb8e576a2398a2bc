"""A person at a browser: a fresh server, a model trained, a unit opened, a link, and back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

import pytest

from core.evidence import Evidence
from tests.browser import FLAGS, server
from tests.conftest import chromium

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

ADDRESS = "data=strokes&model=mlp&seed=0"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A fresh server with an empty store; its log must stay clean."""
    folder = tmp_path_factory.mktemp("site")
    with server(folder, {"SPECIALIZED_NEURONS_CACHE": str(folder / "store")}) as (address, log):
        yield address
    text = log.read_text()
    assert "Traceback" not in text, text
    assert "eprecat" not in text, text


@pytest.fixture(scope="module")
def page(site: str) -> Iterator[Page]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        page = browser.new_page(viewport={"width": 1440, "height": 1000})
        yield page
        browser.close()


def test_a_cold_link_shows_the_frame_trains_and_opens_its_unit(site: str, page: Page) -> None:
    page.goto(f"{site}/units?{ADDRESS}&layer=linear_1&unit=3")
    page.get_by_role("link", name="Home").wait_for(timeout=60_000)
    page.get_by_role("button", name="Cancel").wait_for(timeout=60_000)
    page.get_by_text("Class selectivity").wait_for(timeout=120_000)
    page.get_by_role("heading", name="mlp/linear_1/3").wait_for(timeout=240_000)
    page.get_by_text("of the natural maximum").wait_for(timeout=120_000)
    _sees_pictures(page)


def test_the_next_unit_and_the_browsers_back_button(page: Page) -> None:
    page.get_by_role("button", name="Next").click()
    page.get_by_role("heading", name="mlp/linear_1/4").wait_for(timeout=30_000)
    assert "unit=4" in page.evaluate("location.search")
    page.go_back()
    page.get_by_role("heading", name="mlp/linear_1/3").wait_for(timeout=30_000)
    page.get_by_role("button", name="All units").click()
    page.get_by_role("heading", name="Units", exact=True).wait_for(timeout=30_000)
    assert "unit=" not in page.evaluate("location.search")


def test_a_click_on_a_picture_opens_its_unit(page: Page) -> None:
    grid = page.get_by_role("listbox", name=re.compile("selectivity"))
    grid.wait_for(timeout=30_000)
    grid.click(position={"x": 60, "y": 40})
    page.get_by_role("heading", name=re.compile(r"mlp.linear_\d.\d+")).wait_for(timeout=30_000)
    assert re.search(r"layer=linear_\d&unit=\d+|unit=\d+", page.evaluate("location.search"))


def test_home_is_open_at_once_and_its_links_lead_on(site: str, page: Page) -> None:
    page.goto(f"{site}/?{ADDRESS}")
    page.get_by_role("heading", name="The most specialized units").wait_for(timeout=30_000)
    _sees_pictures(page)
    page.get_by_role("link", name="Begin").first.click()
    page.get_by_role("heading", name="Units", exact=True).wait_for(timeout=30_000)
    assert "answers=class-7" in page.evaluate("location.search")
    assert "seed=0" in page.evaluate("location.search")
    page.go_back()
    page.get_by_role("heading", name="What does each unit do?").wait_for(timeout=30_000)


def test_a_layer_is_maximized_and_a_choice_is_kept_in_the_address(site: str, page: Page) -> None:
    page.goto(f"{site}/feature_visualization?{ADDRESS}&layer=linear_2&parameterization=pixel")
    page.get_by_text("of their natural maximum").wait_for(timeout=120_000)
    _sees_pictures(page)
    page.get_by_role("combobox", name=re.compile("Parameterization")).click()
    page.get_by_role("option", name="fourier").click()
    page.wait_for_function("location.search.includes('parameterization=fourier')", timeout=30_000)
    page.get_by_text("of their natural maximum").wait_for(timeout=120_000)


def test_a_layer_is_dissected_and_a_unit_is_looked_at(site: str, page: Page) -> None:
    page.goto(f"{site}/dissection?{ADDRESS}&layer=linear_2")
    page.get_by_text("of 10 units").first.wait_for(timeout=240_000)
    page.get_by_text("Every unit", exact=True).wait_for(timeout=30_000)
    _sees_pictures(page)
    page.get_by_label("Unit of linear_2").fill("7")
    page.get_by_label("Unit of linear_2").press("Enter")
    page.wait_for_function("location.search.includes('unit=7')", timeout=30_000)
    page.locator("strong", has_text="mlp/linear_2/7").wait_for(timeout=30_000)


def test_a_layers_modes_are_found_and_a_unit_is_opened(site: str, page: Page) -> None:
    page.goto(f"{site}/multimodality?{ADDRESS}&layer=linear_2&unit=4")
    page.get_by_role("heading", name="The layer at a glance").wait_for(timeout=240_000)
    page.get_by_role("heading", name="Which digits live in each mode").wait_for(timeout=120_000)
    _sees_pictures(page)


def test_an_architecture_is_trained_and_followed_and_its_unit_opened(site: str, page: Page) -> None:
    page.goto(f"{site}/architectures?{ADDRESS}&section=rbf")
    page.get_by_text("Followed: test digit 0").wait_for(timeout=300_000)
    page.get_by_role("heading", name="The centres").wait_for(timeout=240_000)
    _sees_pictures(page)
    page.get_by_role("radio", name="Self-attention").click()
    page.wait_for_function("location.search.includes('model=attention')", timeout=30_000)
    page.get_by_role("button", name="Cancel").click(timeout=60_000)


def test_a_gate_is_read_and_a_digit_of_an_expert_is_followed(site: str, page: Page) -> None:
    page.goto(f"{site}/moe_gating?data=strokes&seed=0&model=mixture")
    page.get_by_role("heading", name="Expert × class").wait_for(timeout=300_000)
    page.get_by_role("heading", name="The digits of each expert").wait_for(timeout=60_000)
    _sees_pictures(page)
    page.get_by_role("radio", name="One digit").click()
    page.wait_for_function("location.search.includes('view=digit')", timeout=30_000)
    page.get_by_text("The weighted answers add up").wait_for(timeout=60_000)
    _sees_pictures(page)


def test_a_claim_is_tested_and_its_card_is_taken_away(site: str, page: Page) -> None:
    page.goto(f"{site}/ask?{ADDRESS}&layer=linear_1&concept=class-7")
    page.get_by_role("button", name="Ask about the best unit").click(timeout=240_000)
    page.get_by_role("heading", name="carry the 7?", exact=False).first.wait_for(timeout=60_000)
    page.get_by_text("Necessary", exact=True).wait_for(timeout=120_000)
    with page.expect_download(timeout=60_000) as download:
        page.get_by_role("button", name="Evidence card (JSON)").click()
    card = Evidence.from_json(download.value.path().read_bytes())
    assert card.layer == "linear_1"
    page.get_by_text(card.findings["necessary"].reason[:40]).wait_for(timeout=30_000)
    page.get_by_text("All claims of this session").wait_for(timeout=60_000)
    page.get_by_role("button", name="Cancel").click(timeout=60_000)  # the group search is long


def test_the_written_link_opens_the_same_view(site: str, page: Page) -> None:
    page.goto(f"{site}/units?{ADDRESS}&layer=linear_1&unit=5&compare=linear_2/7")
    page.get_by_text("of the natural maximum").wait_for(timeout=60_000)
    page.get_by_role("button", name="Link to this view").click()
    link = page.locator("[data-testid=stPopoverBody] code").inner_text(timeout=30_000)
    assert {"data=strokes", "model=mlp", "seed=0", "layer=linear_1", "unit=5"} <= set(
        re.split("[?&]", link)
    )
    other = page.context.browser.new_page()
    other.goto(link)
    other.get_by_role("heading", name="mlp/linear_1/5").wait_for(timeout=30_000)
    other.get_by_text("The four highest digits of each unit").wait_for(timeout=30_000)
    other.close()


def test_a_wrong_value_is_said_at_the_top(site: str, page: Page) -> None:
    page.goto(f"{site}/units?{ADDRESS}&layer=linear_1&unit=999")
    page.get_by_text("is not valid: choose a whole number, 0 to 127.").wait_for(timeout=30_000)
    assert "unit=999 is not valid" in page.inner_text("body")


def test_markup_in_a_link_stays_text_and_fetches_nothing(site: str, page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for hostile in (
        "[Sign in again](https://elsewhere.example)",
        "![x](http://elsewhere.example/x.png)",
        "https://elsewhere.example/y",
        "<img src='http://elsewhere.example/z.png'>",
        "x](http://elsewhere.example) `](http://elsewhere.example/y)",
        ":red[# $x^2$ :smile: <- *x* ~y~",
    ):
        page.goto(f"{site}/units?{ADDRESS}&{urlencode({'layer': hostile, 'unit': 2 * hostile})}")
        page.get_by_text(f"layer={hostile}"[:40]).first.wait_for(timeout=30_000)
        assert page.locator("[data-testid=stAlert] a, [data-testid=stAlert] img").count() == 0
    assert {urlsplit(url).hostname for url in asked} <= {"127.0.0.1", None}


def test_a_click_on_a_picture_is_one_step_of_history(site: str, page: Page) -> None:
    page.goto(f"{site}/training?{ADDRESS}&view=anomalies&layer=linear_1")
    grid = page.get_by_role("listbox", name=re.compile("anomal|wanted|mlp", re.IGNORECASE)).first
    grid.wait_for(timeout=240_000)
    before, left = page.evaluate("history.length"), page.evaluate("location.href")
    grid.click(position={"x": 40, "y": 40})
    page.get_by_role("heading", name=re.compile(r"mlp.linear_1.\d+")).wait_for(timeout=60_000)
    assert page.evaluate("history.length") == before + 1
    opened = page.evaluate("location.href")
    page.go_back()
    grid.wait_for(timeout=60_000)
    assert page.evaluate("location.href") == left
    page.go_forward()
    page.get_by_role("heading", name=re.compile(r"mlp.linear_1.\d+")).wait_for(timeout=60_000)
    assert page.evaluate("location.href") == opened


def test_a_choice_that_changes_others_is_one_step_of_history(site: str, page: Page) -> None:
    page.goto(f"{site}/ask?{ADDRESS}&layer=linear_1&concept=class-7&units=3")
    page.get_by_text("Necessary", exact=True).wait_for(timeout=120_000)
    before = page.evaluate("history.length")
    page.get_by_role("combobox", name=re.compile("Layer")).click()
    page.get_by_role("option", name="linear_0").click()
    page.wait_for_function("location.search.includes('layer=linear_0')", timeout=30_000)
    page.wait_for_timeout(1500)
    assert "units=" not in page.evaluate("location.search")
    assert page.evaluate("history.length") == before + 1
    page.go_back()
    page.get_by_text("Necessary", exact=True).wait_for(timeout=60_000)
    assert "layer=linear_1&concept=class-7&units=3" in page.evaluate("location.search")


def test_a_row_that_was_clicked_does_not_hold_the_page(site: str, page: Page) -> None:
    page.goto(f"{site}/dissection?{ADDRESS}&layer=linear_2&unit=2")
    page.get_by_text("Every unit", exact=True).wait_for(timeout=120_000)
    table = page.locator("[class*=st-key-units-of-linear_2]").get_by_test_id("stDataFrame")
    table.scroll_into_view_if_needed()
    box = table.bounding_box()
    assert box is not None
    page.wait_for_timeout(1000)
    page.mouse.click(box["x"] + 12, box["y"] + 35 * 5 + 18)  # the mark of the fifth row
    page.wait_for_function("!location.search.includes('unit=2')", timeout=30_000)
    page.get_by_label("Unit of linear_2").fill("7")
    page.get_by_label("Unit of linear_2").press("Enter")
    page.locator("strong", has_text="mlp/linear_2/7").wait_for(timeout=30_000)
    page.go_back()
    page.go_back()
    page.locator("strong", has_text="mlp/linear_2/2").wait_for(timeout=30_000)


@pytest.mark.parametrize("here", ["", "units", "ask"])
def test_every_link_of_the_frame_is_right_for_any_button(site: str, page: Page, here: str) -> None:
    page.goto(f"{site}/{here}?{ADDRESS}")
    links = page.locator("[data-testid=stSidebar] a")
    links.nth(8).wait_for(timeout=60_000)
    found = links.evaluate_all("all => all.map(a => [a.innerText.split('\\n').pop(), a.href])")
    for name, address in found:
        path = name.lower().replace(" ", "_")
        assert address in (f"{site}/{path}?{ADDRESS}", f"{site}/?{ADDRESS}" * (path == "home"))
    assert len(found) == 9


def test_home_opens_in_a_new_tab(site: str, page: Page) -> None:
    page.goto(f"{site}/units?{ADDRESS}")
    with page.context.expect_page(timeout=60_000) as opened:
        page.get_by_role("link", name="Home").click(button="middle", timeout=60_000)
    home = opened.value
    home.get_by_role("heading", name="What does each unit do?").wait_for(timeout=60_000)
    home.close()


def test_a_person_who_reloads_is_one_person_and_can_cancel(site: str, page: Page) -> None:
    page.goto(f"{site}/units?data=strokes&model=lenet5&seed=7")
    page.get_by_role("button", name="Cancel").wait_for(timeout=60_000)
    page.get_by_text("Loss of each batch").wait_for(timeout=120_000)
    page.reload()
    page.get_by_text("Loss of each batch").wait_for(timeout=60_000)
    page.wait_for_timeout(1500)
    assert "people are watching" not in page.inner_text("body")
    page.get_by_role("button", name="Cancel").click()
    page.get_by_text("Nothing was lost, it can start again.").wait_for(timeout=60_000)
    assert "else is watching" not in page.inner_text("body")
    page.reload()
    page.get_by_text("Nothing was lost, it can start again.").wait_for(timeout=60_000)


def test_another_browser_is_another_person(site: str, page: Page) -> None:
    page.goto(f"{site}/units?data=strokes&model=lenet5&seed=8")
    page.get_by_role("button", name="Cancel").wait_for(timeout=60_000)
    context = page.context.browser.new_context()
    other = context.new_page()
    other.goto(f"{site}/units?data=strokes&model=lenet5&seed=8")
    other.get_by_text("2 people are watching").wait_for(timeout=60_000)
    other.get_by_role("button", name="Cancel").click()
    other.get_by_text("Nothing was lost, it can start again.").wait_for(timeout=60_000)
    page.get_by_role("button", name="Cancel").click()
    page.get_by_text("Nothing was lost, it can start again.").wait_for(timeout=60_000)
    context.close()


def _sees_pictures(page: Page) -> None:
    """Some grid is painted within half a minute, and not in a single colour."""
    canvases = page.locator("canvas")
    canvases.first.wait_for(state="attached", timeout=30_000)
    for _ in range(60):
        if canvases.evaluate_all(_PAINTED):
            return
        page.wait_for_timeout(500)
        canvases.evaluate_all(_INTO_VIEW)  # a grid is painted when it comes into view
    raise AssertionError("no picture was painted")


_INTO_VIEW = "canvases => canvases.find(canvas => canvas.checkVisibility())?.scrollIntoView()"
_PAINTED = """canvases => canvases.some(canvas => {
    if (!canvas.width) return false;
    const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    return new Set(new Uint32Array(pixels.data.buffer)).size > 2;
})"""
