"""Digit images with labels: MNIST as it is, or digits drawn with every part known.

Splits, for both sources:

| split | what | for |
| --- | --- | --- |
| train | all training digits | a final model |
| fit | train without its last 10,000 | fitting the models of the dashboard |
| selection | those last 10,000 | choosing labels, thresholds, and epochs |
| test | all test digits | judging a finished model |
| discovery | half of test | choosing units |
| confirmation | the other half | judging what was chosen on discovery |

Discovery and confirmation take turns within each class: the first half of MNIST's test file is
easier than the second, so halves by position would not be alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from core.data import given, mnist
from core.data.strokes import Parts, generate
from core.text import literal

if TYPE_CHECKING:
    from core.data.concepts import Concept

__all__ = ["CLASSES", "SOURCES", "SPLITS", "DataSet", "cut", "load", "members"]

CLASSES = 10
SOURCES = ("mnist", "strokes")
SPLITS = ("train", "fit", "selection", "test", "discovery", "confirmation")
_HELD_BACK = 10_000  # the last training digits, which no model of the dashboard is fitted on
_FILES = {"fit": "train", "selection": "train", "discovery": "test", "confirmation": "test"}
_STROKES = {"train": (40_000, 1), "test": (10_000, 2)}  # how many, and the seed


@dataclass(frozen=True)
class DataSet:
    """Labelled images, which everybody shares and nobody writes to.

    images: float32 (batch, 1, 28, 28) in 0..1, ink is 1. labels: int64 (batch,), 0 to 9. name:
    "mnist", "strokes", or another. parts: what was drawn where, for generated digits. places: int64
    (batch,), each image's place in the original file, from which its name in `ids` is made.

    Images of another floating point type and labels of another type become these, whether they are
    tensors or arrays. Raises `ValueError` with one sentence for what may mean something else, for
    labels that aren't 0 to 9, and for another number of labels than of images.
    """

    images: Tensor = field(repr=False)
    labels: Tensor = field(repr=False)
    name: str
    split: str
    parts: Parts | None = field(default=None, repr=False)
    places: Tensor = field(default=None, repr=False)  # type: ignore[assignment]

    def __post_init__(self) -> None:
        images, labels = given.images_of(self.images), given.labels_of(self.labels, CLASSES)
        if len(images) != len(labels):
            raise ValueError(
                f"there are {len(images)} images and {len(labels)} labels: give one label an image."
            )
        places = torch.arange(len(labels)) if self.places is None else self.places
        if len(places) != len(labels):
            raise ValueError(
                f"there are {len(labels)} images and {len(places)} places: give one place an image."
            )
        for name, value in {"images": images, "labels": labels, "places": places}.items():
            object.__setattr__(self, name, value)  # the class is frozen

    def __len__(self) -> int:
        """How many digits."""
        return len(self.labels)

    def take(self, index: Tensor | slice) -> DataSet:
        """The digits at `index`, whole numbers or bool (n,) or a slice, in its order.

        Raises `ValueError` for an index of another kind.
        """
        which = given.index_of(index)
        chosen = which if isinstance(which, slice) else which.numpy()
        parts = None if self.parts is None else self.parts.take(chosen)
        return replace(
            self,
            images=self.images[which],
            labels=self.labels[which],
            parts=parts,
            places=self.places[which],
        )

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """The one name that each image has everywhere, such as "mnist/test/1234".

        The number is its place in the original file, whatever split it is in here.
        """
        return tuple(f"{self.file}/{place}" for place in self.places.tolist())

    @property
    def file(self) -> str:
        """The original file that the images are from, such as "mnist/test"."""
        return f"{self.name}/{_FILES.get(self.split, self.split)}"

    @property
    def class_names(self) -> tuple[str, ...]:
        """What each label stands for, in order."""
        return tuple(map(str, range(CLASSES)))

    @property
    def concepts(self) -> Mapping[str, Concept]:
        """The concepts that are known of such images, by name; see `core.data.concepts`."""
        from core.data.concepts import CONCEPTS  # which is made of parts of this package

        return CONCEPTS if self.name in SOURCES else {}


def load(name: str, split: str, *, on_progress: Callable[[float], None] | None = None) -> DataSet:
    """The digits of `name` ("mnist" or "strokes") and `split` (see the table above).

    on_progress: called with 0..1 while MNIST is downloaded, which happens once.

    Raises `ValueError` for an unknown source or split, and `mnist.Unavailable` (an `OSError`)
    with one sentence when MNIST can't be had or its files are damaged.
    """
    if name not in SOURCES:
        raise ValueError(
            f"{literal(name)} is not a source of digits: choose {' or '.join(SOURCES)}."
        )
    _check(split)
    whole = "train" if split in ("train", "fit", "selection") else "test"
    digits = _mnist(whole, on_progress) if name == "mnist" else _strokes(whole)
    return cut(digits, split)


def cut(digits: DataSet, split: str) -> DataSet:
    """The digits of `split` out of all training or all test digits, without loading them anew.

    Raises `ValueError` for an unknown split.
    """
    _check(split)
    if split in ("train", "test"):
        return replace(digits, split=split)
    return replace(digits.take(members(split, digits.labels)), split=split)


def members(split: str, labels: Tensor) -> Tensor:
    """Which of all the training or test digits belong to `split`, int64 (n,), in order.

    labels: of all those digits. Raises `ValueError` for an unknown split.
    """
    _check(split)
    if split in ("train", "test"):
        return torch.arange(len(labels))
    if split in ("fit", "selection"):
        border = len(labels) - _HELD_BACK
        return torch.arange(len(labels))[slice(border) if split == "fit" else slice(border, None)]
    turn = np.zeros(len(labels), dtype=np.int64)
    for digit in range(CLASSES):
        of_class = np.flatnonzero(np.asarray(labels) == digit)
        turn[of_class] = np.arange(len(of_class)) % 2
    return torch.from_numpy(np.flatnonzero(turn == SPLITS.index(split) - SPLITS.index("discovery")))


def _check(split: str) -> None:
    """Raise `ValueError` for an unknown split."""
    if split not in SPLITS:
        raise ValueError(f"{literal(split)} is not a split: choose one of {', '.join(SPLITS)}.")


def _mnist(whole: str, on_progress: Callable[[float], None] | None) -> DataSet:
    """MNIST's training or test digits."""
    images, labels = mnist.load(train=whole == "train", on_progress=on_progress)
    return DataSet(images, labels, "mnist", whole)


def _strokes(whole: str) -> DataSet:
    """The generated training or test digits, the same ones every time."""
    n, seed = _STROKES[whole]
    drawn = generate(n, seed=seed)
    images, labels = torch.from_numpy(drawn.images)[:, None], torch.from_numpy(drawn.labels)
    return DataSet(images, labels, "strokes", whole, drawn.parts)
