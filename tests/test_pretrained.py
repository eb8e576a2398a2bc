"""Networks trained on photographs: their weights, hostile pictures, and modes of their channels."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from core.activations import collect
from core.models import pretrained
from core.models.pretrained import FILE_LIMIT, NETWORKS, Unavailable, as_tensor, load, shrunk
from core.store import Store
from core.tasks.photographs import ReadingPhotographs


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
        (b"", "no picture"),
        (b"<svg onload=alert(1)>", "no picture"),
        (picture("GIF"), "no picture"),
        (picture()[:2000], "can't be read"),
        (b"\x89PNG\r\n\x1a\n" + b"\x00" * 100, "can't be read|no picture"),
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


def test_weights_that_cannot_be_had_are_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    def refused(*args: object, **options: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr(pretrained, "urlopen", refused)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(Unavailable, match=r"ResNet-18 can't be had here \(no route to host\)"):
        load("resnet18")
    with pytest.raises(ValueError, match="'alexnot' is not a network: choose one of resnet18"):
        load("alexnot")


def test_two_kinds_of_pictures_are_two_modes_of_some_channel(tmp_path: Any) -> None:
    def told(*args: object, **values: object) -> None:
        pass

    dark = [Image.fromarray(np.full((80, 80, 3), 20 + seed, np.uint8)) for seed in range(26)]
    light = [Image.fromarray(np.full((80, 80, 3), 200 + seed, np.uint8)) for seed in range(26)]
    files = []
    for image in (*dark, *light):
        file = io.BytesIO()
        image.save(file, "PNG")
        files.append(shrunk(file.getvalue()))
    task = ReadingPhotographs("squeezenet1_1", "features.4", False, tuple(files))
    store = Store(tmp_path)
    found = task.compute(store, told)
    assert found.values.shape == (52, 128)
    assert found.modes.claimed.any()
    assert task.kept(store) is None
    assert not list(tmp_path.rglob("*.npz"))
