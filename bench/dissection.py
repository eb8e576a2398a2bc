"""Dissection of all layers, against a plain loop over units and concepts with the same result.

2,000 digits stand for 10,000, each five times over: measuring concepts takes longer than all else
here, and isn't timed. The loop takes minutes, so it is timed on some units of each layer, and their
number scaled up; it reads each layer once and keeps all maps, and has all masks unpacked already.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score
from torch import Tensor

from bench.ratio import Row
from core.activations import batches_of, collect, collect_layers, layer_of, reader
from core.analyses.dissection import LEVEL
from core.analyses.dissection.levels import levels
from core.analyses.dissection.masks import Upsampling, as_words, marked, pack
from core.analyses.dissection.pixels import count
from core.data import concepts as concepts_of
from core.data import load, mnist
from core.data.concepts import Measured
from core.models.inspectable import Inspectable
from core.models.registry import build
from core.statistics.ranking import Answers
from core.training import train

_LEAST = 20.0
_GROWTH = 1.1
_OWN, _TIMES = 2_000, 5  # digits measured, and how often each is there
_EVERY_MAP, _EVERY_UNIT = (
    4,
    30,
)  # the loop is timed on a fourth of the maps, a thirtieth of the units
_FEW, _MANY = 5_000, 20_000
_BATCH = 500

T = TypeVar("T")


@dataclass(frozen=True)
class Data:
    """A network, images (n, 1, 28, 28) and what is in them."""

    model: Inspectable
    images: Tensor
    measured: Measured

    def times(self, times: float) -> Data:
        """All of it `times` over."""
        index = np.arange(int(times * len(self.images))) % len(self.images)
        return Data(self.model, self.images[index], self.measured.take(index))

    @property
    def megabytes(self) -> float:
        """The size of the images, scores and masks."""
        arrays = self.images.numpy(), self.measured.scores, self.measured.packed
        return sum(array.nbytes for array in arrays) / 1e6


def measure(rounds: int) -> list[Row]:
    """The ratios for LeNet-5, all layers and all concepts."""
    digits = load("mnist" if mnist.present() else "strokes", "test").take(slice(_OWN))
    found = concepts_of.measure(digits.images, digits.labels, parts=digits.parts)
    own = Data(train("lenet5", digits, epochs=1), digits.images, found)
    return [*_speed(own.times(_TIMES), rounds), *_memory(own)]


def _speed(data: Data, rounds: int) -> list[Row]:
    """The time of the loop over ours, in all and by kind."""
    masks = data.measured.placed_masks()
    pixels, images = [], []  # (the loop's, ours) in seconds
    for _ in range(rounds):
        overlaps, own = _timed(lambda: by_pixels(data))
        pixels.append((_overlaps_loop(data, masks, overlaps), own))
        ranking, own = _timed(lambda: by_images(data))
        images.append((_ranking_loop(data, *ranking), own))
    whole = [(a + c, b + d) for (a, b), (c, d) in zip(pixels, images, strict=True)]
    total, alone, ranked = (median(b / a for b, a in of) for of in (whole, pixels, images))
    what = f"dissecting all layers, {len(data.images):,} digits, loop (of some units, scaled up)"
    return [
        Row(f"{what} / ours", total, f"at least {_LEAST:.0f}", total >= _LEAST),
        Row(f"{what} / ours, by pixels alone", alone, "none", True),
        Row(f"{what} / ours, by images alone", ranked, "none", True),
    ]


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    """What `work` gives, and how long it takes."""
    start = perf_counter()
    return work(), perf_counter() - start


def by_pixels(data: Data) -> list[NDArray[np.float64]]:
    """Ours: the iou (units, concepts) of each convolutional layer."""
    return [_overlaps(data, layer) for layer in _convolutional(data.model)]


def by_images(data: Data) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Ours: AUC and average precision (units of all layers, concepts)."""
    present = data.measured.present()
    found = []
    for values in _peaks(data).values():
        answers = Answers.of(values)
        found.append((answers.auc(present), answers.average_precision(present)))
    auc, precision = (np.concatenate(of) for of in zip(*found, strict=True))
    return auc, precision


def _overlaps(data: Data, layer: str) -> NDArray[np.float64]:
    """Ours, of one layer."""
    of = layer_of(data.model, layer)
    assert of.map is not None
    read, up = reader(data.model, layer), Upsampling(of, *of.map)

    def activations() -> Iterator[Tensor]:
        with torch.no_grad():
            yield from (read(some).relu() for some in batches_of(data.images, _BATCH))

    limits = levels(activations, LEVEL)
    packed = data.measured.packed
    words = (as_words(packed[at : at + _BATCH]) for at in range(0, len(packed), _BATCH))
    units = (pack(marked(maps, limits, up)) for maps in activations())
    return count(zip(units, words, strict=True), shuffles=0, seed=0).overlaps.iou


def _overlaps_loop(data: Data, masks: NDArray[np.bool_], ours: list[NDArray[np.float64]]) -> float:
    """Seconds of a loop over units and concepts with a place; it must give the same as ours."""
    seconds = 0.0
    for layer, overlaps in zip(_convolutional(data.model), ours, strict=True):
        start = perf_counter()
        maps = collect(data.model, data.images, layer).relu()
        seconds += perf_counter() - start
        up = Upsampling(layer_of(data.model, layer), *maps.shape[2:])
        units = range(0, maps.shape[1], _EVERY_MAP)
        start = perf_counter()
        for unit in units:
            own = maps[:, unit].numpy().ravel()
            above = len(own) - 1 - int(LEVEL * len(own))
            mask = (up(maps[:, unit]) > float(np.partition(own, above)[above])).numpy()
            for concept in range(masks.shape[1]):
                other = masks[:, concept]
                both, either = (mask & other).sum(), (mask | other).sum()
                _check(overlaps[unit, concept], both / either if either else 0.0)
        seconds += (perf_counter() - start) * maps.shape[1] / len(units)
    return seconds


def _ranking_loop(data: Data, auc: NDArray[np.float64], precision: NDArray[np.float64]) -> float:
    """Seconds of a loop over units and all concepts; it must give the same as ours."""
    start = perf_counter()
    values, present = np.concatenate([*_peaks(data).values()], 1), data.measured.present()
    reading = perf_counter() - start
    units = range(0, values.shape[1], _EVERY_UNIT)
    start = perf_counter()
    for unit in units:
        for concept in range(present.shape[1]):
            of, own = present[:, concept], values[:, unit]
            if of.any() and not of.all():
                _check(auc[unit, concept], roc_auc_score(of, own))
                _check(precision[unit, concept], average_precision_score(of, own))
    return reading + (perf_counter() - start) * values.shape[1] / len(units)


def _check(ours: float, other: float) -> None:
    """Raises `ArithmeticError` where the two differ: then neither is worth timing."""
    if abs(ours - other) > 1e-6:
        raise ArithmeticError(f"ours is {ours}, the loop's is {other}: one of them is wrong.")


def _peaks(data: Data) -> dict[str, NDArray[np.float32]]:
    """One number for each unit and image, (n, units) by layer."""
    found = collect_layers(
        data.model, data.images, reduce=lambda a: a.amax((2, 3)) if a.ndim == 4 else a
    )
    return {
        layer: (of.relu() if layer_of(data.model, layer).rectified else of).numpy()
        for layer, of in found.items()
    }


def _convolutional(model: Inspectable) -> list[str]:
    """The layers whose units have a place."""
    return [layer.name for layer in model.described if layer.map]


def _memory(own: Data) -> list[Row]:
    """How much more memory four times the digits take, over the size of those digits."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "digits.npz"
        measured = own.measured
        np.savez(
            path,
            images=own.images.numpy(),
            names=np.array(measured.names),
            scores=measured.scores,
            packed=measured.packed,
        )
        rows = []
        for kind in ("pixels", "images"):
            few, many = (_peak(path, kind, n) for n in (_FEW, _MANY))
            more = (many["peak"] - few["peak"]) / (many["digits"] - few["digits"])
            what = (
                f"memory by {kind}: {few['peak']:.0f} MB for {_FEW:,} digits, "
                f"{many['peak']:.0f} MB for {_MANY:,}; growth / the digits' own"
            )
            promise = kind == "pixels"  # ranking needs all images at once
            kept = more <= _GROWTH or not promise
            rows.append(Row(what, more, f"at most {_GROWTH}" if promise else "none", kept))
    return rows


def _peak(path: Path, kind: str, n: int) -> dict[str, float]:
    """Megabytes at the most in a process of its own, and of its digits."""
    command = [sys.executable, "-m", "bench.dissection", str(path), kind, str(n)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return dict(json.loads(said))


def _alone(path: Path, kind: str, n: int) -> dict[str, float]:
    """What `_peak` asks its process for."""
    torch.set_num_threads(1)
    with np.load(path) as of:
        measured = Measured(tuple(of["names"].tolist()), of["scores"], of["packed"])
        own = Data(build("lenet5"), torch.from_numpy(of["images"]), measured)
    data = own.times(n / len(own.images))
    (by_pixels if kind == "pixels" else by_images)(data)
    # getrusage would tell the most of the process that started this one, if that was more
    status = dict(line.split(":") for line in Path("/proc/self/status").read_text().splitlines())
    return {"peak": int(status["VmHWM"].split()[0]) / 1e3, "digits": data.megabytes}


if __name__ == "__main__":
    found = _alone(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
    sys.stdout.write(json.dumps(found))
