"""What David Bau could not prove in 2016: his questions answered, each in a sentence with numbers.

    python -m bench.bau            # seeds 0, 1 and 2, each trained once and kept in the store

Is there a unit devoted to the seven with a stroke, to the hook, to the looped two? And why did his
ablations fail? For the last, for every class, the 30 units of `linear_0` that training wanted
highest on it, by the running gradient, are set to zero on all test digits: training ranked them, no
test digit did.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.claims.carrier import Carrier
from core.claims.carrier_task import CarrierTask
from core.claims.evidence import Evidence
from core.claims.task import EvidenceTask
from core.data import CLASSES, DataSet
from core.data.concepts import CONCEPTS
from core.data.task import DataTask
from core.interventions.controls import random_sets, strengths
from core.interventions.removal import Removal
from core.models.inspectable import Inspectable
from core.runs import Run
from core.runtime.lab import Lab
from core.runtime.store import default_store
from core.training.task import ModelTask

LAYER, BEHIND, COUNT = "linear_0", "linear_1", 30
SETS = 20  # of matched random units, a class
SEEDS = (0, 1, 2)
ASKED = ("crossed-7", "hooked-7", "looped-2")


@dataclass(frozen=True)
class Answer:
    """What one network says of a concept: what carries it, and what its best unit is worth."""

    carrier: Carrier
    unit: Evidence


def main() -> None:
    """Print the sentences, then the table of all classes and seeds."""
    lab = Lab(default_store())
    for concept in ASKED:
        print(sentence(concept, [answer(lab, concept, seed) for seed in SEEDS]), "\n")
    rows = [row for seed in SEEDS for row in of_seed(lab, seed)]
    columns = np.array(rows)
    print(why(columns), "\n")
    heads = (
        "seed",
        "class",
        "recall left",
        "lowest other",
        "others",
        "2016",
        "random",
        "worst one",
    )
    print("  ".join(f"{head:>12}" for head in heads))
    for seed, label, *shares in rows:
        print("  ".join([f"{seed:12}", f"{label:12}", *(f"{share:12.3f}" for share in shares)]))
    left, lowest, others, _, random, worst = columns[:, 2:].T
    erased = left <= 0.1
    together, each = erased & (others >= 0.95), erased & (lowest >= 0.95)
    print(f"\n{len(rows)} pairs of class and seed, {COUNT} of {LAYER}'s units removed")
    print(f"at most .10 left, the other classes together at .95: {_count(together)}")
    print(f"at most .10 left, each other class at .95: {_count(each)}")
    print(f"matched random units: median {np.median(random):.3f}, lowest {random.min():.3f}")
    print(f"largest loss of class 7 to a single unit: {worst[columns[:, 1] == 7].max():.4f}")


def answer(lab: Lab, concept: str, seed: int) -> Answer:
    """What the network of a seed says of a concept."""
    run = Run("mnist", "lenet5", seed=seed)
    carrier = lab.result(CarrierTask(run, LAYER, concept), _quiet)
    units = (carrier.trained.unit.index,)
    return Answer(carrier, lab.result(EvidenceTask(run, LAYER, units, concept, "zero"), _quiet))


def sentence(concept: str, answers: Sequence[Answer]) -> str:
    """Whether there is a unit devoted to the concept, with the numbers of each network."""
    verdicts = [of.carrier.verdict for of in answers]
    found = [of.carrier.trained for of in answers]
    devoted = verdicts.count("a unit")
    said = f"A unit in {devoted} of {len(answers)}" if devoted else "No"
    return (
        f"Is a unit of {LAYER} devoted to the {CONCEPTS[concept].text}? {said}: it is carried by "
        f"{_listed(verdicts)}; the best unit tells it with an AUC of "
        f"{_listed(f'{of.unit.judged:.3f}' for of in found)} where the best axis of 95 % of random "
        f"rotations stays below {_listed(f'{of.limit:.3f}' for of in found)} and a fitted "
        f"direction reaches {_listed(f'{of.direction_auc:.3f}' for of in found)} (untrained "
        f"networks at most {_listed(f'{_most(of.carrier):.3f}' for of in answers)}), and removing "
        f"that unit changes accuracy on these digits by "
        f"{_listed(f'{100 * of.unit.effect:+.1f}' for of in answers)} points."
    )


def why(columns: NDArray[np.float64]) -> str:
    """Why the ablations of 2016 failed. columns: the rows of the table."""
    left, wrong, worst = columns[:, 2], columns[:, 5], columns[:, 7]
    return (
        f"Why did the ablations of 2016 fail? The units were ranked in one layer and removed from "
        f"another: {COUNT} units of {LAYER} removed by the ranks of {BEHIND} leave a class a "
        f"recall of {np.median(wrong):.3f} in the median, and by their own ranks "
        f"{np.median(left):.3f}; and no class hangs on a single unit, of which the worst costs one "
        f"{worst.max():.3f}."
    )


def _most(carrier: Carrier) -> float:
    """The AUC of the best direction of an untrained network."""
    return max(of.direction_auc for of in carrier.untrained)


def _listed(words: Iterable[str]) -> str:
    """Words in the order of the seeds."""
    return ", ".join(words)


def of_seed(lab: Lab, seed: int) -> list[tuple[float, ...]]:
    """A row for each class: seed, class, and the shares that the heads name."""
    model = lab.result(ModelTask(Run("mnist", "lenet5", seed=seed)), _quiet)
    removal = Removal(model, lab.result(DataTask("mnist", "test"), _quiet), LAYER)
    alone = _recalls(removal, [[unit] for unit in range(removal.units)])
    whole = _recalls(removal, [[]])[0]
    return [
        (seed, label, *_shares(model, removal, label, seed), float((whole - alone).max(0)[label]))
        for label in range(CLASSES)
    ]


def _shares(
    model: Inspectable, removal: Removal, label: int, seed: int
) -> tuple[float, float, float, float, float]:
    """Recall left; lowest and whole of the others; with the 2016 indexing; with random units."""
    intent = model.history.intent
    chosen = _first(intent[LAYER][:, label])
    generator = np.random.default_rng(seed)
    sets = random_sets(strengths(model, LAYER, removal.values), chosen, SETS, generator)
    own, wrong, *random = _recalls(
        removal, [chosen, _first(intent[BEHIND][:, label]), *sets.tolist()]
    )
    others = np.delete(own, label)
    weights = np.delete(_sizes(removal.digits), label)
    pooled = float((others * weights).sum() / weights.sum())
    middle = float(np.median([of[label] for of in random]))
    return float(own[label]), float(others.min()), pooled, float(wrong[label]), middle


def _recalls(removal: Removal, sets: list[list[int]]) -> NDArray[np.float64]:
    """(sets, classes): recall of each class without each set of units."""
    labels = removal.digits.labels.numpy()
    found = []
    for units in sets:
        right = removal.without(units).right
        found.append([right[labels == label].mean() for label in range(CLASSES)])
    return np.array(found, dtype=np.float64)


def _sizes(digits: DataSet) -> NDArray[np.int64]:
    """(classes,): how many digits each has."""
    return np.bincount(digits.labels.numpy(), minlength=CLASSES)


def _first(scores: NDArray[np.float32]) -> list[int]:
    """The units with the highest scores."""
    chosen: list[int] = np.argsort(-scores, kind="stable")[:COUNT].tolist()
    return chosen


def _count(flags: NDArray[np.bool_]) -> str:
    """How many of how many."""
    return f"{int(flags.sum())} of {len(flags)}"


def _quiet(fraction: float, text: str | None = None, **values: object) -> None:
    """Progress to the terminal's error stream, on one line."""
    print(f"\r{text or ''} {fraction:4.0%}", end="", file=sys.stderr)


if __name__ == "__main__":
    main()
