"""The version of the code that a task uses: its own modules and what they import, and no others.

A line changed in one architecture makes the results of that architecture anew and leaves all others
as they are. What can't change a result doesn't count: docstrings, comments, blank lines, and this
package, which only carries results about.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
from collections.abc import Callable, Iterable
from functools import cache, lru_cache
from importlib import metadata, resources
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import torch

__all__ = ["Module", "Reader", "libraries", "parsed", "read", "used", "version"]

_PACKAGE = "core"
_CARRIERS = ("core.runtime", "core.text")  # they carry results about, and word sentences
# It names every architecture, and a task says itself which of them it uses.
_CATALOGUE = "core.models.registry"


class Module(NamedTuple):
    """What of a module's text matters: its code, and the modules that it may import."""

    digest: str
    imports: frozenset[str]


Reader: TypeAlias = Callable[[str], Module | None]


def libraries() -> dict[str, str]:
    """The versions of the libraries that compute."""
    return {"torch": torch.__version__, "numpy": np.__version__}


@cache
def read(name: str) -> Module | None:
    """What of a module matters; None for what is no module, such as a function's name."""
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, AttributeError, ValueError):
        return None
    loader: Any = getattr(spec, "loader", None)
    text = loader.get_source(name) if hasattr(loader, "get_source") else None
    return None if text is None else parsed(name, text)


@lru_cache(1024)
def version(modules: frozenset[str], read: Reader = read) -> str:
    """A hash of the code of these modules of ours and of all that they import.

    Of the release, where there are no sources to read.
    """
    found = used(modules, read)
    lines = [f"{name} {found[name].digest}" for name in sorted(found)]
    return hashlib.sha256("\n".join(lines or [_release()]).encode()).hexdigest()


def used(modules: Iterable[str], read: Reader = read) -> dict[str, Module]:
    """The modules of ours among `modules`, and all that they import, by name."""
    found: dict[str, Module] = {}
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        if name in found or name.startswith(_CARRIERS) or name.split(".")[0] != _PACKAGE:
            continue
        module = read(name)
        if module is not None:
            found[name] = module
            waiting += [] if name == _CATALOGUE else module.imports
    return found


def parsed(name: str, text: str) -> Module:
    """What of the text of module `name` matters."""
    tree = ast.parse(text)
    imports: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imports |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            imports |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
        _drop_docstring(node)
    digest = hashlib.sha256(ast.unparse(tree).encode())
    for data in _data_files(name, tree):
        digest.update(data)
    return Module(digest.hexdigest(), frozenset(imports))


def _drop_docstring(node: ast.AST) -> None:
    """Take the docstring out of a module, class or function."""
    if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        return
    first = node.body[0] if node.body else None
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        node.body = [*node.body[1:]] or [ast.Pass()]


def _data_files(name: str, tree: ast.Module) -> list[bytes]:
    """The contents of the tables beside a module that it names."""
    names = sorted(
        {
            node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and node.value.endswith(".json")
            and "/" not in node.value
        }
    )
    found = []
    for file in names:
        for package in {name, name.rpartition(".")[0]}:
            try:
                found.append(resources.files(package).joinpath(file).read_bytes())
            except (OSError, ImportError, TypeError):
                continue
    return found


def _release() -> str:
    """The version of the installed package."""
    try:
        return metadata.version("specialized-neurons")
    except metadata.PackageNotFoundError:
        return ""
