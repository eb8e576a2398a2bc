"""Networks trained on photographs, from torchvision, and the pictures that a person gives them."""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from urllib.request import Request, urlopen

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor, nn
from torchvision.models import get_model, get_model_weights

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
_PATIENCE = 10  # seconds for the server of the weights to answer
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
    unknown name, and `Unavailable` when the weights can't be had.
    """
    if name not in NETWORKS:
        raise ValueError(f"{name!r} is not a network: choose one of {', '.join(NETWORKS)}.")
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
    kept = Path(torch.hub.get_dir()) / "checkpoints" / best.url.rsplit("/", 1)[-1]
    try:
        if not kept.is_file():
            # torch would wait for ever for a server that doesn't answer
            urlopen(Request(best.url, method="HEAD"), timeout=_PATIENCE).close()
        state: Mapping[str, Tensor] = best.get_state_dict(progress=False, check_hash=True)
    except (OSError, RuntimeError, ValueError) as error:
        reason = (str(getattr(error, "reason", "")) or str(error)).splitlines()[0][:120]
        raise Unavailable(
            f"The weights of {NETWORKS[name].title} can't be had here ({reason}): connect this "
            f"server to {best.url.split('/')[2]}, or put {kept.name} into torch's folder of "
            "checkpoints."
        ) from error
    return state


def shrunk(data: bytes) -> bytes:
    """A picture's middle square, 224 pixels wide, as a JPEG file of our own making.

    Raises `ValueError` with one sentence for a file that is too big, no picture, or damaged.
    """
    if len(data) > FILE_LIMIT:
        raise ValueError(f"it has {len(data):,} bytes: at most {FILE_LIMIT:,} are read.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            picture = Image.open(io.BytesIO(data), formats=_FORMATS)
            width, height = picture.size
            if width * height > _PIXELS or not min(width, height):
                raise ValueError(f"it has {width} × {height} pixels: at most {_PIXELS:,} are read.")
            square = min(width, height)
            left, top = (width - square) // 2, (height - square) // 2
            middle = picture.convert("RGB").resize(
                (SIDE, SIDE), box=(left, top, left + square, top + square)
            )
    except UnidentifiedImageError:
        raise ValueError(f"it is no picture: give {', '.join(_FORMATS)} files.") from None
    except (OSError, SyntaxError, Image.DecompressionBombError, Warning) as error:
        raise ValueError(f"it can't be read ({type(error).__name__}): save it anew.") from error
    file = io.BytesIO()
    middle.save(file, "JPEG", quality=92)
    return file.getvalue()


def as_tensor(files: Sequence[bytes]) -> Tensor:
    """What `shrunk` gave, as the networks want it: float32 (n, 3, 224, 224), normalized."""
    pixels = np.stack([np.asarray(Image.open(io.BytesIO(file))) for file in files])
    images = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255
    mean, spread = (torch.tensor(of)[:, None, None] for of in (_MEAN, _SPREAD))
    return (images - mean) / spread
