"""Widgets are drawn in one place, so that no choice is missing from the address or the link."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).parent.parent
FILES = sorted((ROOT / "pages").rglob("*.py"))
PLACES = {  # each kind of widget, and the only module that draws it
    **dict.fromkeys(
        (
            "checkbox",
            "color_picker",
            "date_input",
            "multiselect",
            "number_input",
            "pills",
            "radio",
            "segmented_control",
            "select_slider",
            "selectbox",
            "slider",
            "text_area",
            "text_input",
            "toggle",
        ),
        "kit/controls.py",
    ),
    "tabs": "none, since a view is a choice",
    "download_button": "kit/tables.py",
    "copy_link": "frame.py",
}


def calls(file: Path) -> Iterator[ast.Call]:
    """Every call of an attribute in a file."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_widget_is_drawn_where_its_kind_is(file: Path) -> None:
    for call in calls(file):
        assert isinstance(call.func, ast.Attribute)
        name, of = call.func.attr, call.func.value
        if isinstance(of, ast.Name) and of.id in ("controls", "widgets"):
            continue  # these draw it for an option
        here = file.relative_to(ROOT / "pages").as_posix()
        assert PLACES.get(name, here) == here, f"{file}:{call.lineno} draws {name}"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_table_that_is_clicked_writes_to_the_address(file: Path) -> None:
    """A row picked in a table is a choice: `on_select` calls, and doesn't only draw again."""
    for call in calls(file):
        assert isinstance(call.func, ast.Attribute)
        if call.func.attr == "dataframe":
            values = {word.arg: word.value for word in call.keywords}
            assert not isinstance(values.get("on_select"), ast.Constant), f"{file}:{call.lineno}"


def program() -> None:
    """A page with one choice of each kind, and one that a fragment alone reads."""
    import pandas as pd
    import streamlit as st

    from pages.kit import controls, links

    links.begin_run()
    controls.choose(links.one_of("letter", ("a", "b")), "Letter", resets=("digit",))
    controls.pick(links.one_of("side", ("left", "right")), "Side")
    controls.steps(links.one_of("step", ("1", "2", "4")), "Step")
    controls.slide(links.integer("digit", 0, 9, 3), "Digit")
    controls.slide(links.span("range", 0, 100), "Range")
    controls.number(links.integer("seed", 0, 99, 0), "Seed")
    controls.several(
        links.several("beside", ("x", "y"), most=2), "Beside", among=("x", "y"), most=2, hint=""
    )
    controls.marks(links.several("shown", ("0", "1")), "Shown")
    controls.toggle(links.switch("open"), "Open")
    controls.text(links.Option("units", "", str, str.strip), "Units", hint="")
    controls.ticks(
        links.several("ticked", ("u", "v")),
        pd.DataFrame({"unit": ["u", "v"]}),
        ("u", "v"),
        key="table",
        height=100,
        columns={},
    )
    controls.pick(links.Part("part", 1, (1, 2), lambda value: links.put(whole=value)), "Part")

    @st.fragment
    def alone() -> None:
        controls.toggle(links.switch("inside"), "Inside")

    alone()
    links.copy_link(whole=True)


DEFAULTS = {
    "letter": "a",
    "side": "left",
    "step": "1",
    "digit": "3",
    "range": "0-100",
    "seed": "0",
    "beside": "",
    "shown": "",
    "open": "no",
    "units": "",
    "ticked": "",
    "inside": "no",
}
OTHERS = {
    "letter": "b",
    "side": "right",
    "step": "4",
    "digit": "7",
    "range": "20-80",
    "seed": "5",
    "beside": "y",
    "shown": "0,1",
    "open": "yes",
    "units": "3",
    "ticked": "v",
    "inside": "yes",
}


def test_the_link_writes_out_defaults_too() -> None:
    from tests.linked import link

    at = AppTest.from_function(program).run()
    assert not at.exception
    assert link(at) == DEFAULTS


def test_every_widget_shows_what_the_address_says() -> None:
    from tests.linked import link

    at = AppTest.from_function(program)
    for key, text in OTHERS.items():
        at.query_params[key] = text
    at.run()
    assert not at.exception
    assert link(at) == OTHERS
    assert at.selectbox(key="letter").value == "b"
    assert at.slider(key="range").value == (20, 80)
    assert at.toggle(key="inside").value is True
    assert at.session_state["table"]["selection"]["rows"] == [1]


def test_a_change_is_written_and_takes_along_what_it_must() -> None:
    at = AppTest.from_function(program)
    at.query_params["digit"] = "7"
    at.run()
    at.selectbox(key="letter").select("b").run()
    assert at.query_params["letter"] in ("b", ["b"])
    assert "digit" not in at.query_params
    at.toggle(key="inside").set_value(True).run()
    assert at.query_params["inside"] in ("yes", ["yes"])
    at.text_input(key="units").set_value(" 3 ").run()
    assert at.query_params["units"] in ("3", ["3"])
    at.text_input(key="units").set_value("").run()
    assert "units" not in at.query_params


def test_a_button_pressed_again_stays_pressed() -> None:
    at = AppTest.from_function(program).run()
    (side,) = [each for each in at.get("button_group") if each.key == "side"]
    assert side.proto.required
