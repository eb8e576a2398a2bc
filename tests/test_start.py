"""The first start: in a terminal, on a bare account, from a checkout or from a wheel."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import threading
import time
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from streamlit import config

from tests.browser import FLAGS, ROOT, free_port, is_up
from tests.conftest import chromium

if TYPE_CHECKING:
    from playwright.sync_api import Page

SETTINGS = ".streamlit/config.toml"


def bare(home: Path) -> dict[str, str]:
    """The environment of an account that has nothing, and a browser that does nothing."""
    ours = {name: text for name, text in os.environ.items() if name.startswith("SPECIALIZED")}
    account = {"PATH": os.environ["PATH"], "HOME": str(home), "TERM": "xterm", "BROWSER": "true"}
    return account | ours


class Terminal:
    """A program in a terminal of its own, and what it writes there."""

    def __init__(self, command: list[str], folder: Path, home: Path) -> None:
        import pty

        self.written = b""
        ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            command, cwd=folder, env=bare(home), stdin=theirs, stdout=theirs, stderr=theirs
        )
        os.close(theirs)
        threading.Thread(target=self._read, args=(ours,), daemon=True).start()

    def _read(self, ours: int) -> None:
        """Keep what is written until the program ends."""
        while select.select([ours], [], [])[0]:
            try:
                self.written += os.read(ours, 4096)
            except OSError:  # the program's end
                return

    def text(self) -> str:
        """All so far."""
        return self.written.decode(errors="replace")

    def close(self) -> None:
        """End the program."""
        self.process.terminate()
        self.process.wait(20)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the wheel lies unpacked, as pip unpacks it."""
    folder = tmp_path_factory.mktemp("wheel")
    made = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory"]
    subprocess.run([*made, str(folder)], cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def test_the_wheel_holds_all_that_the_app_is_made_of(installed: Path) -> None:
    tracked = ["git", "ls-files", "app.py", "core", "pages", SETTINGS]
    try:
        listed = subprocess.run(tracked, cwd=ROOT, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this is no clone, so nothing says which files belong to it")
    names = listed.stdout.split()
    assert len(names) > 200
    for name in names:
        if (ROOT / name).exists():
            assert (installed / name).read_bytes() == (ROOT / name).read_bytes(), name


@pytest.mark.parametrize("place", ["checkout", "wheel"])
def test_the_settings_come_along(
    place: str, installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = ROOT if place == "checkout" else installed
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(config, "_main_script_path", str(folder / "app.py"))
    found = config.get_config_options(force_reparse=True)
    try:
        said = dict(_options(tomllib.loads((ROOT / SETTINGS).read_text())))
        assert len(said) > 8
        assert {name: found[name].value for name in said} == said
        assert found["server.showEmailPrompt"].value is False
        assert found["browser.gatherUsageStats"].value is False
        assert found["client.showErrorDetails"].value == "none"
    finally:
        monkeypatch.undo()
        config.get_config_options(force_reparse=True)


def _options(table: dict[str, object], before: str = "") -> Iterator[tuple[str, object]]:
    """The settings of a file by their full names."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _options(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such terminals")
@pytest.mark.parametrize("place", ["checkout", "wheel"])
def test_a_first_start_in_a_terminal_asks_nothing(
    place: str, installed: Path, tmp_path: Path
) -> None:
    folder = ROOT if place == "checkout" else installed
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", str(folder / "app.py")]
    home = tmp_path / "home"
    home.mkdir()
    # As on a desktop: where there is no display, Streamlit asks nothing.
    options = ["--server.headless", "false", "--server.port", str(port)]
    terminal = Terminal([*command, *options], tmp_path, home)
    try:
        until = time.monotonic() + 90
        while not is_up(port) and time.monotonic() < until and terminal.process.poll() is None:
            time.sleep(0.3)
        assert is_up(port), terminal.text()
        assert "mail" not in terminal.text()
        assert "usage" not in terminal.text()
        assert "Traceback" not in terminal.text()
    finally:
        terminal.close()


@pytest.mark.browser
def test_the_wheel_serves_the_app_from_any_folder(installed: Path, tmp_path: Path) -> None:
    from playwright.sync_api import sync_playwright

    port = free_port()
    # -P: else the checkout, which is the tests' own folder, would come before the wheel
    command = [sys.executable, "-P", "-m", "streamlit", "run", str(installed / "app.py")]
    terminal = Terminal(
        [*command, "--server.headless", "true", "--server.port", str(port)], tmp_path, tmp_path
    )
    try:
        until = time.monotonic() + 90
        while not is_up(port) and time.monotonic() < until:
            time.sleep(0.3)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
            page = browser.new_page()
            _sees_the_app(page, f"http://127.0.0.1:{port}/units?data=strokes&model=mlp&layer=x")
            browser.close()
        assert "Traceback" not in terminal.text()
        assert str(ROOT) not in terminal.text()
    finally:
        terminal.close()


def _sees_the_app(page: Page, address: str) -> None:
    """The frame, what it says of a wrong value, and nothing of Streamlit's own."""
    page.goto(address)
    page.get_by_role("link", name="Home").wait_for(timeout=60_000)
    page.get_by_role("button", name="Cancel").wait_for(timeout=60_000)
    assert page.get_by_test_id("stAppDeployButton").count() == 0
