"""Networks trained on photographs, from torchvision, and the pictures that a person gives them."""

from __future__ import annotations

import hashlib
import io
import warnings
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor, nn
from torchvision.models import get_model, get_model_weights

from core.arguments import whole
from core.runtime import download, folders
from core.text import literal

__all__ = [
    "FEWEST",
    "FILE_LIMIT",
    "MOST",
    "NETWORKS",
    "Pretrained",
    "Unavailable",
    "as_tensor",
    "load",
    "shrunk",
]

SIDE = 224  # pixels, as these networks were trained on
FEWEST, MOST = 50, 150  # pictures: fewer can't be tested, more take minutes
FILE_LIMIT = 5 * 2**20  # bytes of a file
_PIXELS = 25_000_000  # of a picture: a few bytes can ask for more memory than there is
_FORMATS = ("PNG", "JPEG", "WEBP")
_PATIENCE = 10.0  # seconds without a byte of the weights after which they are given up
_LIMIT = 900.0  # seconds in all
_LARGEST = 100 << 20  # bytes of a file of weights
_SEEDS = 2**63 - 1  # the last one that torch takes
_ORIENTATION = 0x0112  # EXIF's tag
_TURNS: Mapping[object, Image.Transpose] = MappingProxyType(  # that make a picture upright
    {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }
)
_MEAN, _SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's channels


@dataclass(frozen=True)
class Pretrained:
    """A network by its name in torchvision. layers: those that can be read, in order."""

    name: str
    title: str
    layers: tuple[str, ...]


NETWORKS: Mapping[str, Pretrained] = MappingProxyType(
    {
        each.name: each
        for each in (
            Pretrained("resnet18", "ResNet-18", ("layer1", "layer2", "layer3", "layer4")),
            Pretrained(
                "squeezenet1_1", "SqueezeNet 1.1", ("features.4", "features.7", "features.12")
            ),
        )
    }
)


class Unavailable(OSError):
    """Weights can't be had; the message is one sentence for the person at the screen."""


def load(name: str, *, trained: bool = True, seed: int = 0) -> nn.Module:
    """The network, in eval mode and frozen, with `.layers`; trained=False: before training.

    Weights are downloaded on first use, to where torch keeps them. Raises `ValueError` for an
    unknown name or a seed that is none, and `Unavailable` when the weights can't be had.
    """
    if name not in NETWORKS:
        raise ValueError(f"{literal(name)} is not a network: choose one of {', '.join(NETWORKS)}.")
    seed = whole(seed, "seed", 0, _SEEDS)
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torchvision's initialization warns of its own settings
        torch.default_generator.manual_seed(seed)
        model: nn.Module = get_model(name, weights=None)
    if trained:
        model.load_state_dict(_weights(name))
    for module in model.modules():
        if isinstance(module, nn.ReLU):
            module.inplace = False  # else a layer that was read would change afterwards
    model.layers = NETWORKS[name].layers  # type: ignore[assignment]
    return model.eval().requires_grad_(False)


def _weights(name: str) -> Mapping[str, Tensor]:
    """The network's best weights; raises `Unavailable`."""
    best = get_model_weights(name).DEFAULT
    file = best.url.rsplit("/", 1)[-1]
    title = NETWORKS[name].title
    try:
        kept = _checkpoints() / file
    except ValueError as error:
        raise Unavailable(f"The weights of {title} aren't available here: {error}") from error
    content = _sound(kept)
    if content is None:
        room = int(best.meta.get("_file_size", 50) * 1.1e6)
        if refused := folders.refusal(kept.parent, room):
            raise _unkept(title, kept, refused)
        content = _downloaded(title, best.url, kept)
        try:
            folders.put(kept, content)
        except OSError as error:
            raise _unkept(title, kept, literal(error.strerror or error)) from error
    try:
        state: Mapping[str, Tensor] = torch.load(io.BytesIO(content), "cpu", weights_only=True)
    except Exception as error:  # what isn't weights can raise anything in a reader
        raise Unavailable(
            f"The weights of {title} can't be read from {literal(kept, 200)} "
            f"({type(error).__name__}): remove the file, and it is downloaded again."
        ) from error
    return state


def _checkpoints() -> Path:
    """Torch's folder of weights, or a temporary one for users without a home.

    Raises `ValueError` where the environment names one that can't be.
    """
    named = folders.named("TORCH_HOME")
    hub = Path(torch.hub.get_dir())
    return (hub.absolute() if named else folders.or_temporary(hub)) / "checkpoints"


def _sound(path: Path) -> bytes | None:
    """The bytes of a file of weights, None where there is none or it is damaged.

    Its name ends in the beginning of its SHA-256.
    """
    try:
        content = path.read_bytes()
    except OSError:
        return None
    return content if _is_right(path, content) else None


def _is_right(path: Path, content: bytes) -> bool:
    """Whether those are the bytes that the file's name says."""
    return hashlib.sha256(content).hexdigest().startswith(path.stem.rsplit("-", 1)[-1])


def _downloaded(title: str, url: str, kept: Path) -> bytes:
    """The file behind `url`; raises `Unavailable`."""
    content = bytearray()
    try:
        with closing(download.parts(url, patience=_PATIENCE, limit=_LIMIT)) as came:
            for part in came:
                content += part
                if len(content) > _LARGEST:
                    raise download.Failed(f"more than {_LARGEST:,} bytes")
        if _is_right(kept, bytes(content)):
            return bytes(content)
        reason = f"what came is another file, {len(content):,} bytes"
    except download.Failed as error:
        reason = str(error)
    raise Unavailable(
        f"The weights of {title} aren't available here ({literal(reason, 120)}): connect this "
        f"server to {url.split('/')[2]}, or put {kept.name} into {literal(kept.parent, 200)}."
    )


def _unkept(title: str, kept: Path, reason: str) -> Unavailable:
    """The sentence for a folder that can't hold the weights."""
    return Unavailable(
        f"The weights of {title} can't be kept in {literal(kept.parent, 200)} ({reason}): let this "
        "program write there, or set TORCH_HOME to another folder."
    )


def shrunk(data: bytes) -> bytes:
    """A picture's middle square, 224 pixels wide, as a JPEG file of our own making.

    It stands as the camera says that it was held; what is transparent lies on white; grey of 16
    bits becomes grey of 8; of an animation it is the first picture.

    Raises `ValueError` with one sentence for a file that is too big, no picture, or damaged.
    """
    if len(data) > FILE_LIMIT:
        raise ValueError(f"it has {len(data):,} bytes: at most {FILE_LIMIT:,} are read.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what Pillow reads in spite of an oddity
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=_FORMATS) as picture:
                middle = _middle(picture)
    except UnidentifiedImageError:
        raise ValueError(
            f"it isn't a picture that can be read here: give {', '.join(_FORMATS)} files."
        ) from None
    except _TooLarge as error:
        raise ValueError(str(error)) from None
    except Exception as error:  # bytes of anybody's making can raise anything in a reader
        raise ValueError(f"it can't be read ({type(error).__name__}): save it again.") from error
    file = io.BytesIO()
    middle.save(file, "JPEG", quality=92)
    return file.getvalue()


class _TooLarge(Exception):
    """A picture has more pixels than are read, or none."""


def _middle(picture: Image.Image) -> Image.Image:
    """The middle square, upright, RGB, `SIDE` pixels wide."""
    width, height = picture.size
    if width * height > _PIXELS or not min(width, height):
        raise _TooLarge(f"it has {width} × {height} pixels: at most {_PIXELS:,} are read.")
    turn = _TURNS.get(_orientation(picture))
    square = min(width, height)
    left, top = (width - square) // 2, (height - square) // 2
    small = _coloured(picture.crop((left, top, left + square, top + square))).resize((SIDE, SIDE))
    if small.mode == "RGBA":
        paper = Image.new("RGBA", small.size, "white")
        small = Image.alpha_composite(paper, small).convert("RGB")
    return small if turn is None else small.transpose(turn)


def _orientation(picture: Image.Image) -> object:
    """How the camera was held, as EXIF counts it; 1 is upright, as are pictures that don't say."""
    try:
        return picture.getexif().get(_ORIENTATION, 1)
    except Exception:  # what a program wrote beside the picture may be damaged, and it is not
        return 1


def _coloured(picture: Image.Image) -> Image.Image:
    """The picture as RGB, or as RGBA where some of it may be transparent; both of 8 bits."""
    see_through = picture.info.get("transparency")
    if picture.mode[0] == "I":  # grey of 16 bits, which Pillow would cut off at 255
        values = np.asarray(picture).astype(np.int64)
        grey = Image.fromarray((values.clip(0, 65535) / 257).round().astype(np.uint8))
        if not isinstance(see_through, int):
            return grey.convert("RGB")
        grey.putalpha(Image.fromarray(np.where(values == see_through, 0, 255).astype(np.uint8)))
        return grey.convert("RGBA")
    if isinstance(see_through, tuple) and max(see_through) > 255:  # colours of 16 bits
        picture.info["transparency"] = tuple(value >> 8 for value in see_through)
    clear = see_through is not None or picture.mode in ("RGBA", "LA", "PA", "RGBa", "La")
    return picture.convert("RGBA" if clear else "RGB")


def as_tensor(files: Sequence[bytes]) -> Tensor:
    """What `shrunk` gave, as the networks want it: float32 (n, 3, 224, 224), normalized.

    Raises `ValueError` when there are none.
    """
    if not files:
        raise ValueError("there are no pictures: give at least one, as `shrunk` made it.")
    pixels = np.stack([np.asarray(Image.open(io.BytesIO(file))) for file in files])
    images = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255
    mean, spread = (torch.tensor(of)[:, None, None] for of in (_MEAN, _SPREAD))
    return (images - mean) / spread
