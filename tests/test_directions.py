"""A direction of a layer: its name, what it tells, what it is made of, and what maximizes it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from core.analyses.directions.described import concept_areas, fitted_on_fewer, shares
from core.analyses.directions.linear import Direction
from core.analyses.maximize import Along, maximize
from core.units import DirectionId
from tests.networks import built


def test_a_direction_is_named_for_its_concept() -> None:
    name = DirectionId.parse("lenet5/linear_0/crossed-7")
    assert name == DirectionId("lenet5", "linear_0", "crossed-7")
    assert str(name) == "lenet5/linear_0/crossed-7"


@pytest.mark.parametrize("text", ["lenet5/linear_0/58", "lenet5/linear_0", "crossed-7", "", 7])
def test_what_is_no_direction_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a direction: write model/layer/concept"):
        DirectionId.parse(text)


def test_concepts_are_told_within_their_class_where_there_are_others() -> None:
    labels = np.repeat([0, 1], 200)
    crossed = (np.arange(400) % 2 == 0) & (labels == 1)
    read = (labels + 0.1 * crossed).astype(np.float32)
    present = np.stack([labels == 1, crossed, np.arange(400) < 5], axis=1)
    found = concept_areas(read, present, labels, ("class-1", "crossed-1", "rare"))
    assert found["concept"].tolist() == ["class-1", "crossed-1"]
    assert found["auc"].tolist() == [1, 1]
    assert found["among"].tolist() == ["all digits", "its class"]
    assert found["digits"].tolist() == [200, 100]
    turned = concept_areas(-read, present, labels, ("class-1", "crossed-1", "rare"))
    assert turned["auc"].tolist() == [0, 0]


def test_more_digits_make_a_better_direction() -> None:
    random = np.random.default_rng(0)
    present = np.arange(1000) % 4 == 0
    values = (random.standard_normal((1000, 20)) + 0.7 * present[:, None]).astype(np.float32)

    def along(direction: Direction) -> float:
        return float(direction.unit_vector.sum() / np.sqrt(20))

    found = fitted_on_fewer(values, present, along)
    assert found.digits.tolist() == [10, 20, 50, 100, 200, 250]
    assert found.auc[-1] > 0.95 > found.auc[0]


def test_shares_are_those_of_weights_on_the_scale_of_each_unit() -> None:
    values = np.array([[1, 0, 5], [-1, 0, 5], [1, 4, 5], [-1, 4, 5]], np.float32)
    found = shares(Direction(np.array([2.0, -1.0, 9.0]), 0.0, 1.0), values)
    np.testing.assert_allclose(found, [0.5, -0.5, 0])  # 2 · 1, −1 · 2, and a constant
    assert shares(Direction(np.zeros(3), 0.0, 1.0), values).tolist() == [0, 0, 0]


def test_a_direction_of_one_unit_is_maximized_as_the_unit_is() -> None:
    model, axis = built("mlp"), torch.zeros(256)
    axis[0] = 1
    how = {"parameterization": "pixel", "steps": 8}
    along = maximize(model, [("linear_0", 0)], objective=Along(axis), **how)  # type: ignore[arg-type]
    unit = maximize(model, [("linear_0", 0)], **how)  # type: ignore[arg-type]
    torch.testing.assert_close(along.images, unit.images)
    assert along.activations.item() == pytest.approx(unit.activations.item())


def test_of_maps_the_maxima_count() -> None:
    maps = torch.arange(2 * 3 * 2 * 2.0).reshape(2, 3, 2, 2)
    found = Along(torch.tensor([1.0, 0, -1]))(maps, torch.zeros(2, dtype=torch.long))
    assert found.tolist() == [3 - 11, 15 - 23]
