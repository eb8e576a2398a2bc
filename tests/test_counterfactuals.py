"""Pairs that differ in a part alone, and what it does to units whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import kstest, ttest_1samp
from torch import Tensor, nn

from core.analyses.counterfactuals import Pairs, differences, drawn_pairs, real_bars
from core.data import DataSet
from core.data.strokes import OPTIONAL
from tests.labs import again, assert_same


class Sums(nn.Module):
    """Three units: the ink, none at all, and the ink of the upper half."""

    layers = ("sums",)

    def __init__(self) -> None:
        super().__init__()
        self.sums = nn.Linear(784, 3)
        weight = torch.zeros(3, 28, 28)
        weight[0], weight[2, :14] = 1, 1
        self.sums.weight = nn.Parameter(weight.flatten(1), requires_grad=False)
        self.sums.bias = nn.Parameter(torch.zeros(3), requires_grad=False)

    def forward(self, images: Tensor) -> Tensor:
        out: Tensor = self.sums(images.flatten(1))
        return out


@pytest.mark.parametrize("part", OPTIONAL)
def test_drawn_pairs_differ_in_the_part(part: str) -> None:
    pairs = drawn_pairs(part, 40, seed=1)
    assert pairs.present.shape == pairs.absent.shape == (40, 1, 28, 28)
    assert len(pairs) == 40
    assert (pairs.present - pairs.absent).flatten(1).sum(1).gt(0).float().mean() > 0.9
    assert 0 < pairs.masks.mean() < 0.2
    edge = np.ones((28, 28), bool)
    edge[1:-1, 1:-1] = False
    assert not pairs.masks[:, edge].any()  # no part runs off the image


def test_the_difference_is_what_the_part_adds() -> None:
    pairs = drawn_pairs("crossbar", 60)
    found = differences(Sums(), pairs, "sums")
    added = (pairs.present - pairs.absent).flatten(1).sum(1).numpy().astype(np.float64)
    assert found.mean[0] == pytest.approx(added.mean(), rel=1e-4)
    assert found.n == 60
    interval = ttest_1samp(added, 0).confidence_interval(0.95)
    assert (found.low[0], found.high[0]) == pytest.approx(tuple(interval), rel=1e-3)
    assert found.p_value[0] == pytest.approx(1 / 2001)
    assert found.mean[1] == found.low[1] == found.high[1] == 0
    assert found.p_value[1] == 1


def test_without_an_effect_p_values_are_uniform() -> None:
    generator = torch.Generator().manual_seed(0)
    noise = [torch.rand(30, 1, 28, 28, generator=generator) for _ in range(2)]

    class Random(Sums):
        def __init__(self) -> None:
            super().__init__()
            self.sums = nn.Linear(784, 400)
            weight = torch.randn(400, 784, generator=generator)
            self.sums.weight = nn.Parameter(weight, requires_grad=False)

    found = differences(Random(), Pairs("crossbar", "noise", *noise), "sums")
    assert kstest(found.p_value, "uniform").pvalue > 0.01


def test_real_sevens_lose_and_gain_their_bar(strokes: DataSet) -> None:
    assert strokes.parts is not None
    crossed = strokes.parts.has("crossbar")
    pairs = real_bars(strokes, crossed)
    change = (pairs.present - pairs.absent).flatten(1).sum(1)
    assert len(pairs) > 100
    assert (change > 0).float().mean() > 0.98
    assert "pasted" in pairs.made
    assert "erased" in pairs.made


def test_what_is_wrong_is_said() -> None:
    with pytest.raises(ValueError, match="crossbar"):
        drawn_pairs("stem")
    pairs = drawn_pairs("hook", 1)
    with pytest.raises(ValueError, match="too few"):
        differences(Sums(), pairs, "sums")
    with pytest.raises(ValueError, match="choose one of sums"):
        differences(Sums(), drawn_pairs("hook", 3), "nowhere")


def test_differences_are_kept_and_found_again() -> None:
    found = differences(Sums(), drawn_pairs("loop", 5), "sums")
    assert again(found).n == 5
    assert_same(again(found), found)
