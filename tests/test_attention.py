"""Self-attention: against PyTorch's own, by hand, and with planted weights."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from core.activations import collect, layer_of, run
from core.architectures.attention.charts import attended
from core.architectures.attention.heads import UNIFORM, Heads, medians
from core.architectures.attention.measure import (
    attended_distance,
    entropy,
    follow,
    head_effects,
    interventions,
    mean_weights,
    order_gap,
    rollout,
    units_of,
)
from core.data import DataSet
from core.models.attention import (
    HEADS,
    PATCH,
    SIDE,
    TOKENS,
    Attention,
    MultiHead,
    attend,
    patches_of,
    shuffle_patches,
    softmax_weights,
)
from core.models.inspectable import Inspectable
from tests.networks import built

PATCHES = SIDE * SIDE


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def images(n: int = 3, seed: int = 0) -> Tensor:
    return torch.rand(n, 1, 28, 28, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def model() -> Attention:
    placed = built("attention", seed=3).eval()
    assert isinstance(placed, Attention)
    return placed


@pytest.fixture
def unplaced() -> Inspectable:
    return built("attention positions=no", seed=3).eval()


def test_two_tokens_by_hand() -> None:
    weights = softmax_weights(torch.eye(2), torch.eye(2))
    expected = torch.tensor([[0.6697615, 0.3302385], [0.3302385, 0.6697615]])
    torch.testing.assert_close(weights, expected, atol=1e-6, rtol=0)


def test_attention_equals_pytorchs() -> None:
    q, k, v = noise(2, 4, 5, 8), noise(2, 4, 7, 8, seed=1), noise(2, 4, 7, 8, seed=2)
    torch.testing.assert_close(softmax_weights(q, k).sum(-1), torch.ones(2, 4, 5))
    found = attend(q, k, v)
    assert (found - scaled_dot_product_attention(q, k, v)).abs().max() < 1e-6


def test_all_heads_together_equal_pytorchs() -> None:
    torch.manual_seed(0)
    mine, theirs = MultiHead(64, HEADS), nn.MultiheadAttention(64, HEADS, batch_first=True)
    parts = (mine.query, mine.key, mine.value)
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat([part.weight for part in parts]))
        theirs.in_proj_bias.copy_(torch.cat([part.bias for part in parts]))
        theirs.out_proj.load_state_dict(mine.out.state_dict())
    asking, asked = noise(3, TOKENS, 64), noise(3, PATCHES, 64, seed=1)
    added, inside = mine(asking, asked, lambda weights: weights)
    expected, weights = theirs(asking, asked, asked, average_attn_weights=False)
    assert (added - expected).abs().max() < 1e-6
    assert (inside.weights - weights).abs().max() < 1e-6


def test_without_queries_all_patches_are_alike(model: Attention) -> None:
    v = noise(2, 5, 8)
    mean = v.mean(1, keepdim=True).expand(2, 3, 8)
    torch.testing.assert_close(attend(torch.zeros(2, 3, 8), noise(2, 5, 8, seed=1), v), mean)
    uniform = run(model, images(), interventions(model, [0, 1], torch.arange(3))["uniform"])
    with torch.no_grad():
        for block in (model.attention_0, model.attention_1):
            block.query.weight.zero_()
            block.query.bias.zero_()
    assert (mean_weights(model, images())[0][0] - 1 / PATCHES).max() < 1e-6
    torch.testing.assert_close(uniform, model(images()))


def test_keys_far_apart_make_a_lookup() -> None:
    keys, values = torch.eye(4), noise(4, 3)
    asked = torch.tensor([2, 0, 3])
    torch.testing.assert_close(attend(1e4 * keys[asked], keys, values), values[asked])


def test_without_positions_attention_only_moves_with_its_tokens() -> None:
    tokens, order = noise(1, 9, 8), torch.randperm(9, generator=torch.Generator().manual_seed(1))
    moved = attend(tokens[:, order], tokens[:, order], tokens[:, order])
    assert (moved - attend(tokens, tokens, tokens)[:, order]).abs().max() < 1e-6
    assert order_gap(images(1), range(PATCHES)[::-1]) < 1e-5


def test_only_positions_tell_where_a_patch_is(model: Attention, unplaced: Inspectable) -> None:
    order = np.random.default_rng(0).permutation(PATCHES).tolist()
    shuffled = shuffle_patches(images(), order)
    torch.testing.assert_close(patches_of(shuffled), patches_of(images())[:, order])
    assert (unplaced(shuffled) - unplaced(images())).abs().max() < 1e-5
    assert (model(shuffled) - model(images())).abs().max() > 1e-4


def test_nothing_stays_behind_when_the_model_moves(model: Attention) -> None:
    expected = model(images())
    moved = model.double()
    assert (moved(images().double()) - expected).abs().max() < 1e-5
    on_meta = model.to("meta")
    trace = on_meta.trace(torch.empty(2, 1, 28, 28, device="meta", dtype=torch.float64))
    assert trace.logits.is_meta
    assert trace.logits.shape == (2, 10)
    every = [value for module in on_meta.modules() for value in vars(module).values()]
    assert not [value for value in every if isinstance(value, Tensor)]  # weights are elsewhere


def test_a_patch_is_where_it_is_in_the_image() -> None:
    image = torch.zeros(1, 1, 28, 28)
    image[0, 0, PATCH * 1 + 2, PATCH * 3 + 4] = 1  # patch row 1, column 3
    ((_, patch, pixel),) = patches_of(image).nonzero().tolist()
    assert (patch, pixel) == (1 * SIDE + 3, 2 * PATCH + 4)


def test_a_map_shows_the_patch_that_is_attended_to(model: Attention) -> None:
    with torch.no_grad():
        for weight in model.attention_0.query, model.attention_0.key:
            weight.weight.zero_()
            weight.bias.zero_()
        model.attention_0.query.bias.fill_(5.0)
        model.norm_0.weight.fill_(0.0)
    keys = torch.zeros(1, PATCHES, 64)
    keys[0, 1 * SIDE + 3] = 5.0  # patch row 1, column 3
    model.attention_0.key.register_forward_hook(lambda module, inputs, output: keys)
    maps = collect(model, images(1), "heads_0")
    assert torch.equal(maps[0].flatten(1).argmax(1), torch.full((HEADS * TOKENS,), 7))
    assert float(maps[0, 0, 1, 3]) > 0.99


def test_units_are_named_by_head_and_patch(model: Attention) -> None:
    named = layer_of(model, "heads_0").named
    assert named is not None
    assert named(1 * TOKENS + 2 * SIDE + 3) == "head 1, patch 2,3"
    assert named(4 * TOKENS - 1) == "head 3, class token"
    assert units_of(model, 0, 2)[6] == ("heads_0", 2 * TOKENS + 6)
    assert units_of(model, 1, 2) == [("heads_1", 2)]
    with pytest.raises(ValueError, match="heads 0 to 3"):
        units_of(model, 0, 4)


@pytest.mark.parametrize("block", [0, 1])
def test_a_silent_head_adds_nothing(model: Attention, block: int) -> None:
    found = run(model, images(), dict.fromkeys(units_of(model, block, 2), 0.0))
    assert (found - model(images())).abs().max() > 1e-4
    width = 64 // HEADS
    out = (model.attention_0, model.attention_1)[block].out
    with torch.no_grad():
        out.weight[:, 2 * width : 3 * width] = 0  # by hand: nothing of head 2 is let through
    torch.testing.assert_close(found, model(images()))


def test_weights_of_another_digit_are_those_of_that_digit(model: Attention) -> None:
    some = images(4)
    other = torch.tensor([1, 0, 3, 2])
    exchanged = run(model, some, interventions(model, [1], other)["another digit"])
    inside = model.trace(some).blocks[1]
    summed = inside.weights[other] @ inside.v
    own = model.trace(some).blocks[1].summed
    assert not torch.allclose(summed, own, atol=1e-4)
    same = run(model, some, interventions(model, [0, 1], torch.arange(4))["another digit"])
    torch.testing.assert_close(same, model(some))
    assert (exchanged - model(some)).abs().max() > 1e-5


def test_heads_that_count_are_counted(model: Attention, strokes: DataSet) -> None:
    some = strokes.take(slice(300))
    with torch.no_grad():
        model.attention_1.out.weight[:, :16] *= 30  # head 0 of block 1 decides
    lost, won = head_effects(model, some)
    whole = model(some.images).argmax(1) == some.labels
    without = run(model, some.images, {("heads_1", 0): 0.0}).argmax(1) == some.labels
    for digit in range(10):
        mine = some.labels == digit
        assert lost[1, 0, digit] == int((whole & ~without & mine).sum())
        assert won[1, 0, digit] == int((~whole & without & mine).sum())


def test_entropy_of_planted_weights() -> None:
    weights = [[0.25] * 4, [1, 0, 0, 0], [0.5, 0.5, 0, 0]]
    np.testing.assert_allclose(entropy(weights), [1, 0, 0.5])


def test_distance_of_planted_weights() -> None:
    np.testing.assert_allclose(attended_distance(np.eye(16)), 0)
    to_left = np.zeros((16, 16))
    to_left[:, 8] = 1  # row 2, column 0
    found = attended_distance(to_left)
    assert found[8] == 0
    assert found[10] == pytest.approx(2 * PATCH)  # row 2, column 2
    assert found[3] == pytest.approx(PATCH * math.hypot(2, 3))  # row 0, column 3
    brute = [
        np.mean([math.dist((r, c), (y, x)) for y in range(4) for x in range(4)]) * PATCH
        for r in range(4)
        for c in range(4)
    ]
    np.testing.assert_allclose(attended_distance(np.full((16, 16), 1 / 16)), brute)


def test_rollout_of_two_tokens_by_hand() -> None:
    first = [[[1.0, 0.0], [1.0, 0.0]], [[0.0, 1.0], [1.0, 0.0]]]  # their mean: .5 .5 / 1 0
    second = [[[0.0, 1.0], [0.0, 1.0]]]
    # ½(A + I): [.75 .25; .5 .5], then [.5 .5; 0 1]: the product, later block first
    np.testing.assert_allclose(rollout([first, second]), [[0.625, 0.375], [0.5, 0.5]])


def test_a_followed_digit_adds_up(model: Attention) -> None:
    seen = follow(model, images(1))
    torch.testing.assert_close(
        torch.from_numpy(seen.logits).float(), model(images(1))[0], atol=1e-5, rtol=1e-5
    )
    assert seen.probabilities.sum() == pytest.approx(1)
    assert seen.rolled.sum() == pytest.approx(1)
    assert seen.rolled[-1] == pytest.approx(0.25)  # the class token's own, around both blocks
    for block in (0, 1):
        scores, weights = torch.from_numpy(seen.scores[block]), seen.weights[block]
        np.testing.assert_allclose(scores.softmax(-1).numpy(), weights, atol=1e-6)
        length = np.linalg.norm(seen.summed[block], axis=-1)
        np.testing.assert_allclose(seen.added[block].sum(-1), length, atol=1e-5)


def test_intervals_and_controls_of_a_planted_head() -> None:
    zeros = np.zeros((2, HEADS, 10), dtype=np.int64)
    lost = {"discovery": zeros.copy(), "confirmation": zeros.copy()}
    lost["discovery"][0, 1, 7], lost["confirmation"][0, 1, 7] = 60, 48
    count = dict.fromkeys(lost, np.full(10, 100))
    heads = Heads({}, {}, lost, dict.fromkeys(lost, zeros), count, np.zeros((5, 4, 10)), {})
    table = heads.specialties().set_index(["block", "head"])
    row = table.loc[(0, 1)]
    assert row["class"] == 7
    assert row["change"] == pytest.approx(-0.48)
    # Bonett & Price: p = 49/102 and 1/102
    middle = (1 - 49) / 102
    half = 1.959964 * math.sqrt((50 / 102 - middle**2) / 102)
    assert (row["low"], row["high"]) == pytest.approx((middle - half, middle + half), abs=1e-6)
    assert row["needed"]
    assert not table.drop((0, 1))["needed"].any()


def test_a_class_that_the_controls_lose_as_well_needs_no_head() -> None:
    zeros = np.zeros((2, HEADS, 10), dtype=np.int64)
    lost = zeros.copy()
    lost[0, 1, 7], lost[1, :, 4] = 60, 50
    halves = dict.fromkeys(("discovery", "confirmation"), lost)
    count, won = dict.fromkeys(halves, np.full(10, 100)), dict.fromkeys(halves, zeros)
    random = np.zeros((5, HEADS, 10))
    random[3, 1, 7] = -0.7  # one draw of random units costs class 7 as much as head 1 of block 0
    alone, beside = (Heads({}, {}, halves, won, count, of, {}) for of in (0 * random, random))
    assert alone.specialties().set_index(["block", "head"])["needed"].tolist() == [
        *(head == 1 for head in range(HEADS)),
        *[False] * HEADS,  # block 1: any other head costs class 4 as much
    ]
    assert not beside.specialties()["needed"].any()
    row = beside.effects().query("block == 0 and head == 1 and `class` == 7").iloc[0]
    assert (row["control low"], row["control high"], row["digits"]) == (-0.7, 0, 100)


def test_medians_are_over_the_queries_that_have_a_place() -> None:
    weights = {name: (np.full((HEADS, 17, 16), 1 / 16), np.zeros(0)) for name in ("trained", "un")}
    entropies = {
        name: (np.full((HEADS, 17), of), np.full((HEADS, 1), of))
        for name, of in (("trained", 0.25), ("un", 1.0))
    }
    found = Heads(weights, entropies, {}, {}, {}, np.zeros(0), {}).spread()
    of = medians(found)
    assert (of["trained", "entropy"], of["un", "entropy"]) == (0.25, 1)
    placed = found.loc[found["network"] == "un", "distance"].dropna()
    assert of["un", "distance"] == np.median(placed)
    assert pytest.approx(placed.mean()) == UNIFORM


def test_the_tint_lies_on_the_patch() -> None:
    weights = np.zeros((1, 16))
    weights[0, 7] = 0.5  # row 1, column 3
    (tile,) = attended(np.zeros((28, 28)), weights, 0.5, query=8)
    tinted = (tile != 255).any(2) & (tile[..., 0] > 200)
    rows, columns = np.nonzero(tinted)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (21, 41, 63, 83)
    assert tuple(tile[2 * 21, 0]) == (37, 99, 235)  # the frame of row 2, column 0
