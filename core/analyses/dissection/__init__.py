"""Network dissection of a layer: which concept each unit answers to, if any.

Levels and concepts are chosen on discovery digits, and everything said is measured on confirmation
digits: intersection over union with its ceiling, its interval, what image-shuffled masks give, and
false-discovery control over units and concepts. A unit is a detector when its chosen concept
passes all of these; else it is none, and none is an answer. The same is done to the untrained
network and to the layer's units mixed by a random rotation (Bau et al. 2017, arXiv:1704.05796).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from core.activations import check_unit, layer_of, reader
from core.analyses.dissection.masks import Upsampling, marked
from core.analyses.dissection.tables import (
    DETECTOR,
    FEWEST,
    RATE,
    Read,
    Sample,
    Table,
    by_images,
    by_pixels,
)
from core.arguments import real, seeded
from core.data import DataSet, members
from core.data.concepts import Measured, measure
from core.surroundings import undisturbed
from core.text import literal
from core.units import UnitId

__all__ = [
    "DETECTOR",
    "FEWEST",
    "LEVEL",
    "RATE",
    "Dissection",
    "Sample",
    "dissect",
    "dissect_layer",
    "unit_masks",
]

LEVEL = 0.005  # of all activations (Bau et al. 2017)


@dataclass(frozen=True)
class Dissection:
    """A layer's units against all concepts.

    pixels: a row for each unit and concept that has a place; no rows for a dense layer. images: a
    row for each unit and concept, by one number an image. For both see `tables.Table`. controls: a
    row for each of the networks "trained", "untrained" and "rotated" and each kind of table
    ("pixels", "images"): detectors, unique (concepts among them), iou (the highest).
    levels, image_levels: (units,).
    """

    layer: str
    level: float
    pixels: pd.DataFrame
    images: pd.DataFrame
    controls: pd.DataFrame
    levels: NDArray[np.float32]
    image_levels: NDArray[np.float32]


@undisturbed()
def dissect(
    model: nn.Module,
    digits: DataSet,
    layer: str,
    concepts: Sequence[str] | Measured | None = None,
    *,
    level: float = LEVEL,
    seed: int = 0,
) -> pd.DataFrame:
    """A row for each unit and concept: unit, concept, iou, interval (low, high), null, and more.

    Half of each class of `digits` serves to choose levels and concepts, the other half to measure.
    concepts: names (None: all), or what was measured of `digits` already. Of a dense layer, or for
    concepts that have no place, images are compared instead of pixels: column `kind`.
    For the columns see `tables.Table`.

    Raises `ValueError` for an unknown layer or concept, a level outside 0..1, too few digits.
    """
    layer_of(model, layer)
    level, seed = _share(level), seeded(seed)
    measured = _measured(digits, concepts)
    choose, judge = (_half(digits, measured, split) for split in ("discovery", "confirmation"))
    read = _networks(model, None, layer, seed)["trained"]
    pixels = _by_place(model, read, choose, judge, layer, level, seed, scores=True).rows
    tables = [pixels.assign(kind="pixels")] if len(pixels) else []
    others = [name for name in measured.names if name not in measured.placed or not tables]
    if others:
        some = [Sample(of.digits, of.measured.only(others)) for of in (choose, judge)]
        rows = by_images(read, some[0], some[1], level=level, seed=seed).rows
        tables.append(rows.assign(kind="images"))
    table = pd.concat(tables, ignore_index=True)
    name = str(getattr(model, "name", type(model).__name__.lower()))
    table.insert(0, "unit", [str(UnitId(name, layer, int(index))) for index in table["index"]])
    return table


def _measured(digits: DataSet, concepts: Sequence[str] | Measured | None) -> Measured:
    """What is in the digits, or `ValueError` for too few digits and concepts of others."""
    if len(digits) < 2:
        raise ValueError(
            f"{len(digits)} digit is too few: pass at least two, for there are halves."
        )
    if isinstance(concepts, Measured):
        if len(concepts) != len(digits):
            raise ValueError(
                f"concepts were measured of {len(concepts)} digits and there are {len(digits)}: "
                "pass those of the same digits."
            )
        return concepts
    if concepts is not None and not len(concepts):
        raise ValueError("concepts is empty: name at least one, such as 'ink', or pass None.")
    images, labels = digits.images.numpy(), digits.labels.numpy()
    return measure(images, labels, concepts, parts=digits.parts)


def _share(level: float) -> float:
    """The level as a number; `ValueError` unless a unit may be above it now and then."""
    share = real(level, "level")
    if not 0 < share < 1:
        raise ValueError(
            f"level {literal(level)} is out of range: give a share above 0 and below 1."
        )
    return share


def _half(digits: DataSet, measured: Measured, split: str) -> Sample:
    """Half of the digits of each class, with what is in them."""
    chosen = members(split, digits.labels)
    return Sample(digits.take(chosen), measured.take(chosen.numpy()))


@undisturbed()
def dissect_layer(
    model: nn.Module,
    untrained: nn.Module | None,
    choose: Sample,
    judge: Sample,
    layer: str,
    *,
    level: float = LEVEL,
    seed: int = 0,
    on_progress: Callable[[float, str], object] | None = None,
) -> Dissection:
    """The dissection of `layer`; levels and concepts are chosen on one sample, judged on the other.

    untrained: the same architecture before training (None: without that control). level: the share
    of a unit's activations that counts as its answer. seed: of shuffles, rotation and bootstrap.

    Raises `ValueError` for an unknown layer, a level outside 0..1 and a seed that is none.
    """
    level, seed = _share(level), seeded(seed)
    tell = on_progress or (lambda fraction, text: None)
    networks = _networks(model, untrained, layer, seed)
    found = {}
    for at, (network, read) in enumerate(networks.items()):
        tell(at / len(networks), f"Dissecting the {network} network")
        own = network == "trained"
        found[network] = _tables(model, read, choose, judge, layer, level, seed, scores=own)
    rows = [
        {"network": network, "kind": kind, **table.summary()}
        for network, tables in found.items()
        for kind, table in tables.items()
        if len(table.rows)
    ]
    pixels, images = found["trained"]["pixels"], found["trained"]["images"]
    return Dissection(
        layer, level, pixels.rows, images.rows, pd.DataFrame(rows), pixels.levels, images.levels
    )


def _tables(
    model: nn.Module,
    read: Read,
    choose: Sample,
    judge: Sample,
    layer: str,
    level: float,
    seed: int,
    *,
    scores: bool,
) -> dict[str, Table]:
    """One network's tables by kind."""
    return {
        "pixels": _by_place(model, read, choose, judge, layer, level, seed, scores=scores),
        "images": by_images(read, choose, judge, level=level, seed=seed, scores=scores),
    }


def _by_place(
    model: nn.Module,
    read: Read,
    choose: Sample,
    judge: Sample,
    layer: str,
    level: float,
    seed: int,
    *,
    scores: bool,
) -> Table:
    """One network's table by pixels; without rows for a dense layer or concepts without place."""
    probe = read(choose.digits.images[:1])
    if probe.ndim != 4 or not judge.measured.placed:
        return Table(pd.DataFrame(), np.full(probe.shape[1], np.nan, np.float32))
    up = Upsampling(layer_of(model, layer), probe.shape[2], probe.shape[3])
    return by_pixels(read, up, choose, judge, level=level, seed=seed, scores=scores)


def _networks(
    model: nn.Module, untrained: nn.Module | None, layer: str, seed: int
) -> dict[str, Read]:
    """Ways from images to the layer's activations, as its ReLU passes them on."""
    own, rectified = reader(model, layer), layer_of(model, layer).rectified
    networks = {"trained": own, "rotated": _rotated(own, seed)}
    if untrained is not None:
        networks["untrained"] = reader(untrained, layer)
    return {name: Read(raw, rectified) for name, raw in networks.items()}


def _rotated(read: Callable[[Tensor], Tensor], seed: int) -> Callable[[Tensor], Tensor]:
    """The layer's units mixed by a random orthogonal matrix, uniform over all of them."""
    turns: list[Tensor] = []

    def mixed(images: Tensor) -> Tensor:
        values = read(images)
        if not turns:
            generator = torch.Generator().manual_seed(seed)
            units = values.shape[1]
            q, r = torch.linalg.qr(torch.randn(units, units, generator=generator))
            turns.append(q * r.diagonal().sign())
        return torch.einsum("uv,bv...->bu...", turns[0], values)

    return mixed


@undisturbed()
def unit_masks(
    model: nn.Module, images: Tensor, layer: str, unit: int, level: float
) -> NDArray[np.bool_]:
    """Where one unit's map is above its level (an activation), bool (n, 28, 28).

    Raises `ValueError` for an unknown unit, and for a dense layer, whose units have no place.
    """
    (_, unit), level = check_unit(model, (layer, unit)), real(level, "level")
    maps = Read(reader(model, layer), layer_of(model, layer).rectified)(images)
    if maps.ndim != 4:
        raise ValueError(f"{layer} is a dense layer: its units have no place in the image.")
    up = Upsampling(layer_of(model, layer), maps.shape[2], maps.shape[3])
    return marked(maps[:, unit : unit + 1], np.array([level], np.float32), up)[:, 0]
