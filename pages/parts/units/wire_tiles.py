"""The pictures of a unit's wires: of units at their other ends, and of the weights between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core import pictures
from core.activations import layer_of
from core.analyses.profiles.task import Study
from core.analyses.wiring import Contributions, Wiring, contributions, weight_pictures
from core.analyses.wiring.ends import Ends, image_parts, inputs, outputs
from core.data import DataSet
from core.runtime.drawings import DRAWINGS, drawn_once
from core.units import UnitId
from core.wires import IMAGE
from pages.kit.gallery import gallery
from pages.kit.grid import Grid

__all__ = ["Row", "Wired", "mean_tiles", "pixels", "row"]

Weights = NDArray[np.float32]

SHOWN = 12  # units of a row
_SIDE = 56  # pixels of a picture in a tile
_LARGE = 3 * _SIDE  # of a picture of weights that read the image
_BAR, _GAP = 6, 4


@dataclass(frozen=True)
class Wired:
    """Whose wires are shown. digit: its number in the confirmation half; None: on average."""

    study: Study
    wiring: Wiring
    digits: DataSet
    layer: str
    index: int
    digit: int | None

    @property
    def unit(self) -> UnitId:
        """The unit's name."""
        return UnitId(self.study.run.architecture, self.layer, self.index)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of an image: channels, height, width."""
        channels, height, width = self.digits.images.shape[1:]
        return (channels, height, width)

    def on_digit(self, layer: str) -> Contributions | None:
        """The contributions to a layer for the digit; None on average, and where it has none."""
        wires = self.wiring.layers[layer].wires
        if self.digit is None or wires.missing:
            return None
        image = self.digits.images[self.digit : self.digit + 1]
        return DRAWINGS.get(contributions, self.study.model, wires, image)

    def ends(self, above: bool) -> Ends:
        """The units above, or below."""
        if not above:
            return inputs(self.wiring, self.layer, self.index, self.on_digit(self.layer))
        found = {reader: self.on_digit(reader) for reader in self.wiring.readers(self.layer)}
        known = {reader: of for reader, of in found.items() if of is not None}
        return outputs(self.wiring, self.layer, self.index, known or None)


@dataclass(frozen=True)
class Row:
    """The strongest units of `every`, what flows by them and by all, and their pictures.

    weights: whether the pictures show weights too.
    """

    units: tuple[UnitId, ...]
    shown: float
    total: float
    every: int
    grid: Grid | None
    weights: bool


@drawn_once
def row(
    study: Study,
    wiring: Wiring,
    digits: DataSet,
    layer: str,
    index: int,
    digit: int | None,
    above: bool,
) -> Row:
    """The strongest units above a unit, or below it. digit: as of `Wired`."""
    of = Wired(study, wiring, digits, layer, index, digit)
    every = of.ends(above)
    top = every.strongest(SHOWN)
    units = top.units(study.run.architecture)
    drawn = [_weights(of, unit, above) for unit in units]
    weights = [each for each in drawn if each is not None]
    if len(weights) < len(units):
        weights = []
    grid = _tiles(study, units, top.value.tolist(), weights) if units else None
    return Row(units, top.total, every.total, len(every), grid, bool(weights))


def _tiles(
    study: Study, units: Sequence[UnitId], values: Sequence[float], weights: Sequence[Weights]
) -> Grid:
    """A tile for each unit: its weights if there are any, its mean digit, and its bar."""
    tiles = mean_tiles(study, units)
    if weights:
        limit = max(float(np.abs(each).max()) for each in weights) or 1.0
        small = [pictures.sized(pictures.signed(each[None], limit), _SIDE) for each in weights]
        tiles = pictures.beside(np.concatenate(small), tiles, _GAP)
    several = len({unit.layer for unit in units}) > 1
    both = list(zip(units, values, strict=True))
    return gallery(
        pictures.barred(tiles, values, max(map(abs, values)) or 1.0, _BAR),
        [f"{unit}{_stands_for(study, unit)}: contribution {value:+.3f}" for unit, value in both],
        [
            f"{unit.layer + '/' if several else ''}{unit.index} · {value:+.2f}"
            for unit, value in both
        ],
    )


def mean_tiles(study: Study, units: Sequence[UnitId]) -> pictures.Bytes:
    """Each unit's mean digit, weighted by its activation."""
    means = np.stack([study.profiles[of.layer].mean_images[of.index, -1] for of in units])
    return pictures.sized(pictures.stretched(means), _SIDE)


def _stands_for(study: Study, unit: UnitId) -> str:
    """What the unit's index stands for, if anything."""
    named = layer_of(study.model, unit.layer).named
    return f" ({named(unit.index)})" if named else ""


def _weights(of: Wired, unit: UnitId, above: bool) -> Weights | None:
    """The weights between the unit of the page and another one, as they lie."""
    reader, read = (unit, of.unit) if above else (of.unit, unit)
    wires = of.wiring.layers[reader.layer].wires
    drawn = weight_pictures(of.study.model, wires, reader.index, read.layer, of.shape)
    return None if drawn is None else drawn[read.index]


@drawn_once
def pixels(
    study: Study, wiring: Wiring, digits: DataSet, layer: str, index: int, digit: int | None
) -> Grid:
    """The weights by which a unit reads the image, what each pixel gives, and the digit if any."""
    of = Wired(study, wiring, digits, layer, index, digit)
    drawn: dict[str, Weights] = {}
    weights = weight_pictures(study.model, wiring.layers[layer].wires, index, IMAGE, of.shape)
    if weights is not None:
        drawn["weights"] = weights
    if weights is not None and weights.shape == of.shape:
        parts = image_parts(wiring, layer, index, of.on_digit(layer))
        given = np.zeros(weights.size, np.float32)
        given[: len(parts)] = parts
        drawn["weight × pixel"] = given.reshape(of.shape)
    limits = {name: float(np.abs(each).max()) or 1.0 for name, each in drawn.items()}
    tiles = [
        pictures.sized(pictures.signed(each, limits[name]), _LARGE) for name, each in drawn.items()
    ]
    names = [f"{name}, ±{limits[name]:.2g}" for name, each in drawn.items() for _ in each]
    if digit is not None:
        tiles.append(pictures.sized(pictures.ink(digits.images[digit].numpy()), _LARGE))
        names += [digits.ids[digit]] * of.shape[0]
    return gallery(np.concatenate(tiles), names, names)
