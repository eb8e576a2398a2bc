"""Images and labels as people have them, as the tensors that everything here computes with.

What can mean only one thing is taken; for everything else there is one sentence.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from core.text import literal

__all__ = ["images_of", "index_of", "labels_of"]


def images_of(value: Any) -> Tensor:
    """float32 (batch, channels, height, width), on the CPU and without a gradient.

    Taken: floating point numbers of any library and precision. Raises `ValueError` for others, such
    as bytes: their ink may be 255 or 1.
    """
    images = _tensor(value, "images")
    if not images.is_floating_point():
        raise ValueError(
            f"images are {_type(images)}: give floats in 0..1; of whole numbers up to 255, that is "
            "images / 255."
        )
    if images.ndim != 4:
        raise ValueError(
            f"images have the shape {tuple(images.shape)}: give (batch, 1, 28, 28), which "
            "images.reshape(-1, 1, 28, 28) makes of rows of 784 and of squares alike."
        )
    return images.to(torch.float32)


def labels_of(value: Any, classes: int) -> Tensor:
    """int64 (batch,), on the CPU.

    Taken: whole numbers of any library and type, floats without a fraction among them. Raises
    `ValueError` for others, and for a label that isn't one of 0 to `classes` - 1.
    """
    labels = _tensor(value, "labels")
    if labels.ndim != 1:
        raise ValueError(
            f"labels have the shape {tuple(labels.shape)}: give one number an image, (batch,)."
        )
    if labels.dtype == torch.bool or labels.is_complex():
        raise ValueError(f"labels are {_type(labels)}: give whole numbers from 0 to {classes - 1}.")
    exact = labels.double() if labels.is_floating_point() else labels.long()
    wrong = ~((exact >= 0) & (exact < classes) & (exact == exact.floor()))
    if wrong.any():
        at = int(wrong.nonzero()[0])
        raise ValueError(
            f"labels[{at}] is {literal(labels[at].item())}: give whole numbers from 0 to "
            f"{classes - 1}, for {classes} classes."
        )
    return labels.long()


def index_of(value: Any) -> Tensor | slice:
    """A slice as it is; else int64 or bool (n,), on the CPU.

    Raises `ValueError` for what is neither whole numbers nor flags.
    """
    if isinstance(value, slice):
        return value
    index = _tensor(value, "the index")
    if index.dtype == torch.bool:
        return index
    if (index.is_floating_point() and index.numel()) or index.is_complex() or index.ndim != 1:
        raise ValueError(
            f"the index is {_type(index)} of the shape {tuple(index.shape)}: give whole numbers or "
            "flags, (n,), or a slice."
        )
    return index.long()


def _tensor(value: Any, name: str) -> Tensor:
    """`value` as a tensor on the CPU, itself where it is one. Raises `ValueError`."""
    if isinstance(value, Tensor):
        return value.detach().cpu() if value.requires_grad else value.cpu()
    try:
        array = np.asarray(value)
        native = array.astype(array.dtype.newbyteorder("="), copy=not array.flags.writeable)
        return torch.from_numpy(np.ascontiguousarray(native))
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(
            f"{name} are a {type(value).__name__} that holds no numbers: give a tensor or an array."
        ) from error


def _type(values: Tensor) -> str:
    """The type's name, as both torch and NumPy say it."""
    return str(values.dtype).removeprefix("torch.")
