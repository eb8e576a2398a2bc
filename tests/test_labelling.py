"""Automatic labels: planted units get theirs, noise gets none, and scores are of unseen digits."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from core.analyses.labelling import NONE, Label, Labels, Library, label_units, score_card
from core.data import DataSet, members
from core.data.concepts import Measured, measure
from tests.labs import again, assert_same


@pytest.fixture(scope="module")
def measured(strokes: DataSet) -> Measured:
    names = [f"class-{digit}" for digit in range(10)]
    names += ["crossed-7", "looped-2", "thick", "thin", "slanted-right", "wide", "one-hole"]
    return measure(strokes.images.numpy(), strokes.labels.numpy(), names, parts=strokes.parts)


@pytest.fixture(scope="module")
def halves(strokes: DataSet, measured: Measured) -> tuple[Library, Library]:
    one, other = (
        Library.of(measured.take(members(split, strokes.labels).numpy()))
        for split in ("discovery", "confirmation")
    )
    return one, other


def planted(halves: tuple[Library, Library], text: str, scale: float = 1.0) -> list[np.ndarray]:
    """Activations (n, 1) of a unit that is the indicator of a label, in both samples."""
    return [scale * half.carried[:, [half.index(text)]].astype(np.float32) for half in halves]


@pytest.mark.parametrize("text", ["7", "thick", "3, not thick", "not one hole", "4, not thin"])
def test_a_unit_that_is_a_concept_gets_its_label(
    halves: tuple[Library, Library], text: str
) -> None:
    one, other = planted(halves, text)
    found = label_units((one, halves[0]), (other, halves[1]))
    assert found.label[0] == text
    for name in ("auc", "correlation", "balanced", "precision", "coverage", "mixed"):
        assert getattr(found, name)[0] == pytest.approx(1), name
    assert found.base[0] == pytest.approx(other.mean())


def test_noise_has_no_label(halves: tuple[Library, Library]) -> None:
    generator = np.random.default_rng(0)
    samples = [
        np.maximum(generator.normal(size=(len(half.carried), 200)), 0).astype(np.float32)
        for half in halves
    ]
    found = label_units((samples[0], halves[0]), (samples[1], halves[1]))
    assert (found.label == NONE).mean() >= 0.95
    # the score itself stays below its null as often as the null says
    assert (found.correlation <= found.null).mean() >= 0.95
    assert (
        found.found > found.correlation
    ).mean() > 0.9  # chosen on one sample: the winner's curse


def test_scores_are_not_of_the_digits_that_chose(halves: tuple[Library, Library]) -> None:
    one, other = planted(halves, "7")
    shuffled = np.random.default_rng(1).permutation(other)
    found = label_units((one, halves[0]), (shuffled, halves[1]))
    assert found.candidate[0] == "7"
    assert found.found[0] == pytest.approx(1)
    assert abs(found.correlation[0]) < 0.15
    assert found.label[0] == NONE


def test_a_constant_unit_has_correlation_zero_and_no_label(
    halves: tuple[Library, Library],
) -> None:
    for value in (0.0, 0.1, 1e8):
        samples = [np.full((len(half.carried), 1), value, np.float32) for half in halves]
        found = label_units((samples[0], halves[0]), (samples[1], halves[1]))
        assert found.correlation[0] == 0
        assert found.mixed[0] == 0
        assert found.label[0] == NONE
        assert found.auc[0] == 0.5
        assert not np.isnan(found.null[0])


def test_scale_and_offset_change_nothing(halves: tuple[Library, Library]) -> None:
    generator = np.random.default_rng(3)
    samples = [
        (half.carried[:, [half.index("7")]] + generator.normal(size=(len(half.carried), 1)))
        for half in halves
    ]
    found = [
        label_units(
            ((scale * samples[0] + offset).astype(np.float64), halves[0]),
            ((scale * samples[1] + offset).astype(np.float64), halves[1]),
        )
        for scale, offset in ((1, 0), (7.5, -3))
    ]
    for name, values in vars(found[0]).items():
        if values.dtype.kind == "f":
            np.testing.assert_allclose(values, getattr(found[1], name), atol=1e-9)
        else:
            assert (values == getattr(found[1], name)).all()


def test_two_disjoint_labels_are_polysemantic(halves: tuple[Library, Library]) -> None:
    samples = [
        (1.0 * half.carried[:, [half.index("3")]] + half.carried[:, [half.index("7")]])
        for half in halves
    ]
    generator = np.random.default_rng(0)
    noisy = [(of + 0.3 * generator.random(of.shape)).astype(np.float32) for of in samples]
    found = label_units((noisy[0], halves[0]), (noisy[1], halves[1]))
    assert set(found.label[0].split(" | ")) == {"3", "7"}
    assert set(found.code[0].split("|")) == {"class-3", "class-7"}


def test_a_simpler_label_is_taken_unless_a_longer_one_says_more(
    halves: tuple[Library, Library],
) -> None:
    one, other = planted(halves, "7")
    found = label_units((one, halves[0]), (other, halves[1]))
    assert found.label[0] == "7"
    assert found.code[0] == "class-7"


def test_labels_read_as_words() -> None:
    assert Label((("crossed-7", True),)).text == "crossed 7"
    assert Label((("class-7", True), ("crossed-7", False))).text == "7, not crossed 7"
    assert Label((("class-3", True), ("thick", True))).text == "thick 3"
    assert Label((("class-7", True), ("crossed-7", False))).code == "class-7,!crossed-7"
    assert Label((("crossed-7", True),)).part == "crossbar"
    assert Label((("thick", True),)).part is None


def test_the_card_of_a_label_that_a_person_chose(halves: tuple[Library, Library]) -> None:
    one, other = planted(halves, "7")
    of = [half.carried[:, [half.index("thick")]] for half in halves]
    card = score_card(one, of[0], other, of[1])
    together = other[of[1][:, 0], 0].mean(), other[~of[1][:, 0], 0].mean()
    assert card["auc"][0] == pytest.approx(0.5 + (together[0] - together[1]) / 2)
    assert abs(card["correlation"][0] - np.corrcoef(other[:, 0], of[1][:, 0])[0, 1]) < 1e-9


def test_what_is_wrong_is_said(halves: tuple[Library, Library]) -> None:
    one, other = planted(halves, "7")
    with pytest.raises(ValueError, match="same digits"):
        label_units((one[:-1], halves[0]), (other, halves[1]))
    few = Library(halves[0].labels, halves[0].carried[:20])
    with pytest.raises(ValueError, match="more digits"):
        label_units((one[:20], few), (other[:20], few))
    with pytest.raises(ValueError, match="no label"):
        halves[0].index("crossed 9")


def test_labels_are_kept_and_found_again(halves: tuple[Library, Library]) -> None:
    one, other = planted(halves, "7")
    found = label_units((one, halves[0]), (other, halves[1]))
    back = again(found)
    assert back.label.tolist() == found.label.tolist()
    assert_same(back, found)
    assert list(found.table().columns) == [field.name for field in fields(Labels)]
