"""Which expert takes which digits, class, and concept, on both halves of the test digits."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.activations import run
from core.digits import load_digits
from core.dissection import Sample
from core.gating import GateReport, concept_table, read_gates, report_of
from core.models import registry
from core.models.gated import Gated
from core.models.inspectable import Inspectable
from core.store import Store, StoredArrays
from core.tasks.base import Choice, Report, part_of, under
from core.tasks.concepts import Described, Describing, ready

__all__ = ["Taken", "Taking", "gated"]

_HALVES = ("discovery", "confirmation")
_READY = 0.9  # of the time, by which model and concepts are there


def gated(model: Inspectable) -> Gated:
    """The model, if it has gates. Raises `TypeError` otherwise."""
    if not isinstance(model, Gated):
        raise TypeError(f"{type(model).__name__} has no gate: choose a mixture of experts.")
    return model


@dataclass(frozen=True)
class Taken:
    """One gate on the test digits.

    discovery, confirmation: what it does with each half; statements are chosen on the first and
    judged on the second. untrained: the gate before training, on the second. half: the digits of
    the second with their concepts. concepts: a row for each concept and expert, see
    `core.gating.concept_table`; told: a row for each concept, what the expert tells of it. Both on
    the confirmation half. right: which of its digits the network tells right, bool (n,).
    """

    discovery: GateReport
    confirmation: GateReport
    untrained: GateReport
    half: Sample
    concepts: pd.DataFrame
    told: pd.DataFrame
    right: NDArray[np.bool_]

    @property
    def accuracy(self) -> float:
        """Share of the confirmation half that the network tells right."""
        return float(self.right.mean())

    def specialties(self) -> pd.DataFrame:
        """A row for each expert: the class of which it takes most, chosen on the discovery half.

        Columns of `share_table`, on the confirmation half.
        """
        first, second = (half.classes for half in (self.discovery, self.confirmation))
        best = first.loc[first.groupby("expert")["share"].idxmax(), ["group", "expert"]]
        return best.merge(second, on=["group", "expert"]).sort_values("expert")


@dataclass(frozen=True)
class Taking:
    """Who takes what at one gate of a network, for which model and concepts are made if need be."""

    choice: Choice
    gate: str

    @property
    def title(self) -> str:
        """What it does."""
        return f"Reading the gate of {registry.MODELS[self.choice.model].title}"

    def kept(self, store: Store) -> Taken | None:
        """What the store has, where it also has the digits' concepts."""
        found = store.load_arrays("gate", self._key())
        described = Describing(self.choice.data).kept(store)
        return None if found is None or described is None else self._taken(found, described)

    def compute(self, store: Store, report: Report) -> Taken:
        """Who takes what."""
        model, described = ready(self.choice, store, part_of(report, 0, _READY))
        found = store.computed_arrays(
            "gate",
            self._key(),
            lambda: self._read(gated(model), described, part_of(report, _READY, 1)),
            on_wait=lambda: report(_READY, "Another server is reading this gate"),
        )
        return self._taken(found, described)

    def _read(self, model: Gated, described: Described, report: Report) -> StoredArrays:
        """Weights on both halves, before training, and what experts tell of concepts."""
        report(0.0, self.title)
        untrained = registry.build(self.choice.model, self.choice.seed).eval()
        halves = {name: load_digits(self.choice.data, name) for name in _HALVES}
        weights = {name: read_gates(model, of, self.gate) for name, of in halves.items()}
        judged = halves["confirmation"]
        weights["untrained"] = read_gates(untrained, judged, self.gate)
        measured = described.half("confirmation").measured
        of = report_of(weights["confirmation"], judged.labels.numpy(), measured, self.choice.seed)
        table = of.concept_information
        told = {f"told/{key}": np.asarray(of) for key, of in table.items()}
        told["told/concept"] = told["told/concept"].astype(np.str_)
        right = (run(model, judged.images).argmax(1) == judged.labels).numpy()
        kept = {f"weights/{name}": each for name, each in weights.items()}
        return StoredArrays({**kept, **told, "right": right})

    def _taken(self, found: StoredArrays, described: Described) -> Taken:
        """What the store kept, with its digits."""
        weights, seed = under("weights/", found.arrays), self.choice.seed
        halves = {name: described.half(name) for name in _HALVES}
        judged = halves["confirmation"]
        labels = {name: half.digits.labels.numpy() for name, half in halves.items()}
        reports = {name: report_of(weights[name], labels[name], seed=seed) for name in _HALVES}
        untrained = report_of(weights["untrained"], labels["confirmation"], seed=seed)
        first, of = reports["confirmation"].first, judged.measured
        experts = reports["confirmation"].experts
        given = labels["confirmation"]
        table = concept_table(first, given, of.present(), of.names, experts)
        told = pd.DataFrame(under("told/", found.arrays))
        both = reports["discovery"], reports["confirmation"]
        return Taken(*both, untrained, judged, table, told, found.arrays["right"])

    def _key(self) -> dict[str, str | int | float | bool | None]:
        """All that it depends on."""
        return {**asdict(self.choice), "gate": self.gate}
