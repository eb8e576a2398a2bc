"""The README keeps its word: its files are there, its example runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def test_every_file_that_is_named_is_there() -> None:
    named = set(
        re.findall(r"`((?:core|pages|\.streamlit)/[\w./]+|app\.py|pyproject\.toml)`", README)
    )
    named |= set(re.findall(r"\]\(([^)]+\.png)\)", README))
    assert len(named) > 10
    assert not [name for name in named if not (ROOT / name).exists()]


def test_there_are_two_commands_and_each_does_all_of_its_own_setup() -> None:
    commands = re.findall(r"^```\n(python.*?)^```", README, re.DOTALL | re.MULTILINE)
    assert len(commands) == 2
    for command, last in zip(commands, ("streamlit run app.py", "pytest"), strict=True):
        (line,) = command.splitlines()
        steps = line.split(" && ")
        assert steps[0] == "python3 -m venv .venv"
        assert steps[1].startswith(".venv/bin/python -m pip install -e")
        assert steps[2].startswith(".venv/bin/python -m")
        assert last in steps[2]


def test_the_check_runs_the_very_line_of_the_readme() -> None:
    (pattern,) = re.findall(r"sed -n '/(.*)/p' README\.md", (ROOT / ".ci" / "run").read_text())
    (line,) = [line for line in README.splitlines() if re.search(pattern, line)]
    assert f"```\n{line}\n```" in README


def test_the_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    exec(compile(example, "README.md", "exec"), {})
    accuracy, activations, verdicts = capsys.readouterr().out.splitlines()
    assert float(accuracy) > 0.9
    assert activations.startswith("tensor(")
    assert "'necessary': 'not supported'" in verdicts
