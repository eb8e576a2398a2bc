"""What David Bau couldn't prove in 2016, in one table: removing what training pointed at.

    python -m bench.bau            # seeds 0, 1 and 2, each trained once and kept in the store

For every class the 30 units of `linear_0` that training wanted highest on it, by the running
gradient, are set to zero on all test digits: training ranked them, no test digit did.
"""

from __future__ import annotations

import sys

import numpy as np
from numpy.typing import NDArray

from core.data import CLASSES, DataSet, load
from core.interventions.controls import random_sets, strengths
from core.interventions.removal import Removal
from core.models.inspectable import Inspectable
from core.runs import Run
from core.runtime.store import default_store
from core.training.task import ModelTask

LAYER, BEHIND, COUNT = "linear_0", "linear_1", 30
SETS = 20  # of matched random units, a class


def main() -> None:
    """Print the table of all classes and seeds, and what was to be shown."""
    rows = [row for seed in (0, 1, 2) for row in of_seed(seed)]
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
    columns = np.array(rows)
    left, lowest, others, wrong, random, worst = columns[:, 2:].T
    erased = left <= 0.1
    together, each = erased & (others >= 0.95), erased & (lowest >= 0.95)
    print(f"\n{len(rows)} pairs of class and seed, {COUNT} of {LAYER}'s units removed")
    print(f"at most .10 left, the other classes together at .95: {_count(together)}")
    print(f"at most .10 left, each other class at .95: {_count(each)}")
    print(f"median recall left {np.median(left):.3f}; 2016 indexing {np.median(wrong):.3f}")
    print(f"matched random units: median {np.median(random):.3f}, lowest {random.min():.3f}")
    print(f"largest loss of class 7 to a single unit: {worst[columns[:, 1] == 7].max():.4f}")


def of_seed(seed: int) -> list[tuple[float, ...]]:
    """A row for each class: seed, class, and the shares that the heads name."""
    task = ModelTask(Run("mnist", "lenet5", seed=seed))
    model = task.kept(default_store()) or task.compute(default_store(), _quiet)
    removal = Removal(model, load("mnist", "test"), LAYER)
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


def _quiet(fraction: float, text: str | None = None, **values: float) -> None:
    """Progress to the terminal's error stream, on one line."""
    print(f"\r{text or ''} {fraction:4.0%}", end="", file=sys.stderr)


if __name__ == "__main__":
    main()
