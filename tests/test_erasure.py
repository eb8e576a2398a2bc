"""A direction erased from what the next layer reads: planted answers, and who can't be asked."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from core.claims.erasure import WAYS, ErasedDirection, erasable, erased_direction
from core.claims.findings import NOT_SUPPORTED, SUPPORTED
from core.claims.trial import Half
from core.data import DataSet
from core.interventions.erasing import leace, leace_of_each
from core.models.inspectable import Inspectable, Layer, Stages
from tests.networks import built


class TwoWays(Inspectable):
    """Reads two numbers off the image, ink at the left and at the right, and decides by one.

    hidden: left, right, and six that say nothing. The answer, 7 or 0, is by `used` of the first
    two.
    """

    described = (Layer("hidden", 8), Layer("out", 10, rectified=False))

    def __init__(self, used: tuple[float, float]) -> None:
        super().__init__()
        self.hidden, self.out = nn.Linear(784, 8), nn.Linear(8, 10)
        with torch.no_grad():
            for weights in (self.hidden.weight, self.hidden.bias, self.out.weight, self.out.bias):
                weights.zero_()
            self.hidden.weight[0, 0], self.hidden.weight[1, 27] = 1, 1
            self.hidden.weight[2:, 100:106] = torch.eye(6)
            self.out.weight[7, :2] = torch.tensor(used) * 20
            self.out.bias[0] = 20 * sum(used) * 0.5

    def stages(self) -> Stages:
        """From image to logits."""
        return {
            "hidden": lambda images: self.hidden(images.flatten(1)),
            "out": lambda hidden: self.out(hidden.relu()),
        }

    def forward(self, images: Tensor) -> Tensor:
        """Logits."""
        logits: Tensor = self.out(self.hidden(images.flatten(1)).relu())
        return logits


def half(seed: int, n: int = 400) -> Half:
    """Sevens, with ink at the left, and zeros, without; and noise elsewhere."""
    random = np.random.default_rng(seed)
    seven = np.arange(n) % 2 == 0
    images = random.random((n, 1, 28, 28), dtype=np.float32) * 0.4
    images[:, 0, 0, 0] = np.where(seven, 0.9, 0.1) + random.normal(0, 0.05, n)
    digits = DataSet(torch.from_numpy(images), torch.from_numpy(seven * 7), "own", "test")
    return Half(digits, seven)


def erased(model: nn.Module) -> ErasedDirection:
    both = half(0), half(1)
    groups: dict[str, NDArray[np.bool_]] = {
        "class-7": both[1].present,
        "all other digits": ~both[1].present,
    }
    return erased_direction(model, "hidden", both, groups)


def test_a_direction_that_is_used_is_necessary() -> None:
    found = erased(TwoWays((1.0, 0.0)))
    assert found.layer == "out"
    assert found.finding.verdict == SUPPORTED
    assert found.finding.value is not None
    assert found.finding.value > 0.3
    assert tuple(found.ways) == WAYS
    assert found.before > 0.99
    assert found.inside == pytest.approx(1, abs=0.02)


def test_a_direction_that_nothing_reads_costs_nothing_though_it_is_told() -> None:
    found = erased(TwoWays((0.0, 1.0)))
    assert found.before > 0.99
    assert found.finding.verdict == NOT_SUPPORTED
    assert found.inside < 0.05
    used = erased(TwoWays((1.0, 0.0)))
    assert abs(loss(found, "LEACE")) < loss(used, "LEACE") / 5


def loss(found: ErasedDirection, way: str) -> float:
    """Of log-likelihood, on the sevens."""
    return next(of.change for of in found.ways[way].changes if of.measure == "nll")


def test_after_erasing_no_new_direction_tells_the_concept() -> None:
    found = erased(TwoWays((1.0, 0.0)))
    assert found.ways["LEACE"].probe == 0.5 < found.before


def test_controls_are_the_concept_shuffled() -> None:
    found = erased(TwoWays((1.0, 0.0)))
    assert len(found.controls) == 200
    assert np.median(found.controls.effects) < found.controls.own / 10
    assert found.controls.p_value == pytest.approx(1 / 201)


def test_each_of_several_concepts_is_erased_as_it_is_alone() -> None:
    random = np.random.default_rng(0)
    values, present = random.standard_normal((60, 4)), random.random((3, 60)) < 0.4
    for found, one in zip(leace_of_each(values, present), present, strict=True):
        np.testing.assert_allclose(found(values), leace(values, one)(values), atol=1e-9)


def test_a_layer_that_no_dense_one_reads_is_said() -> None:
    assert "no dense layer reads it directly" in erasable(built("lenet5"), "conv_0")
    assert erasable(built("lenet5"), "linear_0") == ""
    with pytest.raises(ValueError, match="A direction of conv_0 isn't erased here"):
        erased_direction(built("lenet5"), "conv_0", (half(0), half(1)), {})
