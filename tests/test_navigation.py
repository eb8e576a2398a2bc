"""A person moves about: links, steps of history, tabs, reloads; and links that mean harm."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

# Few units: what a person sees of them is the same.
ADDRESS = "data=strokes&model=mlp&settings=widths%3D64-32&seed=0"


@pytest.fixture(scope="module", autouse=True)
def ready(site: str, page: Page) -> None:
    """A trained network, so that no test waits for another's."""
    page.goto(f"{site}/?{ADDRESS}")
    page.get_by_role("heading", name="The most specialized units").wait_for(timeout=240_000)


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
    page.get_by_text("All claims of this session").wait_for(timeout=60_000)
    _chooses(page, "Layer", "linear_0")
    page.wait_for_timeout(1500)
    assert "units=" not in page.evaluate("location.search")
    assert page.evaluate("history.length") == before + 1
    page.go_back()
    page.get_by_text("Necessary", exact=True).wait_for(timeout=60_000)
    assert "layer=linear_1&concept=class-7&units=3" in page.evaluate("location.search")


def _chooses(page: Page, name: str, option: str) -> None:
    """Choose an option of a box; once more where the box was drawn anew under the hand."""
    for _ in range(5):
        page.get_by_role("combobox", name=re.compile(name)).click()
        page.get_by_role("option", name=option).click()
        for _ in range(20):
            if option in page.evaluate("location.search"):
                return
            page.wait_for_timeout(500)
    raise AssertionError(f"{option} could not be chosen")


def test_a_row_that_was_clicked_does_not_hold_the_page(site: str, page: Page) -> None:
    page.goto(f"{site}/dissection?{ADDRESS}&unit=mlp/linear_2/2")
    page.get_by_text("Every unit", exact=True).wait_for(timeout=120_000)
    table = page.locator("[class*=st-key-units-of-linear_2]").get_by_test_id("stDataFrame")
    table.scroll_into_view_if_needed()
    box = table.bounding_box()
    assert box is not None
    page.wait_for_timeout(1000)
    page.mouse.click(box["x"] + 12, box["y"] + 35 * 5 + 18)  # the mark of the fifth row
    page.wait_for_function(
        "!decodeURIComponent(location.search).includes('unit=mlp/linear_2/2')", timeout=30_000
    )
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for(timeout=30_000)
    page.wait_for_timeout(500)
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


def test_a_click_on_the_sidebar_keeps_data_model_and_seed(site: str, page: Page) -> None:
    other = ADDRESS.replace("seed=0", "seed=9")
    page.goto(f"{site}/training?{other}&view=anomalies&layer=linear_1")
    for name in ("Dissection", "Architectures", "Home", "Ask"):
        page.locator("[data-testid=stSidebar] a", has_text=name).click(timeout=60_000)
        path = name.lower()
        page.wait_for_function(f"location.pathname.endsWith('/{path}')", timeout=60_000)
        page.wait_for_timeout(1500)
        assert page.evaluate("location.search") == f"?{other}"
        assert page.get_by_label("Seed", exact=True).input_value() == "9"
    page.goto(f"{site}/architectures?{other}")
    page.get_by_role("button", name="Cancel").click(timeout=60_000)  # else later tests wait for it


def test_home_opens_in_a_new_tab(site: str, page: Page) -> None:
    page.goto(f"{site}/units?{ADDRESS}")
    with page.context.expect_page(timeout=60_000) as opened:
        page.get_by_role("link", name="Home").click(button="middle", timeout=60_000)
    home = opened.value
    home.get_by_role("heading", name="What does each unit do?").wait_for(timeout=60_000)
    home.close()


@pytest.mark.parametrize("with_key", ["middle", "Control"])
def test_a_picture_opens_its_unit_in_a_new_tab(site: str, page: Page, with_key: str) -> None:
    page.goto(f"{site}/?{ADDRESS}")
    grid = page.get_by_role("listbox", name=re.compile("specialized"))
    grid.wait_for(timeout=60_000)
    how = {"button": "middle"} if with_key == "middle" else {"modifiers": [with_key]}
    with page.context.expect_page(timeout=60_000) as opened:
        grid.click(position={"x": 60, "y": 40}, **how)  # type: ignore[arg-type]
    unit = opened.value
    unit.get_by_role("heading", name=re.compile(r"mlp.linear_\d.\d+")).wait_for(timeout=60_000)
    assert unit.evaluate("location.href").startswith(f"{site}/units?{ADDRESS}&unit=mlp/linear_")
    unit.close()
    assert page.evaluate("location.href") == f"{site}/?{ADDRESS}"


def test_a_person_who_reloads_is_one_person_and_can_cancel(site: str, page: Page) -> None:
    page.goto(f"{site}/units?data=strokes&model=lenet5&seed=7")
    page.get_by_role("button", name="Cancel").wait_for(timeout=60_000)
    page.get_by_text("Loss of each batch").wait_for(timeout=120_000)
    page.reload()
    page.get_by_text("Loss of each batch").wait_for(timeout=60_000)
    page.wait_for_timeout(1500)
    assert "people are watching" not in page.inner_text("body")
    page.get_by_role("button", name="Cancel").click()
    page.get_by_text("Nothing was lost; you can start it again.").wait_for(timeout=60_000)
    assert "else is waiting" not in page.inner_text("body")
    page.reload()
    page.get_by_text("Nothing was lost; you can start it again.").wait_for(timeout=60_000)


def test_another_browser_is_another_person(site: str, page: Page) -> None:
    page.goto(f"{site}/units?data=strokes&model=lenet5&seed=8")
    page.get_by_role("button", name="Cancel").wait_for(timeout=60_000)
    context = page.context.browser.new_context()
    other = context.new_page()
    other.goto(f"{site}/units?data=strokes&model=lenet5&seed=8")
    other.get_by_text("2 people are watching").wait_for(timeout=60_000)
    other.get_by_role("button", name="Cancel").click()
    other.get_by_text("Nothing was lost; you can start it again.").wait_for(timeout=60_000)
    page.get_by_role("button", name="Cancel").click()
    page.get_by_text("Nothing was lost; you can start it again.").wait_for(timeout=60_000)
    context.close()
