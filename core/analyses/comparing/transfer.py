"""Networks whose first layers were trained on other digits (Yosinski et al. 2014)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from core.activations import peaks
from core.analyses.comparing.base import seeds_of
from core.analyses.comparing.dynamics import label_survival, tuning_drift
from core.analyses.comparing.short import A, B, ShortModelTask, of_classes
from core.data import DataSet
from core.data.task import DataTask
from core.models.inspectable import Inspectable
from core.runs import Run
from core.runtime.lab import Lab
from core.runtime.task import Report, Task
from core.statistics import auc_by_class, class_moments
from core.training import accuracy

TRANSFER_EPOCHS, TRANSFER_DIGITS = 2, 10_000  # of all classes; each network sees half of them
KINDS: Mapping[str, tuple[str, bool]] = {
    "AnB": (A, True),
    "AnB+": (A, False),
    "BnB": (B, True),
    "BnB+": (B, False),
    "random": ("", True),
}  # Yosinski et al. 2014, arXiv:1411.1792: whose first layers, and whether they are frozen


@dataclass(frozen=True)
class Transfer:
    """Networks for digits 5 to 9 whose first layers are from elsewhere.

    accuracy: a row for each network: seed, kind (of `KINDS`, or "base" for all layers learned anew
    on 5 to 9), first (layers from elsewhere) and accuracy on 5 to 9. units: a row for each unit of
    those layers in "AnB+", and in two controls with first 0, "base" and "untrained": seed, kind,
    first, layer, unit, drift (of its class means on 0 to 4 from those that it had in A), before and
    after (its label among 0 to 4, "" for none).
    """

    accuracy: pd.DataFrame
    units: pd.DataFrame

    def tuning(self) -> pd.DataFrame:
        """A row for each network and layer: median drift, survival of labels, and by chance."""
        by = ["kind", "first", "seed", "layer"]
        rows = [
            dict(zip(by, which, strict=True)) | _survival(of)
            for which, of in self.units.groupby(by, sort=False)
        ]
        return pd.DataFrame(rows)


def _survival(units: pd.DataFrame) -> dict[str, float]:
    """Median and outer tenths of the drift, the share of labels that survive, and by chance."""
    low, middle, high = units["drift"].quantile([0.1, 0.5, 0.9])
    before, after = units["before"], units["after"]
    had = before != ""
    shares = [of[had].value_counts(normalize=True) for of in (before, after)]
    return {
        "drift": float(middle),
        "low": float(low),
        "high": float(high),
        "survival": label_survival(before.tolist(), after.tolist()),
        "chance": float(shares[0].mul(shares[1], fill_value=0).sum()),
        "units": len(units),
    }


@dataclass(frozen=True)
class TransferTask(Task[Transfer]):
    """Transfer of first layers from digits 0 to 4 to 5 to 9, with controls, for three seeds."""

    run: Run

    @property
    def title(self) -> str:
        """What is done."""
        return f"Transferring layers of {self.run.title}"

    def networks(self, run: Run) -> dict[tuple[str, int], ShortModelTask]:
        """The networks of one seed by kind and number of layers from elsewhere."""
        base = ShortModelTask(run, TRANSFER_EPOCHS, TRANSFER_DIGITS, B)
        hidden = len(run.layers) - 1
        moved = {
            (kind, n): replace(base, first=n, source=source, frozen=frozen)
            for kind, (source, frozen) in KINDS.items()
            for n in range(1, hidden + 1)
        }
        return {("A", 0): replace(base, labels=A), ("base", 0): base, **moved}

    def compute(self, lab: Lab, report: Report) -> Transfer:
        """The comparison, for which the networks that are missing are trained."""
        test = self.run.data, "discovery", "confirmation"
        seen, judged = (lab.result(DataTask(test[0], half), report) for half in test[1:])
        seen, judged = of_classes(seen, A), of_classes(judged, B)
        shorts = {run: self.networks(run) for run in seeds_of(self.run)}
        every = [short for of in shorts.values() for short in of.values()]
        trained = dict(zip(every, lab.all(every, report), strict=True))
        scores, units = [], []
        for run, networks in shorts.items():
            models = {which: trained[short] for which, short in networks.items()}
            scores += [
                {"seed": run.seed, "kind": kind, "first": n, "accuracy": accuracy(of, judged)}
                for (kind, n), of in models.items()
                if kind != "A"
            ]
            units.append(_moved(models, networks, seen))
        return Transfer(pd.DataFrame(scores), pd.concat(units, ignore_index=True))


def _moved(
    models: Mapping[tuple[str, int], Inspectable],
    shorts: Mapping[tuple[str, int], ShortModelTask],
    digits: DataSet,
) -> pd.DataFrame:
    """What became of each unit of A, in the fine-tuned networks and in two controls."""
    before, run = models["A", 0], shorts["A", 0].run
    hidden = before.layers[:-1]
    after = {("untrained", 0): run.untrained()}
    after |= {which: of for which, of in models.items() if which[0] in ("base", "AnB+")}
    frames = []
    for (kind, first), other in after.items():
        for layer in hidden[: first or None]:
            found = tuning(before, other, digits, layer)
            frames.append(found.assign(seed=run.seed, kind=kind, first=first, layer=layer))
    return pd.concat(frames, ignore_index=True)


def tuning(
    before: Inspectable, after: Inspectable, digits: DataSet, layer: str, classes: str = A
) -> pd.DataFrame:
    """What became of each unit of a layer: columns unit, drift, before and after.

    drift: of its class means on `digits`, which are all of `classes`; see
    `core.analyses.comparing.dynamics.tuning_drift`. before, after: its label, the class of the
    highest AUC, "" for a unit that says the same of all digits.
    """
    labels = np.searchsorted([int(label) for label in classes], digits.labels.numpy())
    both = [peaks(model, digits.images, layer) for model in (before, after)]
    means = [class_moments(values, labels, len(classes))[0] for values in both]
    names = []
    for values in both:
        best = auc_by_class(values, labels, len(classes)).argmax(1)
        constant = values.min(0) == values.max(0)
        names.append(np.where(constant, "", np.array(list(classes))[best]))
    columns = {"unit": np.arange(len(means[0])), "drift": tuning_drift(*means)}
    return pd.DataFrame({**columns, "before": names[0], "after": names[1]})
