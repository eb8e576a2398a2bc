"""Folders: of the environment, of users with and without a home, and ones that can't be."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import platformdirs
import pytest

from core.data import mnist
from core.models import pretrained
from core.runtime import folders
from core.runtime.store import default_store

pwd = pytest.importorskip("pwd")  # homes of accounts, as Unix has them
DATA, CACHE = "SPECIALIZED_NEURONS_DATA", "SPECIALIZED_NEURONS_CACHE"
ROOT = Path(__file__).parent.parent


def unknown(number: int) -> None:
    raise KeyError(f"getpwuid(): uid not found: {number}")


@pytest.fixture(params=["unset", "", "   ", "relative", "missing"])
def homeless(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A user without a home, for one reason or another; the system's temporary folder."""
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    for name in (DATA, CACHE, "XDG_CACHE_HOME", "TORCH_HOME"):
        monkeypatch.delenv(name, raising=False)
    if request.param == "unset":
        monkeypatch.delenv("HOME")
    elif request.param == "missing":
        (tmp_path / "blocked").touch()
        monkeypatch.setenv("HOME", str(tmp_path / "blocked" / "home"))
    else:
        monkeypatch.setenv("HOME", request.param)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_who_has_no_home_has_a_temporary_folder(homeless: Path) -> None:
    own = homeless / f"specialized-neurons-{os.getuid()}"
    assert default_store().folder == own / "store"
    assert mnist.folder() == own / "data"
    assert not mnist.present()
    assert pretrained._checkpoints() == own / "checkpoints"
    assert not own.exists(), "looking makes no folder"
    assert not (homeless / "~").exists()


def test_who_has_no_home_and_names_both_folders_has_these(
    homeless: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def computed(*_: object, **__: object) -> None:
        pytest.fail("a default was computed that nobody needs")

    for library, name in ((platformdirs, "user_cache_dir"), (tempfile, "gettempdir")):
        monkeypatch.setattr(library, name, computed)
    monkeypatch.setenv(DATA, str(homeless / "data"))
    monkeypatch.setenv(CACHE, str(homeless / "cache"))
    assert mnist.folder() == homeless / "data"
    assert default_store().folder == homeless / "cache"


def test_who_has_no_home_may_have_a_cache(homeless: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(homeless / "caches"))
    assert folders.cache() == homeless / "caches" / "specialized-neurons"


@pytest.mark.parametrize("blank", ["", "  ", "\t"])
def test_a_blank_variable_is_none(blank: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DATA, blank)
    monkeypatch.setenv(CACHE, blank)
    assert mnist.folder() == folders.cache() / "data"
    assert default_store().folder == folders.cache() / "store"


@pytest.mark.parametrize("value", ["~nobody-of-this-name/data", "~nobody-of-this-name"])
def test_a_home_of_nobody_is_said_and_no_folder_is_called_so(
    value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(DATA, value)
    monkeypatch.setenv(CACHE, value)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    said = f"{DATA} is `{value}`, and that is nobody's home here"
    assert not mnist.present()
    for asked in (mnist.check, mnist.folder, lambda: mnist.load(train=True)):
        with pytest.raises(mnist.Unavailable, match=said):
            asked()
    store = default_store()
    assert store.folder == tmp_path / "specialized-neurons" / "store"
    assert f"{CACHE} is `{value}`" in store.problems()[-1]
    assert list(tmp_path.iterdir()) == []


def test_a_home_that_is_ones_own_is_known(homeless: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DATA, "~/data")
    if folders._has_home():  # a home that can't be made is one all the same
        assert mnist.folder().name == "data"
    else:
        with pytest.raises(mnist.Unavailable, match="nobody's home"):
            mnist.folder()
    monkeypatch.setenv("HOME", str(homeless))
    assert mnist.folder() == homeless / "data"


def test_a_name_without_a_root_is_from_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(DATA, "digits")
    assert mnist.folder() == tmp_path / "digits"


def test_here_may_be_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone() -> str:
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setenv(DATA, "digits")
    monkeypatch.setattr(os, "getcwd", gone)
    assert not mnist.present()
    with pytest.raises(mnist.Unavailable, match="give the whole path of a folder"):
        mnist.folder()


def test_no_folder_for_temporary_files_is_no_end(
    homeless: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none() -> str:
        raise FileNotFoundError(2, "No usable temporary directory found")

    monkeypatch.setattr(tempfile, "gettempdir", none)
    assert folders.cache().is_absolute()


@pytest.mark.parametrize("deep", ["", "a", "a/b/c"])
def test_a_folder_that_can_be_made_is_not_refused(deep: str, tmp_path: Path) -> None:
    assert folders.refusal(tmp_path / deep, 1000) is None
    assert list(tmp_path.iterdir()) == []
    assert "MB are needed" in str(folders.refusal(tmp_path / deep, 10**18))


def test_what_can_not_be_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "nowhere").symlink_to(tmp_path / "absent")
    assert folders.refusal(tmp_path / "file" / "a", 1) == f"`{tmp_path / 'file'}` is no folder"
    assert folders.refusal(tmp_path / ("a" * 300), 1) == "`File name too long`"
    assert folders.refusal(tmp_path / "nowhere", 1) == "`No such file or directory`"
    assert "null" in str(folders.refusal(Path("/a\0b"), 1))


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be somebody without an account")
def test_a_program_of_a_number_without_an_account_runs(tmp_path: Path) -> None:
    program = (
        "import os\nfrom core.data import mnist\nfrom core.runtime.store import default_store\n"
        "os.setgid(64321); os.setuid(64321)  # afterwards, who may not see Python's own files\n"
        "print(default_store().folder, mnist.folder(), mnist.present())"
    )
    tmp_path.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"HOME": "", "PYTHONPATH": str(ROOT), DATA: "/data", CACHE: "/cache"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "/cache /data False\n", done.stderr
