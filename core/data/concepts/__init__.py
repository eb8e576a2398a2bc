"""What there is to find in a digit, by name: parts, strokes, places, sizes, classes.

Network dissection asks which of these a unit answers to, as it asks Broden of photographs (Bau et
al. 2017, arXiv:1704.05796). Some have a place, a mask of pixels; the others belong to the image as
a whole. Of generated digits the parts are known; of any digits they are measured, see
`core.data.concepts.rules` and, for how well, `core.data.concepts.by_eye`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from core.data.concepts.anatomy import SIZE, Anatomy, blocks, spots
from core.data.concepts.rules import RULES
from core.data.strokes import Parts
from core.data.strokes.glyphs import PARTS
from core.text import literal

__all__ = ["CONCEPTS", "Concept", "Measured", "measure"]

Numbers = NDArray[np.float32]
Flags = NDArray[np.bool_]
Answer = tuple[NDArray[Any], Flags | None]  # scores (n,) and masks (n, 28, 28), if it has a place

_CHUNK = 192  # images measured at once, three machine words' bits of skeletons; some 90 MB
_BINS = 8  # of orientation


@dataclass(frozen=True)
class Concept:
    """Something that a digit can have.

    about: what it is, as a sentence's end. category: what it is compared within: only one concept
    of a category answers a question about the same thing. label: the class it belongs to, if one.
    placed: whether it has a mask. exactness: "pixels" when it follows from the pixels alone,
    "skeleton" when it depends on how a skeleton is made, "rule" when only a person or a generator
    knows for sure. part: the generated part that it is.
    """

    name: str
    about: str
    category: str
    label: int | None = None
    placed: bool = False
    exactness: str = "pixels"
    part: str | None = None
    generated: bool = False
    find: Callable[[Anatomy, NDArray[np.int64]], Answer] | None = field(default=None, repr=False)

    @property
    def text(self) -> str:
        """The name as words: "crossed 7", "strokes at 45°"."""
        if self.category == "orientation":
            return f"strokes at {self.name.removeprefix('orientation-')}°"
        return self.name.replace("-", " ")


@dataclass(frozen=True)
class Measured:
    """Concepts in n digits. scores: float32 (n, concepts) in 0..1, present from 0.5 up.

    packed: uint8 (n, concepts with a place, 98), the bits of their masks; see `masks`.
    """

    names: tuple[str, ...]
    scores: Numbers
    packed: NDArray[np.uint8] = field(repr=False)

    def __len__(self) -> int:
        """How many digits."""
        return len(self.scores)

    @property
    def placed(self) -> tuple[str, ...]:
        """The concepts that have a place, in the order of `packed`."""
        return tuple(name for name in self.names if CONCEPTS[name].placed)

    @property
    def masks(self) -> Flags:
        """Where each concept is, bool (n, concepts, 28, 28); nowhere for one without a place."""
        every = np.zeros((len(self), len(self.names), SIZE, SIZE), bool)
        every[:, [self.names.index(name) for name in self.placed]] = self.placed_masks()
        return every

    def placed_masks(self, rows: slice = slice(None)) -> Flags:
        """Masks of the digits `rows`, bool (n, concepts with a place, 28, 28)."""
        bits = np.unpackbits(self.packed[rows], axis=2, count=SIZE * SIZE)
        return bits.reshape(*bits.shape[:2], SIZE, SIZE).view(bool)

    def present(self) -> Flags:
        """Which digits have which concept, bool (n, concepts)."""
        return self.scores >= 0.5

    def take(self, index: NDArray[Any] | slice) -> Measured:
        """The digits at `index`, in its order."""
        return Measured(self.names, self.scores[index], self.packed[index])

    def only(self, names: Sequence[str]) -> Measured:
        """The concepts `names`, in their order. Raises `ValueError` for one not measured."""
        _check_names(names, self.names)
        columns = [self.names.index(name) for name in names]
        placed = [self.placed.index(name) for name in names if name in self.placed]
        return Measured(tuple(names), self.scores[:, columns], self.packed[:, placed])


def measure(
    images: ArrayLike,
    labels: ArrayLike,
    names: Sequence[str] | None = None,
    *,
    parts: Parts | None = None,
    on_progress: Callable[[float], object] | None = None,
) -> Measured:
    """Which digits have which of the concepts `names` (None: all that can be measured), and where.

    images: (n, 28, 28) or (n, 1, 28, 28) in 0..1. labels: (n,), for concepts of one class. parts:
    of generated digits, which are then taken as known. on_progress: called with 0..1.

    Raises `ValueError` for unknown names, wrong shapes, and parts that only a generator knows.
    """
    given, classes = np.asarray(images, dtype=np.float32), np.asarray(labels)
    if len(given) != len(classes) or not len(given):
        raise ValueError(f"there are {len(given)} images and {len(classes)} labels: give one each.")
    if parts is not None and len(parts) != len(given):
        raise ValueError(
            f"there are {len(given)} images and parts of {len(parts)}: give the same digits' parts."
        )
    wanted = _wanted(names, parts)
    chunks = [slice(at, at + _CHUNK) for at in range(0, len(given), _CHUNK)]
    scores = np.zeros((len(given), len(wanted)), np.float32)
    placed = [name for name in wanted if CONCEPTS[name].placed]
    packed = np.zeros((len(given), len(placed), -(-SIZE * SIZE // 8)), np.uint8)

    def one(chunk: slice) -> None:
        some = None if parts is None else parts.take(chunk)
        scores[chunk], packed[chunk] = _chunk(given[chunk], classes[chunk], wanted, some)

    with ThreadPoolExecutor(2) as pool:
        for done, _ in enumerate(pool.map(one, chunks), start=1):
            if on_progress is not None:
                on_progress(done / len(chunks))
    return Measured(wanted, scores, packed)


def _wanted(names: Sequence[str] | None, parts: Parts | None) -> tuple[str, ...]:
    """The names to measure, or `ValueError`."""
    every = tuple(name for name, of in CONCEPTS.items() if parts is not None or not of.generated)
    if names is None:
        return every
    _check_names(names, tuple(CONCEPTS))
    unknown = [name for name in names if name not in every]
    if unknown:
        raise ValueError(
            f"{literal(unknown[0])} is known of generated digits only: choose one of "
            f"{', '.join(every)}."
        )
    return tuple(names)


def _check_names(names: Sequence[str], known: Sequence[str]) -> None:
    """Raises `ValueError` unless all `names` are known."""
    if isinstance(names, str):
        raise ValueError(f"names is the text {literal(names)}: give a list, such as ['ink'].")
    for name in names:
        if name not in known:
            raise ValueError(f"{literal(name)} is no concept: choose one of {', '.join(known)}.")


def _chunk(
    images: Numbers, labels: NDArray[Any], names: Sequence[str], parts: Parts | None
) -> tuple[Numbers, NDArray[np.uint8]]:
    """Scores and packed masks of a few digits."""
    anatomy = Anatomy(images)
    scores = np.zeros((len(images), len(names)), np.float32)
    placed = [column for column, name in enumerate(names) if CONCEPTS[name].placed]
    masks = np.zeros((len(images), len(placed), SIZE, SIZE), bool)
    of_class_last = sorted(range(len(names)), key=lambda k: CONCEPTS[names[k]].label is not None)
    for column in of_class_last:  # so that they share what was measured of all digits
        score, mask = _answer(CONCEPTS[names[column]], anatomy, labels, parts)
        scores[:, column] = score
        if mask is not None:
            masks[:, placed.index(column)] = mask
    return scores, np.packbits(masks.reshape(*masks.shape[:2], SIZE * SIZE), axis=2)


def _answer(
    concept: Concept, anatomy: Anatomy, labels: NDArray[Any], parts: Parts | None
) -> Answer:
    """Scores and masks of one concept."""
    if parts is not None and concept.part is not None:
        return parts.has(concept.part), parts.masks(concept.part)
    if concept.find is None:
        raise ValueError(f"{literal(concept.name)} can't be measured: leave it out.")
    return concept.find(anatomy, labels)


def _of_class(rule: str, label: int) -> Callable[[Anatomy, NDArray[Any]], Answer]:
    """A rule of `core.data.concepts.rules`, for the digits of one class only."""

    def find(anatomy: Anatomy, labels: NDArray[Any]) -> Answer:
        mine = np.flatnonzero(labels == label)
        scores, masks = np.zeros(len(labels)), np.zeros((len(labels), SIZE, SIZE), bool)
        if len(mine):
            found = RULES[rule](anatomy.take(mine))
            scores[mine], masks[mine] = found.scores, found.masks
        return scores, masks

    return find


def _open(anatomy: Anatomy, labels: NDArray[np.int64]) -> Answer:
    """Fours that aren't closed; without ink there is no four."""
    closed, _ = _of_class("closing", 4)(anatomy, labels)
    return np.where((labels == 4) & (anatomy.area > 0), 1 - closed, 0.0), None


def _from(value: str, least: float, scale: float) -> Callable[[Anatomy, NDArray[Any]], Answer]:
    """Digits whose measurement `value` is above `least`, or below it for a negative `scale`."""

    def find(anatomy: Anatomy, labels: NDArray[Any]) -> Answer:
        return expit((getattr(anatomy, value) - least) / scale), None

    return find


def _count(value: str, low: int, high: int) -> Callable[[Anatomy, NDArray[Any]], Answer]:
    """Digits whose count `value` lies in low..high."""

    def find(anatomy: Anatomy, labels: NDArray[Any]) -> Answer:
        counts = getattr(anatomy, value)
        return (counts >= low) & (counts <= high), None

    return find


def _labelled(classes: Sequence[int]) -> Callable[[Anatomy, NDArray[Any]], Answer]:
    """Digits of some classes."""
    return lambda anatomy, labels: (np.isin(labels, classes), None)


def _where(places: Callable[[Anatomy], Flags]) -> Callable[[Anatomy, NDArray[Any]], Answer]:
    """Pixels of any digit; a digit has the concept where it has such a pixel."""

    def find(anatomy: Anatomy, labels: NDArray[Any]) -> Answer:
        masks = places(anatomy)
        present: Flags = np.any(masks, axis=(1, 2))
        return present, masks

    return find


def _oriented(number: int) -> Callable[[Anatomy, NDArray[Any]], Answer]:
    """Ink whose stroke has one of eight orientations; present where a tenth of the ink has it."""

    def find(anatomy: Anatomy, labels: NDArray[Any]) -> Answer:
        masks = np.equal(np.round(anatomy.orientation * _BINS / np.pi) % _BINS, number)
        share = masks.sum((1, 2)) / np.maximum(anatomy.ink.sum((1, 2)), 1)
        return share / (share + 0.1), masks

    return find


def _upright(anatomy: Anatomy, labels: NDArray[Any]) -> Answer:
    """Digits that lean by less than a tenth of a radian."""
    return expit((0.1 - np.abs(anatomy.slant)) / 0.03), None


def _place(rows: slice, columns: slice, *, inside: bool = True) -> Callable[..., Answer]:
    """Pixels of a rectangle, or of all but it, whatever is written there."""
    mask = np.full((SIZE, SIZE), not inside)
    mask[rows, columns] = inside

    def find(anatomy: Anatomy, labels: NDArray[Any]) -> Answer:
        n = len(labels)
        return np.ones(n), np.broadcast_to(mask, (n, SIZE, SIZE))

    return find


def _parts_of_one_class() -> list[Concept]:
    """The parts that some digits of a class have and others don't."""
    rows = (
        ("crossed-7", "a 7 with a bar through its stem", 7, "crossbar"),
        ("hooked-7", "a 7 whose top bar turns down at its left end", 7, "hook"),
        ("looped-2", "a 2 with a loop at its foot", 2, "loop"),
        ("closed-4", "a 4 whose top is closed", 4, "closing"),
        ("serifed-1", "a 1 with a flag at its top", 1, "serif"),
        ("based-1", "a 1 that stands on a bar", 1, "base"),
    )
    return [
        Concept(name, about, "part", label, True, "rule", part=part, find=_of_class(part, label))
        for name, about, label, part in rows
    ] + [
        Concept("open-4", "a 4 whose top is open", "part", 4, exactness="rule", find=_open),
        Concept("slashed-0", "a 0 with a slash", "part", 0, True, "rule", "slash", True),
    ]


def _drawn_parts() -> list[Concept]:
    """The strokes of generated digits."""
    taken = {concept.part for concept in _parts_of_one_class()}
    return [
        Concept(
            f"part-{part}", f"the {part} as it was drawn", "drawn", None, True, "rule", part, True
        )
        for part in PARTS
        if part not in taken
    ]


def _strokes() -> list[Concept]:
    """Ink, its directions, and what the skeleton does."""
    turns = [
        Concept(
            f"orientation-{int(180 * k / _BINS)}",
            f"strokes at {180 * k / _BINS:g} degrees, counterclockwise from the horizontal",
            "orientation",
            placed=True,
            find=_oriented(k),
        )
        for k in range(_BINS)
    ]
    placed: dict[str, tuple[str, str, Callable[[Anatomy], Flags]]] = {
        "ink": ("anything written", "pixels", lambda a: a.ink),
        "hole": (
            "background that ink encloses",
            "pixels",
            lambda a: blocks(a.hole_pieces > 0, 0.25),
        ),
        "endpoint": ("where a stroke ends", "skeleton", lambda a: spots(a.skeleton.ends)),
        "junction": (
            "where strokes meet or cross",
            "skeleton",
            lambda a: spots(a.skeleton.junctions),
        ),
        "corner": (
            "where a stroke turns by about 70 degrees or more",
            "skeleton",
            lambda a: spots(a.corner_places),
        ),
    }
    return turns + [
        Concept(name, about, "stroke", placed=True, exactness=exact, find=_where(find))
        for name, (about, exact, find) in placed.items()
    ]


def _places() -> list[Concept]:
    """Where in the image, whatever is written: the confound of every other place."""
    every = slice(None)
    third, two = SIZE // 3, 2 * SIZE // 3 + 1
    rows: dict[str, tuple[slice, slice, bool, str]] = {
        "top": (slice(third), every, True, "the upper third of the image"),
        "middle": (slice(third, two), every, True, "the middle third of the rows"),
        "bottom": (slice(two, None), every, True, "the lower third of the image"),
        "left": (every, slice(third), True, "the left third of the image"),
        "middle-columns": (every, slice(third, two), True, "the middle third of the columns"),
        "right": (every, slice(two, None), True, "the right third of the image"),
        "centre": (slice(10, 18), slice(10, 18), True, "the 8 by 8 pixels in the middle"),
        "border": (slice(4, 24), slice(4, 24), False, "the outer 4 pixels"),
    }
    return [
        Concept(name, about, "position", placed=True, find=_place(y, x, inside=inside))
        for name, (y, x, inside, about) in rows.items()
    ]


def _sizes() -> list[Concept]:
    """How a digit is written as a whole: the outer quarters of MNIST's training digits."""
    rows: Mapping[str, tuple[str, str, float, float, str]] = {
        "heavy": ("much ink", "area", 124.0, 6.0, "pixels"),
        "light": ("little ink", "area", 77.0, -6.0, "pixels"),
        "thick": ("a thick pen", "thickness", 2.94, 0.15, "skeleton"),
        "thin": ("a thin pen", "thickness", 2.14, -0.15, "skeleton"),
        "slanted-right": ("leaning to the right", "slant", 0.33, 0.03, "pixels"),
        "slanted-left": ("leaning to the left", "slant", -0.05, -0.03, "pixels"),
        "wide": ("broad", "width", 15.6, 0.4, "pixels"),
        "narrow": ("narrow", "width", 11.1, -0.4, "pixels"),
        "tall": ("as tall as possible", "height", 19.45, 0.2, "pixels"),
        "low": ("less tall", "height", 18.9, -0.2, "pixels"),
        "long": ("a long pen stroke", "length", 48.0, 1.5, "skeleton"),
        "short": ("a short pen stroke", "length", 34.5, -1.5, "skeleton"),
    }
    found = [
        Concept(name, about, value, exactness=exact, find=_from(value, least, scale))
        for name, (about, value, least, scale, exact) in rows.items()
    ]
    return [
        *found,
        Concept("upright", "leaning by less than a tenth of a radian", "slant", find=_upright),
    ]


def _counted() -> list[Concept]:
    """How many holes and pieces."""
    return [
        Concept("no-hole", "no enclosed background", "holes", find=_count("holes", 0, 0)),
        Concept(
            "one-hole", "one piece of enclosed background", "holes", find=_count("holes", 1, 1)
        ),
        Concept(
            "two-holes",
            "two or more pieces of enclosed background",
            "holes",
            find=_count("holes", 2, 99),
        ),
        Concept(
            "broken", "the ink is in two or more pieces", "pieces", find=_count("components", 2, 99)
        ),
    ]


def _classes() -> list[Concept]:
    """The digit itself."""
    single = [
        Concept(f"class-{digit}", f"a {digit}", "class", digit, find=_labelled([digit]))
        for digit in range(10)
    ]
    return [
        *single,
        Concept("even", "0, 2, 4, 6 or 8", "parity", find=_labelled(range(0, 10, 2))),
        Concept("five-or-more", "5 to 9", "half", find=_labelled(range(5, 10))),
    ]


CONCEPTS: dict[str, Concept] = {
    concept.name: concept
    for group in (
        _parts_of_one_class,
        _strokes,
        _places,
        _counted,
        _sizes,
        _classes,
        _drawn_parts,
    )
    for concept in group()
}
