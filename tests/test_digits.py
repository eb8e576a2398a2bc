"""Digits: their splits, and MNIST found, checked, downloaded, or said to be missing."""

from __future__ import annotations

import gzip
import hashlib
import http.server
import os
import shutil
import socket
import struct
import threading
import time
from collections import namedtuple
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch

from core.data import DataSet, cut, load, members, mnist
from core.data.concepts import CONCEPTS
from core.runtime import download


def keys(digits: DataSet) -> set[bytes]:
    return {image.numpy().tobytes() for image in digits.images}


def test_generated_digits_are_what_the_models_expect(strokes: DataSet) -> None:
    assert strokes.images.shape == (2000, 1, 28, 28)
    assert strokes.images.dtype == torch.float32
    assert strokes.images.min() == 0.0
    assert 0.99 < strokes.images.max() <= 1.0
    assert strokes.labels.dtype == torch.int64
    assert strokes.labels.bincount().tolist() == [200] * 10
    assert strokes.parts is not None
    assert len(strokes.parts) == 2000


def test_parts_stay_with_their_digits(strokes: DataSet) -> None:
    sevens = strokes.take(strokes.labels == 7)
    assert sevens.parts is not None
    assert len(sevens) == len(sevens.parts) == 200
    assert sevens.parts.has("top-bar").all()
    crossed = sevens.parts.has("crossbar")
    assert 0 < crossed.sum() < 200
    assert sevens.parts.masks("crossbar")[crossed].any(axis=(1, 2)).all()


def test_halves_of_the_test_set_are_alike_and_share_nothing(strokes: DataSet) -> None:
    test = load("strokes", "test")
    assert torch.equal(test.images[: len(strokes)], strokes.images), "tests use the first of them"
    halves = [load("strokes", split) for split in ("discovery", "confirmation")]
    assert [len(half) for half in halves] == [5000, 5000]
    assert all(half.labels.bincount().tolist() == [500] * 10 for half in halves)
    assert not keys(halves[0]) & keys(halves[1])
    assert keys(halves[0]) | keys(halves[1]) == keys(test)


@pytest.mark.mnist
def test_mnist_has_its_sizes_and_its_mean() -> None:
    train, test = load("mnist", "train"), load("mnist", "test")
    assert train.images.shape == (60_000, 1, 28, 28)
    assert test.images.shape == (10_000, 1, 28, 28)
    assert train.images.mean().item() == pytest.approx(0.1306605, abs=1e-6)
    assert train.labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert test.labels.bincount()[7] == 1028


@pytest.mark.mnist
def test_mnist_splits_are_cut_without_overlap() -> None:
    train, fit, held = (load("mnist", split) for split in ("train", "fit", "selection"))
    assert (len(fit), len(held)) == (50_000, 10_000)
    assert torch.equal(torch.cat([fit.labels, held.labels]), train.labels)
    found = load("mnist", "discovery").labels.bincount()
    judged = load("mnist", "confirmation").labels.bincount()
    assert (found - judged).abs().max() <= 1
    assert (found + judged).tolist() == load("mnist", "test").labels.bincount().tolist()


@pytest.mark.parametrize(
    ("source", "split", "valid"),
    [("emnist", "test", "mnist or strokes"), ("strokes", "dev", "train, fit, selection, test")],
)
def test_a_wrong_name_is_told_the_right_ones(source: str, split: str, valid: str) -> None:
    with pytest.raises(ValueError, match=valid):
        load(source, split)


# A mirror of our own. Its files are small, so the table of sizes and sums is ours as well.

RAW = {
    "train-images-idx3-ubyte": bytes([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 28, 0, 0, 0, 28])
    + bytes(range(256)) * 6
    + bytes(32),
    "train-labels-idx1-ubyte": bytes([0, 0, 8, 1, 0, 0, 0, 2, 7, 1]),
    "t10k-images-idx3-ubyte": bytes([0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 28, 0, 0, 0, 28])
    + bytes([255]) * 784,
    "t10k-labels-idx1-ubyte": bytes([0, 0, 8, 1, 0, 0, 0, 1, 4]),
}


class Mirror(http.server.BaseHTTPRequestHandler):
    """Serves RAW, packed; or something else, or nothing, when told so.

    gone: what the first mirror, whose address ends in gone/, does instead.
    """

    answers: ClassVar[dict[str, bytes]] = {}
    served: ClassVar[list[str]] = []
    gone: ClassVar[Callable[[Any], object] | None] = None

    def do_GET(self) -> None:
        name = self.path.rsplit("/", 1)[-1]
        if Mirror.gone is not None and self.path.startswith("/gone/"):
            with suppress(OSError):
                Mirror.gone(self)
            return
        Mirror.served.append(name)
        content = Mirror.answers.get(name)
        self.send_response(404 if content is None else 200)
        self.end_headers()
        self.wfile.write(content or b"")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A data folder without MNIST, and a mirror that has it."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Mirror)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    Mirror.answers = {f"{name}.gz": gzip.compress(raw) for name, raw in RAW.items()}
    Mirror.served = []
    Mirror.gone = None
    sums = {name: (len(raw), hashlib.md5(raw).hexdigest()) for name, raw in RAW.items()}
    address = f"http://127.0.0.1:{server.server_port}/"
    monkeypatch.setattr(mnist, "_FILES", sums)
    monkeypatch.setattr(mnist.MNIST, "mirrors", [f"{address}gone/", address])
    monkeypatch.setenv("SPECIALIZED_NEURONS_DATA", str(tmp_path))
    yield tmp_path / "MNIST" / "raw"
    server.shutdown()
    server.server_close()


def test_mnist_is_downloaded_once_with_progress(mirror: Path) -> None:
    seen: list[float] = []
    digits = load("mnist", "test", on_progress=seen.append)
    assert digits.images.shape == (1, 1, 28, 28)
    assert digits.images.min() == 1.0
    assert digits.labels.tolist() == [4]
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    assert len(Mirror.served) == 4
    train = load("mnist", "train")
    assert len(Mirror.served) == 4
    pixels = np.frombuffer(RAW["train-images-idx3-ubyte"][16:], dtype=np.uint8).reshape(2, 28, 28)
    np.testing.assert_allclose(train.images[:, 0].numpy(), pixels / 255, atol=1e-7)


def test_only_what_is_missing_is_downloaded(mirror: Path) -> None:
    load("mnist", "test")
    (mirror / "t10k-labels-idx1-ubyte").unlink()
    Mirror.served.clear()
    load("mnist", "test")
    assert Mirror.served == ["t10k-labels-idx1-ubyte.gz"]


def test_without_a_network_one_sentence_says_what_to_do(
    mirror: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mnist.MNIST, "mirrors", ["http://127.0.0.1:9/"])
    with pytest.raises(mnist.Unavailable, match="SPECIALIZED_NEURONS_DATA") as caught:
        load("mnist", "train")
    assert "\n" not in str(caught.value)
    assert "train-images-idx3-ubyte" in str(caught.value), "the names that it should have"
    assert "(each as it is or as .gz)" in str(caught.value)
    assert not mirror.exists()


def test_a_silent_network_is_given_up(mirror: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setattr(mnist, "_PATIENCE", 0.2)
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        monkeypatch.setattr(mnist.MNIST, "mirrors", [address])
        with pytest.raises(mnist.Unavailable, match="timed out"):
            load("mnist", "train")


@pytest.mark.parametrize(
    "wrong", [b"", b"<html>log in</html>", gzip.compress(b"other")], ids=["none", "page", "other"]
)
def test_what_is_not_mnist_is_not_kept(mirror: Path, wrong: bytes) -> None:
    Mirror.answers["train-images-idx3-ubyte.gz"] = wrong
    with pytest.raises(mnist.Unavailable):
        load("mnist", "train")
    assert not list(mirror.glob("*")) if mirror.exists() else True


def test_a_packed_file_cut_short_is_not_kept(mirror: Path) -> None:
    whole = Mirror.answers["train-images-idx3-ubyte.gz"]
    Mirror.answers["train-images-idx3-ubyte.gz"] = whole[: len(whole) // 2]
    with pytest.raises(mnist.Unavailable):
        load("mnist", "train")
    Mirror.answers["train-images-idx3-ubyte.gz"] = whole
    assert len(load("mnist", "train")) == 2


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty"])
def test_a_damaged_file_is_named_and_left_alone(mirror: Path, damage: str) -> None:
    load("mnist", "test")
    path = mirror / "t10k-images-idx3-ubyte"
    raw = bytearray(path.read_bytes())
    if damage == "flipped":
        raw[100] ^= 1
    path.write_bytes({"cut": raw[:-10], "flipped": raw, "empty": b""}[damage])
    with pytest.raises(mnist.Unavailable, match="t10k-images-idx3-ubyte is not MNIST's"):
        load("mnist", "test")
    assert path.exists()


def test_a_full_disk_leaves_nothing_half_written(
    mirror: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("core.runtime.folders.os.replace", full)
    with pytest.raises(mnist.Unavailable, match="No space left") as caught:
        load("mnist", "train")
    assert not list(mirror.iterdir())
    assert f"can't be kept in `{mirror}`" in str(caught.value)
    assert "network" not in str(caught.value)
    assert len(Mirror.served) == 1, "a full disk is no reason to ask the next mirror"


# What a mirror can do wrong, each by its hand.


def answer(mirror: Any, content: bytes, length: int | None = None, status: int = 200) -> None:
    mirror.send_response(status)
    mirror.send_header("Content-Length", str(len(content) if length is None else length))
    mirror.end_headers()
    mirror.wfile.write(content)


def packed(mirror: Any) -> bytes:
    return Mirror.answers[mirror.path.rsplit("/", 1)[-1]]


def damaged(mirror: Any) -> None:
    content = bytearray(gzip.compress(bytes(range(256)) * 200))
    content[20:60] = b"\xff" * 40
    answer(mirror, bytes(content))


def reset(mirror: Any) -> None:
    mirror.send_response(200)
    mirror.send_header("Content-Length", "100000")
    mirror.end_headers()
    mirror.wfile.write(packed(mirror)[:20])
    mirror.wfile.flush()
    mirror.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    mirror.connection.close()


def redirected(mirror: Any) -> None:
    mirror.send_response(302)
    mirror.send_header("Location", mirror.path)
    mirror.end_headers()


def elsewhere(mirror: Any) -> None:
    mirror.send_response(302)
    mirror.send_header("Location", "file:///etc/hostname")
    mirror.end_headers()


def endless_header(mirror: Any) -> None:
    mirror.connection.sendall(b"HTTP/1.0 200 OK\r\n")
    for number in range(100):
        mirror.connection.sendall(b"X-%d: 0\r\n" % number)
        time.sleep(0.05)


def endless_body(mirror: Any) -> None:
    mirror.send_response(200)
    mirror.end_headers()
    for byte in gzip.compress(os.urandom(2000)):
        mirror.wfile.write(bytes([byte]))
        time.sleep(0.05)


def broken_chunks(mirror: Any) -> None:
    mirror.protocol_version = "HTTP/1.1"
    mirror.send_response(200)
    mirror.send_header("Transfer-Encoding", "chunked")
    mirror.end_headers()
    mirror.wfile.write(b"ffff\r\nshort")


WRONG = {
    "damaged": damaged,
    "page": lambda of: answer(of, b"<html><body>Sign in to this network</body></html>"),
    "nothing": lambda of: answer(of, b""),
    "cut short": lambda of: answer(of, packed(of)[:-9]),
    "less than said": lambda of: answer(of, packed(of)[:-9], length=10**6),
    "other sum": lambda of: answer(of, gzip.compress(b"other")),
    "wrong check": lambda of: answer(of, packed(of)[:-8] + bytes(8)),
    "bomb": lambda of: answer(of, gzip.compress(bytes(10**7))),
    "reset": reset,
    "in a circle": redirected,
    "to a file": elsewhere,
    "server error": lambda of: answer(of, b"oh", status=500),
    "no HTTP": lambda of: of.connection.sendall(b"220 ftp ready\r\n\x00\xff" * 20),
    "slow header": endless_header,
    "slow body": endless_body,
    "broken chunks": broken_chunks,
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_one_mirror_does_wrong_the_next_makes_good(
    wrong: str, mirror: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mnist, "_PATIENCE", 0.5)
    monkeypatch.setattr(mnist, "_LIMIT", 1.0)
    Mirror.gone = WRONG[wrong]
    begun = time.monotonic()
    assert load("mnist", "test").labels.tolist() == [4]
    assert time.monotonic() - begun < 5
    assert sorted(path.name for path in mirror.iterdir()) == sorted(RAW)
    assert len(Mirror.served) == 4, "what went wrong once isn't asked first again"


@pytest.mark.parametrize("wrong", WRONG)
def test_what_all_mirrors_do_wrong_is_one_line(
    wrong: str, mirror: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mnist, "_PATIENCE", 0.3)
    monkeypatch.setattr(mnist, "_LIMIT", 0.5)
    monkeypatch.setattr(mnist.MNIST, "mirrors", mnist.MNIST.mirrors[:1])
    Mirror.gone = WRONG[wrong]
    with pytest.raises(mnist.Unavailable, match="MNIST could not be downloaded to") as caught:
        load("mnist", "test")
    assert "\n" not in str(caught.value)
    assert f"(`{mnist.MNIST.mirrors[0]}`: `" in str(caught.value)
    assert not mirror.exists()


@pytest.mark.parametrize(
    "address",
    [
        "gopher://there/",
        "no address",
        "",
        "http://",
        "http://[::1/",
        f"http://{'a' * 70}.example/",
        "http://exa\udcffmple/",
        "http://127.0.0.1:99999999/",
        "https://127.0.0.1:9/\n# big",
    ],
)
def test_a_wrong_address_of_a_mirror_is_one_line(
    address: str, mirror: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = mnist.MNIST.mirrors[1]
    monkeypatch.setattr(mnist.MNIST, "mirrors", [address])
    with pytest.raises(mnist.Unavailable, match="could not be downloaded") as caught:
        load("mnist", "test")
    assert "\n" not in str(caught.value)
    monkeypatch.setattr(mnist.MNIST, "mirrors", [address, good.rstrip("/")])
    assert len(load("mnist", "test")) == 1


def test_a_server_that_isnt_one_for_tls_is_one_line(
    mirror: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = mnist.MNIST.mirrors[1].replace("http:", "https:")
    monkeypatch.setattr(mnist.MNIST, "mirrors", [address])
    with pytest.raises(mnist.Unavailable, match="could not be downloaded"):
        load("mnist", "test")


def test_without_mirrors_that_is_said(mirror: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mnist.MNIST, "mirrors", [])
    with pytest.raises(mnist.Unavailable, match="names no mirror"):
        load("mnist", "test")


@pytest.mark.parametrize("harmless", ["rubbish behind", "unpacked", "in two", "chunks"])
def test_what_is_odd_and_whole_is_taken(harmless: str, mirror: Path) -> None:
    for name, raw in RAW.items():
        Mirror.answers[f"{name}.gz"] = {
            "rubbish behind": gzip.compress(raw) + b"\r\n<!-- served by -->",
            "unpacked": raw,
            "in two": gzip.compress(raw[:9]) + gzip.compress(raw[9:]),
            "chunks": gzip.compress(raw),
        }[harmless]
    assert load("mnist", "test").labels.tolist() == [4]


class Enough(ValueError):
    """What a person's cancelling raises: nothing that goes wrong with a mirror."""


@pytest.mark.parametrize("silent", [False, True])
def test_a_download_can_be_called_away(
    silent: bool, mirror: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(done: float) -> None:
        raise Enough

    Mirror.gone = (lambda of: time.sleep(1)) if silent else None
    with pytest.raises(Enough):
        load("mnist", "test", on_progress=stop)
    assert not mirror.exists()


def test_a_drop_that_swells_takes_no_memory() -> None:
    bomb = gzip.compress(bytes(10**8), 9)
    parts = download.unpacked([bomb], 10**6)
    with pytest.raises(download.Failed, match="more than 1,000,000 bytes"):
        assert all(len(part) <= 1 << 16 for part in parts)


# A folder that can't hold the files.


def test_where_nothing_can_be_kept_nothing_is_downloaded(
    mirror: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("core.runtime.folders.tempfile.NamedTemporaryFile", refused)
    with pytest.raises(mnist.Unavailable, match="`Read-only file system`") as caught:
        load("mnist", "test")
    assert f"can't be kept in `{mirror}`" in str(caught.value)
    assert "SPECIALIZED_NEURONS_DATA" in str(caught.value)
    assert "network" not in str(caught.value)
    assert Mirror.served == []


def test_a_disk_that_is_nearly_full_is_noticed_first(
    mirror: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mnist, "_FILES", {n: (s + 10**7, m) for n, (s, m) in mnist._FILES.items()})
    usage = namedtuple("usage", "total used free")(10**9, 10**9 - 5 * 10**6, 5 * 10**6)
    monkeypatch.setattr("core.runtime.folders.shutil.disk_usage", lambda path: usage)
    with pytest.raises(mnist.Unavailable, match=r"5\.0 MB are free there and 40\.0 MB are needed"):
        load("mnist", "test")
    assert Mirror.served == []


@pytest.mark.parametrize("where", ["file", "file/deep", "/dev/null/deep", "x" * 300, "loop/a"])
def test_a_folder_that_can_not_be_is_said_before_the_download(
    where: str, mirror: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    folder = tmp_path / where
    monkeypatch.setenv("SPECIALIZED_NEURONS_DATA", str(folder))
    assert not mnist.present()
    with pytest.raises(mnist.Unavailable, match="MNIST can't be kept in") as caught:
        load("mnist", "test")
    assert str(folder)[:150] in str(caught.value)
    assert Mirror.served == []
    assert (tmp_path / "file").read_text() == "mine"


def test_a_folder_that_goes_while_it_is_filled_is_said(
    mirror: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(done: float) -> None:
        shutil.rmtree(tmp_path, ignore_errors=True)
        tmp_path.write_text("a file in its place")

    with pytest.raises(mnist.Unavailable, match="MNIST can't be kept in"):
        load("mnist", "test", on_progress=gone)
    tmp_path.unlink()


def test_who_may_read_the_folder_may_read_the_files(mirror: Path) -> None:
    load("mnist", "test")
    before = os.umask(0)
    os.umask(before)
    assert all(path.stat().st_mode & 0o777 == 0o666 & ~before for path in mirror.iterdir())


# Files that are nearly right.


@pytest.mark.parametrize("ending", ["", ".gz"])
@pytest.mark.parametrize("dotted", [False, True])
@pytest.mark.parametrize(
    "place",
    ["MNIST/raw", ".", "MNIST", "raw", "MNIST/MNIST/raw", "data/MNIST/raw", "archive"],
)
def test_files_are_found_as_people_have_them(
    place: str, dotted: bool, ending: str, mirror: Path, tmp_path: Path
) -> None:
    lay(tmp_path / place, dotted, ending)
    before = sorted(tmp_path.rglob("*"))
    assert mnist.present()
    mnist.check()
    assert load("mnist", "test").labels.tolist() == [4]
    assert load("mnist", "train").labels.tolist() == [7, 1]
    assert Mirror.served == []
    assert sorted(tmp_path.rglob("*")) == before, "the folder may be one that can't be written"


def lay(folder: Path, dotted: bool = False, ending: str = "") -> None:
    """Put the four files there."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, raw in RAW.items():
        path = folder / ((name.replace("-idx", ".idx") if dotted else name) + ending)
        path.write_bytes(gzip.compress(raw) if ending else raw)


@pytest.mark.parametrize("low", ["MNIST", "MNIST/raw"])
def test_a_variable_that_names_too_low_a_folder_is_understood(
    low: str, mirror: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay(mirror)
    monkeypatch.setenv("SPECIALIZED_NEURONS_DATA", str(tmp_path / low))
    assert mnist.present()
    assert load("mnist", "test").labels.tolist() == [4]
    assert Mirror.served == []


def test_each_file_in_a_folder_of_its_name_is_found(mirror: Path, tmp_path: Path) -> None:
    for name, raw in RAW.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / name.replace("-idx", ".idx")).write_bytes(raw)
    assert mnist.present()
    assert load("mnist", "test").labels.tolist() == [4]


def test_a_file_that_a_browser_unpacked_under_its_packed_name_is_found(mirror: Path) -> None:
    mirror.mkdir(parents=True)
    for name, raw in RAW.items():
        (mirror / f"{name}.gz").write_bytes(raw)
    assert load("mnist", "test").labels.tolist() == [4]
    assert Mirror.served == []


def test_other_data_under_the_same_names_is_left_alone(mirror: Path, tmp_path: Path) -> None:
    for name, raw in RAW.items():  # as FashionMNIST has them: just as long
        (tmp_path / name).write_bytes(raw[:-1] + b"\x09")
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress(raw)[:-12])
    assert not mnist.present()
    assert load("mnist", "test").labels.tolist() == [4]
    assert sorted(set(Mirror.served)) == sorted(f"{name}.gz" for name in RAW)
    assert (tmp_path / "t10k-labels-idx1-ubyte").read_bytes()[-1] == 9


def test_a_sound_packed_file_stands_in_for_a_damaged_one(mirror: Path) -> None:
    lay(mirror)
    lay(mirror, ending=".gz")
    (mirror / "t10k-labels-idx1-ubyte").write_bytes(b"cut")
    mnist.check()
    assert load("mnist", "test").labels.tolist() == [4]


def test_a_path_is_shown_as_it_is(mirror: Path, tmp_path: Path, monkeypatch: Any) -> None:
    odd = tmp_path / "a`b [c](d) $e$\n# f"
    lay(odd / "MNIST" / "raw")
    (odd / "MNIST" / "raw" / "t10k-labels-idx1-ubyte").write_bytes(b"cut")
    monkeypatch.setenv("SPECIALIZED_NEURONS_DATA", str(odd))
    with pytest.raises(mnist.Unavailable) as caught:
        load("mnist", "test")
    assert f"``{tmp_path}/a`b [c](d) $e$\\n# f/MNIST/raw/" in str(caught.value)
    assert "\n" not in str(caught.value)


# Digits made by people.

IMAGES = torch.rand(30, 1, 28, 28, generator=torch.Generator().manual_seed(0)).round(decimals=2)
LABELS = torch.arange(30) % 10


@pytest.mark.parametrize(
    "labels",
    [
        *(LABELS.to(getattr(torch, t)) for t in ("uint8", "int8", "int16", "int32", "float32")),
        *(LABELS.numpy().astype(t) for t in ("uint8", "u2", "uint64", ">i4", "f2", "f8")),
        LABELS.tolist(),
        LABELS.double().requires_grad_(),
        LABELS.numpy()[::-1][::-1],
    ],
    ids=lambda labels: f"{type(labels).__name__}-{getattr(labels, 'dtype', '')}",
)
def test_whole_numbers_of_any_type_are_labels(labels: Any) -> None:
    labels = labels if isinstance(labels, torch.Tensor | list) else frozen(labels)
    digits = DataSet(IMAGES, labels, "own", "test")
    assert digits.labels.dtype == torch.int64
    assert torch.equal(digits.labels, LABELS)


def frozen(array: Any) -> Any:
    """The array, such as `numpy.load` with a memory map gives it: not to be written."""
    array.setflags(write=False)
    return array


@pytest.mark.parametrize("kind", ["float64", "float16", "bfloat16", "float32"])
@pytest.mark.parametrize("library", ["torch", "numpy"])
def test_floats_of_any_precision_are_images(kind: str, library: str) -> None:
    images: Any = IMAGES.to(getattr(torch, kind))
    if library == "numpy":
        images = IMAGES.numpy().astype(">f8" if kind == "bfloat16" else kind)
    digits = DataSet(images, LABELS, "own", "test")
    assert digits.images.dtype == torch.float32
    torch.testing.assert_close(digits.images, IMAGES, atol=4e-3, rtol=0)


def test_right_tensors_are_shared_and_not_copied() -> None:
    digits = DataSet(IMAGES, LABELS, "own", "test")
    assert digits.images is IMAGES
    assert digits.labels is LABELS


@pytest.mark.parametrize(
    ("images", "labels", "said"),
    [
        ((IMAGES * 255).byte(), LABELS, r"images are uint8: give floats in 0..1; .* images / 255"),
        ((IMAGES * 255).int(), LABELS, "images are int32"),
        (IMAGES > 0.5, LABELS, "images are bool"),
        (IMAGES[:, 0], LABELS, r"images have the shape \(30, 28, 28\): give \(batch, 1, 28, 28\)"),
        (IMAGES.flatten(1), LABELS, r"images have the shape \(30, 784\)"),
        ("pictures", LABELS, "images are a str that holds no numbers"),
        (None, LABELS, "images are a NoneType that holds no numbers"),
        (IMAGES, LABELS[:-1], "there are 30 images and 29 labels"),
        (IMAGES, torch.arange(30) % 26, r"labels\[10\] is `10`: give whole numbers from 0 to 9"),
        (IMAGES, LABELS - 1, r"labels\[0\] is `-1`: give whole numbers from 0 to 9"),
        (IMAGES, LABELS + 0.5, r"labels\[0\] is `0.5`: give whole numbers from 0 to 9"),
        (IMAGES, LABELS * float("nan"), r"labels\[0\] is `nan`"),
        (IMAGES, np.full(30, 2**64 - 1, np.uint64), r"labels\[0\] is `18446744073709551615`"),
        (IMAGES, LABELS == 7, "labels are bool: give whole numbers from 0 to 9"),
        (IMAGES, torch.eye(10)[LABELS], r"labels have the shape \(30, 10\): give one number"),
        (IMAGES, [str(label) for label in LABELS.tolist()], "labels are a list that holds no"),
    ],
)
def test_what_may_mean_something_else_is_one_sentence(images: Any, labels: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said) as caught:
        DataSet(images, labels, "own", "test")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "index",
    [
        [3, 1],
        np.array([3, 1]),
        np.array([3, 1], dtype=np.uint8),
        torch.tensor([3, 1], dtype=torch.int32),
        torch.tensor([3, 1], dtype=torch.uint8),
    ],
)
def test_digits_are_taken_by_numbers_of_any_type(index: Any, strokes: DataSet) -> None:
    taken = strokes.take(index)
    assert torch.equal(taken.images, strokes.images[[3, 1]])
    assert taken.parts is not None
    assert len(taken.parts) == 2


def test_digits_are_taken_by_flags_of_any_library(strokes: DataSet) -> None:
    sevens = strokes.take((strokes.labels == 7).numpy())  # type: ignore[arg-type]
    assert sevens.labels.tolist() == [7] * 200
    assert len(strokes.take([])) == 0  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="the index is float32"):
        strokes.take(torch.tensor([0.5]))


def test_a_split_that_is_none_is_told_the_right_ones(strokes: DataSet) -> None:
    for cutting in (lambda: cut(strokes, "dev"), lambda: members("dev", strokes.labels)):
        with pytest.raises(ValueError, match="`dev` is not a split: choose one of train, fit"):
            cutting()


# Each image has one name: its place in the original file


def test_an_image_keeps_its_name_in_every_split(strokes: DataSet) -> None:
    digits = load("strokes", "test")
    assert digits.ids[:2] == ("strokes/test/0", "strokes/test/1")
    halves = [cut(digits, half) for half in ("discovery", "confirmation")]
    assert sorted(name for half in halves for name in half.ids) == sorted(digits.ids)
    for half in halves:
        places = [int(name.rsplit("/", 1)[1]) for name in half.ids]
        assert torch.equal(digits.images[places], half.images)
    some = halves[0].take(torch.tensor([5, 2]))
    assert some.ids == (halves[0].ids[5], halves[0].ids[2])
    assert strokes.take(slice(7, 9)).ids == ("strokes/test/7", "strokes/test/8")
    assert (digits.name, digits.class_names, len(digits.concepts)) == (
        "strokes",
        tuple("0123456789"),
        len(CONCEPTS),
    )


def test_training_images_are_named_by_the_training_file() -> None:
    digits = DataSet(torch.zeros(20_000, 1, 28, 28), torch.arange(20_000) % 10, "own", "train")
    fit, selection = cut(digits, "fit"), cut(digits, "selection")
    assert (fit.ids[0], fit.ids[-1]) == ("own/train/0", "own/train/9999")
    assert (selection.ids[0], selection.ids[-1]) == ("own/train/10000", "own/train/19999")
    assert not fit.concepts


def test_places_belong_to_the_images() -> None:
    with pytest.raises(ValueError, match="3 images and 2 places"):
        DataSet(torch.zeros(3, 1, 28, 28), torch.zeros(3).long(), "own", "x", None, torch.arange(2))
