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
from core.models.settings import DIGITS, DataFormat, Dropout, Sizes, dense, setting, summed

__all__ = [
    "HEADS",
    "PATCH",
    "SIDE",
    "TOKENS",
    "Attended",
    "Attention",
    "AttentionSettings",
    "MultiHead",
    "Trace",
    "attend",
    "patches_of",
    "shuffle_patches",
    "softmax_weights",
]

PATCH = 7  # pixels a side
SIDE = 28 // PATCH  # patches a side
PATCHES = SIDE * SIDE
TOKENS = PATCHES + 1  # the patches, row by row, and the class token
WIDTH, HEADS = 64, 4


@dataclass(frozen=True)
class AttentionSettings(Dropout):
    """Of a network with self-attention.

    heads: of each block. width: numbers of a token. positions: whether tokens tell their place.
    """

    architecture = "attention"
    title = "Self-attention"

    heads: int = setting(
        HEADS, "Heads", low=1, high=16, step=1, help="That attend side by side in each block."
    )
    width: int = setting(
        WIDTH, "Token width", low=8, high=256, step=8, help="Numbers of a token; heads share them."
    )
    positions: bool = setting(
        True,
        "Positions",
        help="Each patch is told its place; without, the network sees a bag of patches.",
    )
    epochs: int = 8
    optimizer: str = "adam"

    @property
    def hidden(self) -> int:
        """Units of each MLP."""
        return 2 * self.width

    def check_together(self) -> None:
        """Raises `ValueError` where heads can't share the width evenly."""
        if self.width % self.heads:
            raise ValueError(
                f"{self.heads} heads can't share a width of {self.width} evenly: choose a multiple "
                f"of {self.heads}."
            )

    def check_for(self, data: DataFormat) -> None:
        """Raises `ValueError` for images of another shape."""
        data.require("attention")
        super().check_for(data)

    def sizes(self, data: DataFormat) -> Sizes:
        """Embedding, class token, positions, two blocks of four maps and an MLP, five norms."""
        width = self.width
        places = width * PATCHES if self.positions else 0
        block = summed(
            *[dense(width, width)] * 4, dense(width, self.hidden), dense(self.hidden, width)
        )
        rest = (0, width + places + 5 * 2 * width)
        return summed(dense(PATCH * PATCH, width), block, block, rest, dense(width, data.classes))

    def describe(self, data: DataFormat = DIGITS) -> tuple[Layer, ...]:
        """Heads and MLP of both blocks, and the logits."""
        return (
            _heads("heads_0", self.heads * TOKENS, _name_of_head),
            Layer("mlp_0", self.hidden, (SIDE, SIDE)),
            _heads("heads_1", self.heads, lambda unit: f"head {unit}, class token"),
            Layer("mlp_1", self.hidden),
            Layer("logits", data.classes, rectified=False),
        )

    def network(self, data: DataFormat = DIGITS) -> Attention:
        """The network."""
        return Attention(self, data)


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

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.out = nn.Linear(width, width)

    def forward(
        self, asking: Tensor, asked: Tensor, seen: Callable[[Tensor], Tensor]
    ) -> tuple[Tensor, Attended]:
        """What is added to the tokens that ask, (batch, queries, width), and how it came about.

        asking: (batch, queries, width). asked: (batch, patches, width). seen: as of `attend`.
        """
        q = self._by_head(self.query(asking))
        k, v = self._by_head(self.key(asked)), self._by_head(self.value(asked))
        kept: list[Tensor] = []

        def used(weights: Tensor) -> Tensor:
            kept.append(seen(weights))
            return kept[0]

        values = attend(q, k, v, used)
        added: Tensor = self.out(values.transpose(1, 2).flatten(2))
        return added, Attended(q, k, v, kept[0], values)

    def _by_head(self, tokens: Tensor) -> Tensor:
        """(batch, heads, tokens, width / heads) of (batch, tokens, width)."""
        split: Tensor = tokens.unflatten(2, (self.heads, -1)).transpose(1, 2)
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
    settings: AttentionSettings

    def __init__(self, settings: AttentionSettings, data: DataFormat = DIGITS) -> None:
        super().__init__()
        self.settings, self.described = settings, settings.describe(data)
        width, heads, hidden = settings.width, settings.heads, settings.hidden
        self.embedding = nn.Linear(PATCH * PATCH, width)
        self.class_token = nn.Parameter(0.02 * torch.randn(width))  # 0.02: Dosovitskiy et al.
        self.position = _positions(width) if settings.positions else None
        self.norm_0, self.norm_1 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention_0, self.attention_1 = MultiHead(width, heads), MultiHead(width, heads)
        self.heads_0, self.heads_1 = Tap(), Tap()
        self.norm_2, self.norm_3 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.into_mlp_0, self.from_mlp_0 = nn.Linear(width, hidden), nn.Linear(hidden, width)
        self.mlp_0 = Tap()
        self.mlp_1, self.from_mlp_1 = nn.Linear(width, hidden), nn.Linear(hidden, width)
        self.norm_4 = nn.LayerNorm(width)
        self.logits = nn.Linear(width, data.classes)

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
            read: Tensor = heads(maps).flatten(2).unflatten(1, (self.settings.heads, -1))
            return read

        return seen

    def _mlp_of_patches(self, patches: Tensor) -> Tensor:
        """What the MLP of block 0 adds to each patch, (batch, patches, width)."""
        maps = self.into_mlp_0(patches).transpose(1, 2).unflatten(2, (SIDE, SIDE))
        added: Tensor = self.from_mlp_0(self.mlp_0(maps).relu().flatten(2).transpose(1, 2))
        return added


def _positions(width: int) -> nn.Parameter:
    """A learned vector for each place, (patches, width), that tells patches apart."""
    return nn.Parameter(0.02 * torch.randn(PATCHES, width))
