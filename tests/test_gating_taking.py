"""What is said of a gate is chosen on one half and judged on the other, in planted cases."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from core.architectures.mixture import concept_table, report_of
from core.architectures.mixture.assignment import GateAssignment, with_before
from core.data import DataSet
from core.models.gated import Gated
from tests.networks import DEEP, MOVED, built


@pytest.fixture
def taken(strokes: DataSet) -> GateAssignment:
    """Expert 0 takes the 3s on discovery; on confirmation half of the 3s, and all 5s."""
    half = strokes.take(slice(200))
    labels = half.labels.numpy()
    first = (labels != 3).astype(int)
    second = np.where(labels == 5, 0, first)
    second[np.flatnonzero(labels == 3)[::2]] = 1
    reports = [report_of(np.eye(2)[experts], labels) for experts in (first, second)]
    table = pd.DataFrame()
    right = np.ones(200, dtype=bool)
    scores = np.zeros((200, 2), dtype=np.float32)
    return GateAssignment(*reports, reports[1], half, table, table, scores, right)


def test_an_experts_class_is_chosen_on_one_half_and_judged_on_the_other(
    taken: GateAssignment,
) -> None:
    rows = taken.specialties().set_index("expert")
    assert rows.loc[0, "group"] == 3, "the other half alone would have chosen 5"
    assert rows.loc[0, "share"] == pytest.approx(0.5, abs=0.06)
    judged = taken.confirmation.classes.set_index(["group", "expert"])
    assert rows.loc[0, "low"] == judged.loc[(3, 0), "low"]


def test_an_expert_that_takes_nothing_names_no_class(taken: GateAssignment) -> None:
    labels = taken.confirmation.labels
    alone = report_of(np.eye(2)[np.ones(len(labels), dtype=int)], labels)
    idle = replace(taken, discovery=alone)
    assert idle.specialties()["expert"].tolist() == [1]


def _flags(labels: np.ndarray, experts: np.ndarray, expert: int) -> np.ndarray:
    """A part that 60 % of the 7s of an expert have, and 5 % of the others."""
    random = np.random.default_rng(0)
    often = (labels == 7) & (experts == expert)
    return (random.random(len(labels)) < np.where(often, 0.6, 0.05)) & (labels == 7)


@pytest.mark.parametrize(("again", "confirmed"), [(0, True), (1, False)])
def test_a_concept_beyond_the_class_holds_only_if_both_halves_agree(
    taken: GateAssignment, again: int, confirmed: bool
) -> None:
    """On one half expert 0 takes the part; on the other it does too, or expert 1 does."""
    labels = np.repeat(np.arange(10), 300)
    experts = np.arange(3000) % 2
    tables = [
        concept_table(experts, labels, _flags(labels, experts, of)[:, None], ["part"], 2)
        for of in (0, again)
    ]
    found = replace(taken, concepts=with_before(tables[1], tables[0])).beyond_class()
    assert len(found) == 2
    assert (found["p"] < 0.05).all(), "both halves are far from chance"
    assert (found["confirmed"] == confirmed).all()
    assert np.sign(found.set_index("expert")["before"]).tolist() in ([1, -1], [-1, 1])


def test_digits_are_moved_in_training_only_where_the_network_learns_so(strokes: DataSet) -> None:
    images = strokes.images[:20]

    def seen(name: str) -> torch.Tensor:
        model = built(name)
        assert isinstance(model, Gated)
        return model.seen(images, torch.Generator().manual_seed(0))

    assert torch.equal(seen("mixture"), images)
    assert torch.equal(seen(DEEP), images)
    shifted = seen(MOVED)
    assert torch.equal(shifted, seen(MOVED))
    assert not torch.equal(shifted, images)
    inside = images[:, :, 8:20, 8:20]  # of each digit, found again up to 4 pixels away
    found = [
        any(
            torch.equal(moved[:, 8 + down : 20 + down, 8 + right : 20 + right], part)
            for down in range(-4, 5)
            for right in range(-4, 5)
        )
        for moved, part in zip(shifted, inside, strict=True)
    ]
    assert all(found)
