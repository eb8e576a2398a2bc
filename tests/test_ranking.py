"""Ranks are whole and half numbers in double precision, whatever SciPy makes of single ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import rankdata
from sklearn.metrics import roc_auc_score

from core import statistics
from core.statistics import auc_by_class, frequency_bins, middle_ranks
from core.statistics.ranking import Answers, auc_interval, average_precision, within_classes

KINDS = (np.float32, np.float16, np.float64, np.int64, np.uint8)


@pytest.fixture(autouse=True, params=["as it is", "as SciPy 1.18 has it"])
def _scipy(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """SciPy 1.18 gives ranks in the type of the values; 2**24 and more are then no longer whole."""

    def single(values: Any, axis: int | None = None) -> Any:
        given = np.asarray(values)
        kind = given.dtype if given.dtype.kind == "f" else np.float64
        return rankdata(given.astype(np.float64), axis=axis).astype(kind)

    if request.param != "as it is":
        monkeypatch.setattr(statistics, "rankdata", single)


@pytest.mark.parametrize("kind", KINDS)
def test_ranks_are_double_whatever_the_values_are(kind: type) -> None:
    values = np.random.default_rng(0).integers(0, 200, (5000, 2)).astype(kind)
    ranks = middle_ranks(values)
    assert ranks.dtype == np.float64
    np.testing.assert_array_equal(ranks.sum(0), 5000 * 5001 / 2)  # half ranks above 2,048 are lost
    np.testing.assert_array_equal(ranks, middle_ranks(values.astype(np.float64)))  # to float16
    np.testing.assert_array_equal(middle_ranks(values.T, -1), ranks.T)


@pytest.mark.parametrize("kind", KINDS)
def test_what_rests_on_ranks_is_the_same_for_every_kind_of_number(kind: type) -> None:
    generator = np.random.default_rng(1)
    values = generator.integers(0, 200, (3000, 2)).astype(kind)
    labels = generator.integers(0, 10, 3000)
    present = labels[:, None] == np.arange(3)
    answers, plain = Answers.of(values), Answers.of(values.astype(np.float32))
    for name in ("ranks", "ties"):
        assert getattr(answers, name).dtype == np.float64
        np.testing.assert_array_equal(getattr(answers, name), getattr(plain, name))
    auc = answers.auc(present)
    assert auc[0, 1] == pytest.approx(roc_auc_score(present[:, 1], values[:, 0]), abs=1e-12)
    np.testing.assert_array_equal(auc, auc_by_class(values, labels, 10)[:, :3])
    np.testing.assert_array_equal(
        answers.average_precision(present), plain.average_precision(present)
    )
    np.testing.assert_array_equal(frequency_bins(values), frequency_bins(values.astype(float)))
    shares = within_classes(values[:, 0], labels)
    np.testing.assert_array_equal(shares, within_classes(values[:, 0].astype(float), labels))


def test_presence_as_numbers_is_presence() -> None:
    generator = np.random.default_rng(2)
    values, present = generator.random(50).astype(np.float32), generator.random(50) > 0.5
    drawn = np.ones((3, 50), np.float32)
    for kind in (int, float, np.uint8):
        given: Any = present.astype(kind)
        assert auc_interval(values, given, drawn) == auc_interval(values, present, drawn)
        np.testing.assert_array_equal(
            average_precision(values, given[:, None]), average_precision(values, present[:, None])
        )
