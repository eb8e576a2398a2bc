"""Charts: what a cell is coloured and written in, where intervals lie, and who may draw them."""

from __future__ import annotations

import ast
from pathlib import Path

import altair as alt
import numpy as np
import pandas as pd
import pytest

from core.architectures.som import charts as som
from core.charts.bars import highlighted, histogram_bars
from core.charts.effects import lost_by_class
from core.charts.heatmap import Words, diverging, heat_map, sequential
from core.charts.intervals import baseline, control_range, interval_plot
from core.charts.lines import at_place, level
from core.colours import ABOVE, BELOW, CLASSES, INK, MARK, MODEL, PAPER, contrast, legible, rgb

ROOT = Path(__file__).parent.parent
X, Y = alt.X("column:O"), alt.Y("row:O")


def rows(spec: dict, layer: dict | None = None) -> list[dict]:
    """The data of a chart."""
    data = (layer or {}).get("data") or spec.get("data") or spec["layer"][0]["data"]
    return spec["datasets"][data["name"]]


def grid(values: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"column": range(len(values)), "row": 0, "value": values, "text": "7"})


def test_shades_are_straight_between_their_colours_and_end_there() -> None:
    blue = sequential(2.0, MODEL)
    np.testing.assert_allclose(
        blue.at([0, 2, 5, -1]), [rgb(c) for c in (PAPER, MODEL, MODEL, PAPER)]
    )
    np.testing.assert_allclose(blue.at([1])[0], (rgb(PAPER) + rgb(MODEL)) / 2)
    both = diverging([-4.0, 1.0])
    np.testing.assert_allclose(both.at([-4, 0, 4]), [rgb(c) for c in (BELOW, PAPER, ABOVE)])
    assert both.stops == (-4, 0, 4)
    assert diverging([0.0]).stops[-1] > 0
    assert diverging([0.2], 1.0).stops == (-1, 0, 1)
    assert sequential(0.0).stops[0] < sequential(0.0).stops[1]


def test_the_chart_has_the_same_shades() -> None:
    shades = diverging([3.0])
    scale = shades.of("value").to_dict()["scale"]
    assert scale == {
        "domain": [-3, 0, 3],
        "range": [BELOW, PAPER, ABOVE],
        "interpolate": "rgb",
        "clamp": True,
    }


def test_what_is_written_in_a_cell_can_be_read() -> None:
    """The ink of each cell is the one that its colour needs, whatever the scale."""
    values = np.linspace(-1, 1, 41).tolist()
    for shades in (diverging(values), sequential(), sequential(1.0, MARK), sequential(1.0, INK)):
        chart = heat_map(
            grid(values), "value", shades, x=X, y=Y, tooltip=["value"], words=[Words("text:N")]
        )
        spec = chart.to_dict()
        inks = [row["ink"] for row in rows(spec)]
        assert inks == legible(shades.at(values))
        least = min(
            float(contrast(ground, rgb(ink)))
            for ground, ink in zip(shades.at(values), inks, strict=True)
        )
        assert least > 4
        ink = spec["layer"][1]["encoding"]["color"]
        (light,) = ink["condition"] if isinstance(ink["condition"], list) else [ink["condition"]]
        assert light == {"test": f"(datum['ink'] === '{PAPER}')", "value": PAPER}
        assert ink["value"] == INK


def test_a_heat_map_tells_its_numbers_over_cells_and_words() -> None:
    chart = heat_map(
        grid([0.1, np.nan]), "value", sequential(), x=X, y=Y, tooltip=["row", "value"],
        words=[Words("text:N"), Words("value:Q", 15, ".0%", dy=-8, bold=True)],
    )  # fmt: skip
    spec = chart.to_dict()
    assert [layer["mark"]["type"] for layer in spec["layer"]] == ["rect", "text", "text"]
    for layer in spec["layer"]:
        assert [tip["field"] for tip in layer["encoding"]["tooltip"]] == ["row", "value"]
    assert spec["height"] == {"step": 26}
    assert spec["layer"][2]["encoding"]["text"]["format"] == ".0%"
    assert [row["ink"] for row in rows(spec)][1] == INK
    plain = heat_map(
        grid([0.1]), "value", sequential(), x=X, y=Y, tooltip=[], edges=False, height=9
    )
    assert plain.to_dict()["height"] == 9
    assert "stroke" not in plain.to_dict()["layer"][0]["mark"]


@pytest.mark.parametrize("level_place", [True, False])
def test_intervals_lie_along_the_axis_of_their_values(level_place: bool) -> None:
    frame = pd.DataFrame({"name": ["a", "b"], "mean": [1, 2], "low": [0, 1], "high": [2, 3]})
    place, value = (
        (alt.Y("name:N"), alt.X("mean:Q", title="m"))
        if level_place
        else (alt.X("name:N"), alt.Y("mean:Q", title="m"))
    )
    spec = interval_plot(frame, place, value, tooltip=["name", "mean"]).to_dict()
    rule, point = spec["layer"]
    along = "x" if level_place else "y"
    assert rule["mark"]["type"] == "rule"
    assert (rule["encoding"][along]["field"], rule["encoding"][f"{along}2"]["field"]) == (
        "low",
        "high",
    )
    assert rule["encoding"][along]["title"] == "m"
    assert point["encoding"][along]["field"] == "mean"
    assert point["encoding"]["color"]["value"] == MODEL
    assert str(value.shorthand) == "mean:Q"  # the axis given is left as it was
    assert ("height" in spec) == level_place
    band = control_range(frame, place, value, "high").to_dict()["encoding"]
    assert band[f"{along}2"]["field"] == "high"
    assert baseline(frame, place, value, width=9).to_dict()["encoding"][along]["field"] == "mean"


def test_lost_digits_are_in_points_and_blue() -> None:
    frame = pd.DataFrame({"name": ["head 0"] * 2, "class": [0, 1], "change": [-0.203, 0.001]})
    spec = lost_by_class(frame.assign(low=-0.3, high=0.1, digits=9)).to_dict()
    assert [row["text"] for row in rows(spec)] == ["-20", "0"]
    assert [row["low"] for row in rows(spec)] == [-30, -30]
    assert spec["layer"][0]["encoding"]["color"]["scale"]["range"][0] == BELOW
    told = [tip["field"] for tip in spec["layer"][0]["encoding"]["tooltip"]]
    assert told == ["name", "class", "digits", "change", "low", "high"]


def test_one_bar_is_orange() -> None:
    chart = highlighted("abc", [1, 2, 3], 1, x=alt.X("name:N"), y=alt.Y("much:Q"), form=".1f")
    assert [row["shade"] for row in rows(chart.to_dict())] == [MODEL, MARK, MODEL]
    assert [row["much"] for row in rows(chart.to_dict())] == [1, 2, 3]


def test_bars_stand_between_their_edges() -> None:
    chart = histogram_bars([0, 1, 4], [5, 6], x="what", y=alt.Y("n:Q"), form=".1f", tooltip="n")
    assert rows(chart.to_dict()) == [
        {"from": 0, "to": 1, "n": 5},
        {"from": 1, "to": 4, "n": 6},
    ]


def test_marks_are_where_they_are_said_to_be() -> None:
    rule = at_place(alt.X("step:Q", title="steps"), 30).to_dict()
    assert rows(rule) == [{"step": 30}]
    assert rule["encoding"]["x"]["title"] == "steps"
    line = level("auc", 0.5, "by chance").to_dict()
    assert rows(line) == [{"auc": 0.5}]
    assert line["encoding"]["tooltip"][0]["title"] == "by chance"


def test_figures_on_the_map_can_be_read_on_every_class() -> None:
    cells = pd.DataFrame({"cell": range(10), "row": 0, "column": range(10), "label": range(10)})
    spec = som.labels(cells).to_dict()
    coloured, text = spec["layer"]
    assert coloured["encoding"]["color"]["scale"]["range"] == list(CLASSES)
    for row in rows(spec, text):
        assert contrast(rgb(CLASSES[row["label"]]), rgb(row["ink"])) > 3


def test_only_one_module_draws_cells() -> None:
    """All heat maps are made in one place."""
    used = [
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "core").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr == "mark_rect"
    ]
    assert set(used) == {"core/charts/heatmap.py"}
