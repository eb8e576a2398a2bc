"""The house keeps its shape: who may import whom, and `core` without the dashboard."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CORE = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for path in (ROOT / "core").rglob("*.py")
)
ANALYSES = (
    "core.analyses.profiles",
    "core.analyses.maximize",
    "core.training",
    "core.analyses.dissection",
    "core.analyses.labelling",
    "core.analyses.counterfactuals",
    "core.claims",
    "core.analyses.comparing.dynamics",
    "core.analyses.movie",
    "core.analyses.subpopulations",
    "core.analyses.wiring",
    "core.analyses.neighbours",
    "core.statistics.modes",
    "core.architectures.mixture",
)


def imports(module: str) -> set[str]:
    """What a module of the project imports, wherever in the file."""
    path = ROOT.joinpath(*module.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def is_task(module: str) -> bool:
    """Whether a module says what is computed on request, out of which results."""
    *folders, last = module.split(".")
    return last.endswith("task") or "tasks" in folders


@pytest.mark.parametrize("module", CORE)
def test_core_knows_neither_pages_nor_streamlit(module: str) -> None:
    names = imports(module)
    assert not any(name.split(".")[0] == "pages" for name in names)
    if module != "core.runtime.cache":
        assert not any(name.split(".")[0] == "streamlit" for name in names)


@pytest.mark.parametrize(
    "module",
    [
        *(module for module in CORE if "charts" in module.split(".")),
        "core.pictures",
        "core.statistics",
    ],
)
def test_numbers_become_pictures_without_torch(module: str) -> None:
    assert not any(name.split(".")[0] == "torch" for name in imports(module))


@pytest.mark.parametrize("module", ANALYSES)
def test_analyses_do_not_import_one_another(module: str) -> None:
    inside = [name for name in CORE if name == module or name.startswith(f"{module}.")]
    inside = [name for name in inside if not is_task(name)]  # these join results of several
    others = [other for other in ANALYSES if other != module]
    for name in inside:
        assert not [used for used in imports(name) if used.startswith(tuple(others))]


@pytest.mark.parametrize("module", [name for name in CORE if name.startswith("core.interventions")])
def test_interventions_know_nothing_of_what_they_are_used_for(module: str) -> None:
    above = ("core.claims", "core.architectures", "core.analyses", "core.charts", "core.training")
    assert not [used for used in imports(module) if used.startswith(above)]


@pytest.mark.parametrize(
    "module", [name for name in CORE if name.startswith(("core.analyses", "core.architectures"))]
)
def test_what_is_measured_knows_no_claims(module: str) -> None:
    assert not [used for used in imports(module) if used.startswith("core.claims")]


def test_core_is_imported_without_streamlit_installed() -> None:
    modules = [module for module in CORE if module != "core.runtime.cache"]
    program = f"import sys; sys.modules['streamlit'] = None; import {', '.join(modules)}"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
