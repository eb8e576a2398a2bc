"""What heads look at, what they are for, and how one digit passes through them.

Units are those of `heads_0` and `heads_1` of the model `attention`: a query of a head, whose map is
the weight that it gives to each patch. What is silenced or replaced is edited on the way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from core.activations import collect, layer_of
from core.data import DataSet
from core.interventions.answers import class_changes, correct
from core.interventions.controls import random_units
from core.interventions.donors import shuffled
from core.interventions.edits import Edits, Unit, exchanged, held
from core.models.attention import PATCH, SIDE, TOKENS, Attention, Trace, attend, patches_of
from core.models.inspectable import Inspectable
from core.statistics import entropy as bits_of

__all__ = [
    "BLOCKS",
    "Followed",
    "accuracies",
    "attended_distance",
    "entropy",
    "follow",
    "head_effects",
    "heads_of",
    "interventions",
    "mean_weights",
    "order_gap",
    "random_effects",
    "rollout",
    "units_of",
]

Numbers = NDArray[np.float64]

BLOCKS = ("heads_0", "heads_1")
PATCHES = SIDE * SIDE


def entropy(weights: ArrayLike) -> Numbers:
    """H(A) / ln n over the last axis, of n weights that sum to 1: 0 on one patch, 1 on all alike.

    weights: (..., n), n at least 2.
    """
    found: Numbers = bits_of(weights) / np.log2(np.shape(weights)[-1])
    return found


def attended_distance(weights: ArrayLike, side: int = SIDE, pixels: int = PATCH) -> Numbers:
    """Mean distance in pixels from each patch to what it attends to, (..., patches).

    weights: (..., patches, patches), the queries first; both row by row of side x side patches of
    `pixels` x `pixels`. Distances are between centres (Dosovitskiy et al. 2021, figure 7).
    """
    rows, columns = np.divmod(np.arange(side * side), side)
    apart = pixels * np.hypot(rows[:, None] - rows, columns[:, None] - columns)
    found: Numbers = (np.asarray(weights, dtype=np.float64) * apart).sum(-1)
    return found


def rollout(blocks: Sequence[ArrayLike]) -> Numbers:
    """How much of each token of the input is in each token at the end, (tokens, tokens).

    blocks: for each block, first to last, the weights (heads, tokens, tokens), queries first, rows
    that sum to 1. The mean head and the sum that goes around it count one half each:
    R ← ½ (A + I) R (Abnar & Zuidema 2020, arXiv:2005.00928). It knows no values and no MLP.
    """
    mixed = np.eye(np.asarray(blocks[0]).shape[-1])
    for weights in blocks:
        mean = np.asarray(weights, dtype=np.float64).mean(0)
        mixed = (mean + np.eye(len(mean))) / 2 @ mixed
    return mixed


def mean_weights(model: Inspectable, images: Tensor) -> tuple[list[Numbers], list[Numbers]]:
    """For each block, means over images of the weights and of their entropy.

    Weights (heads, queries, patches); entropy (heads, queries), each image's own before the mean.
    """
    means, spreads, heads = [], [], heads_of(model)
    for layer in BLOCKS:
        weights = collect(model, images, layer).flatten(2).unflatten(1, (heads, -1)).numpy()
        means.append(weights.mean(0, dtype=np.float64))
        spreads.append(entropy(weights).mean(0))
    return means, spreads


def heads_of(model: Inspectable) -> int:
    """How many heads each block has; raises `ValueError` for a network without heads."""
    return layer_of(model, BLOCKS[1]).units


def units_of(model: Inspectable, block: int, head: int) -> list[Unit]:
    """The units of a head: all its queries. Raises `ValueError` where there is no such head."""
    heads = heads_of(model)
    if block not in range(len(BLOCKS)) or head not in range(heads):
        raise ValueError(
            f"block {block}, head {head}: there are blocks 0, 1 and heads 0 to {heads - 1}."
        )
    queries = TOKENS if block == 0 else 1
    return [(BLOCKS[block], head * queries + query) for query in range(queries)]


def head_effects(
    model: Inspectable, digits: DataSet
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Of each head silenced alone: digits lost and digits won, (blocks, heads, classes).

    Lost were right and are wrong without the head; won the other way round.
    """
    shape = len(BLOCKS), heads_of(model)
    heads = (units_of(model, block, head) for block, head in np.ndindex(*shape))
    found = class_changes(model, digits, (held(head, 0.0) for head in heads)).reshaped(*shape)
    return found.lost, found.won


def random_effects(model: Inspectable, digits: DataSet, draws: int, seed: int = 0) -> Numbers:
    """Change in accuracy by class, (draws, heads, classes), of random units of block 0 at 0.

    As many units as a head has, drawn from all other heads: the control of silencing that head. Not
    a number where there is no other head.
    """
    generator, heads = np.random.default_rng(seed), heads_of(model)
    if heads == 1:
        return np.full((draws, 1, len(digits.class_names)), np.nan)
    units = [units_of(model, 0, head) for head in range(heads)]
    drawn = []
    for _, head in np.ndindex(draws, heads):
        others = [unit for other in range(heads) if other != head for unit in units[other]]
        drawn.append(held(random_units(others, TOKENS, generator), 0.0))
    return class_changes(model, digits, drawn).reshaped(draws, heads).change


def interventions(model: Inspectable, blocks: Sequence[int], other: Tensor) -> dict[str, Edits]:
    """By name, what can be done to all weights of some blocks.

    uniform: each patch alike, which is what W_q = 0 and b_q = 0 give. mean: the mean over the
    digits, so that nothing depends on the digit. another digit: the weights that digit `other`,
    int64 (n,), has. silenced: 0.
    """
    heads = [(block, head) for block in blocks for head in range(heads_of(model))]
    units = [unit for block, head in heads for unit in units_of(model, block, head)]
    return {
        "uniform": held(units, 1 / PATCHES),
        "mean": held(units, "mean"),
        "another digit": exchanged(units, other),
        "silenced": held(units, 0.0),
    }


def accuracies(model: Inspectable, digits: DataSet, seed: int = 0) -> dict[str, list[int]]:
    """By intervention, how many digits are right with block 0, block 1 and both so edited.

    "as it is" is the network unedited, three times the same.
    """
    other = shuffled(len(digits), torch.Generator().manual_seed(seed))
    found: dict[str, list[int]] = {"as it is": [int(correct(model, digits).sum())] * 3}
    for blocks in ((0,), (1,), (0, 1)):
        for name, edits in interventions(model, blocks, other).items():
            found.setdefault(name, []).append(int(correct(model, digits, edits).sum()))
    return found


def order_gap(image: Tensor, order: Sequence[int]) -> float:
    """How much bare attention does besides moving with its tokens when they change places.

    The largest |attend(P X) − P attend(X)| for the patches X of an image (1, 1, 28, 28): 0 but for
    rounding, so without positions it can't know where a patch is.
    """
    tokens = patches_of(image)[0]
    moved = tokens[list(order)]
    gap = attend(moved, moved, moved) - attend(tokens, tokens, tokens)[list(order)]
    return float(gap.abs().max())


@dataclass(frozen=True)
class Followed:
    """One image on its way through.

    weights: for each block (heads, queries, patches). scores: QKᵀ / √d, the same shapes. added: the
    same shapes: what each patch adds to the length of the weighted sum, A v · z / |z|; over the
    patches it sums to |z|. summed: z, (heads, queries, d). rolled: the rollout from the class
    token, (tokens,). logits, probabilities: (classes,).
    """

    weights: tuple[Numbers, Numbers]
    scores: tuple[Numbers, Numbers]
    added: tuple[Numbers, Numbers]
    summed: tuple[Numbers, Numbers]
    rolled: Numbers
    logits: Numbers
    probabilities: Numbers


def follow(model: Attention, image: Tensor) -> Followed:
    """What happens to one image, (1, 1, 28, 28)."""
    with torch.no_grad():
        trace = model.trace(image)
    weights = _of_blocks(trace, lambda block: block.weights)
    values = _of_blocks(trace, lambda block: block.v)
    summed = _of_blocks(trace, lambda block: block.summed)
    return Followed(
        weights=weights,
        scores=_of_blocks(trace, lambda block: block.q @ block.k.mT / block.q.shape[-1] ** 0.5),
        added=(_added(weights[0], values[0]), _added(weights[1], values[1])),
        summed=summed,
        rolled=rollout([_square(some) for some in weights])[-1],
        logits=trace.logits[0].double().numpy(),
        probabilities=trace.logits[0].double().softmax(0).numpy(),
    )


def _of_blocks(trace: Trace, what: Callable[..., Tensor]) -> tuple[Numbers, Numbers]:
    """Something of both blocks of one image, without the batch."""
    first, last = (what(block)[0].double().numpy() for block in trace.blocks)
    return first, last


def _added(weights: Numbers, values: Numbers) -> Numbers:
    """(heads, queries, patches): each weighted value along the sum of them all."""
    summed = weights @ values
    length = np.linalg.norm(summed, axis=-1, keepdims=True)
    along = np.divide(summed, length, out=np.zeros_like(summed), where=length > 0)
    added: Numbers = weights * (along @ values.swapaxes(-2, -1))
    return added


def _square(weights: Numbers) -> Numbers:
    """(heads, tokens, tokens) of (heads, queries, patches), for the rollout.

    Nobody asks the class token. In block 1 only the class token asks: the rows of the patches are
    left to themselves, and nothing reads them.
    """
    full = np.tile(np.eye(TOKENS), (len(weights), 1, 1))
    asking = slice(TOKENS - weights.shape[1], None)
    full[:, asking] = 0
    full[:, asking, :PATCHES] = weights
    return full
