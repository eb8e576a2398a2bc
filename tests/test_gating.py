"""What a gate does with digits: planted gates, an independent oracle, and what can't be read."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import hypergeom
from sklearn.metrics import mutual_info_score, normalized_mutual_info_score

from core.architectures.mixture import (
    concept_table,
    gate_report,
    information,
    report_of,
    share_table,
    shared,
)
from core.architectures.mixture.examples import margins, mean_digits, surest
from core.data import DataSet
from core.models.mixture import Mixture
from core.statistics import entropy, mantel_haenszel, paired_interval, wilson_interval
from tests.networks import MOVED, built


def planted(labels: np.ndarray, experts: int = 5) -> np.ndarray:
    """Weights of a gate that gives classes 0 and 1 to expert 0, 2 and 3 to expert 1, …"""
    return np.eye(experts, dtype=np.float32)[labels // 2]


@pytest.fixture
def classes() -> np.ndarray:
    return np.arange(1000) % 10


def test_a_gate_that_knows_the_class_tells_all_its_bits(classes: np.ndarray) -> None:
    of = report_of(planted(classes), classes)
    told = of.class_information
    assert told.bits == pytest.approx(2.3219, abs=1e-4)
    assert told.bits == pytest.approx(math.log2(5))
    assert told.normalized == pytest.approx(0.8228, abs=1e-4)
    assert of.entropy_of_mean == pytest.approx(math.log2(5))
    assert of.mean_entropy == 0
    assert of.decisions == pytest.approx(math.log2(5))
    assert told.p == pytest.approx(1 / 201)
    assert told.limit < 0.1
    assert (of.active, of.load_variation, of.importance_variation) == (5, 0, 0)
    assert of.balance == pytest.approx(1)


def test_a_gate_that_knows_nothing_tells_nothing(classes: np.ndarray) -> None:
    random = np.random.default_rng(0)
    gates = random.dirichlet(np.ones(8), len(classes))
    of = report_of(gates, classes)
    assert of.class_information.normalized < 0.03
    assert of.class_information.bits < 1.5 * of.class_information.limit
    assert of.mean_entropy == pytest.approx(float(entropy(gates).mean()), abs=1e-5)
    share = gates / gates.sum(1, keepdims=True)
    assert of.mean_entropy == pytest.approx(-(share * np.log2(share)).sum(1).mean(), abs=1e-5)


def test_shuffled_experts_exceed_their_own_limit_as_often_as_they_should() -> None:
    random = np.random.default_rng(1)
    beyond = [
        (of := shared(random.integers(0, 4, 200), random.integers(0, 10, 200), seed)).bits
        > of.limit
        for seed in range(100)
    ]
    assert sum(beyond) <= 12  # 5 of 100 are expected; 13 or more have a chance of .0015


def test_information_agrees_with_another_implementation() -> None:
    random = np.random.default_rng(2)
    experts, labels = random.integers(0, 6, 500), random.integers(0, 10, 500)
    counts = np.zeros((6, 10))
    np.add.at(counts, (experts, labels), 1)
    bits, normalized = information(counts)
    assert bits == pytest.approx(mutual_info_score(labels, experts) / math.log(2))
    assert normalized == pytest.approx(normalized_mutual_info_score(labels, experts))


def test_collapse_is_seen_by_every_measure(classes: np.ndarray) -> None:
    gates = np.zeros((1000, 8))
    gates[:, 3] = 1
    of = report_of(gates, classes)
    assert of.active == 1
    assert of.load.tolist() == [0, 0, 0, 1, 0, 0, 0, 0]
    assert of.balance == pytest.approx(8)
    assert of.load_variation == of.importance_variation == pytest.approx(7)
    assert of.entropy_of_mean == of.decisions == 0
    assert (of.class_information.bits, of.class_information.normalized) == (0, 0)
    assert of.class_information.p == 1


def test_an_undecided_gate_has_all_its_entropy(classes: np.ndarray) -> None:
    of = report_of(np.full((1000, 4), 0.25), classes)
    assert of.mean_entropy == of.entropy_of_mean == 2
    assert of.decisions == 0


def test_one_expert_has_nothing_to_decide(classes: np.ndarray) -> None:
    of = report_of(np.ones((1000, 1)), classes)
    assert (of.active, of.balance) == (1, 1)
    assert of.mean_entropy == of.entropy_of_mean == of.decisions == 0
    assert of.class_information.bits == of.class_information.normalized == 0
    assert (of.classes["share"] == 1).all()


def test_an_expert_is_dead_at_a_quarter_of_an_even_share(classes: np.ndarray) -> None:
    first = np.repeat([0, 1, 2, 3], [62, 63, 400, 475])  # a quarter of an even share is 62.5
    of = report_of(np.eye(4)[first], classes)
    assert of.active == 3


def test_a_tiny_sample_has_wide_intervals_and_no_evidence() -> None:
    labels = np.array([0, 1, 2])
    of = report_of(np.eye(3), labels)
    assert of.class_information.bits == pytest.approx(math.log2(3))
    assert of.class_information.p > 0.05
    widths = of.classes["high"] - of.classes["low"]
    assert widths.min() > 0.7


@pytest.mark.parametrize(
    ("gates", "said"),
    [
        (np.zeros((0, 4)), "at least one of each"),
        (np.ones(5), "at least one of each"),
        (np.full((5, 2), np.nan), "digit 0 aren't finite"),
        (np.array([[0.5, 0.5]] * 4 + [[0.7, 0.7]]), "digit 4 are"),
        (np.array([[0.5, 0.5]] * 3 + [[1.5, -0.5]] * 2), "digit 3 are"),
    ],
)
def test_weights_that_are_none_are_named(gates: np.ndarray, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        report_of(gates, np.zeros(5, dtype=int))


def test_nothing_shared_of_nothing() -> None:
    with pytest.raises(ValueError, match="at least one"):
        shared([], [])
    with pytest.raises(ValueError, match="nothing was counted"):
        information(np.zeros((2, 2)))


def test_shares_are_counted_with_wilsons_interval() -> None:
    random = np.random.default_rng(3)
    experts, groups = random.integers(0, 3, 300), random.integers(0, 4, 300)
    table = share_table(experts, groups, 3).set_index(["group", "expert"])
    assert len(table) == 12
    for (group, expert), row in table.iterrows():
        taken = int(((groups == group) & (experts == expert)).sum())
        n = int((groups == group).sum())
        assert (row["taken"], row["n"]) == (taken, n)
        assert (row["low"], row["high"]) == pytest.approx(wilson_interval(taken, n))
        assert row["share"] == pytest.approx(taken / n)
        assert row["load"] == pytest.approx((experts == expert).mean())
        assert row["within"] == pytest.approx(taken / (experts == expert).sum())
    assert table.groupby("group")["share"].sum().to_numpy() == pytest.approx(np.ones(4))


def test_an_expert_nobody_chose_has_rows_of_zero(classes: np.ndarray) -> None:
    table = share_table(np.zeros(1000, dtype=int), classes, 2)
    unused = table[table["expert"] == 1]
    assert len(unused) == 10
    assert (unused["share"] == 0).all()
    assert (unused["within"] == 0).all()
    assert (unused["high"] > 0).all()


def test_what_the_class_explains_is_no_concept_of_an_expert() -> None:
    """A gate by class alone leaves nothing; one that sees a part within a class shows it."""
    random = np.random.default_rng(4)
    labels = random.integers(0, 10, 4000)
    part = (random.random(4000) < 0.4) & (labels == 7)
    by_class = labels // 2
    table = concept_table(by_class, labels, part[:, None], ["part"], 5)
    assert table["more"].abs().max() == pytest.approx(0)
    assert (table["p"] == 1).all()
    sorted_out = np.where(part, 0, by_class)
    table = concept_table(sorted_out, labels, part[:, None], ["part"], 5).set_index("expert")
    assert table.loc[0, "share"] == 1
    assert table.loc[0, "expected"] == pytest.approx(part.sum() / (labels == 7).sum())
    assert table.loc[0, "q"] < 1e-6
    assert table.loc[3, "more"] < -0.5


def test_false_concepts_are_as_rare_as_promised() -> None:
    random = np.random.default_rng(5)
    labels = random.integers(0, 10, 2000)
    experts = (labels + random.integers(0, 2, 2000)) % 5  # knows the class, and dice
    flags = random.random((2000, 60)) < random.uniform(0.05, 0.6, 60)
    table = concept_table(experts, labels, flags, [f"c{at}" for at in range(60)], 5)
    assert (table["p"] < 0.05).mean() < 0.08
    assert (table["q"] < 0.05).sum() <= 3


def test_rare_concepts_have_no_row() -> None:
    flags = np.zeros((100, 2), dtype=bool)
    flags[:9, 0] = flags[:10, 1] = True
    table = concept_table(np.arange(100) % 2, np.zeros(100), flags, ["rare", "enough"], 2)
    assert set(table["group"]) == {"enough"}
    nothing = concept_table(np.arange(100) % 2, np.zeros(100), flags[:, :1], ["rare"], 2)
    assert nothing.empty


def test_mantel_haenszel_has_the_moments_of_dealing_at_random() -> None:
    """One stratum is the hypergeometric law; several add up."""
    groups = np.repeat([0, 1], [30, 70])
    flags = np.zeros(100, dtype=bool)
    flags[:20] = flags[60:65] = True
    taken, expected, z = mantel_haenszel(groups, np.zeros(100), flags[:, None], 2)
    law = hypergeom(100, 25, 30)
    assert (taken[0, 0], expected[0, 0]) == (20, pytest.approx(law.mean()))
    assert z[0, 0] == pytest.approx((20 - law.mean()) / law.std())
    strata = np.tile([0, 1, 2, 3], 25)
    taken, expected, z = mantel_haenszel(groups, strata, flags[:, None], 2)
    laws = [
        hypergeom(25, int(flags[strata == s].sum()), int((groups[strata == s] == 0).sum()))
        for s in range(4)
    ]
    assert expected[0, 0] == pytest.approx(sum(law.mean() for law in laws))
    spread = math.sqrt(sum(law.var() for law in laws))
    assert z[0, 0] == pytest.approx((20 - expected[0, 0]) / spread)


def test_a_paired_interval_covers_the_true_change() -> None:
    random = np.random.default_rng(6)
    lost, won, _ = random.multinomial(400, [0.06, 0.02, 0.92], 2000).T
    low, high = paired_interval(lost, won, 400)
    assert 0.93 < ((low <= -0.04) & (high >= -0.04)).mean() < 0.98
    nothing = paired_interval(0, 0, 100)
    assert nothing[0] < 0 < nothing[1]


def test_the_surest_digits_have_the_widest_margin() -> None:
    scores = np.array([[3.0, 1, 0], [5, 4, 0], [0, 2, 9], [9, 1, 1], [4, 2, 1]])
    assert margins(scores).tolist() == [2, 1, 7, 8, 2]
    assert surest(scores, 0, 3).tolist() == [3, 0, 4]
    assert surest(scores, 1, 3).tolist() == []
    assert margins(np.ones((4, 1))).tolist() == [0] * 4


def test_mean_digits_are_of_those_taken() -> None:
    images = np.random.default_rng(7).random((6, 28, 28))
    means = mean_digits(images, np.array([0, 0, 2, 2, 2, 0]), 3)
    np.testing.assert_allclose(means[0], images[[0, 1, 5]].mean(0))
    np.testing.assert_allclose(means[2], images[2:5].mean(0))
    assert not means[1].any()


def class_reader() -> Mixture:
    """A mixture whose gate gives two classes to each expert, told by a pixel drawn for it."""
    model = built("mixture").eval()
    assert isinstance(model, Mixture)
    with torch.no_grad():
        model.of_image.weight.zero_()
        model.of_image.bias.fill_(-1000)
        model.of_image.bias[:5] = 0
        for expert in range(5):
            model.of_image.weight[expert, expert] = 1000.0
    return model


def told_by_pixels(strokes: DataSet) -> DataSet:
    """The digits with a white pixel in row 0 that says label // 2."""
    images = strokes.images.clone()
    images[:, 0, 0, :10] = 0
    images[torch.arange(len(images)), 0, 0, strokes.labels // 2] = 1
    return replace(strokes, images=images)


def test_a_planted_network_is_read_as_planted(strokes: DataSet) -> None:
    even = torch.cat([(strokes.labels == digit).nonzero()[:20, 0] for digit in range(10)])
    digits = told_by_pixels(strokes.take(even))
    of = gate_report(class_reader(), digits, concepts=["class-7", "crossed-7", "wide"])
    assert of.gates.shape == (200, 8)
    assert of.load.tolist() == [0.2] * 5 + [0] * 3
    assert of.class_information.bits == pytest.approx(math.log2(5))
    assert of.class_information.normalized == pytest.approx(0.8228, abs=1e-4)
    told = of.concept_information.set_index("concept")
    assert told.loc["class-7", "bits"] == pytest.approx(
        mutual_info_score(digits.labels == 7, digits.labels // 2) / math.log(2)
    )
    assert told.loc["wide", "bits"] < told.loc["class-7", "bits"]


def test_a_report_of_every_gate(strokes: DataSet) -> None:
    model = built(MOVED).eval()
    some = strokes.take(slice(60))
    first = gate_report(model, some, "gate_1", concepts=["wide"])
    last = gate_report(model, some, concepts=["wide"])
    assert first.gates.shape == last.gates.shape == (60, 4)
    assert not np.array_equal(first.gates, last.gates)
    with pytest.raises(ValueError, match="`gate` is no gate: choose gate_1 or gate_2"):
        gate_report(model, some, "gate")


def test_what_has_no_gate_and_no_digits_is_told(strokes: DataSet) -> None:
    with pytest.raises(TypeError, match="LeNet5 has no gate"):
        gate_report(built("lenet5"), strokes.take(slice(5)))
    with pytest.raises(ValueError, match="there are no digits"):
        gate_report(built("mixture"), strokes.take(slice(0)))


def test_images_that_are_not_finite_are_told(strokes: DataSet) -> None:
    images = strokes.images[:5].clone()
    images[2] = torch.nan
    broken = replace(strokes.take(slice(5)), images=images)
    with pytest.raises(ValueError, match="aren't finite"):
        gate_report(built("mixture").eval(), broken, concepts=["class-7"])


def test_concepts_not_measured_are_asked_for(classes: np.ndarray) -> None:
    with pytest.raises(ValueError, match="concepts weren't measured"):
        _ = report_of(planted(classes), classes).concept_information
