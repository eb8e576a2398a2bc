"""Capsules: routing against the paper written out, the loss by hand, and what routing must do."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor

from core.activations import Edit, reader, run
from core.models.capsules import Capsules, CapsulesSettings, margin_loss, routing, squash
from core.units import UnitId
from tests.networks import built

Vector = list[float]


@pytest.fixture(scope="module")
def model() -> Capsules:
    """An untrained network whose primary capsules are long enough for its lengths to differ."""
    found = built("capsules", seed=3).eval().requires_grad_(False)
    assert isinstance(found, Capsules)
    return found


@pytest.fixture(scope="module")
def images() -> Tensor:
    return torch.rand(4, 1, 28, 28, generator=torch.Generator().manual_seed(0))


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


# ---- the squash


def test_the_squash_of_three_and_four() -> None:
    found = squash(torch.tensor([3.0, 4.0], dtype=torch.float64))
    np.testing.assert_allclose(found, [0.5769231, 0.7692308], atol=1e-6)


def test_a_squashed_vector_is_shorter_than_one_and_a_unit_vector_half_as_long() -> None:
    vectors = drawn(500, 16) * torch.logspace(-4, 2, 500, dtype=torch.float64)[:, None]
    norms = squash(vectors).norm(dim=1)
    assert (norms < 1).all()
    unit = squash(vectors / vectors.norm(dim=1, keepdim=True)).norm(dim=1)
    torch.testing.assert_close(unit, torch.full_like(unit, 0.5))
    cosines = torch.cosine_similarity(squash(vectors), vectors, dim=1)
    torch.testing.assert_close(cosines[100:], torch.ones_like(cosines[100:]))


def test_the_gradient_of_the_squash_is_finite_also_at_zero() -> None:
    for dtype in (torch.float32, torch.float64):
        at = torch.zeros(3, 8, dtype=dtype, requires_grad=True)
        (gradient,) = torch.autograd.grad(squash(at).sum(), at)
        assert torch.equal(gradient, torch.zeros_like(gradient))
    point = (drawn(5, 4) * 0.3).requires_grad_()
    assert torch.autograd.gradcheck(squash, point)


# ---- routing


def squashed(s: Vector) -> Vector:
    length = math.sqrt(sum(x * x for x in s))
    return [length**2 / (1 + length**2) * x / length for x in s]


def routed_by_loops(
    u: list[Vector], w: list[list[list[Vector]]], iterations: int
) -> tuple[list[list[Vector]], list[list[Vector]]]:
    """Procedure 1 of Sabour et al. (2017), one number at a time: c[t][i][j] and v[t][j].

    u[i][k]: capsules of the layer below. w[i][j][k][d]: a matrix for every pair.
    """
    inputs, outputs, size = len(u), len(w[0]), len(w[0][0][0])
    vote = [
        [
            [sum(u[i][k] * w[i][j][k][d] for k in range(len(u[i]))) for d in range(size)]
            for j in range(outputs)
        ]
        for i in range(inputs)
    ]
    b = [[0.0] * outputs for _ in range(inputs)]
    every_c, every_v = [], []
    for _ in range(iterations):
        c = [[math.exp(x) / sum(math.exp(y) for y in row) for x in row] for row in b]
        v = [
            squashed([sum(c[i][j] * vote[i][j][d] for i in range(inputs)) for d in range(size)])
            for j in range(outputs)
        ]
        for i in range(inputs):
            for j in range(outputs):
                b[i][j] += sum(vote[i][j][d] * v[j][d] for d in range(size))
        every_c.append(c)
        every_v.append(v)
    return every_c, every_v


def votes_of(inputs: Tensor, matrices: Tensor) -> Tensor:
    """(batch, outputs, inputs, dimensions)"""
    return torch.einsum("bik,iokd->boid", inputs, matrices)


@pytest.mark.parametrize("iterations", [1, 2, 3, 5])
def test_routing_equals_the_paper_written_out(iterations: int) -> None:
    inputs, matrices = drawn(2, 7, 3), drawn(7, 4, 3, 5, seed=1)
    found = list(routing(votes_of(inputs, matrices), iterations))
    assert len(found) == iterations
    for digit in range(2):
        c, v = routed_by_loops(inputs[digit].tolist(), matrices.tolist(), iterations)
        for step, (share, capsules) in enumerate(found):
            np.testing.assert_allclose(share[digit].T, c[step], rtol=1e-6)
            np.testing.assert_allclose(capsules[digit], v[step], rtol=1e-6)


def test_the_network_routes_as_the_paper_does(model: Capsules, images: Tensor) -> None:
    trace = model.trace(images[:1])
    c, v = routed_by_loops(trace.primary[0].tolist(), model.matrices.tolist(), 3)
    np.testing.assert_allclose(trace.coefficients[0], c, rtol=1e-4)
    np.testing.assert_allclose(trace.poses[0], v, rtol=1e-3, atol=1e-7)
    lengths = torch.linalg.vector_norm(trace.poses[:, -1], dim=-1)
    torch.testing.assert_close(model(images[:1]), lengths, rtol=1e-4, atol=1e-7)


def test_the_first_coefficients_are_equal_and_all_sum_to_one(
    model: Capsules, images: Tensor
) -> None:
    coefficients = model.trace(images).coefficients
    assert coefficients.shape == (4, 3, 288, 10)
    torch.testing.assert_close(coefficients[:, 0], torch.full((4, 288, 10), 0.1))
    torch.testing.assert_close(coefficients.sum(-1), torch.ones(4, 3, 288))
    once = built("capsules iterations=1", seed=3).eval()
    assert isinstance(once, Capsules)
    assert once.trace(images).coefficients.shape[1] == 1


@pytest.mark.parametrize("iterations", [1, 3])
def test_each_pair_has_a_matrix_of_its_own(iterations: int) -> None:
    """Inputs may change places together with their matrices, and not without them."""
    inputs, matrices = drawn(3, 9, 4), drawn(9, 5, 4, 6, seed=1)
    order = torch.randperm(9, generator=torch.Generator().manual_seed(2))

    def last(u: Tensor, w: Tensor) -> Tensor:
        return list(routing(votes_of(u, w), iterations))[-1][1]

    expected = last(inputs, matrices)
    torch.testing.assert_close(last(inputs[:, order], matrices[order]), expected)
    assert (last(inputs[:, order], matrices) - expected).abs().max() > 0.01
    shared = matrices[:1].expand_as(matrices)  # the module's form can't tell where a part is
    torch.testing.assert_close(last(inputs[:, order], shared), last(inputs, shared))


def test_the_network_knows_where_its_inputs_are(model: Capsules, images: Tensor) -> None:
    inputs = model.trace(images).primary
    order = torch.randperm(288, generator=torch.Generator().manual_seed(2))
    poses = model.agreed(inputs)
    assert ((model.agreed(inputs[:, order]) - poses).norm() / poses.norm()) > 0.1


def test_an_agreement_draws_the_inputs_to_itself() -> None:
    votes = drawn(1, 5, 6, 8)
    votes[:, 2] = drawn(1, 1, 8, seed=1)  # all inputs say the same of output 2
    basis = torch.linalg.qr(drawn(8, 8, seed=2))[0]
    for other in (0, 1, 3, 4):  # and vectors at right angles of every other
        votes[0, other] = basis[:6]
    shares = [share[0, 2] for share, _ in routing(votes, 5)]
    for earlier, later in pairwise(shares):
        assert (later > earlier).all()


def test_fewer_than_one_iteration_is_refused(model: Capsules, images: Tensor) -> None:
    with pytest.raises(ValueError, match="0 iterations of routing: choose 1 or more"):
        model.trace(images, 0)


# ---- the network


def test_the_margin_loss_by_hand() -> None:
    lengths = torch.tensor([[0.95, 0.1, 0.0], [0.3, 0.6, 0.2]], dtype=torch.float64)
    first = 0.0  # long enough, and the others short enough
    second = (0.9 - 0.3) ** 2 + 0.5 * ((0.6 - 0.1) ** 2 + (0.2 - 0.1) ** 2)
    found = margin_loss(lengths, torch.tensor([0, 0]))
    assert float(found) == pytest.approx((first + second) / 2)


def test_the_objective_is_both_losses_and_draws_the_true_class(
    model: Capsules, images: Tensor
) -> None:
    labels = torch.tensor([3, 1, 4, 1])
    poses = model.trace(images).poses[:, -1]
    masked = torch.zeros_like(poses)
    for at, label in enumerate(labels.tolist()):
        masked[at, label] = poses[at, label]
    missed = (model.decoder(masked.flatten(1)) - images.flatten(1)).square().sum(1).mean()
    expected = margin_loss(poses.norm(dim=-1), labels) + 0.0005 * missed
    torch.testing.assert_close(model.objective(images, labels), expected)
    drawn_again = model.decode(poses, labels).flatten(1)
    torch.testing.assert_close(drawn_again, model.decoder(masked.flatten(1)))


def test_the_first_lengths_are_spread_and_far_from_one(model: Capsules, images: Tensor) -> None:
    lengths = model(images)
    assert lengths.max() < 0.9
    assert (lengths.std(1) / lengths.mean(1) > 0.1).all()
    wide = built("capsules", seed=3).eval().requires_grad_(False)
    assert isinstance(wide, Capsules)
    wide.matrices.copy_(drawn(288, 10, 8, 16))  # the module's first weights
    unit = torch.nn.functional.normalize(drawn(2, 288, 8, seed=1), dim=-1).float()
    assert torch.linalg.vector_norm(wide.agreed(unit), dim=-1).min() > 0.99


def test_it_runs_in_double_and_on_another_device(model: Capsules, images: Tensor) -> None:
    double = built("capsules", seed=3).eval().double()
    assert isinstance(double, Capsules)
    assert double(images.double()).dtype == torch.float64
    assert double.trace(images.double()).coefficients.dtype == torch.float64
    torch.testing.assert_close(double(images.double()).float(), model(images), rtol=1e-3, atol=1e-7)
    with torch.device("meta"):
        elsewhere = CapsulesSettings().network()
    found = elsewhere.objective(images.to("meta"), torch.zeros(4, dtype=torch.int64, device="meta"))
    assert found.device.type == "meta"
    assert elsewhere.trace(images.to("meta")).coefficients.device.type == "meta"


def test_gradients_go_through_routing_in_eval_and_around_it_in_training() -> None:
    network = built("capsules", seed=3).double()
    assert isinstance(network, Capsules)
    inputs = (drawn(1, 288, 8) * 0.5).requires_grad_()
    direction = drawn(1, 288, 8, seed=1)

    def slope(of: Callable[[Tensor], Tensor]) -> float:
        (gradient,) = torch.autograd.grad(of(inputs).square().sum(), inputs)
        return float((gradient * direction).sum())

    def difference(of: Callable[[Tensor], Tensor]) -> float:
        with torch.no_grad():
            up, down = (of(inputs + at * direction).square().sum() for at in (1e-5, -1e-5))
        return float((up - down) / 2e-5)

    assert slope(network.eval().agreed) == pytest.approx(difference(network.agreed), rel=1e-4)
    share = network._coefficients(inputs.detach()).detach()

    def fixed(u: Tensor) -> Tensor:
        return squash(torch.einsum("boi,iokd,bik->bod", share, network.matrices, u))

    assert slope(network.train().agreed) == pytest.approx(difference(fixed), rel=1e-4)


def test_a_unit_is_called_by_its_capsule_and_editing_it_changes_its_length(
    model: Capsules, images: Tensor
) -> None:
    pose, primary = model.described[2], model.described[1]
    assert pose.named is not None
    assert primary.named is not None
    assert pose.named(53) == "class 3, dimension 5"
    assert primary.named(29) == "type 3, dimension 5"
    before = run(model, images)
    capsule: dict[UnitId | tuple[str, int], Edit] = {("pose", at): 0.0 for at in range(48, 64)}
    after = run(model, images, capsule)
    assert (after[:, 3] == 0).all()
    others = [k for k in range(10) if k != 3]
    torch.testing.assert_close(after[:, others], before[:, others])
    channels: dict[UnitId | tuple[str, int], Edit] = {("primary", at): 0.0 for at in range(24, 32)}
    silent = model.inputs(reader(model, "primary")(images).index_fill(1, torch.arange(24, 32), 0.0))
    torch.testing.assert_close(
        run(model, images, channels), torch.linalg.vector_norm(model.agreed(silent), dim=-1)
    )
    assert (silent[:, 3 * 36 : 4 * 36] == 0).all()
    assert (silent[:, : 3 * 36].norm(dim=-1) > 0).all()
