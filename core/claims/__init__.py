"""Do these units carry this concept? The answer, with everything that it rests on.

    evidence = ask(model, load("mnist", "test"), ["lenet5/linear_0/58"], "crossed-7")
    evidence.verdict  # "supported", "not supported" or "inconclusive"

The units were chosen elsewhere, so the digits are cut in two: what has to be fitted (a mean, a
scale, the strength that controls are matched by) comes from the discovery half, and every effect
is measured on the confirmation half. `core.claims.verdicts` holds the rules.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from torch import nn

from core.activations import check_unit, layer_of
from core.arguments import seeded, whole
from core.claims.baselines import carried_by, untrained_scores
from core.claims.evidence import (
    Controls,
    Evidence,
    Finding,
    digits_hash,
    versions,
)
from core.claims.nulls.scores import NullScores, scores_of
from core.claims.trial import Claim, Half, Progress, Trial
from core.claims.verdicts import conditional, everywhere, necessary, sufficient
from core.data import DataSet, members
from core.data.concepts import CONCEPTS, Measured, measure
from core.interventions.bootstrap import Change
from core.interventions.operators import KINDS, check_kind
from core.models.fingerprint import weights_hash
from core.surroundings import undisturbed
from core.text import literal
from core.units import UnitId

__all__ = ["CONTROLS", "DRAWS", "KINDS", "ask", "halves", "units_of"]

CONTROLS = 200  # matched random sets
DRAWS = 2000  # of the bootstrap


@undisturbed()
def ask(
    model: nn.Module,
    digits: DataSet,
    units: Iterable[UnitId | tuple[str, int] | str] | UnitId | str,
    concept: str,
    *,
    seed: int = 0,
    operator: str = "zero",
    controls: int = CONTROLS,
    draws: int = DRAWS,
    measured: Measured | None = None,
    baselines: bool = True,
    untrained: NullScores | None = None,
    on_progress: Progress | None = None,
) -> Evidence:
    """The evidence on whether `units`, all of one layer, carry `concept`.

    digits: test digits, cut in discovery and confirmation here. operator: what replaces an
    activation, one of `KINDS`; what it has to know is fitted on discovery. measured: concepts of
    just these digits, so that they need not be measured again. baselines: whether to compare with
    untrained networks and with directions of the layer, which takes most of the time. untrained:
    what untrained networks score, where that is known. seed: of controls, bootstrap, rotations and
    resampling. controls, draws: at least one. on_progress: called with 0..1 and what is being done.

    Raises `ValueError` for an unknown concept or operator, no units or all units of the layer,
    units of several layers or of another model, digits that are too few to be cut in two, and
    numbers that are none; all before the work begins.
    """
    told: Progress = on_progress or (lambda fraction, text: None)
    layer, chosen = units_of(model, units)
    seed, controls = seeded(seed), whole(controls, "controls", 1)
    draws = whole(draws, "draws", 1)
    operator = check_kind(operator)
    told(0.0, "Measuring the concept")
    both = halves(digits, concept, measured)
    told(0.1, "Collecting activations")
    label = CONCEPTS[concept].label
    claim = Claim(layer, chosen, concept, label, operator, controls, draws, seed)
    trial = Trial(model, claim, *both)
    removed = trial.removed_controls(lambda done, text: told(0.1 + 0.2 * done, text))
    kept = trial.kept_controls(lambda done, text: told(0.3 + 0.2 * done, text))
    carrier = None
    if baselines:
        carrier = carried_by(model, claim, both, lambda done, text: told(0.5 + 0.4 * done, text))
        untrained = untrained or untrained_scores(
            model, claim, both, lambda done, text: told(0.9 + 0.1 * done, text)
        )
    return _judged(trial, removed, kept, untrained, **_asked(model, digits, both), carrier=carrier)


def _asked(model: nn.Module, digits: DataSet, both: tuple[Half, Half]) -> dict[str, Any]:
    """Which network and digits the evidence is of, by its fields."""
    return {
        "model": getattr(model, "name", type(model).__name__.lower()),
        "data": digits.name,
        "data_hash": digits_hash(digits),
        "weights_hash": weights_hash(model),
        "discovery": len(both[0].digits),
        "confirmation": len(both[1].digits),
    }


def _judged(
    trial: Trial, removed: Controls, kept: Controls, untrained: NullScores | None, **asked: Any
) -> Evidence:
    """The evidence. asked: fields that the trial doesn't know."""
    changes, scores, claim = tuple(trial.changes()), scores_of(trial), trial.claim
    findings = _findings(trial, changes[0], removed, kept)
    if untrained is not None:
        findings = {name: untrained.judged(name, of, scores) for name, of in findings.items()}
    return Evidence(
        layer=claim.layer,
        units=claim.units,
        concept=claim.concept,
        ablation=claim.kind,
        seed=claim.seed,
        n=changes[0].n,
        findings=findings,
        changes=changes,
        controls=removed,
        kept_controls=kept,
        made_with=versions(),
        scores=scores,
        untrained={} if untrained is None else untrained.scores,
        **asked,
    )


def _findings(
    trial: Trial, change: Change, removed: Controls, kept: Controls
) -> dict[str, Finding]:
    """The four verdicts. change: of accuracy, on the digits that have the concept."""
    return {
        "necessary": necessary(change, removed),
        "sufficient": sufficient(kept.own, *trial.kept_interval(), change.n, kept),
        "conditional detector": conditional(trial.within()),
        "global detector": everywhere(trial.everywhere()),
    }


def units_of(
    model: nn.Module, units: Iterable[UnitId | tuple[str, int] | str] | UnitId | str
) -> tuple[str, tuple[int, ...]]:
    """The layer and the indices of units of one layer, sorted, each once.

    units: several, or one by its name.

    Raises `ValueError` when there are none, when it's all of the layer, and for units of several
    layers, of another model, or that the layer doesn't have.
    """
    given = [units] if isinstance(units, str | UnitId) else units
    found = [check_unit(model, unit) for unit in given]
    if not found:
        raise ValueError("no units are named: give at least one, such as lenet5/linear_0/58.")
    layers = sorted({layer for layer, _ in found})
    if len(layers) > 1:
        raise ValueError(
            f"the units are of {' and '.join(layers)}: ask about those of one layer at a time."
        )
    indices = tuple(sorted({index for _, index in found}))
    if len(indices) == layer_of(model, layers[0]).units:
        raise ValueError(
            f"these are all {len(indices)} units of {layers[0]}, and without them nothing is left "
            "to compare with: leave out at least one."
        )
    return layers[0], indices


def halves(digits: DataSet, concept: str, measured: Measured | None) -> tuple[Half, Half]:
    """Discovery and confirmation, each with which digits have the concept.

    Raises `ValueError` for an unknown concept, and one that a half has none or nothing but.
    """
    if concept not in CONCEPTS:
        known = ", ".join(list(CONCEPTS)[:6])
        raise ValueError(f"{literal(concept)} is not a concept: choose one of {known}, …")
    if measured is None or concept not in measured.names:
        images, labels = digits.images.numpy(), digits.labels.numpy()
        measured = measure(images, labels, [concept], parts=digits.parts)
    if len(measured) != len(digits):
        raise ValueError(
            f"there are {len(digits)} digits and concepts of {len(measured)}: give those of the "
            "same digits."
        )
    present = measured.only([concept]).present()[:, 0]
    index = [members(split, digits.labels) for split in ("discovery", "confirmation")]
    found = [Half(digits.take(rows), present[rows.numpy()]) for rows in index]
    if not all(half.present.any() and not half.present.all() for half in found):
        counts = " and ".join(str(int(half.present.sum())) for half in found)
        raise ValueError(
            f"{concept} is in {counts} digits of the two halves, of {len(digits)} in all: both "
            "need digits with it and digits without it."
        )
    return found[0], found[1]
