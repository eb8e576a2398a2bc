"""The cross-matrix of lesions: silence the units that one task needs most, and judge every task.

The control is as many other units, of like strength (Dobs et al. 2022, Sci. Adv. 8(11) eabl8913).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.architectures.multitask.sharing import Lesions, effects, mean_images, variances
from core.data import DataSet
from core.interventions import controls
from core.models.multitask import ManyHeads

__all__ = ["DRAWS", "Crossed", "crossed", "described", "judged", "matched"]

Numbers = NDArray[np.float64]
Whole = NDArray[np.int64]

DRAWS = 20  # of random units in their place


@dataclass(frozen=True)
class Crossed:
    """What silencing the units that one task needs most does to every task.

    harm, scores: (tasks, tasks), a row for each task whose units are silent. random_harm,
    random_scores: (tasks, draws, tasks), as many other units of like strength instead.
    """

    harm: Numbers
    scores: Numbers
    random_harm: Numbers
    random_scores: Numbers


def crossed(lesions: Lesions, ranked: Numbers, count: int, draws: int, seed: int = 0) -> Crossed:
    """The `count` units of each task's largest harm silenced, and as many others at random.

    ranked: (tasks, units), harm on other digits than those of `lesions`. Raises as `matched`.
    """
    generator = np.random.default_rng(seed)
    strength = strengths(lesions)
    chosen = [np.argsort(-row, kind="stable")[:count] for row in ranked]
    others = [matched(strength, list(units), draws, generator) for units in chosen]
    alone = [lesions.judged(units) for units in chosen]
    random = [controls.of_each_set(lesions.judged, sets)[0] for sets in others]
    return Crossed(
        *(np.stack([one[at] for one in alone]) for at in (0, 1)),
        *(np.stack([[one[at] for one in sets] for sets in random]) for at in (0, 1)),
    )


def strengths(lesions: Lesions) -> Numbers:
    """(units,): mean rectified activation times the norm of the weights that read it."""
    model, layer = lesions.model, lesions.layer
    readers = ["shared_1"] if layer == "shared_0" else [head.layer for head in model.heads]
    return controls.strengths(model, layer, lesions.values, readers)


def matched(
    strength: Numbers, chosen: Sequence[int], draws: int, generator: np.random.Generator
) -> Whole:
    """(draws, chosen): other units, each one of the 20 nearest in log strength to its own.

    Raises `ValueError` when there are fewer others than chosen.
    """
    if len(strength) < 2 * len(chosen):
        raise ValueError(f"{len(chosen)} units are chosen of {len(strength)}: choose at most half.")
    return controls.random_sets(strength, chosen, draws, generator, nearest=controls.NEAREST)


def judged(
    model: ManyHeads, halves: list[DataSet], layer: str, shares: tuple[float, ...], seed: int
) -> dict[str, NDArray[np.float64]]:
    """Lesions of a layer: units ranked on the first half, groups of them judged on the second."""
    first, second = (Lesions(model, half, layer) for half in halves)
    found, units = effects(first, seed), first.values.shape[1]
    taught = found.harm[: len(model.heads)]
    groups = [crossed(second, taught, round(share * units), DRAWS, seed) for share in shares]
    return {
        f"{layer} {name}": np.asarray(values)
        for name, values in {
            "harm": found.harm,
            "raw": found.raw,
            "certain": found.certain,
            "limit": found.limit,
            "crossed harm": np.stack([one.harm for one in groups]),
            "crossed score": np.stack([one.scores for one in groups]),
            "random harm": np.stack([one.random_harm for one in groups]),
            "random score": np.stack([one.random_scores for one in groups]),
        }.items()
    }


def described(
    model: ManyHeads, halves: list[DataSet], layer: str
) -> dict[str, NDArray[np.float64]]:
    """Of each unit of a layer: its harm on the second half, variances, and its mean image."""
    first, second = (Lesions(model, half, layer) for half in halves)
    return {
        f"{layer} again": effects(second).harm,
        f"{layer} variance": variances(first),
        f"{layer} images": mean_images(first),
    }
