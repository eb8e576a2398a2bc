"""LSTM and GRU against PyTorch's cells, cells set by hand, and planted gates and states."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn

from core.activations import behind, collect, collect_layers, run
from core.architectures.recurrent import charts as figures
from core.architectures.recurrent import clamping, early_reading
from core.architectures.recurrent import gates as recurrent
from core.data import DataSet
from core.models.gru import GRU, GRUBefore, GRUSettings
from core.models.lstm import (
    LSTM,
    ROWS,
    UNITS,
    LSTMSettings,
    RecurrentSettings,
    RowByRow,
    shuffled_order,
)
from tests.networks import built

CELLS = ("lstm", "gru", "gru reset=before")
ALWAYS, NEVER = 100.0, -200.0  # before the sigmoid: exactly 1, exactly 0 (float32)


@pytest.fixture(scope="module")
def noise() -> Tensor:
    return torch.rand(5, 1, 28, 28, generator=torch.Generator().manual_seed(0))


def blank(settings: RecurrentSettings) -> RowByRow:
    """A network whose weights and biases are all 0."""
    model = settings.network().requires_grad_(False).eval()
    for weight in model.parameters():
        weight.zero_()
    return model


def biased(model: LSTM, **biases: float) -> LSTM:
    """The network with one value as the bias of each gate that is named."""
    for name, value in biases.items():
        at = ("input", "forget", "candidate", "output").index(name)
        model.of_row.bias[at * UNITS : (at + 1) * UNITS] = value
    return model


def states(model: RowByRow, images: Tensor, layer: str) -> Tensor:
    """(n, units, rows) of the layer."""
    return collect(model, images, layer)[..., 0]


def torch_lstm(model: LSTM) -> nn.LSTMCell:
    cell = nn.LSTMCell(28, UNITS).requires_grad_(False)
    cell.weight_ih.copy_(model.of_row.weight)
    cell.weight_hh.copy_(model.of_state.weight)
    cell.bias_ih.copy_(model.of_row.bias)
    cell.bias_hh.zero_()
    return cell


def torch_gru(model: GRU) -> nn.GRUCell:
    cell = nn.GRUCell(28, UNITS).requires_grad_(False)
    cell.weight_ih.copy_(model.of_row.weight)
    cell.weight_hh.copy_(model.of_state.weight)
    cell.bias_ih.copy_(model.of_row.bias)
    cell.bias_hh.zero_()
    if model.candidate_bias is not None:
        cell.bias_hh[2 * UNITS :] = model.candidate_bias
    return cell


def hidden_of(cell: nn.GRUCell, images: Tensor) -> Tensor:
    h, kept = torch.zeros(len(images), UNITS), []
    for row in images[:, 0].unbind(1):
        h = cell(row, h)
        kept.append(h)
    return torch.stack(kept, 2)


def test_an_lstm_equals_pytorchs_cell_at_each_of_28_rows(noise: Tensor) -> None:
    model = built("lstm", 2).eval().requires_grad_(False)
    cell, h, c = torch_lstm(model), torch.zeros(5, UNITS), torch.zeros(5, UNITS)
    hidden, kept = states(model, noise, "hidden"), states(model, noise, "cell")
    for row in range(ROWS):
        h, c = cell(noise[:, 0, row], (h, c))
        assert (hidden[:, :, row] - h).abs().max() < 1e-6
        assert (kept[:, :, row] - c).abs().max() < 1e-6
    torch.testing.assert_close(model(noise), model.logits(h))


def test_an_untrained_forget_gate_leans_to_remembering() -> None:
    bias = built("lstm").of_row.bias.chunk(4)
    assert (bias[1] == 1).all()
    assert all(part.abs().max() < 0.2 for part in (bias[0], bias[2], bias[3]))


def test_an_lstm_of_zeros_halves_its_cell() -> None:
    h, c = blank(LSTMSettings()).step(
        torch.zeros(1, 4 * UNITS), torch.zeros(1, UNITS), torch.ones(1, UNITS)
    )
    torch.testing.assert_close(c, torch.full_like(c, 0.5))
    torch.testing.assert_close(h, torch.full_like(h, 0.2310586))


@pytest.mark.parametrize("settings", [GRUSettings(), GRUSettings(reset="before")])
def test_a_gru_of_zeros_halves_its_state(settings: GRUSettings) -> None:
    h = blank(settings).step(torch.zeros(1, 3 * UNITS), torch.ones(1, UNITS))
    torch.testing.assert_close(h, torch.full_like(h, 0.5))


def test_a_cell_that_only_keeps_never_changes_and_one_that_never_keeps_is_what_is_let_in() -> None:
    h, start = torch.rand(3, UNITS), torch.randn(3, UNITS)
    model, c = biased(blank(LSTMSettings()), forget=ALWAYS, input=NEVER, candidate=1.0), start
    for _ in range(ROWS):
        h, c = model.step(model.of_row.bias.expand(3, -1), h, c)
    assert torch.equal(c, start)
    model = biased(built("lstm", 1).requires_grad_(False), forget=NEVER)
    model.of_state.weight[UNITS : 2 * UNITS] = model.of_row.weight[UNITS : 2 * UNITS] = 0
    layers = collect_layers(model, torch.rand(3, 1, 28, 28))
    torch.testing.assert_close(layers["cell"], layers["input"] * layers["candidate"])


def test_a_cell_set_by_hand_counts_the_rows_with_ink(strokes: DataSet) -> None:
    model = biased(blank(LSTMSettings()), forget=ALWAYS, candidate=ALWAYS, input=NEVER)
    model.of_row.weight[0] = 1e6  # unit 0's input gate opens where there is any ink
    images = (strokes.images[:20] > 0.5).float()
    count = images[:, 0].amax(2).cumsum(1)
    assert torch.equal(states(model, images, "cell")[:, 0], count)
    assert not states(model, images, "cell")[:, 1].any()


def test_a_gru_equals_pytorchs_cell(noise: Tensor) -> None:
    model = built("gru", 2).eval().requires_grad_(False)
    own = states(model, noise, "hidden")
    assert (own - hidden_of(torch_gru(model), noise)).abs().max() < 1e-6


def test_the_forms_differ_unless_units_are_not_mixed_and_have_no_bias(noise: Tensor) -> None:
    model = built("gru reset=before", 2).eval().requires_grad_(False)

    def apart() -> float:
        expected = hidden_of(torch_gru(model), noise)
        return float((states(model, noise, "hidden") - expected).abs().max())

    assert apart() > 1e-3
    own = model.of_state.weight[2 * UNITS :]
    own.copy_(torch.diag(own.diagonal()))
    assert apart() < 1e-6


def test_the_other_convention_is_the_same_with_the_sign_of_the_update_gate_turned(
    noise: Tensor,
) -> None:
    """The course's cell, written out: z weights the new, the reset acts before the product."""
    model = built("gru reset=before", 3).eval().requires_grad_(False)
    own = model.of_state.weight[2 * UNITS :]
    own.copy_(torch.diag(own.diagonal()))
    turned = clamping.with_other_update(model)
    w_r, w_z, w_n = turned.of_row.weight.chunk(3)
    u_r, u_z, u_n = turned.of_state.weight.chunk(3)
    b_r, b_z, b_n = turned.of_row.bias.chunk(3)
    h = torch.zeros(5, UNITS)
    for x in noise[:, 0].unbind(1):
        r = torch.sigmoid(x @ w_r.T + h @ u_r.T + b_r)
        z = torch.sigmoid(x @ w_z.T + h @ u_z.T + b_z)
        n = torch.tanh(x @ w_n.T + (r * h) @ u_n.T + b_n)
        h = (1 - z) * h + z * n
    torch.testing.assert_close(h, hidden_of(torch_gru(model), noise)[:, :, -1])
    assert not torch.allclose(h, states(turned, noise, "hidden")[:, :, -1], atol=1e-2)


def test_weights_go_to_the_other_form_and_back(noise: Tensor) -> None:
    model = built("gru", 4).eval().requires_grad_(False)
    before = model.state_dict()["of_row.bias"].clone()
    other = clamping.with_other_form(model)
    assert isinstance(other, GRUBefore)
    assert not torch.allclose(other(noise), model(noise), atol=1e-3)
    again = clamping.with_other_form(other)
    assert type(again) is GRU
    own = again.state_dict()["of_row.bias"][2 * UNITS :]
    torch.testing.assert_close(own, before[2 * UNITS :] + model.candidate_bias)
    assert torch.equal(model.of_row.bias, before)


@pytest.mark.parametrize("name", CELLS)
def test_gates_and_states_have_a_value_at_each_row_and_stay_in_their_range(
    name: str, noise: Tensor
) -> None:
    model = built(name, 1).eval()
    for layer in model.described[:-1]:
        values = collect(model, noise, layer.name)
        assert values.shape == (5, UNITS, ROWS, 1)
        low, high = layer.bounds or (-ROWS, ROWS)
        assert low <= values.min() < values.max() <= high
    assert len(recurrent.gates(model.described)) == (3 if name == "lstm" else 2)
    assert recurrent.keeping(model.described) == ("forget" if name == "lstm" else "update")
    assert recurrent.state(model.described) == ("cell" if name == "lstm" else "hidden")


def test_a_network_without_gates_is_refused() -> None:
    with pytest.raises(ValueError, match="give the layers of an LSTM or a GRU"):
        recurrent.keeping(built("mlp").described)


def test_a_forget_gate_held_at_0_is_what_the_formula_gives(noise: Tensor) -> None:
    model = built("lstm", 1).eval().requires_grad_(False)
    h = c = torch.zeros(5, UNITS)
    for x in noise[:, 0].unbind(1):
        i, f, g, o = (model.of_row(x) + model.of_state(h)).chunk(4, 1)
        kept = f.sigmoid() * (torch.arange(UNITS) != 17)
        c = kept * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
    torch.testing.assert_close(run(model, noise, {("forget", 17): 0.0}), model.logits(h))
    assert not torch.allclose(model.logits(h), model(noise), atol=1e-4)


@pytest.mark.parametrize(("name", "layer"), [("lstm", "forget"), ("gru", "update")])
def test_a_mean_is_held_row_by_row(name: str, layer: str, noise: Tensor) -> None:
    model = built(name, 1).eval().requires_grad_(False)
    means = iter(states(model, noise, layer)[:, 5].mean(0))
    expected = run(model, noise, {(layer, 5): lambda unit: torch.zeros_like(unit) + next(means)})
    torch.testing.assert_close(run(model, noise, {(layer, 5): "mean"}), expected)


@pytest.mark.parametrize(
    ("name", "layer"), [("lstm", "forget"), ("gru", "reset"), ("gru reset=before", "hidden")]
)
def test_behind_agrees_with_run_when_a_unit_is_held(name: str, layer: str, noise: Tensor) -> None:
    model = built(name, 1).eval().requires_grad_(False)
    values = collect(model, noise, layer)
    values[:, 5] = 0.25
    expected = run(model, noise, {(layer, 5): 0.25})
    torch.testing.assert_close(behind(model, layer, noise)(values), expected, rtol=1e-4, atol=1e-5)


def test_every_unit_is_held_in_one_pass_as_by_itself(noise: Tensor) -> None:
    model = built("gru", 1).eval().requires_grad_(False)
    found = clamping.held_units(model, noise[:1], "update", 1.0)
    for unit in (0, 7, UNITS - 1):
        alone = run(model, noise[:1], {("update", unit): 1.0}).softmax(1)[0]
        np.testing.assert_allclose(found[unit], alone, atol=1e-5)


def test_holding_a_whole_gate_of_zeros_leaves_what_the_head_says_of_nothing(
    strokes: DataSet,
) -> None:
    model = built("lstm", 1).eval().requires_grad_(False)
    some = strokes.take(slice(200))
    answer = int(model.logits.bias.argmax())
    share = float((some.labels == answer).float().mean())
    assert clamping.held_gate(model, some, "output")[0] == pytest.approx(share)


def test_a_shuffled_network_reads_the_same_rows_in_another_order(noise: Tensor) -> None:
    order = shuffled_order()
    assert sorted(order.tolist()) == list(range(ROWS)) != order.tolist()
    plain, shuffled = built("lstm", 1).eval(), built("lstm shuffled=yes", 1).eval()
    torch.testing.assert_close(shuffled(noise), plain(noise[:, :, order]))
    assert not torch.allclose(shuffled(noise), plain(noise), atol=1e-4)


def test_saturation_of_planted_gates() -> None:
    gate = np.full((4, 3, 10), 0.5)
    gate[:, 0, :3], gate[:, 0, 3:5] = 0.05, 0.95  # unit 0: 30 % shut, 20 % open
    gate[0, 1] = 0.99  # unit 1: open on one digit of four
    gate[:, 2, 0], gate[:, 2, 1] = 0.1, 0.9  # on the border is in between
    expected = [[0.3, 0.2], [0.0, 0.25], [0.0, 0.0]]
    np.testing.assert_allclose(recurrent.saturation(gate), expected)


def test_time_constants_of_known_decays() -> None:
    found = recurrent.time_constants([np.exp(-1 / 7), 0.5, 0.0, 1.0])
    np.testing.assert_allclose(found, [7, 1.4426950, 0, np.inf])
    with pytest.raises(ValueError, match="give 0 to 1"):
        recurrent.time_constants([1.2])


def test_a_state_decays_to_1_over_e_after_its_time_constant() -> None:
    tau = float(recurrent.time_constants([0.8])[0])
    assert 0.8**tau == pytest.approx(np.exp(-1))


def test_change_is_found_at_the_row_where_the_state_is_written() -> None:
    values = np.zeros((6, 2, 5))
    values[:, 0, 3:] = 2.0
    values[:, 1, 0:] = -1.0
    expected = [[0, 0, 0, 2, 0], [1, 0, 0, 0, 0]]
    np.testing.assert_allclose(recurrent.change(values), expected)


def test_what_a_planted_state_holds_by_class() -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(400) % 10
    values = rng.normal(size=(400, 2, 3))
    values[:, 0, 2] = labels == 4  # unit 0 tells fours at the last row, and nothing else
    values[:, 1, 0] = 7.0
    found = recurrent.by_class(values, labels)
    np.testing.assert_allclose(found.mean[0, 2], np.arange(10) == 4)
    assert found.share[0, 2] == pytest.approx(1)
    assert found.share[1, 0] == 0
    assert found.share[0, 0] < 0.1
    assert found.count.tolist() == [40] * 10
    one = values[labels == 3, 1, 1]
    half = 1.959964 * one.std(ddof=1) / np.sqrt(40)
    assert found.mean[1, 1, 3] == pytest.approx(one.mean())
    assert found.high[1, 1, 3] - found.low[1, 1, 3] == pytest.approx(2 * half)


def planted(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """States (n, 10, 4) that tell nothing at row 0, odd from even at row 1, the class at row 3."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 10
    values = 0.1 * rng.normal(size=(n, 10, 4))
    values[:, 0, 1] += labels % 2
    values[np.arange(n), labels, 3] += 1
    return values, labels


def test_probes_find_the_class_at_the_row_where_it_is() -> None:
    probes = early_reading.fit_probes(*planted(1000, 0))
    values, labels = planted(1000, 1)
    found = early_reading.accuracy_by_row(early_reading.scores(probes, values), labels)
    assert found[0] < 0.15
    assert 0.15 < found[1] < 0.3, "one of two halves, five classes each"
    assert found[2] < 0.15
    assert found[3] > 0.99


def test_a_probe_is_scikit_learns_logistic_regression() -> None:
    rng = np.random.default_rng(2)
    labels = np.arange(600) % 10
    values = rng.normal(size=(600, 6)) * [1, 5, 0.1, 1, 1, 1] + 3 + 0.3 * labels[:, None]
    probe, _ = early_reading.fit_probe(values, labels)
    standard = (values - values.mean(0)) / values.std(0)
    oracle = LogisticRegression(
        C=1 / (len(labels) * early_reading.PENALTY), tol=1e-8, max_iter=5000
    )
    expected = oracle.fit(standard, labels).predict_proba(standard)
    logits = early_reading.scores(probe[None], values[:, :, None])[:, 0]
    share = np.exp(logits - logits.max(1, keepdims=True))
    np.testing.assert_allclose(share / share.sum(1, keepdims=True), expected, atol=0.01)


def test_a_constant_unit_has_no_weight_in_a_probe() -> None:
    values, labels = planted(200, 3)
    values[:, 4] = 1.0
    probes = early_reading.fit_probes(values, labels)
    assert not probes[:, 4].any()
    assert np.isfinite(probes).all()


def test_the_head_at_the_last_row_is_the_networks_answer(noise: Tensor) -> None:
    model = built("gru reset=before", 1).eval().requires_grad_(False)
    logits = recurrent.head(model, recurrent.read(model, noise, "hidden"))
    assert logits.shape == (5, ROWS, 10)
    np.testing.assert_allclose(logits[:, -1], model(noise), atol=1e-6)


def test_the_followed_digit_is_as_any_other(noise: Tensor) -> None:
    model = built("lstm", 1).eval().requires_grad_(False)
    found = recurrent.follow(model, noise[2:3])
    assert set(found) == set(model.layers) - {"logits"}
    np.testing.assert_allclose(found["cell"], states(model, noise, "cell")[2], atol=1e-5)


def test_a_heat_map_has_rows_down_and_units_across() -> None:
    values = np.zeros((UNITS, ROWS))
    values[3, 20] = 1.0  # unit 3 at row 20
    order = np.arange(UNITS)[::-1]
    image = np.zeros((28, 28))
    picture = figures.heat_map(image, values, order, signed=False)
    dark = np.argwhere(picture[:, figures.HEAT_FROM :, 0] < 100)
    rows, columns = np.unique(dark[:, 0] // figures.CELL), np.unique(dark[:, 1] // figures.CELL)
    assert rows.tolist() == [20]
    assert columns.tolist() == [UNITS - 1 - 3]


def test_a_heat_map_stands_beside_the_digits_own_rows() -> None:
    image = np.zeros((28, 28))
    image[20, 5] = 1.0
    values = np.zeros((UNITS, ROWS))
    values[0, 20] = 1.0
    picture = figures.heat_map(image, values, np.arange(UNITS), signed=True)
    ink = np.argwhere((picture[:, : figures.HEAT_FROM] < 100).all(2))
    dark = np.argwhere(picture[:, figures.HEAT_FROM :, 1] < 100)
    assert np.unique(ink[:, 0]).tolist() == np.unique(dark[:, 0]).tolist()
    assert np.unique(ink[:, 1] // figures.CELL).tolist() == [5]


def test_the_frame_of_a_heat_map_is_around_the_chosen_unit_and_row() -> None:
    values = np.zeros((UNITS, ROWS))
    order = np.roll(np.arange(UNITS), 1)  # unit 0 is in place 1
    plain, framed = (
        figures.heat_map(np.zeros((28, 28)), values, order, signed=True, chosen=chosen)
        for chosen in (None, (0, 20))
    )
    changed = np.argwhere((plain != framed).any(2)[:, figures.HEAT_FROM :])
    columns = np.unique(changed[:, 1] // figures.CELL)
    assert 1 in columns
    rows = changed[changed[:, 1] // figures.CELL == UNITS // 2][:, 0] // figures.CELL
    assert np.unique(rows).tolist() == [20]


@pytest.mark.parametrize("make", [lambda v: v[:, :-1], lambda v: v.T])
def test_a_heat_map_of_another_shape_is_refused(
    make: Callable[[np.ndarray], np.ndarray],
) -> None:
    values = make(np.zeros((UNITS, ROWS)))
    with pytest.raises(ValueError, match=r"give \(units, rows\)"):
        figures.heat_map(np.zeros((28, 28)), values, np.arange(UNITS), signed=False)
