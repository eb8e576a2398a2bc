"""Settings: defaults, ranges, text, parameters by formula, and what each changes in a network."""

from __future__ import annotations

import hashlib
import random
from dataclasses import FrozenInstanceError, fields, replace
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy, gelu, linear

from core.activations import collect_layers
from core.data import DataSet
from core.models import MODELS, DataFormat, Descent, Settings, describe, parameters, title
from core.models.inspectable import Inspectable
from core.models.registry import build, check, draw
from core.models.settings import DIGITS, Dropout, Option
from core.runs import Run
from core.training import Step, steps_of, train
from core.training.descent import keep_largest
from tests.networks import KINDS

# SHA-256 of the names and weights of lenet5 with seed 0, as drawn before it had settings.
DRAWN = "167d74d57d50e21c8ce409fe23d4848a79816b60733bf601b06ab9eda79dd61e"
SMALL: dict[str, dict[str, Any]] = {
    "lenet5": {"widths": (3, 4, 12, 8)},
    "simple_cnn": {"widths": (3, 4)},
    "mlp": {"widths": (16, 8)},
    "lstm": {"width": 8},
    "gru": {"width": 8},
    "attention": {"width": 16},
    "multitask": {"widths": (16, 8)},
    "pairs": {"widths": (16, 8)},
    "mixture": {"width": 4},
    "planted": {"widths": (16, 8, 6)},
}


def some_value(option: Option, chance: random.Random) -> Any:
    """A value of the option, small enough for a quick network."""
    if option.kind is bool:
        return chance.random() < 0.5
    if option.choices:
        return chance.choice(option.choices)
    low, high = option.low or 0, min(option.high or 0, (option.low or 0) + 12)
    if option.kind is tuple:
        count = chance.randint(*option.count)
        return tuple(chance.randint(int(low), int(high)) for _ in range(count))
    if option.kind is float:
        return chance.choice([option.default, round(chance.uniform(low, high), 3)])
    return chance.randint(int(low), int(high))


def some_settings(name: str, seed: int) -> Settings:
    """Settings of an architecture, drawn; values that can't be together are drawn again."""
    chance = random.Random(f"{name} {seed}")
    while True:
        values = {option.name: some_value(option, chance) for option in MODELS[name].options()}
        try:
            found = MODELS[name].of(values)
            found.check_for(DIGITS)
        except ValueError:
            continue
        return found


EVERY = [(name, seed) for name in MODELS for seed in range(6)]


@pytest.mark.parametrize(("name", "seed"), EVERY)
def test_parameters_and_layers_are_those_of_the_network(name: str, seed: int) -> None:
    settings = some_settings(name, seed)
    model = draw(name, 1, settings).eval()
    assert settings.parameters() == sum(value.numel() for value in model.parameters())
    assert parameters(name, settings) == settings.parameters()
    assert settings.sizes(DIGITS)[0] == sum(value.numel() for value in model.weights().values())
    found = collect_layers(model, torch.rand(2, 1, 28, 28))
    assert tuple(found) == model.layers == tuple(layer.name for layer in describe(name, settings))
    for layer in describe(name, settings):
        assert found[layer.name].shape == (2, layer.units, *(layer.map or ()))
        assert layer.named is None or all(layer.named(unit) for unit in range(layer.units))
        model.get_submodule(layer.behind or layer.name)


@pytest.mark.parametrize(("name", "seed"), EVERY)
def test_text_gives_the_settings_back_and_is_one_for_equal_ones(name: str, seed: int) -> None:
    settings = some_settings(name, seed)
    text = settings.to_text()
    assert type(settings).from_text(text) == settings
    assert hash(type(settings).from_text(text)) == hash(settings)
    assert len({part.split("=")[0] for part in text.split(",")}) == text.count("=")
    reordered = ",".join(reversed(text.split(",")))
    assert type(settings).from_text(reordered).to_text() == text
    assert settings.in_words().count(" ") >= text.count("=")


def test_text_holds_what_is_not_at_its_default() -> None:
    of = MODELS["lenet5"]
    assert of().to_text() == of().in_words() == ""
    assert of.from_text("") == of()
    changed = of(activation="tanh", widths=[6, 16, 120, 42], l1=1e-5, dropout=0.5)  # type: ignore[call-arg]
    assert changed.to_text() == "widths=6-16-120-42,activation=tanh,dropout=0.5,l1=1e-05"
    assert of.from_text("widths=6-16-120-84,activation=relu") == of()
    assert MODELS["gru"].from_text("shuffled=yes,reset=before").to_text() == (
        "reset=before,shuffled=yes"
    )


def test_settings_in_words_for_titles() -> None:
    assert title("lenet5") == "LeNet-5 (Bau 2016)"
    assert title("som", {"rows": 10}) == "Self-organizing map, rows 10 cells"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("width=3", "`width` is not a setting of lenet5: choose widths, activation"),
        ("widths", "`widths` is no setting: write name=value"),
        ("widths=6-16", r"widths is `\[6, 16\]`: give 4 whole numbers, such as 6-16-120-84"),
        ("widths=6-16-120-0", "a number of widths is `0`: give a whole number from 1 to 512"),
        ("widths=6-16-120-٣", "a number of widths is `٣`: give a whole number"),
        ("widths=6-16-120-9999999999999999999", "give a whole number from 1 to 512"),
        ("activation=Relu", "activation is `Relu`: choose one of relu, leaky_relu, elu, gelu"),
        ("dropout=nan", "dropout is `nan`: give a number from 0.0 to 0.95"),
        ("dropout=1e999", "dropout is `1e999`: give a number"),
        ("dropout=0.5,dropout=0.6", "dropout is set twice"),
        ("epochs=1_0", "epochs is `1_0`: give a whole number from 1 to 200"),
        ("epochs= 3", "give a whole number"),
        ("epochs=3,", "`''` is no setting"),
        ("x" * 501, "settings are 501 characters: at most 500 are read"),
        ("<b>=1\n", "is not a setting of lenet5"),
        ("architecture=mlp", "`architecture` is not a setting"),
        ("options=1", "`options` is not a setting"),
    ],
)
def test_hostile_text_is_refused_by_one_sentence(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said) as caught:
        MODELS["lenet5"].from_text(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("lenet5", {"widths": 6}, "widths is `6`: give 4 whole numbers"),
        ("lenet5", {"widths": "6-16-120-84"}, "widths is `6-16-120-84`: give 4 whole numbers"),
        ("lenet5", {"activation": 3}, "activation is `3`: choose one of"),
        ("lenet5", {"activation": ["relu"]}, "choose one of relu"),
        ("lenet5", {"optimizer": "lion"}, "optimizer is `lion`: choose one of adadelta, adam, sgd"),
        ("lenet5", {"largest_weights": 44_191}, "largest_weights is `44191`: .* from 0 to 44190"),
        ("lenet5", {"largest_weights": -1}, "largest_weights is `-1`"),
        ("lenet5", {"seeds": 1}, "`seeds` is not a setting of lenet5"),
        ("lenet5", {"learning_rate": 0.0}, "learning_rate is `0.0`: give a number from 1e-05"),
        ("lstm", {"shuffled": "no"}, "shuffled is `no`: choose yes or no"),
        ("lstm", {"shuffled": 1}, "shuffled is `1`: choose yes or no"),
        ("attention", {"heads": 3}, "3 heads can't share a width of 64 evenly: choose a multiple"),
        ("mixture", {"experts": 4, "chosen": 5}, "5 of 4 experts can't be chosen: choose 1 to 4"),
        ("mixture", {"experts": 0}, "experts is `0`: give a whole number from 1 to 64"),
        ("mixture", {"layers": 3}, "layers is `3`: give a whole number from 1 to 2"),
        ("som", {"dropout": 0.5}, "`dropout` is not a setting of som: choose rows, columns, epoch"),
        ("lstm", {"dropout": 0.5}, "`dropout` is not a setting of lstm"),
    ],
)
def test_settings_that_are_none_are_said(name: str, values: dict[str, Any], said: str) -> None:
    for refused in (lambda: build(name, **values), lambda: check(name, settings=values)):
        with pytest.raises(ValueError, match=said) as caught:
            refused()
        assert "\n" not in str(caught.value)


def test_numbers_of_any_library_become_pythons_own() -> None:
    values = {"widths": np.array([6, 16, 120, 84]), "dropout": torch.tensor(0.5), "epochs": 3.0}
    found = check("lenet5", settings=values)
    assert found.to_text() == "dropout=0.5,epochs=3"
    assert found == check("lenet5", settings=found)
    with pytest.raises(FrozenInstanceError):
        found.epochs = 4  # type: ignore[misc]


def test_settings_of_another_architecture_are_refused() -> None:
    with pytest.raises(ValueError, match="settings are those of mlp: give those of lenet5"):
        check("lenet5", settings=MODELS["mlp"]())


def test_equal_trainings_have_equal_settings() -> None:
    lenet5, lstm, mixture = (MODELS[name] for name in ("lenet5", "lstm", "mixture"))
    assert lenet5.of({"learning_rate": 1.0}) == lenet5()
    assert lstm.of({"learning_rate": 8e-3}) == lstm()
    assert mixture.of({"experts": 4, "chosen": 4}) == mixture.of({"experts": 4})
    changed = lenet5.of({"optimizer": "adam"})
    assert isinstance(changed, Descent)
    assert changed.rate == 2e-3


@pytest.mark.parametrize("name", MODELS)
def test_a_form_can_be_made_of_the_options(name: str) -> None:
    of = MODELS[name]
    assert of.architecture == name
    options = of.options()
    assert {option.name for option in options} == {own.name for own in fields(of)}
    assert len({option.title for option in options}) == len(options)
    assert options[-1].name == "epochs"
    assert [option.name for option in options] == [option.name for option in of.options()]
    for option in options:
        assert option.title
        assert option.help.endswith(".")
        assert option.check(option.default) == option.default
        assert option.kind in (int, float, bool, str, tuple)
        bounded = option.low is not None and option.high is not None
        assert bounded or option.choices or option.kind is bool
        if option.default is not None:
            assert option.read(option.write(option.default)) == option.default


@pytest.mark.parametrize("text", KINDS)
def test_a_run_is_the_network_of_its_settings(text: str) -> None:
    run = Run.parse("strokes", text, 3)
    model, again = run.untrained(), draw(run.architecture, 3, run.settings)
    assert model.name == again.name == run.architecture
    assert model.settings == run.settings
    assert model.layers == tuple(layer.name for layer in run.layers)
    for one, other in zip(model.parameters(), again.parameters(), strict=True):
        assert torch.equal(one, other)
    assert run == Run("strokes", run.architecture, run.settings.to_text() and run.settings, 3)
    assert run.facts()["settings"] == run.settings.to_text()


def test_a_run_has_whole_settings_and_says_those_that_are_set() -> None:
    default = Run("mnist", "lenet5")
    assert default == Run("mnist", "lenet5", MODELS["lenet5"](), 0)
    assert str(default) == "lenet5 on mnist, seed 0"
    other = default.with_settings(dropout=0.5, activation="tanh")
    assert str(other) == "lenet5 (activation=tanh,dropout=0.5) on mnist, seed 0"
    assert other.with_settings(dropout=0.0, activation="relu") == default
    assert other.of_architecture("lenet5") == other
    assert (
        other.of_architecture("mlp") == Run("mnist", "mlp") == other.with_network(MODELS["mlp"]())
    )
    with pytest.raises(ValueError, match="settings are those of mlp"):
        Run("mnist", "lenet5", MODELS["mlp"]())
    with pytest.raises(ValueError, match="is not a model"):
        Run("mnist", "lenet6")
    with pytest.raises(ValueError, match="seed"):
        Run("mnist", "lenet5", seed=-1)


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 32), (1, 20, 36), (3, 64, 48)])
@pytest.mark.parametrize("classes", [10, 26])
@pytest.mark.parametrize("name", MODELS)
def test_other_images_and_classes(name: str, shape: tuple[int, int, int], classes: int) -> None:
    data = DataFormat(shape, classes)
    if name in ("attention", "capsules", "multitask", "pairs") and shape != (1, 28, 28):
        with pytest.raises(ValueError, match=rf"{name} reads images of the shape \(1, 28, 28\)"):
            build(name, shape=shape, classes=classes)
        return
    model = build(name, 1, shape=shape, classes=classes, **SMALL.get(name, {})).eval()
    assert model.settings.parameters(data) == sum(value.numel() for value in model.parameters())
    images = torch.rand(4, *shape)
    assert model(images).shape == (4, classes)
    for layer, values in collect_layers(model, images).items():
        described = next(of for of in model.described if of.name == layer)
        assert values.shape == (4, described.units, *(described.map or ()))
    loss = model.objective(images, torch.arange(4) + classes - 4)
    assert torch.isfinite(loss)
    portrait = model.portrait()
    assert portrait is None or portrait.shape[2:] == shape[1:]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"shape": (1, 15, 28)}, "images of 15 × 28 pixels are too small for lenet5: give at leas"),
        ({"shape": (28, 28)}, r"shape is `\(28, 28\)`: give \(channels, height, width\)"),
        ({"shape": 28}, "shape is `28`: give"),
        ({"shape": (0, 28, 28)}, "a side of the shape is `0`: give a whole number of at least 1"),
        ({"classes": 1}, "classes is `1`: give a whole number of at least 2"),
    ],
)
def test_images_that_no_network_reads_are_said(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        build("lenet5", **options)


def test_an_activation_stands_behind_each_hidden_layer() -> None:
    model, images = build("mlp", 2, widths=(9, 7, 5), activation="gelu").eval(), torch.rand(3, 784)
    values = images
    for at in range(4):
        values = model.get_submodule(f"linear_{at}")(values)
        values = gelu(values) if at < 3 else values
    torch.testing.assert_close(model(images.view(3, 1, 28, 28)), values)
    hidden = model.described[0]
    assert not hidden.rectified
    assert hidden.tap == "before the GELU"
    assert hidden.hidden_dense
    assert not model.described[-1].hidden_dense


def test_positions_and_heads_of_attention() -> None:
    plain, other = build("attention", 1), build("attention", 1, heads=8, positions=False)
    assert other.described[0].units == 8 * 17
    assert sum(p.numel() for p in plain.parameters()) - other.settings.parameters() == 16 * 64


# Training


@pytest.fixture(scope="module")
def few(strokes: DataSet) -> DataSet:
    return strokes.take(slice(500))


def nonzero(model: torch.nn.Module) -> int:
    """Weights that aren't zero, biases aside, counted independently."""
    found = [value for name, value in model.named_parameters() if not name.endswith("bias")]
    return sum(int((value != 0).sum()) for value in found)


@pytest.mark.parametrize("k", [1, 500, 40_000])
def test_exactly_k_weights_are_left_after_each_step(k: int, few: DataSet) -> None:
    counted: list[int] = []

    def count(step: Step) -> None:
        counted.append(nonzero(step.model))

    model = train("lenet5", few, epochs=2, settings={"largest_weights": k}, on_step=count)
    assert counted == [k] * 4
    assert nonzero(model) == k


def test_the_largest_are_kept() -> None:
    weights = [torch.tensor([[3.0, -1.0], [0.5, 2.0]]), torch.tensor([[-4.0, 1.0]])]
    keep_largest(weights, 3)
    assert weights[0].tolist() == [[3, 0], [0, 2]]
    assert weights[1].tolist() == [[-4, 0]]


def test_l1_is_added_to_the_loss_and_pulls(few: DataSet) -> None:
    def weight_sum(model: Inspectable) -> float:
        return sum(float(v.detach().abs().sum()) for v in model.weights().values())

    plain, pulled = (
        train("mlp", few, epochs=3, settings={"widths": (20,), "l1": l1}) for l1 in (0.0, 1e-3)
    )
    assert weight_sum(pulled) < 0.8 * weight_sum(plain)
    first = pulled.history.loss[0] - plain.history.loss[0]
    untrained = build("mlp", widths=(20,))
    assert first == pytest.approx(1e-3 * weight_sum(untrained), rel=1e-4)


@pytest.mark.parametrize("optimizer", ["adadelta", "adam", "sgd"])
def test_weight_decay_is_the_gradient_of_a_square(optimizer: str, few: DataSet) -> None:
    """One step by hand with PyTorch's own optimizer on the loss and ½ λ Σ w² of all parameters."""
    some, settings = few.take(slice(250)), {"widths": (6,), "optimizer": optimizer}
    rate = {"adadelta": 1.0, "adam": 2e-3, "sgd": 0.05}[optimizer]
    kind = {"adadelta": torch.optim.Adadelta, "adam": torch.optim.Adam, "sgd": torch.optim.SGD}
    more = {"adadelta": {"rho": 0.95}, "adam": {}, "sgd": {"momentum": 0.9}}[optimizer]
    own = build("mlp", **settings)
    stepped = kind[optimizer](own.parameters(), rate, **more)  # type: ignore[arg-type]
    order = torch.randperm(250, generator=torch.Generator().manual_seed(0))
    loss = cross_entropy(own(some.images[order]), some.labels[order])
    (loss + 0.05 * sum(value.square().sum() for value in own.parameters())).backward()
    stepped.step()
    model = train("mlp", some, epochs=1, settings={**settings, "weight_decay": 0.1})
    for one, other in zip(model.parameters(), own.parameters(), strict=True):
        torch.testing.assert_close(one, other.detach(), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_dropout_silences_behind_the_activation(activation: str, few: DataSet) -> None:
    """The loss of the first batch by hand, with random numbers from the seed, layer by layer."""
    settings = {"widths": (30, 20), "activation": activation, "dropout": 0.4}
    model = train("mlp", few.take(slice(250)), epochs=1, seed=3, settings=settings)
    own, f = build("mlp", 3, **settings), getattr(torch, activation)
    order = torch.randperm(250, generator=torch.Generator().manual_seed(3))
    chance, values = torch.Generator().manual_seed(3), few.images[order].flatten(1)
    for at in range(2):
        layer = own.get_submodule(f"linear_{at}")
        values = f(linear(values, layer.weight, layer.bias))
        values = values * (torch.rand(values.shape, generator=chance) >= 0.4) / 0.6
    loss = cross_entropy(own.get_submodule("linear_2")(values), few.labels[order])
    assert model.history.loss[0] == pytest.approx(loss.item(), rel=1e-5)


def test_settings_decide_how_a_network_is_trained(few: DataSet) -> None:
    model = train("mlp", few, settings={"widths": (8,), "epochs": 3})
    assert len(model.history.loss) == 6 == steps_of(check("mlp", settings={"epochs": 3}), 500)
    assert isinstance(model.settings, Dropout)
    assert model.settings.to_text() == "widths=8,epochs=3"
    whole = replace(model.settings, epochs=1)
    assert len(train("mlp", few, settings=whole).history.loss) == 2
    assert len(train("mlp", few, settings=whole, epochs=2).history.loss) == 4
    slow, fast = (
        train("mlp", few, settings={"optimizer": "adam", "learning_rate": rate, "epochs": 1})
        for rate in (1e-5, 1e-3)
    )
    assert slow.history.loss[-1] > fast.history.loss[-1]


@pytest.mark.parametrize("name", MODELS)
def test_settings_train_to_the_same_bits(name: str, few: DataSet) -> None:
    settings = {**SMALL.get(name, {}), "epochs": 1}
    one, same = (train(name, few, seed=2, settings=settings) for _ in range(2))
    assert one.history.loss == same.history.loss
    for left, right in zip(one.parameters(), same.parameters(), strict=True):
        assert torch.equal(left, right)
    assert not any(module._forward_hooks for module in one.modules())


def test_a_map_of_another_shape_and_other_centres(few: DataSet) -> None:
    model = train("som", few, settings={"rows": 4, "columns": 7, "epochs": 2})
    portrait = model.portrait()
    assert portrait is not None
    assert portrait.shape == (4, 7, 28, 28)
    assert model.described[0].named is not None
    assert model.described[0].named(8) == "row 1, column 1"
    wide, narrow = (
        train("rbf", few, settings={"centres": 30, "width_factor": factor, "epochs": 2})
        for factor in (2.0, 1.0)
    )
    assert wide.centres.width == pytest.approx(2 * float(narrow.centres.width))
    assert torch.equal(wide.centres.prototypes, narrow.centres.prototypes)
    sheet = wide.portrait()
    assert sheet is not None
    assert sheet.shape == (2, 20, 28, 28)
    assert not sheet[1, 10:].any()


def test_the_default_lenet5_is_drawn_as_ever() -> None:
    digest = hashlib.sha256()
    for name, value in build("lenet5", 0).state_dict().items():
        digest.update(name.encode() + value.numpy().tobytes())
    assert digest.hexdigest() == DRAWN


def test_the_default_lenet5_learns_as_ever(few: DataSet) -> None:
    losses = train("lenet5", few, epochs=2).history.loss
    assert losses == pytest.approx([2.304340, 2.304935, 2.303119, 2.299932], abs=2e-6)
