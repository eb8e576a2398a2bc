"""Networks like a given one that were never trained: what anything found in it is compared with."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import torch
from torch import nn

from core.models.inspectable import Inspectable
from core.models.registry import MODELS, draw
from core.surroundings import undisturbed

__all__ = ["SEEDS", "redrawn", "untrained_networks"]

SEEDS = range(1_000_000, 1_000_020)  # of networks with which no run begins


def untrained_networks(model: nn.Module, seeds: range = SEEDS) -> Iterator[nn.Module]:
    """A network like `model` for each seed, its weights drawn anew, in eval mode."""
    return (redrawn(model, seed) for seed in seeds)


@undisturbed()
def redrawn(model: nn.Module, seed: int) -> nn.Module:
    """A network like `model` with weights drawn anew from `seed`, in eval mode.

    By the rule that its architecture begins with. Of another's network: by each module's own
    `reset_parameters`, and what no module draws keeps its values in an order drawn anew.
    """
    name = str(getattr(model, "name", ""))
    if isinstance(model, Inspectable) and name in MODELS:
        return draw(name, seed, model.settings, model.reads).eval()
    found = copy.deepcopy(model)
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.default_generator.manual_seed(seed)
        drawn: set[int] = set()
        for module in found.modules():
            own = list(module.parameters(recurse=False))
            if own and callable(reset := getattr(module, "reset_parameters", None)):
                reset()
                drawn |= {id(of) for of in own}
        for weights in found.parameters():
            if id(weights) not in drawn:
                order = torch.randperm(weights.numel(), generator=generator)
                weights.copy_(weights.flatten()[order].view_as(weights))
    return found.eval()
