"""Units planted to be on for a few digits of a class, and what is said of whom they fire for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn

import core.analyses.subpopulations
from core.analyses.subpopulations import LEVELS, Subpopulations, subpopulations
from core.data import DataSet
from core.data.concepts import CONCEPTS, Measured
from tests.labs import again, assert_same
from tests.test_ablation import Planted

Flags = NDArray[np.bool_]
N = 2000  # 200 digits of each class, of which a fifth has a bright pixel

WANTED = np.full((3, 10), -1, np.float32)
WANTED[[0, 1, 2], [7, 7, 3]] = 2, 1, 0.5


def planted() -> Planted:
    """z is 1 on digits with a bright pixel and -1 elsewhere; the reverse; and always 1/4."""
    sees, tells = torch.zeros(3, 784), torch.zeros(10, 3)
    sees[0, 0], sees[1, 0] = 2, -2
    tells[7] = torch.tensor([1.0, 0.5, 0.0])
    tells[3, 2] = 1
    model = Planted(sees, tells)
    model.hidden.bias[:] = torch.tensor([-1.0, 1.0, 0.25])
    return model


def drawn(seed: int, n: int = N) -> tuple[DataSet, Flags]:
    """Noise, and for a fifth of the 7s a bright first pixel; and which these are."""
    labels = torch.arange(n) % 10
    images = torch.rand(n, 1, 28, 28, generator=torch.Generator().manual_seed(seed))
    bright = ((labels == 7) & (torch.arange(n) // 10 % 5 == seed % 5)).numpy()
    images[:, 0, 0, 0] = torch.from_numpy(bright).float()
    return DataSet(images, labels, "strokes", "test"), bright


def measured(**concepts: Flags) -> Measured:
    """What `measure` would say if it said this; "_" stands for "-"."""
    names = tuple(name.replace("_", "-") for name in concepts)
    scores = np.stack(list(concepts.values()), 1).astype(np.float32)
    placed = sum(CONCEPTS[name].placed for name in names)
    return Measured(names, scores, np.zeros((len(scores), placed, 98), np.uint8))


def some(n: int, share: float, seed: int) -> Flags:
    return np.random.default_rng(seed).random(n) < share


def half(seed: int) -> tuple[DataSet, Measured]:
    """Digits with a concept that unit 0 tells, and others that it doesn't or that aren't asked."""
    digits, bright = drawn(seed)
    sevens = digits.labels.numpy() == 7
    concepts = measured(
        looped_2=bright,  # these two can't divide the 7s
        top=bright,
        hooked_7=sevens & some(N, 0.5, seed),
        crossed_7=bright,
        thick=some(N, 0.4, seed + 9),
        class_7=sevens,
    )
    return digits, concepts


@pytest.fixture(scope="module")
def found() -> Subpopulations:
    return subpopulations(planted(), "hidden", WANTED, [half(0), half(1)], drawn(2, 500)[0])


def test_a_unit_of_a_fifth_of_its_class_is_anomalous_and_the_others_are_not(
    found: Subpopulations,
) -> None:
    assert found.wanted.tolist() == [7, 7, 3]
    assert found.gradient.tolist() == [2, 1, 0.5]
    assert found.anomalous.tolist() == [True, False, False]
    assert found.mean == pytest.approx([-0.6, 0.6, 0.25])
    assert found.active == pytest.approx([0.2, 0.8, 1])
    assert found.quantiles.shape == (3, len(LEVELS))
    assert found.quantiles[0].tolist() == [-1, -1, -1, -1, 1]
    assert found.quantiles[1].tolist() == [-1, 1, 1, 1, 1]


def test_what_explains_an_anomaly_is_asked_of_anomalous_units_alone(found: Subpopulations) -> None:
    flags = {"anomalous": np.array([True, True, False]), "auc": np.array([0.8, 0.79, 0.99])}
    of = replace(found, **flags, active=np.array([0.0, 0.49, 0.2]))
    assert of.anomalies.tolist() == [0, 1]
    assert of.on_for_some.tolist() == [1]
    assert of.distinguishing.tolist() == [0]
    assert replace(of, active=np.array([0.5, 0.1, 0.1])).on_for_some.tolist() == [1]
    assert replace(of, anomalous=np.zeros(3, bool)).distinguishing.tolist() == []


def test_a_unit_that_training_wants_lower_is_not_anomalous() -> None:
    got = subpopulations(planted(), "hidden", WANTED - 3, [half(0), half(1)], drawn(2, 500)[0])
    assert not got.anomalous.any()


def test_the_images_are_those_of_the_class_and_of_the_digits_that_it_fires_for(
    found: Subpopulations,
) -> None:
    (digits, bright), (learned, early) = drawn(0), drawn(2, 500)
    sevens = digits.labels == 7
    assert found.images.shape == (3, 3, 28, 28)
    plain, rectified, wanted = found.images[0]
    assert np.allclose(plain, digits.images[sevens, 0].mean(0), atol=1e-6)
    assert np.allclose(rectified, digits.images[torch.from_numpy(bright), 0].mean(0), atol=1e-6)
    assert np.allclose(wanted, learned.images[torch.from_numpy(early), 0].mean(0), atol=1e-5)
    assert rectified[0, 0] == pytest.approx(1)
    threes = digits.images[digits.labels == 3, 0].mean(0)
    assert np.allclose(found.images[2, :2], threes, atol=1e-6)


def test_the_concept_that_it_fires_for_is_named(found: Subpopulations) -> None:
    assert found.concept[0] == "crossed-7"
    assert found.auc[0] == 1
    assert found.concept[1] in ("hooked-7", "thick")  # it is off for the crossed ones


def test_the_gradient_comes_from_the_digits_that_it_is_on_for(found: Subpopulations) -> None:
    assert found.of.tolist() == [50, 50, 50]
    assert found.effective == pytest.approx([10, 40, 50], rel=1e-4)


def test_the_name_is_chosen_on_discovery_and_judged_on_confirmation() -> None:
    (first, told), (second, _) = half(0), half(1)
    bright = drawn(1)[1]
    sevens = second.labels.numpy() == 7
    noisy = sevens & (bright ^ some(N, 0.2, 5))
    _, _, hooked, crossed, *_ = told.present().T
    discovery = measured(hooked_7=hooked, crossed_7=crossed)
    confirmation = measured(hooked_7=bright, crossed_7=noisy)  # hooked 7s would now be told best
    got = subpopulations(
        planted(),
        "hidden",
        WANTED,
        [(first, discovery), (second, confirmation)],
        drawn(2, 500)[0],
    )
    assert got.concept[0] == "crossed-7"
    assert got.auc[0] == pytest.approx(roc_auc_score(noisy[sevens], bright[sevens]))
    assert 0.6 < got.auc[0] < 0.95


@pytest.mark.parametrize("few", ["discovery", "confirmation"])
def test_a_concept_of_too_few_digits_is_not_named(few: str) -> None:
    halves = []
    for seed, name in enumerate(("discovery", "confirmation")):
        digits, bright = drawn(seed)
        if name == few:
            bright[np.flatnonzero(bright)[29:]] = False
        halves.append((digits, measured(crossed_7=bright)))
    got = subpopulations(planted(), "hidden", WANTED, halves, drawn(2, 500)[0])
    assert got.concept.tolist() == ["", "", ""]
    assert got.auc.tolist() == [0.5, 0.5, 0.5]


def test_the_effective_size_and_the_gradients_image_are_those_by_hand(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    learned, _ = drawn(2, 500)
    sevens = torch.arange(500)[learned.labels == 7]
    gradients = np.zeros((500, 3), np.float32)
    gradients[sevens[:3], 0] = 3, -1, 1
    gradients[sevens[3], 1] = 5
    gradients[learned.labels != 7, 0] = 100  # of other classes: of no account
    monkeypatch.setattr(core.analyses.subpopulations, "unit_gradients", lambda *given: gradients)
    got = subpopulations(planted(), "hidden", WANTED, [half(0), half(1)], learned)
    assert got.effective == pytest.approx([25 / 11, 1, 0])
    shown = learned.images[sevens, 0]
    assert np.allclose(got.images[0, 2], (3 * shown[0] + shown[2]) / 4, atol=1e-6)
    assert np.allclose(got.images[1, 2], shown[3], atol=1e-6)
    assert (got.images[2, 2] == 0).all()


class Maps(nn.Module):
    """Two maps of the image: its grey less 0.6, and 0.6 less its grey."""

    layers = ("conv", "out")

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.out = nn.Conv2d(1, 2, 1), nn.Linear(2 * 784, 10)
        with torch.no_grad():
            self.conv.weight[:, 0, 0, 0] = torch.tensor([1.0, -1.0])
        self.conv.bias = nn.Parameter(torch.tensor([-0.6, 0.6]))
        self.requires_grad_(False).eval()

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.out(self.conv(images).relu().flatten(1))
        return logits


def test_of_a_map_the_mean_over_positions_counts() -> None:
    intent = np.zeros((2, 10), np.float32)
    intent[:, 4] = 1
    got = subpopulations(Maps(), "conv", intent, [half(0), half(1)], drawn(2, 500)[0])
    digits, _ = drawn(0)
    means = digits.images[digits.labels == 4].mean((1, 2, 3)).numpy() - 0.6
    assert (means < 0).all()  # though each map has pixels above 0
    assert got.mean == pytest.approx([means.mean(), -means.mean()], abs=1e-5)
    assert got.active.tolist() == [0, 1]
    assert got.anomalous.tolist() == [True, False]
    assert got.quantiles[0] == pytest.approx(np.quantile(means, LEVELS), abs=1e-5)


def test_all_of_it_is_kept_and_comes_back(found: Subpopulations) -> None:
    assert_same(again(found), found)
