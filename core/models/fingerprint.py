"""A hash of a network's weights, by which two networks are known to be the same."""

from __future__ import annotations

import hashlib

import torch
from torch import nn

__all__ = ["weights_hash"]


def weights_hash(model: nn.Module) -> str:
    """SHA-256 of every parameter's and buffer's name, type, shape and bytes, 16 hex digits."""
    digest = hashlib.sha256()
    for name, value in sorted(model.state_dict().items()):
        digest.update(f"{name} {value.dtype} {tuple(value.shape)};".encode())
        flat = value.detach().cpu().contiguous().reshape(-1)  # as bytes, for NumPy has no bfloat16
        digest.update(flat.view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()[:16]
