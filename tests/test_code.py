"""The version of the code that a task uses changes with what can change a result, and only so."""

from __future__ import annotations

import dataclasses
import re

import pytest

from core.claims.task import EvidenceTask
from core.models import registry
from core.runs import Run
from core.runtime import code
from core.runtime.lab import modules_of
from core.training.task import ModelTask

SOURCES = {
    "core.task": "from core.measure import mean\nfrom core import tables\nclass Task: ...\n",
    "core.measure": '"""Says what."""\ndef mean(x):\n    """The mean."""\n    return sum(x)\n',
    "core.tables": "import core.measure\nx = 1\n\n\ny = 2\n",
    "core.other": "z = 1\n",
    "core.runtime.lab": "import core.task\n",
    "core.models.registry": "from core.other import z\nepochs = 3\n",
}


def version(*roots: str, **changes: str) -> str:
    """The version of `roots` in a small package, some of whose modules are changed."""
    texts = {**SOURCES, **{f"core.{name.replace('__', '.')}": of for name, of in changes.items()}}

    def read(name: str) -> code.Module | None:
        return code.parsed(name, texts[name]) if name in texts else None

    return code.version(frozenset(roots or ("core.task",)), read)


@pytest.mark.parametrize(
    "change",
    [
        {"measure": "def mean(x):\n    return 0\n"},
        {"tables": "x = 2\ny = 2\n"},
        {"task": "class Task:\n    x = 1\n"},
    ],
)
def test_code_that_can_change_a_result_changes_the_version(change: dict[str, str]) -> None:
    assert version() != version(**change)


def test_indentation_is_code() -> None:
    inside, outside = "if x:\n    y = 1\n    z = 2", "if x:\n    y = 1\nz = 2"
    assert version(tables=inside) != version(tables=outside)


def test_code_that_is_not_used_keeps_the_version() -> None:
    assert version() == version(other="z = 2\n")
    assert version("core.other") != version("core.other", other="z = 2\n")


@pytest.mark.parametrize(
    "change",
    [
        {"measure": '"""Other words."""\ndef mean(x):\n    # a comment\n    return sum(x)\n'},
        {"tables": "import core.measure\nx = 1  \r\ny = 2"},
        {"runtime__lab": "import core.other\n"},
    ],
)
def test_words_and_blank_lines_and_what_carries_results_keep_the_version(
    change: dict[str, str],
) -> None:
    assert version() == version(**change)


def test_the_list_of_architectures_counts_and_not_each_of_them() -> None:
    of = ("core.task", "core.models.registry")
    assert version(*of) == version(*of, other="z = 2\n")
    assert version(*of) != version(*of, models__registry="epochs = 4\n")


def test_a_table_that_a_module_names_is_its_code() -> None:
    text = 'FILE = "smooth.json"\n'
    here = code.parsed("core.statistics.modes.silverman", text)
    nowhere = code.parsed("core.runs", text)
    assert here.digest != nowhere.digest
    assert here.digest == code.parsed("core.statistics.modes.silverman", text).digest


def test_the_version_is_known_without_sources() -> None:
    assert re.fullmatch("[0-9a-f]{64}", code.version(frozenset({"core.absent"})))


@pytest.mark.parametrize("name", registry.MODELS)
def test_a_training_depends_on_its_own_architecture_alone(name: str) -> None:
    used = set(code.used(modules_of(ModelTask(Run("strokes", name, seed=0)))))
    own = registry.MODELS[name].__module__
    assert own in used
    assert "core.training" in used
    others = {of.__module__ for of in registry.MODELS.values()} - {own}
    parents = {of.__module__ for of in registry.MODELS[name].__mro__}
    assert not used & (others - parents)
    assert not any("charts" in module or "runtime" in module for module in used)


def test_a_claim_depends_on_interventions_and_concepts() -> None:
    asking = EvidenceTask(Run("strokes", "lenet5", seed=0), "linear_0", (3,), "class-7", "zero")
    used = code.used(modules_of(asking))
    assert {"core.interventions.removal", "core.data.concepts.rules", "core.claims"} <= set(used)
    assert "core.models.som" not in used
    assert dataclasses.is_dataclass(asking)
