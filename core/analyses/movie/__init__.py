"""The film of a training: what every unit is wanted for, and active on, from batch to batch.

Each batch is a frame of numbers, and some are frames of pictures: for each unit and class the
gradient row above the activation row, as David Bau drew them (see `core.analyses.gradients`), on
one scale for the whole film. His was that of each frame, so that it flickered; what exceeds ours is
cut off.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import nn

from core.activations import run
from core.analyses.gradients import Intent, activation_rows
from core.data import CLASSES, DataSet

__all__ = ["ROWS", "Film", "Recorder", "due", "ink"]

Numbers = NDArray[np.float32]

ROWS = ("gradient", "activation", "rectified")
SCALE = 5.0  # standard deviations over the whole film that are black, and white (net-intent)
_RANGE = 8.0  # standard deviations of a frame that are kept of it
_EVERY = 64  # batches between two pictures, once the first ones are over
_QUALITY = 50  # of WebP, 0..100
_SIDE = 28


@dataclass(frozen=True)
class Film:
    """A recorded training of some layers.

    frames: (frames,), batches after which pictures were taken, 0 first. loss: (batches,).
    accuracy: (frames, classes), on the watched digits. scalars: by layer, int8 (batches, units,
    classes), the gradient number after each batch, 127 at the layer's largest. sheets: by layer and
    row, an image file for each frame, (units · 28, classes · 28) pixels, mid-grey for 0, darker
    for more, units in the order of `order`. last: by layer and row, float32 (units, classes, 28,
    28), the last frame as it is.
    """

    frames: NDArray[np.int64]
    loss: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    scalars: Mapping[str, NDArray[np.int8]] = field(repr=False)
    sheets: Mapping[tuple[str, str], tuple[bytes, ...]] = field(repr=False)
    last: Mapping[tuple[str, str], Numbers] = field(repr=False)

    def preferred(self, layer: str) -> NDArray[np.int64]:
        """(frames, units): the class on which training wants each unit highest."""
        at = np.maximum(self.frames - 1, 0)
        found: NDArray[np.int64] = self.scalars[layer][at].argmax(2)
        return found

    def order(self, layer: str) -> NDArray[np.int64]:
        """The units by the class that they are wanted on at the end, the most wanted first."""
        return order_of(self.scalars[layer][-1])


class Recorder:
    """Takes a film while a model trains, inside a `with` block.

    A temporary file holds it until it is cut, and is gone after the block.
    """

    def __init__(self, watched: DataSet, total: int) -> None:
        """watched: the digits of the activation rows and the accuracy. total: batches to come."""
        self._watched, self._due = watched, due(total)
        self._frames: list[int] = []
        self._loss: list[float] = []
        self._accuracy: list[NDArray[np.float64]] = []
        self._scalars: list[dict[str, NDArray[np.float16]]] = []
        self._last: dict[tuple[str, str], Numbers] = {}
        self._spreads: dict[tuple[str, str], list[float]] = {}
        self._reel: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115, closed in `__exit__`
        self._places: dict[tuple[str, str], list[int]] = {}

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, *error: object) -> None:
        self._reel.close()

    def begin(self, model: nn.Module) -> None:
        """The frame before the first batch, in which nothing is wanted yet."""
        rows = self._activations(model)
        self._last = {(layer, "gradient"): np.zeros_like(of) for (layer, _), of in rows.items()}
        self._shoot(0, model, self._last | rows)

    def batch(self, number: int, loss: float, model: nn.Module, intent: Intent) -> None:
        """The frame after batch `number`; intent: with its pictures."""
        self._loss.append(loss)
        scalars = {layer: of.astype(np.float16) for layer, of in intent.scalars.items()}
        self._scalars.append(scalars)
        if number in self._due:
            wanted = {
                (layer, "gradient"): of.reshape(*of.shape[:2], _SIDE, _SIDE)
                for layer, of in intent.pictures.items()
            }
            self._shoot(number, model, wanted | self._activations(model))

    def cut(self) -> Film:
        """The film of what was recorded so far."""
        layers = dict.fromkeys(layer for layer, _ in self._last)
        scalars = {layer: _whole([of[layer] for of in self._scalars]) for layer in layers}
        orders = {layer: order_of(of[-1]) for layer, of in scalars.items()}
        sheets = {key: self._developed(key, orders[key[0]]) for key in self._places}
        return Film(
            np.array(self._frames),
            np.array(self._loss),
            np.stack(self._accuracy),
            scalars,
            sheets,
            self._last,
        )

    def _activations(self, model: nn.Module) -> dict[tuple[str, str], Numbers]:
        """Both activation rows of every layer, as they are now."""
        images, labels = self._watched.images, self._watched.labels
        found: dict[tuple[str, str], Numbers] = {}
        for row, rectify in (("activation", 0), ("rectified", 1)):
            rows = activation_rows(model, images, labels, rectify=rectify)
            found |= {(layer, row): of for layer, of in rows.items()}
        return found

    def _shoot(
        self, number: int, model: nn.Module, rows: Mapping[tuple[str, str], Numbers]
    ) -> None:
        """Keep a frame of pictures, and the accuracy on each class."""
        self._frames.append(number)
        labels = self._watched.labels
        right = run(model, self._watched.images).argmax(1) == labels
        by_class = [right[labels == each].double().mean().item() for each in range(CLASSES)]
        self._accuracy.append(np.array(by_class))
        self._last = dict(rows)
        for key, values in rows.items():
            spread = float(values.std())
            self._spreads.setdefault(key, []).append(spread)
            self._places.setdefault(key, []).append(self._reel.tell())
            step = _RANGE * spread / 127 or 1.0
            self._reel.write((values / step).clip(-127, 127).round().astype(np.int8).tobytes())

    def _developed(self, key: tuple[str, str], order: NDArray[np.int64]) -> tuple[bytes, ...]:
        """The frames of a layer's row as image files, on one scale."""
        shape, spreads = self._last[key].shape, np.array(self._spreads[key])
        whole = SCALE * float(np.sqrt(np.square(spreads).mean())) or 1.0
        files = []
        for place, spread in zip(self._places[key], spreads, strict=True):
            self._reel.seek(place)
            kept = np.frombuffer(self._reel.read(int(np.prod(shape))), np.int8).reshape(shape)
            files.append(_webp(ink(kept[order] * (_RANGE * spread / 127), whole)))
        return tuple(files)


def order_of(scalars: NDArray[np.int8]) -> NDArray[np.int64]:
    """The units by the class of their largest number (units, classes), the largest first."""
    wanted = scalars.astype(np.int64)
    order: NDArray[np.int64] = np.lexsort((-wanted.max(1), wanted.argmax(1)))
    return order


def due(total: int) -> set[int]:
    """Batches after which pictures are taken: 1, 2, 3, 4, 6, 8, 11, 16, … 64, 128, 192, … total."""
    early = {round(2 ** (k / 2)) for k in range(2 * _EVERY.bit_length() - 1)}
    return {step for step in early | set(range(_EVERY, total, _EVERY)) if step <= total} | {total}


def ink(values: NDArray[np.floating], scale: float) -> NDArray[np.uint8]:
    """uint8 (units · 28, classes · 28): mid-grey for 0, black for `scale`, white for -`scale`.

    values: (units, classes, 28, 28).
    """
    units, classes, height, width = values.shape
    sheet = values.transpose(0, 2, 1, 3).reshape(units * height, classes * width)
    tones: NDArray[np.uint8] = (127.5 * (1 - (sheet / scale).clip(-1, 1))).round().astype(np.uint8)
    return tones


def _webp(tones: NDArray[np.uint8]) -> bytes:
    """An image file; on an unchanged picture always the same bytes."""
    file = io.BytesIO()
    Image.fromarray(tones).convert("RGB").save(file, "WEBP", quality=_QUALITY, method=0)
    return file.getvalue()


def _whole(scalars: Sequence[NDArray[np.float16]]) -> NDArray[np.int8]:
    """int8 (batches, units, classes), 127 for the largest size."""
    values = np.stack(scalars).astype(np.float32)
    largest = float(np.abs(values).max(initial=0)) or 1.0
    return (127 * values / largest).round().astype(np.int8)
