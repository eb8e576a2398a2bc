"""The accuracy that is promised on MNIST, with hardly a dead unit."""

from __future__ import annotations

import pytest

from core.activations import all_peaks
from core.data import load
from core.training import accuracy, train


@pytest.mark.mnist
@pytest.mark.parametrize(
    ("name", "least"), [("lenet5", 0.99), ("simple_cnn", 0.988), ("mlp", 0.975)]
)
def test_the_promised_accuracy_is_reached(name: str, least: float) -> None:
    test = load("mnist", "test")
    model = train(name, load("mnist", "train"))
    assert accuracy(model, test) >= least
    silent = [(values.max(0) <= 0).sum() for values in all_peaks(model, test.images).values()]
    assert sum(silent) <= 3
