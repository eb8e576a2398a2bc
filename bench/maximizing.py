"""Maximized inputs of a whole layer, against the course's loop and against a bare batched one."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import max_pool2d, relu

from bench.ratio import Row, ratio
from core.analyses.maximize import maximize
from core.models.inspectable import Inspectable
from core.models.registry import build

_LEAST = 15.0
_MOST = 1.15
_LAYER, _STEPS = "linear_0", 100
_TIMED = 6  # units that the course's loop is timed on


def measure(rounds: int) -> list[Row]:
    """The ratios for the 120 units of LeNet-5's linear_0, 100 steps each."""
    model = build("lenet5").eval().requires_grad_(False)
    size = model.get_submodule(_LAYER).out_features
    units = [(_LAYER, index) for index in range(size)]

    def ours() -> None:
        maximize(model, units, steps=_STEPS, parameterization="pixel", budget="box", jitter=0)

    faster = size / _TIMED * ratio(lambda: _one_at_a_time(model, _TIMED), ours, rounds)
    slower = ratio(ours, lambda: _bare(model, size), rounds)
    course = f"maximizing all units, course loop (of {_TIMED} units, x {size // _TIMED}) / ours"
    return [
        Row(course, faster, f"at least {_LEAST:.0f}", faster >= _LEAST),
        Row(
            "maximizing all units / bare batched loop", slower, f"at most {_MOST}", slower <= _MOST
        ),
    ]


def _read(model: Inspectable, images: Tensor) -> Tensor:
    """linear_0, by calling the modules."""
    maps = max_pool2d(relu(model.conv_0(images)), 2)
    maps = max_pool2d(relu(model.conv_1(maps)), 2)
    activations: Tensor = model.linear_0(maps.flatten(1))
    return activations


def _one_at_a_time(model: Inspectable, units: int) -> None:
    """The course's loop: unit after unit, in an unbounded image."""
    for unit in range(units):
        image = torch.randn(1, 1, 28, 28, requires_grad=True)
        optimizer = torch.optim.Adam([image], lr=0.1)
        for _ in range(_STEPS):
            optimizer.zero_grad()
            (-_read(model, image)[0, unit]).backward()
            optimizer.step()


def _bare(model: Inspectable, units: int) -> None:
    """The least that must be computed: all units at once, and nothing looked at on the way."""
    own = torch.arange(units)
    latents = torch.randn(units, 1, 28, 28, requires_grad=True)
    optimizer = torch.optim.Adam([latents], lr=0.1)
    for _ in range(_STEPS):
        optimizer.zero_grad()
        (-_read(model, latents.sigmoid())[own, own].sum()).backward()
        optimizer.step()
