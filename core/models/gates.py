"""What a gate does with its scores: choose experts, weigh them, and keep them all at work.

A gate gives each expert i of N a score z_i for an input x. Its weights are

    g_i = exp z_i / Σ_j exp z_j    over the k experts with the highest scores; 0 for the others.

k = N is the dense gate of Jacobs, Jordan, Nowlan & Hinton (1991, Neural Computation 3:79). With
k < N only the k chosen experts need to be run (Shazeer et al. 2017, arXiv:1701.06538). Nothing in
the error of a classifier asks that all experts be used, so two losses do: of `importance`, the sum
of an expert's weights over a batch, and of `load`, how many inputs of the batch choose it.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

__all__ = ["balance", "check_chosen", "coefficient", "expected_load", "weigh"]


def check_chosen(chosen: int, experts: int) -> None:
    """Raises `ValueError` unless at least one expert is there and 1 to all of them are chosen."""
    if experts < 1:
        raise ValueError(f"{experts} experts: a mixture has at least one.")
    if not 1 <= chosen <= experts:
        raise ValueError(f"{chosen} of {experts} experts can't be chosen: choose 1 to {experts}.")


def weigh(scores: Tensor, chosen: int) -> Tensor:
    """The gate's weights (batch, experts): a softmax over the `chosen` highest scores, 0 elsewhere.

    scores: (batch, experts). Of equal scores the first expert's counts as the higher. A single
    expert has weight 1 whatever its score, so no error would ever reach the gate; the weight of one
    chosen expert therefore has the gradient of its log probability among all experts, in the way of
    the Switch transformer (Fedus, Zoph & Shazeer 2021, arXiv:2101.03961), while its value stays 1.

    Raises `ValueError` for fewer than one or more than all experts.
    """
    experts = scores.shape[1]
    check_chosen(chosen, experts)
    if chosen == experts > 1:
        return scores.softmax(1)
    if chosen == 1:
        kept = _highest(scores)
        if not scores.requires_grad:
            return kept
        log_p = scores.log_softmax(1)
        return kept * (1 + log_p - log_p.detach())
    first = scores.argsort(dim=1, descending=True, stable=True)[:, :chosen]
    kept = torch.full_like(scores, -math.inf).scatter_(1, first, 0.0)
    return (scores + kept).softmax(1)


def _highest(scores: Tensor) -> Tensor:
    """1 for the highest of each row of scores, the first of equal ones, 0 for the others."""
    kept = (scores == scores.amax(1, keepdim=True)).to(scores.dtype)
    if int(kept.sum()) > len(kept):  # comparing is faster than choosing, and ties are rare
        kept = torch.zeros_like(scores).scatter_(1, kept.argmax(1, keepdim=True), 1.0)
    return kept


def coefficient(totals: Tensor) -> Tensor:
    """CV² of (experts,) totals, variance / mean²: 0 where all are alike, N - 1 where one has all.

    The variance is the population's, over N; with the sample's, over N - 1, collapse would be N.
    """
    mean = totals.mean()
    return ((totals - mean) / mean.clamp(min=1e-10)).square().mean()


def expected_load(scores: Tensor, noisy: Tensor, chosen: int, noise: float) -> Tensor:
    """How many inputs choose each expert if its own noise is drawn again, (experts,).

    The count itself has no gradient. This has: Σ_x Φ((z_i − t_i) / σ), with t_i the lowest noisy
    score that expert i must beat (Shazeer et al. 2017, appendix A). scores, noisy: (batch, experts)
    without and with noise of standard deviation `noise`, σ > 0. chosen: below all experts.
    """
    best = noisy.topk(chosen + 1, dim=1).values
    last_in, first_out = best[:, chosen - 1 : chosen], best[:, chosen:]
    beaten = torch.where(noisy >= last_in, first_out, last_in)
    return (0.5 * (1 + torch.erf((scores - beaten) / (noise * math.sqrt(2))))).sum(0)


def balance(weights: Tensor) -> Tensor:
    """N Σ f_i P_i of weights (batch, experts): 1 where experts share evenly, N where one has all.

    f_i is the share of inputs that weigh expert i most, P_i its mean weight (Fedus et al. 2021).
    """
    experts = weights.shape[1]
    most = torch.nn.functional.one_hot(weights.argmax(1), experts)
    return experts * (most.to(weights.dtype).mean(0) * weights.mean(0)).sum()
