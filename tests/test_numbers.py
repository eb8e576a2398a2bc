"""A number of any library does where one is meant, and what is none is named before the work."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from core.activations import check_unit, collect, run
from core.analyses.counterfactuals import drawn_pairs
from core.analyses.dissection import dissect
from core.analyses.gradients import unit_gradients
from core.analyses.labelling import score_card
from core.analyses.maximize import Channel, Fourier, Neuron, Settings, maximize
from core.architectures.mixture import gate_report, report_of, shared
from core.architectures.mixture.gate_map import corners, gate_map
from core.architectures.mixture.interventions import alone
from core.claims import ask
from core.data import DataSet
from core.data.strokes import draw, generate
from core.interventions.bootstrap import Resamples
from core.interventions.donors import within_groups as donors
from core.interventions.removal import Removal
from core.interventions.search import greedy, random_orders
from core.interventions.shapley import shapley
from core.models.registry import build
from core.statistics.modes import find_layer, find_modes
from core.units import UnitId
from tests.digits import drawn_digits

KINDS: dict[str, Callable[[int], Any]] = {
    "NumPy": np.int64,
    "NumPy, small": np.int8,
    "an array": np.array,
    "torch": torch.tensor,
    "a float": float,
    "torch, a float": lambda number: torch.tensor(float(number)),
}
NOT_ONE = (None, "3", True, 3.5, float("nan"), np.array([3, 4]), torch.tensor(True))


@pytest.fixture(scope="module")
def few() -> DataSet:
    return drawn_digits().take(slice(300))


@pytest.fixture(scope="module")
def model() -> Any:
    return build("lenet5").eval().requires_grad_(False)


@pytest.fixture(scope="module")
def mixture() -> Any:
    return build("mixture").eval().requires_grad_(False)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_claim_takes_numbers_of_any_library(few: DataSet, model: Any, kind: Any) -> None:
    def card(of: Any) -> Any:
        units = [("linear_0", of(3)), (np.str_("linear_0"), of(5))]
        return ask(
            model,
            few,
            units,
            "class-7",
            seed=of(2),
            controls=of(4),
            draws=of(20),
            operator="resample",
            baselines=False,
        )

    own, plain = card(kind), card(int)
    assert json.loads(own.to_json()) == json.loads(plain.to_json())
    assert [type(unit) for unit in own.units] == [int, int]
    assert (own.units, type(own.seed)) == ((3, 5), int)


def test_units_ranked_by_numpy_are_asked_about(few: DataSet, model: Any) -> None:
    best = np.argsort(np.arange(120.0)[::-1])[:2]
    card = ask(
        model, few, [("linear_0", u) for u in best], "class-7", controls=2, draws=5, baselines=False
    )
    assert json.loads(card.to_json())["units"] == [118, 119]


def test_one_unit_may_be_given_by_its_name_alone(few: DataSet, model: Any) -> None:
    for unit in ("lenet5/linear_0/3", UnitId("lenet5", "linear_0", 3)):
        few_draws = {"controls": 2, "draws": 5, "baselines": False}
        assert ask(model, few, unit, "class-7", **few_draws).units == (3,)  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", NOT_ONE, ids=str)
@pytest.mark.parametrize("name", ["seed", "controls", "draws", "unit"])
def test_a_claim_names_what_is_no_number_before_the_work(model: Any, name: str, wrong: Any) -> None:
    units = [("linear_0", wrong if name == "unit" else 3)]
    settings = {} if name == "unit" else {name: wrong}
    with pytest.raises(ValueError, match=rf"{name} is `.*`: give a whole number"):
        ask(model, None, units, "class-7", **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_unit_has_a_plain_number(model: Any, kind: Any) -> None:
    unit = UnitId("lenet5", "linear_0", kind(58))
    assert (unit, type(unit.index)) == (UnitId.parse("lenet5/linear_0/58"), int)
    assert repr(check_unit(model, ("linear_0", kind(58)))) == "('linear_0', 58)"
    assert check_unit(model, "lenet5/linear_0/58") == ("linear_0", 58)


@pytest.mark.parametrize("wrong", [*NOT_ONE, -1], ids=str)
def test_a_unit_without_a_number_is_refused(wrong: Any) -> None:
    with pytest.raises(ValueError, match=r"the index of a unit is `.*`: give a whole number"):
        UnitId("lenet5", "linear_0", wrong)


def test_a_unit_with_a_number_of_thousands_of_digits_is_refused_in_a_short_sentence() -> None:
    with pytest.raises(ValueError, match=r"is not a unit: write model/layer/index") as error:
        UnitId.parse("lenet5/linear_0/1" + "0" * 5000)
    assert len(str(error.value)) < 160


@pytest.mark.parametrize("wrong", [None, 3, ("linear_0",), ("linear_0", 1, 2), np.arange(2)])
def test_what_names_no_unit_is_refused(model: Any, wrong: Any) -> None:
    with pytest.raises(ValueError, match="is not a unit: give a pair"):
        check_unit(model, wrong)


@pytest.mark.parametrize("value", [np.float32(1.5), np.array(1.5), torch.tensor(1.5)], ids=repr)
def test_an_edit_takes_numbers_of_any_library(few: DataSet, model: Any, value: Any) -> None:
    plain = run(model, few.images[:9], {("linear_0", 3): 1.5})
    assert torch.equal(run(model, few.images[:9], {("linear_0", np.int64(3)): value}), plain)


@pytest.mark.parametrize("wrong", [None, True, "men", float("nan"), np.array([1.0, 2.0])], ids=str)
def test_what_is_no_edit_is_named(few: DataSet, model: Any, wrong: Any) -> None:
    with pytest.raises(ValueError, match=r"is not an edit: give a finite number"):
        run(model, few.images[:9], {("linear_0", 3): wrong})


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_activations_are_collected_in_batches_of_any_kind_of_number(
    few: DataSet, model: Any, kind: Any
) -> None:
    plain = collect(model, few.images[:9], "linear_0")
    torch.testing.assert_close(collect(model, few.images[:9], "linear_0", batch=kind(4)), plain)
    assert run(model, few.images[:9], batch=kind(4)).shape == (9, 10)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_climb_takes_numbers_of_any_library(few: DataSet, model: Any, kind: Any) -> None:
    def climbed(of: Any, natural: Any) -> torch.Tensor:
        settings = {"steps": of(3), "seed": of(2), "jitter": of(1), "radius": of(4)}
        return maximize(model, [("linear_0", of(3))], natural=natural, **settings).images

    natural = few.images[:50]
    assert torch.equal(climbed(kind, natural.numpy()), climbed(int, natural))


@pytest.mark.parametrize(
    "made",
    [
        lambda of: Settings(steps=of(3), jitter=of(1), seed=of(2), radius=of(4)),
        lambda of: (Neuron(of(3), of(3)), Channel() * of(2), Fourier(decay=of(1)).decay),
        lambda of: corners(of(3)).tolist(),
        lambda of: generate(of(3), seed=of(2)).images.tolist(),
        lambda of: draw([3], seed=of(2), thickness=of(2), slant=of(0)).images.tolist(),
        lambda of: drawn_pairs("crossbar", of(3), seed=of(2)).present.tolist(),
        lambda of: random_orders(of(3), of(2), of(1)).tolist(),
        lambda of: shapley(lambda who: float(who.sum()), of(3), of(2), seed=of(1))[0].tolist(),
        lambda of: donors(np.zeros(5), of(3)).tolist(),
        lambda of: shared([0, 1, 1, 0], [0, 1, 0, 1], of(3)),
        lambda of: gate_map(np.eye(3), (of(0), of(2), of(1))).order,
        lambda of: build("mlp", of(3)).linear_0.weight.detach().tolist(),
        lambda of: find_modes(np.linspace(0, 1, 60) ** 2, seed=of(3), width=of(1)).modes,
    ],
)
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_number_is_the_same_in_any_library(made: Callable[[Any], Any], kind: Any) -> None:
    assert repr(made(kind)) == repr(made(int))


SEEDED: dict[str, Callable[[Any, Any, DataSet, Any], object]] = {
    "maximize": lambda m, mix, d, s: maximize(m, [("linear_0", 1)], natural=d.images, seed=s),
    "dissect": lambda m, mix, d, s: dissect(m, d, "conv_0", ["ink"], seed=s),
    "gate_report": lambda m, mix, d, s: gate_report(mix, d, seed=s),
    "report_of": lambda m, mix, d, s: report_of(np.eye(3), np.arange(3), seed=s),
    "build": lambda m, mix, d, s: build("mlp", s),
    "find_modes": lambda m, mix, d, s: find_modes(np.arange(60.0), seed=s),
    "find_layer": lambda m, mix, d, s: find_layer(np.zeros((60, 2)), seed=s),
    "Resamples": lambda m, mix, d, s: Resamples(np.zeros(5, int), 3, s),
    "Removal": lambda m, mix, d, s: Removal(m, d, "linear_0", "resample", seed=s),
    "score_card": lambda m, mix, d, s: score_card(*[np.zeros((9, 1), np.float32)] * 4, seed=s),
    "generate": lambda m, mix, d, s: generate(3, seed=s),
    "drawn_pairs": lambda m, mix, d, s: drawn_pairs("crossbar", 3, seed=s),
}


@pytest.mark.parametrize("wrong", [*NOT_ONE, -1, 2**63], ids=str)
@pytest.mark.parametrize("call", SEEDED.values(), ids=SEEDED)
def test_a_seed_that_is_none_is_named_at_once(
    model: Any, mixture: Any, few: DataSet, call: Any, wrong: Any
) -> None:
    with pytest.raises(ValueError, match=r"^seed is `.*`: give a whole number from 0 to"):
        call(model, mixture, few, wrong)


def test_other_numbers_that_are_none_are_named(few: DataSet, model: Any, mixture: Any) -> None:
    removal = Removal(model, few, "linear_0")
    for call, said in (
        (lambda: removal.without([3.5]), "the index of a unit is `3.5`"),
        (lambda: greedy(removal, 7.5, 2), "label is `7.5`"),
        (lambda: greedy(removal, 7, "2"), "count is `2`"),
        (lambda: alone(mixture, few.images, None), "expert is `None`"),
        (lambda: dissect(model, few, "conv_0", ["ink"], level="0.1"), "level is `0.1`"),
        (lambda: find_modes(np.arange(60.0), width="1"), "width is `1`"),
        (lambda: find_modes(np.arange(60.0), width=0), "width is `0`"),
        (lambda: Settings(steps="3"), "steps is `3`"),
        (lambda: collect(model, few.images, "linear_0", batch=0), "batch is `0`"),
    ):
        with pytest.raises(ValueError, match=said):
            call()


def test_values_of_any_kind_have_the_same_modes() -> None:
    whole = np.random.default_rng(0).integers(0, 50, 300)
    plain = find_modes(whole.astype(float), sensitive=False)
    for given in (
        whole,
        whole.tolist(),
        whole.astype(np.float32),
        whole.astype(object),
        torch.tensor(whole),
        torch.tensor(whole, dtype=torch.bfloat16),
        torch.tensor(whole, dtype=torch.float32, requires_grad=True),
        list(torch.tensor(whole)),
    ):
        assert repr(find_modes(given, sensitive=False)) == repr(plain)


@pytest.mark.parametrize("wrong", [["a"] * 60, ["1"] * 60, [1j] * 60, [[1], [1, 2]]])
def test_values_that_are_no_numbers_are_named(wrong: Any) -> None:
    with pytest.raises(ValueError, match=r"values are `.*`: give numbers"):
        find_modes(wrong)
    with pytest.raises(ValueError, match=r"values are `.*`: give numbers"):
        find_layer([[each] for each in wrong])


def test_labels_of_any_kind_have_the_same_gradients(few: DataSet, model: Any) -> None:
    images, labels = few.images[:20], few.labels[:20]
    plain = unit_gradients(model, images, labels, "linear_0")
    for given in (labels.numpy(), labels.tolist(), labels.int(), labels.to(torch.uint8)):
        np.testing.assert_array_equal(unit_gradients(model, images, given, "linear_0"), plain)
    np.testing.assert_array_equal(unit_gradients(model, images, labels.float(), "linear_0"), plain)
    with pytest.raises(ValueError, match=r"labels are `torch\.float32`: give whole numbers"):
        unit_gradients(model, images, labels + 0.5, "linear_0")
