"""Max pooling: torch's values and gradients, also where several pixels are equally high."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn.functional import max_pool2d

from core.models.pooling import pooled


def with_gradient(pool: object, maps: Tensor) -> tuple[Tensor, Tensor]:
    """What is pooled, and the gradient of a weighted sum of it."""
    given = maps.clone().requires_grad_()
    highest = pool(given)  # type: ignore[operator]
    weights = torch.randn(highest.shape, generator=torch.Generator().manual_seed(1))
    (highest * weights).sum().backward()
    assert given.grad is not None
    return highest.detach(), given.grad


@pytest.mark.parametrize("shape", [(3, 2, 4, 4), (2, 3, 12, 8), (1, 1, 7, 5), (5, 4, 3, 2)])
@pytest.mark.parametrize("kind", ["distinct", "ties", "paper"])
def test_it_is_torchs_to_the_bit(shape: tuple[int, ...], kind: str) -> None:
    maps = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    maps = {"distinct": maps, "ties": maps.round().relu(), "paper": torch.full(shape, 0.3)}[kind]
    for given in (maps, maps.contiguous(memory_format=torch.channels_last)):
        values, gradient = with_gradient(pooled, given)
        expected, right = with_gradient(lambda of: max_pool2d(of, 2), given)
        assert torch.equal(values, expected)
        assert torch.equal(gradient, right)


def test_it_can_be_told_without_gradients() -> None:
    maps = torch.arange(16.0).view(1, 1, 4, 4)
    with torch.no_grad():
        assert pooled(maps).tolist() == [[[[5, 7], [13, 15]]]]
