"""How units emerge, and networks beside one another: seeds, dropout and transfer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import altair as alt
import numpy as np
import pandas as pd
import pytest
import torch
from streamlit.testing.v1 import AppTest
from torch import nn

from core.activations import collect, peaks, run
from core.analyses.comparing import (
    KINDS,
    MEASURES,
    SHARES,
    BestUnits,
    CorrespondenceTask,
    DropoutComparison,
    DropoutTask,
    Emergence,
    EmergenceTask,
    SeveralTask,
    ShortModelTask,
    Transfer,
    TransferTask,
    also_best,
    best_units,
    concept_auc,
    hidden_dense,
    of_classes,
    peak,
    seeds_of,
    shuffled_auc,
    silenced,
    tuning,
)
from core.analyses.comparing.correspondence import _matchings
from core.analyses.comparing.dynamics import label_survival
from core.analyses.described import DescribedDigits, DescribedDigitsTask
from core.analyses.profiles.task import StudyTask
from core.charts import training as figures
from core.claims.candidates import candidates
from core.claims.trial import Half
from core.data import CLASSES, DataSet, cut
from core.data.concepts import CONCEPTS
from core.data.strokes import generate
from core.models import registry
from core.runs import Run
from core.runtime import cache
from core.runtime.lab import Lab
from core.runtime.store import Store
from core.runtime.task import Report, Task
from core.training import _dropping, accuracy, train
from core.training.task import ModelTask
from pages.parts.training import dropout as dropout_view
from pages.parts.training.emergence import concept_option
from tests.labs import SmallLab, assert_same
from tests.linked import check_link
from tests.test_pages import opened

RUN = Run("strokes", "mlp", seed=0)


def silent(*args: object, **values: object) -> None:
    """Instead of a report."""


@pytest.fixture(scope="module")
def digits() -> DataSet:
    drawn = generate(400, seed=5)
    images, labels = torch.from_numpy(drawn.images)[:, None], torch.from_numpy(drawn.labels)
    return DataSet(images, labels, "strokes", "test", drawn.parts)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, digits: DataSet) -> SmallLab:
    """Where every result of these tests is, each computed once."""
    return SmallLab(tmp_path_factory.mktemp("comparing"), digits)


@pytest.fixture(scope="module")
def described(lab: SmallLab) -> DescribedDigits:
    return lab.result(DescribedDigitsTask("strokes"))


@pytest.fixture(scope="module")
def emergences(lab: SmallLab) -> tuple[Emergence, ...]:
    return lab.result(_emerging())


@pytest.fixture(scope="module")
def dropped(lab: SmallLab) -> DropoutComparison:
    return lab.result(DropoutTask(RUN))


@pytest.fixture(scope="module")
def transfer(lab: SmallLab) -> Transfer:
    return lab.result(TransferTask(RUN))


def _emerging() -> SeveralTask:
    every = seeds_of(RUN)
    return SeveralTask(tuple(map(EmergenceTask, every)), "Training and reading seeds 0 to 2")


def _brute_auc(values: np.ndarray, there: np.ndarray) -> float:
    above = values[there][:, None] - values[~there][None]
    return float(((above > 0) + 0.5 * (above == 0)).mean())


def test_a_part_is_judged_within_its_class_and_a_class_among_all() -> None:
    random = np.random.default_rng(0)
    labels = random.integers(3, size=120)
    values = random.integers(4, size=(120, 5)).astype(np.float32)  # many ties
    part = (labels == 2) & (random.random(120) < 0.4)
    found = concept_auc(values, labels, np.stack([labels == 1, part], axis=1))
    for unit in range(5):
        assert found[unit, 0] == pytest.approx(_brute_auc(values[:, unit], labels == 1))
        twos = values[labels == 2, unit]
        assert found[unit, 1] == pytest.approx(_brute_auc(twos, part[labels == 2]))


def test_scores_and_chance_are_those_of_candidates(described: DescribedDigits) -> None:
    half, model = described.half("discovery"), registry.build("mlp").eval()
    labels = half.digits.labels.numpy()
    for concept in ("crossed-7", "class-3"):
        present = half.measured.only([concept]).present()[:, 0]
        known = candidates(model, Half(half.digits, present), "linear_1")
        values = peaks(model, half.digits.images, "linear_1")
        mine = concept_auc(values, labels, present[:, None])[:, 0]
        np.testing.assert_allclose(mine, known.score, atol=1e-12)
        best = shuffled_auc(values, labels, present).max(0)
        assert np.quantile(best, 0.95) == pytest.approx(known.chance, abs=1e-12)


def test_the_checkpoints_say_what_the_units_were(
    lab: SmallLab, emergences: tuple[Emergence, ...], described: DescribedDigits
) -> None:
    found, model = emergences[0], lab.known(ModelTask(RUN))
    half, layer = described.half("discovery"), "linear_1"
    assert found.steps.tolist() == sorted(model.history.weights)
    assert found.concepts == concept_option_values()
    curves = []
    for state in model.history.weights.values():
        then = registry.build("mlp", 3)
        then.load_state_dict(state)
        curves.append(collect(then, half.digits.images, layer).relu().numpy())
    labels = half.digits.labels.numpy()
    aucs = np.array(
        [
            [[_brute_auc(of[:, u], labels == c) for c in range(CLASSES)] for u in range(4)]
            for of in curves
        ]
    )
    classes = [found.concepts.index(f"class-{label}") for label in range(CLASSES)]
    np.testing.assert_allclose(found.auc[layer][:, :4][:, :, classes], aucs, atol=1e-9)
    counts = [sum(max(unit) > 0.9 for unit in of[:, classes]) for of in found.auc[layer]]
    assert found.detectors(layer).tolist() == counts
    row = found.table(layer).set_index("concept").loc["class-3"]
    curve = found.auc[layer][:, int(row["unit"]), found.concepts.index("class-3")]
    assert curve[-1] == found.auc[layer][-1, :, found.concepts.index("class-3")].max()
    half_way = 0.5 + (curve[-1] - 0.5) / 2
    assert row["t50"] == next(
        step for step, at in zip(found.steps, curve, strict=True) if at >= half_way
    )
    assert row["digits"] == (labels == 3).sum()


def concept_option_values() -> tuple[str, ...]:
    """The concepts that the address can name for generated digits."""
    option = concept_option(RUN)
    known = [name for name, of in CONCEPTS.items() if of.label is not None]
    return tuple(name for name in known if option.parse(name))


def test_curves_over_training_are_those_of_the_units(emergences: tuple[Emergence, ...]) -> None:
    found, layer = emergences[0], "linear_1"
    spread = found.spread(layer)
    assert spread["step"].tolist() == found.recorded.tolist()
    last = found.selectivity[layer][-1]
    assert spread.iloc[-1][["low", "median", "high"]].tolist() == pytest.approx(
        [np.quantile(last, 0.1), np.median(last), np.quantile(last, 0.9)]
    )
    assert found.peak(layer) == peak(found.recorded, found.selectivity[layer])
    tuning = found.tuning().groupby("layer")["correlation"].last()
    assert tuning.to_dict() == pytest.approx(dict.fromkeys(found.likeness, 1.0))
    first = found.tuning().set_index(["layer", "step"]).loc[(layer, found.recorded[0])]
    assert first["correlation"] == np.median(found.likeness[layer][0])
    counts = found.detectors_by_layer().groupby("layer")["detectors"].apply(list)
    assert counts[layer] == found.detectors(layer).tolist()


def test_each_seed_has_its_best_unit(emergences: tuple[Emergence, ...]) -> None:
    best = best_units([0, 1, 2], emergences, "linear_1", "class-3")
    assert best.table["seed"].tolist() == [0, 1, 2]
    assert best.table["unit"].tolist() == [of.best("linear_1", "class-3") for of in emergences]


def test_networks_are_counted_that_have_a_unit_for_a_concept() -> None:
    table = pd.DataFrame(
        {
            "auc": [0.9, 0.7, 0.8],
            "chance": [0.8, 0.7, 0.6],
            "untrained": [0.95, 0.6, 0.7],
            "confirmed": [0.8, 0.81, 0.3],
            "digits": 29,
        }
    )
    best = BestUnits(table)
    assert (best.above_chance, best.above_untrained, best.confirmed) == (2, 2, 1)
    assert (best.digits, best.enough, len(best)) == (29, False, 3)
    assert BestUnits(table.assign(digits=30)).enough
    assert also_best(pd.DataFrame({"partner": [1, 2, 3], "best there": [1, 3, 3]})) == 2


def test_emergence_comes_back_from_the_store(
    lab: SmallLab, emergences: tuple[Emergence, ...]
) -> None:
    other = Lab(Store(lab.store.folder))
    kept = other.find(_emerging())
    assert kept is not None
    for one, same in zip(emergences, kept, strict=True):
        assert_same(one, same)
    assert not np.array_equal(kept[0].auc["linear_1"], kept[1].auc["linear_1"])
    untrained = SeveralTask((EmergenceTask(RUN), EmergenceTask(Run("strokes", "mlp", seed=9))), "")
    assert other.find(untrained) is None


def test_a_peak_is_found_and_what_did_not_fall_is_not_said_to() -> None:
    random, steps = np.random.default_rng(1), np.array([0, 1, 2, 4])
    levels = np.array([0.1, 0.8, 0.6, 0.4])[:, None]
    found = peak(steps, levels + 0.05 * random.standard_normal((4, 60)))
    assert found.step == 1
    assert found.receded
    assert found.fall == pytest.approx(0.4, abs=0.05)
    assert found.low <= found.fall <= found.high
    rising = peak(steps, np.array([0.1, 0.2, 0.3, 0.4])[:, None] + np.zeros((4, 60)))
    assert (rising.step, rising.fall, rising.receded) == (4, 0.0, False)
    noise = 0.5 + 0.3 * random.standard_normal((2, 9))
    falling = peak(steps[:2], noise[np.argsort(-np.median(noise, axis=1))])
    assert falling.fall > 0
    assert not falling.receded


@dataclass(frozen=True)
class Saying(Task[int]):
    """A task that reports its curves."""

    stored: ClassVar[bool] = False
    number: int

    def compute(self, lab: Lab, report: Report) -> int:
        report(0.0, "begins", loss=3.0)
        report(1.0, "ends")
        return 7


def test_progress_rises_and_says_which_of_several(tmp_path: Path) -> None:
    said: list[tuple[float, str | None]] = []

    def report(fraction: float, text: str | None = None, **values: float) -> None:
        assert not values
        said.append((fraction, text))

    both = SeveralTask((Saying(1), Saying(2)), "both")
    assert Lab(Store(tmp_path)).result(both, report) == (7, 7)
    assert said == [
        (0.0, "begins · 1 of 2"),
        (0.5, "ends · 1 of 2"),
        (0.5, "begins · 2 of 2"),
        (1.0, "ends · 2 of 2"),
    ]


def test_partners_are_mutual_and_a_permuted_network_is_found_again() -> None:
    random = np.random.default_rng(2)
    layer = random.standard_normal((200, 12)).astype(np.float32)
    order = random.permutation(12)
    partner, correlation = _matchings([layer, layer[:, order], -layer])
    np.testing.assert_array_equal(order[partner[0, 1]], np.arange(12))
    np.testing.assert_array_equal(partner[1, 0], order)
    np.testing.assert_array_equal(partner[0, 2], np.arange(12))
    np.testing.assert_allclose(correlation[0, 2], -1)
    np.testing.assert_allclose(correlation[0, 1], 1)


def test_units_are_matched_between_seeds(
    lab: SmallLab, emergences: tuple[Emergence, ...], described: DescribedDigits
) -> None:
    task = CorrespondenceTask(RUN, "linear_1")
    found = lab.result(task)
    assert_same(Lab(Store(lab.store.folder)).find(task), found)
    assert found.seeds.tolist() == [0, 1, 2]
    models = [lab.known(ModelTask(each)) for each in seeds_of(RUN)]
    half = described.half("discovery").digits
    one, other = (peaks(model, half.images, "linear_1") for model in models[:2])
    unit = emergences[0].best("linear_1", "class-3")
    partner = found.partner[0, 1, unit]
    expected = np.corrcoef(one[:, unit], other[:, partner])[0, 1]
    table = found.partners(emergences, "linear_1", "class-3")
    row = table[(table["seed"] == 0) & (table["other seed"] == 1)].iloc[0]
    assert row["partner"] == partner
    assert row["correlation"] == pytest.approx(expected, abs=1e-5)
    at = emergences[1].concepts.index("class-3")
    assert row["partner's auc"] == emergences[1].auc["linear_1"][-1, partner, at]
    assert 0 < row["null"] < 1
    assert len(found.table()) == 3 * 2 * 128


def test_dropped_passes_are_the_whole_pass_on_average() -> None:
    layer, images = nn.Linear(6, 4), torch.randn(3, 6, generator=torch.Generator().manual_seed(0))
    whole = layer(images)
    hook = _dropping(0.25, torch.Generator().manual_seed(1))
    several = torch.stack([hook(layer, None, whole) for _ in range(8000)])
    error = whole.detach().abs() * (0.25 / 0.75 / 8000) ** 0.5
    assert ((several.mean(0) - whole).abs() < 5 * error + 1e-6).all()
    with torch.no_grad():
        assert torch.equal(hook(layer, None, whole), whole)


def test_a_network_trained_with_dropout_is_whole_and_repeats_itself(digits: DataSet) -> None:
    none, plain, half = (
        train("mlp", digits, epochs=1, settings=settings)
        for settings in (None, {"dropout": 0.0}, {"dropout": 0.5})
    )
    for name, value in none.state_dict().items():
        assert torch.equal(value, plain.state_dict()[name])
    assert not torch.equal(none.linear_0.weight, half.linear_0.weight)
    assert torch.equal(half(digits.images), half(digits.images))
    assert not any(module._forward_hooks for module in half.modules())


def test_silencing_is_what_setting_units_to_zero_does(digits: DataSet) -> None:
    model = train("mlp", digits, epochs=2)
    curve = silenced(model, digits, "linear_1", seed=4)
    assert len(curve) == len(SHARES)
    assert curve[0] == pytest.approx(accuracy(model, digits))
    generator = np.random.default_rng(4)
    orders = [generator.permutation(128) for _ in range(10)]
    right = []
    for order in orders:
        edits: dict[Any, Any] = {("linear_1", int(u)): 0.0 for u in order[: round(0.5 * 128)]}
        said = run(model, digits.images, edits).argmax(1)
        right.append(float((said == digits.labels).float().mean()))
    assert curve[SHARES.index(0.5)] == pytest.approx(np.mean(right), abs=1e-3)


def test_dropout_is_compared_network_by_network(lab: SmallLab, dropped: DropoutComparison) -> None:
    layers = hidden_dense(RUN)
    assert layers == ("linear_0", "linear_1")
    assert hidden_dense(Run("strokes", "simple_cnn")) == ()
    assert len(dropped.table) == 4 * 3 * len(layers)
    assert dropped.table["dropout"].isna().sum() == 3 * len(layers)
    assert np.isfinite(dropped.table[list(MEASURES)]).all(axis=None)
    assert dropped.table["active"].between(0, 1).all()
    assert len(dropped.curves) == len(dropped.table) * len(SHARES)
    kept = Lab(Store(lab.store.folder)).find(DropoutTask(RUN))
    assert kept is not None
    pd.testing.assert_frame_equal(kept.table, dropped.table)
    pd.testing.assert_frame_equal(kept.curves, dropped.curves)


def test_what_is_trained_stays_when_a_comparison_is_cancelled(
    tmp_path: Path, digits: DataSet
) -> None:
    class Stopped(Exception):
        pass

    class Counting(SmallLab):
        trained = 0

        def compute(self, task: Task[Any], report: Report) -> Any:
            found = super().compute(task, report)
            self.trained += isinstance(task, ShortModelTask)
            return found

    def stop_at_the_third(fraction: float, text: str | None = None, **values: float) -> None:
        if text and "· 3 of" in text:
            raise Stopped

    lab = Counting(tmp_path, digits)
    with pytest.raises(Stopped):
        lab.result(TransferTask(RUN), stop_at_the_third)  # type: ignore[arg-type]
    networks = list(TransferTask(RUN).networks(RUN).values())
    kept = [lab.find(network) is not None for network in networks]
    assert kept == [True, True] + [False] * (len(networks) - 2)
    assert lab.trained == 2
    again = lab.result(networks[0])
    assert lab.trained == 2
    assert not again.training


def test_frozen_layers_are_those_of_the_other_task(lab: SmallLab, transfer: Transfer) -> None:
    shorts = TransferTask(RUN).networks(RUN)
    models = {which: lab.known(short) for which, short in shorts.items()}
    assert set(shorts) == {("A", 0), ("base", 0), *((k, n) for k in KINDS for n in (1, 2))}
    drawn = registry.build("mlp", 1000)
    for (kind, n), model in models.items():
        if not n:
            continue
        source = {"AnB": models["A", 0], "BnB": models["base", 0], "random": drawn}
        of: Any = source.get(kind.removesuffix("+"))
        for at in range(2):
            same = torch.equal(
                model.get_submodule(f"linear_{at}").weight, of.get_submodule(f"linear_{at}").weight
            )
            assert same == (at < n and not kind.endswith("+"))
    assert shorts["AnB", 2].base() == shorts["A", 0]
    assert shorts["BnB+", 1].base() == shorts["base", 0]


def test_transfer_is_judged_on_the_digits_of_its_task(
    lab: SmallLab, transfer: Transfer, digits: DataSet
) -> None:
    judged = of_classes(cut(digits, "confirmation"), "56789")
    assert set(judged.labels.tolist()) == set(range(5, 10))
    model = lab.known(TransferTask(RUN).networks(RUN)["AnB+", 1])
    rows = transfer.accuracy
    row = rows[(rows["seed"] == 0) & (rows["kind"] == "AnB+") & (rows["first"] == 1)]
    assert row["accuracy"].item() == pytest.approx(accuracy(model, judged))
    assert_same(Lab(Store(lab.store.folder)).find(TransferTask(RUN)), transfer)
    assert len(transfer.units) == 3 * (2 * (256 + 128) + 256 + 256 + 128)


def test_without_fine_tuning_nothing_drifts(lab: SmallLab, digits: DataSet) -> None:
    """T-j1: the frozen layers are those of A, and a network beside itself has drift 0."""
    shorts = TransferTask(RUN).networks(RUN)
    before, frozen = (lab.result(short) for short in (shorts["A", 0], shorts["AnB", 2]))
    seen = of_classes(digits, "01234")
    for layer in ("linear_0", "linear_1"):
        found = tuning(before, frozen, seen, layer)
        assert (found["drift"] == 0).all()
        assert label_survival(found["before"].tolist(), found["after"].tolist()) == 1
    other = tuning(before, registry.build("mlp", 5), seen, "linear_1")
    assert other["drift"].median() > 0.1


def test_labels_are_the_class_of_the_highest_auc_and_survive_by_chance(digits: DataSet) -> None:
    model, seen = registry.build("mlp"), of_classes(digits, "01234")
    found = tuning(model, model, seen, "linear_1")
    values, labels = peaks(model, seen.images, "linear_1"), seen.labels.numpy()
    for unit in (0, 7):
        aucs = [_brute_auc(values[:, unit], labels == label) for label in range(5)]
        assert found["before"][unit] == str(int(np.argmax(aucs)))
    units = pd.DataFrame(
        {
            **{"kind": "AnB+", "first": 1, "seed": 0, "layer": "linear_0"},
            "unit": range(4),
            "drift": [0.0, 0.1, 0.2, 0.9],
            "before": ["0", "0", "1", ""],
            "after": ["0", "1", "1", "1"],
        }
    )
    row = Transfer(pd.DataFrame(), units).tuning().iloc[0]
    assert row["survival"] == pytest.approx(2 / 3)
    assert row["chance"] == pytest.approx(2 / 3 * 1 / 3 + 1 / 3 * 2 / 3)
    assert row["drift"] == pytest.approx(0.15)


def test_titles_say_what_is_trained() -> None:
    run = Run("mnist", "lenet5", seed=1)
    short = ShortModelTask(run.with_settings(dropout=0.25), 3, 100)
    assert short.title == "Dropout 0.25, seed 1"
    moved = ShortModelTask(run, 2, 100, "56789", first=2, source="01234")
    assert moved.title == "First 2 from digits 0 to 4, fine-tuned, seed 1"
    assert moved.base().title == "Digits 0 to 4, dropout 0, seed 1"


def test_controls_are_grey_and_every_line_is_one_network(dropped: DropoutComparison) -> None:
    frame = dropped.curves.assign(dropout="untrained")
    spec = figures.over_shares(frame).to_dict()
    assert spec["encoding"]["color"]["scale"]["range"] == ["#94a3b8"]
    assert spec["encoding"]["detail"]["field"] == "seed"
    steps = pd.DataFrame({"seed": ["0", "1"], "step": [0, 0], "auc": [0.5, 0.6]})
    assert isinstance(figures.over_steps(steps, "auc", "seed", title="AUC"), alt.Chart)


def _view(module: str, name: str, model: str = "mlp") -> None:
    """What a page calls."""
    import contextlib
    import importlib

    from core.runs import Run
    from pages.kit.waiting import NotYet

    part = importlib.import_module(f"pages.parts.training.{module}")
    with contextlib.suppress(NotYet):
        getattr(part, name)(Run("strokes", model, seed=0))


def drawn(
    lab: SmallLab, monkeypatch: pytest.MonkeyPatch, module: str, name: str, **address: str
) -> AppTest:
    """A view whose results are in the store."""
    monkeypatch.setenv("SPECIALIZED_NEURONS_CACHE", str(lab.store.folder))
    monkeypatch.setattr("pages.kit.place.link", silent)
    cache.use(lab)
    at = AppTest.from_function(_view, args=(module, name, address.get("model", "mlp")))
    for key, value in {"data": "strokes", "model": "mlp", **address}.items():
        at.query_params[key] = value
    at.run(timeout=60)
    assert not at.exception
    return at


def said(at: AppTest) -> str:
    """All that is on the screen in words."""
    return "\n".join(of.value for kind in (at.markdown, at.caption, at.info) for of in kind)


def test_emergence_is_drawn(
    lab: SmallLab, emergences: tuple[Emergence, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    at = drawn(lab, monkeypatch, "emergence", "emergence", layer="linear_1")
    assert len(at.get("vega_lite_chart")) == 4
    found, words = emergences[0], said(at)
    row = found.table("linear_1").set_index("concept").loc["crossed-7"]
    assert f"{row['digits']:.0f} digits of the discovery half have the concept" in words
    assert f"AUC {row['auc']:.2f} at the end, {row['confirmed']:.2f} on the other half" in words
    assert "the median selectivity of linear_1 is highest" in words
    assert len(at.dataframe[0].value) == len(found.concepts)
    at.selectbox(key="concept").select("class-3").run(timeout=60)
    assert at.query_params["concept"] == "class-3"


def test_seeds_are_drawn_with_an_answer(
    lab: SmallLab, emergences: tuple[Emergence, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.result(CorrespondenceTask(RUN, "linear_1"))
    at = drawn(lab, monkeypatch, "seeds", "seeds", layer="linear_1")
    tables = [of.table("linear_1").set_index("concept").loc["crossed-7"] for of in emergences]
    values = ", ".join(f"{row['auc']:.2f}" for row in tables)
    assert f"(AUC {values} for seeds 0, 1, 2)" in said(at)
    assert "always a unit for “crossed 7” in linear_1?** Only" in said(at)
    assert len(at.get("vega_lite_chart")) == 2
    assert len(at.dataframe[0].value) == 6


def test_dropout_is_drawn(
    lab: SmallLab, dropped: DropoutComparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = drawn(lab, monkeypatch, "dropout", "dropout")
    assert at.selectbox(key="layer").value == "linear_1"
    assert len(at.get("vega_lite_chart")) == 7
    assert len(at.dataframe[0].value) == 12
    assert f"trained briefly: {dropout_view.EPOCHS} epochs" in said(at)
    none = drawn(lab, monkeypatch, "dropout", "dropout", model="simple_cnn")
    assert "has no hidden dense layer" in said(none)


def test_transfer_is_drawn(
    lab: SmallLab, transfer: Transfer, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = drawn(lab, monkeypatch, "transfer", "transfer")
    assert len(at.get("vega_lite_chart")) == 2
    base = transfer.accuracy[transfer.accuracy["kind"] == "base"]["accuracy"]
    assert f"{base.iloc[0]:.2%}" in said(at)
    assert len(at.dataframe[0].value) == len(transfer.tuning())


@pytest.mark.parametrize("view", ["emergence", "seeds", "dropout", "transfer"])
def test_the_link_to_a_view_says_every_choice(
    view: str,
    lab: SmallLab,
    emergences: tuple[Emergence, ...],
    dropped: DropoutComparison,
    transfer: Transfer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SPECIALIZED_NEURONS_CACHE", str(lab.store.folder))
    cache.use(lab)
    lab.result(StudyTask(RUN))
    lab.result(CorrespondenceTask(RUN, "linear_1"))
    check_link(lambda values: opened("training", values), {"view": view})
