"""A claim in many trainings and specifications: a planted one holds in all, a null in few."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.charts.specifications import specification_curve
from core.claims.over_seeds.specifications import (
    COUNTS,
    HALVES,
    OPERATORS,
    THRESHOLDS,
    OverSeeds,
    Specified,
    specified,
)
from core.claims.over_seeds.task import OverSeedsTask, SpecifiedTask
from core.claims.trial import Claim, Half
from core.models.untrained import redrawn
from core.runs import Run
from tests.digits import drawn_digits
from tests.labs import SmallLab, again
from tests.test_ablation import digits_for, planted

CLAIM = Claim("hidden", (0,), "class-7", 7, "zero", 30, 100, 0)
WAYS = len(OPERATORS) * len(COUNTS) * len(HALVES)


def both() -> tuple[Half, Half]:
    """Two halves of digits of which the sevens are asked about."""
    digits = digits_for(500, noise=0.1), digits_for(400, noise=0.1, seed=1)
    first, other = (Half(of, (of.labels == 7).numpy()) for of in digits)
    return first, other


@pytest.fixture(scope="module")
def known() -> OverSeeds:
    halves = both()
    return OverSeeds(
        (0, 1), tuple(specified(planted(noise=seed), halves, CLAIM) for seed in (3, 4))
    )


@pytest.fixture(scope="module")
def null() -> OverSeeds:
    halves = both()
    networks = [redrawn(planted(), seed) for seed in range(2)]
    return OverSeeds((0, 1), tuple(specified(of, halves, CLAIM) for of in networks))


def test_every_way_of_testing_is_a_row(known: OverSeeds) -> None:
    table = known.table()
    assert len(table) == 2 * WAYS * len(THRESHOLDS)
    keys = ["seed", "operator", "units", "half", "threshold"]
    assert not table.duplicated(keys).any()
    assert table["loss"].is_monotonic_increasing
    assert len(known.usual()) == 2


def test_each_half_is_the_judge_of_its_own_rows(known: OverSeeds) -> None:
    first, other = both()
    judged = known.table().groupby("half")["digits"].unique()
    assert judged["discovery"].tolist() == [first.present.sum()]
    assert judged["confirmation"].tolist() == [other.present.sum()]


def test_a_planted_claim_holds_in_all(known: OverSeeds) -> None:
    assert known.supported()[:2] == (2, 2)
    assert known.share() == 1.0
    found = known.loss()
    assert found is not None
    assert found.mean == pytest.approx(known.usual()["loss"].mean())


def test_a_null_holds_in_at_most_5_percent(null: OverSeeds) -> None:
    assert null.supported()[0] == 0
    assert null.share() <= 0.05


def test_the_loss_of_digits_is_the_loss_of_the_table(known: OverSeeds) -> None:
    for seed, of in zip(known.seeds, known.found, strict=True):
        row = known.usual().set_index("seed").loc[seed]
        assert of.lost.mean() == pytest.approx(row["loss"])
        assert len(of.lost) == row["digits"]


def test_one_training_has_no_interval_over_trainings(known: OverSeeds) -> None:
    assert OverSeeds((0,), known.found[:1]).loss() is None


def test_few_digits_support_nothing(known: OverSeeds) -> None:
    few = [Specified(of.table.assign(digits=29), np.zeros(29)) for of in known.found]
    assert OverSeeds((0, 1), tuple(few)).share() == 0


def test_ten_trainings_are_kept_one_by_one(tmp_path: Path) -> None:
    lab = SmallLab(tmp_path, drawn_digits().take(slice(400)))
    run = Run.parse("strokes", "mlp widths=6,epochs=1", 4)
    task = OverSeedsTask(run, "linear_0", "class-7")
    first = SpecifiedTask(replace(run, seed=13), "linear_0", "class-7")
    kept = lab.result(first)
    for seed in range(4, 13):
        lab.give(replace(first, run=replace(run, seed=seed)), kept)
    found = lab.result(task)
    assert found.seeds == tuple(range(4, 14))
    assert found.found[-1].table.equals(lab.known(first).table)
    assert again(found.found[0]).table.equals(found.found[0].table)
    assert found.supported()[1] == 10
    assert specification_curve(found.table()).to_dict()["layer"]
