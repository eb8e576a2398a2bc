"""Networks trained on photographs: their weights, hostile pictures, and modes of their channels."""

from __future__ import annotations

import hashlib
import http.server
import io
import struct
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from PIL import Image, PngImagePlugin

from core.activations import collect
from core.analyses.modality.photographs import PhotographModesTask
from core.models import pretrained
from core.models.pretrained import FILE_LIMIT, NETWORKS, Unavailable, as_tensor, load, shrunk
from core.runtime.lab import Lab
from core.runtime.store import Store


def picture(kind: str = "PNG", size: tuple[int, int] = (300, 200), seed: int = 0) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 255, (*size[::-1], 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_pictures_become_small_squares(kind: str) -> None:
    small = shrunk(picture(kind))
    assert Image.open(io.BytesIO(small)).size == (224, 224)
    assert as_tensor([small, small]).shape == (2, 3, 224, 224)


def test_the_middle_is_kept_and_colours_stand_around_imagenets_mean() -> None:
    file = io.BytesIO()
    wide = Image.new("RGB", (400, 100), (255, 0, 0))
    wide.paste((0, 0, 255), (150, 0, 250, 100))
    wide.save(file, "PNG")
    image = as_tensor([shrunk(file.getvalue())])[0]
    blue = (torch.tensor([0, 0, 1.0]) - torch.tensor([0.485, 0.456, 0.406])) / torch.tensor(
        [0.229, 0.224, 0.225]
    )
    torch.testing.assert_close(image[:, 112, 112], blue, atol=0.1, rtol=0)
    assert (image[2] > 1).all()  # nothing of the red sides is left


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "isn't a picture"),
        (b"<svg onload=alert(1)>", "isn't a picture"),
        (picture("GIF"), "isn't a picture"),
        (picture()[:2000], "can't be read"),
        (b"\x89PNG\r\n\x1a\n" + b"\x00" * 100, "can't be read|isn't a picture"),
        (b"x" * (FILE_LIMIT + 1), "at most 5,242,880 are read"),
    ],
)
def test_bad_files_get_a_sentence(data: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        shrunk(data)


def test_a_small_file_of_a_huge_picture_is_not_opened() -> None:
    file = io.BytesIO()
    Image.new("1", (30_000, 30_000)).save(file, "PNG")
    assert len(file.getvalue()) < FILE_LIMIT
    with pytest.raises(ValueError, match=r"pixels: at most|can't be read"):
        shrunk(file.getvalue())


@pytest.mark.parametrize("name", NETWORKS)
def test_layers_can_be_read_and_reading_changes_nothing(name: str) -> None:
    model = load(name, trained=False)
    images = as_tensor([shrunk(picture(seed=seed)) for seed in range(2)])
    before = model(images)
    for layer in NETWORKS[name].layers:
        maps = collect(model, images, layer)
        assert maps.ndim == 4
        assert (maps >= 0).all()  # behind a ReLU, and not changed by the next layer
    torch.testing.assert_close(model(images), before)
    assert not any(p.requires_grad for p in model.parameters())
    again = load(name, trained=False)
    assert all(
        torch.equal(one, two)
        for one, two in zip(model.parameters(), again.parameters(), strict=True)
    )


# Pictures as people have them. In each, the upper left quarter is dark and the rest is light.

QUARTER = np.full((60, 60), 200, np.uint8)
QUARTER[:30, :30] = 40
SCENE = QUARTER.copy()
SCENE[:30, 30:] = 120  # no two of its eight positions look alike
TURNED = {  # what a camera held like this saves of the upright scene
    1: SCENE,
    2: SCENE[:, ::-1],
    3: SCENE[::-1, ::-1],
    4: SCENE[::-1],
    5: SCENE.T,
    6: np.rot90(SCENE),
    7: SCENE[::-1, ::-1].T,
    8: np.rot90(SCENE, -1),
}


def saved(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def quarters(data: bytes) -> list[list[tuple[int, ...]]]:
    """The colours in the middle of each quarter, as rows."""
    image = Image.open(io.BytesIO(shrunk(data)))
    return [[image.getpixel((x, y)) for x in (56, 168)] for y in (56, 168)]  # type: ignore[misc]


def close(found: list[list[tuple[int, ...]]], expected: list[list[Any]], within: int = 6) -> bool:
    colours = [[[c] * 3 if isinstance(c, int) else c for c in row] for row in expected]
    np.testing.assert_allclose(np.array(found), np.array(colours), atol=within)
    return True


@pytest.mark.parametrize("orientation", TURNED)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_picture_stands_as_the_camera_was_held(orientation: int, kind: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = saved(Image.fromarray(np.ascontiguousarray(TURNED[orientation])), kind, exif=exif)
    assert close(quarters(data), [[40, 120], [200, 200]])


def test_of_an_oblong_picture_on_its_side_the_middle_is_kept_upright() -> None:
    scene = np.full((60, 240), 200, np.uint8)  # upright: 240 wide
    scene[:30, 90:120] = 40  # the upper left quarter of the middle square
    scene[:, :60] = 0
    exif = Image.Exif()
    exif[0x0112] = 6
    data = saved(Image.fromarray(np.ascontiguousarray(np.rot90(scene))), "JPEG", exif=exif)
    assert close(quarters(data), [[40, 200], [200, 200]])


@pytest.mark.parametrize("exif", [b"Exif\0\0MM\0*\0\0\0\xff" + b"\xff" * 40, b"Exif\0\0no", b"no"])
def test_a_picture_with_damaged_words_beside_it_is_read(exif: bytes) -> None:
    data = saved(Image.fromarray(QUARTER), "JPEG", exif=exif)
    assert close(quarters(data), [[40, 200], [200, 200]])


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_is_none_turns_nothing(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = saved(Image.fromarray(QUARTER), "JPEG", exif=exif)
    assert close(quarters(data), [[40, 200], [200, 200]])


def grey16(transparency: int | None = None) -> bytes:
    """A PNG of 16 bits: dark is 10,280, which is 40 of 255; light is 51,400, which is 200."""
    image = Image.fromarray(QUARTER.astype(np.uint16) * 257)
    return saved(image) if transparency is None else chunk(saved(image), transparency)


def chunk(data: bytes, value: int) -> bytes:
    """The PNG with one grey of 16 bits declared transparent."""
    body = b"tRNS" + struct.pack(">H", value)
    at = data.index(b"IDAT") - 4
    return data[:at] + struct.pack(">I", 2) + body + struct.pack(">I", zlib.crc32(body)) + data[at:]


def palette(transparency: Any = None, kind: str = "PNG") -> bytes:
    image = Image.fromarray((QUARTER == 40).astype(np.uint8), "L").convert("P")
    image = Image.frombytes("P", image.size, (QUARTER == 40).astype(np.uint8).tobytes())
    image.putpalette([0, 0, 255, 255, 0, 0])  # light: blue, dark: red
    return saved(image, kind, **({} if transparency is None else {"transparency": transparency}))


RED, BLUE, WHITE = (255, 0, 0), (0, 0, 255), (255, 255, 255)
ALPHA = Image.fromarray(np.where(QUARTER == 40, 0, 255).astype(np.uint8))


def with_alpha(image: Image.Image, alpha: Image.Image = ALPHA) -> Image.Image:
    image.putalpha(alpha)
    return image


AS_PEOPLE_HAVE_THEM: dict[str, tuple[bytes, list[list[Any]]]] = {
    "grey of 8 bits": (saved(Image.fromarray(QUARTER)), [[40, 200], [200, 200]]),
    "grey of 16 bits": (grey16(), [[40, 200], [200, 200]]),
    "grey of 16 bits, dark is clear": (grey16(40 * 257), [[255, 200], [200, 200]]),
    "grey with an alpha": (
        saved(with_alpha(Image.fromarray(QUARTER))),
        [[255, 200], [200, 200]],
    ),
    "grey, dark is clear": (
        saved(Image.fromarray(QUARTER), transparency=40),
        [[255, 200], [200, 200]],
    ),
    "colours, red is clear": (
        saved(Image.open(io.BytesIO(palette())).convert("RGB"), transparency=RED),
        [[WHITE, BLUE], [BLUE, BLUE]],
    ),
    "colours with an alpha": (
        saved(with_alpha(Image.open(io.BytesIO(palette())).convert("RGB"))),
        [[WHITE, BLUE], [BLUE, BLUE]],
    ),
    "half seen through": (
        saved(with_alpha(Image.new("RGB", (60, 60)), Image.new("L", (60, 60), 128))),
        [[127, 127], [127, 127]],
    ),
    "WebP with an alpha": (
        saved(with_alpha(Image.fromarray(QUARTER).convert("RGB")), "WEBP", lossless=True),
        [[255, 200], [200, 200]],
    ),
    "palette": (palette(), [[RED, BLUE], [BLUE, BLUE]]),
    "palette, one clear": (palette(1), [[WHITE, BLUE], [BLUE, BLUE]]),
    "palette, all half clear": (
        palette(bytes([128, 0])),
        [[WHITE, (127, 127, 255)], [(127, 127, 255)] * 2],
    ),
    "one bit": (saved(Image.fromarray(QUARTER > 100)), [[0, 255], [255, 255]]),
    "one bit, black is clear": (
        saved(Image.fromarray(QUARTER > 100), transparency=0),
        [[255, 255], [255, 255]],
    ),
    "CMYK": (
        saved(Image.fromarray(QUARTER).convert("RGB").convert("CMYK"), "JPEG", quality=95),
        [[40, 200], [200, 200]],
    ),
    "animated PNG": (
        saved(
            Image.fromarray(QUARTER),
            save_all=True,
            append_images=[Image.new("L", (60, 60)), Image.new("L", (60, 60), 255)],
        ),
        [[40, 200], [200, 200]],
    ),
    "animated WebP": (
        saved(
            Image.fromarray(QUARTER).convert("RGB"),
            "WEBP",
            save_all=True,
            append_images=[Image.new("RGB", (60, 60))],
            lossless=True,
        ),
        [[40, 200], [200, 200]],
    ),
    "several in a JPEG": (
        saved(
            Image.fromarray(QUARTER),
            "MPO",
            save_all=True,
            append_images=[Image.new("L", (60, 60))],
        ),
        [[40, 200], [200, 200]],
    ),
}


@pytest.mark.parametrize("name", AS_PEOPLE_HAVE_THEM)
def test_pictures_as_people_have_them_look_as_they_do_elsewhere(name: str) -> None:
    data, expected = AS_PEOPLE_HAVE_THEM[name]
    assert close(quarters(data), expected, within=12)


def test_grey_of_16_bits_with_an_orientation_is_both_scaled_and_turned() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    image = Image.fromarray(np.ascontiguousarray(np.rot90(QUARTER)).astype(np.uint16) * 257)
    assert close(quarters(saved(image, exif=exif)), [[40, 200], [200, 200]])


def test_the_edge_of_what_is_clear_has_no_rim() -> None:
    """Transparent pixels have a colour that nobody sees, here black, and it must not bleed."""
    pixels = np.zeros((61, 61, 4), np.uint8)
    pixels[:, 30:] = 255
    image = np.asarray(Image.open(io.BytesIO(shrunk(saved(Image.fromarray(pixels))))))
    assert image.min() > 245


@pytest.mark.parametrize("kind", ["TIFF", "GIF", "BMP"])
def test_a_picture_of_another_kind_is_told_the_right_ones(kind: str) -> None:
    with pytest.raises(ValueError, match="can be read here: give PNG, JPEG, WEBP files"):
        shrunk(saved(Image.fromarray(QUARTER), kind))


def test_whatever_a_reader_stumbles_over_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    about = PngImagePlugin.PngInfo()
    about.add_text("a", "b" * 10**7, zip=True)  # swells to more than Pillow reads
    with pytest.raises(ValueError, match=r"it can't be read \(\w+\): save it again"):
        shrunk(saved(Image.fromarray(QUARTER), pnginfo=about))
    monkeypatch.setattr(pretrained, "_coloured", lambda of: 1 / 0)
    with pytest.raises(ValueError, match=r"it can't be read \(ZeroDivisionError\): save it again"):
        shrunk(saved(Image.fromarray(QUARTER)))


def test_no_pictures_are_one_sentence() -> None:
    with pytest.raises(ValueError, match="there are no pictures"):
        as_tensor([])


# Weights, from a server of our own.


class Server(http.server.BaseHTTPRequestHandler):
    """Serves one file, or does what it is told."""

    content: ClassVar[bytes] = b""
    asked: ClassVar[list[str]] = []
    instead: ClassVar[Callable[[Any], object] | None] = None

    def do_GET(self) -> None:
        Server.asked.append(self.path)
        if Server.instead is not None:
            Server.instead(self)
            return
        self.send_response(200)
        self.end_headers()
        self.wfile.write(Server.content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A server that has SqueezeNet's weights; where the file of them belongs."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    file = io.BytesIO()
    torch.save(load("squeezenet1_1", trained=False, seed=3).state_dict(), file)
    Server.content, Server.asked, Server.instead = file.getvalue(), [], None
    name = f"squeezenet1_1-{hashlib.sha256(Server.content).hexdigest()[:8]}.pth"
    url = f"http://127.0.0.1:{server.server_port}/{name}"
    best = SimpleNamespace(DEFAULT=SimpleNamespace(url=url, meta={"_file_size": 4.7}))
    monkeypatch.setattr(pretrained, "get_model_weights", lambda _: best)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    yield tmp_path / "hub" / "checkpoints" / name
    server.shutdown()
    server.server_close()


def has_the_weights(model: torch.nn.Module) -> bool:
    expected = load("squeezenet1_1", trained=False, seed=3).state_dict()
    return all(torch.equal(value, expected[name]) for name, value in model.state_dict().items())


def test_weights_are_downloaded_once(weights: Path) -> None:
    for _ in range(2):
        assert has_the_weights(load("squeezenet1_1"))
    assert len(Server.asked) == 1
    assert [path.name for path in weights.parent.iterdir()] == [weights.name]


def test_damaged_weights_are_downloaded_again(weights: Path) -> None:
    weights.parent.mkdir(parents=True)
    weights.write_bytes(Server.content[:1000])
    assert has_the_weights(load("squeezenet1_1"))
    assert weights.read_bytes() == Server.content


def test_weights_that_are_there_need_neither_network_nor_room(
    weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights.parent.mkdir(parents=True)
    weights.write_bytes(Server.content)
    monkeypatch.setattr(
        "core.runtime.folders.refusal", lambda *_: pytest.fail("nothing is to be written")
    )
    assert has_the_weights(load("squeezenet1_1"))
    assert Server.asked == []


def slowly(server: Any) -> None:
    server.send_response(200)
    server.end_headers()
    for at in range(40):
        server.wfile.write(Server.content[at : at + 1])
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("instead", "reason"),
    [
        (lambda of: of.send_error(503), "503"),
        (lambda of: of.wfile.write(b"HTTP/1.0 200 OK\r\n\r\n<html>"), "another file, 6 bytes"),
        (lambda of: of.wfile.write(b"\0\0"), ""),
        (slowly, "timed out: not whole after 0.7 s"),
        (lambda of: time.sleep(0.6), "timed out"),
    ],
    ids=["error", "page", "no HTTP", "drip", "silence"],
)
def test_weights_that_do_not_come_are_one_sentence(
    instead: Callable[[Any], object], reason: str, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pretrained, "_PATIENCE", 0.4)
    monkeypatch.setattr(pretrained, "_LIMIT", 0.7)
    Server.instead = lambda of: _without_noise(of, instead)
    with pytest.raises(
        Unavailable, match=r"weights of SqueezeNet 1\.1 aren't available here"
    ) as caught:
        load("squeezenet1_1")
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)
    assert f"put {weights.name} into `{weights.parent}`" in str(caught.value)
    assert not weights.parent.exists()


def _without_noise(server: Any, instead: Callable[[Any], object]) -> None:
    with suppress(OSError):
        instead(server)


def test_where_weights_can_not_be_kept_nothing_is_downloaded(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "file"))
    with pytest.raises(Unavailable, match=r"SqueezeNet 1\.1 can't be kept in `.*`.* is no folder"):
        load("squeezenet1_1")
    monkeypatch.setenv("TORCH_HOME", "~nobody-of-this-name/torch")
    with pytest.raises(Unavailable, match="TORCH_HOME is `~nobody-of-this-name/torch`"):
        load("squeezenet1_1")
    assert Server.asked == []


def test_weights_that_would_run_a_program_do_not(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Harm:
        def __reduce__(self) -> Any:
            return Path.touch, (tmp_path / "harm",)

    file = io.BytesIO()
    torch.save({"a": Harm()}, file)
    monkeypatch.setattr(pretrained, "_is_right", lambda *_: True)
    Server.content = file.getvalue()
    with pytest.raises(Unavailable, match="weights of SqueezeNet"):
        load("squeezenet1_1")
    assert not (tmp_path / "harm").exists()


def test_a_network_or_seed_that_is_none_is_said() -> None:
    with pytest.raises(ValueError, match="`alexnot` is not a network: choose one of resnet18"):
        load("alexnot")
    with pytest.raises(ValueError, match="seed is `x`: give a whole number from 0"):
        load("resnet18", trained=False, seed="x")  # type: ignore[arg-type]
    first = load("squeezenet1_1", trained=False, seed=np.int64(3))  # type: ignore[arg-type]
    assert has_the_weights(first)


def test_two_kinds_of_pictures_are_two_modes_of_some_channel(tmp_path: Any) -> None:
    dark = [Image.fromarray(np.full((80, 80, 3), 20 + seed, np.uint8)) for seed in range(26)]
    light = [Image.fromarray(np.full((80, 80, 3), 200 + seed, np.uint8)) for seed in range(26)]
    files = []
    for image in (*dark, *light):
        file = io.BytesIO()
        image.save(file, "PNG")
        files.append(shrunk(file.getvalue()))
    task = PhotographModesTask("squeezenet1_1", "features.4", False, tuple(files))
    found = Lab(Store(tmp_path)).result(task)
    assert found.values.shape == (52, 128)
    assert found.modes.claimed.any()
    assert Lab(Store(tmp_path)).find(task) is None
    assert not list(tmp_path.rglob("*.npz"))
