"""The same digit with and without a part, and what that does to each unit.

Nothing else differs between the two, so the paired difference of a unit's activation is what the
part itself does to it: the strongest evidence for a concept, free of who wrote the digit and of its
class. Pairs are drawn, or made of real sevens whose crossbar is pasted on or erased.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import t as student
from torch import Tensor, nn

from core.activations import peaks
from core.arguments import seeded, whole
from core.data import DataSet
from core.data.concepts import Measured
from core.data.concepts.crossbars import erase, paste
from core.data.strokes import OPTIONAL, draw, parts_of
from core.surroundings import undisturbed
from core.text import literal

__all__ = [
    "REAL_BARS",
    "Differences",
    "Pairs",
    "differences",
    "drawn_pairs",
    "pairs_of",
    "real_bars",
]

REAL_BARS = "crossbar, real digits"

Numbers = NDArray[np.float64]

FLIPS = 2000  # of signs, in the test


@dataclass(frozen=True)
class Pairs:
    """Digits with a part and the same without it, each (n, 1, 28, 28) in 0..1.

    made: how, for captions. masks: bool (n, 28, 28), the pixels that differ.
    """

    part: str
    made: str
    present: Tensor
    absent: Tensor

    def __len__(self) -> int:
        """How many pairs."""
        return len(self.present)

    @property
    def masks(self) -> NDArray[np.bool_]:
        """The pixels that differ."""
        changed: NDArray[np.bool_] = (self.present != self.absent)[:, 0].numpy()
        return changed


@dataclass(frozen=True)
class Differences:
    """Activation with the part less activation without it, for each unit, (units,).

    low, high: 95 % interval of the mean (Student's t over pairs). p_value: two-sided sign-flip
    test. scale: the standard deviation of the unit's activation without the part, to compare with.
    """

    mean: Numbers
    low: Numbers
    high: Numbers
    p_value: Numbers
    scale: Numbers
    n: int


@undisturbed()
def drawn_pairs(part: str, n: int = 200, *, seed: int = 0) -> Pairs:
    """`n` digits drawn with and without `part`.

    Raises `ValueError` for a part that isn't optional, fewer than one digit, and a seed that is
    none.
    """
    n, seed = whole(n, "n", 1), seeded(seed)
    owners = [digit for digit in range(10) if part in parts_of(digit)]
    if part not in OPTIONAL or not owners:
        raise ValueError(f"{literal(part)} can't be left out: choose one of {', '.join(OPTIONAL)}.")
    drawn = 2 * n  # more than asked for: a part that runs off the image makes no fair pair
    both = [
        draw([owners[0]] * drawn, seed=seed, with_parts={part: there}) for there in (True, False)
    ]
    inside = ~_at_border(both[0].images != both[1].images)
    present, absent = (torch.from_numpy(each.images[inside][:n])[:, None] for each in both)
    return Pairs(part, f"{len(present)} drawn digits", present, absent)


def _at_border(masks: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which masks (n, height, width) touch the border of the image."""
    border = masks.copy()
    border[:, 1:-1, 1:-1] = False
    found: NDArray[np.bool_] = np.asarray(border.any((1, 2)))
    return found


def real_bars(digits: DataSet, crossed: NDArray[np.bool_], *, seed: int = 0) -> Pairs:
    """Real sevens with and without a crossbar: pasted on plain ones, erased from crossed ones.

    crossed: (n,), which of `digits` have one; of other classes it is not asked. Raises `ValueError`
    for a seed that is none.
    """
    seed = seeded(seed)
    sevens = (digits.labels == 7).numpy()
    images = digits.images[:, 0].numpy()
    plain, barred = images[sevens & ~crossed], images[sevens & crossed]
    added, removed = paste(plain, seed=seed), erase(barred)
    present = np.concatenate([added.images[added.edited], barred[removed.edited]])
    absent = np.concatenate([plain[added.edited], removed.images[removed.edited]])
    made = (
        f"{added.edited.sum()} sevens with a bar pasted on, {removed.edited.sum()} with it erased"
    )
    return Pairs(
        "crossbar", made, torch.from_numpy(present)[:, None], torch.from_numpy(absent)[:, None]
    )


@undisturbed()
def differences(model: nn.Module, pairs: Pairs, layer: str, *, seed: int = 0) -> Differences:
    """What the part does to each unit of `layer`, as its ReLU passes it on; of a map its maximum.

    Raises `ValueError` for an unknown layer, fewer than two pairs, and a seed that is none.
    """
    seed = seeded(seed)
    if len(pairs) < 2:
        raise ValueError(f"{len(pairs)} pair is too few to tell a difference: give two at least.")
    present, absent = (
        peaks(model, images, layer).astype(np.float64) for images in (pairs.present, pairs.absent)
    )
    return _compared(present - absent, absent, seed)


def _compared(changes: Numbers, absent: Numbers, seed: int) -> Differences:
    """The differences of paired changes (n, units)."""
    n = len(changes)
    mean = changes.mean(0)
    half = student.ppf(0.975, n - 1) * changes.std(0, ddof=1) / np.sqrt(n)
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], (FLIPS, n))
    flipped = np.abs(signs @ changes / n)
    reached = (flipped >= np.abs(mean) - 1e-12).sum(0)
    p_value = (1 + reached) / (1 + FLIPS)
    return Differences(mean, mean - half, mean + half, p_value, absent.std(0), n)


def pairs_of(digits: DataSet, measured: Measured, part: str) -> dict[str, Pairs]:
    """Digits with and without an optional part, by name: drawn ones, and real sevens with a bar."""
    pairs = {part: drawn_pairs(part)}
    if part == "crossbar" and "crossed-7" in measured.names and digits.name == "mnist":
        crossed = measured.only(["crossed-7"]).present()[:, 0]
        pairs[REAL_BARS] = real_bars(digits, crossed)
    return pairs
