"""Gates: weights that sum to 1, experts that are really chosen, and losses that see collapse."""

from __future__ import annotations

import math

import pytest
import torch
from scipy.stats import norm

from core.models.gates import balance, coefficient, expected_load, weigh


@pytest.fixture
def scores() -> torch.Tensor:
    return torch.randn(50, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.mark.parametrize("chosen", range(1, 9))
def test_weights_sum_to_one_and_exactly_k_are_not_zero(scores: torch.Tensor, chosen: int) -> None:
    weights = weigh(scores, chosen)
    torch.testing.assert_close(weights.sum(1), torch.ones(50, dtype=torch.float64))
    assert ((weights > 0).sum(1) == chosen).all()
    kept = scores.topk(chosen, 1).indices
    whole = scores.exp() / scores.exp().sum(1, keepdim=True)
    share = whole.gather(1, kept)
    torch.testing.assert_close(weights.gather(1, kept), share / share.sum(1, keepdim=True))


def test_all_chosen_is_the_dense_gate(scores: torch.Tensor) -> None:
    torch.testing.assert_close(weigh(scores, 8), scores.softmax(1))


def test_equal_scores_still_choose_exactly_k() -> None:
    weights = weigh(torch.zeros(3, 5), 2)
    assert torch.equal(weights, torch.tensor([[0.5, 0.5, 0, 0, 0]]).expand(3, 5))


def test_one_expert_has_all_the_weight() -> None:
    assert torch.equal(weigh(torch.randn(4, 1), 1), torch.ones(4, 1))


def test_one_chosen_expert_learns_as_in_the_switch_transformer(scores: torch.Tensor) -> None:
    asked = scores.clone().requires_grad_()
    values = torch.arange(8, dtype=torch.float64)  # what each expert answers
    (weigh(asked, 1) * values).sum().backward()
    first = scores.argmax(1)
    onehot = torch.nn.functional.one_hot(first, 8)
    expected = values[first][:, None] * (onehot - scores.softmax(1))  # y ∂ log p / ∂z
    torch.testing.assert_close(asked.grad, expected)


@pytest.mark.parametrize("chosen", [0, -1, 9])
def test_more_experts_than_there_are_cannot_be_chosen(chosen: int) -> None:
    with pytest.raises(ValueError, match=f"{chosen} of 8 experts can't be chosen: choose 1 to 8"):
        weigh(torch.zeros(2, 8), chosen)


def test_no_expert_is_no_mixture() -> None:
    with pytest.raises(ValueError, match="0 experts"):
        weigh(torch.zeros(2, 0), 1)


def test_variation_is_zero_when_even_and_n_minus_one_when_one_has_all() -> None:
    assert coefficient(torch.full((8,), 3.0)) == 0
    assert coefficient(torch.tensor([5.0, *[0.0] * 7])) == pytest.approx(7)
    assert coefficient(torch.zeros(4)) == 0
    uneven = torch.tensor([1.0, 2, 3, 6])
    assert coefficient(uneven) == pytest.approx(float(uneven.var(unbiased=False)) / 9)


def test_balance_is_one_when_even_and_n_when_one_has_all() -> None:
    even = torch.eye(8).repeat(10, 1)
    assert balance(even) == pytest.approx(1)
    assert balance(torch.eye(8)[:1].repeat(10, 1)) == pytest.approx(8)


@pytest.mark.parametrize("chosen", [1, 2, 5])
def test_expected_load_is_the_chance_to_be_chosen_again(chosen: int) -> None:
    """Against drawing each expert's noise anew many times, the others' noise held."""
    random = torch.Generator().manual_seed(1)
    scores = torch.randn(4, 6, generator=random, dtype=torch.float64)
    noisy = scores + 0.7 * torch.randn(4, 6, generator=random, dtype=torch.float64)
    found = expected_load(scores, noisy, chosen, 0.7)
    for expert in range(6):
        total = 0.0
        for row in range(4):
            others = torch.cat([noisy[row, :expert], noisy[row, expert + 1 :]])
            beaten = others.sort(descending=True).values[chosen - 1]
            total += float(norm.cdf(float(scores[row, expert] - beaten) / 0.7))
        assert found[expert] == pytest.approx(total)


def test_expected_load_has_a_gradient_that_evens_out() -> None:
    scores = torch.tensor([[1.0, 0.0, 0.0]] * 20, requires_grad=True)
    noise = 0.1 * torch.randn(20, 3, generator=torch.Generator().manual_seed(2))
    coefficient(expected_load(scores, scores + noise, 1, 1.0)).backward()
    assert scores.grad is not None
    assert scores.grad[:, 0].sum() > 0 > scores.grad[:, 1:].sum()
    assert math.isfinite(float(scores.grad.abs().sum()))
