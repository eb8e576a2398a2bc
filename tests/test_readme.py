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


def test_the_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    exec(compile(example, "README.md", "exec"), {})
    accuracy, activations, verdicts = capsys.readouterr().out.splitlines()
    assert float(accuracy) > 0.9
    assert activations.startswith("tensor(")
    assert "'necessary': 'not supported'" in verdicts
