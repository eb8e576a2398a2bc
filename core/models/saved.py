"""A trained model with its history as tensors by name, as the store keeps it, and back."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from core.models.inspectable import Inspectable
from core.models.registry import Given, draw
from core.training import History, Moment

__all__ = ["pack", "unpack"]


def pack(model: Inspectable) -> dict[str, Tensor]:
    """Every tensor of a trained model and of its history, by name.

    weights/NAME: the final parameters. step/N/NAME: those after N batches. loss: (steps,).
    moment/step, moment/accuracy: (moments,). moment/means/LAYER: (moments, units, classes).
    intent/LAYER: (units, classes).
    """
    history: History = model.history
    moments = history.moments
    packed = {f"weights/{name}": value for name, value in model.state_dict().items()}
    for step, weights in history.weights.items():
        packed |= {f"step/{step}/{name}": value for name, value in weights.items()}
    packed["loss"] = torch.tensor(history.loss, dtype=torch.float64)
    packed["moment/step"] = torch.tensor([moment.step for moment in moments])
    packed["moment/accuracy"] = torch.tensor([m.accuracy for m in moments], dtype=torch.float64)
    for layer in model.layers:
        means = np.stack([moment.class_means[layer] for moment in moments])
        packed[f"moment/means/{layer}"] = torch.from_numpy(means)
        packed[f"intent/{layer}"] = torch.from_numpy(history.intent[layer])
    return {name: value.contiguous() for name, value in packed.items()}


def unpack(
    name: str, seed: int, packed: Mapping[str, Tensor], settings: Given = None
) -> Inspectable:
    """The model that `pack` was given, frozen, in eval mode, with its history.

    settings: as in `core.models.registry.check`, of the model that was packed.

    Raises `KeyError` or `RuntimeError` when tensors are missing or have other shapes.
    """
    model = draw(name, seed, settings)
    model.load_state_dict(_under("weights/", packed))
    steps = sorted({int(key.split("/")[1]) for key in packed if key.startswith("step/")})
    model.history = History(
        loss=packed["loss"].tolist(),
        moments=_moments(model, packed),
        weights={step: _under(f"step/{step}/", packed) for step in steps},
        intent={layer: packed[f"intent/{layer}"].numpy() for layer in model.layers},
    )
    return model.eval().requires_grad_(False)


def _moments(model: Inspectable, packed: Mapping[str, Tensor]) -> list[Moment]:
    """The recorded moments, in order."""
    means = {layer: packed[f"moment/means/{layer}"].numpy() for layer in model.layers}
    return [
        Moment(int(step), float(accuracy), {layer: means[layer][at] for layer in means})
        for at, (step, accuracy) in enumerate(
            zip(packed["moment/step"], packed["moment/accuracy"], strict=True)
        )
    ]


def _under(prefix: str, packed: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors whose names begin with `prefix`, without it."""
    return {key[len(prefix) :]: value for key, value in packed.items() if key.startswith(prefix)}
