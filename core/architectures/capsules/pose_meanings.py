"""What the capsules' dimensions draw when shifted, and what they go along with."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from torch import Tensor

from core.activations import collect
from core.architectures.capsules import poses as posing
from core.architectures.capsules.trace import placed
from core.data import CLASSES, DataSet
from core.models.capsules import POSE, Capsules
from core.models.inspectable import Inspectable

__all__ = ["DRAWN", "PoseMeanings", "read_of", "shifted"]

Numbers = NDArray[np.float64]

DRAWN = 6  # digits of each class and half whose capsules are shifted: 65 decoded digits each


@dataclass(frozen=True)
class PoseMeanings:
    """What the dimensions of each class's capsule draw and go along with.

    effect, monotony: (halves, axes, classes, 16, properties), axes: the capsule's own and random
    ones; null: (halves, axes, classes). along: (halves, networks, classes, 16, properties),
    networks: trained and untrained; along_null: (halves, networks, classes). See
    `core.architectures.capsules.poses`.
    """

    effect: Numbers
    monotony: Numbers
    null: Numbers
    along: Numbers
    along_null: Numbers

    def dimensions(self, label: int) -> pd.DataFrame:
        """A row for each dimension of a class's capsule: the property that it changes most.

        The property is chosen on the discovery half, the numbers are of the confirmation half.
        draws: whether |monotony| is above its null; reads: the same of the correlation.
        """
        chosen = np.abs(self.effect[0, 0, label]).argmax(1)
        at = (np.arange(POSE), chosen)
        monotony, along = self.monotony[1, 0, label][at], self.along[1, 0, label][at]
        table = pd.DataFrame(
            {
                "dimension": np.arange(POSE),
                "property": [posing.PROPERTIES[p] for p in chosen],
                "effect": self.effect[1, 0, label][at],
                "monotony": monotony,
                "purity": posing.purity(self.effect[1, 0, label]),
                "along": along,
                "draws": np.abs(monotony) > self.null[1, 0, label],
                "reads": np.abs(along) > self.along_null[1, 0, label],
            }
        )
        return table.sort_values("effect", key=np.abs, ascending=False, ignore_index=True)

    def properties(self) -> pd.DataFrame:
        """A row for each class and property: the dimension that draws it most, and its controls.

        The dimension, the random axis and the untrained dimension are chosen on the discovery half.
        """
        each = itertools.product(range(CLASSES), range(len(posing.PROPERTIES)))
        return pd.DataFrame([self._property(label, at) for label, at in each])

    def summary(self) -> pd.DataFrame:
        """A row for each property: in how many of the classes `properties` is beyond its controls.

        steady: |monotony| above shuffled shifts; above random: |effect| above the random axis's;
        read: |best along| above permuted digits; above untrained: above the untrained network's;
        same: the dimension that draws most and the one read most are the same unit, and the signs
        of its effect and its correlation are too.
        """
        table = self.properties()
        size = table[["effect", "monotony", "best along"]].abs()
        sign = np.sign(table["effect"]) == np.sign(table["along"])
        counted = pd.DataFrame(
            {
                "steady": size["monotony"] > table["null"],
                "above random": size["effect"] > table["random axis"],
                "read": size["best along"] > table["along null"],
                "above untrained": size["best along"] > table["untrained"],
                "same": sign & (table["dimension"] == table["best read"]),
            }
        )
        counts = counted.groupby(table["property"], sort=False).sum().reset_index()
        return counts.assign(classes=CLASSES)

    def _property(self, label: int, at: int) -> dict[str, object]:
        """A row of `properties`."""
        effects = self.effect[:, :, label, :, at]
        best, other = np.abs(effects[0]).argmax(1)
        along = self.along[:, :, label, :, at]
        read, raw = np.abs(along[0]).argmax(1)
        return {
            "class": label,
            "property": posing.PROPERTIES[at],
            "dimension": int(best),
            "effect": effects[1, 0, best],
            "random axis": abs(effects[1, 1, other]),
            "monotony": self.monotony[1, 0, label, best, at],
            "null": self.null[1, 0, label],
            "along": along[1, 0, best],
            "best read": int(read),
            "best along": along[1, 0, read],
            "along null": self.along_null[1, 0, label],
            "untrained": abs(along[1, 1, raw]),
        }

    def purities(self) -> tuple[float, float]:
        """Median purity of the capsules' own axes and of random ones, confirmation half."""
        own, random = np.median(posing.purity(self.effect[1]), axis=(1, 2))
        return float(own), float(random)


def shifted(model: Capsules, own: DataSet, spread: Numbers, seed: int) -> dict[str, Numbers]:
    """Digits of a class decoded from shifted capsules: (axes, ...), the capsule's own ones first.

    The random axes are the same for both halves.
    """
    label = int(own.labels[0])
    poses = _of_class(collect(model, own.images[:DRAWN], "pose"), label)
    directions = (np.eye(POSE), posing.random_axes(POSE, np.random.default_rng([seed, label])))
    decode, generator = partial(_decoded, model, label), np.random.default_rng(seed)
    found = [posing.drawn(decode, poses, spread, each, generator) for each in directions]
    return {
        "effect": np.stack([of.effect for of in found]),
        "monotony": np.stack([of.monotony for of in found]),
        "null": np.array([of.null for of in found]),
    }


def read_of(
    networks: Sequence[Inspectable], own: DataSet, values: Numbers, seed: int
) -> dict[str, Numbers]:
    """How the capsules of a class go along with measured properties: (networks, ...)."""
    label, generator = int(own.labels[0]), np.random.default_rng(seed)
    poses = [_of_class(collect(each, own.images, "pose"), label) for each in networks]
    found = [posing.going_along(each, values, generator) for each in poses]
    return {
        "along": np.stack([of for of, _ in found]),
        "along_null": np.array([null for _, null in found]),
    }


def _decoded(model: Capsules, label: int, poses: Tensor) -> Tensor:
    """Digits (n, 1, 28, 28) of capsules (n, 16) of a class."""
    return model.decode(*placed(poses, label))


def _of_class(poses: Tensor, label: int) -> Numbers:
    """(n, 16) of the layer `pose`, (n, 160)."""
    return poses[:, label * POSE : (label + 1) * POSE].double().numpy()
