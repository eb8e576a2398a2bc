"""A person at a browser: a fresh server, a model trained, a unit opened, a link, and back."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest

from core.claims.evidence import Evidence

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

# Few units: what a person sees of them is the same.
ADDRESS = "data=strokes&model=mlp&settings=widths%3D64-32&seed=0"
RBF = "data=strokes&model=rbf&settings=centres%3D40,epochs%3D1&seed=0"
MIXTURE = "data=strokes&model=mixture&settings=experts%3D4,width%3D16,epochs%3D1&seed=0"


def test_a_cold_link_shows_the_frame_trains_and_opens_its_unit(site: str, page: Page) -> None:
    page.goto(f"{site}/units?{ADDRESS}&unit=mlp/linear_1/3")
    page.get_by_role("link", name="Home").wait_for(timeout=60_000)
    page.get_by_role("button", name="Cancel").wait_for(timeout=60_000)
    page.get_by_text("Class selectivity").wait_for(timeout=120_000)
    page.get_by_role("heading", name="mlp/linear_1/3").wait_for(timeout=240_000)
    page.get_by_text("of the natural maximum").wait_for(timeout=120_000)
    _sees_pictures(page)


def test_the_next_unit_and_the_browsers_back_button(page: Page) -> None:
    page.get_by_role("button", name="Next").click()
    page.get_by_role("heading", name="mlp/linear_1/4").wait_for(timeout=30_000)
    assert "unit=mlp/linear_1/4" in unquote(page.evaluate("location.search"))
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
    assert re.search(r"unit=mlp/linear_\d/\d+", unquote(page.evaluate("location.search")))


def test_home_is_open_at_once_and_its_links_lead_on(site: str, page: Page) -> None:
    page.goto(f"{site}/?{ADDRESS}")
    page.get_by_role("heading", name="The most specialized units").wait_for(timeout=30_000)
    _sees_pictures(page)
    page.get_by_role("link", name="Begin").first.click()
    page.get_by_role("heading", name="Ask", exact=True).wait_for(timeout=30_000)
    assert "concept=crossed-7" in page.evaluate("location.search")
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
    page.wait_for_function(
        "decodeURIComponent(location.search).includes('unit=mlp/linear_2/7')", timeout=30_000
    )
    page.locator("strong", has_text="mlp/linear_2/7").wait_for(timeout=30_000)


def test_a_layers_modes_are_found_and_a_unit_is_opened(site: str, page: Page) -> None:
    page.goto(f"{site}/multimodality?{ADDRESS}&unit=mlp/linear_2/4")
    page.get_by_role("heading", name="Overview of the layer").wait_for(timeout=240_000)
    page.get_by_role("heading", name="Which digits are in each mode").wait_for(timeout=120_000)
    _sees_pictures(page)


def test_an_architecture_is_trained_and_followed_and_its_unit_opened(site: str, page: Page) -> None:
    page.goto(f"{site}/architectures?{RBF}&section=rbf")
    page.get_by_text("strokes/test/10, a").wait_for(timeout=300_000)
    page.get_by_role("heading", name="The centres").wait_for(timeout=240_000)
    _sees_pictures(page)
    page.get_by_role("radio", name="Self-attention").click()
    page.wait_for_function("location.search.includes('model=attention')", timeout=30_000)
    page.get_by_role("button", name="Cancel").click(timeout=60_000)


def test_a_gate_is_read_and_a_digit_of_an_expert_is_followed(site: str, page: Page) -> None:
    page.goto(f"{site}/moe_gating?{MIXTURE}")
    page.get_by_role("heading", name="Expert × class").wait_for(timeout=300_000)
    page.get_by_role("heading", name="The digits of each expert").wait_for(timeout=60_000)
    _sees_pictures(page)
    page.get_by_role("radio", name="One digit").click()
    page.wait_for_function("location.search.includes('view=digit')", timeout=30_000)
    page.get_by_text("The weighted logits add up").wait_for(timeout=60_000)
    _sees_pictures(page)


def test_a_claim_is_tested_and_its_card_is_taken_away(site: str, page: Page) -> None:
    page.goto(f"{site}/ask?{ADDRESS}&layer=linear_1&concept=class-7")
    page.get_by_role("button", name="Ask about the best unit").click(timeout=240_000)
    page.get_by_role("heading", name="represent the 7?", exact=False).first.wait_for(timeout=60_000)
    page.get_by_text("Necessary", exact=True).wait_for(timeout=120_000)
    with page.expect_download(timeout=60_000) as download:
        page.get_by_role("button", name="Evidence card (JSON)").click()
    text = download.value.path().read_text()
    card = Evidence.from_json(text)
    assert card.layer == "linear_1"
    page.get_by_text(card.findings["necessary"].reason[:40]).wait_for(timeout=30_000)
    page.get_by_text("All claims of this session").wait_for(timeout=60_000)
    page.get_by_role("button", name="Cancel").click(timeout=60_000)  # the group search is long
    _loads_cards(site, page, json.loads(text))


def _loads_cards(site: str, page: Page, content: dict[str, Any]) -> None:
    """The card agrees with its test, an altered one is recognized, a wrong one is refused."""
    _loads(site, page, content)
    page.get_by_role("button", name="Repeat this test").click(timeout=30_000)
    page.get_by_text("agrees with the card in all").wait_for(timeout=120_000)
    content["controls"]["p_value"] = 0.000123
    content["findings"]["necessary"]["n"] = 99_999
    _loads(site, page, content)
    page.get_by_role("button", name="Repeat this test").click(timeout=30_000)
    page.get_by_text("disagrees with the card in 2 of").wait_for(timeout=120_000)
    text = page.inner_text("body")
    assert "controls, p value: the card says 0.000123, the test " in text
    assert "findings, necessary, n: the card says 99999, the test " in text
    _loads(site, page, {**content, "layer": "[x](http://elsewhere.example)"})
    page.get_by_text("The card is about layer [x](http://elsewhere.example)").wait_for(
        timeout=30_000
    )


def _loads(site: str, page: Page, content: dict[str, Any]) -> None:
    """Upload a card."""
    page.goto(f"{site}/ask?{ADDRESS}")
    page.get_by_text("Load an evidence card").click(timeout=120_000)
    file = {"name": "card.json", "mimeType": "application/json"}
    given = {**file, "buffer": json.dumps(content).encode()}
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(given)


def test_the_written_link_opens_the_same_view(site: str, page: Page) -> None:
    page.goto(f"{site}/units?{ADDRESS}&unit=mlp/linear_1/5&compare=mlp/linear_2/7")
    page.get_by_text("of the natural maximum").wait_for(timeout=60_000)
    page.get_by_role("button", name="Link to this view").click()
    link = page.locator("[data-testid=stPopoverBody] code").inner_text(timeout=30_000)
    assert {"data=strokes", "model=mlp", "seed=0", "layer=linear_1", "unit=mlp/linear_1/5"} <= set(
        re.split("[?&]", link)
    )
    other = page.context.browser.new_page()
    other.goto(link)
    other.get_by_role("heading", name="mlp/linear_1/5").wait_for(timeout=30_000)
    other.get_by_text("The four highest digits of each unit").wait_for(timeout=30_000)
    other.close()


def test_a_wrong_value_is_said_at_the_top(site: str, page: Page) -> None:
    page.goto(f"{site}/units?{ADDRESS}&unit=mlp/linear_1/999")
    page.get_by_text("write one of mlp/linear_1/0 to mlp/linear_1/31.").wait_for(timeout=30_000)
    assert "unit=mlp/linear_1/999 names no unit of mlp/linear_1" in page.inner_text("body")


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
