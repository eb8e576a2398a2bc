"""What the pages' code may not do with what comes from outside, and with the browser's history."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILES = sorted((ROOT / "pages").rglob("*.py"))
SINKS = {"warning", "error", "info", "success", "toast", "markdown", "caption", "write", "badge"}
READERS = {"one_of", "integer", "span", "several", "switch", "Option", "digit_option"}
KEYS = {"layer_option": "layer", "unit_option": "unit"}  # of readers that need not be told


def calls(tree: ast.AST) -> Iterator[tuple[str, str, ast.Call]]:
    """Every call of an attribute: its object, its name, and itself."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            of = node.func.value
            yield (of.id if isinstance(of, ast.Name) else ""), node.func.attr, node


def keys_of_links() -> list[str]:
    """The keys of all choices that any page reads from its address."""
    found = set()
    for call in (node for file in FILES for node in ast.walk(ast.parse(file.read_text()))):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute | ast.Name):
            name = call.func.attr if isinstance(call.func, ast.Attribute) else call.func.id
            keys = [word.value for word in call.keywords if word.arg == "key" and name in KEYS]
            for key in [*keys, *(call.args[:1] if name in READERS else [])]:
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    found.add(key.value)
            if name in KEYS:
                found.add(KEYS[name])
    return sorted(found)


def bare_errors(node: ast.AST, *, safe: bool = False) -> Iterator[ast.AST]:
    """The caught errors in a sink's argument that go through neither `shown` nor `literal`."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        safe = safe or node.func.id in ("shown", "literal")
    if isinstance(node, ast.Name) and node.id in ("error", "failure", "trouble") and not safe:
        yield node
    for child in ast.iter_child_nodes(node):
        yield from bare_errors(child, safe=safe)


def test_the_keys_of_links_are_found() -> None:
    keys = {"layer", "unit", "seed", "units", "cell_shuffled", "view", "digit", "partner", "centre"}
    assert keys <= set(keys_of_links())


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_errors_reach_the_screen_literally(file: Path) -> None:
    for of, name, call in calls(ast.parse(file.read_text())):
        if name in SINKS and of != "":
            wrong = [node for argument in call.args for node in bare_errors(argument)]
            assert not wrong, f"{file.name}:{call.lineno}"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_one_helper_moves_between_pages(file: Path) -> None:
    """`place.go` and the links; Streamlit's own switch makes two steps of history."""
    used = {name for of, name, _ in calls(ast.parse(file.read_text())) if of == "st"}
    assert "switch_page" not in used
    assert "page_link" not in used or file.name == "place.py"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_step_of_history_is_written_once(file: Path) -> None:
    """No block of statements writes twice to the address: Back would lead to what is between."""
    for node in ast.walk(ast.parse(file.read_text())):
        for block in (getattr(node, name, None) for name in ("body", "orelse", "finalbody")):
            if isinstance(block, list):
                written = [each for each in block if writes(each)]
                assert len(written) <= 1, f"{file.name}:{written[1].lineno}"


def writes(statement: ast.stmt) -> bool:
    """Whether a statement by itself writes to the address."""
    if not isinstance(statement, ast.Expr) or not isinstance(statement.value, ast.Call):
        return False
    function = statement.value.func
    if not isinstance(function, ast.Attribute):
        return False
    of = function.value.id if isinstance(function.value, ast.Name) else ""
    return (of, function.attr) == ("links", "put") or function.attr == "changed"


def test_only_links_write_to_the_address() -> None:
    for file in FILES:
        if file.name == "links.py":
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            for target in getattr(node, "targets", []):
                assert "query_params" not in ast.dump(target), f"{file.name}:{node.lineno}"
