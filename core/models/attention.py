"""Self-attention over the patches of a digit, and a class token that reads them.

Vaswani et al. (2017, arXiv:1706.03762) on patches, as Dosovitskiy et al. (2021, arXiv:2010.11929).
Layer normalization stands before each step (pre-norm, Xiong et al. 2020, arXiv:2002.04745).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.models.inspectable import Inspectable, Layer, Tap

__all__ = [
    "HEADS",
    "PATCH",
    "SIDE",
    "TOKENS",
    "Attended",
    "Attention",
    "MultiHead",
    "Trace",
    "UnplacedAttention",
    "attend",
    "patches_of",
    "shuffle_patches",
    "softmax_weights",
]

PATCH = 7  # pixels a side
SIDE = 28 // PATCH  # patches a side
PATCHES = SIDE * SIDE
TOKENS = PATCHES + 1  # the patches, row by row, and the class token
WIDTH, HEADS, HIDDEN = 64, 4, 128


def softmax_weights(q: Tensor, k: Tensor) -> Tensor:
    """softmax(QKᵀ / √d), (..., queries, keys): each row sums to 1.

    q: (..., queries, d). k: (..., keys, d). √d is a number of Python, so nothing is left behind
    when a model moves to another device or dtype.
    """
    return (q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])).softmax(-1)


def attend(
    q: Tensor, k: Tensor, v: Tensor, seen: Callable[[Tensor], Tensor] = lambda weights: weights
) -> Tensor:
    """softmax(QKᵀ / √d) V, (..., queries, width of v): for each query a weighted sum of values.

    seen: given the weights (..., queries, keys) on the way; what it gives back is used.
    """
    return seen(softmax_weights(q, k)) @ v


def patches_of(images: Tensor) -> Tensor:
    """(batch, patches, pixels) of images (batch, 1, 28, 28): patches row by row, pixels as well."""
    cut = images[:, 0].unflatten(1, (SIDE, PATCH)).unflatten(3, (SIDE, PATCH))
    patches: Tensor = cut.transpose(2, 3).flatten(3).flatten(1, 2)  # of (batch, row, y, column, x)
    return patches


def shuffle_patches(images: Tensor, order: Sequence[int]) -> Tensor:
    """Images (batch, 1, 28, 28) with patches in another order: place i shows patch order[i]."""
    moved = patches_of(images)[:, list(order)].unflatten(2, (PATCH, PATCH))
    rows = moved.unflatten(1, (SIDE, SIDE)).transpose(2, 3)  # (batch, row, y, column, x)
    shuffled: Tensor = rows.flatten(3).flatten(1, 2)[:, None]
    return shuffled


@dataclass(frozen=True)
class Attended:
    """What happened in all heads of a block.

    q: (batch, heads, queries, d). k, v: (batch, heads, patches, d). weights: (batch, heads,
    queries, patches), as they were used. summed: the weighted values, (batch, heads, queries, d).
    """

    q: Tensor
    k: Tensor
    v: Tensor
    weights: Tensor
    summed: Tensor


@dataclass(frozen=True)
class Trace:
    """All of a forward pass. blocks: both. token: the class token behind them, (batch, width)."""

    blocks: tuple[Attended, Attended]
    token: Tensor
    logits: Tensor


class MultiHead(nn.Module):
    """Heads that attend side by side, each with 1 / heads of the width, and a linear map of all."""

    def __init__(self) -> None:
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(WIDTH, WIDTH) for _ in range(3))
        self.out = nn.Linear(WIDTH, WIDTH)

    def forward(
        self, asking: Tensor, asked: Tensor, seen: Callable[[Tensor], Tensor]
    ) -> tuple[Tensor, Attended]:
        """What is added to the tokens that ask, (batch, queries, width), and how it came about.

        asking: (batch, queries, width). asked: (batch, patches, width). seen: as of `attend`.
        """
        q = _by_head(self.query(asking))
        k, v = _by_head(self.key(asked)), _by_head(self.value(asked))
        kept: list[Tensor] = []

        def used(weights: Tensor) -> Tensor:
            kept.append(seen(weights))
            return kept[0]

        summed = attend(q, k, v, used)
        added: Tensor = self.out(summed.transpose(1, 2).flatten(2))
        return added, Attended(q, k, v, kept[0], summed)


def _by_head(tokens: Tensor) -> Tensor:
    """(batch, heads, tokens, width / heads) of (batch, tokens, width)."""
    split: Tensor = tokens.unflatten(2, (HEADS, -1)).transpose(1, 2)
    return split


def _name_of_head(unit: int) -> str:
    """What a unit of `heads_0` stands for; rows and columns of patches are counted from 0."""
    head, token = divmod(unit, TOKENS)
    asks = "class token" if token == PATCHES else f"patch {token // SIDE},{token % SIDE}"
    return f"head {head}, {asks}"


def _heads(name: str, units: int, named: Callable[[int], str]) -> Layer:
    """The attention weights of a block: a unit is a query, its map the patches asked."""
    read = "attention weight, after the softmax"
    bounds = (0.0, 1.0)
    return Layer(name, units, (SIDE, SIDE), rectified=False, bounds=bounds, read=read, named=named)


class Attention(Inspectable):
    """16 patches of 7x7 pixels -> 64 numbers each -> two blocks of 4 heads -> 10.

        tokens = W patch + b + position, and a learned class token
        block 0: tokens  ← tokens + attention of all tokens to the patches
                 patches ← patches + MLP(patches)
        block 1: class token ← class token + attention of the class token to the patches
                 class token ← class token + MLP(class token)
        logits = W class token + b

    Attention and MLP read the tokens normalized. Only patches are asked: a class token that asks
    itself would only carry on what the sum carries on anyway, and so all weights of a head on an
    image are units, and a head with all of them at 0 adds nothing (no other weight is scaled up for
    it). In block 0 the class token has no MLP, so a unit of `mlp_0` is whole.
    In block 1 nothing reads what the patches would have become.
    """

    name = "attention"
    described = (
        _heads("heads_0", HEADS * TOKENS, _name_of_head),
        Layer("mlp_0", HIDDEN, (SIDE, SIDE)),
        _heads("heads_1", HEADS, lambda unit: f"head {unit}, class token"),
        Layer("mlp_1", HIDDEN),
        Layer("logits", 10, rectified=False),
    )

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Linear(PATCH * PATCH, WIDTH)
        self.class_token = nn.Parameter(0.02 * torch.randn(WIDTH))  # 0.02: Dosovitskiy et al.
        self.position = self.positions()
        self.norm_0, self.norm_1 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.attention_0, self.attention_1 = MultiHead(), MultiHead()
        self.heads_0, self.heads_1 = Tap(), Tap()
        self.norm_2, self.norm_3 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.into_mlp_0, self.from_mlp_0 = nn.Linear(WIDTH, HIDDEN), nn.Linear(HIDDEN, WIDTH)
        self.mlp_0 = Tap()
        self.mlp_1, self.from_mlp_1 = nn.Linear(WIDTH, HIDDEN), nn.Linear(HIDDEN, WIDTH)
        self.norm_4 = nn.LayerNorm(WIDTH)
        self.logits = nn.Linear(WIDTH, 10)

    def positions(self) -> nn.Parameter | None:
        """A learned vector for each place, (patches, width), that tells patches apart."""
        return nn.Parameter(0.02 * torch.randn(PATCHES, WIDTH))

    def embedded(self, images: Tensor) -> Tensor:
        """The patches as tokens, (batch, patches, width)."""
        tokens: Tensor = self.embedding(patches_of(images))
        return tokens if self.position is None else tokens + self.position

    def trace(self, images: Tensor) -> Trace:
        """All that happens on the way to the logits of images (batch, 1, 28, 28)."""
        patches = self.embedded(images)
        token = self.class_token.expand(len(images), 1, -1)
        tokens = torch.cat([patches, token], 1)
        normed = self.norm_0(tokens)
        added, first = self.attention_0(normed, normed[:, :PATCHES], self._seen(self.heads_0))
        tokens = tokens + added
        patches, token = tokens[:, :PATCHES], tokens[:, PATCHES:]
        patches = patches + self._mlp_of_patches(self.norm_1(patches))
        added, last = self.attention_1(
            self.norm_2(token), self.norm_2(patches), self._seen(self.heads_1)
        )
        behind = (token + added)[:, 0]
        behind = behind + self.from_mlp_1(self.mlp_1(self.norm_3(behind)).relu())
        return Trace((first, last), behind, self.logits(self.norm_4(behind)))

    def forward(self, images: Tensor) -> Tensor:
        """Logits (batch, 10)."""
        return self.trace(images).logits

    def _seen(self, heads: nn.Module) -> Callable[[Tensor], Tensor]:
        """Weights (batch, heads, queries, patches) by way of a layer of maps, one a query."""

        def seen(weights: Tensor) -> Tensor:
            maps = weights.flatten(1, 2).unflatten(2, (SIDE, SIDE))
            read: Tensor = heads(maps).flatten(2).unflatten(1, (HEADS, -1))
            return read

        return seen

    def _mlp_of_patches(self, patches: Tensor) -> Tensor:
        """What the MLP of block 0 adds to each patch, (batch, patches, width)."""
        maps = self.into_mlp_0(patches).transpose(1, 2).unflatten(2, (SIDE, SIDE))
        added: Tensor = self.from_mlp_0(self.mlp_0(maps).relu().flatten(2).transpose(1, 2))
        return added


class UnplacedAttention(Attention):
    """The same network without positions: it sees a bag of patches, not where they are."""

    name = "attention_unplaced"

    def positions(self) -> None:
        """None: patches that look alike are alike."""
        return
