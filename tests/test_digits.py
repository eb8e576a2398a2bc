"""Digits: their splits, and MNIST found, checked, downloaded, or said to be missing."""

from __future__ import annotations

import gzip
import hashlib
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch

from core.digits import Digits, load_digits, mnist


def keys(digits: Digits) -> set[bytes]:
    return {image.numpy().tobytes() for image in digits.images}


def test_generated_digits_are_what_the_models_expect(strokes: Digits) -> None:
    assert strokes.images.shape == (2000, 1, 28, 28)
    assert strokes.images.dtype == torch.float32
    assert strokes.images.min() == 0.0
    assert 0.99 < strokes.images.max() <= 1.0
    assert strokes.labels.dtype == torch.int64
    assert strokes.labels.bincount().tolist() == [200] * 10
    assert strokes.parts is not None
    assert len(strokes.parts) == 2000


def test_parts_stay_with_their_digits(strokes: Digits) -> None:
    sevens = strokes.take(strokes.labels == 7)
    assert sevens.parts is not None
    assert len(sevens) == len(sevens.parts) == 200
    assert sevens.parts.has("top-bar").all()
    crossed = sevens.parts.has("crossbar")
    assert 0 < crossed.sum() < 200
    assert sevens.parts.masks("crossbar")[crossed].any(axis=(1, 2)).all()


def test_halves_of_the_test_set_are_alike_and_share_nothing() -> None:
    test = load_digits("strokes", "test")
    halves = [load_digits("strokes", split) for split in ("discovery", "confirmation")]
    assert [len(half) for half in halves] == [5000, 5000]
    assert all(half.labels.bincount().tolist() == [500] * 10 for half in halves)
    assert not keys(halves[0]) & keys(halves[1])
    assert keys(halves[0]) | keys(halves[1]) == keys(test)


@pytest.mark.mnist
def test_mnist_has_its_sizes_and_its_mean() -> None:
    train, test = load_digits("mnist", "train"), load_digits("mnist", "test")
    assert train.images.shape == (60_000, 1, 28, 28)
    assert test.images.shape == (10_000, 1, 28, 28)
    assert train.images.mean().item() == pytest.approx(0.1306605, abs=1e-6)
    assert train.labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert test.labels.bincount()[7] == 1028


@pytest.mark.mnist
def test_mnist_splits_are_cut_without_overlap() -> None:
    train, fit, held = (load_digits("mnist", split) for split in ("train", "fit", "selection"))
    assert (len(fit), len(held)) == (50_000, 10_000)
    assert torch.equal(torch.cat([fit.labels, held.labels]), train.labels)
    found = load_digits("mnist", "discovery").labels.bincount()
    judged = load_digits("mnist", "confirmation").labels.bincount()
    assert (found - judged).abs().max() <= 1
    assert (found + judged).tolist() == load_digits("mnist", "test").labels.bincount().tolist()


@pytest.mark.parametrize(
    ("source", "split", "valid"),
    [("emnist", "test", "mnist or strokes"), ("strokes", "dev", "train, fit, selection, test")],
)
def test_a_wrong_name_is_told_the_right_ones(source: str, split: str, valid: str) -> None:
    with pytest.raises(ValueError, match=valid):
        load_digits(source, split)


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
    """Serves RAW, packed; or something else, or nothing, when told so."""

    answers: ClassVar[dict[str, bytes]] = {}
    served: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        name = self.path.rsplit("/", 1)[-1]
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
    threading.Thread(target=server.serve_forever, daemon=True).start()
    Mirror.answers = {f"{name}.gz": gzip.compress(raw) for name, raw in RAW.items()}
    Mirror.served = []
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
    digits = load_digits("mnist", "test", on_progress=seen.append)
    assert digits.images.shape == (1, 1, 28, 28)
    assert digits.images.min() == 1.0
    assert digits.labels.tolist() == [4]
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    assert len(Mirror.served) == 4
    train = load_digits("mnist", "train")
    assert len(Mirror.served) == 4
    pixels = np.frombuffer(RAW["train-images-idx3-ubyte"][16:], dtype=np.uint8).reshape(2, 28, 28)
    np.testing.assert_allclose(train.images[:, 0].numpy(), pixels / 255, atol=1e-7)


def test_only_what_is_missing_is_downloaded(mirror: Path) -> None:
    load_digits("mnist", "test")
    (mirror / "t10k-labels-idx1-ubyte").unlink()
    Mirror.served.clear()
    load_digits("mnist", "test")
    assert Mirror.served == ["t10k-labels-idx1-ubyte.gz"]


def test_without_a_network_one_sentence_says_what_to_do(
    mirror: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mnist.MNIST, "mirrors", ["http://127.0.0.1:9/"])
    with pytest.raises(mnist.Unavailable, match="SPECIALIZED_NEURONS_DATA") as caught:
        load_digits("mnist", "train")
    assert "\n" not in str(caught.value)
    assert not mirror.exists()


def test_a_silent_network_is_given_up(mirror: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setattr(mnist, "_PATIENCE", 0.2)
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        monkeypatch.setattr(mnist.MNIST, "mirrors", [address])
        with pytest.raises(mnist.Unavailable, match="timed out"):
            load_digits("mnist", "train")


@pytest.mark.parametrize(
    "wrong", [b"", b"<html>log in</html>", gzip.compress(b"other")], ids=["none", "page", "other"]
)
def test_what_is_not_mnist_is_not_kept(mirror: Path, wrong: bytes) -> None:
    Mirror.answers["train-images-idx3-ubyte.gz"] = wrong
    with pytest.raises(mnist.Unavailable):
        load_digits("mnist", "train")
    assert not list(mirror.glob("*")) if mirror.exists() else True


def test_a_packed_file_cut_short_is_not_kept(mirror: Path) -> None:
    whole = Mirror.answers["train-images-idx3-ubyte.gz"]
    Mirror.answers["train-images-idx3-ubyte.gz"] = whole[: len(whole) // 2]
    with pytest.raises(mnist.Unavailable):
        load_digits("mnist", "train")
    Mirror.answers["train-images-idx3-ubyte.gz"] = whole
    assert len(load_digits("mnist", "train")) == 2


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty"])
def test_a_damaged_file_is_named_and_left_alone(mirror: Path, damage: str) -> None:
    load_digits("mnist", "test")
    path = mirror / "t10k-images-idx3-ubyte"
    raw = bytearray(path.read_bytes())
    if damage == "flipped":
        raw[100] ^= 1
    path.write_bytes({"cut": raw[:-10], "flipped": raw, "empty": b""}[damage])
    with pytest.raises(mnist.Unavailable, match="t10k-images-idx3-ubyte is not MNIST's"):
        load_digits("mnist", "test")
    assert path.exists()


def test_a_full_disk_leaves_nothing_half_written(
    mirror: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("core.digits.mnist.os.replace", full)
    with pytest.raises(mnist.Unavailable, match="No space left"):
        load_digits("mnist", "train")
    assert not list(mirror.iterdir())
