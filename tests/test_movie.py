"""The film of a training, against its weights step by step, and pictures whose tones are known."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from core.analyses.gradients import Intent, activation_rows
from core.analyses.movie import ROWS, SCALE, Film, Recorder, due, ink, order_of
from core.data import DataSet
from core.models.inspectable import Inspectable
from core.models.registry import build
from core.training import Step, train
from tests.labs import again, assert_same
from tests.test_gradients import Softmax

BATCHES = 6  # two an epoch
LAYERS = ("conv_0", "conv_1", "linear_0", "linear_1", "linear_2")


@dataclass
class Take:
    """A film, and what was seen while it was taken: every batch's weights and intent."""

    watched: DataSet
    model: Inspectable
    film: Film
    weights: list[dict[str, Tensor]] = field(default_factory=list)
    wanted: list[dict[str, NDArray[np.float32]]] = field(default_factory=list)
    pictures: dict[str, NDArray[np.float32]] = field(default_factory=dict)

    def after(self, batches: int) -> Inspectable:
        """The model as it was then, from its weights alone."""
        model = build("lenet5")
        if batches:
            model.load_state_dict(self.weights[batches - 1])
        return model.eval().requires_grad_(False)


def filmed(digits: DataSet) -> Take:
    """LeNet-5 on 500 digits, watched on others."""
    watched = digits.take(slice(500, 620))
    seen: list[Any] = []
    with Recorder(watched, BATCHES) as recorder:
        recorder.begin(build("lenet5").eval())

        def on_step(step: Step) -> None:
            recorder.batch(step.number, step.loss, step.model, step.intent)
            state = {name: value.clone() for name, value in step.model.state_dict().items()}
            seen.append((state, step.intent.scalars, step.intent.pictures))

        model = train("lenet5", digits.take(slice(500)), epochs=3, on_step=on_step, pictures=True)
        film = recorder.cut()
    weights, wanted, pictures = (list(of) for of in zip(*seen, strict=True))
    return Take(watched, model, film, weights, wanted, pictures[-1])


@pytest.fixture(scope="module")
def take(strokes: DataSet) -> Take:
    return filmed(strokes)


def tones(file: bytes) -> NDArray[np.float64]:
    """What an image file shows."""
    return np.asarray(Image.open(io.BytesIO(file)).convert("L"), np.float64)


# What a film holds


def test_every_batch_is_a_frame_of_numbers_and_some_are_of_pictures(take: Take) -> None:
    assert take.film.frames.tolist() == [0, 1, 2, 3, 4, 6]
    assert take.film.loss.tolist() == take.model.history.loss
    assert set(take.film.scalars) == set(LAYERS)
    assert set(take.film.sheets) == {(layer, row) for layer in LAYERS for row in ROWS}
    for layer in take.model.described:
        assert take.film.scalars[layer.name].shape == (BATCHES, layer.units, 10)
        for row in ROWS:
            assert len(take.film.sheets[layer.name, row]) == 6
            shape = tones(take.film.sheets[layer.name, row][0]).shape
            assert shape == (28 * layer.units, 28 * 10)


def test_the_numbers_are_those_of_the_training(take: Take) -> None:
    for layer in LAYERS:
        wanted = np.stack([of[layer] for of in take.wanted])
        kept = take.film.scalars[layer]
        step = np.abs(wanted).max() / 127
        assert kept.dtype == np.int8
        assert np.abs(kept).max() == 127
        assert np.abs(kept * step - wanted).max() < 0.6 * step
        assert np.abs(kept[-1] * step - take.model.history.intent[layer]).max() < 0.6 * step


def test_the_last_activations_are_those_of_the_trained_model(take: Take) -> None:
    for row, rectify in (("activation", 0), ("rectified", 1)):
        rows = activation_rows(
            take.model, take.watched.images, take.watched.labels, rectify=rectify
        )
        for layer in LAYERS:
            assert np.array_equal(take.film.last[layer, row], rows[layer])


def test_the_last_gradients_are_those_of_the_training(take: Take) -> None:
    for layer in LAYERS:
        own = take.film.last[layer, "gradient"]
        assert own.shape[1:] == (10, 28, 28)
        assert np.array_equal(own.reshape(*own.shape[:2], 784), take.pictures[layer])


def test_accuracy_is_that_of_the_weights_at_each_frame(take: Take) -> None:
    assert take.film.accuracy.shape == (6, 10)
    labels = take.watched.labels.numpy()
    for at, frame in enumerate(take.film.frames):
        said = take.after(int(frame))(take.watched.images).argmax(1).numpy()
        expected = [(said[labels == c] == c).mean() for c in range(10)]
        assert take.film.accuracy[at] == pytest.approx(expected)
    assert take.film.accuracy[-1].mean() > take.film.accuracy[0].mean()


@pytest.mark.parametrize("layer", ["conv_1", "linear_2"])
def test_any_frame_can_be_made_again_from_the_weights_of_its_batch(take: Take, layer: str) -> None:
    images, labels = take.watched.images, take.watched.labels
    rows = [activation_rows(take.after(int(k)), images, labels)[layer] for k in take.film.frames]
    scale = SCALE * float(np.sqrt(np.mean([of.var() for of in rows])))
    order = take.film.order(layer)
    for file, own in zip(take.film.sheets[layer, "activation"], rows, strict=True):
        shown, expected = tones(file), ink(own[order], scale).astype(float)
        assert np.abs(shown - expected).mean() < 4
        assert expected.std() < 4 or np.corrcoef(shown.ravel(), expected.ravel())[0, 1] > 0.9


# Taking it changes nothing, and it can be taken again


def test_the_same_seed_gives_the_same_film(take: Take, strokes: DataSet) -> None:
    assert_same(filmed(strokes).film, take.film)


def test_a_filmed_training_is_the_training(take: Take, strokes: DataSet) -> None:
    plain = train("lenet5", strokes.take(slice(500)), epochs=3).state_dict()
    assert all(torch.equal(plain[name], of) for name, of in take.model.state_dict().items())


def test_a_film_is_kept_and_comes_back(take: Take) -> None:
    back = again(take.film)
    assert back.sheets == take.film.sheets
    for part in ("frames", "loss", "accuracy"):
        assert np.array_equal(getattr(back, part), getattr(take.film, part))
    for part in ("scalars", "last"):
        mine, other = getattr(take.film, part), getattr(back, part)
        assert mine.keys() == other.keys()
        assert all(np.array_equal(of, other[key]) for key, of in mine.items())


# When pictures are taken


@pytest.mark.parametrize("total", [1, 2, 5, 63, 64, 65, 128, 500, 1800])
def test_pictures_are_dense_at_first_and_never_far_apart(total: int) -> None:
    steps = sorted(due(total))
    assert steps[0] == 1
    assert steps[-1] == total
    assert set(range(1, min(4, total) + 1)) <= set(steps)
    gaps = np.diff([0, *steps])
    assert gaps.max(initial=0) <= 64
    assert all(gap <= max(1, before) for gap, before in zip(gaps, [0, *steps], strict=False))
    assert len(steps) <= 14 + total / 64


def test_the_batches_of_the_pictures_are_these() -> None:
    assert sorted(due(200)) == [1, 2, 3, 4, 6, 8, 11, 16, 23, 32, 45, 64, 128, 192, 200]
    assert due(7) == {1, 2, 3, 4, 6, 7}


# Tones


@pytest.mark.parametrize(
    ("value", "tone"),
    [(0, 128), (2, 0), (-2, 255), (1, 64), (-1, 191), (2.1, 0), (600, 0), (-2.1, 255), (-600, 255)],
)
def test_more_is_darker_and_beyond_the_scale_nothing_wraps_around(value: float, tone: int) -> None:
    assert abs(int(ink(np.full((1, 1, 28, 28), value), 2.0)[3, 4]) - tone) <= 1


def test_each_row_is_a_unit_and_each_column_a_class() -> None:
    values = np.random.default_rng(0).normal(size=(3, 10, 28, 28)).astype(np.float32)
    sheet = ink(values, 2.0)
    assert sheet.dtype == np.uint8
    assert sheet.shape == (84, 280)
    for unit in range(3):
        for label in range(10):
            place = sheet[28 * unit : 28 * unit + 28, 28 * label : 28 * label + 28]
            expected = (127.5 - 127.5 * values[unit, label] / 2).clip(0, 255)
            assert np.abs(place - expected).max() < 0.51


# Pictures that are known: flat ones, of softmax regression


def flat(values: NDArray[np.float32]) -> Intent:
    """An intent whose pictures are the flat `values` (units, classes), and its numbers too."""
    pictures = np.repeat(values[:, :, None], 784, axis=2)
    return cast(Intent, SimpleNamespace(scalars={"fc": values}, pictures={"fc": pictures}))


def shown(film: Film, frame: int) -> NDArray[np.float64]:
    """(units, classes): by how much each gradient picture of a frame is darker than grey."""
    sheet = tones(film.sheets["fc", "gradient"][frame])
    found: NDArray[np.float64] = 127.5 - sheet.reshape(10, 28, 10, 28).mean((1, 3))
    return found


def recorded(*frames: NDArray[np.float32]) -> Film:
    """A film of these pictures."""
    digits = DataSet(torch.rand(20, 1, 28, 28), torch.arange(20) % 10, "strokes", "test")
    with Recorder(digits, len(frames)) as recorder:
        for number, values in enumerate(frames, start=1):
            recorder.batch(number, 1.0 / number, Softmax(), flat(values))
        return recorder.cut()


def test_all_frames_are_on_one_scale() -> None:
    values = np.random.default_rng(1).choice([-1, 1], (10, 10)).astype(np.float32)
    film = recorded(values, values * np.float32(0.5))
    whole, half = shown(film, 0), shown(film, 1)
    expected = values[film.order("fc")]
    scale = SCALE * np.sqrt((values.var() + values.var() / 4) / 2)
    assert np.abs(whole - 127.5 * expected / scale).max() < 4
    assert np.abs(half - whole / 2).max() < 4
    assert np.abs(whole).min() > 25


def test_units_stand_in_the_order_of_the_last_frame() -> None:
    first = np.eye(10, dtype=np.float32)
    moved = np.roll(first, 3, axis=0)  # unit u is wanted on class u - 3
    film = recorded(first, moved)
    assert film.order("fc").tolist() == [3, 4, 5, 6, 7, 8, 9, 0, 1, 2]
    assert shown(film, 1).argmax(1).tolist() == list(range(10))
    assert shown(film, 0).argmax(1).tolist() == film.order("fc").tolist()


def test_a_film_of_nothing_is_grey() -> None:
    film = recorded(np.zeros((10, 10), np.float32))
    assert (film.scalars["fc"] == 0).all()
    assert np.abs(shown(film, 0)).max() < 2


def test_units_are_ordered_by_class_and_then_by_size() -> None:
    scalars = np.array([[1, 5], [7, 2], [3, 127], [4, -128], [-128, -127]], np.int8)
    assert order_of(scalars).tolist() == [1, 3, 2, 0, 4]


def test_the_preferred_class_is_that_of_the_frames_batch() -> None:
    scalars = np.array([[[1, 0, 9]], [[5, 1, 0]], [[0, 7, -8]]], np.int8)
    nothing = np.zeros(0)
    film = Film(np.array([0, 1, 3]), nothing, nothing, {"fc": scalars}, {}, {})
    assert film.preferred("fc").tolist() == [[2], [2], [1]]
    assert film.order("fc").tolist() == [0]
