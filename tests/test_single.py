"""Each unit removed alone by an update, against a full pass for each."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from core.activations import dense_reading, layer_of, logits_with, run
from core.data import DataSet
from core.interventions.answers import margins
from core.interventions.removal import Removal
from core.interventions.single import each_alone
from core.models.inspectable import Inspectable, Layer, Stages
from tests.networks import KINDS, built

READ = {  # the layers that a dense one reads, each unit by columns of its own
    "lenet5": {"conv_1": 16, "linear_0": 1, "linear_1": 1},
    "lenet5 activation=tanh": {"conv_1": 16, "linear_0": 1, "linear_1": 1},
    "simple_cnn": {"conv2": 49},
    "mlp": {"linear_0": 1, "linear_1": 1},
    "rbf": {"centres": 1},
    "planted": {"linear_0": 1, "linear_1": 1, "linear_2": 1},
}
OTHERWISE = ("planted", "linear_2")  # behind it isn't a plain ReLU


def logits_of(logits: Tensor, labels: Tensor) -> Tensor:
    """The logits themselves, as a measure."""
    return logits


@pytest.mark.parametrize("kind", [*KINDS, "lenet5 activation=tanh"])
def test_the_layers_that_a_dense_one_reads_are_told(kind: str) -> None:
    model = built(kind).eval()
    found = {name: dense_reading(model, name) for name in model.layers}
    columns = {name: of.weights.shape[1] for name, of in found.items() if of is not None}
    assert columns == READ.get(kind, {})


@pytest.mark.parametrize("kind", ["zero", "mean", "resample"])
@pytest.mark.parametrize(("network", "layer"), [(n, at) for n, of in READ.items() for at in of])
def test_an_update_gives_the_logits_of_full_passes(
    network: str, layer: str, kind: str, strokes: DataSet
) -> None:
    digits = strokes.take(slice(40))
    model = built(network).eval().requires_grad_(False)
    removal = Removal(model, digits, layer, kind)
    found = each_alone(removal, logits_of, at_once=4000)
    assert found.shape == (removal.units, 40, 10)
    rectified = layer_of(model, layer).rectified
    for unit in (0, 1, removal.units // 2, removal.units - 1):
        value = {"zero": 0.0, "mean": "mean"}.get(kind, lambda v, u=unit: removal.instead[:, u])
        torch.testing.assert_close(
            found[unit],
            run(model, digits.images, {(layer, unit): value}),  # type: ignore[dict-item]
            atol=1e-5,
            rtol=1e-5,
        )
    moved = (found - run(model, digits.images)).abs().amax((1, 2))
    assert (moved > 1e-5).float().mean() > 0.3, "or a removal that does nothing isn't seen"
    other = network in ("rbf", "lenet5 activation=tanh") or (network, layer) == OTHERWISE
    assert rectified != other


@pytest.mark.parametrize("kind", KINDS)
def test_every_network_gives_the_margins_of_full_passes(kind: str, strokes: DataSet) -> None:
    digits = strokes.take(slice(5))
    model = built(kind).eval().requires_grad_(False)
    layer = min(model.layers[:-1], key=lambda name: layer_of(model, name).units)
    removal, done = Removal(model, digits, layer), list[float]()
    found = each_alone(removal, on_progress=done.append)
    assert done[-1] == 1.0
    assert found.shape == (removal.units, 5)
    for unit in {0, removal.units - 1}:
        full = run(model, digits.images, {(layer, unit): 0.0})
        torch.testing.assert_close(found[unit], margins(full, digits.labels), atol=1e-5, rtol=1e-4)
    held = logits_with(model, {(layer, 0): 0.0})(digits.images)
    torch.testing.assert_close(held, run(model, digits.images, {(layer, 0): 0.0}))


def test_margins_are_those_of_a_loop() -> None:
    logits = torch.randn(3, 7, 10, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(7)
    found = margins(logits, labels)
    for some, of in zip(logits, found, strict=True):
        for row, label, margin in zip(some.tolist(), labels.tolist(), of.tolist(), strict=True):
            own = row.pop(label)
            assert margin == pytest.approx(own - max(row), abs=1e-6)


class Between(Inspectable):
    """Four units, a matrix or another step between, and a dense layer."""

    name = "between"
    described = (Layer("hidden", 4), Layer("out", 10, rectified=False))

    def __init__(self, step: nn.Module, columns: int = 4) -> None:
        super().__init__()
        self.hidden, self.step, self.out = nn.Linear(784, 4), step, nn.Linear(columns, 10)
        self.eval().requires_grad_(False)

    def stages(self) -> Stages:
        """Input to output."""
        return {
            "hidden": lambda images: self.hidden(images.flatten(1)),
            "out": lambda values: self.out(self.step(values)),
        }


class Twice(nn.Module):
    """Each unit twice, all of them and then all again."""

    def forward(self, values: Tensor) -> Tensor:
        return torch.cat([values, values], 1)


@pytest.mark.parametrize(
    ("step", "columns", "apart"),
    [
        (nn.ReLU(), 4, True),
        (nn.LayerNorm(4), 4, False),
        (nn.Softmax(1), 4, False),
        (nn.Linear(4, 4), 4, False),
        (Twice(), 8, False),  # whose columns lie elsewhere
    ],
)
def test_what_mixes_units_on_the_way_is_seen_and_run_in_full(
    step: nn.Module, columns: int, apart: bool, strokes: DataSet
) -> None:
    model, digits = Between(step, columns), strokes.take(slice(6))
    assert (dense_reading(model, "hidden") is not None) is apart
    found = each_alone(Removal(model, digits, "hidden"), logits_of)
    for unit in range(4):
        full = run(model, digits.images, {("hidden", unit): 0.0})
        torch.testing.assert_close(found[unit], full, atol=1e-5, rtol=1e-5)


def test_an_exception_from_progress_ends_the_work(strokes: DataSet) -> None:
    class Stop(Exception):
        pass

    def stop(done: float) -> None:
        raise Stop

    removal = Removal(built("mlp").eval(), strokes.take(slice(5)), "linear_1")
    with pytest.raises(Stop):
        each_alone(removal, on_progress=stop)
    with pytest.raises(ValueError, match=r"^at_once is"):
        each_alone(removal, at_once=0)
