"""Phrases that a student stumbles over stay off the screen: pages and core are read."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SAY = {  # a pattern that no text matches, and what is said instead
    r"\btold (right|wrong|rightly)\b": "correctly classified, misclassified",
    r"\bno longer told\b": "newly misclassified",
    r"\btaken for what\b": "confusion matrix",
    r"\btells (\*\*)?\{?[\w.:]*\}? ?(of )?[\d.]+ bits?\b": "carries … bits of information",
    r"\btells? (no )?more (of|about) the\b": "carries more information about the",
    r"\bof what the weights tell\b": "the answer depends on the gate only through the class",
    r"\binterval of Wilson\b|\bWilson's 95 %|\bWilson's intervals?\b": "95 % Wilson interval",
    r"\bunlike bars\b": "unequal bars",
    r"\bhangs? on\b": "depends on",
    r"\bheaps?\b": "clusters",
    r"\bbest (unit )?of 95 % of shuffles\b": "the 95th percentile of the best unit under shuffling",
    r"\b9[59] % of shuffles\b": "the 95th or 99th percentile under shuffling",
    r"\bstays? below\b": "the 95th percentile",
    r"\bthe film\b|\bwhole film\b|\bthis film\b": "the movie",
    r"\bthreading the\b|\bdeveloping the\b": "preparing the movie",
    r"\bstands? for by now\b": "prefers so far",
    r"\bcourse module\b": "what is commonly done wrong, and what is right",
    r"\bremoved: their activation is\b": "replacement value",
    r"^Carry$": "Concept",
    r"\bwants? (the unit )?(on|higher)\b|\bwanted on\b": "is pushed up for",
    r"\b(drawn|fitted|learned|written|dealt) anew\b": "again, from scratch",
    r"\b(a|one|an) (expert|digit|mode|unit) tells\b": "carries, distinguishes",
    r"\bof like strength\b": "of similar strength",
    r"\b(takes|take) (a|no|all|none of the|moved) digits?\b": "receives, is assigned",
    r"\bunits? clos(ely|er)\b": "in detail",
    r"\banswers? to (the|a|every|what|which)\b(?! query)": "responds to",
    r"\bbehind the (ReLU|softmax|sigmoid|tanh|squash)\b": "after the",
    r"\bof (its|their) own drawing\b": "drawn for this app",
}


def test_no_text_has_a_phrase_that_was_banned() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}: “{text[:90]}”: say {SAY[pattern]}"
        for path in _modules()
        for line, text in texts(path.read_text())
        for pattern in SAY
        if re.search(pattern, text, re.IGNORECASE)
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ('"""Told right."""\nx = "told right"', ["told right"]),
        ('x = f"told {n:,} right"', ["told {n} right"]),
        ('x = ("told "\n     "right")', ["told right"]),
        ('def f():\n    """Told right."""\n    return "heaps"', ["heaps"]),
    ],
)
def test_texts_are_read_whole_and_docstrings_are_not(code: str, expected: list[str]) -> None:
    assert [text for _, text in texts(code)] == expected


@pytest.mark.parametrize(
    "text",
    [
        "Share of the digits told right",
        "Wilson's 95 % intervals",
        "the answers hang on",
        "tells **{told.bits} of 3.32 bits**",
        "What the course module did",
        "Carry",
    ],
)
def test_the_old_words_would_be_found(text: str) -> None:
    assert any(re.search(pattern, text, re.IGNORECASE) for pattern in SAY)


def texts(code: str) -> Iterator[tuple[int, str]]:
    """Line and text of every string but docstrings; values in braces, without their format."""
    tree = ast.parse(code)
    passed = {id(node) for node in _docstrings(tree)}
    for node in ast.walk(tree):
        if id(node) in passed:
            continue
        if isinstance(node, ast.JoinedStr):
            passed |= {id(part) for part in ast.walk(node)}
            yield node.lineno, "".join(map(_part, node.values))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def _part(part: ast.expr) -> str:
    """One part of a formatted string."""
    if isinstance(part, ast.FormattedValue):
        return f"{{{ast.unparse(part.value)}}}"
    return str(part.value) if isinstance(part, ast.Constant) else ""


def _docstrings(tree: ast.Module) -> Iterator[ast.Constant]:
    """The docstrings of a module, its classes and its functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and node.body:
            first = node.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                yield first.value


def _modules() -> list[Path]:
    """Every module whose texts can reach the screen."""
    return [path for room in ("pages", "core") for path in sorted((ROOT / room).rglob("*.py"))]
