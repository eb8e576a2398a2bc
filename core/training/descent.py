"""What a step of gradient descent is made of, beside the loss: optimizer, L1, and sparsity."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from core.models.settings import Descent

__all__ = ["keep_largest", "l1_norm", "optimizer_of"]


def optimizer_of(settings: Descent, weights: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    """The optimizer that the settings name.

    Adadelta (Zeiler 2012, arXiv:1212.5701) leaves no unit dead, where AdamW at rates that learn as
    fast leaves a sixth of LeNet-5's. Adam: Kingma & Ba 2015, arXiv:1412.6980.
    """
    rate, decay = settings.rate, settings.weight_decay
    if settings.optimizer == "adadelta":
        return torch.optim.Adadelta(weights, rate, rho=0.95, weight_decay=decay)
    if settings.optimizer == "adam":
        return torch.optim.Adam(weights, rate, weight_decay=decay)
    return torch.optim.SGD(weights, rate, momentum=0.9, weight_decay=decay)


def l1_norm(weights: Sequence[Tensor]) -> Tensor:
    """Σ |w| over all weights."""
    return torch.stack([value.abs().sum() for value in weights]).sum()


def keep_largest(weights: Sequence[Tensor], k: int) -> None:
    """Set all weights to zero but the `k` of largest magnitude, all tensors taken together.

    Of equal magnitudes some are kept, so that never more than k are left.
    """
    sizes = torch.cat([value.detach().abs().flatten() for value in weights])
    kept = torch.zeros_like(sizes)
    kept[sizes.topk(k).indices] = 1
    parts = kept.split([value.numel() for value in weights])
    with torch.no_grad():
        for value, part in zip(weights, parts, strict=True):
            value.mul_(part.view_as(value))
