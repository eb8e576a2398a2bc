"""Colours: classes that all eyes tell apart, words that can be read, and one place for them all."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import numpy as np
import pytest
from skimage.color import deltaE_ciede2000, rgb2lab

from core import colours

ROOT = Path(__file__).parent.parent
# Machado, Oliveira & Fernandes 2009, table 1 at severity 1, on linear light.
VISIONS = {
    "normal": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def seen(names: tuple[str, ...], vision: str) -> np.ndarray:
    """The colours in CIELAB, (n, 3), as eyes of one kind see them."""
    share = np.array([[int(name[at : at + 2], 16) / 255 for at in (1, 3, 5)] for name in names])
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    turned = np.clip(linear @ np.asarray(VISIONS[vision]).T, 0, 1)
    again = np.where(turned <= 0.0031308, 12.92 * turned, 1.055 * turned ** (1 / 2.4) - 0.055)
    return rgb2lab(again[None])[0]


def differences(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return deltaE_ciede2000(first[:, None], second[None])


def least(names: tuple[str, ...], vision: str) -> float:
    """The least difference between two of them."""
    lab = seen(names, vision)
    return float(differences(lab, lab)[np.triu_indices(len(names), 1)].min())


@pytest.mark.parametrize("vision", VISIONS)
def test_all_eyes_tell_classes_apart(vision: str) -> None:
    assert len(set(colours.CLASSES)) == 10
    assert least(colours.CLASSES, vision) > 12.6
    papers = seen((colours.PAPER, colours.DARK_PAPER), vision)
    assert differences(seen(colours.CLASSES, vision), papers).min() > 25


@pytest.mark.parametrize("vision", VISIONS)
def test_all_eyes_tell_series_apart(vision: str) -> None:
    assert least((*colours.SERIES, colours.CONTROL), vision) > 13.7
    assert least(colours.SERIES[:4], vision) > 15
    assert colours.SERIES[:2] == (colours.MODEL, colours.MARK)


def test_the_docstring_says_what_is_measured() -> None:
    for vision in VISIONS:
        row = re.search(rf"{vision} +([\d.]+) +([\d.]+) +([\d.]+)\n", colours.__doc__ or "")
        assert row, vision
        lab = seen(colours.CLASSES, vision)
        papers = differences(lab, seen((colours.PAPER, colours.DARK_PAPER), vision)).min(0)
        found = [least(colours.CLASSES, vision), *papers]
        np.testing.assert_allclose(found, [float(part) for part in row.groups()], atol=0.06)


@pytest.mark.parametrize("paper", [colours.PAPER, colours.DARK_PAPER])
def test_classes_and_series_stand_out_from_both_papers(paper: str) -> None:
    """3 to 1, as WCAG 2.2 asks of what isn't text."""
    ratios = [
        float(colours.contrast(colours.rgb(colour), colours.rgb(paper)))
        for colour in (*colours.CLASSES, *colours.SERIES)
    ]
    assert min(ratios) >= 3


def test_classes_that_look_alike_differ_most() -> None:
    pairs = [(4, 9), (7, 9), (3, 5), (3, 8), (5, 8), (2, 7), (1, 7), (5, 6), (0, 6), (8, 9)]
    for vision in VISIONS:
        lab = seen(colours.CLASSES, vision)
        assert min(differences(lab, lab)[pair] for pair in pairs) > 21


def test_contrast_has_the_values_of_the_standard() -> None:
    black, white, grey = [0, 0, 0], [255, 255, 255], [119, 119, 119]
    assert colours.contrast(black, white) == pytest.approx(21)
    assert colours.contrast(white, white) == 1
    assert colours.contrast([grey, black], white) == pytest.approx([4.48, 21], abs=0.005)


def test_words_take_the_ink_that_can_be_read() -> None:
    grounds = np.random.default_rng(0).integers(0, 256, (500, 3))
    inks = colours.legible(grounds)
    assert set(inks) == {colours.INK, colours.PAPER}
    ratios = [
        float(colours.contrast(ground, colours.rgb(of)))
        for ground, of in zip(grounds, inks, strict=True)
    ]
    assert min(ratios) > 4.1  # the most that both can have where they are alike
    assert colours.legible([[np.nan] * 3]) == [colours.INK]


def test_twenty_things_have_twenty_colours() -> None:
    assert colours.many(10) == list(colours.CLASSES)
    assert len(set(colours.many(20))) == 20
    assert len(colours.many(33)) == 33
    assert colours.paler("#000000", (0, 0.5, 1)) == ["#ffffff", "#808080", "#000000"]


def test_papers_are_those_of_the_themes() -> None:
    theme = tomllib.loads((ROOT / ".streamlit/config.toml").read_text())["theme"]
    assert theme["light"]["backgroundColor"] == colours.PAPER
    assert theme["light"]["primaryColor"] == colours.MODEL
    assert theme["light"]["textColor"] == colours.INK
    assert theme["dark"]["backgroundColor"] == colours.DARK_PAPER
    assert theme["dark"]["textColor"] == colours.LIGHT_INK


SOURCES = [*sorted((ROOT / "core").rglob("*.py")), *sorted((ROOT / "pages").rglob("*.py"))]
WRITTEN = re.compile(r"#(?:[0-9a-f]{8}|[0-9a-f]{6}|[0-9a-f]{3,4})\b|\brgba?\(", re.IGNORECASE)
NAMED = {"black", "white", "red", "green", "blue", "orange", "grey", "gray", "purple", "steelblue"}
DRAWN_IN = {"color", "stroke", "fill", "scheme"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_colours_are_written_in_one_place(path: Path) -> None:
    """No other module has a colour of its own, and no chart a scheme."""
    if path == ROOT / "core/colours.py":
        return
    tree = ast.parse(path.read_text())
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            assert id(node) in docstrings or not WRITTEN.search(node.value), node.value
        if isinstance(node, ast.keyword) and "charts" in path.parts and node.arg in DRAWN_IN:
            assert not isinstance(node.value, ast.Constant), (node.arg, node.value.value)
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "value":
            given = [of.value for of in node.args if isinstance(of, ast.Constant)]
            assert not NAMED & set(map(str, given))
