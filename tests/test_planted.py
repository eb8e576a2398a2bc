"""Networks with a planted answer: it is what they say, and Ask finds it."""

from __future__ import annotations

from functools import cache

import pytest
import torch
from torch import Tensor

from bench.planted import asked, auroc, direction, planned
from core.data import DataSet
from core.data.concepts import Measured, measure
from core.data.strokes import generate
from core.models.planted import ANSWERS, CARRIERS, CONCEPT, INPUTS, Planted, planted
from core.models.registry import check, draw
from core.training import train
from tests.digits import drawn_digits
from tests.networks import built

WIDTHS = (48, 24, 24)


@cache
def learned_from() -> DataSet:
    """Digits to learn from."""
    drawn = generate(5000, seed=11)
    images, labels = torch.from_numpy(drawn.images)[:, None], torch.from_numpy(drawn.labels)
    return DataSet(images, labels, "strokes", "train", drawn.parts)


@cache
def concepts() -> Measured:
    digits = drawn_digits()
    images, labels = digits.images.numpy(), digits.labels.numpy()
    return measure(images, labels, [CONCEPT], parts=digits.parts)


@cache
def network(kind: str, seed: int = 0) -> Planted:
    settings = {"answer": kind, "widths": WIDTHS, "epochs": 12}
    model = train("planted", learned_from(), seed=seed, settings=settings)
    assert isinstance(model, Planted)
    return model


def right(model: Planted, layer: str, units: list[int] | Tensor) -> float:
    """The share of crossed sevens that is read right with units of a layer at 0.

    units: or a direction of the layer, of length 1, along which nothing is left.
    """
    digits = drawn_digits()
    crossed = torch.from_numpy(concepts().present()[:, 0])
    values = digits.images[crossed]
    for name, stage in model.stages().items():
        values = stage(values)
        if name == layer and isinstance(units, Tensor):
            values = values - torch.outer(values @ units, units)
        elif name == layer:
            values[:, units] = 0
    return float((values.argmax(1) == 7).float().mean())


@pytest.mark.parametrize("kind", ["single", "decoy"])
def test_one_unit_is_needed_and_no_other(kind: str) -> None:
    model = network(kind)
    unit, intact = model.carriers[0], right(model, CARRIERS, [])
    assert intact > 0.6
    assert right(model, CARRIERS, [unit]) < 0.2
    others = [each for each in range(WIDTHS[2]) if each != unit]
    assert min(right(model, CARRIERS, [each]) for each in others) > intact - 0.3


def test_nothing_reads_a_decoy_that_tells_crossed_sevens() -> None:
    model = network("decoy")
    decoy = model.carriers[1]
    assert not model.get_parameter("linear_3.weight")[:, decoy].any()
    crossed = torch.from_numpy(concepts().present()[:, 0])
    values = drawn_digits().images
    for stage in list(model.stages().values())[:3]:
        values = stage(values)
    there, elsewhere = values[crossed, decoy], values[~crossed, decoy]
    assert (there[:, None] > elsewhere).float().mean() > 0.95


def test_of_a_pair_each_is_enough() -> None:
    model = network("pair")
    intact = right(model, CARRIERS, [])
    assert all(right(model, CARRIERS, [unit]) > intact - 0.15 for unit in model.carriers)
    assert right(model, CARRIERS, model.carriers) < 0.2


def test_of_an_and_each_is_needed() -> None:
    model = network("and")
    assert right(model, INPUTS, []) > 0.5
    assert all(right(model, INPUTS, [unit]) < 0.2 for unit in model.joined)
    assert right(model, CARRIERS, model.carriers) < 0.2
    weights = model.get_parameter("linear_2.weight")[model.carriers[0]]
    assert weights.nonzero().flatten().tolist() == sorted(model.joined)


def test_of_a_rotation_the_direction_is_needed_and_no_unit() -> None:
    model = network("rotated")
    turned = model.turned.rotation
    torch.testing.assert_close(turned @ turned.T, torch.eye(WIDTHS[2]), atol=1e-5, rtol=0)
    intact = right(model, CARRIERS, [])
    assert right(model, CARRIERS, turned[:, model.carriers[0]]) < 0.3
    each = sorted(right(model, CARRIERS, [unit]) for unit in range(WIDTHS[2]))
    assert each[0] > 0.4, "in a layer of only 24, one has a large share of the direction"
    assert each[1] > intact - 0.3
    answer = planted(model)
    assert answer is not None
    assert not answer.roles


def test_ask_finds_what_was_planted() -> None:
    """The program in `bench/planted.py` asks 100 claims of larger networks."""
    digits, found = drawn_digits(), []
    for kind in ("single", "pair", "decoy", "and"):
        model = network(kind)
        claims = planned(model, 1)
        assert {claim.true for claim in claims} == {True, False}
        found += asked(model, claims, digits, concepts())
    assert auroc(found) >= 0.95
    assert direction(network("rotated"), digits, concepts()) > 0.9


def test_the_seed_draws_answer_and_units() -> None:
    drawn = [draw("planted", seed, {"widths": WIDTHS}) for seed in range(40)]
    answers = [planted(model) for model in drawn]
    assert {answer.kind for answer in answers if answer} == set(ANSWERS)
    again = planted(draw("planted", 7, {"widths": WIDTHS}))
    assert again == answers[7]
    places = {tuple(draw("planted", seed, {"answer": "single"}).places.tolist()) for seed in (1, 2)}
    assert len(places) == 2


def test_nothing_is_planted_elsewhere() -> None:
    assert planted(built("mlp")) is None
    with pytest.raises(ValueError, match="nothing is planted in mlp"):
        planned(built("mlp"))


def test_an_unknown_answer_is_said() -> None:
    with pytest.raises(ValueError, match="answer is `trio`: choose one of drawn, single, pair, de"):
        check("planted", settings={"answer": "trio"})


def test_digits_without_sevens_are_learned_too() -> None:
    digits = drawn_digits().take(slice(200))
    some = digits.take((digits.labels != 7).nonzero().flatten())
    model = train("planted", some, settings={"widths": WIDTHS, "epochs": 1})
    assert all(torch.isfinite(value).all() for value in model.parameters())
